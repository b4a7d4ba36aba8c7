//! The archive that a new one continues: the newest of this profile and device, and what is known of it.

use crate::archive::{EntryRecord, Seal, Tail, records, unpack, walk_order};
use crate::engine::backup::index::{ArchiveId, Index, IndexEntry, IndexHead, IndexWriter};
use crate::engine::backup::memory::Memory;
use crate::engine::error::EngineError;
use crate::engine::plan::from_hex;
use crate::engine::request::BackupRequest;
use crate::model::{
    BackupName, Entry, FORMAT_MAJOR, MANIFEST_PATH, Manifest, OWN_PREFIX, Os, recency,
};
use crate::storage::{Fault, ObjectInfo, StorageError, Store};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// An archive that can be continued.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) index: Arc<Index>,
    pub(super) head: IndexHead,
    pub(super) manifest: Manifest,
    /// The object's tag, where the store has them.
    pub(super) etag: Option<String>,
    /// Whether its index is in this computer's memory.
    pub(super) is_kept: bool,
}

/// The newest archive of this profile and device; `None` where there is none.
pub(super) fn newest<'a>(
    store: &Store,
    listed: &'a [ObjectInfo],
    request: &BackupRequest,
) -> Option<&'a ObjectInfo> {
    let created = |object: &ObjectInfo| {
        let name = object.key.rsplit('/').next()?;
        let parsed: BackupName = BackupName::parse(name)?;
        let same = BackupName::new(
            &request.profile,
            parsed.created,
            &request.device,
            Os::current(),
        );
        (store.key(&same.to_string()) == object.key).then_some(parsed.created)
    };
    let own = listed
        .iter()
        .filter_map(|object| Some((created(object)?, object)));
    let now = Timestamp::now();
    own.max_by_key(|(created, _)| recency(*created, now))
        .map(|(_, object)| object)
}

/// Tells this object from any other, also from a later one of the same key.
pub(super) fn id_of(store: &Store, object: &ObjectInfo) -> ArchiveId {
    ArchiveId {
        destination: store.identity(),
        key: object.key.clone(),
        size_bytes: object.size_bytes,
        version: object
            .etag
            .clone()
            .unwrap_or_else(|| object.stored.to_string()),
    }
}

/// What is known of `object`, from this computer's memory or else from the object itself. `None`, with
/// a note in the log, where it cannot be continued; an error only where that may pass by itself.
pub(super) async fn open(
    store: &Store,
    object: &ObjectInfo,
    memory: &Memory,
) -> Result<Option<Base>, EngineError> {
    let id = id_of(store, object);
    let path = memory.index();
    let kept = tokio::task::spawn_blocking(move || Index::open(&path)).await;
    if let Ok(Some((index, head))) = kept
        && head.archive == id
        && let Ok(manifest) = head.manifest()
    {
        return Ok(Some(Base {
            index: Arc::new(index),
            head,
            manifest,
            etag: object.etag.clone(),
            is_kept: true,
        }));
    }
    match recover(store, object, id, memory).await {
        Ok(base) => Ok(Some(base)),
        // Sending everything because of a moment's trouble would cost far more than trying again.
        Err(error) if error.may_pass() => Err(error),
        Err(error) => {
            tracing::warn!(%error, key = object.key, "the last backup cannot be continued");
            Ok(None)
        }
    }
}

/// Learns from the object itself what it holds. What is true on one computer alone is not in it, so
/// files will be compared by their content.
async fn recover(
    store: &Store,
    object: &ObjectInfo,
    id: ArchiveId,
    memory: &Memory,
) -> Result<Base, EngineError> {
    let end = Ending::fetch(store, object).await?;
    let mut lists = Vec::new();
    for name in &end.manifest.entry_lists {
        let record = end.own.iter().find(|record| record.meta.name == *name);
        let record = record.ok_or_else(damaged)?.clone();
        let extent = record.header_offset..record.header_offset + record.extent_bytes();
        let bytes = read(store, object, extent).await?;
        lists.push((record, bytes));
    }
    let folder = memory.scratch();
    let etag = object.etag.clone();
    let building = tokio::task::spawn_blocking(move || build(end, lists, id, &folder));
    let (index, head, manifest) = building
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))??;
    Ok(Base {
        index: Arc::new(index),
        head,
        manifest,
        etag,
        is_kept: false,
    })
}

fn damaged() -> EngineError {
    StorageError::new(Fault::Damaged).into()
}

/// The end of an archive of ours: directory and manifest, vouched for by its seal.
struct Ending {
    tail: Tail,
    directory: Vec<u8>,
    manifest: Manifest,
    /// Records of zipkeep's own entries.
    own: Vec<EntryRecord>,
}

