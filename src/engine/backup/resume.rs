//! Going on with the upload of an interrupted run, and cleaning up those that nobody goes on with.

use crate::archive::EntryName;
use crate::engine::backup::attempt::{Job, Resumed};
use crate::engine::backup::base::{self, Base};
use crate::engine::backup::delivery::Begun;
use crate::engine::backup::index::Index;
use crate::engine::backup::journal::{Journal, Left, Progress, SparePart, Start, Unfinished};
use crate::engine::backup::memory::Memory;
use crate::engine::backup::parts::{Beginning, OpenFile};
use crate::engine::backup::pipeline::Interrupted;
use crate::engine::backup::prefix::Prefix;
use crate::engine::backup::scan::{SourceEntry, Sources};
use crate::engine::backup::sort::Sorter;
use crate::engine::error::EngineError;
use crate::engine::request::{BackupOptions, DeletedData, Earlier};
use crate::model::{BackupName, EntryKind};
use crate::storage::{ObjectInfo, Store, StoredPart, UnfinishedUpload, Upload};
use jiff::{Timestamp, ToSpan as _};
use std::ffi::OsString;
use std::path::Path;

/// An interrupted run that can be gone on with.
#[derive(Debug)]
pub(super) struct TakenUp {
    pub(super) start: Start,
    pub(super) base: Option<(Base, Prefix)>,
    pub(super) resumed: Resumed,
    /// Bytes that need not be sent again.
    pub(super) bytes: u64,
}

/// Looks for an upload that an earlier run of this profile and device could not end. Whatever stands in
/// the way of going on with it, the upload is taken back, as far as that can be done; only a line that
/// does not work is an error.
pub(super) async fn take_up(
    store: &Store,
    listed: &[ObjectInfo],
    memory: &Memory,
    job: &Job,
) -> Result<Option<TakenUp>, EngineError> {
    let path = memory.journal();
    let reading = tokio::task::spawn_blocking(move || Journal::read(&path));
    let unfinished = match reading.await {
        Ok(Some(Left::Upload(unfinished))) => *unfinished,
        Ok(Some(Left::Intent { key })) => {
            take_back(store, &key).await;
            Journal::forget(&memory.journal());
            return Ok(None);
        }
        Ok(None) | Err(_) => return Ok(None),
    };
    let start = unfinished.start.clone();
    let upload = store.take_up_upload(&start.key, &start.upload_id)?;
    let stored = match upload.stored_parts().await {
        Ok(stored) => stored,
        Err(error) => {
            let error = EngineError::from(error);
            if error.may_pass() {
                return Err(error);
            }
            tracing::info!(%error, key = start.key, "an upload cannot be gone on with");
            Vec::new()
        }
    };
    let folders = job.sources.folders();
    // Whoever takes a folder out of a backup does not expect its data in the next one.
    let lost_folders = !start.folders.iter().all(|folder| folders.contains(folder));
    let is_usable =
        store.keeps_parts() && !lost_folders && is_wanted(&unfinished, listed, job.request.options);
    let progress = unfinished.progress(&stored);
    let has_some = !progress.parts.is_empty() || !progress.spare.is_empty();
    let base = if is_usable
        && has_some
        && begins_alike(&start, &progress, &job.sources, &memory.journal())
    {
        base_of(store, &start, listed, memory).await?
    } else {
        None
    };
    let Some(base) = base else {
        tracing::info!(key = start.key, "an interrupted upload is taken back");
        if let Err(error) = upload.abort().await {
            tracing::warn!(%error, "an interrupted upload could not be taken back");
        }
        Journal::forget(&memory.journal());
        return Ok(None);
    };
    prepare(progress, base, (start, folders), upload, memory)
        .await
        .map(Some)
}

/// Whether a run with these options may go on with the upload.
fn is_wanted(unfinished: &Unfinished, listed: &[ObjectInfo], options: BackupOptions) -> bool {
    let start = &unfinished.start;
    let is_done = listed.iter().any(|object| object.key == start.key);
    // What was copied may be damaged, what was sent by then may hold what is to be removed.
    let is_unwanted = options.deleted_data == DeletedData::RemoveNow
        || (options.earlier == Earlier::NotTrusted && start.base.is_some());
    !is_done && !is_unwanted && !unfinished.is_stale(Timestamp::now())
}

/// Whether what stands first in the archive, which is a folder that was backed up, will be in it.
/// Programs that look there first, as 7-Zip does, read an archive wrongly that begins with a gap.
fn begins_alike(start: &Start, progress: &Progress, sources: &Sources, journal: &Path) -> bool {
    if start.base.is_some() {
        return true;
    }
    let mut is_wanted = true;
    let first_part = &progress.entries_at[..progress.entries_at.len().min(1)];
    let read = Journal::each_entry(journal, first_part, &mut |entry| {
        is_wanted &= entry.record.header_offset != 0 || sources.has_root(entry.order());
        Ok(())
    });
    read.is_ok() && is_wanted
}

