//! HTTP/1.1 as bytes: requests in, answers out.

use super::answer::Answer;
use super::request::Request;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};

/// A longer head is none that a client of S3 sends.
const LONGEST_HEAD_BYTES: usize = 64 << 10;

/// What a connection asked for.
pub(super) enum Asked {
    Request(Box<Request>),
    /// To be connected through to this host, as a proxy does.
    Tunnel(String),
    /// The client is gone.
    Nothing,
}

/// Reads one request with its body.
pub(super) fn read<S: Read + Write>(stream: &mut BufReader<S>) -> io::Result<Asked> {
    let mut first = String::new();
    if stream.read_line(&mut first)? == 0 {
        return Ok(Asked::Nothing);
    }
    let mut words = first.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::Error::other("no request line"));
    };
    let headers = headers(stream)?;
    if method == "CONNECT" {
        return Ok(Asked::Tunnel(target.to_owned()));
    }
    let mut request = Request::new(method, target, headers);
    if request.header("expect").is_some() {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    let length = request.header("content-length").map(str::to_owned);
    if let Some(length) = length {
        let length = length.parse().map_err(io::Error::other)?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        request.body = body.into();
    } else {
        let is_chunked = request.header("transfer-encoding").is_some();
        request.has_no_length = is_chunked || matches!(method, "PUT" | "POST");
    }
    Ok(Asked::Request(Box::new(request)))
}

fn headers<S: Read>(stream: &mut BufReader<S>) -> io::Result<BTreeMap<String, String>> {
    let (mut headers, mut head_bytes) = (BTreeMap::<String, String>::new(), 0);
    loop {
        let mut line = Vec::new();
        head_bytes += stream.read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() || head_bytes > LONGEST_HEAD_BYTES {
            return Ok(headers);
        }
        if let Some((name, value)) = line.split_once(':') {
            let known = headers.entry(name.to_ascii_lowercase()).or_default();
            let separator = if known.is_empty() { "" } else { "," };
            known.push_str(&format!("{separator}{}", value.trim()));
        }
    }
}

/// Writes an answer; to a HEAD only its head.
pub(super) fn write(stream: &mut impl Write, answer: &Answer, method: &str) -> io::Result<()> {
    let has_body = !matches!(answer.status, 204 | 304);
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if has_body {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if has_body && method != "HEAD" {
        stream.write_all(&answer.body)?;
    }
    stream.flush()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Answer",
    }
}
