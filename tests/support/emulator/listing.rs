//! Lists: of buckets, objects, unfinished uploads and their parts.

use super::answer::{Answer, Outcome, Refused, escaped};
use super::digest::{from_hex, hex};
use super::problem::Problem;
use super::request::encoded;
use super::service::Call;
use super::store::{Store, time};
use std::ops::Bound;

const MOST_ROWS: u64 = 1_000;
/// What a continuation token begins with, so that no key is taken for one.
const TOKEN: &str = "01";

/// How keys are written in an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Plain,
    UrlEncoded,
}

impl Keys {
    fn of(call: &Call<'_>) -> Result<Self, Refused> {
        match call.request.query("encoding-type") {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::UrlEncoded),
            Some(_) => {
                let invalid = call.rules.refuse(Problem::Argument);
                Err(invalid.saying("Invalid Encoding Method specified in Request"))
            }
        }
    }

    fn write(self, key: &str) -> String {
        match self {
            Self::Plain => escaped(key),
            Self::UrlEncoded => encoded(key, "/ ").replace(' ', "+"),
        }
    }
}

pub(super) fn buckets(store: &Store) -> Answer {
    let all: String = store
        .keys()
        .map(|name| format!("<Bucket><Name>{name}</Name></Bucket>"))
        .collect();
    Answer::xml(&format!(
        "<ListAllMyBucketsResult><Buckets>{all}</Buckets></ListAllMyBucketsResult>"
    ))
}

fn row_limit(call: &Call<'_>, name: &str) -> Result<usize, Refused> {
    let asked = match call.request.query(name) {
        None => MOST_ROWS,
        Some(text) => text
            .parse()
            .map_err(|_| call.rules.refuse(Problem::Argument))?,
    };
    Ok(usize::try_from(asked.min(MOST_ROWS)).unwrap_or_default())
}

/// Where a list of objects goes on: behind this key, or all keys that begin with this prefix.
fn start(call: &Call<'_>) -> Result<Option<String>, Refused> {
    let Some(token) = call.request.query("continuation-token") else {
        return Ok(call.request.query("start-after").map(str::to_owned));
    };
    let key = token.strip_prefix(TOKEN).and_then(from_hex);
    let key = key.and_then(|bytes| String::from_utf8(bytes).ok());
    key.map(Some).ok_or_else(|| {
        let invalid = call.rules.refuse(Problem::Argument);
        invalid
            .saying("The continuation token provided is incorrect")
            .field("ArgumentName", "continuation-token")
    })
}

/// `ListObjectsV2`.
pub(super) fn objects(call: &Call<'_>) -> Outcome {
    let keys = Keys::of(call)?;
    let limit = row_limit(call, "max-keys")?;
    let prefix = call.request.query("prefix").unwrap_or_default();
    let delimiter = call.request.query("delimiter").unwrap_or_default();
    let after = start(call)?;
    let (mut rows, mut common) = (String::new(), String::new());
    let (mut count, mut last, mut is_truncated) = (0, after.clone(), false);
    let from = after.clone().map_or(Bound::Unbounded, Bound::Excluded);
    for (key, object) in call
        .bucket
        .objects
        .range::<String, _>((from, Bound::Unbounded))
    {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        let folded = (!delimiter.is_empty())
            .then(|| rest.find(delimiter))
            .flatten()
            .map(|at| &key[..prefix.len() + at + delimiter.len()]);
        let row = folded.unwrap_or(key);
        if folded.is_some() && last.as_deref() == folded {
            continue;
        }
        if count == limit {
            is_truncated = limit > 0;
            break;
        }
        count += 1;
        last = Some(row.to_owned());
        let name = keys.write(row);
        if folded.is_some() {
            common.push_str(&format!(
                "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
            ));
        } else {
            rows.push_str(&format!(
                "<Contents><Key>{name}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>\
                 <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                time(object.modified),
                object.etag,
                object.bytes.len()
            ));
        }
    }
    let next = last.filter(|_| is_truncated).map_or(String::new(), |last| {
        let token = format!("{TOKEN}{}", hex(last.as_bytes()));
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    });
    let encoding = match keys {
        Keys::Plain => "",
        Keys::UrlEncoded => "<EncodingType>url</EncodingType>",
    };
    Ok(Answer::xml(&format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name>\
         <Prefix>{}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>{limit}</MaxKeys>{encoding}\
         <IsTruncated>{is_truncated}</IsTruncated>{next}{rows}{common}</ListBucketResult>",
        call.bucket_name,
        keys.write(prefix),
    )))
}

