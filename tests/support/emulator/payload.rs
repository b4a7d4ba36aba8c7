//! Bodies: whether they are what the request says of them.

use super::answer::Refused;
use super::chunked;
use super::digest::{base64, crc, hex, md5, sha1, sha256};
use super::problem::{Problem, Refusal};
use super::request::Request;
use super::rules::{ChecksumHeaders, Rules};
use super::signature::Signed;
use bytes::Bytes;

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const CHECKSUM: &str = "x-amz-checksum-";

/// The body as it is to be stored, checked against everything that the request says of it.
pub(super) fn checked(
    request: &Request,
    signed: Option<&Signed>,
    rules: &Rules,
) -> Result<Bytes, Refused> {
    let hash = request.header("x-amz-content-sha256");
    let Some(signed) = signed else {
        return Ok(request.body.clone());
    };
    check_known(request, rules)?;
    let hash = hash.ok_or_else(|| rules.refuse(Problem::BodyHashMissing))?;
    if let Some(refusal) = streaming_refusal(request, hash, rules) {
        let refused = Refused::from(refusal);
        return Err(if refusal.message.starts_with("aws-chunked") {
            refused
                .field("ArgumentName", "Content-Encoding")
                .field("ArgumentValue", "aws-chunked")
        } else {
            refused
        });
    }
    let (body, trailers) = if hash.starts_with("STREAMING-") {
        chunked::read(request, hash, signed, rules)?
    } else {
        (request.body.clone(), Vec::new())
    };
    let is_hashed = hash != UNSIGNED && !hash.starts_with("STREAMING-");
    if is_hashed && hash != hex(&sha256(&body)) {
        return Err(rules
            .refuse(Problem::BodyHash)
            .field("ClientComputedContentSHA256", hash)
            .field("S3ComputedContentSHA256", hex(&sha256(&body))));
    }
    if let Some(given) = request.header("content-md5") {
        if given.len() != 24 || !given.ends_with("==") {
            return Err(rules.refuse(Problem::DigestInvalid));
        }
        if given != base64(&md5(&body)) {
            return Err(rules.refuse(Problem::Digest));
        }
    }
    let headers = request.headers.iter();
    let sums = headers.filter(|(name, _)| name.starts_with(CHECKSUM));
    for (name, value) in sums.chain(trailers.iter().map(|(name, value)| (name, value))) {
        check_sum(name, value, &body, rules)?;
    }
    Ok(body)
}

fn check_known(request: &Request, rules: &Rules) -> Result<(), Refused> {
    let mut names = rules.unknown_headers.iter();
    let unknown = names.find_map(|name| Some((name, request.header(name)?)));
    unknown.map_or(Ok(()), |(name, value)| {
        Err(not_implemented(name, value, rules))
    })
}

fn not_implemented(name: &str, value: &str, rules: &Rules) -> Refused {
    let words = format!("Header '{name}' with value '{value}' not implemented");
    rules.refuse(Problem::NotImplemented).saying(words)
}

/// Whether the request has a digest of its body other than its signature.
pub(super) fn has_checksum(request: &Request) -> bool {
    let mut names = request.headers.keys();
    names.any(|name| sum(name, &[]).is_some())
}

fn streaming_refusal(request: &Request, hash: &str, rules: &Rules) -> Option<Refusal> {
    let coding = request.header("content-encoding").unwrap_or_default();
    match hash {
        SIGNED => rules.streamed.signed,
        SIGNED_TRAILER => rules.streamed.signed_trailer,
        UNSIGNED_TRAILER => rules.streamed.unsigned_trailer,
        _ if coding.contains("aws-chunked") => rules.streamed.coding_alone,
        _ => None,
    }
}

fn check_sum(name: &str, value: &str, body: &[u8], rules: &Rules) -> Result<(), Refused> {
    match rules.checksum_headers {
        ChecksumHeaders::Ignored => Ok(()),
        ChecksumHeaders::NotImplemented => Err(not_implemented(name, value, rules)),
        ChecksumHeaders::Verified => match sum(name, body) {
            Some(sum) if value != base64(&sum) => Err(rules.refuse(Problem::Digest)),
            _ => Ok(()),
        },
    }
}

/// The checksum that a header of this name holds.
fn sum(header: &str, body: &[u8]) -> Option<Vec<u8>> {
    Some(match header.strip_prefix(CHECKSUM)? {
        "crc32" => crc(0xEDB8_8320, 32, body),
        "crc32c" => crc(0x82F6_3B78, 32, body),
        "crc64nvme" => crc(0x9A6C_9329_AC4B_C9B5, 64, body),
        "sha1" => sha1(body),
        "sha256" => sha256(body),
        _ => return None,
    })
}
