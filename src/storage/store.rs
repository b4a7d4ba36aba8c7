//! `Store`: an open destination. Lists, reads, writes and deletes whole objects under its root path.

use super::deadline::{Patience, bounded};
use super::error::{Fault, StorageError};
use super::explain::{Asked, explain};
use super::upload::{PartShape, Upload};
use bytes::Bytes;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload,
};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a page of a listing may weigh, for its deadline: a thousand objects are about 300 KB.
const LISTING_BYTES: u64 = 256 * 1024;

/// An open destination. Cheap to clone; clones share connections and counters.
#[derive(Clone)]
pub struct Store {
    clients: Clients,
    root: Path,
    patience: Patience,
    part_shape: PartShape,
    requests: Arc<AtomicU64>,
    /// The folder, of a folder destination.
    folder: Option<PathBuf>,
}

/// Two clients of one destination.
#[derive(Clone)]
pub(super) struct Clients {
    /// As patient as the job.
    pub(super) job: Arc<dyn ObjectStore>,
    /// Never patient: a wrong address must be told at once, also by a long job.
    pub(super) first_contact: Arc<dyn ObjectStore>,
}

/// What a listing tells about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Full key, the root path included.
    pub key: String,
    /// Size.
    pub size_bytes: u64,
    /// When it was stored.
    pub stored: Timestamp,
    /// Version tag, where the store has them; opaque.
    pub etag: Option<String>,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Store({:?} under “{}”)",
            self.patience, self.root
        )
    }
}

impl Store {
    pub(super) fn new(
        clients: Clients,
        root: Path,
        patience: Patience,
        part_shape: PartShape,
    ) -> Self {
        Self {
            clients,
            root,
            patience,
            part_shape,
            requests: Arc::default(),
            folder: None,
        }
    }

