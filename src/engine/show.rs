//! Use case: look into a backup. Only its directory and manifest are fetched.

use crate::archive::ListedEntry;
use crate::engine::context::Context;
use crate::engine::describe;
use crate::engine::error::EngineError;
use crate::engine::inside::{Contents, EntryReader, Opened, look_at_end, open_archive};
use crate::engine::meter::Meter;
use crate::engine::report::{ShowReport, ShownEntry};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{EntryKind, Phase};
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
    let Contents {
        manifest, entries, ..
    } = opened.contents;
    let mut report = ShowReport {
        backup: name,
        cherry_studio: None,
        roots: Vec::new(),
        skipped: Vec::new(),
        entries: Vec::with_capacity(entries.len()),
    };
    if let Some(manifest) = manifest {
        report.roots = manifest.roots;
        report.skipped = manifest.skipped;
        report.entries.extend(entries.iter().filter_map(described));
        return Ok(report);
    }
    if let EntryReader::ByDirectory(mut archive) = opened.reader {
        report.cherry_studio =
            describe::cherry_studio(&mut archive, &entries, &report.backup, &opened.shared);
    }
    report.entries.extend(entries.iter().map(listed));
    match opened.failure.take() {
        Some(reason) => Err(reason),
        None => Ok(report),
    }
}

fn described(entry: &ListedEntry) -> Option<ShownEntry> {
    let said = entry.description()?;
    Some(ShownEntry {
        path: entry.path().to_owned(),
        kind: said.kind,
        size_bytes: size_of(said.kind, said.size_bytes),
        modified: moment(said.modified_ns),
        blake3: said.blake3.map(|hash| blake3::Hash::from(hash).to_string()),
    })
}

fn listed(entry: &ListedEntry) -> ShownEntry {
    ShownEntry {
        path: entry.name.trim_end_matches('/').to_owned(),
        kind: entry.kind,
        size_bytes: size_of(entry.kind, entry.size_bytes),
        modified: entry.modified_ns.and_then(moment),
        blake3: None,
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
