//! The archive that a new one continues: the newest of this profile and device, and what is known of it.

use crate::engine::backup::index::{ArchiveId, Index, IndexHead};
use crate::engine::backup::memory::Memory;
use crate::engine::backup::recover::recover;
use crate::engine::error::EngineError;
use crate::engine::request::BackupRequest;
use crate::model::{BackupName, Manifest, Os, recency};
use crate::storage::{ObjectInfo, Store};
use jiff::Timestamp;
use std::sync::Arc;

/// An archive that can be continued.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) index: Arc<Index>,
    pub(super) head: IndexHead,
    pub(super) manifest: Manifest,
    /// The object's tag, where the store has them.
    pub(super) etag: Option<String>,
    /// Whether its index is in this computer's memory.
    pub(super) is_kept: bool,
}

/// The newest archive of this profile and device; `None` where there is none.
pub(super) fn newest<'a>(
    store: &Store,
    listed: &'a [ObjectInfo],
    request: &BackupRequest,
) -> Option<&'a ObjectInfo> {
    let created = |object: &ObjectInfo| {
        let name = object.key.rsplit('/').next()?;
        let parsed: BackupName = BackupName::parse(name)?;
        let same = BackupName::new(
            &request.profile,
            parsed.created,
            &request.device,
            Os::current(),
        );
        (store.key(&same.to_string()) == object.key).then_some(parsed.created)
    };
    let own = listed
        .iter()
        .filter_map(|object| Some((created(object)?, object)));
    let now = Timestamp::now();
    own.max_by_key(|(created, _)| recency(*created, now))
        .map(|(_, object)| object)
}

/// Tells this object from any other, also from a later one of the same key.
pub(super) fn id_of(store: &Store, object: &ObjectInfo) -> ArchiveId {
    ArchiveId {
        destination: store.identity(),
        key: object.key.clone(),
        size_bytes: object.size_bytes,
        version: object
            .etag
            .clone()
            .unwrap_or_else(|| object.stored.to_string()),
    }
}

/// What is known of `object`, from this computer's memory or else from the object itself. `None`, with
/// a note in the log, where it cannot be continued; an error only where that may pass by itself.
pub(super) async fn open(
    store: &Store,
    object: &ObjectInfo,
    memory: &Memory,
) -> Result<Option<Base>, EngineError> {
    let id = id_of(store, object);
    let path = memory.index();
    let kept = tokio::task::spawn_blocking(move || Index::open(&path)).await;
    if let Ok(Some((index, head))) = kept
        && head.archive == id
        && let Ok(manifest) = head.manifest()
    {
        return Ok(Some(Base {
            index: Arc::new(index),
            head,
            manifest,
            etag: object.etag.clone(),
            is_kept: true,
        }));
    }
    match recover(store, object, id, &memory.scratch()).await {
        Ok((index, head, manifest)) => Ok(Some(Base {
            index: Arc::new(index),
            head,
            manifest,
            etag: object.etag.clone(),
            is_kept: false,
        })),
        // Sending everything because of a moment's trouble would cost far more than trying again.
        Err(error) if error.may_pass() => Err(error),
        Err(error) => {
            tracing::warn!(%error, key = object.key, "the last backup cannot be continued");
            Ok(None)
        }
    }
}