    /// Lists this folder itself: the client gives up on a whole folder for one odd name in it.
    pub(super) fn in_folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// The key of the object `name` directly under the root path.
    pub fn key(&self, name: &str) -> String {
        if self.root.as_ref().is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.root)
        }
    }

    /// How this destination wants the parts of an upload.
    pub fn part_shape(&self) -> PartShape {
        self.part_shape
    }

    /// Requests sent so far by this store and its clones; pages and retries are not counted.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Lists the objects directly under the root path. Tries only for seconds.
    pub async fn list(&self) -> Result<Vec<ObjectInfo>, StorageError> {
        if let Some(folder) = self.folder.clone() {
            self.count();
            let listing = tokio::task::spawn_blocking(move || list_folder(&folder));
            let failed = |error| StorageError::new(Fault::Other).caused_by(error);
            return listing.await.map_err(failed)?;
        }
        let root = (!self.root.as_ref().is_empty()).then_some(&self.root);
        let listing = self.clients.first_contact.list_with_delimiter(root);
        // A bucket of many thousand objects comes in many pages.
        let deadline = self.patience.deadline(LISTING_BYTES);
        self.count();
        let listing = tokio::time::timeout(deadline, listing)
            .await
            .map_err(|_| StorageError::new(Fault::TimedOut))?
            .map_err(|error| explain(error, Asked::Bucket))?;
        // Some gateways list the emptied folder itself as an object: it is none of ours.
        let below = |meta: &&ObjectMeta| meta.location != self.root;
        listing
            .objects
            .iter()
            .filter(below)
            .map(ObjectInfo::of)
            .collect()
    }

    /// Looks at one object.
    pub async fn head(&self, key: &str) -> Result<ObjectInfo, StorageError> {
        let path = parse(key)?;
        let meta = self
            .bounded(0, Asked::Object, self.clients.job.head(&path))
            .await?;
        ObjectInfo::of(&meta)
    }

    /// Whether there is an object of this key.
    pub async fn exists(&self, key: &str) -> Result<bool, StorageError> {
        match self.head(key).await {
            Ok(_) => Ok(true),
            Err(error) if error.fault() == Fault::NoObject => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads the bytes `range` of an object; with `etag`, only of that very version.
    ///
    /// The whole range comes into memory: callers read a few MiB at a time.
    pub async fn read(
        &self,
        key: &str,
        range: Range<u64>,
        etag: Option<&str>,
    ) -> Result<Bytes, StorageError> {
        let path = parse(key)?;
        let wanted_bytes = range.end.saturating_sub(range.start);
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: etag.map(ToOwned::to_owned),
            ..GetOptions::default()
        };
        let reading = async {
            self.clients
                .job
                .get_opts(&path, options)
                .await?
                .bytes()
                .await
        };
        let bytes = self.bounded(wanted_bytes, Asked::Object, reading).await?;
        if bytes.len() as u64 == wanted_bytes {
            Ok(bytes)
        } else {
            Err(StorageError::new(Fault::Damaged)
                .about(format!("{} of {wanted_bytes} bytes came back", bytes.len())))
        }
    }

    /// Writes a small object in one request, unless there is one of this key. Gives its version tag,
    /// where the store has them.
    pub async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Option<String>, StorageError> {
        let path = parse(key)?;
        let size = bytes.len() as u64;
        let payload = PutPayload::from_bytes(bytes);
        let create = self
            .clients
            .job
            .put_opts(&path, payload.clone(), PutMode::Create.into());
        let put = match self.bounded(size, Asked::NewObject, create).await {
            // Stores that know no conditional write answer 501 NotImplemented (OSS); the name is
            // unique and was looked for before, so a plain write does not overwrite anything.
            Err(error) if error.code() == Some("NotImplemented") => {
                let put = self.clients.job.put(&path, payload);
                self.bounded(size, Asked::NewObject, put).await?
            }
            result => result?,
        };
        Ok(put.e_tag)
    }

    /// Begins to write an object in parts; it exists only once the upload is complete.
    pub async fn upload(&self, key: &str, in_flight: usize) -> Result<Upload, StorageError> {
        let path = parse(key)?;
        let begin = self.clients.job.put_multipart(&path);
        let upload = self.bounded(0, Asked::Bucket, begin).await?;
        Ok(Upload::new(
            upload,
            in_flight,
            self.patience,
            Arc::clone(&self.requests),
        ))
    }

    /// Deletes one object. One that is not there is an error, because somebody believed it was.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let path = parse(key)?;
        self.head(key).await?;
        self.bounded(0, Asked::Object, self.clients.job.delete(&path))
            .await
    }

    /// Deletes what may or may not be there.
    pub async fn delete_if_there(&self, key: &str) -> Result<(), StorageError> {
        match self.delete(key).await {
            Err(error) if error.fault() == Fault::NoObject => Ok(()),
            result => result,
        }
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    async fn bounded<T>(
        &self,
        bytes: u64,
        asked: Asked,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, StorageError> {
        self.count();
        bounded(self.patience, bytes, asked, work).await
    }
}

impl ObjectInfo {
    fn of(meta: &ObjectMeta) -> Result<Self, StorageError> {
        let millis = meta.last_modified.timestamp_millis();
        let stored = Timestamp::from_millisecond(millis)
            .map_err(|error| StorageError::new(Fault::Other).caused_by(error))?;
        Ok(Self {
            key: meta.location.to_string(),
            size_bytes: meta.size,
            stored,
            etag: meta.e_tag.clone(),
        })
    }
}

/// The files of a folder. Names that no key can have are left out: nothing could be done with them.
fn list_folder(folder: &std::path::Path) -> Result<Vec<ObjectInfo>, StorageError> {
    let failed = |error: io::Error| {
        StorageError::new(Fault::Folder)
            .about(error.to_string())
            .caused_by(error)
    };
    let mut objects = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Through a link, as the client reads it; one that leads nowhere holds nothing.
        let Ok(metadata) = std::fs::metadata(entry.path()) else {
            continue;
        };
        if !metadata.is_file() || Path::parse(&name).is_err() || is_unfinished(&name) {
            continue;
        }
        let stored = metadata
            .modified()
            .ok()
            .and_then(|time| Timestamp::try_from(time).ok());
        objects.push(ObjectInfo {
            key: name,
            size_bytes: metadata.len(),
            stored: stored.unwrap_or(Timestamp::UNIX_EPOCH),
            etag: None,
        });
    }
    Ok(objects)
}

/// Whether a file is the client's own staging file, `<name>#<number>`.
fn is_unfinished(name: &str) -> bool {
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn parse(key: &str) -> Result<Path, StorageError> {
    Path::parse(key).map_err(|error| {
        StorageError::new(Fault::NoObject)
            .about(format!("“{key}” cannot be a key"))
            .caused_by(error)
    })
}
