//! `Store`: an open destination. Lists, reads, writes and deletes whole objects under its root path.

use super::answers;
use super::attempts::Attempts;
use super::deadline::Load;
use super::error::{Fault, StorageError};
use super::explain::{Asked, explain};
use super::folder;
use super::folder_upload::{Folder, FolderUpload};
use super::line::{LineStatus, Way};
use super::memory_upload::{Memory, MemoryUpload};
use super::object::ObjectInfo;
use super::parts::{PartLimits, PartShape, UnfinishedUpload};
use super::s3_deletion::MOST_KEYS;
use super::s3_upload::{Bucket, S3Upload};
use super::upload::{To, Upload};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload,
};
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// An open destination. Cheap to clone; clones share connections and counters.
#[derive(Clone)]
pub struct Store {
    /// As patient as the job.
    client: Arc<dyn ObjectStore>,
    job: Attempts,
    quick: Attempts,
    kind: Kind,
    root: Path,
    identity: String,
    part_shape: PartShape,
    part_limits: PartLimits,
}

/// What only some kinds of destination do in their own way.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    S3(Arc<Bucket>),
    Folder(Arc<Folder>),
    Memory(Arc<Memory>),
}

/// What a store is made of.
pub(super) struct Opened {
    pub(super) client: Arc<dyn ObjectStore>,
    pub(super) job: Attempts,
    pub(super) quick: Attempts,
    pub(super) kind: Kind,
    pub(super) root: Path,
    /// Without the root path.
    pub(super) place: String,
    pub(super) part_shape: PartShape,
    pub(super) part_limits: PartLimits,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Store({})", self.identity)
    }
}

