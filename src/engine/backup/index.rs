//! The index: what this computer knows of an archive it made, entry by entry, in the order of the walk.
//!
//! It decides what is unchanged without asking the destination. It lives in a file and is read as a
//! stream, so that a million entries need no memory. Losing it loses no data: the archive itself
//! says the same, only without what is true on this computer alone.

use crate::archive::{EntryRecord, walk_order};
use crate::engine::backup::prefix::Prefix;
use crate::engine::backup::scan::FileIdentity;
use crate::model::Manifest;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What is known of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IndexEntry {
    pub(super) record: EntryRecord,
    /// Of files and links.
    pub(super) blake3: Option<[u8; 32]>,
    /// `None` where the file must be compared before it counts as unchanged.
    pub(super) identity: Option<FileIdentity>,
    /// The generation whose list describes it as it is.
    pub(super) described: u32,
}

/// What is known of an archive as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IndexHead {
    pub(super) archive: ArchiveId,
    /// Where its central directory begins.
    pub(super) directory_offset: u64,
    /// Bytes before it that belong to entries in it.
    pub(super) live_bytes: u64,
    /// The lists of entries that its manifest names, with the last generation that each describes.
    pub(super) lists: Vec<(EntryRecord, u32)>,
    /// Without entries, as JSON.
    manifest: String,
}

/// Tells archives apart, also of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ArchiveId {
    /// [`Store::identity`](crate::storage::Store::identity) of where it is.
    pub(super) destination: String,
    pub(super) key: String,
    pub(super) size_bytes: u64,
    /// The object's tag, or where there is none the time when it was stored.
    pub(super) version: String,
}

impl IndexEntry {
    /// What the order of the walk compares.
    pub(super) fn order(&self) -> &[u8] {
        let meta = &self.record.meta;
        let text = meta.name.strip_suffix('/').unwrap_or(&meta.name);
        meta.raw_name.as_deref().unwrap_or(text.as_bytes())
    }
}

#[cfg(test)]
impl IndexEntry {
    /// An empty file, for tests.
    pub(super) fn of_empty_file(name: &str, header_offset: u64) -> Self {
        use crate::archive::{EntryMeta, Method, Sizes};
        Self {
            record: EntryRecord {
                meta: EntryMeta {
                    name: name.to_owned(),
                    raw_name: None,
                    kind: crate::model::EntryKind::File,
                    modified_ns: 1_700_000_000_000_000_000,
                    mode: 0o644,
                },
                sizes: Sizes::Before,
                size_bytes: 0,
                compressed_bytes: 0,
                method: Method::Stored,
                crc32: 0,
                header_offset,
            },
            blake3: None,
            identity: None,
            described: 0,
        }
    }
}

impl IndexHead {
    pub(super) fn new(
        archive: ArchiveId,
        (directory_offset, live_bytes): (u64, u64),
        lists: Vec<(EntryRecord, u32)>,
        manifest: &Manifest,
    ) -> io::Result<Self> {
        Ok(Self {
            archive,
            directory_offset,
            live_bytes,
            lists,
            manifest: serde_json::to_string(manifest)?,
        })
    }

    /// The archive's manifest, without entries.
    pub(super) fn manifest(&self) -> io::Result<Manifest> {
        Ok(serde_json::from_str(&self.manifest)?)
    }
}

/// An index on its way: entries are added in the order of the walk.
#[derive(Debug)]
pub(super) struct IndexWriter {
    file: BufWriter<NamedTempFile>,
    entries: u64,
}

/// An index whose entries are all there.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    entries: u64,
    /// Removed with the last reader, unless it is kept.
    temporary: Option<NamedTempFile>,
}

/// The entries of an index, one after the other.
#[derive(Debug)]
pub(super) struct IndexReader {
    file: BufReader<File>,
    left: u64,
    frame: Vec<u8>,
}

impl IndexWriter {
    /// Begins an index in a file of this folder.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = tempfile::Builder::new()
            .prefix(".index-")
            .tempfile_in(folder)?;
        Ok(Self {
            file: BufWriter::with_capacity(256 * 1024, file),
            entries: 0,
        })
    }

    /// Adds the next entry.
    pub(super) fn add(&mut self, entry: &IndexEntry) -> io::Result<()> {
        self.entries += 1;
        write_frame(&mut self.file, entry)
    }

    /// Ends it.
    pub(super) fn finish(self) -> io::Result<Index> {
        let file = self.file.into_inner().map_err(io::Error::from)?;
        Ok(Index {
            path: file.path().to_owned(),
            entries: self.entries,
            temporary: Some(file),
        })
    }
}

/// What ends the file of an index that is kept.
#[derive(Serialize, Deserialize)]
struct Footer {
    head: IndexHead,
    entries: u64,
    /// Of the entries and the head: an offset that is wrong by a bit would make a wrong archive.
    blake3: [u8; 32],
}

const MAGIC: &[u8; 8] = b"zkindex2";

impl Index {
    /// How many entries it has.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// Reads it from its beginning.
    pub(super) fn read(&self) -> io::Result<IndexReader> {
        Ok(IndexReader {
            file: BufReader::with_capacity(256 * 1024, File::open(&self.path)?),
            left: self.entries,
            frame: Vec::new(),
        })
    }

    /// Another handle; the file is there as long as the first one is.
    pub(super) fn again(&self) -> Self {
        Self {
            path: self.path.clone(),
            entries: self.entries,
            temporary: None,
        }
    }

