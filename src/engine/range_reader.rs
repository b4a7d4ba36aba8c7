//! `RangeReader`: an object at the destination as something that reads and seeks, for threads that
//! may block. Reading on fetches ahead; memory stays at a few blocks whatever the object's size.
//!
//! Clones share what was lent to one of them, so that several threads can read what was fetched for all.

use crate::archive::ArchiveReader;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::storage::{ObjectInfo, StorageError, Store};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Bytes fetched in one request.
const BLOCK_BYTES: u64 = 2 * 1024 * 1024;
/// Blocks kept: enough to come back to a directory while reading entries.
const BLOCKS_KEPT: usize = 4;
/// Blocks fetched ahead once reading goes on in order.
const BLOCKS_AHEAD: usize = 3;

/// An object that can be read and sought. Every request asks for the very version opened.
#[derive(Debug)]
pub(super) struct RangeReader {
    store: Store,
    object: ObjectInfo,
    runtime: Handle,
    context: Context,
    meter: Arc<Meter>,
    failure: Failure,
    position: u64,
    /// Where the last block ended that was read.
    last_end: Option<u64>,
    kept: VecDeque<(u64, Bytes)>,
    coming: VecDeque<(u64, JoinHandle<Result<Bytes, StorageError>>)>,
    shared: Shared,
}

/// What a reader and its clones share, for whoever knows better what will be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Ahead>>);

#[derive(Debug, Default)]
struct Ahead {
    /// Bytes that need not be fetched as long as anybody reads, by their offset.
    kept: BTreeMap<u64, Bytes>,
    /// Bytes that need not be fetched, by their offset.
    lent: BTreeMap<u64, Bytes>,
    /// Ends of what is read in order, by its beginning: blocks are cut at both.
    in_order: BTreeMap<u64, u64>,
}

/// Bytes that are lent, or an order that is promised, until this is dropped.
#[derive(Debug)]
pub(super) struct Loan {
    shared: Shared,
    offset: u64,
}

impl Shared {
    /// Lends bytes of the object from `offset` on.
    pub(super) fn lend(&self, offset: u64, bytes: Bytes) -> Loan {
        self.ahead().lent.insert(offset, bytes);
        let shared = self.clone();
        Loan { shared, offset }
    }

    /// Keeps bytes of the object from `offset` on for all readers, until [`let_go`](Self::let_go).
    pub(super) fn keep(&self, offset: u64, bytes: Bytes) {
        self.ahead().kept.insert(offset, bytes);
    }

    /// All that is kept, by its offset.
    pub(super) fn kept(&self) -> Vec<(u64, Bytes)> {
        let ahead = self.ahead();
        let kept = ahead.kept.iter();
        kept.map(|(offset, bytes)| (*offset, bytes.clone()))
            .collect()
    }

    /// Forgets what is kept.
    pub(super) fn let_go(&self) {
        self.ahead().kept.clear();
    }

    /// Whether all of this is kept.
    pub(super) fn has(&self, range: &Range<u64>) -> bool {
        let mut at = range.start;
        while at < range.end {
            match self.lent_at(at) {
                Some(bytes) => at += bytes.len() as u64,
                None => return false,
            }
        }
        true
    }

    /// Promises that one reader reads this from its beginning to its end: it fetches ahead at once, and
    /// nothing beside it.
    pub(super) fn read_in_order(&self, range: Range<u64>) -> Loan {
        self.ahead().in_order.insert(range.start, range.end);
        let shared = self.clone();
        let offset = range.start;
        Loan { shared, offset }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lent_at(&self, position: u64) -> Option<Bytes> {
        let ahead = self.ahead();
        [&ahead.lent, &ahead.kept].into_iter().find_map(|here| {
            let (offset, bytes) = here.range(..=position).next_back()?;
            let start = usize::try_from(position - offset).ok()?;
            (start < bytes.len()).then(|| bytes.slice(start..))
        })
    }

    fn in_order_at(&self, position: u64) -> Option<Range<u64>> {
        let ahead = self.ahead();
        let (start, end) = ahead.in_order.range(..=position).next_back()?;
        (position < *end).then_some(*start..*end)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut ahead = self.shared.ahead();
        ahead.lent.remove(&self.offset);
        ahead.in_order.remove(&self.offset);
    }
}

/// The true reason behind an I/O error of a [`RangeReader`], for whoever owns the job.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<EngineError>>>);

impl Failure {
    /// Takes the reason out, if the destination failed or the job was cancelled.
    pub(super) fn take(&self) -> Option<EngineError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: EngineError) -> io::Error {
        let text = error.to_string();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        io::Error::other(text)
    }
}

impl RangeReader {
    /// Must be made on a thread of a tokio runtime.
    pub(super) fn new(
        store: &Store,
        object: ObjectInfo,
        context: &Context,
        meter: &Arc<Meter>,
    ) -> Self {
        Self {
            store: store.clone(),
            object,
            runtime: Handle::current(),
            context: context.clone(),
            meter: Arc::clone(meter),
            failure: Failure::default(),
            position: 0,
            last_end: None,
            kept: VecDeque::new(),
            coming: VecDeque::new(),
            shared: Shared::default(),
        }
    }

