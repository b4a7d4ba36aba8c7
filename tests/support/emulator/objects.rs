//! Whole objects: read, looked at, written, deleted.

use super::answer::{Answer, Outcome, Refused};
use super::conditions::{Reading, check_read, check_write};
use super::conduct::{Ranges, Word};
use super::problem::Problem;
use super::rules::{Conditional, ErrorShape, Rules};
use super::service::Call;
use super::store::{Object, etag};
use std::ops::Range;

/// Headers that are kept with an object.
const KEPT: [&str; 4] = [
    "content-type",
    "content-encoding",
    "content-disposition",
    "cache-control",
];

/// `GetObject` and `HeadObject`.
pub(super) fn read(call: &Call<'_>) -> Outcome {
    let object = call.bucket.objects.get(call.key);
    let object = object.ok_or_else(|| no_key(call))?;
    let is_app = [".apk", ".ipa"].iter().any(|end| call.key.ends_with(end));
    if let Some(refusal) = call.rules.apps.filter(|_| is_app && call.is_public_host) {
        return Err(refusal.into());
    }
    let mut answer = Answer::new(200);
    if matches!(check_read(call, object)?, Reading::NotModified) {
        answer.status = 304;
    } else {
        answer.body = object.bytes.clone();
        let size = object.bytes.len();
        let range = match call.conduct.ranges {
            Ranges::Partial | Ranges::AsIfWhole => range(call, size)?,
            Ranges::Ignored => None,
        };
        if let Some(range) = range {
            let (first, last) = (range.start, range.end - 1);
            if call.conduct.ranges == Ranges::Partial {
                answer.status = 206;
            }
            answer.body = object.bytes.slice(range);
            answer = answer.with("content-range", format!("bytes {first}-{last}/{size}"));
        }
    }
    answer.headers.extend(object.headers.iter().cloned());
    if call.rules.shape == ErrorShape::Cos && call.is_public_host {
        answer = answer
            .with("content-disposition", "attachment")
            .with("x-cos-force-download", "true");
    }
    let modified = object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT");
    Ok(answer
        .with("etag", format!("\"{}\"", object.etag))
        .with("last-modified", modified.to_string())
        .with("accept-ranges", "bytes"))
}

/// The one range that is asked for. Ranges that cannot be read are as if nothing was asked.
fn range(call: &Call<'_>, size: usize) -> Result<Option<Range<usize>>, Refused> {
    let asked = call.request.header("range");
    let Some((first, last)) = asked
        .and_then(|text| text.strip_prefix("bytes="))
        .and_then(|text| text.split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..(last + 1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size - count.min(size)..size,
        _ => return Ok(None),
    };
    if range.is_empty() {
        return Err(call
            .rules
            .refuse(Problem::Range)
            .field("RangeRequested", asked.unwrap_or_default())
            .field("ActualObjectSize", size)
            .header("content-range", format!("bytes */{size}")));
    }
    Ok(Some(range))
}

/// `PutObject`.
pub(super) fn put(call: &mut Call<'_>) -> Outcome {
    check_key(call.key, call.rules)?;
    check_write(call)?;
    let stored = match call.conduct.word {
        Word::StoresOtherBytes => vec![b'?'; call.body.len()].into(),
        _ => call.body.clone(),
    };
    let object = Object {
        etag: etag(&call.body, call.rules),
        bytes: stored,
        modified: call.now,
        headers: kept_headers(call),
    };
    let tag = format!("\"{}\"", object.etag);
    if call.conduct.word != Word::StoresNothing {
        call.bucket.objects.insert(call.key.to_owned(), object);
    }
    Ok(Answer::new(200).with("etag", tag))
}

/// `DeleteObject`.
pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    if let Some(tag) = call.request.header("if-match") {
        // Only AWS is known to look at it.
        if call.rules.shape != ErrorShape::Aws || call.rules.conditional != Conditional::Honoured {
            return Err(call.rules.refuse(Problem::NotImplemented));
        }
        let old = call.bucket.objects.get(call.key);
        let old = old.ok_or_else(|| no_key(call))?;
        if tag.trim_matches('"') != old.etag {
            return Err(call.rules.refuse(Problem::Precondition));
        }
    }
    if call.conduct.word != Word::DeletesNothing {
        call.bucket.objects.remove(call.key);
    }
    Ok(Answer::new(204))
}

pub(super) fn no_key(call: &Call<'_>) -> Refused {
    if call.hides_missing {
        return call.rules.refuse(Problem::Denied);
    }
    let refused = call.rules.refuse(Problem::NoKey);
    match call.rules.shape {
        ErrorShape::Aws | ErrorShape::Oss => refused.field("Key", call.key),
        _ => refused,
    }
}

/// Refuses keys that the provider does not take.
pub(super) fn check_key(key: &str, rules: &Rules) -> Result<(), Refused> {
    if key.len() > rules.most_key_bytes || key.starts_with(rules.no_key_begins_with) {
        return Err(rules.refuse(Problem::KeyName));
    }
    Ok(())
}

pub(super) fn kept_headers(call: &Call<'_>) -> Vec<(&'static str, String)> {
    let found = KEPT.into_iter().filter_map(|name| {
        let value = call.request.header(name)?;
        let value = value.replace("aws-chunked,", "").replace("aws-chunked", "");
        (!value.is_empty()).then_some((name, value))
    });
    found.collect()
}
