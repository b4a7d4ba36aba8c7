//! Use case: look inside a backup. Only its end is fetched, and next time not even that.

use super::kept::{Kept, What};
use super::opening::{Opened, look_at_end, open_archive};
use super::tree::{Leaf, Tree};
use crate::archive::{ArchiveError, ArchiveReader, ListedEntry};
use crate::engine::context::Context;
use crate::engine::describe;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, RangeReader};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{Backup, CherryStudioBackup, Entry, EntryKind, Manifest, Phase, Root, Skipped};
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
    let Opened {
        mut archive,
        failure,
        shared,
        ..
    } = opened;
    let inside = if let Some(manifest) = manifest_of(&mut archive, &failure)? {
        Inside {
            tree: Tree::of(manifest.entries.iter().map(leaf_of).collect()),
            roots: manifest.roots,
            skipped: manifest.skipped,
            maker: Maker::Zipkeep,
            cherry_studio: None,
        }
    } else {
        let entries = archive.entries()?;
        let described = describe::cherry_studio(&mut archive, &entries, name, &shared);
        if let Some(reason) = failure.take() {
            return Err(reason);
        }
        Inside {
            tree: Tree::of(entries.iter().map(listed).collect()),
            roots: Vec::new(),
            skipped: Vec::new(),
            maker: Maker::Other,
            cherry_studio: described,
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

/// The manifest, if there is one that can be read: the directory alone tells much, too.
pub(in crate::engine) fn manifest_of(
    archive: &mut ArchiveReader<RangeReader>,
    failure: &Failure,
) -> Result<Option<Manifest>, EngineError> {
    match archive.manifest() {
        Ok(manifest) => Ok(manifest),
        Err(error @ ArchiveError::NewerFormat { .. }) => Err(error.into()),
        Err(error) => {
            if let Some(reason) = failure.take() {
                return Err(reason);
            }
            tracing::warn!(%error, "the manifest cannot be read");
            Ok(None)
        }
    }
}

fn leaf_of(entry: &Entry) -> Leaf {
    let hash = entry.blake3.as_deref().and_then(|hex| hex.get(..16));
    let content = hash.and_then(|hex| u64::from_str_radix(hex, 16).ok());
    Leaf {
        path: entry.path.clone(),
        kind: entry.kind,
        size_bytes: entry.size_bytes,
        modified_secs: Some(entry.modified_ns.div_euclid(1_000_000_000)),
        content: content.unwrap_or(0),
    }
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
