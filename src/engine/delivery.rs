//! `Delivery`: brings an archive's parts to the destination, and proves that they arrived.
//!
//! A small archive goes in one request, a bigger one in parts. Until [`Delivery::complete`] nothing
//! is listed at the destination; [`Delivery::take_back`] leaves nothing behind.

use crate::archive::{ArchiveError, Finished, TAIL_BYTES, Tail};
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::model::Phase;
use crate::storage::{Fault, StorageError, Store, Upload};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinHandle;

/// An archive on its way.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    store: &'a Store,
    key: &'a str,
    in_flight: usize,
    /// The first part, as long as it may be the only one.
    first: Option<Bytes>,
    /// The begin of an upload runs by itself, so that a cancel cannot lose its outcome.
    beginning: Option<JoinHandle<Result<Upload, StorageError>>>,
    upload: Option<Upload>,
    reached: Reached,
    sent_bytes: u64,
}

/// What may be at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Nothing,
    Parts,
    Object,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(store: &'a Store, key: &'a str, in_flight: usize) -> Self {
        Self {
            store,
            key,
            in_flight,
            first: None,
            beginning: None,
            upload: None,
            reached: Reached::Nothing,
            sent_bytes: 0,
        }
    }

    /// Takes the next part, as soon as there is room for it.
    pub(super) async fn take(&mut self, part: Bytes, meter: &Meter) -> Result<(), StorageError> {
        self.sent_bytes += part.len() as u64;
        if self.reached == Reached::Nothing && self.first.is_none() {
            self.first = Some(part);
            return Ok(());
        }
        let first = self.first.take();
        let upload = self.upload().await?;
        if let Some(first) = first {
            upload.send(first).await?;
        }
        upload.send(part).await?;
        meter.transferred(upload.sent_bytes().load(Ordering::Relaxed));
        Ok(())
    }

    async fn upload(&mut self) -> Result<&mut Upload, StorageError> {
        if self.upload.is_none() {
            self.reached = Reached::Parts;
            let beginning = self.beginning.get_or_insert_with(|| {
                let (store, key, in_flight) =
                    (self.store.clone(), self.key.to_owned(), self.in_flight);
                tokio::spawn(async move { store.upload(&key, in_flight).await })
            });
            let begun = beginning.await;
            self.beginning = None;
            let crashed = |error| StorageError::new(Fault::Other).caused_by(error);
            self.upload = Some(begun.map_err(crashed)??);
        }
        self.upload
            .as_mut()
            .ok_or_else(|| StorageError::new(Fault::Other))
    }

    /// Makes the object exist and checks that it is what was meant, by reading its end back.
    pub(super) async fn complete(
        &mut self,
        finished: &Finished,
        meter: &Meter,
    ) -> Result<(), EngineError> {
        self.reached = Reached::Object;
        if let Some(first) = self.first.take() {
            self.put(first, finished).await?;
        } else if let Some(upload) = &mut self.upload
            && let Err(error) = upload.complete().await
            && !has_arrived(self.store, self.key, finished).await
        {
            return Err(error.into());
        }
        meter.begin(Phase::Checking);
        check(self.store, self.key, finished).await
    }

    async fn put(&mut self, archive: Bytes, finished: &Finished) -> Result<(), StorageError> {
        match self.store.put_new(self.key, archive).await {
            Err(error) if error.fault() == Fault::AlreadyThere => {
                // Somebody else's, or our own whose answer was lost: never to be removed on a
                // suspicion. If it is ours, the check that follows says so.
                self.reached = Reached::Nothing;
                let is_likely_ours = has_arrived(self.store, self.key, finished).await;
                if is_likely_ours { Ok(()) } else { Err(error) }
            }
            result => result,
        }
    }

    /// Leaves nothing behind: neither parts nor an object that nobody vouches for.
    pub(super) async fn take_back(&mut self) {
        /// A person waits for this; a destination that is gone must not hold them up.
        const PATIENCE: Duration = Duration::from_secs(15);
        if tokio::time::timeout(PATIENCE, self.remove_all())
            .await
            .is_err()
        {
            tracing::warn!(
                key = self.key,
                "what was sent could not be taken back in time"
            );
        }
    }

    async fn remove_all(&mut self) {
        if let Some(beginning) = self.beginning.take()
            && let Ok(Ok(upload)) = beginning.await
        {
            self.upload = Some(upload);
        }
        if let Some(upload) = &mut self.upload {
            upload.abort().await;
        }
        // It can only be ours: its key was free when we began.
        if self.reached == Reached::Object
            && let Err(error) = self.store.delete_if_there(self.key).await
        {
            tracing::warn!(%error, key = self.key, "an unchecked archive could not be removed");
        }
    }

    /// Bytes handed to the destination.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }
}

/// A lost answer to "complete" looks like a failure: the object itself tells.
async fn has_arrived(store: &Store, key: &str, finished: &Finished) -> bool {
    let head = store.head(key).await;
    head.is_ok_and(|info| info.size_bytes == finished.archive_bytes)
}

/// Compares size, directory and end with what was written.
async fn check(store: &Store, key: &str, finished: &Finished) -> Result<(), EngineError> {
    const PIECE_BYTES: u64 = 4 * 1024 * 1024;
    let damaged = |what: &str| EngineError::from(StorageError::new(Fault::Damaged).about(what));
    let head = store.head(key).await?;
    if head.size_bytes != finished.archive_bytes {
        return Err(damaged("its size differs"));
    }
    let mut hasher = blake3::Hasher::new();
    let mut last = Vec::new();
    let mut from = finished.directory_offset;
    while from < finished.archive_bytes {
        let to = finished.archive_bytes.min(from + PIECE_BYTES);
        let piece = store.read(key, from..to, head.etag.as_deref()).await?;
        hasher.update(&piece);
        last.extend_from_slice(&piece);
        let keep = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX);
        last.drain(..last.len().saturating_sub(keep));
        from = to;
    }
    if hasher.finalize() != finished.tail_blake3 {
        return Err(damaged("its directory differs"));
    }
    let tail = Tail::find(&last, finished.archive_bytes)?;
    if (tail.directory_offset, tail.entries) == (finished.directory_offset, finished.entries) {
        Ok(())
    } else {
        Err(ArchiveError::NotAnArchive("its end differs".to_owned()).into())
    }
}
