//! Answers that the proxy makes itself or changes.

use super::fault::Fault;
use super::head::{self, AnswerHead};
use std::io;

/// The whole answer of a fault that never reaches the server; `None` for the others.
pub(super) fn made(fault: Fault, method: &str) -> Option<(u16, Vec<u8>)> {
    let (status, reason, code, message) = match fault {
        Fault::SlowDown => (
            503,
            "Service Unavailable",
            "SlowDown",
            "Please reduce your request rate.",
        ),
        Fault::InternalError => (
            500,
            "Internal Server Error",
            "InternalError",
            INTERNAL_ERROR,
        ),
        Fault::ErrorInside200 => (200, "OK", "InternalError", INTERNAL_ERROR),
        Fault::AccessDenied => (403, "Forbidden", "AccessDenied", "Access Denied"),
        Fault::ClockSkewed => (
            403,
            "Forbidden",
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        Fault::NoSuchUpload => (
            404,
            "Not Found",
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may \
             have been aborted or completed.",
        ),
        _ => return None,
    };
    Some((status, error((status, reason), code, message, method)))
}

/// What Cloudflare R2 says to parts that are not of one size.
pub(super) fn unequal_parts() -> (u16, Vec<u8>) {
    let message = "All non-trailing parts must have the same length.";
    let answer = error((400, "Bad Request"), "InvalidPart", message, "POST");
    (400, answer)
}

fn error((status, reason): (u16, &str), code: &str, message: &str, method: &str) -> Vec<u8> {
    // S3 keeps a long step's connection alive with blanks before it knows how the step ends.
    let blanks = if status == 200 { "\n   \n   " } else { "\n" };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>{blanks}<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>TESTPROXY</RequestId></Error>"
    );
    let length = if method == "HEAD" { 0 } else { body.len() };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\
         Server: test-proxy\r\n\r\n"
    );
    [head.as_bytes(), &body.as_bytes()[..length]].concat()
}

const INTERNAL_ERROR: &str = "We encountered an internal error. Please try again.";

/// The head with its `ETag` gone or replaced.
pub(super) fn head_with_etag(fault: Fault, answer_head: &[u8]) -> Vec<u8> {
    match fault {
        Fault::MissingEtag => head::without(answer_head, &["etag"]),
        _ => head::with_changed(answer_head, "etag", other_etag),
    }
}

/// The head for a body of this length.
pub(super) fn head_with_length(answer_head: &[u8], length: usize) -> Vec<u8> {
    let bare = head::without(answer_head, &["content-length", "transfer-encoding"]);
    head::with(&bare, &format!("Content-Length: {length}"))
}

/// The answer to a request without a range, made of the answer to the same with one: head and all of
/// the object. What the server did not send of it is blanks. `None` where the server gave no part.
pub(super) fn whole_instead_of_part(
    answer_head: &[u8],
    part: &[u8],
) -> io::Result<Option<Vec<u8>>> {
    let parsed = AnswerHead::parse(answer_head)?;
    let place = parsed.header("content-range").and_then(|value| {
        let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
        let from: usize = range.split_once('-')?.0.parse().ok()?;
        Some((from, size.parse::<usize>().ok()?))
    });
    let Some((from, size)) = place else {
        return Ok(None);
    };
    let mut whole = vec![b' '; size];
    whole[from..from + part.len()].copy_from_slice(part);
    let bare = head::without(answer_head, &["content-range"]);
    let line_bytes = bare.iter().position(|byte| *byte == b'\r').unwrap_or(0);
    let head = [b"HTTP/1.1 200 OK", &bare[line_bytes..]].concat();
    Ok(Some([head_with_length(&head, size), whole].concat()))
}

/// The XML with its `ETag` elements gone or replaced.
pub(super) fn xml_with_etag(fault: Fault, xml: &[u8]) -> Vec<u8> {
    const BEGIN: &str = "<ETag>";
    const END: &str = "</ETag>";
    let text = String::from_utf8_lossy(xml);
    let mut rest = text.as_ref();
    let mut changed = String::new();
    while let Some((before, behind)) = rest.split_once(BEGIN) {
        let Some((value, after)) = behind.split_once(END) else {
            break;
        };
        changed.push_str(before);
        if fault != Fault::MissingEtag {
            let other = other_etag(value.as_bytes());
            changed.push_str(BEGIN);
            changed.push_str(&String::from_utf8_lossy(&other));
            changed.push_str(END);
        }
        rest = after;
    }
    changed.push_str(rest);
    changed.into_bytes()
}

/// Another value of the same length and shape: each hexadecimal digit becomes the next one of its
/// kind. The quotes, which XML may write as `&#34;`, stay.
fn other_etag(value: &[u8]) -> Vec<u8> {
    let mut is_entity = false;
    let change = |byte: &u8| {
        match byte {
            b'&' => is_entity = true,
            b';' => is_entity = false,
            _ => {}
        }
        match byte {
            _ if is_entity => *byte,
            b'9' => b'0',
            b'f' => b'a',
            b'F' => b'A',
            b'0'..=b'8' | b'a'..=b'e' | b'A'..=b'E' => byte + 1,
            _ => *byte,
        }
    };
    value.iter().map(change).collect()
}
