//! `Upload`: one object on its way in parts, whatever the kind of destination.

use super::error::StorageError;
use super::folder_upload::FolderUpload;
use super::memory_upload::MemoryUpload;
use super::parts::{CopySource, PartPlace, StoredPart};
use super::s3_upload::{Extent, S3Upload};
use bytes::Bytes;

/// One object in parts on its way; cheap to clone. It does not exist before [`Upload::complete`].
///
/// Dropping it does nothing: what remains is found by
/// [`Store::unfinished_uploads`](super::Store::unfinished_uploads). How many parts are on their way
/// at once is for the caller to bound.
#[derive(Debug, Clone)]
pub struct Upload {
    key: String,
    to: To,
}

#[derive(Debug, Clone)]
pub(super) enum To {
    S3(S3Upload),
    Folder(FolderUpload),
    Memory(MemoryUpload),
}

impl Upload {
    pub(super) fn new(key: &str, to: To) -> Self {
        Self {
            key: key.to_owned(),
            to,
        }
    }

    /// Full key of the object, the root path included.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What a later run takes the upload up by.
    pub fn id(&self) -> &str {
        match &self.to {
            To::S3(upload) => upload.id(),
            To::Folder(upload) => upload.id(),
            To::Memory(upload) => upload.id(),
        }
    }

    /// Sends a part. One that is there already is replaced.
    pub async fn send(&self, place: PartPlace, bytes: Bytes) -> Result<StoredPart, StorageError> {
        match &self.to {
            To::S3(upload) => upload.send(place, bytes).await,
            To::Folder(upload) => upload.send(place, bytes).await,
            To::Memory(upload) => upload.send(place, bytes),
        }
    }

    /// Lets the destination copy a whole object, however small, as a part. The range of `source` must be
    /// all of it.
    pub async fn copy_whole(
        &self,
        place: PartPlace,
        source: &CopySource,
    ) -> Result<StoredPart, StorageError> {
        match &self.to {
            To::S3(upload) => upload.copy(place, source, Extent::Whole).await,
            To::Folder(_) | To::Memory(_) => self.copy(place, source).await,
        }
    }

    /// Lets the destination copy a part by itself: none of its bytes go over the line.
    ///
    /// [`Fault::Unsupported`](super::Fault::Unsupported) where it cannot: the bytes have to be sent.
    pub async fn copy(
        &self,
        place: PartPlace,
        source: &CopySource,
    ) -> Result<StoredPart, StorageError> {
        match &self.to {
            To::S3(upload) => upload.copy(place, source, Extent::Named).await,
            To::Folder(upload) => upload.copy(place, source).await,
            To::Memory(upload) => upload.copy(place, source).await,
        }
    }

    /// The parts that the destination has, by number. [`Fault::NoUpload`](super::Fault::NoUpload) when
    /// the upload is gone. Where [`Store::keeps_parts`](super::Store::keeps_parts) says no, there are
    /// none to go on from.
    pub async fn stored_parts(&self) -> Result<Vec<StoredPart>, StorageError> {
        match &self.to {
            To::S3(upload) => upload.stored_parts().await,
            To::Folder(upload) => upload.stored_parts().await,
            To::Memory(upload) => upload.stored_parts(),
        }
    }

    /// Makes the object of exactly these parts, in their order, and gives its version tag, where the
    /// store has them. One that is there already is not overwritten, where the store can tell.
    ///
    /// [`Fault::NoUpload`](super::Fault::NoUpload) may also mean that it was done and the answer got
    /// lost: the object itself tells.
    pub async fn complete(&self, parts: &[StoredPart]) -> Result<Option<String>, StorageError> {
        match &self.to {
            To::S3(upload) => upload.complete(parts).await,
            To::Folder(upload) => upload.complete(parts).await,
            To::Memory(upload) => upload.complete(parts).await,
        }
    }

    /// Takes everything back. One that is gone is fine.
    pub async fn abort(&self) -> Result<(), StorageError> {
        match &self.to {
            To::S3(upload) => upload.abort().await,
            To::Folder(upload) => upload.abort().await,
            To::Memory(upload) => {
                upload.abort();
                Ok(())
            }
        }
    }
}