/// Makes everything ready to go on.
async fn prepare(
    progress: Progress,
    base: Option<(Base, Prefix)>,
    (start, folders): (Start, Vec<OsString>),
    upload: Upload,
    memory: &Memory,
) -> Result<TakenUp, EngineError> {
    let bytes = progress.sent_bytes;
    let copies = base.as_ref().map_or(0, |(_, prefix)| prefix.copies());
    let memory = memory.clone();
    let read = move || read_progress(progress, copies, folders, &memory);
    let preparing = tokio::task::spawn_blocking(read);
    let (entries, (parts, spare, journal), beginning, open) = preparing
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
        .map_err(EngineError::OwnData)?;
    let begun_block = open.as_ref().and_then(|open| open.begun);
    let resumed = Resumed {
        begun: Begun {
            upload,
            parts,
            spare,
            journal,
        },
        entries,
        interrupted: open.map(interrupted_of),
        begun_block,
        beginning,
    };
    Ok(TakenUp {
        start,
        base,
        resumed,
        bytes,
    })
}

/// What the interrupted run continued: outer `None` where it is there no more.
async fn base_of(
    store: &Store,
    start: &Start,
    listed: &[ObjectInfo],
    memory: &Memory,
) -> Result<Option<Option<(Base, Prefix)>>, EngineError> {
    let Some((id, prefix)) = &start.base else {
        return Ok(Some(None));
    };
    let is_it = |object: &&ObjectInfo| base::id_of(store, object) == *id;
    let Some(object) = listed.iter().find(is_it) else {
        return Ok(None);
    };
    let base = base::open(store, object, memory).await?;
    let same = base.filter(|base| base.head.archive == *id);
    Ok(same.map(|base| Some((base, prefix.clone()))))
}

type Prepared = (
    Index,
    (Vec<StoredPart>, Vec<SparePart>, Journal),
    Beginning,
    Option<OpenFile>,
);

fn read_progress(
    progress: Progress,
    copies: u32,
    folders: Vec<OsString>,
    memory: &Memory,
) -> std::io::Result<Prepared> {
    let Progress {
        parts,
        entries_at,
        open,
        spans,
        next,
        spare,
        ..
    } = progress;
    let mut sorter = Sorter::new(&memory.scratch());
    let mut take = |entry| sorter.add(&entry);
    Journal::each_entry(&memory.journal(), &entries_at, &mut take)?;
    let entries = sorter.finish()?;
    let last = next.map_or(copies, |next| next.number - 1);
    let journal = Journal::take_up(&memory.journal(), last, folders)?;
    let beginning = match next {
        Some(next) => Beginning {
            number: next.number,
            offset: next.offset,
            carried: Vec::new(),
            spans,
        },
        // Nothing but copies is there: the attempt begins after them by itself.
        None => Beginning {
            number: copies + 1,
            ..Beginning::default()
        },
    };
    Ok((entries, (parts, spare, journal), beginning, open))
}

fn interrupted_of(open: OpenFile) -> Interrupted {
    let meta = open.entry.meta();
    Interrupted {
        source: SourceEntry {
            path: open.path.into(),
            name: EntryName {
                text: meta.name.clone(),
                raw: meta.raw_name.clone(),
            },
            kind: EntryKind::File,
            state: open.state,
        },
        open: open.entry,
    }
}

/// Takes back all uploads of a key that is ours alone. Failures are only logged: nothing depends on it.
async fn take_back(store: &Store, key: &str) {
    tracing::info!(key, "an interrupted upload is taken back");
    match store.unfinished_uploads().await {
        Ok(unfinished) => {
            for upload in unfinished.iter().filter(|upload| upload.key == key) {
                abort(store, upload).await;
            }
        }
        Err(error) => tracing::warn!(%error, "unfinished uploads cannot be listed"),
    }
}

async fn abort(store: &Store, upload: &UnfinishedUpload) {
    let aborted = match store.take_up_upload(&upload.key, &upload.id) {
        Ok(upload) => upload.abort().await,
        Err(error) => Err(error),
    };
    if let Err(error) = aborted {
        tracing::warn!(%error, "an interrupted upload could not be taken back");
    }
}

/// Takes back the uploads of this program that are older than a week: nobody goes on with them. Younger
/// ones may be those of another computer that is at it. Failures are only logged: nothing depends on it.
pub(super) async fn clean_up(store: &Store, kept: Option<&str>) {
    const LEFT_ALONE_DAYS: i64 = 7;
    let unfinished = match store.unfinished_uploads().await {
        Ok(unfinished) => unfinished,
        Err(error) => {
            tracing::warn!(%error, "unfinished uploads cannot be listed");
            return;
        }
    };
    let Ok(long_ago) = Timestamp::now().checked_sub((24 * LEFT_ALONE_DAYS).hours()) else {
        return;
    };
    for upload in unfinished {
        let name = upload.key.rsplit('/').next().unwrap_or_default();
        let is_old = upload.begun.is_some_and(|begun| begun < long_ago);
        if BackupName::parse(name).is_none() || !is_old || Some(upload.id.as_str()) == kept {
            continue;
        }
        tracing::info!(key = upload.key, "an abandoned upload is taken back");
        abort(store, &upload).await;
    }
}
