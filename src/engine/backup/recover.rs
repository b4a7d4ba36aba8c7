//! Learns from an archive of ours what it holds, where this computer does not know it any more.
//!
//! What is long, the directory and the lists of entries, goes to scratch files and is never in memory.

use crate::archive::{
    ArchiveError, ContentReader, DirectoryReader, EntryRecord, Seal, Tail, parse_manifest,
};
use crate::engine::backup::index::{ArchiveId, Index, IndexHead};
use crate::engine::backup::rebuild::{Ending, List, damaged, rebuild};
use crate::engine::error::EngineError;
use crate::model::{FORMAT_MAJOR, MANIFEST_PATH, Manifest, OWN_PREFIX};
use crate::storage::{ObjectInfo, Store};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, Write as _};
use std::ops::Range;
use std::path::Path;

/// A manifest is refused beyond this: it holds no entries, only what was skipped and hashes.
const MOST_MANIFEST_BYTES: u64 = 256 * 1024 * 1024;

/// Learns from the object itself what it holds; `folder` is for scratch files. What is true on one
/// computer alone is not in it, so files will be compared by their content. Anything that is not as
/// this program writes it is an error.
pub(super) async fn recover(
    store: &Store,
    object: &ObjectInfo,
    id: ArchiveId,
    folder: &Path,
) -> Result<(Index, IndexHead, Manifest), EngineError> {
    let source = Source {
        store,
        object,
        folder,
    };
    let ending = source.ending().await?;
    let mut lists = Vec::new();
    for name in &ending.manifest.entry_lists {
        let record = ending.own.iter().find(|record| record.meta.name == *name);
        let record = record.ok_or_else(damaged)?.clone();
        let end = record.header_offset.checked_add(record.extent_bytes());
        let end = end.filter(|end| *end <= ending.tail.directory_offset);
        let extent = record.header_offset..end.ok_or_else(damaged)?;
        let extent = source.scratch(extent).await?;
        lists.push(List { record, extent });
    }
    let folder = folder.to_owned();
    blocking(move || rebuild(ending, lists, id, &folder)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let working = tokio::task::spawn_blocking(work);
    working
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}

/// Where an archive is read from.
struct Source<'a> {
    store: &'a Store,
    object: &'a ObjectInfo,
    folder: &'a Path,
}

impl Source<'_> {
    /// Reads the end, compared with its seal.
    async fn ending(&self) -> Result<Ending, EngineError> {
        // Enough for all of a small archive's end.
        const FIRST_BYTES: u64 = 1024 * 1024;
        let size_bytes = self.object.size_bytes;
        let last_offset = size_bytes.saturating_sub(FIRST_BYTES);
        let last = self.read(last_offset..size_bytes).await?;
        let tail = Tail::find(&last, size_bytes)?;
        let directory_end = tail.directory_offset + tail.directory_bytes;
        let from_end = |offset: u64| {
            let at = usize::try_from(offset.checked_sub(last_offset)?).ok()?;
            last.get(at..)
        };
        let rest = from_end(directory_end).ok_or_else(damaged)?.to_vec();
        let directory = match from_end(tail.directory_offset) {
            Some(end) => {
                let directory = end[..end.len() - rest.len()].to_vec();
                let folder = self.folder.to_owned();
                blocking(move || in_scratch(&folder, &directory)).await?
            }
            None => self.scratch(tail.directory_offset..directory_end).await?,
        };
        let (directory, own) = blocking(move || own_records(directory)).await?;
        let manifest_record = own.last().filter(|own| own.meta.name == MANIFEST_PATH);
        let manifest_record = manifest_record.ok_or_else(damaged)?.clone();
        let extent = manifest_record.header_offset..tail.directory_offset;
        let extent_bytes = extent.end.checked_sub(extent.start);
        let is_there = extent_bytes == Some(manifest_record.extent_bytes());
        let size_bytes = manifest_record.size_bytes;
        if !is_there || size_bytes.max(tail.directory_offset - extent.start) > MOST_MANIFEST_BYTES {
            return Err(damaged());
        }
        let extent = self.read(extent).await?;
        let (directory, manifest) = blocking(move || {
            let directory = check_seal(&extent, directory, &rest)?;
            Ok((directory, manifest_of(manifest_record, &extent)?))
        })
        .await?;
        Ok(Ending {
            tail,
            directory,
            own,
            manifest,
        })
    }

    /// Reads a short range.
    async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        for piece in pieces(range) {
            bytes.extend_from_slice(&self.piece(piece).await?);
        }
        Ok(bytes)
    }

    /// Copies a range of any length into a scratch file, and gives it at its beginning.
    async fn scratch(&self, range: Range<u64>) -> Result<File, EngineError> {
        let folder = self.folder.to_owned();
        let mut file = blocking(move || in_scratch(&folder, &[])).await?;
        for piece in pieces(range) {
            let bytes = self.piece(piece).await?;
            file = blocking(move || {
                file.write_all(&bytes).map_err(EngineError::OwnData)?;
                Ok(file)
            })
            .await?;
        }
        file.rewind().map_err(EngineError::OwnData)?;
        Ok(file)
    }

    async fn piece(&self, range: Range<u64>) -> Result<bytes::Bytes, EngineError> {
        let (key, etag) = (&self.object.key, self.object.etag.as_deref());
        Ok(self.store.read(key, range, etag).await?)
    }
}