impl Ending {
    async fn fetch(store: &Store, object: &ObjectInfo) -> Result<Self, EngineError> {
        const FIRST_BYTES: u64 = 1024 * 1024;
        let size_bytes = object.size_bytes;
        let last = read(
            store,
            object,
            size_bytes.saturating_sub(FIRST_BYTES)..size_bytes,
        )
        .await?;
        let tail = Tail::find(&last, size_bytes)?;
        let end = if tail.directory_offset >= size_bytes - last.len() as u64 {
            let from = tail.directory_offset - (size_bytes - last.len() as u64);
            last[usize::try_from(from).unwrap_or(usize::MAX)..].to_vec()
        } else {
            read(store, object, tail.directory_offset..size_bytes).await?
        };
        let directory_bytes = usize::try_from(tail.directory_bytes).unwrap_or(usize::MAX);
        let directory = end.get(..directory_bytes).ok_or_else(damaged)?;
        let mut own = Vec::new();
        for record in records(directory) {
            let record = record?;
            if record
                .name()
                .is_some_and(|name| name.starts_with(OWN_PREFIX))
            {
                own.push(record.parse(None).ok_or_else(damaged)?);
            }
        }
        let manifest_record = own.last().filter(|own| own.meta.name == MANIFEST_PATH);
        let manifest_record = manifest_record.ok_or_else(damaged)?;
        let manifest_offset = manifest_record.header_offset;
        let extent = read(store, object, manifest_offset..tail.directory_offset).await?;
        let seal = Seal::read(&end).ok_or_else(damaged)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&extent);
        hasher.update(&end[..end.len() - Seal::TEXT_BYTES]);
        if !seal.fits(&hasher) {
            return Err(damaged());
        }
        let manifest = unpack(manifest_record, &extent)?;
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .map_err(io::Error::from)
            .map_err(EngineError::OwnData)?;
        if manifest.format.major != FORMAT_MAJOR {
            return Err(damaged());
        }
        Ok(Self {
            directory: directory.to_vec(),
            tail,
            manifest,
            own,
        })
    }
}

/// Reads a range of any length, a few MiB at a time.
async fn read(
    store: &Store,
    object: &ObjectInfo,
    range: std::ops::Range<u64>,
) -> Result<Vec<u8>, EngineError> {
    const PIECE_BYTES: u64 = 8 * 1024 * 1024;
    let mut bytes = Vec::new();
    let mut from = range.start;
    while from < range.end {
        let to = range.end.min(from + PIECE_BYTES);
        let piece = store
            .read(&object.key, from..to, object.etag.as_deref())
            .await?;
        bytes.extend_from_slice(&piece);
        from = to;
    }
    Ok(bytes)
}

fn build(
    end: Ending,
    lists: Vec<(EntryRecord, Vec<u8>)>,
    id: ArchiveId,
    folder: &std::path::Path,
) -> Result<(Index, IndexHead, Manifest), EngineError> {
    let mut described: HashMap<String, (Entry, u32)> = HashMap::new();
    let mut listed = Vec::new();
    let last = lists.len().saturating_sub(1);
    for (at, (record, extent)) in lists.into_iter().enumerate() {
        // Only the first list is ever taken over, so all that matters is what it describes.
        let generation = if at == last && at > 0 {
            end.manifest.generation
        } else {
            0
        };
        let text = unpack(&record, &extent)?;
        for line in text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let entry: Entry = serde_json::from_slice(line)
                .map_err(io::Error::from)
                .map_err(EngineError::OwnData)?;
            described.insert(entry.path.clone(), (entry, generation));
        }
        listed.push((record, generation));
    }
    let mut entries = Vec::new();
    for record in records(&end.directory) {
        let record = record?;
        let name = record.name().ok_or_else(damaged)?;
        if name.starts_with(OWN_PREFIX) {
            continue;
        }
        let (entry, generation) = described
            .remove(name.strip_suffix('/').unwrap_or(name))
            .ok_or_else(damaged)?;
        entries.push(index_entry(record, &entry, generation).ok_or_else(damaged)?);
    }
    entries.sort_unstable_by(|a, b| walk_order(a.order(), b.order()));
    let mut writer = IndexWriter::create(folder).map_err(EngineError::OwnData)?;
    let own_bytes: u64 = end.own.iter().map(EntryRecord::extent_bytes).sum();
    let mut live_bytes = own_bytes;
    for entry in &entries {
        live_bytes += entry.record.extent_bytes();
        writer.add(entry).map_err(EngineError::OwnData)?;
    }
    let index = writer.finish().map_err(EngineError::OwnData)?;
    let sizes = (end.tail.directory_offset, live_bytes);
    let head = IndexHead::new(id, sizes, listed, &end.manifest).map_err(EngineError::OwnData)?;
    Ok((index, head, end.manifest))
}

fn index_entry(
    record: crate::archive::RawRecord<'_>,
    entry: &Entry,
    described: u32,
) -> Option<IndexEntry> {
    let parsed = record.parse(Some(entry.modified_ns))?;
    let is_same = (parsed.meta.kind, parsed.size_bytes, parsed.header_offset)
        == (entry.kind, entry.size_bytes, entry.header_offset);
    let blake3 = match &entry.blake3 {
        Some(hex) => Some(from_hex(hex)?.try_into().ok()?),
        None => None,
    };
    is_same.then_some(IndexEntry {
        record: parsed,
        blake3,
        identity: None,
        described,
    })
}