/// `ListMultipartUploads`.
pub(super) fn uploads(call: &Call<'_>) -> Outcome {
    let keys = Keys::of(call)?;
    let limit = row_limit(call, "max-uploads")?;
    let query = |name| call.request.query(name).unwrap_or_default().to_owned();
    let prefix = query("prefix");
    let (key_marker, id_marker) = (query("key-marker"), query("upload-id-marker"));
    let is_behind = |key: &str, id: &str| {
        key > key_marker.as_str()
            || key == key_marker && !id_marker.is_empty() && id > id_marker.as_str()
    };
    let all = call.bucket.uploads.iter();
    let found: Vec<_> = all
        .filter(|((key, id), _)| key.starts_with(&prefix) && is_behind(key, id))
        .collect();
    let rows: String = found
        .iter()
        .take(limit)
        .map(|((key, id), upload)| {
            format!(
                "<Upload><Key>{}</Key><UploadId>{id}</UploadId><Initiated>{}</Initiated>\
                 <StorageClass>STANDARD</StorageClass></Upload>",
                keys.write(key),
                time(upload.begun)
            )
        })
        .collect();
    let is_truncated = found.len() > limit;
    let next = found
        .iter()
        .take(limit)
        .next_back()
        .filter(|_| is_truncated);
    let next = next.map_or(String::new(), |((key, id), _)| {
        format!(
            "<NextKeyMarker>{}</NextKeyMarker><NextUploadIdMarker>{id}</NextUploadIdMarker>",
            keys.write(key)
        )
    });
    Ok(Answer::xml(&format!(
        "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{}</Bucket>\
         <MaxUploads>{limit}</MaxUploads><IsTruncated>{is_truncated}</IsTruncated>{next}{rows}\
         </ListMultipartUploadsResult>",
        call.bucket_name
    )))
}

/// `ListParts`.
pub(super) fn parts(call: &Call<'_>) -> Outcome {
    let limit = row_limit(call, "max-parts")?;
    let marker = call.request.number("part-number-marker").unwrap_or(0);
    let id = call.request.query("uploadId").unwrap_or_default();
    let upload = call
        .bucket
        .uploads
        .get(&(call.key.to_owned(), id.to_owned()));
    let upload = upload.ok_or_else(|| call.rules.refuse(Problem::NoUpload))?;
    let all = upload.parts.iter();
    let found: Vec<_> = all
        .filter(|(number, _)| u64::from(**number) > marker)
        .collect();
    let rows: String = found
        .iter()
        .take(limit)
        .map(|(number, part)| {
            format!(
                "<Part><PartNumber>{number}</PartNumber><LastModified>{}</LastModified>\
                 <ETag>&quot;{}&quot;</ETag><Size>{}</Size></Part>",
                time(part.modified),
                part.etag,
                part.bytes.len()
            )
        })
        .collect();
    let is_truncated = found.len() > limit;
    let last = found
        .iter()
        .take(limit)
        .next_back()
        .map_or(0, |(number, _)| **number);
    Ok(Answer::xml(&format!(
        "<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{}</Bucket><Key>{}</Key>\
         <UploadId>{id}</UploadId><NextPartNumberMarker>{last}</NextPartNumberMarker><MaxParts>{limit}</MaxParts>\
         <IsTruncated>{is_truncated}</IsTruncated>{rows}</ListPartsResult>",
        call.bucket_name,
        escaped(call.key)
    )))
}
