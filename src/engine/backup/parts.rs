//! `PartSink`: collects an archive's bytes into parts and hands them over, waiting when nobody takes them.

use crate::archive::{BLOCK_BYTES, OpenEntry};
use crate::engine::backup::index::IndexEntry;
use crate::engine::backup::scan::FileState;
use crate::engine::meter::Meter;
use crate::model::Span;
use crate::storage::{PartLimits, PartPlace, PartShape, plan_parts};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What goes to the delivery.
#[derive(Debug)]
pub(super) enum Shipment {
    /// There will be an archive: what is to be copied can be copied meanwhile.
    Begin,
    Part(Part),
}

/// Some of an archive's bytes, and the state in which they end.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) place: PartPlace,
    pub(super) bytes: Bytes,
    pub(super) end: PartEnd,
}

/// In which state a part ends, so that a later run can go on after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PartEnd {
    Known(Box<KnownEnd>),
    /// Nobody can go on there.
    Nowhere,
}

/// The state in which a part ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownEnd {
    /// Of its bytes.
    pub(super) span_blake3: [u8; 32],
    /// Those that ended in it.
    pub(super) entries: Vec<IndexEntry>,
    /// The one that is open at its end.
    pub(super) open: Option<OpenFile>,
}

/// A big file that is half written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenFile {
    pub(super) entry: OpenEntry,
    /// As the system writes it: a path need not be UTF-8.
    pub(super) path: OsString,
    pub(super) state: FileState,
    /// Where a part was cut in the middle of a block: the beginning of the block that is in it.
    pub(super) begun: Option<BegunBlock>,
}

/// The beginning of a compressed block that is in an archive already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BegunBlock {
    pub(super) bytes: u64,
    pub(super) blake3: [u8; 32],
}

/// Where a sink begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning {
    /// Number of the first part.
    pub(super) number: u32,
    /// Where in the archive it stands.
    pub(super) offset: u64,
    /// Bytes that stand before everything that is written; they are elsewhere too and only fill the
    /// first part.
    pub(super) carried: Vec<u8>,
    /// Hashes of what is before.
    pub(super) spans: Vec<Span>,
}

/// Collects an archive's bytes into parts.
#[derive(Debug)]
pub(super) struct PartSink {
    shipments: mpsc::Sender<Shipment>,
    shape: PartShape,
    limits: PartLimits,
    /// Where in the archive it began.
    first_offset: u64,
    /// Of uniform parts; others grow with what is found.
    uniform_bytes: usize,
    meter: Arc<Meter>,
    place: PartPlace,
    buffer: Vec<u8>,
    state: SinkState,
    entries: Vec<IndexEntry>,
    open: Option<OpenFile>,
    /// Where in the buffer the last block ended.
    boundary: usize,
    spans: Vec<Span>,
    span_offset: u64,
    hasher: blake3::Hasher,
}

/// Whether what is written now may be gone on with later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SinkState {
    Entries,
    /// Lists, manifest and directory: they are made anew by a later run.
    Tail,
}

