//! Bodies in the coding `aws-chunked`, each chunk with a signature that goes on from the one before.

use super::answer::Refused;
use super::digest::{hex, hmac_sha256, sha256};
use super::problem::Problem;
use super::request::Request;
use super::rules::Rules;
use super::signature::Signed;
use bytes::Bytes;

type Trailers = Vec<(String, String)>;

/// The body without its coding, and the headers that follow it.
pub(super) fn read(
    request: &Request,
    hash: &str,
    signed: &Signed,
    rules: &Rules,
) -> Result<(Bytes, Trailers), Refused> {
    let incomplete = || rules.refuse(Problem::BodyIncomplete);
    let is_signed = !hash.starts_with("STREAMING-UNSIGNED");
    let mut rest = request.body.as_ref();
    let (mut body, mut previous) = (Vec::new(), signed.signature.clone());
    loop {
        let line = line(&mut rest).ok_or_else(incomplete)?;
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size = usize::from_str_radix(size, 16).map_err(|_| incomplete())?;
        let chunk = rest.get(..size).ok_or_else(incomplete)?;
        if is_signed {
            let given = extension.strip_prefix("chunk-signature=").unwrap_or("");
            previous = chunk_signature(signed, &previous, chunk);
            if given != previous {
                return Err(rules.refuse(Problem::ChunkSignature));
            }
        }
        if size == 0 {
            break;
        }
        body.extend_from_slice(chunk);
        rest = rest[size..].strip_prefix(b"\r\n").ok_or_else(incomplete)?;
    }
    let decoded = request.header("x-amz-decoded-content-length");
    if decoded.and_then(|length| length.parse().ok()) != Some(body.len()) {
        return Err(incomplete());
    }
    let trailers = trailers(rest, request, rules)?;
    Ok((body.into(), trailers))
}

fn chunk_signature(signed: &Signed, previous: &str, chunk: &[u8]) -> String {
    let to_sign = format!(
        "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
        signed.stamp,
        signed.scope,
        hex(&sha256(b"")),
        hex(&sha256(chunk))
    );
    hex(&hmac_sha256(&signed.signing_key, to_sign.as_bytes()))
}

/// What `x-amz-trailer` announces must come, and nothing else; its own signature is not looked at.
fn trailers(mut rest: &[u8], request: &Request, rules: &Rules) -> Result<Trailers, Refused> {
    let mut found = Vec::new();
    while let Some(line) = line(&mut rest).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name != "x-amz-trailer-signature" {
            found.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let announced = request.header("x-amz-trailer").unwrap_or_default();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    if names.join(",") == announced.to_ascii_lowercase() {
        Ok(found)
    } else {
        Err(rules.refuse(Problem::BodyIncomplete))
    }
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 2..];
    Some(line)
}
