//! `PartSink`: collects an archive's bytes into parts and hands them over, waiting when nobody takes them.

use crate::archive::{ArchiveSink, BLOCK_BYTES, Boundary};
use crate::storage::PartShape;
use bytes::Bytes;
use std::io;
use tokio::sync::mpsc;

/// Collects an archive's bytes into parts.
#[derive(Debug)]
pub(super) struct PartSink {
    parts: mpsc::Sender<Bytes>,
    shape: PartShape,
    part_bytes: usize,
    buffer: Vec<u8>,
}

impl PartSink {
    pub(super) fn new(parts: mpsc::Sender<Bytes>, shape: PartShape, part_bytes: u64) -> Self {
        Self {
            parts,
            shape,
            part_bytes: usize::try_from(part_bytes).unwrap_or(usize::MAX),
            buffer: Vec::new(),
        }
    }

    /// Hands the last part over, which may be of any size.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.hand_over()
    }

    /// Waits until the part is taken. Only for threads that may block.
    fn hand_over(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let part = std::mem::take(&mut self.buffer);
        self.parts
            .blocking_send(Bytes::from(part))
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the upload has ended"))
    }

    fn make_room(&mut self, bytes: usize) {
        if self.buffer.capacity() == 0 {
            // A part ends little after its size: at most one block later. Small archives never
            // fill a part, so the buffer grows by itself until it is half full.
            self.buffer.reserve(bytes.max(64 * 1024));
        } else if self.buffer.len() + bytes > self.buffer.capacity()
            && self.buffer.len() >= self.part_bytes / 4
        {
            let room = self.part_bytes + BLOCK_BYTES + BLOCK_BYTES / 8;
            self.buffer
                .reserve_exact(room.saturating_sub(self.buffer.len()).max(bytes));
        }
    }
}

impl ArchiveSink for PartSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.shape {
            PartShape::AtBoundaries => {
                self.make_room(bytes.len());
                self.buffer.extend_from_slice(bytes);
            }
            PartShape::Uniform => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let take = rest.len().min(self.part_bytes - self.buffer.len());
                    self.make_room(take);
                    self.buffer.extend_from_slice(&rest[..take]);
                    rest = &rest[take..];
                    if self.buffer.len() == self.part_bytes {
                        self.hand_over()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn boundary(&mut self, _boundary: Boundary) -> io::Result<()> {
        if self.shape == PartShape::AtBoundaries && self.buffer.len() >= self.part_bytes {
            self.hand_over()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds writes of these sizes, a boundary after each, and returns the parts' sizes.
    fn parts_of(shape: PartShape, part_bytes: u64, writes: &[usize]) -> Vec<usize> {
        let (sender, mut receiver) = mpsc::channel(1_000);
        let mut sink = PartSink::new(sender, shape, part_bytes);
        for size in writes {
            sink.write(&vec![7; *size]).expect("taken");
            sink.boundary(Boundary::Entry).expect("taken");
        }
        sink.finish().expect("taken");
        std::iter::from_fn(|| receiver.try_recv().ok())
            .map(|part| part.len())
            .collect()
    }

    #[test]
    fn parts_end_at_boundaries_once_they_are_big_enough() {
        assert_eq!(
            parts_of(PartShape::AtBoundaries, 10, &[4, 4, 4, 25, 1]),
            [12, 25, 1]
        );
        assert_eq!(parts_of(PartShape::AtBoundaries, 10, &[3]), [3]);
    }

    #[test]
    fn uniform_parts_have_one_size_but_the_last() {
        assert_eq!(
            parts_of(PartShape::Uniform, 10, &[4, 4, 4, 25, 1]),
            [10, 10, 10, 8]
        );
        assert_eq!(parts_of(PartShape::Uniform, 10, &[10, 10]), [10, 10]);
    }

    #[test]
    fn a_reader_that_left_is_an_error() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let mut sink = PartSink::new(sender, PartShape::AtBoundaries, 1);
        sink.write(b"xy").expect("buffered");
        assert!(sink.boundary(Boundary::Entry).is_err());
    }
}