impl PartSink {
    pub(super) fn new(
        shipments: mpsc::Sender<Shipment>,
        (shape, limits): (PartShape, PartLimits),
        uniform_bytes: u64,
        beginning: Beginning,
        meter: &Arc<Meter>,
    ) -> Self {
        let span_offset = beginning.offset + beginning.carried.len() as u64;
        Self {
            shipments,
            shape,
            limits,
            first_offset: beginning.offset,
            uniform_bytes: usize::try_from(uniform_bytes).unwrap_or(usize::MAX),
            meter: Arc::clone(meter),
            place: PartPlace {
                number: beginning.number,
                offset: beginning.offset,
            },
            buffer: beginning.carried,
            state: SinkState::Entries,
            entries: Vec::new(),
            open: None,
            boundary: 0,
            spans: beginning.spans,
            span_offset,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Where in the archive the next byte stands.
    pub(super) fn offset(&self) -> u64 {
        self.place.offset + self.buffer.len() as u64
    }

    /// Says that there will be an archive.
    pub(super) fn begin(&self) -> io::Result<()> {
        self.ship(Shipment::Begin)
    }

    /// Hears that an entry ended here.
    pub(super) fn entry_ended(&mut self, entry: &IndexEntry) -> io::Result<()> {
        self.entries.push(entry.clone());
        self.open = None;
        self.cut_if_full()
    }

    /// Hears that a block of a big file ended here.
    pub(super) fn block_ended(&mut self, open: impl FnOnce() -> OpenFile) -> io::Result<()> {
        if self.is_full() || self.shape == PartShape::Uniform {
            self.open = Some(open());
            self.boundary = self.buffer.len();
        }
        self.cut_if_full()
    }

    /// Hears that a big file was given up: what was written of it belongs to nothing.
    pub(super) fn entry_abandoned(&mut self) -> io::Result<()> {
        self.open = None;
        self.cut_if_full()
    }

    /// Hears that no more entries of the person's files follow.
    pub(super) fn begin_tail(&mut self) {
        self.state = SinkState::Tail;
    }

    /// Ends the hashes of what is before the manifest, and gives them all.
    pub(super) fn take_spans(&mut self) -> Vec<Span> {
        self.end_span();
        std::mem::take(&mut self.spans)
    }

    /// Hands the last part over, which may be of any size.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.hand_over()
    }

    fn part_bytes(&self) -> usize {
        if self.shape == PartShape::Uniform {
            return self.uniform_bytes;
        }
        let (found_bytes, is_all) = self.meter.found_bytes();
        let sent_bytes = self.place.offset - self.first_offset;
        let left_bytes = if is_all {
            found_bytes.saturating_sub(sent_bytes)
        } else {
            // Not known yet: parts grow slowly, so that their number lasts for what may come.
            sent_bytes.saturating_mul(3)
        };
        let planned = self.limits.planned_parts();
        let left_parts = planned.saturating_sub(self.place.number.saturating_sub(1));
        let part_bytes = if left_parts > 0 {
            plan_parts(left_bytes, left_parts, self.limits)
        } else {
            // In the room for what nobody foresaw.
            let rest = self.limits.most_parts.saturating_sub(self.place.number);
            plan_parts(left_bytes, rest, self.limits)
        };
        usize::try_from(part_bytes).unwrap_or(usize::MAX)
    }

    fn is_full(&self) -> bool {
        self.shape == PartShape::AtBoundaries && self.buffer.len() >= self.part_bytes()
    }

    fn cut_if_full(&mut self) -> io::Result<()> {
        if self.is_full() {
            self.hand_over()?;
        }
        Ok(())
    }

    fn end_span(&mut self) -> [u8; 32] {
        let end = self.place.offset + self.buffer.len() as u64;
        let hash = self.hasher.finalize();
        self.hasher.reset();
        if end > self.span_offset {
            self.spans.push(Span {
                offset: self.span_offset,
                bytes: end - self.span_offset,
                blake3: hash.to_hex().to_string(),
            });
        }
        self.span_offset = end;
        *hash.as_bytes()
    }

    /// The file that is open where the part is cut. Uniform parts are cut in the middle of a block.
    fn open_at_cut(&mut self) -> Option<OpenFile> {
        let mut open = self.open.clone()?;
        if self.shape == PartShape::AtBoundaries {
            self.open = None;
        } else if self.boundary < self.buffer.len() {
            let begun = &self.buffer[self.boundary..];
            open.begun = Some(BegunBlock {
                bytes: begun.len() as u64,
                blake3: *blake3::hash(begun).as_bytes(),
            });
            // A block that spans two parts: the next cut would have to know both, so nobody goes on
            // with this file after it until the next block has ended.
            self.open = None;
        }
        self.boundary = 0;
        Some(open)
    }

    /// Waits until the part is taken. Only for threads that may block.
    fn hand_over(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        let end = match self.state {
            SinkState::Tail => PartEnd::Nowhere,
            SinkState::Entries => PartEnd::Known(Box::new(KnownEnd {
                span_blake3: self.end_span(),
                entries,
                open: self.open_at_cut(),
            })),
        };
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        let place = self.place;
        self.place = PartPlace {
            number: place.number + 1,
            offset: place.offset + bytes.len() as u64,
        };
        self.ship(Shipment::Part(Part { place, bytes, end }))
    }

    fn ship(&self, shipment: Shipment) -> io::Result<()> {
        self.shipments
            .blocking_send(shipment)
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the upload has ended"))
    }

    fn make_room(&mut self, bytes: usize) {
        let part_bytes = self.part_bytes();
        if self.buffer.capacity() == 0 {
            // A part ends little after its size: at most one block later. Small archives never
            // fill a part, so the buffer grows by itself until it is half full.
            self.buffer.reserve(bytes.max(64 * 1024));
        } else if self.buffer.len() + bytes > self.buffer.capacity()
            && self.buffer.len() >= part_bytes / 4
        {
            let room = part_bytes + BLOCK_BYTES + BLOCK_BYTES / 8;
            self.buffer
                .reserve_exact(room.saturating_sub(self.buffer.len()).max(bytes));
        }
    }
}

impl Write for PartSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_cut_anywhere = self.shape == PartShape::Uniform || self.state == SinkState::Tail;
        let take = if is_cut_anywhere {
            if self.buffer.len() >= self.part_bytes() {
                self.hand_over()?;
            }
            let room = self.part_bytes().saturating_sub(self.buffer.len());
            bytes.len().min(room)
        } else {
            bytes.len()
        };
        self.make_room(take);
        self.buffer.extend_from_slice(&bytes[..take]);
        self.hasher.update(&bytes[..take]);
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
