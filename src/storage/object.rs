//! `ObjectInfo`: what is known of an object without reading it.

use super::error::{Fault, StorageError};
use jiff::Timestamp;
use object_store::ObjectMeta;

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

impl ObjectInfo {
    pub(super) fn of(meta: &ObjectMeta) -> Result<Self, StorageError> {
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
