//! Uploads to a destination in memory: what the contract says, without a server. For tests.

use super::error::{Fault, StorageError};
use super::explain::{Asked, explain};
use super::line::{Line, Way};
use super::parts::{CopySource, PartPlace, StoredPart, UnfinishedUpload};
use bytes::{Bytes, BytesMut};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore as _, PutMode, PutPayload};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A destination in memory.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) client: Arc<InMemory>,
    pub(super) line: Arc<Line>,
    pub(super) uploads: Mutex<Uploads>,
}

/// Uploads by id.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    begun: u64,
    unfinished: BTreeMap<String, Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    key: String,
    parts: BTreeMap<u32, Bytes>,
}

/// One upload to memory.
#[derive(Debug, Clone)]
pub(super) struct MemoryUpload {
    memory: Arc<Memory>,
    path: Path,
    id: String,
}

impl MemoryUpload {
    pub(super) fn begin(memory: &Arc<Memory>, path: Path) -> Self {
        memory.line.count_request();
        let mut uploads = memory.lock();
        uploads.begun += 1;
        let id = uploads.begun.to_string();
        let unfinished = Unfinished {
            key: path.to_string(),
            parts: BTreeMap::new(),
        };
        uploads.unfinished.insert(id.clone(), unfinished);
        drop(uploads);
        Self::take_up(memory, path, id)
    }

    pub(super) fn take_up(memory: &Arc<Memory>, path: Path, id: String) -> Self {
        Self {
            memory: Arc::clone(memory),
            path,
            id,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn send(&self, place: PartPlace, bytes: Bytes) -> Result<StoredPart, StorageError> {
        self.memory.line.count_request();
        let size = bytes.len() as u64;
        self.memory.line.count_bytes(Way::Sent, size);
        self.keep(place, bytes)
    }

    pub(super) async fn copy(
        &self,
        place: PartPlace,
        source: &CopySource,
    ) -> Result<StoredPart, StorageError> {
        self.memory.line.count_request();
        let from = Path::parse(&source.key)
            .map_err(|error| StorageError::new(Fault::NoObject).caused_by(error))?;
        let options = GetOptions {
            range: Some(GetRange::Bounded(source.range.clone())),
            if_match: source.etag.clone(),
            ..GetOptions::default()
        };
        let reading = async {
            self.memory
                .client
                .get_opts(&from, options)
                .await?
                .bytes()
                .await
        };
        let bytes = reading.await.map_err(|error| explain(error, Asked::Copy))?;
        // The client gives what there is of a range.
        let wanted_bytes = source.range.end.saturating_sub(source.range.start);
        if bytes.len() as u64 != wanted_bytes {
            return Err(StorageError::new(Fault::Changed).about("it is shorter than it was"));
        }
        self.keep(place, bytes)
    }

    fn keep(&self, place: PartPlace, bytes: Bytes) -> Result<StoredPart, StorageError> {
        let size = bytes.len() as u64;
        let mut uploads = self.memory.lock();
        let unfinished = uploads.unfinished.get_mut(&self.id).ok_or_else(no_upload)?;
        unfinished.parts.insert(place.number, bytes);
        drop(uploads);
        Ok(stored(place.number, size))
    }

    pub(super) fn stored_parts(&self) -> Result<Vec<StoredPart>, StorageError> {
        let uploads = self.memory.lock();
        let unfinished = uploads.unfinished.get(&self.id).ok_or_else(no_upload)?;
        let parts = unfinished.parts.iter();
        Ok(parts
            .map(|(number, bytes)| stored(*number, bytes.len() as u64))
            .collect())
    }

    pub(super) async fn complete(
        &self,
        parts: &[StoredPart],
    ) -> Result<Option<String>, StorageError> {
        self.memory.line.count_request();
        let whole = self.join(parts)?;
        let payload = PutPayload::from_bytes(whole);
        let client = &self.memory.client;
        let put = client
            .put_opts(&self.path, payload, PutMode::Create.into())
            .await;
        let put = put.map_err(|error| explain(error, Asked::Completion))?;
        self.abort();
        Ok(put.e_tag)
    }

    fn join(&self, parts: &[StoredPart]) -> Result<Bytes, StorageError> {
        let uploads = self.memory.lock();
        let unfinished = uploads.unfinished.get(&self.id).ok_or_else(no_upload)?;
        let mut whole = BytesMut::new();
        for part in parts {
            let bytes = unfinished.parts.get(&part.number);
            let same = bytes.filter(|bytes| bytes.len() as u64 == part.bytes);
            let missing = || StorageError::new(Fault::Other).about("a part is missing");
            whole.extend_from_slice(same.ok_or_else(missing)?);
        }
        drop(uploads);
        Ok(whole.freeze())
    }

    pub(super) fn abort(&self) {
        self.memory.lock().unfinished.remove(&self.id);
    }
}

impl Memory {
    pub(super) fn unfinished_uploads(&self) -> Vec<UnfinishedUpload> {
        let uploads = self.lock();
        let unfinished = uploads.unfinished.iter();
        let upload = |(id, unfinished): (&String, &Unfinished)| UnfinishedUpload {
            key: unfinished.key.clone(),
            id: id.clone(),
            begun: None,
        };
        unfinished.map(upload).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stored(number: u32, bytes: u64) -> StoredPart {
    let etag = format!("\"{number}\"");
    StoredPart {
        number,
        bytes,
        etag,
    }
}

fn no_upload() -> StorageError {
    StorageError::new(Fault::NoUpload)
}
