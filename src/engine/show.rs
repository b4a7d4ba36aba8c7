//! Use case: look into a backup. Only its directory and manifest are fetched.

use crate::engine::context::Context;
use crate::engine::describe;
use crate::engine::error::EngineError;
use crate::engine::inside::{Opened, look_at_end, manifest_of, open_archive};
use crate::engine::meter::Meter;
use crate::engine::report::{ShowReport, ShownEntry};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{EntryKind, Manifest, Phase};
use crate::storage::Store;
use jiff::Timestamp;
use std::sync::Arc;

/// Tells what the archive of this key holds.
pub async fn show(store: &Store, key: &str, context: &Context) -> Result<ShowReport, EngineError> {
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin(Phase::Connecting);
    let name = key.rsplit('/').next().unwrap_or(key).to_owned();
    let end = look_at_end(store, key, context).await?;
    let opened = open_archive(store, end, context, &meter).await?;
    tokio::task::spawn_blocking(move || read(name, opened))
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}

fn read(name: String, opened: Opened) -> Result<ShowReport, EngineError> {
    let Opened {
        mut archive,
        failure,
        shared,
        ..
    } = opened;
    if let Some(manifest) = manifest_of(&mut archive, &failure)? {
        return Ok(of_manifest(name, manifest));
    }
    let entries = archive.entries()?;
    let cherry_studio = describe::cherry_studio(&mut archive, &entries, &name, &shared);
    if let Some(reason) = failure.take() {
        return Err(reason);
    }
    Ok(ShowReport {
        backup: name,
        cherry_studio,
        roots: Vec::new(),
        skipped: Vec::new(),
        entries: entries
            .into_iter()
            .map(|entry| ShownEntry {
                path: entry.name.trim_end_matches('/').to_owned(),
                kind: entry.kind,
                size_bytes: size_of(entry.kind, entry.size_bytes),
                modified: entry.modified_ns.and_then(moment),
                blake3: None,
            })
            .collect(),
    })
}

fn of_manifest(name: String, manifest: Manifest) -> ShowReport {
    let entries = manifest.entries.into_iter();
    ShowReport {
        backup: name,
        cherry_studio: None,
        roots: manifest.roots,
        skipped: manifest.skipped,
        entries: entries
            .map(|entry| ShownEntry {
                path: entry.path,
                kind: entry.kind,
                size_bytes: size_of(entry.kind, entry.size_bytes),
                modified: moment(entry.modified_ns),
                blake3: entry.blake3,
            })
            .collect(),
    }
}

/// A link's own bytes are no size that people mean.
fn size_of(kind: EntryKind, size_bytes: u64) -> u64 {
    if kind == EntryKind::File {
        size_bytes
    } else {
        0
    }
}

fn moment(modified_ns: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(modified_ns)).ok()
}
