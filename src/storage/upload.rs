//! `Upload`: one object on its way in parts, whatever the kind of destination.

use super::error::StorageError;
use super::folder_upload::FolderUpload;
use super::memory_upload::MemoryUpload;
use super::s3_upload::S3Upload;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where a part of an upload stands in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlace {
    /// Counts from 1, without holes; providers allow 10,000.
    pub number: u32,
    /// Where the part begins in the object, in bytes; the end of the part before it.
    pub offset: u64,
}

/// A part that the destination has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// Its number, from 1.
    pub number: u32,
    /// Its size.
    pub bytes: u64,
    /// Its version tag with its quotes, as completing wants it; opaque.
    pub etag: String,
}

/// Bytes of another object of the same destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// Full key, the root path included.
    pub key: String,
    /// The version that is meant; another one is [`Fault::Changed`](super::Fault::Changed). Some
    /// gateways do not look at it.
    pub etag: Option<String>,
    /// Which bytes of it.
    pub range: Range<u64>,
}

/// An upload that was begun and neither completed nor aborted; it may still be on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// Full key, the root path included.
    pub key: String,
    /// What [`Store::take_up_upload`](super::Store::take_up_upload) needs.
    pub id: String,
    /// When it was begun, where the destination says so.
    pub begun: Option<Timestamp>,
}

/// How a destination wants the parts of an upload to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartShape {
    /// At the end of an entry or block: each stored part ends in a known state.
    AtBoundaries,
    /// All of one size but the last (Cloudflare R2).
    Uniform,
}

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

    /// Lets the destination copy a part by itself: none of its bytes go over the line.
    ///
    /// [`Fault::Unsupported`](super::Fault::Unsupported) where it cannot: the bytes have to be sent.
    pub async fn copy(
        &self,
        place: PartPlace,
        source: &CopySource,
    ) -> Result<StoredPart, StorageError> {
        match &self.to {
            To::S3(upload) => upload.copy(place, source).await,
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

const MIB: u64 = 1024 * 1024;
/// Smallest part that we send but for the last: above every provider's least of 5 MiB.
const LEAST_PART_BYTES: u64 = 8 * MIB;
/// Parts that an upload may have: providers allow 10,000; some room is left for growth on the way.
const MOST_PARTS: u64 = 9_000;
/// Memory that parts may hold in all.
const PARTS_BUDGET_BYTES: u64 = 64 * MIB;

/// The size of a part, and how many may be in flight, for an object of about `total_bytes`.
///
/// Returns (bytes, parts); the product stays near a fixed budget until single parts exceed it.
pub fn plan_parts(total_bytes: u64) -> (u64, usize) {
    let part_bytes = total_bytes
        .div_ceil(MOST_PARTS)
        .next_multiple_of(MIB)
        .max(LEAST_PART_BYTES);
    let in_flight = (PARTS_BUDGET_BYTES / part_bytes).clamp(2, 5) - 1;
    (part_bytes, usize::try_from(in_flight).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_object_and_fit_the_limits() {
        assert_eq!(plan_parts(0), (8 * MIB, 4));
        assert_eq!(plan_parts(5 << 30), (8 * MIB, 4));
        for total in [1_u64 << 36, 1 << 40, 5 << 40] {
            let (part_bytes, in_flight) = plan_parts(total);
            assert!(total.div_ceil(part_bytes) <= MOST_PARTS, "{total}");
            assert!(part_bytes <= 5 << 30 && in_flight >= 1);
        }
    }
}