impl Store {
    pub(super) fn new(opened: Opened) -> Self {
        let separator = if opened.root.as_ref().is_empty() {
            ""
        } else {
            "/"
        };
        Self {
            identity: format!("{}{separator}{}", opened.place, opened.root),
            client: opened.client,
            job: opened.job,
            quick: opened.quick,
            kind: opened.kind,
            root: opened.root,
            part_shape: opened.part_shape,
            part_limits: opened.part_limits,
        }
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

    /// How big parts may be here, and how many.
    pub fn part_limits(&self) -> PartLimits {
        self.part_limits
    }

    /// The same destination with other limits, for who knows better than the table of providers.
    #[must_use]
    pub fn with_part_limits(self, part_limits: PartLimits) -> Self {
        Self {
            part_limits,
            ..self
        }
    }

    /// Names the destination for what is remembered about it: endpoint, bucket and root path, or the
    /// folder. No secrets.
    pub fn identity(&self) -> String {
        self.identity.clone()
    }

    /// Requests so far by this store and its clones, with pages and further attempts.
    pub fn requests(&self) -> u64 {
        self.line().requests
    }

    /// Bytes and requests so far by this store and its clones, and what is wrong at the moment.
    pub fn line(&self) -> LineStatus {
        self.job.line().status()
    }

    /// Lists the objects directly under the root path. Tries only for seconds.
    pub async fn list(&self) -> Result<Vec<ObjectInfo>, StorageError> {
        // The client gives up on all of a folder or bucket for one odd name in it.
        match &self.kind {
            Kind::S3(bucket) => return bucket.objects(&self.key("")).await,
            Kind::Folder(folder) => {
                let path = folder.path.clone();
                let list = move || folder::objects(&path);
                return folder.blocking(Load::SMALL, list).await;
            }
            Kind::Memory(_) => {}
        }
        let root = (!self.root.as_ref().is_empty()).then_some(&self.root);
        let list = || async {
            let listing = self.client.list_with_delimiter(root).await;
            listing.map_err(|error| explain(error, Asked::Bucket))
        };
        self.count();
        let listing = self.quick.run(Load::SMALL, list).await?;
        listing.objects.iter().map(|meta| self.info(meta)).collect()
    }

    /// Looks at one object.
    pub async fn head(&self, key: &str) -> Result<ObjectInfo, StorageError> {
        let path = parse(key)?;
        let head = || self.client.head(&path);
        match self.run(Load::SMALL, Asked::Object, head).await {
            Ok(meta) => self.info(&meta),
            Err(error) if error.fault() == Fault::Denied && Box::pin(self.lacks(key)).await => {
                Err(StorageError::new(Fault::NoObject).caused_by(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether an object is not there by the word of the list.
    ///
    /// To keys that may list below the root path alone, as those of our own policy, AWS and others do not say
    /// that an object is missing: they refuse (AWS, `HeadObject`: 403 without `s3:ListBucket`).
    async fn lacks(&self, key: &str) -> bool {
        let name = key.strip_prefix(&self.key(""));
        if !matches!(self.kind, Kind::S3(_)) || name.is_none_or(|name| name.contains('/')) {
            return false;
        }
        let listed = self.list().await;
        listed.is_ok_and(|objects| objects.iter().all(|object| object.key != key))
    }

    fn info(&self, meta: &ObjectMeta) -> Result<ObjectInfo, StorageError> {
        let info = ObjectInfo::of(meta)?;
        Ok(ObjectInfo {
            etag: self.tag(info.etag),
            ..info
        })
    }

    /// A version tag in the one form in which it is compared and remembered: a bucket may write it in
    /// another way in each kind of answer.
    fn tag(&self, etag: Option<String>) -> Option<String> {
        match &self.kind {
            Kind::S3(_) => answers::tag(&etag?),
            Kind::Folder(_) | Kind::Memory(_) => etag,
        }
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
        let read = || async {
            let answer = self.client.get_opts(&path, options.clone()).await?;
            answer.bytes().await
        };
        let load = Load::receives(wanted_bytes);
        let bytes = self.run(load, Asked::Object, read).await?;
        self.count_bytes(Way::Received, bytes.len() as u64);
        if bytes.len() as u64 == wanted_bytes {
            Ok(bytes)
        } else {
            Err(StorageError::new(Fault::Damaged)
                .about(format!("{} of {wanted_bytes} bytes came back", bytes.len())))
        }
    }

    /// Looks at one object and reads its last bytes, at most so many, in one request. Gives no bytes where
    /// the destination does not answer such a request rightly: then only the look is certain.
    pub async fn read_end(
        &self,
        key: &str,
        most_bytes: u64,
    ) -> Result<(ObjectInfo, Bytes), StorageError> {
        let path = parse(key)?;
        let options = GetOptions {
            range: Some(GetRange::Suffix(most_bytes)),
            ..GetOptions::default()
        };
        let read = || async {
            let answer = self.client.get_opts(&path, options.clone()).await?;
            let (meta, range) = (answer.meta.clone(), answer.range.clone());
            Ok((meta, range, answer.bytes().await?))
        };
        let load = Load::receives(most_bytes);
        let (meta, range, bytes) = match self.run(load, Asked::Object, read).await {
            Ok(answer) => answer,
            // An empty object has no last bytes, and not every server knows this kind of range.
            Err(error)
                if matches!(
                    error.fault(),
                    Fault::RangeIgnored | Fault::Unsupported | Fault::Other
                ) =>
            {
                return Ok((self.head(key).await?, Bytes::new()));
            }
            Err(error) => return Err(error),
        };
        self.count_bytes(Way::Received, bytes.len() as u64);
        let info = self.info(&meta)?;
        let wanted_bytes = most_bytes.min(info.size_bytes);
        let is_whole = range.end == info.size_bytes && bytes.len() as u64 == wanted_bytes;
        Ok((info, if is_whole { bytes } else { Bytes::new() }))
    }

    /// Writes a small object in one request, unless there is one of this key. Gives its version tag,
    /// where the store has them.
    pub async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Option<String>, StorageError> {
        let path = parse(key)?;
        if let Kind::S3(bucket) = &self.kind {
            return bucket.put_new(&path, bytes).await;
        }
        let size = bytes.len() as u64;
        let payload = PutPayload::from_bytes(bytes);
        let put = || {
            let mode = PutMode::Create.into();
            self.client.put_opts(&path, payload.clone(), mode)
        };
        let done = self.run(Load::sends(size), Asked::NewObject, put).await?;
        self.count_bytes(Way::Sent, size);
        Ok(self.tag(done.e_tag))
    }

    /// Begins to write an object in parts; it exists only once the upload is complete.
    pub async fn begin_upload(&self, key: &str) -> Result<Upload, StorageError> {
        let path = parse(key)?;
        let to = match &self.kind {
            Kind::S3(bucket) => To::S3(S3Upload::begin(bucket, path).await?),
            Kind::Folder(folder) => To::Folder(FolderUpload::begin(folder, &path).await?),
            Kind::Memory(memory) => To::Memory(MemoryUpload::begin(memory, path)),
        };
        Ok(Upload::new(key, to))
    }

    /// Knows an upload again that was begun before. Asks nobody: whether it is still there, its parts
    /// tell.
    pub fn take_up_upload(&self, key: &str, id: &str) -> Result<Upload, StorageError> {
        let path = parse(key)?;
        let own = id.to_owned();
        let to = match &self.kind {
            Kind::S3(bucket) => To::S3(S3Upload::take_up(bucket, path, own)),
            Kind::Folder(folder) => To::Folder(FolderUpload::take_up(folder, &path, id)?),
            Kind::Memory(memory) => To::Memory(MemoryUpload::take_up(memory, path, own)),
        };
        Ok(Upload::new(key, to))
    }

    /// Uploads that were begun and neither completed nor aborted, of keys directly under the root
    /// path. They may be other computers', and still on their way.
    pub async fn unfinished_uploads(&self) -> Result<Vec<UnfinishedUpload>, StorageError> {
        let prefix = self.key("");
        let mut found = match &self.kind {
            Kind::S3(bucket) => bucket.unfinished_uploads(&prefix).await?,
            Kind::Folder(folder) => {
                let path = folder.path.clone();
                let list = move || folder::unfinished(&path);
                folder.blocking(Load::SMALL, list).await?
            }
            Kind::Memory(memory) => memory.unfinished_uploads(),
        };
        // Not every server looks at the prefix.
        found.retain(|upload| {
            let name = upload.key.strip_prefix(&prefix);
            name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        });
        Ok(found)
    }

    /// Whether a later run can go on from the parts of an upload: buckets keep them.
    pub fn keeps_parts(&self) -> bool {
        matches!(self.kind, Kind::S3(_))
    }

    /// Deletes one object. One that is not there is an error, because somebody believed it was.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self.head(key).await {
            // Keys that may not look may still delete.
            Err(error) if error.fault() == Fault::Denied => {}
            looked => drop(looked?),
        }
        self.delete_unseen(key).await
    }

    /// Deletes one object without looking first whether it is there, which only some destinations tell.
    pub async fn delete_unseen(&self, key: &str) -> Result<(), StorageError> {
        let path = parse(key)?;
        let delete = || self.client.delete(&path);
        self.run(Load::SMALL, Asked::Object, delete).await
    }

    /// Whether one request may delete several objects.
    pub fn deletes_several(&self) -> bool {
        matches!(self.kind, Kind::S3(_))
    }

    /// Deletes objects that are there, in as few requests as the destination takes, and gives those that are
    /// gone for certain. Of others nothing is known: they are for [`delete_if_there`](Self::delete_if_there),
    /// which says what is wrong with them.
    pub async fn delete_at_once(&self, keys: &[&str]) -> HashSet<String> {
        let mut gone = HashSet::new();
        let Kind::S3(bucket) = &self.kind else {
            return gone;
        };
        // XML has no control characters: of some it would make others, and so another key.
        let keys = keys.iter().copied();
        let keys: Vec<&str> = keys.filter(|key| !key.contains(char::is_control)).collect();
        for keys in keys.chunks(MOST_KEYS) {
            match bucket.delete_at_once(keys).await {
                Ok(deleted) => gone.extend(deleted),
                Err(error) => {
                    tracing::info!(%error, "objects are deleted one by one");
                    break;
                }
            }
        }
        gone
    }

    /// Deletes what may or may not be there.
    pub async fn delete_if_there(&self, key: &str) -> Result<(), StorageError> {
        match self.delete(key).await {
            Err(error) if error.fault() == Fault::NoObject => Ok(()),
            result => result,
        }
    }

    async fn run<T, F>(
        &self,
        load: Load,
        asked: Asked,
        work: impl Fn() -> F + Send + Sync,
    ) -> Result<T, StorageError>
    where
        T: Send,
        F: Future<Output = object_store::Result<T>> + Send,
    {
        self.count();
        let explained = || async { work().await.map_err(|error| explain(error, asked)) };
        self.job.run(load, explained).await
    }

    /// The transport counts by itself; where there is none, this does.
    fn count(&self) {
        if !matches!(self.kind, Kind::S3(_)) {
            self.job.line().count_request();
        }
    }

    fn count_bytes(&self, way: Way, bytes: u64) {
        if !matches!(self.kind, Kind::S3(_)) {
            self.job.line().count_bytes(way, bytes);
        }
    }
}

fn parse(key: &str) -> Result<Path, StorageError> {
    Path::parse(key).map_err(|error| {
        StorageError::new(Fault::NoObject)
            .about(format!("“{key}” cannot be a key"))
            .caused_by(error)
    })
}
