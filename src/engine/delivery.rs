//! `Delivery`: brings an archive's parts to the destination, and proves that they arrived.
//!
//! A small archive goes in one request, a bigger one in parts. Until [`Delivery::complete`] nothing
//! is listed at the destination; [`Delivery::take_back`] leaves nothing behind.

use crate::archive::{ArchiveError, Finished, TAIL_BYTES, Tail};
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::model::Phase;
use crate::storage::{Fault, PartPlace, StorageError, Store, StoredPart, Upload};
use bytes::Bytes;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle, JoinSet};

/// An archive on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    store: Store,
    key: String,
    in_flight: usize,
    /// The first part, as long as it may be the only one.
    first: Option<Bytes>,
    upload: Option<Sending>,
    // The two steps that change what is at the destination run by themselves: a cancel that stops
    // waiting for them can still learn how they ended.
    beginning: Option<JoinHandle<Result<Upload, StorageError>>>,
    finishing: Option<JoinHandle<Finishing>>,
    /// What the object must be, once somebody was asked to make it.
    wanted: Option<Finished>,
    made: Made,
    sent_bytes: u64,
}

/// The parts of an upload on their way, a bounded number of them at once.
#[derive(Debug)]
struct Sending {
    upload: Upload,
    in_flight: usize,
    next: PartPlace,
    on_their_way: JoinSet<Result<StoredPart, StorageError>>,
    arrived: Vec<StoredPart>,
}

impl Sending {
    fn new(upload: Upload, in_flight: usize) -> Self {
        Self {
            upload,
            in_flight: in_flight.max(1),
            next: PartPlace {
                number: 1,
                offset: 0,
            },
            on_their_way: JoinSet::new(),
            arrived: Vec::new(),
        }
    }

    /// Sends the next part as soon as there is room for it. An error may be that of an earlier part.
    async fn send(&mut self, part: Bytes) -> Result<(), StorageError> {
        while self.on_their_way.len() >= self.in_flight {
            self.join_one().await?;
        }
        let place = self.next;
        self.next.number += 1;
        self.next.offset += part.len() as u64;
        let upload = self.upload.clone();
        self.on_their_way
            .spawn(async move { upload.send(place, part).await });
        Ok(())
    }

    async fn join_one(&mut self) -> Result<(), StorageError> {
        if let Some(sent) = self.on_their_way.join_next().await {
            self.arrived.push(sent.map_err(crashed)??);
        }
        Ok(())
    }

    fn arrived_bytes(&self) -> u64 {
        self.arrived.iter().map(|part| part.bytes).sum()
    }

    async fn complete(&mut self) -> Result<Option<String>, StorageError> {
        while !self.on_their_way.is_empty() {
            self.join_one().await?;
        }
        self.arrived.sort_by_key(|part| part.number);
        self.upload.complete(&self.arrived).await
    }

    /// Its own failure is only logged: there is nothing more to do about it.
    async fn abort(&mut self) {
        self.on_their_way.shutdown().await;
        if let Err(error) = self.upload.abort().await {
            tracing::warn!(%error, "an unfinished upload could not be taken back");
        }
    }
}

/// How making the object ended: the upload, if it is still one, and the object's version tag.
type Finishing = (Option<Sending>, Result<Option<String>, StorageError>);

/// Whether we made the object.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    /// Not as far as we know.
    Unknown,
    /// The store said so, with this version tag.
    ByUs(Option<String>),
}

impl Delivery {
    pub(super) fn new(store: &Store, key: &str, in_flight: usize) -> Self {
        Self {
            store: store.clone(),
            key: key.to_owned(),
            in_flight,
            first: None,
            upload: None,
            beginning: None,
            finishing: None,
            wanted: None,
            made: Made::Unknown,
            sent_bytes: 0,
        }
    }

    /// Takes the next part, as soon as there is room for it.
    pub(super) async fn take(&mut self, part: Bytes, meter: &Meter) -> Result<(), StorageError> {
        let is_first = self.sent_bytes == 0;
        self.sent_bytes += part.len() as u64;
        if is_first {
            self.first = Some(part);
            return Ok(());
        }
        let first = self.first.take();
        let upload = self.upload().await?;
        if let Some(first) = first {
            upload.send(first).await?;
        }
        upload.send(part).await?;
        meter.transferred(upload.arrived_bytes());
        Ok(())
    }

