//! The objects that the doctor writes, and that are gone when it has ended.

use super::sheet::{CheckId, Sheet};
use super::words;
use crate::storage::{Fault, StorageError, Store, Upload};
use bytes::Bytes;
use futures_util::future::join_all;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What the names of all objects of the doctor begin with.
pub(super) const PROBE_PREFIX: &str = ".zipkeep-probe-";
/// For taking back what a cancelled test wrote: the person waits for it.
const LONGEST_TAKING_BACK: Duration = Duration::from_secs(20);
/// Of that, for a request that is on its way: what it writes after it was taken back stays there.
const LONGEST_FLIGHT: Duration = Duration::from_secs(5);

/// The upload by which the copy is made.
#[derive(Debug)]
pub(super) enum Uploading {
    /// There is none.
    Nothing,
    /// The destination was asked to begin one and has not answered.
    Somewhere,
    /// This one.
    As(Upload),
}

/// A request that writes, which goes on where the test is cancelled.
#[derive(Debug)]
struct Flight {
    /// What it writes.
    key: String,
    task: JoinHandle<()>,
}

/// Bytes of an object of which any server copies a part that has the least size of parts (S3: 5 MiB), which
/// AWS does of objects that are larger than it.
const LARGE_BYTES: usize = 5 * 1024 * 1024 + 1;

