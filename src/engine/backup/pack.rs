//! From what the pipeline hands on to the bytes of an archive, in order, and to the index of it.
//!
//! A file that cannot be read, vanishes or changes on the way is noted and the rest goes on; only the
//! receiver of the bytes or the person can stop the whole.

use crate::archive::{ArchiveWriter, Block, Compressor, EntryRecord, OpenEntry};
use crate::engine::backup::index::{Index, IndexEntry, IndexWriter};
use crate::engine::backup::parts::{BegunBlock, OpenFile, PartSink};
use crate::engine::backup::pipeline::{Big, Item, PendingBlock};
use crate::engine::backup::read::{BigEnd, BigFile, Stillness};
use crate::engine::backup::scan::{FileIdentity, SourceEntry, missing};
use crate::engine::backup::work::{Change, Counted, Outcome, PackedEntry, meta_of};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::model::{Compression, EntryKind, Gap, Skipped, Totals};
use std::io;

/// What an archive will hold besides what is written here.
#[derive(Debug)]
pub(super) struct Packing<'a> {
    pub(super) writer: ArchiveWriter<PartSink>,
    pub(super) index: IndexWriter,
    pub(super) generation: u32,
    /// The last generation that the list taken over from an earlier archive describes.
    pub(super) listed: Option<u32>,
    pub(super) purpose: Purpose,
    pub(super) level: Compression,
    /// Of an interrupted run: the block that its last part has the beginning of.
    pub(super) begun: Option<BegunBlock>,
    pub(super) tally: Tally,
    pub(super) context: &'a Context,
    pub(super) meter: &'a Meter,
}

/// Why the pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To find out whether anything changed; the first change ends it.
    Compare,
    /// To make an archive.
    Archive,
}

/// Sums over what was packed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) totals: Totals,
    pub(super) skipped: Vec<Skipped>,
    /// Entries that are new or differ from what is known.
    pub(super) changes: u64,
    /// Entries of which only the time or permissions changed, so that their local headers have others.
    pub(super) touched: u64,
    /// Entries that had to be compared and are the same.
    pub(super) compared: u64,
    /// Bytes of the archive that belong to entries.
    pub(super) live_bytes: u64,
    /// What stands at the archive's beginning.
    pub(super) beginning: ArchiveBeginning,
    /// Entries that the archive's first list does not describe as they are.
    pub(super) described_later: u64,
}

/// What stands at an archive's beginning. Some programs look there first, and read an archive wrongly
/// that begins with a gap: 7-Zip then shows what is no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ArchiveBeginning {
    #[default]
    Gap,
    Entry,
}

/// What came of packing.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) index: Index,
    pub(super) tally: Tally,
    /// `None` where only changes were looked for.
    pub(super) writer: Option<ArchiveWriter<PartSink>>,
}

/// The bytes could not be handed on: whoever took them has the better reason.
pub(super) fn stopped(error: io::Error) -> EngineError {
    EngineError::Archive(error.into())
}

/// How taking an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    /// A change was found, and that was all there was to find out.
    Enough,
}

/// A big file that is being written.
struct OpenBig {
    source: SourceEntry,
    entry: OpenEntry,
    was_first: WasFirst,
}

/// Whether an entry was written before its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WasFirst {
    Yes,
    No,
}

