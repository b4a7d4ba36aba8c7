//! `ContentWriter`: an entry whose content comes as a stream of bytes, compressed on this thread.
//!
//! For what zipkeep writes for itself; the person's files are compressed on many threads.

use super::compress::{BLOCK_BYTES, Compressor, Position, dictionary_of};
use super::record::{EntryMeta, EntryRecord};
use super::writer::{ArchiveWriter, Block, OpenEntry};
use std::io::{self, Write};

/// The content of one entry on its way into an archive. It must be finished, or no directory should
/// name the entry.
#[derive(Debug)]
pub struct ContentWriter<'a, W> {
    writer: &'a mut ArchiveWriter<W>,
    compressor: &'a mut Compressor,
    meta: EntryMeta,
    size_limit_bytes: u64,
    open: Option<OpenEntry>,
    block: Vec<u8>,
    dictionary: Vec<u8>,
    crc32: crc32fast::Hasher,
}

impl<'a, W: Write> ContentWriter<'a, W> {
    /// Begins an entry of at most `size_limit_bytes`, which may be a guess below 3.75 GiB.
    pub fn new(
        writer: &'a mut ArchiveWriter<W>,
        compressor: &'a mut Compressor,
        meta: EntryMeta,
        size_limit_bytes: u64,
    ) -> Self {
        Self {
            writer,
            compressor,
            meta,
            size_limit_bytes,
            open: None,
            block: Vec::new(),
            dictionary: Vec::new(),
            crc32: crc32fast::Hasher::new(),
        }
    }

    /// Ends the entry.
    pub fn finish(mut self) -> io::Result<EntryRecord> {
        if self.open.is_some() {
            self.send_block(Position::Last)?;
        }
        if let Some(open) = self.open {
            return self.writer.end(open);
        }
        let crc32 = crc32fast::hash(&self.block);
        let packed = self.compressor.whole(&self.block);
        self.writer
            .add(self.meta, self.block.len() as u64, crc32, &packed)
    }

    fn send_block(&mut self, position: Position) -> io::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let begun = self
                    .writer
                    .begin(self.meta.clone(), self.size_limit_bytes)?;
                none.insert(begun)
            }
        };
        let compressed = self
            .compressor
            .block(&self.block, &self.dictionary, position)?;
        self.crc32.update(&self.block);
        let crc32 = self.crc32.clone().finalize();
        let block = Block {
            compressed: &compressed,
            already_there: 0,
            block_bytes: self.block.len() as u64,
            crc32,
        };
        self.writer.block(open, &block)?;
        dictionary_of(&self.block).clone_into(&mut self.dictionary);
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for ContentWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK_BYTES {
            self.send_block(Position::Inner)?;
        }
        let take = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..take]);
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
