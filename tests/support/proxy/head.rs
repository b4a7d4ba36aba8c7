//! Heads of HTTP/1.1 messages: what they say about themselves, and small changes to them.

use std::io;

/// A head longer than this is no S3 client's.
pub(super) const LONGEST_HEAD_BYTES: usize = 64 << 10;

/// The head of a request.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) method: String,
    /// Path and query as sent.
    pub(super) target: String,
    lines: Vec<(String, String)>,
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    lines: Vec<(String, String)>,
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunked,
    UntilClose,
}

impl RequestHead {
    pub(super) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let (first, lines) = split(bytes)?;
        let mut words = first.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(method), Some(target), Some(_)) => Ok(Self {
                method: method.to_owned(),
                target: target.to_owned(),
                lines,
            }),
            _ => Err(io::Error::other(format!("no request line: {first}"))),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.lines, name)
    }

    /// A value of the query, as sent.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(other, value)| (other == name).then_some(value))
    }

    pub(super) fn length(&self) -> Length {
        length(&self.lines).unwrap_or(Length::Bytes(0))
    }

    /// Number of the part that it is about.
    pub(super) fn part_number(&self) -> Option<u32> {
        self.query("partNumber")?.parse().ok()
    }

    /// Size of the part that is sent or copied, if it is about one. Parts whose length is not said
    /// before, and copies of whole objects, have none.
    pub(super) fn part_bytes(&self) -> Option<u64> {
        self.query("partNumber")?;
        if self.header("x-amz-copy-source").is_none() {
            return match self.length() {
                Length::Bytes(bytes) => Some(bytes),
                Length::Chunked | Length::UntilClose => None,
            };
        }
        let range = self.header("x-amz-copy-source-range")?;
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        Some(last.checked_sub(first)? + 1)
    }

    pub(super) fn expects_a_go_ahead(&self) -> bool {
        self.header("expect").is_some()
    }

    pub(super) fn ends_the_connection(&self) -> bool {
        says_close(&self.lines)
    }
}

impl AnswerHead {
    pub(super) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let (first, lines) = split(bytes)?;
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
        Ok(Self {
            status: status.ok_or_else(|| io::Error::other(format!("no status: {first}")))?,
            lines,
        })
    }

    pub(super) fn length(&self, method: &str) -> Length {
        if method == "HEAD" || matches!(self.status, 100..200 | 204 | 304) {
            Length::Bytes(0)
        } else {
            length(&self.lines).unwrap_or(Length::UntilClose)
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.lines, name)
    }

    pub(super) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }

    pub(super) fn ends_the_connection(&self) -> bool {
        says_close(&self.lines)
    }
}

/// The same head without the lines of these names.
pub(super) fn without(head: &[u8], names: &[&str]) -> Vec<u8> {
    changed(head, |name, line| {
        (!names.iter().any(|other| name.eq_ignore_ascii_case(other))).then(|| line.to_vec())
    })
}

/// The same head, each line of this name given to `change` with its name.
pub(super) fn with_changed(head: &[u8], name: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    changed(head, |other, line| {
        if other.eq_ignore_ascii_case(name) {
            let (name, value) = line.split_at(other.len());
            Some([name, &change(value)].concat())
        } else {
            Some(line.to_vec())
        }
    })
}

/// The same head with one more line.
pub(super) fn with(head: &[u8], line: &str) -> Vec<u8> {
    let body = head.strip_suffix(b"\r\n").unwrap_or(head);
    [body, line.as_bytes(), b"\r\n\r\n"].concat()
}

fn changed(head: &[u8], change: impl Fn(&str, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let lines = head.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
            change(str::from_utf8(&line[..colon]).unwrap_or_default(), line)
        })
        .flatten()
        .collect()
}

fn split(bytes: &[u8]) -> io::Result<(String, Vec<(String, String)>)> {
    // Header values may be any bytes; lossy is good enough to find those that matter here.
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    if !first.contains("HTTP/1.") {
        return Err(io::Error::other(format!("not HTTP/1: {first}")));
    }
    let pairs = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Ok((first, pairs.collect()))
}

fn header<'a>(lines: &'a [(String, String)], name: &str) -> Option<&'a str> {
    lines
        .iter()
        .find_map(|(other, value)| (other == name).then_some(value.as_str()))
}

fn length(lines: &[(String, String)]) -> Option<Length> {
    let coding = header(lines, "transfer-encoding");
    if coding.is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Some(Length::Chunked);
    }
    let bytes = header(lines, "content-length")?.parse().ok()?;
    Some(Length::Bytes(bytes))
}

fn says_close(lines: &[(String, String)]) -> bool {
    header(lines, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}
