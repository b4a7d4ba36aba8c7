//! Copies that the server makes by itself: of a part of an upload, and of an object.

use super::answer::{Answer, Outcome, Refused};
use super::conditions::{check_source, check_write};
use super::conduct::PartCopy;
use super::multipart::{part_number, store_part, upload};
use super::objects::{check_key, no_key};
use super::problem::{Problem, Refusal};
use super::request::{Plus, decoded};
use super::service::Call;
use super::store::{Object, etag, time};
use bytes::Bytes;

/// `UploadPartCopy`.
pub(super) fn part(call: &mut Call<'_>) -> Outcome {
    let number = part_number(call)?;
    upload(call)?;
    let source = source(call)?;
    let asked = asked_bytes(call, &source)?;
    let stored = match call.conduct.part_copy {
        PartCopy::ComparesOwnTags
            if call.request.header("x-amz-copy-source-if-match").is_some() =>
        {
            return Err(call.rules.refuse(Problem::Precondition));
        }
        PartCopy::OnlyOfMuch if source.bytes.len() < 5 * 1024 * 1024 => {
            let refusal = Refusal::new(
                400,
                "InvalidRequest",
                "Bad request: Source object is too small (minimum part size is 5Mb)",
            );
            return Err(refusal.into());
        }
        PartCopy::Honest | PartCopy::OnlyOfMuch | PartCopy::ComparesOwnTags => asked,
        PartCopy::OtherBytes => vec![b'?'; asked.len()].into(),
        PartCopy::Empty => {
            let tag = store_part(call, number, Bytes::new());
            return Ok(Answer::new(200).with("etag", format!("\"{tag}\"")));
        }
        PartCopy::NotImplemented => return Err(call.rules.refuse(Problem::NotImplemented)),
        PartCopy::ErrorInSuccess => {
            return Ok(Answer::xml(
                "<Error><Code>InternalError</Code><Message>We encountered an internal error. \
                 Please try again.</Message></Error>",
            ));
        }
    };
    let tag = store_part(call, number, stored);
    Ok(copied("CopyPartResult", &tag, call))
}

/// `CopyObject`.
pub(super) fn object(call: &mut Call<'_>) -> Outcome {
    check_key(call.key, call.rules)?;
    let source = source(call)?;
    check_write(call)?;
    let copy = Object {
        etag: etag(&source.bytes, call.rules),
        modified: call.now,
        ..source
    };
    let tag = copy.etag.clone();
    call.bucket.objects.insert(call.key.to_owned(), copy);
    Ok(copied("CopyObjectResult", &tag, call))
}

fn copied(root: &str, tag: &str, call: &Call<'_>) -> Answer {
    Answer::xml(&format!(
        "<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LastModified>{}</LastModified>\
         <ETag>&quot;{tag}&quot;</ETag></{root}>",
        time(call.now)
    ))
}

/// The object that `x-amz-copy-source` names, if it is the version that was meant.
fn source(call: &Call<'_>) -> Result<Object, Refused> {
    let given = call.request.header("x-amz-copy-source").unwrap_or_default();
    let given = decoded(given, Plus::Stays);
    let Some((bucket, key)) = given.trim_start_matches('/').split_once('/') else {
        return Err(call.rules.refuse(Problem::CopySource));
    };
    if bucket != call.bucket_name {
        return Err(call.rules.refuse(Problem::NoBucket));
    }
    let source = call.bucket.objects.get(key).ok_or_else(|| no_key(call))?;
    check_source(call, source)?;
    Ok(source.clone())
}

/// The bytes of `x-amz-copy-source-range`, which must all be there.
fn asked_bytes(call: &Call<'_>, source: &Object) -> Result<Bytes, Refused> {
    let Some(text) = call.request.header("x-amz-copy-source-range") else {
        return Ok(source.bytes.clone());
    };
    let range = text
        .strip_prefix("bytes=")
        .and_then(|text| text.split_once('-'));
    let range = range.and_then(|(first, last)| {
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
    });
    let size = source.bytes.len();
    match range {
        Some((first, last)) if first <= last && last < size => Ok(source.bytes.slice(first..=last)),
        _ => {
            let words = call.rules.words(Problem::CopyRange).message;
            let refused = call.rules.refuse(Problem::CopyRange);
            Err(refused
                .saying(format!("{words} of size: {size}"))
                .field("ArgumentName", "x-amz-copy-source-range")
                .field("ArgumentValue", text))
        }
    }
}
