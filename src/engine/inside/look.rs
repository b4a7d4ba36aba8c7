//! Use case: look inside a backup. Only its end is fetched, and next time not even that.

use super::contents::Contents;
use super::entry_reader::EntryReader;
use super::kept::{Kept, What};
use super::opening::{Opened, look_at_end, open_archive};
use super::tree::{Leaf, Tree};
use crate::archive::ListedEntry;
use crate::engine::context::Context;
use crate::engine::describe;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{Backup, CherryStudioBackup, EntryKind, Phase, Root, Skipped};
use crate::storage::{ObjectInfo, Store};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Its files, links and folders.
    pub tree: Tree,
    /// The folders that were backed up, where it says so: only archives of zipkeep do.
    pub roots: Vec<Root>,
    /// What should be in it and is not, where it says so.
    pub skipped: Vec<Skipped>,
    /// Whether zipkeep made it.
    pub maker: Maker,
    /// What it says of itself, where Cherry Studio made it.
    pub cherry_studio: Option<CherryStudioBackup>,
}

/// Who made an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Maker {
    /// This program, so that roots and hashes are known.
    Zipkeep,
    /// Any other.
    Other,
}

/// What is kept of it. Roots and what was skipped are JSON: their form may grow.
#[derive(Serialize, Deserialize)]
struct Remembered {
    tree: Tree,
    said: String,
    maker: Maker,
}

/// Tells what the archive of this row holds. What this computer has seen of it before is taken from
/// here, without any request where the row says which version it is.
pub async fn look_inside(
    store: &Store,
    backup: &Backup,
    context: &Context,
) -> Result<Inside, EngineError> {
    let listed = ObjectInfo {
        key: backup.key.clone(),
        size_bytes: backup.size_bytes,
        stored: backup.created,
        etag: backup.version.clone(),
    };
    if let Some(known) = known(context, store, &listed).await? {
        return Ok(known);
    }
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin(Phase::Connecting);
    let end = look_at_end(store, &backup.key, context).await?;
    let object = end.0.clone();
    if object.etag != listed.etag
        && let Some(known) = known(context, store, &object).await?
    {
        return Ok(known);
    }
    let opened = open_archive(store, end, context, &meter).await?;
    let kept = Kept::of(context, store, &object, What::Inside);
    let name = backup.name.clone();
    blocking(move || read(opened, &name, kept.as_ref())).await?
}

async fn known(
    context: &Context,
    store: &Store,
    object: &ObjectInfo,
) -> Result<Option<Inside>, EngineError> {
    let Some(kept) = Kept::of(context, store, object, What::Inside) else {
        return Ok(None);
    };
    blocking(move || {
        let remembered: Remembered = kept.load()?;
        let (roots, skipped, cherry_studio) = serde_json::from_str(&remembered.said).ok()?;
        Some(Inside {
            tree: remembered.tree,
            roots,
            skipped,
            maker: remembered.maker,
            cherry_studio,
        })
    })
    .await
}

fn read(opened: Opened, name: &str, kept: Option<&Kept>) -> Result<Inside, EngineError> {
    let Contents {
        manifest, entries, ..
    } = opened.contents;
    let inside = if let Some(manifest) = manifest {
        let known = entries.iter().filter_map(described);
        Inside {
            tree: Tree::of(known.collect()),
            roots: manifest.roots,
            skipped: manifest.skipped,
            maker: Maker::Zipkeep,
            cherry_studio: None,
        }
    } else {
        let cherry_studio = match opened.reader {
            EntryReader::ByDirectory(mut archive) => {
                describe::cherry_studio(&mut archive, &entries, name, &opened.shared)
            }
            EntryReader::ByPlace(_) => None,
        };
        if let Some(reason) = opened.failure.take() {
            return Err(reason);
        }
        Inside {
            tree: Tree::of(entries.iter().map(listed).collect()),
            roots: Vec::new(),
            skipped: Vec::new(),
            maker: Maker::Other,
            cherry_studio,
        }
    };
    if let Some(kept) = kept {
        let said = serde_json::to_string(&(&inside.roots, &inside.skipped, &inside.cherry_studio));
        let remembered = Remembered {
            tree: inside.tree.clone(),
            said: said.unwrap_or_default(),
            maker: inside.maker,
        };
        kept.save(&remembered);
    }
    Ok(inside)
}

fn described(entry: &ListedEntry) -> Option<Leaf> {
    let said = entry.description()?;
    let hash = said.blake3.as_ref().and_then(|hash| hash.first_chunk());
    Some(Leaf {
        path: entry.path().to_owned(),
        kind: said.kind,
        size_bytes: said.size_bytes,
        modified_secs: Some(said.modified_ns.div_euclid(1_000_000_000)),
        content: hash.map_or(0, |first| u64::from_be_bytes(*first)),
    })
}

fn listed(entry: &ListedEntry) -> Leaf {
    let modified_secs = entry.modified_ns.map(|time| time.div_euclid(1_000_000_000));
    Leaf {
        path: entry.name.trim_end_matches('/').to_owned(),
        kind: entry.kind,
        size_bytes: entry.size_bytes,
        modified_secs,
        content: match entry.kind {
            EntryKind::Directory => 0,
            EntryKind::File | EntryKind::Symlink => u64::from(entry.crc32),
        },
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))
}
