//! `Manifest`: the JSON entry in every archive that says what the archive holds, with hashes.
//!
//! Fields that a later minor version adds are ignored by this one; a later major version is
//! refused by name, because it may mean other bytes.

use super::Os;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What begins the names of an archive's own entries, which belong to no folder that was backed up.
pub const OWN_PREFIX: &str = ".zipkeep/";
/// Where the manifest stands in an archive; always the last entry.
pub const MANIFEST_PATH: &str = ".zipkeep/manifest.json";
/// Major version of the archive format that this program writes and the highest it reads.
pub const FORMAT_MAJOR: u32 = 1;
/// Minor version of the archive format that this program writes.
pub const FORMAT_MINOR: u32 = 0;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the archive format.
    pub format: FormatVersion,
    /// Program and version that wrote it.
    pub program: String,
    /// Profile that made it.
    pub profile: String,
    /// Computer that made it.
    pub device: String,
    /// Operating system that made it.
    pub os: Os,
    /// When the backup began.
    pub created: Timestamp,
    /// The folders that were backed up.
    pub roots: Vec<Root>,
    /// Patterns of what was left out on purpose.
    #[serde(default)]
    pub excludes: Vec<String>,
    /// Sums over `entries`.
    pub totals: Totals,
    /// What should be here and is not; the archive is partial when any of it was unreadable.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// Backups since the last one that was sent in full, itself counted from 0.
    #[serde(default)]
    pub generation: u32,
    /// Whether local headers may have other times than directory and lists although the generation is
    /// 0: an interrupted run had sent them before the times changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older_headers: bool,
    /// Hashes of the archive's bytes before the manifest, so that a changed byte is found also where
    /// no entry's content tells; bytes between them belong to nothing that lives.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// The archive's own entries that hold [`Entry`] as JSON, one a line. What a later one says of a path
    /// wins; what the central directory does not have at that offset is of an earlier backup.
    pub entry_lists: Vec<String>,
    /// Everything in the archive but what is `zipkeep`'s own, read from the lists.
    #[serde(skip)]
    pub entries: Vec<Entry>,
}

/// A hash of some of an archive's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub bytes: u64,
    /// Their BLAKE3 in hexadecimal.
    pub blake3: String,
}

/// Version of the archive format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatVersion {
    /// A reader refuses a higher one.
    pub major: u32,
    /// A reader ignores what a higher one adds.
    pub minor: u32,
}

/// A folder that was backed up, and the label under which its entries stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// First component of its entries' paths.
    pub label: String,
    /// Absolute path on the computer that made the backup; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The path's true bytes in hexadecimal, where `path` had to replace some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_path: Option<String>,
}

/// Sums over an archive's entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Regular files.
    pub files: u64,
    /// Folders.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Bytes of regular files, before compression.
    pub bytes: u64,
}

/// Something under a root that is not in the archive as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Path as an entry would have it.
    pub path: String,
    /// The path's true bytes in hexadecimal, where `path` had to be escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_path: Option<String>,
    /// Why, in plain words.
    pub reason: String,
    /// What it means for the archive.
    pub gap: Gap,
}

/// What something that was skipped means for the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// Its data should be there and is not: the archive is partial.
    Missing,
    /// Its data is there as it was read, and it changed meanwhile.
    Changed,
    /// It holds no data to keep: a socket, a pipe or a device.
    Special,
    /// Something that a later version knows.
    #[serde(other)]
    Other,
}

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Path with `/`; a name that is not UTF-8 is escaped.
    pub path: String,
    /// The path's true bytes in hexadecimal, where `path` had to be escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_path: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes before compression; of a link, the length of its target.
    pub size_bytes: u64,
    /// Last change of the content, in nanoseconds since 1970 UTC.
    pub modified_ns: i64,
    /// Unix permission bits with setuid, setgid and sticky, where the system has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// BLAKE3 of the content in hexadecimal; of files and links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    /// Offset of its local file header; the rest of where its bytes are stands there and in the
    /// central directory.
    pub header_offset: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link; its content is the target.
    Symlink,
}

impl Manifest {
    /// How many files should be in the archive and are not.
    pub fn missing(&self) -> u64 {
        count_missing(&self.skipped)
    }
}

/// How many of these are missing from their archive.
pub fn count_missing(skipped: &[Skipped]) -> u64 {
    skipped.iter().filter(|s| s.gap == Gap::Missing).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored_and_missing_ones_have_defaults() {
        let text = r#"{
            "format": {"major": 1, "minor": 7, "note": "later"}, "program": "zipkeep 9", "profile": "p",
            "device": "d", "os": "linux", "created": "2026-11-22T00:00:00Z", "history": [1, 2],
            "roots": [{"label": "a", "path": "/a", "volume": "x"}],
            "totals": {"files": 1, "directories": 0, "symlinks": 0, "bytes": 3, "sparse": 1},
            "entry_lists": [".zipkeep/a.jsonl"]
        }"#;
        let manifest: Manifest = serde_json::from_str(text).expect("a later minor version reads");
        assert_eq!(manifest.entry_lists.len(), 1);
        assert_eq!(manifest.missing(), 0);
        let line = r#"{"path": "a/b", "kind": "file", "size_bytes": 3, "modified_ns": -5, "owner": "me", "header_offset": 0}"#;
        let entry: Entry = serde_json::from_str(line).expect("a later minor version reads");
        assert_eq!(entry.modified_ns, -5);
    }
}