/// A small object, a large one where it is needed, and the copies that the destination makes of them.
pub(super) struct Probe<'a> {
    pub(super) store: &'a Store,
    pub(super) key: String,
    pub(super) copy_key: String,
    pub(super) content: Bytes,
    pub(super) large_key: String,
    written: Mutex<Vec<String>>,
    /// An object that is there for certain.
    there: Mutex<Option<String>>,
    uploading: Mutex<Uploading>,
    flight: Mutex<Option<Flight>>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        let name = format!("{PROBE_PREFIX}{:016x}", fresh_number());
        Self {
            store,
            key: store.key(&name),
            copy_key: store.key(&format!("{name}-copy")),
            large_key: store.key(&format!("{name}-large")),
            content: Bytes::from(format!("zipkeep connection test {name}\n")),
            written: Mutex::default(),
            there: Mutex::default(),
            uploading: Mutex::new(Uploading::Nothing),
            flight: Mutex::default(),
        }
    }

    /// What the large object holds: bytes that nothing makes smaller.
    pub(super) fn large_content(&self) -> Bytes {
        let mut content = vec![0; LARGE_BYTES];
        let hasher = blake3::Hasher::new().update(&self.content).finalize_xof();
        { hasher }.fill(&mut content);
        content.into()
    }

    /// Notes that an object may be there from now on.
    pub(super) fn will_be(&self, key: &str) {
        let mut written = lock(&self.written);
        if !written.iter().any(|one| one == key) {
            written.push(key.to_owned());
        }
    }

    /// Notes that it was not allowed to come to be.
    pub(super) fn is_not(&self, key: &str) {
        lock(&self.written).retain(|one| one != key);
    }

    /// Does what writes at `key`. It goes on where nobody waits for it any more: a server may store what it
    /// was sent long after the line was cut, and only an answer tells that it will not.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        key: &str,
        writing: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (sender, receiver) = oneshot::channel();
        let task = tokio::spawn(async move {
            // Nobody waits for it after a cancel.
            sender.send(writing.await).ok();
        });
        *lock(&self.flight) = Some(Flight {
            key: key.to_owned(),
            task,
        });
        // Without an answer only where it panicked.
        let answer = receiver.await;
        answer.unwrap_or_else(|_| Err(StorageError::new(Fault::Other)))
    }

    /// Writes one of its objects, unless it is there.
    pub(super) async fn put(
        &self,
        key: &str,
        content: &Bytes,
    ) -> Result<Option<String>, StorageError> {
        let (store, own, bytes) = (self.store.clone(), key.to_owned(), content.clone());
        let put = async move { store.put_new(&own, bytes).await };
        self.to_its_end(key, put).await
    }

    /// Notes how far the upload of the copy is.
    pub(super) fn uploads(&self, uploading: Uploading) {
        *lock(&self.uploading) = uploading;
    }

    /// Notes that an object is there for certain, rather than the one that was known before.
    pub(super) fn is_there(&self, key: &str) {
        *lock(&self.there) = Some(key.to_owned());
    }

    /// An object that is there for certain: the small one, or somebody else's where none could be written.
    pub(super) fn key_that_is_there(&self) -> Option<String> {
        lock(&self.there).clone()
    }

    /// Deletes all of it, and says whether the keys allow that.
    pub(super) async fn remove(&self, sheet: &mut Sheet) {
        let written = lock(&self.written).clone();
        if written.is_empty() {
            return;
        }
        let (mut failed, mut kept) = (None, Vec::new());
        for key in &written {
            match self.store.delete_unseen(key).await {
                Err(error) if error.fault() == Fault::NoObject => {}
                Err(error) => {
                    kept.push(key.as_str());
                    failed = failed.or(Some(error));
                }
                // Some gateways say yes and delete nothing.
                Ok(()) if self.stays(key).await => kept.push(key.as_str()),
                Ok(()) => {}
            }
            // Only now: a cancel in between takes it back once more.
            if !kept.contains(&key.as_str()) {
                lock(&self.written).retain(|one| one != key);
            }
        }
        match failed {
            None if kept.is_empty() => {
                sheet.passed(CheckId::Delete, "What was written was deleted again");
            }
            None => sheet.refused(
                CheckId::Delete,
                words::deletes_not(&kept),
                words::DELETES_NOT_HINT,
            ),
            Some(error) if error.fault() == Fault::Denied => {
                sheet.warned(
                    CheckId::Delete,
                    words::may_not_delete(&kept, self.large_bytes(&kept)),
                    words::NO_DELETE,
                );
                sheet.add_refusal(&error);
            }
            Some(error) => {
                sheet.failed(CheckId::Delete, &error);
                sheet.reword(words::not_deleted(&error, &kept));
            }
        }
    }

    /// Whether an object is seen after it was deleted, for longer than some servers need for it.
    async fn stays(&self, key: &str) -> bool {
        const LOOKS: u32 = 3;
        for look in 0..LOOKS {
            tokio::time::sleep(Duration::from_secs(1) * look).await;
            if self.store.head(key).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Bytes of those of `keys` that are no small objects.
    fn large_bytes(&self, keys: &[&str]) -> u64 {
        if !keys.contains(&self.large_key.as_str()) {
            return 0;
        }
        let large = [&self.large_key, &self.copy_key];
        let large = large.iter().filter(|key| keys.contains(&key.as_str()));
        (large.count() * LARGE_BYTES) as u64
    }

    /// Takes all of it back when the job was cancelled, and gives the keys of what may stay all the same.
    pub(super) async fn take_back(&self) -> Vec<String> {
        let written = lock(&self.written).clone();
        let taken = tokio::time::timeout(LONGEST_TAKING_BACK, self.take_all_back(&written)).await;
        let left = taken.unwrap_or(written);
        if !left.is_empty() {
            tracing::warn!(?left, "objects of a test may be left there");
        }
        left
    }

    async fn take_all_back(&self, written: &[String]) -> Vec<String> {
        let flown = self.land().await;
        let uploading = std::mem::replace(&mut *lock(&self.uploading), Uploading::Nothing);
        let aborted = match uploading {
            Uploading::Nothing => Ok(()),
            Uploading::As(upload) => upload.abort().await,
            Uploading::Somewhere => self.drop_unseen_upload().await,
        };
        let deleting = written.iter().map(|key| self.store.delete_unseen(key));
        let deleted = join_all(deleting).await;
        let stays = |key: &String, deleted: &Result<(), StorageError>| {
            let is_deleted = match deleted {
                Ok(()) => true,
                Err(error) => error.fault() == Fault::NoObject,
            };
            !is_deleted || flown.as_ref() == Some(key) || aborted.is_err() && *key == self.copy_key
        };
        let both = written.iter().zip(&deleted);
        let left = both.filter(|(key, deleted)| stays(key, deleted));
        left.map(|(key, _)| key.clone()).collect()
    }

    /// Waits for the request that is on its way. Gives what it writes if it does not end.
    async fn land(&self) -> Option<String> {
        let mut flight = lock(&self.flight).take()?;
        let landing = tokio::time::timeout(LONGEST_FLIGHT, &mut flight.task).await;
        landing.is_err().then(|| {
            flight.task.abort();
            flight.key
        })
    }

    /// Finds the upload whose beginning was not answered.
    async fn drop_unseen_upload(&self) -> Result<(), StorageError> {
        let found = self.store.unfinished_uploads().await?;
        for upload in found.iter().filter(|upload| upload.key == self.copy_key) {
            let upload = self.store.take_up_upload(&upload.key, &upload.id)?;
            upload.abort().await?;
        }
        Ok(())
    }
}

/// What was noted before a panic is still true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that hardly comes twice: of the time and of this process.
fn fresh_number() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond();
    let seed = format!("{now} {}", std::process::id());
    let hash = blake3::hash(seed.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}
