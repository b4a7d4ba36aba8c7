//! `RangeReader`: an object at the destination as something that reads and seeks, for threads that
//! may block. Reading on fetches ahead; memory stays at a few blocks whatever the object's size.

use crate::archive::ArchiveReader;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::storage::{ObjectInfo, StorageError, Store};
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Bytes fetched in one request.
const BLOCK_BYTES: u64 = 4 * 1024 * 1024;
/// Blocks kept: enough to come back to a directory while reading entries.
const BLOCKS_KEPT: usize = 4;
/// Blocks fetched ahead once reading goes on in order.
const BLOCKS_AHEAD: u64 = 3;

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
    last_block: Option<u64>,
    kept: VecDeque<(u64, Bytes)>,
    coming: VecDeque<(u64, JoinHandle<Result<Bytes, StorageError>>)>,
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
            last_block: None,
            kept: VecDeque::new(),
            coming: VecDeque::new(),
        }
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
        let block = self.block(self.position / BLOCK_BYTES)?;
        let start = usize::try_from(self.position % BLOCK_BYTES).map_err(io::Error::other)?;
        let start = start.min(block.len());
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let bytes = block.slice(start..block.len().min(start.saturating_add(most)));
        self.position += bytes.len() as u64;
        Ok(bytes)
    }

    fn block(&mut self, index: u64) -> io::Result<Bytes> {
        if let Some((_, bytes)) = self.kept.iter().find(|(kept, _)| *kept == index) {
            return Ok(bytes.clone());
        }
        let is_next = self.last_block.is_some_and(|last| index == last + 1);
        while let Some((coming, task)) = self.coming.pop_front() {
            if coming == index {
                self.coming.push_front((coming, task));
                break;
            }
            task.abort();
        }
        if self.coming.is_empty() {
            self.fetch(index);
        }
        if is_next {
            self.fetch_ahead(index);
        }
        let bytes = self.wait_for_first()?;
        self.last_block = Some(index);
        self.kept.push_back((index, bytes.clone()));
        if self.kept.len() > BLOCKS_KEPT {
            self.kept.pop_front();
        }
        Ok(bytes)
    }

    fn fetch_ahead(&mut self, index: u64) {
        let next = self.coming.back().map_or(index, |(last, _)| last + 1);
        for ahead in next..=index + BLOCKS_AHEAD {
            if ahead * BLOCK_BYTES < self.object.size_bytes {
                self.fetch(ahead);
            }
        }
    }

    fn fetch(&mut self, index: u64) {
        let from = index * BLOCK_BYTES;
        let to = self.object.size_bytes.min(from + BLOCK_BYTES);
        let (store, key) = (self.store.clone(), self.object.key.clone());
        let (etag, meter) = (self.object.etag.clone(), Arc::clone(&self.meter));
        let task = self.runtime.spawn(async move {
            let bytes = store.read(&key, from..to, etag.as_deref()).await?;
            meter.add_transferred(bytes.len() as u64);
            Ok(bytes)
        });
        self.coming.push_back((index, task));
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

impl Drop for RangeReader {
    fn drop(&mut self) {
        for (_, task) in &self.coming {
            task.abort();
        }
    }
}