/// A range in pieces of a few MiB, each for one request.
fn pieces(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    const PIECE_BYTES: u64 = 8 * 1024 * 1024;
    let mut from = range.start;
    std::iter::from_fn(move || {
        let to = range.end.min(from.saturating_add(PIECE_BYTES));
        (from < to).then(|| std::mem::replace(&mut from, to)..to)
    })
}

/// A scratch file of these bytes, at its beginning; it goes with its last user.
fn in_scratch(folder: &Path, bytes: &[u8]) -> Result<File, EngineError> {
    let write = || {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.rewind()?;
        Ok(file)
    };
    write().map_err(EngineError::OwnData)
}

/// The records of zipkeep's own entries; gives the directory back at its beginning.
fn own_records(mut directory: File) -> Result<(File, Vec<EntryRecord>), EngineError> {
    let mut own = Vec::new();
    let mut records = DirectoryReader::new(BufReader::new(&directory));
    while let Some(record) = records.read_next()? {
        let name = record.name();
        if name.is_some_and(|name| name.starts_with(OWN_PREFIX)) {
            own.push(record.parse(None).ok_or_else(damaged)?);
        }
    }
    drop(records);
    directory.rewind().map_err(EngineError::OwnData)?;
    Ok((directory, own))
}

/// Refuses an end that its seal does not vouch for; gives the directory back at its beginning. `rest`
/// is what follows it.
fn check_seal(manifest: &[u8], mut directory: File, rest: &[u8]) -> Result<File, EngineError> {
    let seal = Seal::read(rest).ok_or_else(damaged)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(manifest);
    let read = hasher.update_reader(&directory);
    read.map_err(EngineError::OwnData)?;
    hasher.update(&rest[..rest.len() - Seal::TEXT_BYTES]);
    if !seal.fits(&hasher) {
        return Err(damaged());
    }
    directory.rewind().map_err(EngineError::OwnData)?;
    Ok(directory)
}

fn manifest_of(record: EntryRecord, extent: &[u8]) -> Result<Manifest, EngineError> {
    let mut text = Vec::new();
    let read = ContentReader::new(record, extent).read_to_end(&mut text);
    read.map_err(ArchiveError::from)?;
    let manifest = parse_manifest(&text)?;
    if manifest.format.major != FORMAT_MAJOR {
        return Err(damaged());
    }
    Ok(manifest)
}
