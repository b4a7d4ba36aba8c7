//! `Contents`: what an archive says of all that it holds, as data that can be kept. What is kept of an
//! archive of ours makes its directory needless: all that is read of it then are contents.

use super::kept::Kept;
use crate::archive::{ArchiveError, ArchiveReader, ListedEntry};
use crate::engine::error::EngineError;
use crate::engine::range_reader::{Failure, RangeReader};
use crate::model::Manifest;
use serde::{Deserialize, Serialize};

/// What an archive says of all that it holds.
#[derive(Debug)]
pub(in crate::engine) struct Contents {
    /// The manifest without its entries; `None` where the archive is foreign, or its manifest damaged.
    pub(in crate::engine) manifest: Option<Manifest>,
    /// In the order of the bytes.
    pub(in crate::engine) entries: Vec<ListedEntry>,
    /// What is wrong with the manifest.
    pub(in crate::engine) damage: Option<ArchiveError>,
}

/// What is kept of it. The manifest is JSON: its form may grow.
#[derive(Serialize, Deserialize)]
struct Remembered {
    manifest: String,
    entries: Vec<ListedEntry>,
}

/// What is borrowed to be kept.
#[derive(Serialize)]
struct Remembering<'a> {
    manifest: String,
    entries: &'a [ListedEntry],
}

impl Contents {
    /// Reads an archive's directory, and the manifest if there is one that can be read: the directory alone
    /// tells much, too.
    pub(super) fn read(
        archive: &mut ArchiveReader<RangeReader>,
        failure: &Failure,
    ) -> Result<Self, EngineError> {
        let mut damage = None;
        match archive.described_entries() {
            Ok(Some((manifest, entries))) => {
                return Ok(Self {
                    manifest: Some(manifest),
                    entries,
                    damage,
                });
            }
            Ok(None) => {}
            Err(error @ ArchiveError::NewerFormat { .. }) => return Err(error.into()),
            Err(error) => {
                if let Some(reason) = failure.take() {
                    return Err(reason);
                }
                tracing::warn!(%error, "the manifest cannot be read");
                damage = Some(error);
            }
        }
        Ok(Self {
            manifest: None,
            entries: archive.entries()?,
            damage,
        })
    }

    /// What is kept of an archive of ours, if it is there and whole.
    pub(super) fn load(kept: &Kept) -> Option<Self> {
        let remembered: Remembered = kept.load()?;
        Some(Self {
            manifest: Some(serde_json::from_str(&remembered.manifest).ok()?),
            entries: remembered.entries,
            damage: None,
        })
    }

    /// Keeps what is said of an archive of ours; a failure is only noted.
    pub(super) fn keep(&self, kept: &Kept) {
        if let Some(manifest) = &self.manifest
            && let Ok(manifest) = serde_json::to_string(manifest)
        {
            let entries = &self.entries;
            kept.save(&Remembering { manifest, entries });
        }
    }
}
