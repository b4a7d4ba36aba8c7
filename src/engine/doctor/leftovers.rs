//! Unfinished uploads at a destination: counted, and cleaned up when a person says so.

use super::probe::PROBE_PREFIX;
use super::sheet::{CheckId, Leftovers, Sheet};
use super::words;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::model::BackupName;
use crate::storage::{Fault, StorageError, Store, UnfinishedUpload};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// What was begun earlier than this is nobody's work in progress.
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// Uploads whose parts are added up; of more, only the number is told.
const MOST_ADDED_UP: usize = 50;
const REQUESTS_AT_ONCE: usize = 4;

/// What a cleaning came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CleanedUp {
    /// Unfinished uploads that were taken back.
    pub uploads: u64,
    /// Those that are younger than a day and may still be on their way.
    pub left: u64,
}

/// Counts what is there.
pub(super) async fn look(store: &Store, sheet: &mut Sheet) {
    let found = match unfinished(store).await {
        Ok(found) => found,
        Err(error) => {
            let told = match error.fault() {
                Fault::Denied => "These keys may not look for unfinished uploads",
                _ => "The server does not tell of unfinished uploads",
            };
            sheet.skipped(CheckId::Unfinished, told);
            sheet.add_refusal(&error);
            return;
        }
    };
    let now = Timestamp::now();
    let old = found.iter().filter(|upload| is_old(upload, now)).count() as u64;
    sheet.leftovers = Leftovers {
        uploads: found.len() as u64,
        old_uploads: old,
        bytes: add_up(store, &found).await.ok().flatten(),
    };
    let told = words::unfinished(&sheet.leftovers);
    if old > 0 {
        sheet.warned(CheckId::Unfinished, told, words::CLEAN_UP);
    } else {
        sheet.passed(CheckId::Unfinished, told);
    }
}

async fn add_up(store: &Store, found: &[UnfinishedUpload]) -> Result<Option<u64>, StorageError> {
    if found.len() > MOST_ADDED_UP {
        return Ok(None);
    }
    let mut sum_bytes = 0;
    for some in found.chunks(REQUESTS_AT_ONCE) {
        let asking = some.iter().map(|upload| stored_bytes(store, upload));
        for bytes in try_join_all(asking).await? {
            sum_bytes += bytes;
        }
    }
    Ok(Some(sum_bytes))
}

async fn stored_bytes(store: &Store, upload: &UnfinishedUpload) -> Result<u64, StorageError> {
    let upload = store.take_up_upload(&upload.key, &upload.id)?;
    let parts = upload.stored_parts().await?;
    Ok(parts.iter().map(|part| part.bytes).sum())
}

/// The unfinished uploads of backups under the root path. Without a root path the bucket may be other
/// programs' too: what they have on its way is nobody's to judge.
async fn unfinished(store: &Store) -> Result<Vec<UnfinishedUpload>, StorageError> {
    let mut found = store.unfinished_uploads().await?;
    found.retain(|upload| {
        let name = upload.key.rsplit('/').next().unwrap_or(&upload.key);
        BackupName::parse(name).is_some() || name.starts_with(PROBE_PREFIX)
    });
    Ok(found)
}

/// Takes back the unfinished uploads of backups under the root path that were begun more than a day ago,
/// whichever computer began them: their storage is paid for, and nothing of them can be restored.
pub async fn clean_up(store: &Store, context: &Context) -> Result<CleanedUp, EngineError> {
    let found = context.or_cancelled(unfinished(store)).await?;
    let now = Timestamp::now();
    let mut cleaned = CleanedUp::default();
    for upload in found {
        if !is_old(&upload, now) {
            cleaned.left += 1;
            continue;
        }
        let upload = store.take_up_upload(&upload.key, &upload.id)?;
        context.or_cancelled(upload.abort()).await?;
        cleaned.uploads += 1;
    }
    Ok(cleaned)
}

fn is_old(upload: &UnfinishedUpload, now: Timestamp) -> bool {
    // One of which it is not known when it began is left alone.
    upload
        .begun
        .is_some_and(|begun| now.duration_since(begun) > OLD)
}