    async fn upload(&mut self) -> Result<&mut Sending, StorageError> {
        if self.upload.is_none() {
            let beginning = self.beginning.get_or_insert_with(|| {
                let (store, key) = (self.store.clone(), self.key.clone());
                tokio::spawn(async move { store.begin_upload(&key).await })
            });
            let begun = beginning.await;
            self.beginning = None;
            let upload = begun.map_err(crashed)??;
            self.upload = Some(Sending::new(upload, self.in_flight));
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
        // Not every store refuses to overwrite by itself.
        if self.store.exists(&self.key).await? {
            return Err(StorageError::new(Fault::AlreadyThere).into());
        }
        self.wanted = Some(*finished);
        let finishing = self.finish();
        let ended = self.finishing.insert(finishing).await;
        self.finishing = None;
        let (upload, result) = ended.map_err(|error| EngineError::from(crashed(error)))?;
        self.upload = upload;
        match result {
            Ok(etag) => self.made = Made::ByUs(etag),
            // The answer may have been lost on the way: the check says whether it is ours.
            Err(error) if !has_arrived(&self.store, &self.key, finished).await => {
                return Err(error.into());
            }
            // Not so if somebody else made the same in the same second: then parts of ours remain.
            Err(_) => {
                if let Some(mut sending) = self.upload.take() {
                    sending.abort().await;
                }
            }
        }
        meter.begin(Phase::Checking);
        check(&self.store, &self.key, finished).await
    }

    fn finish(&mut self) -> JoinHandle<Finishing> {
        let (store, key) = (self.store.clone(), self.key.clone());
        let (first, upload) = (self.first.take(), self.upload.take());
        tokio::spawn(async move {
            match (first, upload) {
                (_, Some(mut upload)) => match upload.complete().await {
                    Ok(etag) => (None, Ok(etag)),
                    Err(error) => (Some(upload), Err(error)),
                },
                (first, None) => (None, store.put_new(&key, first.unwrap_or_default()).await),
            }
        })
    }

    /// Leaves nothing behind: neither parts nor an object that nobody vouches for.
    pub(super) async fn take_back(&mut self) {
        /// A person waits for this; a destination that is gone must not hold them up.
        const PATIENCE: Duration = Duration::from_secs(15);
        let in_time = tokio::time::timeout(PATIENCE, self.remove_all()).await;
        if in_time.is_err() {
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
            self.upload = Some(Sending::new(upload, self.in_flight));
        }
        if let Some(finishing) = self.finishing.take()
            && let Ok((upload, result)) = finishing.await
        {
            self.upload = upload;
            if let Ok(etag) = result {
                self.made = Made::ByUs(etag);
            }
        }
        if let Some(upload) = &mut self.upload {
            upload.abort().await;
        }
        let Some(wanted) = &self.wanted else {
            return;
        };
        if is_ours(&self.store, &self.key, wanted, &self.made).await
            && let Err(error) = self.store.delete_if_there(&self.key).await
        {
            tracing::warn!(%error, key = self.key, "an unchecked archive could not be removed");
        }
    }

    /// Bytes handed to the destination.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }
}

/// Whether the object that is there now is the one that we made. Another computer of the same name
/// may have made one of the same key in the same second: that one is not ours to remove.
async fn is_ours(store: &Store, key: &str, wanted: &Finished, made: &Made) -> bool {
    match (made, store.head(key).await) {
        (Made::ByUs(Some(made)), Ok(there)) if there.etag.is_some() => {
            there.etag.as_ref() == Some(made)
        }
        (Made::ByUs(_), Ok(_)) => true,
        (Made::Unknown, Ok(_)) => check(store, key, wanted).await.is_ok(),
        (_, Err(_)) => false,
    }
}

fn crashed(error: JoinError) -> StorageError {
    StorageError::new(Fault::Other).caused_by(error)
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
