//! Conditions of reads and writes.

use super::answer::Refused;
use super::problem::Problem;
use super::rules::Conditional;
use super::service::Call;
use super::store::Object;

/// A tag without its quotes.
fn bare(tag: &str) -> &str {
    tag.trim().trim_matches('"')
}

/// Whether a list of tags, or a star, fits an object.
fn fits(tags: &str, object: &Object) -> bool {
    let mut tags = tags.split(',').map(bare);
    tags.any(|tag| tag == "*" || tag == object.etag)
}

/// Refuses a write of `call.key` whose conditions do not hold, or are not known here.
pub(super) fn check_write(call: &Call<'_>) -> Result<(), Refused> {
    let refuse = |problem| Err(call.rules.refuse(problem));
    let old = call.bucket.objects.get(call.key);
    let (none_match, is_match) = (
        call.request.header("if-none-match"),
        call.request.header("if-match"),
    );
    if none_match.is_some() || is_match.is_some() {
        match call.rules.conditional {
            Conditional::NotImplemented => return refuse(Problem::NotImplemented),
            Conditional::Ignored => {}
            Conditional::Honoured => match (none_match, is_match, old) {
                (Some(_), Some(_), _) => return refuse(Problem::NotImplemented),
                (Some(tags), None, _) if tags != "*" => return refuse(Problem::NotImplemented),
                (Some(_), None, Some(_)) => {
                    let condition = call.rules.refuse(Problem::Precondition);
                    return Err(condition.field("Condition", "If-None-Match"));
                }
                (None, Some(_), None) => return refuse(Problem::NoKey),
                (None, Some(tags), Some(old)) if !fits(tags, old) => {
                    let condition = call.rules.refuse(Problem::Precondition);
                    return Err(condition.field("Condition", "If-Match"));
                }
                _ => {}
            },
        }
    }
    check_overwrite(call)
}

/// Refuses to overwrite where the provider's own header forbids it.
pub(super) fn check_overwrite(call: &Call<'_>) -> Result<(), Refused> {
    let header = call.rules.forbid_overwrite;
    let is_forbidden = header.and_then(|name| call.request.header(name)) == Some("true");
    if is_forbidden && call.bucket.objects.contains_key(call.key) {
        return Err(call.rules.refuse(Problem::Exists));
    }
    Ok(())
}

/// What becomes of a read.
pub(super) enum Reading {
    GoesOn,
    NotModified,
}

/// Refuses a read whose conditions do not hold.
pub(super) fn check_read(call: &Call<'_>, object: &Object) -> Result<Reading, Refused> {
    if let Some(tags) = call.request.header("if-match")
        && !fits(tags, object)
    {
        return Err(call.rules.refuse(Problem::Precondition));
    }
    if let Some(tags) = call.request.header("if-none-match")
        && fits(tags, object)
    {
        return Ok(Reading::NotModified);
    }
    Ok(Reading::GoesOn)
}

/// Refuses a copy of another version than was meant.
pub(super) fn check_source(call: &Call<'_>, source: &Object) -> Result<(), Refused> {
    let is_match = call.request.header("x-amz-copy-source-if-match");
    let none_match = call.request.header("x-amz-copy-source-if-none-match");
    let is_refused = is_match.is_some_and(|tags| !fits(tags, source))
        || none_match.is_some_and(|tags| fits(tags, source));
    if is_refused {
        return Err(call.rules.refuse(Problem::Precondition));
    }
    Ok(())
}
