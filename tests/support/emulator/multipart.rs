//! Uploads in parts: begun, sent, completed, aborted.

use super::answer::{Answer, Outcome, Refused, element, elements, escaped};
use super::conditions::{check_overwrite, check_write};
use super::errors::next_id;
use super::objects::{check_key, kept_headers};
use super::problem::Problem;
use super::rules::{ErrorShape, PartSizes, Rules};
use super::service::Call;
use super::store::{Object, Part, Upload, etag, joined_etag};
use bytes::Bytes;

/// `CreateMultipartUpload`.
pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    check_key(call.key, call.rules)?;
    // R2 looks at conditions here already, the others only when the upload is completed.
    if call.rules.shape == ErrorShape::R2 {
        check_write(call)?;
    }
    check_overwrite(call)?;
    let upload = Upload {
        begun: call.now,
        headers: kept_headers(call),
        ..Upload::default()
    };
    let id = next_id();
    let name = (call.key.to_owned(), id.clone());
    call.bucket.uploads.insert(name, upload);
    Ok(Answer::xml(&format!(
        "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{}</Bucket>\
         <Key>{}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
        call.bucket_name,
        escaped(call.key)
    )))
}

/// `UploadPart`.
pub(super) fn put_part(call: &mut Call<'_>) -> Outcome {
    let number = part_number(call)?;
    upload(call)?;
    let tag = store_part(call, number, call.body.clone());
    Ok(Answer::new(200).with("etag", format!("\"{tag}\"")))
}

/// The part that the request names.
pub(super) fn part_number(call: &Call<'_>) -> Result<u32, Refused> {
    let given = call.request.query("partNumber").unwrap_or_default();
    let most = call.rules.most_parts;
    let number = given
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        let words = call.rules.words(Problem::PartNumber).message;
        let words = words.replace("10000", &most.to_string());
        let refused = call.rules.refuse(Problem::PartNumber).saying(words);
        refused
            .field("ArgumentName", "partNumber")
            .field("ArgumentValue", given)
    })
}

/// The upload that the request names.
pub(super) fn upload<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Upload, Refused> {
    let id = call.request.query("uploadId").unwrap_or_default();
    let name = (call.key.to_owned(), id.to_owned());
    let found = call.bucket.uploads.get_mut(&name);
    found.ok_or_else(|| call.rules.refuse(Problem::NoUpload).field("UploadId", id))
}

/// Keeps a part and gives its tag. The upload is there.
pub(super) fn store_part(call: &mut Call<'_>, number: u32, bytes: Bytes) -> String {
    let part = Part {
        etag: etag(&bytes, call.rules),
        bytes,
        modified: call.now,
    };
    let tag = part.etag.clone();
    if let Ok(upload) = upload(call) {
        upload.parts.insert(number, part);
    }
    tag
}

/// `AbortMultipartUpload`.
pub(super) fn abort(call: &mut Call<'_>) -> Outcome {
    upload(call)?;
    forget(call);
    Ok(Answer::new(204))
}

fn forget(call: &mut Call<'_>) -> Option<Upload> {
    let id = call.request.query("uploadId").unwrap_or_default();
    let name = (call.key.to_owned(), id.to_owned());
    call.bucket.uploads.remove(&name)
}

/// `CompleteMultipartUpload`.
pub(super) fn complete(call: &mut Call<'_>) -> Outcome {
    let rules = *call.rules;
    let body = String::from_utf8_lossy(&call.body).into_owned();
    let stored = &upload(call)?.parts;
    let named = named_parts(&body).ok_or_else(|| rules.refuse(Problem::MalformedXml))?;
    if !named.is_sorted_by(|left, right| left.0 < right.0) {
        return Err(rules.refuse(Problem::PartOrder));
    }
    let mut parts = Vec::with_capacity(named.len());
    for (number, tag) in &named {
        let part = stored.get(number).filter(|part| part.etag == *tag);
        let part = part.ok_or_else(|| {
            let invalid = rules.refuse(Problem::PartInvalid);
            invalid.field("PartNumber", number).field("ETag", tag)
        })?;
        parts.push(part.clone());
    }
    check_sizes(&parts, &named, &rules)?;
    check_write(call)?;
    let tag = joined_etag(&parts, &rules);
    let bytes: Vec<_> = parts.iter().map(|part| part.bytes.as_ref()).collect();
    let done = forget(call).unwrap_or_default();
    let object = Object {
        bytes: bytes.concat().into(),
        etag: tag.clone(),
        modified: call.now,
        headers: done.headers,
    };
    call.bucket.objects.insert(call.key.to_owned(), object);
    Ok(Answer::xml(&format!(
        "<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{}</Bucket>\
         <Key>{}</Key><ETag>&quot;{tag}&quot;</ETag></CompleteMultipartUploadResult>",
        call.bucket_name,
        escaped(call.key)
    )))
}

/// Numbers and bare tags; `None` where the document is not one of parts.
fn named_parts(body: &str) -> Option<Vec<(u32, String)>> {
    let parts = elements(body, "Part").into_iter().map(|part| {
        let number = element(part, "PartNumber")?.parse().ok()?;
        let tag = element(part, "ETag")?;
        Some((number, tag.trim_matches('"').to_owned()))
    });
    let parts: Vec<_> = parts.collect::<Option<_>>()?;
    let is_whole = body.contains("<CompleteMultipartUpload")
        && body.trim_end().ends_with("</CompleteMultipartUpload>");
    (is_whole && !parts.is_empty()).then_some(parts)
}

fn check_sizes(parts: &[Part], named: &[(u32, String)], rules: &Rules) -> Result<(), Refused> {
    let Some((last, others)) = parts.split_last() else {
        return Ok(());
    };
    for (part, (number, tag)) in others.iter().zip(named) {
        let size_bytes = part.bytes.len() as u64;
        if size_bytes < rules.least_part_bytes {
            return Err(rules
                .refuse(Problem::PartTooSmall)
                .field("ProposedSize", size_bytes)
                .field("MinSizeAllowed", rules.least_part_bytes)
                .field("PartNumber", number)
                .field("ETag", tag));
        }
    }
    if let PartSizes::Equal(refusal) = rules.part_sizes {
        let first_bytes = parts[0].bytes.len();
        let is_equal = others.iter().all(|part| part.bytes.len() == first_bytes);
        if !is_equal || last.bytes.len() > first_bytes {
            return Err(refusal.into());
        }
    }
    Ok(())
}