    /// A handle to what it shares with its clones.
    pub(super) fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// A handle to the reason of a later failure.
    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// The next bytes, at most `most`, without copying them; none at the end.
    pub(super) fn next_bytes(&mut self, most: u64) -> io::Result<Bytes> {
        if self.position >= self.object.size_bytes || most == 0 {
            return Ok(Bytes::new());
        }
        let bytes = match self.shared.lent_at(self.position) {
            Some(lent) => lent,
            None => self.fetched_at(self.position)?,
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let bytes = bytes.slice(..bytes.len().min(most));
        self.position += bytes.len() as u64;
        Ok(bytes)
    }

    fn fetched_at(&mut self, position: u64) -> io::Result<Bytes> {
        let range = self.block_of(position);
        let block = self.block(range.clone())?;
        let start = usize::try_from(position - range.start).map_err(io::Error::other)?;
        Ok(block.slice(start.min(block.len())..))
    }

    /// The block that a position lies in.
    fn block_of(&self, position: u64) -> Range<u64> {
        let in_order = self.shared.in_order_at(position);
        let (grid, end) = in_order.map_or((0, self.object.size_bytes), |range| {
            (range.start, range.end)
        });
        let from = grid + (position - grid) / BLOCK_BYTES * BLOCK_BYTES;
        from..end.min(from + BLOCK_BYTES)
    }

    fn block(&mut self, range: Range<u64>) -> io::Result<Bytes> {
        if let Some((_, bytes)) = self.kept.iter().find(|(kept, _)| *kept == range.start) {
            return Ok(bytes.clone());
        }
        while let Some((coming, task)) = self.coming.pop_front() {
            if coming == range.start {
                self.coming.push_front((coming, task));
                break;
            }
            task.abort();
        }
        let in_order = self.shared.in_order_at(range.start);
        let is_promised = in_order
            .as_ref()
            .is_some_and(|promised| promised.start == range.start);
        let is_read_in_order = in_order.is_some();
        let goes_on = is_promised || self.last_end == Some(range.start);
        let end = in_order.map_or(self.object.size_bytes, |promised| promised.end);
        self.last_end = Some(range.end);
        let mut next = range.clone();
        for ahead in 0..=BLOCKS_AHEAD {
            if ahead >= self.coming.len() {
                self.fetch(next.clone());
            }
            if !goes_on || next.end >= end {
                break;
            }
            next = self.block_of(next.end);
        }
        let bytes = self.wait_for_first()?;
        if is_read_in_order {
            // Nobody comes back to what is read in order.
            self.kept.clear();
        }
        self.kept.push_back((range.start, bytes.clone()));
        if self.kept.len() > BLOCKS_KEPT {
            self.kept.pop_front();
        }
        Ok(bytes)
    }

    fn fetch(&mut self, range: Range<u64>) {
        let (store, key) = (self.store.clone(), self.object.key.clone());
        let (etag, meter) = (self.object.etag.clone(), Arc::clone(&self.meter));
        let from = range.start;
        let task = self.runtime.spawn(async move {
            let bytes = store.read(&key, range, etag.as_deref()).await?;
            meter.add_transferred(bytes.len() as u64);
            Ok(bytes)
        });
        self.coming.push_back((from, task));
    }

    fn wait_for_first(&mut self) -> io::Result<Bytes> {
        let Some((_, task)) = self.coming.pop_front() else {
            return Err(io::Error::other("nothing was asked for"));
        };
        let waiting = async {
            match task.await {
                Ok(result) => result.map_err(EngineError::from),
                Err(crash) => Err(EngineError::Crashed(crash.to_string())),
            }
        };
        let context = self.context.clone();
        self.runtime
            .block_on(context.or_cancelled(waiting))
            .map_err(|error| self.failure.set(error))
    }
}

/// Opens an archive; a failure of the destination is told as such.
pub(super) fn open(
    reader: RangeReader,
) -> Result<(ArchiveReader<RangeReader>, Failure), EngineError> {
    let failure = reader.failure();
    match ArchiveReader::open(reader) {
        Ok(archive) => Ok((archive, failure)),
        Err(error) => Err(failure.take().unwrap_or_else(|| error.into())),
    }
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next_bytes(buffer.len() as u64)?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Seek for RangeReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(delta) => self.object.size_bytes.checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

impl Clone for RangeReader {
    /// Another reader of the same object, at the same position, with blocks of its own.
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            object: self.object.clone(),
            runtime: self.runtime.clone(),
            context: self.context.clone(),
            meter: Arc::clone(&self.meter),
            failure: self.failure.clone(),
            position: self.position,
            last_end: None,
            kept: VecDeque::new(),
            coming: VecDeque::new(),
            shared: self.shared.clone(),
        }
    }
}

impl Drop for RangeReader {
    fn drop(&mut self) {
        for (_, task) in &self.coming {
            task.abort();
        }
    }
}
