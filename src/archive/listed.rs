//! `ListedEntry`: what an archive says of one entry, in its directory and in its manifest. Plain data.

use super::record::Method;
use super::unpacked::PackedContent;
use super::unreadable::Unreadable;
use crate::model::{Entry, EntryKind};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;

/// What an archive says of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedEntry {
    /// Position in the directory; what [`ArchiveReader::content`](super::ArchiveReader::content) takes.
    pub index: usize,
    /// Name as it stands there; of a folder usually with a `/` at the end.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes before compression, by its own account.
    pub size_bytes: u64,
    /// Bytes after compression.
    pub compressed_bytes: u64,
    /// How it is compressed, where it is in one of the ways of our archives.
    pub method: Option<Method>,
    /// Last change in nanoseconds since 1970 UTC, where the entry says it.
    pub modified_ns: Option<i64>,
    /// Permission bits, where the entry says them.
    pub mode: Option<u32>,
    /// CRC-32 of the content, by its own account.
    pub crc32: u32,
    /// Where its local header is.
    pub header_offset: u64,
    /// Bytes of the archive from its local header on that have all of it; `None` where they would
    /// reach into another entry, which only an archive that means harm has.
    pub extent: Option<Range<u64>>,
    /// Why its content cannot be read, where that is known beforehand.
    pub unreadable: Option<Unreadable>,
    /// What the manifest says of it.
    pub described: Described,
}

/// What a manifest says of an entry of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Described {
    /// There is no manifest, or nobody has looked.
    Nowhere,
    /// Nothing.
    NotInManifest,
    /// Something that cannot be true, and what.
    Wrongly(String),
    /// This.
    InManifest(Description),
}

/// What a manifest says of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// What it is.
    pub kind: EntryKind,
    /// Bytes before compression.
    pub size_bytes: u64,
    /// Last change of the content, in nanoseconds since 1970 UTC.
    pub modified_ns: i64,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: Option<u32>,
    /// BLAKE3 of the content.
    pub blake3: Option<[u8; blake3::OUT_LEN]>,
    /// The name's true bytes in hexadecimal, where the name had to be escaped.
    pub raw_path: Option<String>,
}

impl ListedEntry {
    /// Its name, that of a folder without the `/`.
    pub fn path(&self) -> &str {
        self.name.strip_suffix('/').unwrap_or(&self.name)
    }

    /// What the manifest says of it, where that can be true.
    pub const fn description(&self) -> Option<&Description> {
        match &self.described {
            Described::InManifest(description) => Some(description),
            Described::Nowhere | Described::NotInManifest | Described::Wrongly(_) => None,
        }
    }

    /// Where its content stands and how, if it is in a way of our archives.
    pub fn packed(&self) -> Option<PackedContent> {
        Some(PackedContent {
            header_offset: self.header_offset,
            method: self.method?,
            compressed_bytes: self.compressed_bytes,
            crc32: self.crc32,
        })
    }
}

impl Described {
    fn by(entry: Entry) -> Self {
        let hash = entry.blake3.as_deref().map(blake3::Hash::from_hex);
        match hash.transpose() {
            Err(_) => Self::Wrongly("its hash in the manifest is damaged".to_owned()),
            Ok(hash) => Self::InManifest(Description {
                kind: entry.kind,
                size_bytes: entry.size_bytes,
                modified_ns: entry.modified_ns,
                mode: entry.mode,
                blake3: hash.map(Into::into),
                raw_path: entry.raw_path,
            }),
        }
    }
}

/// Adds to what a directory says what a manifest does.
pub(super) fn describe(listed: &mut [ListedEntry], described: Vec<Entry>) {
    let mut described: HashMap<String, Entry> = described
        .into_iter()
        .map(|mut entry| (std::mem::take(&mut entry.path), entry))
        .collect();
    for listed in listed {
        listed.described = described
            .remove(listed.path())
            .map_or(Described::NotInManifest, Described::by);
    }
}
