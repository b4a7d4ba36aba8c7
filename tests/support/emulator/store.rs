//! What an emulator keeps: buckets, objects, uploads and their parts, in memory.

use super::digest::{hex, md5};
use super::rules::{Etags, Rules};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Buckets by name.
pub(super) type Store = BTreeMap<String, Bucket>;

#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// Sorted by their UTF-8 bytes.
    pub(super) objects: BTreeMap<String, Object>,
    /// By key and id.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) modified: Timestamp,
    /// What the writer said of it, and every reader is told.
    pub(super) headers: Vec<(&'static str, String)>,
}

#[derive(Debug, Default)]
pub(super) struct Upload {
    pub(super) begun: Timestamp,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) parts: BTreeMap<u32, Part>,
}

#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) modified: Timestamp,
}

/// The version tag of these bytes.
pub(super) fn etag(bytes: &[u8], rules: &Rules) -> String {
    spelled(&md5(bytes), rules)
}

/// The version tag of an object of these parts.
pub(super) fn joined_etag(parts: &[Part], rules: &Rules) -> String {
    let all: Vec<u8> = parts
        .iter()
        .flat_map(|part| super::digest::from_hex(&part.etag).unwrap_or_default())
        .collect();
    format!("{}-{}", spelled(&md5(&all), rules), parts.len())
}

fn spelled(digest: &[u8], rules: &Rules) -> String {
    match rules.etags {
        Etags::Lower => hex(digest),
        Etags::Upper => hex(digest).to_ascii_uppercase(),
    }
}

/// As XML has times.
pub(super) fn time(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