impl Packing<'_> {
    /// Writes everything that comes.
    pub(super) fn run(
        mut self,
        items: &mut dyn Iterator<Item = Item>,
    ) -> Result<Packed, EngineError> {
        let mut state = Running {
            compressor: Compressor::new(self.level),
            open: None,
            written_first: None,
        };
        for item in items {
            self.context.check_cancelled()?;
            if self.take(item, &mut state)? == Step::Enough {
                break;
            }
        }
        Ok(Packed {
            index: self.index.finish().map_err(EngineError::OwnData)?,
            tally: self.tally,
            writer: (self.purpose == Purpose::Archive).then_some(self.writer),
        })
    }

    fn take(&mut self, item: Item, state: &mut Running) -> Result<Step, EngineError> {
        match item {
            Item::Batch(outcomes, _permit) => {
                let crashed = |_| EngineError::Crashed("a worker of the backup failed".to_owned());
                for outcome in outcomes.recv().map_err(crashed)? {
                    if self.take_outcome(outcome, state)? == Step::Enough {
                        return Ok(Step::Enough);
                    }
                }
                Ok(Step::Next)
            }
            Item::Big(big) => self.begin(*big, state),
            Item::Block(block) => self.block(&block, state).map(|()| Step::Next),
            Item::BigEnd(end) => self.end(end, state).map(|()| Step::Next),
            Item::BigAbandoned => {
                state.open = None;
                let sink = self.writer.sink_mut();
                sink.entry_abandoned().map_err(stopped)?;
                Ok(Step::Next)
            }
            Item::Failed(error) => Err(error),
        }
    }

    fn take_outcome(&mut self, outcome: Outcome, state: &mut Running) -> Result<Step, EngineError> {
        match outcome {
            Outcome::Kept(entry, change) => {
                let mut entry = *entry;
                let mut step = Step::Next;
                match change {
                    Change::Nothing => {}
                    Change::Compared(_) => self.tally.compared += 1,
                    Change::Metadata(_) => {
                        entry.described = self.generation;
                        self.tally.touched += 1;
                        step = self.changed()?;
                    }
                }
                if entry.record.meta.kind == EntryKind::File {
                    match change {
                        Change::Compared(Counted::Already) | Change::Metadata(Counted::Already) => {
                        }
                        Change::Compared(Counted::NotYet) | Change::Metadata(Counted::NotYet) => {
                            self.meter.add_read(entry.record.size_bytes);
                            self.meter.add_bytes(entry.record.size_bytes);
                        }
                        Change::Nothing => self.meter.add_bytes(entry.record.size_bytes),
                    }
                }
                self.known(&entry)?;
                Ok(step)
            }
            Outcome::Packed(packed) => {
                if self.changed()? == Step::Enough {
                    return Ok(Step::Enough);
                }
                self.add(*packed)?;
                Ok(Step::Next)
            }
            Outcome::Skipped(skipped) => {
                self.tally.skipped.push(skipped);
                Ok(Step::Next)
            }
            Outcome::WrittenFirst => {
                if let Some(entry) = state.written_first.take() {
                    self.known(&entry)?;
                }
                Ok(Step::Next)
            }
            Outcome::Grown(source) => self.add_grown(*source, state),
        }
    }

    /// Counts a change; the first one makes the destination ready.
    fn changed(&mut self) -> Result<Step, EngineError> {
        if self.purpose == Purpose::Compare {
            self.tally.changes += 1;
            return Ok(Step::Enough);
        }
        if self.tally.changes == 0 {
            self.writer.sink_mut().begin().map_err(stopped)?;
        }
        self.tally.changes += 1;
        Ok(Step::Next)
    }

    /// Takes an entry over into the index and the sums.
    fn known(&mut self, entry: &IndexEntry) -> Result<(), EngineError> {
        let totals = &mut self.tally.totals;
        match entry.record.meta.kind {
            EntryKind::File => {
                totals.files += 1;
                totals.bytes += entry.record.size_bytes;
                self.meter.add_file();
            }
            EntryKind::Directory => totals.directories += 1,
            EntryKind::Symlink => totals.symlinks += 1,
        }
        if entry.record.header_offset == 0 {
            self.tally.beginning = ArchiveBeginning::Entry;
        }
        self.tally.live_bytes += entry.record.extent_bytes();
        let is_described = self.listed.is_some_and(|listed| entry.described <= listed);
        self.tally.described_later += u64::from(!is_described);
        self.index.add(entry).map_err(EngineError::OwnData)
    }

    fn add(&mut self, packed: PackedEntry) -> Result<(), EngineError> {
        self.meter.working_on(&packed.meta.name);
        if packed.stillness == Stillness::Changed {
            self.note_change(&packed.meta.name);
        }
        if packed.meta.kind == EntryKind::File {
            self.meter.add_read(packed.size_bytes);
            self.meter.add_bytes(packed.size_bytes);
        }
        let (size_bytes, crc32) = (packed.size_bytes, packed.crc32);
        let record = self
            .writer
            .add(packed.meta, size_bytes, crc32, &packed.packed)
            .map_err(stopped)?;
        let entry = self.written(record, packed.blake3, packed.identity)?;
        self.known(&entry)
    }

    fn written(
        &mut self,
        record: EntryRecord,
        blake3: Option<[u8; 32]>,
        identity: Option<FileIdentity>,
    ) -> Result<IndexEntry, EngineError> {
        let entry = IndexEntry {
            record,
            blake3,
            identity,
            described: self.generation,
        };
        self.writer
            .sink_mut()
            .entry_ended(&entry)
            .map_err(stopped)?;
        Ok(entry)
    }

    fn note_change(&mut self, name: &str) {
        self.tally.skipped.push(Skipped {
            path: name.to_owned(),
            // The entry itself has it.
            raw_path: None,
            reason: "it changed while it was being read".to_owned(),
            gap: Gap::Changed,
        });
    }

    fn begin(&mut self, big: Big, state: &mut Running) -> Result<Step, EngineError> {
        if self.changed()? == Step::Enough {
            return Ok(Step::Enough);
        }
        self.meter.working_on(&big.source.name.text);
        let (entry, was_first) = if let Some(entry) = big.resumed {
            // Its bytes were counted while they were compared.
            (entry, WasFirst::Yes)
        } else {
            let size_bytes = big.source.state.size_bytes;
            let begun = self.writer.begin(meta_of(&big.source), size_bytes);
            (begun.map_err(stopped)?, WasFirst::No)
        };
        state.open = Some(OpenBig {
            source: big.source,
            entry,
            was_first,
        });
        Ok(Step::Next)
    }

    fn block(&mut self, block: &PendingBlock, state: &mut Running) -> Result<(), EngineError> {
        let crashed = |_| EngineError::Crashed("a worker of the backup failed".to_owned());
        let compressed = block.compressed.recv().map_err(crashed)?;
        let compressed = compressed.map_err(stopped)?;
        self.write_block(&compressed, block.block_bytes, block.crc32, state)
    }

    fn write_block(
        &mut self,
        compressed: &[u8],
        block_bytes: u64,
        crc32: u32,
        state: &mut Running,
    ) -> Result<(), EngineError> {
        let Some(open) = &mut state.open else {
            return Ok(());
        };
        let mut already_there = 0;
        if open.was_first == WasFirst::Yes
            && let Some(begun) = self.begun.take()
        {
            already_there = usize::try_from(begun.bytes).unwrap_or(usize::MAX);
            let begins = compressed.get(..already_there);
            if begins.is_none_or(|begins| *blake3::hash(begins).as_bytes() != begun.blake3) {
                // Compressed otherwise than the interrupted run did, for example by another level.
                state.open = None;
                return Err(EngineError::CannotGoOn);
            }
        }
        let written = self.writer.block(
            &mut open.entry,
            &Block {
                compressed,
                already_there,
                block_bytes,
                crc32,
            },
        );
        written.map_err(stopped)?;
        self.meter.add_read(block_bytes);
        self.meter.add_bytes(block_bytes);
        let ended = self.writer.sink_mut().block_ended(|| OpenFile {
            entry: open.entry.clone(),
            path: open.source.path.clone().into_os_string(),
            state: open.source.state,
            begun: None,
        });
        ended.map_err(stopped)
    }

    fn end(&mut self, end: BigEnd, state: &mut Running) -> Result<(), EngineError> {
        let Some(open) = state.open.take() else {
            return Ok(());
        };
        if end.stillness == Stillness::Changed {
            self.note_change(&open.source.name.text);
        }
        let mut already_there = 0;
        if open.was_first == WasFirst::Yes
            && let Some(begun) = self.begun.take()
        {
            // No block was left: its last part was cut in what follows the content, which is known.
            already_there = usize::try_from(begun.bytes).unwrap_or(usize::MAX);
        }
        let ended = self.writer.end_after(open.entry, already_there);
        let record = ended.map_err(stopped)?;
        let entry = self.written(record, Some(end.blake3), end.identity)?;
        match open.was_first {
            WasFirst::Yes => state.written_first = Some(entry),
            WasFirst::No => self.known(&entry)?,
        }
        Ok(())
    }

    /// A file that was small when the walk saw it: it is read and compressed here, which is slow and
    /// seldom.
    fn add_grown(&mut self, source: SourceEntry, state: &mut Running) -> Result<Step, EngineError> {
        let name = source.name.clone();
        let lost = |packing: &mut Self, error: &io::Error| {
            packing.tally.skipped.push(missing(&name, error));
        };
        let mut file = match BigFile::open(&source.path) {
            Ok(file) => file,
            Err(error) => {
                lost(self, &error);
                return Ok(Step::Next);
            }
        };
        let source = SourceEntry {
            state: file.state(),
            ..source
        };
        let big = Big {
            source,
            resumed: None,
        };
        if self.begin(big, state)? == Step::Enough {
            return Ok(Step::Enough);
        }
        loop {
            self.context.check_cancelled()?;
            match file.next_block() {
                Ok(Some(raw)) => {
                    let compressed = state
                        .compressor
                        .block(&raw.bytes, &raw.dictionary, raw.position)
                        .map_err(stopped)?;
                    let block_bytes = raw.bytes.len() as u64;
                    self.write_block(&compressed, block_bytes, raw.crc32, state)?;
                }
                Ok(None) => {
                    self.end(file.end(), state)?;
                    return Ok(Step::Next);
                }
                Err(error) => {
                    state.open = None;
                    let abandoned = self.writer.sink_mut().entry_abandoned();
                    abandoned.map_err(stopped)?;
                    lost(self, &error);
                    return Ok(Step::Next);
                }
            }
        }
    }
}

/// What packing holds between two items.
struct Running {
    compressor: Compressor,
    open: Option<OpenBig>,
    written_first: Option<IndexEntry>,
}
