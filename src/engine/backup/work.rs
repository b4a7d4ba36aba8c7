//! What worker threads do: read small files and compress them as a whole, compress blocks of big ones.

use crate::archive::{Compressor, EntryMeta, Packed};
use crate::engine::backup::decide::{Decision, after_comparing};
use crate::engine::backup::index::IndexEntry;
use crate::engine::backup::read::{Content, RawBlock, SmallFile, Stillness, read_link, read_small};
use crate::engine::backup::scan::{FileIdentity, SourceEntry, missing};
use crate::model::{Compression, EntryKind, Skipped};
use crossbeam_channel::{Receiver, Sender};
use std::io;

/// Something of the walk, and what is to be done with it.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) source: SourceEntry,
    pub(super) decision: Decision,
}

/// What became of a [`Task`].
#[derive(Debug)]
pub(super) enum Outcome {
    /// The archive has it already.
    Kept(Box<IndexEntry>, Change),
    /// It is to be written.
    Packed(Box<PackedEntry>),
    Skipped(Skipped),
    /// It is what an interrupted run had begun, and was written before everything else.
    WrittenFirst,
    /// It has become too big to be read as a whole.
    Grown(Box<SourceEntry>),
}

/// Whether what the archive says of an entry has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Nothing; it had to be compared, and need not be next time.
    Compared(Counted),
    /// Its time or permissions.
    Metadata(Counted),
}

/// Whether the bytes that were read to compare a file are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Already,
    NotYet,
}

/// An entry whose bytes are ready.
#[derive(Debug)]
pub(super) struct PackedEntry {
    pub(super) meta: EntryMeta,
    pub(super) size_bytes: u64,
    pub(super) crc32: u32,
    pub(super) packed: Packed,
    pub(super) blake3: Option<[u8; 32]>,
    pub(super) identity: Option<FileIdentity>,
    pub(super) stillness: Stillness,
}

/// Work for one thread.
#[derive(Debug)]
pub(super) enum Job {
    Batch(Vec<Task>, Sender<Vec<Outcome>>),
    Block(RawBlock, Sender<io::Result<Vec<u8>>>),
}

/// Works until nobody sends jobs any more. That nobody waits for a result is no error: the backup
/// has ended early.
pub(super) fn work(jobs: &Receiver<Job>, level: Compression) {
    let mut compressor = Compressor::new(level);
    for job in jobs {
        match job {
            Job::Batch(tasks, reply) => {
                let outcomes = tasks
                    .into_iter()
                    .map(|task| outcome_of(task, &mut compressor))
                    .collect();
                reply.send(outcomes).ok();
            }
            Job::Block(raw, reply) => {
                let block = compressor.block(&raw.bytes, &raw.dictionary, raw.position);
                reply.send(block).ok();
            }
        }
    }
}

impl Task {
    /// The outcome where nothing needs to be read.
    pub(super) fn decided(self) -> Outcome {
        match self.decision {
            Decision::Keep(known) => Outcome::Kept(known, Change::Nothing),
            // Only of folders, of which nothing is counted.
            Decision::Touch(known) => Outcome::Kept(known, Change::Metadata(Counted::NotYet)),
            Decision::Compare(_) | Decision::New => Outcome::Grown(Box::new(self.source)),
        }
    }
}

/// Does one task.
fn outcome_of(task: Task, compressor: &mut Compressor) -> Outcome {
    match task.decision {
        Decision::Compare(known) => pack(task.source, Some(known), compressor),
        Decision::New => pack(task.source, None, compressor),
        Decision::Keep(_) | Decision::Touch(_) => task.decided(),
    }
}

fn pack(
    source: SourceEntry,
    known: Option<Box<IndexEntry>>,
    compressor: &mut Compressor,
) -> Outcome {
    let content = match read(&source) {
        Ok(SmallFile::Content(content)) => content,
        Ok(SmallFile::Grown) => return Outcome::Grown(Box::new(source)),
        Err(error) => {
            return Outcome::Skipped(missing(&source.name, &error));
        }
    };
    let has_content = source.kind != EntryKind::Directory;
    let blake3 = has_content.then(|| *blake3::hash(&content.bytes).as_bytes());
    let source = SourceEntry {
        state: content.state,
        ..source
    };
    if let Some(known) = known
        && content.stillness == Stillness::Still
        && known.blake3 == blake3
    {
        match after_comparing(known, &source, content.identity) {
            Decision::Keep(known) => {
                return Outcome::Kept(known, Change::Compared(Counted::NotYet));
            }
            Decision::Touch(known) => {
                return Outcome::Kept(known, Change::Metadata(Counted::NotYet));
            }
            Decision::Compare(_) | Decision::New => {}
        }
    }
    let packed = if source.kind == EntryKind::File {
        compressor.whole(&content.bytes)
    } else {
        Packed::as_it_is(&content.bytes)
    };
    Outcome::Packed(Box::new(PackedEntry {
        size_bytes: content.bytes.len() as u64,
        crc32: crc32fast::hash(&content.bytes),
        packed,
        blake3,
        identity: content.identity,
        stillness: content.stillness,
        meta: meta_of(&source),
    }))
}

fn read(source: &SourceEntry) -> io::Result<SmallFile> {
    let as_walked = |bytes| {
        SmallFile::Content(Content {
            bytes,
            state: source.state,
            stillness: Stillness::Still,
            identity: source.state.identity,
        })
    };
    match source.kind {
        EntryKind::Directory => Ok(as_walked(Vec::new())),
        EntryKind::Symlink => read_link(&source.path).map(as_walked),
        EntryKind::File => read_small(&source.path),
    }
}

/// What an archive's headers say of something that was found.
pub(super) fn meta_of(source: &SourceEntry) -> EntryMeta {
    let mut name = source.name.text.clone();
    if source.kind == EntryKind::Directory {
        name.push('/');
    }
    EntryMeta {
        name,
        raw_name: source.name.raw.clone(),
        kind: source.kind,
        modified_ns: source.state.modified_ns,
        mode: source.state.mode,
    }
}
