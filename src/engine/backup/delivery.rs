//! `Delivery`: brings an archive's parts to the destination, and proves that they arrived.
//!
//! A small archive goes in one request, a bigger one in parts, and what an earlier archive has already
//! is copied there. Until [`Delivery::complete`] nothing is listed at the destination;
//! [`Delivery::take_back`] leaves nothing behind where the destination answers in time, and says what it
//! left where not; [`Delivery::leave`] leaves what a later run can go on with.

use crate::archive::Finished;
use crate::engine::backup::arrived::{Completed, Made, check, has_arrived, is_ours};
use crate::engine::backup::copied::copied;
use crate::engine::backup::index::ArchiveId;
use crate::engine::backup::journal::{Journal, SparePart, Start};
use crate::engine::backup::parts::{Part, PartEnd};
use crate::engine::backup::prefix::{Piece, Prefix};
use crate::engine::backup::taking_back::TakingBack;
use crate::engine::error::{EngineError, Leftover};
use crate::engine::meter::Meter;
use crate::model::Phase;
use crate::storage::{CopySource, Fault, StorageError, Store, StoredPart, Upload, parts_in_flight};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, JoinSet};

/// Requests that copy at the same time.
const COPIES_AT_ONCE: usize = 4;
/// How much of the first bytes after what was copied is read back, to see that they stand there.
const SEAM_BYTES: usize = 4096;

/// What is to be delivered.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) key: String,
    pub(super) created_secs: i64,
    pub(super) generation: u32,
    /// The archive that is continued, and what of it is copied.
    pub(super) base: Option<(ArchiveId, Option<String>, Prefix)>,
    pub(super) uniform_bytes: u64,
    /// The folders that are backed up.
    pub(super) folders: Vec<OsString>,
    /// Where the journal is kept.
    pub(super) journal: PathBuf,
}

/// An upload that an interrupted run began.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) upload: Upload,
    pub(super) parts: Vec<StoredPart>,
    pub(super) spare: Vec<SparePart>,
    pub(super) journal: Journal,
}

/// An archive on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    store: Store,
    order: Order,
    /// The first part, as long as it may be the only one.
    first: Option<Part>,
    upload: Option<Upload>,
    journal: Option<Arc<Mutex<Journal>>>,
    sends: JoinSet<Result<StoredPart, EngineError>>,
    copies: JoinSet<Result<StoredPart, EngineError>>,
    stored: BTreeMap<u32, StoredPart>,
    /// Parts of an interrupted run that may come again, by number.
    spare: BTreeMap<u32, SparePart>,
    // The two steps that change what is at the destination run by themselves: a cancel that stops
    // waiting for them can still learn how they ended.
    beginning: Option<JoinHandle<Result<Upload, StorageError>>>,
    finishing: Option<JoinHandle<Result<Option<String>, StorageError>>>,
    /// What the object must be, once somebody was asked to make it.
    wanted: Option<Finished>,
    seam: Option<(u64, Bytes)>,
    made: Made,
    sent_bytes: u64,
    spared_bytes: u64,
}

impl Delivery {
    pub(super) fn new(store: &Store, order: Order, begun: Option<Begun>) -> Self {
        let mut delivery = Self {
            store: store.clone(),
            order,
            first: None,
            upload: None,
            journal: None,
            sends: JoinSet::new(),
            copies: JoinSet::new(),
            stored: BTreeMap::new(),
            spare: BTreeMap::new(),
            beginning: None,
            finishing: None,
            wanted: None,
            seam: None,
            made: Made::Unknown,
            sent_bytes: 0,
            spared_bytes: 0,
        };
        if let Some(begun) = begun {
            let parts = begun.parts.into_iter();
            delivery.stored = parts.map(|part| (part.number, part)).collect();
            let spare = begun.spare.into_iter();
            delivery.spare = spare.map(|spare| (spare.part.number, spare)).collect();
            delivery.journal = Some(Arc::new(Mutex::new(begun.journal)));
            delivery.copy_missing(&begun.upload);
            delivery.upload = Some(begun.upload);
        }
        delivery
    }

    /// Makes ready for an archive that continues an earlier one: what can be copied is.
    pub(super) async fn begin(&mut self) -> Result<(), EngineError> {
        if self.upload.is_none() && self.order.base.is_some() {
            let upload = self.begin_upload().await?;
            self.copy_missing(&upload);
        }
        Ok(())
    }

