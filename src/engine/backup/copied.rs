//! One copy at the destination, and whether its failure is one of copying or of everything there.

use crate::engine::error::EngineError;
use crate::storage::{CopySource, Fault, PartPlace, StorageError, Store, StoredPart, Upload};

/// Lets the destination copy; [`EngineError::CannotCopy`] where the bytes have to be sent instead.
pub(super) async fn copied(
    store: &Store,
    upload: &Upload,
    place: PartPlace,
    source: &CopySource,
) -> Result<StoredPart, EngineError> {
    let error = match upload.copy(place, source).await {
        Ok(part) => return Ok(part),
        Err(error) => error,
    };
    // Where only copies fail, waiting for better times would never end: every run would fail like this one.
    if may_be_of_copies(&error) && store.head(&source.key).await.is_ok() {
        return Err(EngineError::CannotCopy(error));
    }
    Err(EngineError::of_copy(error))
}

/// Whether it may be an outage, or the server's trouble with just this kind of request.
fn may_be_of_copies(error: &StorageError) -> bool {
    matches!(
        error.fault(),
        Fault::Busy | Fault::TimedOut | Fault::Stalled
    )
}
