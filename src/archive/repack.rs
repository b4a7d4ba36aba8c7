//! `Repacker`: packs the content of an entry again and compares it with how the archive has it.
//!
//! Deflate can say one content in many ways, so a changed byte need not change the content. What this
//! program packs the same way again was surely not changed; of anything else nothing follows, since
//! another version may have packed it.

use super::compress::{BLOCK_BYTES, Compressor, Position, dictionary_of};
use super::inspect::Inspector;
use super::record::{EntryRecord, Method, Sizes};
use crate::model::Compression;

/// Compares one entry: every byte of its extent in pieces of any length, then [`is_same`](Self::is_same).
#[derive(Debug)]
pub struct Repacker {
    method: Method,
    inspector: Inspector,
    header_left_bytes: usize,
    packed_left_bytes: u64,
    comparison: Comparison,
}

#[derive(Debug)]
struct Comparison {
    sizes: Sizes,
    compressors: Vec<Compressor>,
    /// Packed bytes that were not compared yet.
    packed: Vec<u8>,
    block: Vec<u8>,
    dictionary: Vec<u8>,
    is_same: bool,
}

impl Repacker {
    /// Begins with the entry of this record.
    pub fn new(record: EntryRecord) -> Self {
        let levels = [Compression::Normal, Compression::Fast, Compression::Small];
        let comparison = Comparison {
            sizes: record.sizes,
            compressors: levels.into_iter().map(Compressor::new).collect(),
            packed: Vec::new(),
            block: Vec::new(),
            dictionary: Vec::new(),
            is_same: true,
        };
        let mut inspector = Inspector::default();
        let (method, packed_left_bytes) = (record.method, record.compressed_bytes);
        let header_left_bytes = record.local_header().len();
        inspector.begin(record);
        Self {
            method,
            inspector,
            header_left_bytes,
            packed_left_bytes,
            comparison,
        }
    }

    /// Takes the next bytes of the extent.
    pub fn feed(&mut self, bytes: &[u8]) {
        let is_stored = self.method == Method::Stored;
        let (header, rest) = bytes.split_at(self.header_left_bytes.min(bytes.len()));
        self.header_left_bytes -= header.len();
        let left = usize::try_from(self.packed_left_bytes).unwrap_or(usize::MAX);
        let packed = &rest[..left.min(rest.len())];
        self.packed_left_bytes -= packed.len() as u64;
        let comparison = &mut self.comparison;
        if !is_stored && comparison.is_same {
            comparison.packed.extend_from_slice(packed);
        }
        self.inspector.feed(bytes, &mut |content| {
            if !is_stored {
                comparison.take(content);
            }
        });
    }

    /// Whether packing it again gives the very same bytes, and nothing else is wrong with it.
    pub fn is_same(mut self) -> bool {
        let is_flawless = self.inspector.end().flaw.is_none();
        is_flawless && (self.method == Method::Stored || self.comparison.ends_the_same())
    }
}

impl Comparison {
    fn take(&mut self, mut content: &[u8]) {
        while self.is_same && !content.is_empty() {
            // Only now is it known that more follows the block, and is all of it there.
            if self.block.len() == BLOCK_BYTES {
                self.compare(Position::Inner);
            }
            let room = content.len().min(BLOCK_BYTES - self.block.len());
            self.block.extend_from_slice(&content[..room]);
            content = &content[room..];
        }
    }

    fn ends_the_same(mut self) -> bool {
        if self.is_same {
            self.compare(Position::Last);
        }
        self.is_same && self.packed.is_empty()
    }

    /// Packs a block at every level; one of them must give what the archive has.
    fn compare(&mut self, position: Position) {
        let (block, dictionary) = (&self.block, &self.dictionary);
        let same = self.compressors.iter_mut().find_map(|compressor| {
            let again = match self.sizes {
                Sizes::Before => compressor.whole(block).bytes,
                Sizes::After | Sizes::After64 => {
                    compressor.block(block, dictionary, position).ok()?
                }
            };
            self.packed.starts_with(&again).then_some(again.len())
        });
        match same {
            Some(packed_bytes) => {
                self.packed.drain(..packed_bytes);
                dictionary_of(&self.block).clone_into(&mut self.dictionary);
                self.block.clear();
            }
            None => self.is_same = false,
        }
    }
}