    /// Takes the next part, as soon as there is room for it.
    pub(super) async fn take(&mut self, part: Part) -> Result<(), EngineError> {
        // A part that ends among the entries is not the last: lists and directory follow.
        let may_be_all = part.place.number == 1 && part.end == PartEnd::Nowhere;
        if self.upload.is_none() && self.order.base.is_none() && may_be_all {
            self.sent_bytes += part.bytes.len() as u64;
            self.first = Some(part);
            return Ok(());
        }
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => self.begin_upload().await?,
        };
        if let Some(first) = self.first.take() {
            self.send(&upload, first, None);
        }
        let at_once = parts_in_flight(part.bytes.len() as u64);
        while self.sends.len() >= at_once {
            Self::join(&mut self.sends, &mut self.stored).await?;
        }
        while let Some(copied) = self.copies.try_join_next() {
            Self::note(copied, &mut self.stored)?;
        }
        let there = self.already_there(&part);
        let bytes = part.bytes.len() as u64;
        match there {
            Some(_) => self.spared_bytes += bytes,
            None => self.sent_bytes += bytes,
        }
        self.send(&upload, part, there);
        Ok(())
    }

    /// The same part as an interrupted run has sent it: the same bytes at the same place.
    fn already_there(&mut self, part: &Part) -> Option<StoredPart> {
        let spare = self.spare.remove(&part.place.number)?;
        let PartEnd::Known(end) = &part.end else {
            return None;
        };
        let is_same = spare.offset == part.place.offset
            && spare.part.bytes == part.bytes.len() as u64
            && spare.blake3 == end.span_blake3;
        is_same.then_some(spare.part)
    }

    async fn begin_upload(&mut self) -> Result<Upload, EngineError> {
        self.begin_journal().await;
        let beginning = self.beginning.get_or_insert_with(|| {
            let (store, key) = (self.store.clone(), self.order.key.clone());
            tokio::spawn(async move { store.begin_upload(&key).await })
        });
        let begun = beginning.await;
        self.beginning = None;
        let upload = begun.map_err(crashed)??;
        self.upload = Some(upload.clone());
        let base = self.order.base.as_ref();
        let start = Start {
            destination: self.store.identity(),
            key: self.order.key.clone(),
            upload_id: upload.id().to_owned(),
            created_secs: self.order.created_secs,
            generation: self.order.generation,
            base: base.map(|(id, _, prefix)| (id.clone(), prefix.clone())),
            uniform_bytes: self.order.uniform_bytes,
            folders: self.order.folders.clone(),
        };
        in_journal(self.journal.clone(), move |journal| journal.started(&start)).await;
        Ok(upload)
    }

    /// Before the upload, so that one that nobody comes to know of is found again.
    async fn begin_journal(&mut self) {
        let (path, key) = (self.order.journal.clone(), self.order.key.clone());
        let begin = move || Journal::begin(&path, &key);
        match tokio::task::spawn_blocking(begin).await {
            Ok(Ok(journal)) => self.journal = Some(Arc::new(Mutex::new(journal))),
            // A backup matters more than being able to go on with it.
            Ok(Err(error)) => tracing::warn!(%error, "a backup runs without its journal"),
            Err(error) => tracing::warn!(%error, "a backup runs without its journal"),
        }
    }

    /// Lets the destination copy what it has not copied yet.
    fn copy_missing(&mut self, upload: &Upload) {
        let Some((id, etag, prefix)) = &self.order.base else {
            return;
        };
        let at_once = Arc::new(Semaphore::new(COPIES_AT_ONCE));
        for piece in prefix.pieces() {
            let Piece { place, old } = piece.clone();
            let place = crate::storage::PartPlace::from(place);
            if self.stored.contains_key(&place.number) {
                continue;
            }
            let source = CopySource {
                key: id.key.clone(),
                etag: etag.clone(),
                range: old,
            };
            let (store, upload) = (self.store.clone(), upload.clone());
            let at_once = Arc::clone(&at_once);
            let journal = self.journal.clone();
            self.copies.spawn(async move {
                let _permit = at_once
                    .acquire()
                    .await
                    .map_err(|_| EngineError::Cancelled)?;
                let part = copied(&store, &upload, place, &source).await?;
                let noted = part.clone();
                in_journal(journal, move |journal| journal.copied(&noted)).await;
                Ok(part)
            });
        }
    }

    /// Sends a part, or only notes it in its new state where it is `there` already.
    fn send(&mut self, upload: &Upload, part: Part, there: Option<StoredPart>) {
        if self.seam.is_none() {
            // A copy, so that it does not keep the whole part in memory.
            let seam = &part.bytes[..SEAM_BYTES.min(part.bytes.len())];
            self.seam = Some((part.place.offset, Bytes::copy_from_slice(seam)));
        }
        let (upload, journal) = (upload.clone(), self.journal.clone());
        self.sends.spawn(async move {
            let Part { place, bytes, end } = part;
            let stored = match there {
                Some(there) => there,
                None => upload.send(place, bytes).await?,
            };
            let noted = stored.clone();
            in_journal(journal, move |journal| {
                journal.sent(&noted, place.offset, end)
            })
            .await;
            Ok(stored)
        });
    }

    async fn join(
        tasks: &mut JoinSet<Result<StoredPart, EngineError>>,
        stored: &mut BTreeMap<u32, StoredPart>,
    ) -> Result<(), EngineError> {
        match tasks.join_next().await {
            Some(ended) => Self::note(ended, stored),
            None => Ok(()),
        }
    }

    fn note(
        ended: Result<Result<StoredPart, EngineError>, JoinError>,
        stored: &mut BTreeMap<u32, StoredPart>,
    ) -> Result<(), EngineError> {
        let part = ended.map_err(crashed)??;
        stored.insert(part.number, part);
        Ok(())
    }

    /// Makes the object exist and checks that it is what was meant, by reading its end back. Where
    /// it is not and something was copied, [`EngineError::CannotCopy`]: the copy is in doubt.
    pub(super) async fn complete(
        &mut self,
        finished: &Finished,
        meter: &Meter,
    ) -> Result<Completed, EngineError> {
        match self.make(finished, meter).await {
            Err(EngineError::Storage(error))
                if error.fault() == Fault::Damaged && self.order.base.is_some() =>
            {
                Err(EngineError::CannotCopy(error))
            }
            ended => ended,
        }
    }

    async fn make(&mut self, finished: &Finished, meter: &Meter) -> Result<Completed, EngineError> {
        while !self.sends.is_empty() {
            Self::join(&mut self.sends, &mut self.stored).await?;
        }
        while !self.copies.is_empty() {
            Self::join(&mut self.copies, &mut self.stored).await?;
        }
        meter.begin(Phase::Finishing);
        self.check_source().await?;
        // Not every store refuses to overwrite by itself.
        if self.store.exists(&self.order.key).await? {
            return Err(StorageError::new(Fault::AlreadyThere).into());
        }
        self.wanted = Some(finished.clone());
        let finishing = self.finish();
        let ended = self.finishing.insert(finishing).await;
        self.finishing = None;
        match ended.map_err(|error| EngineError::from(crashed(error)))? {
            Ok(etag) => {
                self.made = Made::ByUs(etag);
                self.upload = None;
            }
            // The answer may have been lost on the way: the check says whether it is ours.
            Err(error) if !has_arrived(&self.store, &self.order.key, finished).await => {
                return Err(error.into());
            }
            // Not so if somebody else made the same in the same second: then parts of ours remain.
            Err(_) => {
                if let Some(upload) = self.upload.take()
                    && let Err(error) = upload.abort().await
                {
                    tracing::warn!(%error, "an unfinished upload could not be taken back");
                }
            }
        }
        meter.begin(Phase::Checking);
        let seam = self.seam.as_ref().filter(|_| self.order.base.is_some());
        let completed = check(&self.store, &self.order.key, finished, seam).await?;
        self.forget_journal();
        Ok(completed)
    }

    /// Some stores do not look whether the object that they copy from is the one that is meant.
    async fn check_source(&self) -> Result<(), EngineError> {
        let Some((id, etag, _)) = &self.order.base else {
            return Ok(());
        };
        match self.store.head(&id.key).await {
            Ok(now) if (now.size_bytes, &now.etag) == (id.size_bytes, etag) => Ok(()),
            Ok(_) => Err(EngineError::CannotCopy(StorageError::new(Fault::Changed))),
            // Deleted meanwhile: what was copied was copied before.
            Err(error) if error.fault() == Fault::NoObject => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn finish(&mut self) -> JoinHandle<Result<Option<String>, StorageError>> {
        let (store, key) = (self.store.clone(), self.order.key.clone());
        let (first, upload) = (self.first.take(), self.upload.clone());
        let parts: Vec<StoredPart> = self.stored.values().cloned().collect();
        tokio::spawn(async move {
            if let Some(upload) = upload {
                return upload.complete(&parts).await;
            }
            let bytes = first.map(|part| part.bytes).unwrap_or_default();
            store.put_new(&key, bytes).await
        })
    }

    fn forget_journal(&mut self) {
        if let Some(journal) = self.journal.take() {
            lock(&journal).remove();
        }
    }

    /// Leaves what was sent for a later run to go on with, and says how much that is.
    pub(super) async fn leave(&mut self) -> u64 {
        /// What is about to arrive need not be sent again; what does not is not waited for.
        const GRACE: Duration = Duration::from_secs(1);
        let arriving = async {
            while let Some(ended) = self.sends.join_next().await {
                if let Ok(Ok(part)) = ended {
                    self.stored.insert(part.number, part);
                }
            }
        };
        tokio::time::timeout(GRACE, arriving).await.ok();
        self.sends.shutdown().await;
        self.copies.shutdown().await;
        self.journal = None;
        self.stored.values().map(|part| part.bytes).sum()
    }

    /// Whether there is something that a later run can go on with. Also where the destination was
    /// asked for the object and did not say that it made it: if it did, the next run finds it listed.
    pub(super) fn can_be_left(&self) -> bool {
        let can_go_on = self.store.keeps_parts() && self.journal.is_some();
        can_go_on && self.upload.is_some() && self.finishing.is_none()
    }

    /// Removes what was sent: parts, and an object that nobody vouches for. Gives what may be left all
    /// the same, because the destination refused or did not answer in time; of an upload that is left
    /// the journal tells the next run.
    pub(super) async fn take_back(&mut self, how: TakingBack) -> Option<Leftover> {
        let may_be_left = if self.wanted.is_some() {
            Some(Leftover::Archive)
        } else {
            let is_begun = self.upload.is_some() || self.beginning.is_some();
            is_begun.then_some(Leftover::Upload)
        };
        let removing = tokio::time::timeout(how.longest(), self.remove_all());
        if let Ok(left) = removing.await {
            return left;
        }
        tracing::warn!(
            key = self.order.key,
            "what was sent could not be taken back in time"
        );
        may_be_left
    }

    async fn remove_all(&mut self) -> Option<Leftover> {
        self.sends.shutdown().await;
        self.copies.shutdown().await;
        if let Some(beginning) = self.beginning.take()
            && let Ok(Ok(upload)) = beginning.await
        {
            self.upload = Some(upload);
        }
        if let Some(finishing) = self.finishing.take()
            && let Ok(Ok(etag)) = finishing.await
        {
            self.upload = None;
            self.made = Made::ByUs(etag);
        }
        let mut left = None;
        if let Some(upload) = &self.upload
            && let Err(error) = upload.abort().await
        {
            left = Some(Leftover::Upload);
            tracing::warn!(%error, "an unfinished upload could not be taken back");
        }
        if left.is_none() {
            self.forget_journal();
        }
        let Some(wanted) = &self.wanted else {
            return left;
        };
        if is_ours(&self.store, &self.order.key, wanted, &self.made).await
            && let Err(error) = self.store.delete_if_there(&self.order.key).await
        {
            tracing::warn!(%error, key = self.order.key, "an unchecked archive could not be removed");
            left = Some(Leftover::Archive);
        }
        left
    }

    /// Bytes that the destination copied by itself.
    pub(super) fn copied_bytes(&self) -> u64 {
        let base = self.order.base.as_ref();
        base.map_or(0, |(_, _, prefix)| prefix.bytes() - prefix.carried_bytes())
    }

    /// Bytes of parts that an interrupted run had sent after one that did not arrive.
    pub(super) fn spared_bytes(&self) -> u64 {
        self.spared_bytes
    }

    /// Bytes handed to the destination.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }
}

fn lock(journal: &Mutex<Journal>) -> std::sync::MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes something in the journal. That it could not be noted only costs time later.
async fn in_journal(
    journal: Option<Arc<Mutex<Journal>>>,
    note: impl FnOnce(&mut Journal) -> std::io::Result<()> + Send + 'static,
) {
    let Some(journal) = journal else {
        return;
    };
    let noting = tokio::task::spawn_blocking(move || note(&mut lock(&journal)));
    if let Ok(Err(error)) = noting.await {
        tracing::warn!(%error, "a part could not be noted in the journal");
    }
}

fn crashed(error: JoinError) -> StorageError {
    StorageError::new(Fault::Other).caused_by(error)
}
