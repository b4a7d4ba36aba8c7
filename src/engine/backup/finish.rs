//! The end of an archive: the lists of what it holds, the manifest, the directory, the seal.

use crate::archive::{ArchiveWriter, Compressor, ContentWriter, EntryMeta, EntryRecord, Finished};
use crate::engine::backup::index::{Index, IndexEntry};
use crate::engine::backup::pack::{Packed, stopped};
use crate::engine::backup::parts::PartSink;
use crate::engine::error::EngineError;
use crate::engine::hex::to_hex;
use crate::engine::request::BackupRequest;
use crate::model::{
    Compression, Entry, EntryKind, FORMAT_MAJOR, FORMAT_MINOR, FormatVersion, MANIFEST_PATH,
    Manifest, OWN_PREFIX, Os, Root, Span,
};
use jiff::Timestamp;
use std::io::{self, BufWriter, Write};

/// What an archive is made of, once its last byte is written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) finished: Finished,
    /// The lists of entries, with the last generation that each describes.
    pub(super) lists: Vec<(EntryRecord, u32)>,
    pub(super) manifest: Manifest,
    /// Bytes before the directory that belong to entries in it.
    pub(super) live_bytes: u64,
}

/// What an archive says of itself besides its entries.
#[derive(Debug)]
pub(super) struct Title<'a> {
    pub(super) request: &'a BackupRequest,
    pub(super) created: Timestamp,
    pub(super) roots: Vec<Root>,
    pub(super) generation: u32,
    /// The list that is taken over from an earlier archive, with the last generation it describes.
    pub(super) first_list: Option<(EntryRecord, u32)>,
}

/// Later descriptions beside the first list, up to so many or a quarter of all; beyond that one new
/// list of everything is smaller for whoever reads the archive.
const MOST_DESCRIBED_LATER: u64 = 1_000;

/// Writes the end of an archive after all its entries.
pub(super) fn finish(packed: &mut Packed, title: Title<'_>) -> Result<Written, EngineError> {
    let Some(mut writer) = packed.writer.take() else {
        return Err(EngineError::Crashed(
            "there is nothing to finish".to_owned(),
        ));
    };
    let mut compressor = Compressor::new(Compression::Normal);
    writer.sink_mut().begin_tail();
    let lists = write_lists(&mut writer, &mut compressor, packed, &title)?;
    let spans = writer.sink_mut().take_spans();
    writer.begin_tail();
    let manifest = manifest_of(packed, title, &lists, spans);
    let meta = own_meta(MANIFEST_PATH, manifest.created);
    let mut content = ContentWriter::new(&mut writer, &mut compressor, meta, 0);
    let mut buffered = BufWriter::with_capacity(64 * 1024, &mut content);
    let written = serde_json::to_writer(&mut buffered, &manifest).map_err(io::Error::from);
    written.and_then(|()| buffered.flush()).map_err(stopped)?;
    drop(buffered);
    let own = content.finish().map_err(stopped)?;
    let own_bytes: u64 = lists
        .iter()
        .map(|(record, _)| record.extent_bytes())
        .sum::<u64>()
        + own.extent_bytes();
    let records = lists.iter().map(|(record, _)| record).chain([&own]);
    let finished = write_directory(writer, &packed.index, records)?;
    Ok(Written {
        finished,
        manifest,
        live_bytes: packed.tally.live_bytes + own_bytes,
        lists,
    })
}

fn own_meta(name: &str, created: Timestamp) -> EntryMeta {
    EntryMeta {
        name: name.to_owned(),
        raw_name: None,
        kind: EntryKind::File,
        modified_ns: created.as_second().saturating_mul(1_000_000_000),
        mode: 0o644,
    }
}

