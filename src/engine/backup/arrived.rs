//! Proves that an object is what was meant to be made, and tells whether it is ours, by looking at the
//! destination.

use crate::archive::{ArchiveError, Finished, TAIL_BYTES, Tail};
use crate::engine::error::EngineError;
use crate::storage::{Fault, ObjectInfo, StorageError, Store};
use bytes::Bytes;

/// An object that was made and checked.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) object: ObjectInfo,
}

/// Whether we made the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    /// Not as far as we know.
    Unknown,
    /// The store said so, with this version tag.
    ByUs(Option<String>),
}

/// Whether the object that is there now is the one that we made. Another computer of the same name
/// may have made one of the same key in the same second: that one is not ours to remove.
pub(super) async fn is_ours(store: &Store, key: &str, wanted: &Finished, made: &Made) -> bool {
    match (made, store.head(key).await) {
        (Made::ByUs(Some(made)), Ok(there)) if there.etag.is_some() => {
            there.etag.as_ref() == Some(made)
        }
        (Made::ByUs(_), Ok(_)) => true,
        (Made::Unknown, Ok(_)) => check(store, key, wanted, None).await.is_ok(),
        (_, Err(_)) => false,
    }
}

/// A lost answer to "complete" looks like a failure: the object itself tells.
pub(super) async fn has_arrived(store: &Store, key: &str, finished: &Finished) -> bool {
    let head = store.head(key).await;
    head.is_ok_and(|info| info.size_bytes == finished.archive_bytes)
}

/// Compares size, end and the seam after what was copied with what was written.
pub(super) async fn check(
    store: &Store,
    key: &str,
    finished: &Finished,
    seam: Option<&(u64, Bytes)>,
) -> Result<Completed, EngineError> {
    let damaged = |what: &str| EngineError::from(StorageError::new(Fault::Damaged).about(what));
    let object = store.head(key).await?;
    let archive_bytes = finished.archive_bytes;
    if object.size_bytes != archive_bytes {
        return Err(damaged("its size differs"));
    }
    let etag = object.etag.as_deref();
    let from = archive_bytes - finished.last_bytes;
    let last = store.read(key, from..archive_bytes, etag).await?;
    if blake3::hash(&last) != finished.last_blake3 {
        return Err(damaged("its end differs"));
    }
    if let Some((offset, bytes)) = seam {
        let range = *offset..offset + bytes.len() as u64;
        if store.read(key, range, etag).await? != *bytes {
            return Err(damaged("what was copied has another length"));
        }
    }
    let keep = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX);
    let tail = Tail::find(&last[last.len().saturating_sub(keep)..], archive_bytes)?;
    if (tail.directory_offset, tail.entries) == (finished.directory_offset, finished.entries) {
        Ok(Completed { object })
    } else {
        Err(ArchiveError::NotAnArchive("its end differs".to_owned()).into())
    }
}
