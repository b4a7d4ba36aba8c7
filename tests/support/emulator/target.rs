//! What a request is about: bucket, key, and what is to be done.

use super::address::Address;
use super::ledger::Kind;
use super::request::Request;
use super::rules::Rules;

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) address: Address,
    /// Empty for the service itself.
    pub(super) bucket: String,
    /// Empty for the bucket itself.
    pub(super) key: String,
    pub(super) kind: Kind,
}

impl Target {
    /// `None` for the hosts of strangers.
    pub(super) fn of(request: &Request, rules: &Rules) -> Option<Self> {
        let address = Address::of(&request.host, rules)?;
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = match &address.bucket {
            // A key may begin with a slash, which the path has besides its own.
            Some(bucket) => (bucket.as_str(), &request.path[1..]),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        Some(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            kind: kind(request, bucket, key),
            address,
        })
    }
}

fn kind(request: &Request, bucket: &str, key: &str) -> Kind {
    /// What only changes how something is listed or read.
    const PLAIN: [&str; 15] = [
        "list-type",
        "prefix",
        "delimiter",
        "max-keys",
        "continuation-token",
        "start-after",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "upload-id-marker",
        "max-uploads",
        "part-number-marker",
        "max-parts",
        "partNumber",
        "x-id",
    ];
    let sub = request.query.iter().map(|(name, _)| name.as_str());
    let sub: Vec<_> = sub.filter(|name| !PLAIN.contains(name)).collect();
    let is_copy = request.header("x-amz-copy-source").is_some();
    let has_part = request.query("partNumber").is_some();
    let is_v2 = request.query("list-type") == Some("2");
    if key.is_empty() {
        return match (request.method.as_str(), sub.as_slice()) {
            ("GET", []) if bucket.is_empty() => Kind::ListBuckets,
            ("HEAD", []) => Kind::HeadBucket,
            ("GET", ["location"]) => Kind::Location,
            ("GET", ["uploads"]) => Kind::ListUploads,
            ("GET", []) if is_v2 => Kind::List,
            ("POST", ["delete"]) => Kind::DeleteBatch,
            _ => Kind::Other,
        };
    }
    match (request.method.as_str(), sub.as_slice()) {
        ("GET", []) if !has_part => Kind::Get,
        ("HEAD", []) if !has_part => Kind::Head,
        ("GET", ["uploadId"]) => Kind::ListParts,
        ("PUT", []) if is_copy => Kind::CopyObject,
        ("PUT", []) => Kind::Put,
        ("PUT", ["uploadId"]) if has_part && is_copy => Kind::CopyPart,
        ("PUT", ["uploadId"]) if has_part => Kind::UploadPart,
        ("POST", ["uploads"]) => Kind::CreateUpload,
        ("POST", ["uploadId"]) => Kind::Complete,
        ("DELETE", ["uploadId"]) => Kind::Abort,
        ("DELETE", []) => Kind::Delete,
        _ => Kind::Other,
    }
}
