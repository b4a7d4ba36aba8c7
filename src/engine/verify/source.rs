//! `Source`: the bytes of the object that is verified, in order and without keeping them.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::range_reader::{Failure, RangeReader};
use crate::storage::{Fault, StorageError};
use bytes::Bytes;
use std::io::{Seek as _, SeekFrom};
use std::ops::Range;

/// The bytes of an object. An error is one of the destination or a cancel, never damage.
#[derive(Debug)]
pub(super) struct Source {
    reader: RangeReader,
    failure: Failure,
    context: Context,
    position: u64,
}

impl Source {
    pub(super) fn new(reader: RangeReader, context: &Context) -> Self {
        Self {
            failure: reader.failure(),
            reader,
            context: context.clone(),
            position: 0,
        }
    }

    /// The next bytes from `from` on: at least one, and none from `to` on.
    pub(super) fn next(&mut self, from: u64, to: u64) -> Result<Bytes, EngineError> {
        self.context.check_cancelled()?;
        let unread = || EngineError::from(StorageError::new(Fault::Damaged));
        if self.position != from {
            let sought = self.reader.seek(SeekFrom::Start(from));
            self.position = sought.map_err(|_| unread())?;
        }
        let read = self.reader.next_bytes(to.saturating_sub(from));
        let bytes = read.map_err(|_| self.failure.take().unwrap_or_else(unread))?;
        if bytes.is_empty() {
            return Err(unread());
        }
        self.position += bytes.len() as u64;
        Ok(bytes)
    }

    /// Hands all bytes of a range on, piece by piece.
    pub(super) fn each(
        &mut self,
        range: Range<u64>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), EngineError> {
        let mut from = range.start;
        while from < range.end {
            let bytes = self.next(from, range.end)?;
            take(&bytes);
            from += bytes.len() as u64;
        }
        Ok(())
    }

    /// All bytes of a range.
    pub(super) fn all(&mut self, range: Range<u64>) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        // No more than the object has; without the room it still grows as it can.
        let wanted_bytes = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        bytes.try_reserve_exact(wanted_bytes).ok();
        self.each(range, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    /// For who reads in another way.
    pub(super) fn into_reader(self) -> RangeReader {
        self.reader
    }
}