    /// The same entries with what `other`, an index of the same names, says of this computer's files. Where
    /// the bytes stand is not taken from it: it may have been made for an archive that was not.
    pub(super) fn with_identities_of(&self, other: &Self, folder: &Path) -> io::Result<Self> {
        let mut writer = IndexWriter::create(folder)?;
        let mut others = other.read()?;
        for entry in self.read()? {
            let mut entry = entry?;
            let other = others.next().transpose()?;
            let Some(other) = other.filter(|other| other.order() == entry.order()) else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            entry.identity = other.identity;
            writer.add(&entry)?;
        }
        writer.finish()
    }

    /// Keeps it for later runs under this path, in place of an earlier one.
    pub(super) fn keep(self, head: &IndexHead, path: &Path) -> io::Result<()> {
        let Some(mut file) = self.temporary else {
            return Ok(());
        };
        let blake3 = hash_of(file.path(), u64::MAX, head, self.entries)?;
        let at = file.seek(SeekFrom::End(0))?;
        let footer = Footer {
            head: head.clone(),
            entries: self.entries,
            blake3,
        };
        write_frame(&mut file, &footer)?;
        file.write_all(&at.to_le_bytes())?;
        file.write_all(MAGIC)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Opens one that was kept; `None` where there is none or it is damaged.
    pub(super) fn open(path: &Path) -> Option<(Self, IndexHead)> {
        match Self::try_open(path) {
            Ok(opened) => Some(opened),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "what was known of the last backup cannot be read");
                }
                None
            }
        }
    }

    fn try_open(path: &Path) -> io::Result<(Self, IndexHead)> {
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        let mut file = File::open(path)?;
        let file_bytes = file.metadata()?.len();
        let end = file_bytes.checked_sub(16).ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(end))?;
        let mut last = [0; 16];
        file.read_exact(&mut last)?;
        let (at, magic) = last.split_at(8);
        let at = u64::from_le_bytes(at.try_into().map_err(|_| damaged())?);
        if magic != MAGIC || at > end {
            return Err(damaged());
        }
        file.seek(SeekFrom::Start(at))?;
        let mut frame = Vec::new();
        let footer: Footer =
            read_frame(&mut BufReader::new(file), &mut frame)?.ok_or_else(damaged)?;
        if hash_of(path, at, &footer.head, footer.entries)? != footer.blake3 {
            return Err(damaged());
        }
        let index = Self {
            path: path.to_owned(),
            entries: footer.entries,
            temporary: None,
        };
        Ok((index, footer.head))
    }
}

/// The hash of the first `bytes` of a file and of what stands in its footer.
fn hash_of(path: &Path, bytes: u64, head: &IndexHead, entries: u64) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?.take(bytes))?;
    hasher.update(&postcard::to_stdvec(&(head, entries)).map_err(io::Error::other)?);
    Ok(*hasher.finalize().as_bytes())
}

impl Iterator for IndexReader {
    type Item = io::Result<IndexEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match read_frame(&mut self.file, &mut self.frame) {
            Ok(Some(entry)) => Some(Ok(entry)),
            Ok(None) => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Several indexes read side by side in the order of the walk.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The first one that knows a name wins. With what became of the archive that it is of, where its
    /// entries do not stand where they stood.
    readers: Vec<(Peekable<IndexReader>, Option<Prefix>)>,
    passed_over: u64,
}

impl Known {
    pub(super) fn new(readers: Vec<(IndexReader, Option<Prefix>)>) -> Self {
        let peekable = |(reader, moved): (IndexReader, _)| (reader.peekable(), moved);
        Self {
            readers: readers.into_iter().map(peekable).collect(),
            passed_over: 0,
        }
    }

    /// What is known of this name. Names must come in the order of the walk.
    pub(super) fn find(&mut self, name: &[u8]) -> io::Result<Option<IndexEntry>> {
        let mut found = None;
        for (reader, moved) in &mut self.readers {
            loop {
                let order = match reader.peek() {
                    Some(Ok(entry)) => walk_order(entry.order(), name),
                    Some(Err(_)) => Ordering::Less,
                    None => break,
                };
                if order == Ordering::Greater {
                    break;
                }
                let Some(entry) = reader.next().transpose()? else {
                    break;
                };
                if order == Ordering::Equal {
                    if found.is_none() {
                        found = match moved {
                            Some(moved) => moved
                                .record(entry.record)
                                .map(|record| IndexEntry { record, ..entry }),
                            None => Some(entry),
                        };
                    }
                    break;
                }
                self.passed_over += 1;
            }
        }
        Ok(found)
    }

    /// How many entries were known that no name was asked for; call it at the end.
    pub(super) fn gone(mut self) -> u64 {
        let readers = self.readers.iter_mut();
        let rest = readers.map(|(reader, _)| reader.count() as u64);
        self.passed_over + rest.sum::<u64>()
    }
}

/// Appends a value with its length before it.
pub(super) fn write_frame<T: Serialize>(out: &mut impl Write, value: &T) -> io::Result<()> {
    let frame = postcard::to_stdvec(value).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&frame)
}

/// Reads the next value; `None` at the end. `frame` is kept for its memory.
pub(super) fn read_frame<T: serde::de::DeserializeOwned>(
    file: &mut impl Read,
    frame: &mut Vec<u8>,
) -> io::Result<Option<T>> {
    const MOST_BYTES: u32 = 256 * 1024 * 1024;
    let mut length = [0; 4];
    match file.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > MOST_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    frame.clear();
    let read = file.take(u64::from(length)).read_to_end(frame)?;
    if read as u64 != u64::from(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let value = postcard::from_bytes(frame).map_err(io::Error::other)?;
    Ok(Some(value))
}
