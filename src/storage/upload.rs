//! `Upload`: one object in parts, a bounded number of them in flight, aborted on every early exit.

use super::deadline::{Patience, bounded};
use super::error::{Fault, StorageError};
use super::explain::Asked;
use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// How a destination wants the parts of an upload to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartShape {
    /// At the end of an entry or block: each stored part ends in a known state.
    AtBoundaries,
    /// All of one size but the last (Cloudflare R2).
    Uniform,
}

/// One object on its way to the destination. It does not exist there before [`Upload::complete`].
pub struct Upload {
    /// `None` once completed or aborted.
    inner: Option<Box<dyn MultipartUpload>>,
    parts: JoinSet<Result<u64, StorageError>>,
    in_flight: usize,
    patience: Patience,
    requests: Arc<AtomicU64>,
    sent_bytes: Arc<AtomicU64>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Upload({} parts in flight)", self.parts.len())
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

impl Upload {
    pub(super) fn new(
        inner: Box<dyn MultipartUpload>,
        in_flight: usize,
        patience: Patience,
        requests: Arc<AtomicU64>,
    ) -> Self {
        Self {
            inner: Some(inner),
            parts: JoinSet::new(),
            in_flight: in_flight.max(1),
            patience,
            requests,
            sent_bytes: Arc::default(),
        }
    }

    /// A counter of the bytes that have arrived.
    pub fn sent_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent_bytes)
    }

    /// Sends the next part as soon as there is room for it in flight.
    ///
    /// Parts arrive in the order of the calls. An error may be that of an earlier part.
    pub async fn send(&mut self, part: Bytes) -> Result<(), StorageError> {
        while self.parts.len() >= self.in_flight {
            self.join_one().await?;
        }
        let size = part.len() as u64;
        let Some(inner) = self.inner.as_mut() else {
            return Err(StorageError::new(Fault::Other).about("the upload has ended"));
        };
        let sending = inner.put_part(PutPayload::from_bytes(part));
        let (patience, sent_bytes) = (self.patience, Arc::clone(&self.sent_bytes));
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.parts.spawn(async move {
            bounded(patience, size, Asked::Bucket, sending).await?;
            sent_bytes.fetch_add(size, Ordering::Relaxed);
            Ok(size)
        });
        Ok(())
    }

    async fn join_one(&mut self) -> Result<(), StorageError> {
        match self.parts.join_next().await {
            None | Some(Ok(Ok(_))) => Ok(()),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(error)) => Err(StorageError::new(Fault::Other).caused_by(error)),
        }
    }

    /// Waits for all parts and makes the object exist. Gives its version tag, where the store has them.
    pub async fn complete(&mut self) -> Result<Option<String>, StorageError> {
        while !self.parts.is_empty() {
            self.join_one().await?;
        }
        let Some(inner) = self.inner.as_mut() else {
            return Err(StorageError::new(Fault::Other).about("the upload has ended"));
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let put = bounded(self.patience, 0, Asked::Bucket, inner.complete()).await?;
        self.inner = None;
        Ok(put.e_tag)
    }

    /// Takes everything back. Its own failure is only logged: there is nothing more to do about it.
    pub async fn abort(&mut self) {
        self.parts.shutdown().await;
        if let Some(mut inner) = self.inner.take() {
            self.requests.fetch_add(1, Ordering::Relaxed);
            abort(inner.as_mut()).await;
        }
    }
}

async fn abort(inner: &mut dyn MultipartUpload) {
    let aborting = bounded(Patience::Interactive, 0, Asked::Bucket, inner.abort());
    if let Err(error) = aborting.await {
        tracing::warn!(%error, "an unfinished upload could not be taken back");
    }
}

impl Drop for Upload {
    /// The last resort, when a job is dropped in mid-flight: S3 cannot clean up by itself.
    fn drop(&mut self) {
        if let Some(mut inner) = self.inner.take() {
            self.parts.abort_all();
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { abort(inner.as_mut()).await });
            }
        }
    }
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
