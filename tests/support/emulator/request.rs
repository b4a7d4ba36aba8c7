//! A request as it came, and what can be read from it.

use bytes::Bytes;
use std::collections::BTreeMap;

/// A request with its whole body.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without the port.
    pub(super) host: String,
    /// Decoded, with the slash that it begins with.
    pub(super) path: String,
    /// Decoded, in the order in which it came.
    pub(super) query: Vec<(String, String)>,
    /// By names in small letters; of one name, joined by commas.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
    /// The request has no length, and so no body was read.
    pub(super) has_no_length: bool,
}

impl Request {
    /// Reads target and headers; the target may be that of a proxy's request.
    pub(super) fn new(method: &str, target: &str, headers: BTreeMap<String, String>) -> Self {
        let target = target.split_once("://").map_or(target, |(_, rest)| {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        });
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let host = headers.get("host").map_or("", String::as_str);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, Plus::IsSpace), decoded(value, Plus::IsSpace))
        });
        Self {
            method: method.to_owned(),
            host: without_port(host).to_ascii_lowercase(),
            path: decoded(if path.is_empty() { "/" } else { path }, Plus::Stays),
            query: query.collect(),
            headers,
            ..Self::default()
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.query(name)?.parse().ok()
    }
}

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// What a plus sign stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plus {
    Stays,
    IsSpace,
}

/// Undoes percent-encoding.
pub(super) fn decoded(text: &str, plus: Plus) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| raw[at] == b'%');
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (raw[at], escaped) {
            (_, Some(byte)) => {
                bytes.push(byte);
                at += 2;
            }
            (b'+', _) if plus == Plus::IsSpace => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes everything but what a signature leaves as it is, and `kept`.
pub(super) fn encoded(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || (byte < 128 && kept.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