fn write_lists(
    writer: &mut ArchiveWriter<PartSink>,
    compressor: &mut Compressor,
    packed: &Packed,
    title: &Title<'_>,
) -> Result<Vec<(EntryRecord, u32)>, EngineError> {
    let later = packed.tally.described_later;
    let is_short = later <= MOST_DESCRIBED_LATER.max(packed.index.entries() / 4);
    let mut lists: Vec<_> = title
        .first_list
        .iter()
        .filter(|_| is_short)
        .cloned()
        .collect();
    let listed = lists.first().map(|(_, listed)| *listed);
    if listed.is_some() && later == 0 {
        return Ok(lists);
    }
    let taken = lists.first().map(|(record, _)| record.meta.name.as_str());
    let meta = own_meta(&list_name(title.created, taken), title.created);
    let guess_bytes = packed.index.entries().saturating_mul(1024);
    let mut content = ContentWriter::new(writer, compressor, meta, guess_bytes);
    for entry in packed.index.read().map_err(EngineError::OwnData)? {
        let entry = entry.map_err(EngineError::OwnData)?;
        if listed.is_none_or(|listed| entry.described > listed) {
            let mut line = serde_json::to_vec(&described(&entry))
                .map_err(|error| stopped(io::Error::from(error)))?;
            line.push(b'\n');
            content.write_all(&line).map_err(stopped)?;
        }
    }
    let record = content.finish().map_err(stopped)?;
    lists.push((record, title.generation));
    Ok(lists)
}

/// The name of a new list; another one than that of the list taken over, which a clock that was set back
/// can have made in the same second.
fn list_name(created: Timestamp, taken: Option<&str>) -> String {
    let stamp = created.strftime("%Y%m%dT%H%M%SZ");
    let name = format!("{OWN_PREFIX}entries-{stamp}.jsonl");
    if taken == Some(&name) {
        format!("{OWN_PREFIX}entries-{stamp}-2.jsonl")
    } else {
        name
    }
}

pub(super) fn described(entry: &IndexEntry) -> Entry {
    let meta = &entry.record.meta;
    Entry {
        path: meta.name.strip_suffix('/').unwrap_or(&meta.name).to_owned(),
        raw_path: meta.raw_name.as_deref().map(to_hex),
        kind: meta.kind,
        size_bytes: entry.record.size_bytes,
        modified_ns: meta.modified_ns,
        mode: Some(meta.mode),
        blake3: entry.blake3.as_ref().map(|hash| to_hex(hash)),
        header_offset: entry.record.header_offset,
    }
}

fn manifest_of(
    packed: &Packed,
    title: Title<'_>,
    lists: &[(EntryRecord, u32)],
    spans: Vec<Span>,
) -> Manifest {
    let names = lists.iter().map(|(record, _)| record.meta.name.clone());
    Manifest {
        format: FormatVersion {
            major: FORMAT_MAJOR,
            minor: FORMAT_MINOR,
        },
        program: concat!("zipkeep ", env!("CARGO_PKG_VERSION")).to_owned(),
        profile: title.request.profile.clone(),
        device: title.request.device.clone(),
        os: Os::current(),
        created: title.created,
        roots: title.roots,
        excludes: title.request.excludes.clone(),
        totals: packed.tally.totals,
        skipped: packed.tally.skipped.clone(),
        generation: title.generation,
        older_headers: title.generation == 0 && packed.tally.touched > 0,
        spans,
        entry_lists: names.collect(),
        entries: Vec::new(),
    }
}

fn write_directory<'a>(
    writer: ArchiveWriter<PartSink>,
    index: &Index,
    own: impl Iterator<Item = &'a EntryRecord>,
) -> Result<Finished, EngineError> {
    let mut directory = writer.directory();
    for entry in index.read().map_err(EngineError::OwnData)? {
        let entry = entry.map_err(EngineError::OwnData)?;
        directory.add(&entry.record).map_err(stopped)?;
    }
    for record in own {
        directory.add(record).map_err(stopped)?;
    }
    let (finished, sink) = directory.finish().map_err(stopped)?;
    sink.finish().map_err(stopped)?;
    Ok(finished)
}
