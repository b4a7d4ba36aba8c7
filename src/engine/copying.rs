//! `Copying`: whether a destination can copy parts by itself, as far as this computer knows. Backups and
//! the connection doctor find it out, and both remember it here.
//!
//! It is a convenience: losing it costs one upload, never data.

use crate::engine::context::Context;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Whether a destination can copy parts by itself, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copying {
    /// It can, or was never asked.
    Possible,
    /// It could not when it was asked last.
    Impossible,
}

/// A destination that could not copy is asked again after this: servers get better.
const ASKED_AGAIN_AFTER: Duration = Duration::from_hours(24 * 30);

/// The folder for what is known of a destination; `destination` is
/// [`Store::identity`](crate::storage::Store::identity).
pub(super) fn memory_of(context: &Context, destination: &str) -> PathBuf {
    let hash = blake3::hash(destination.as_bytes()).to_hex();
    context.data_dir().join("memory").join(&hash[..16])
}

/// The note that a destination cannot copy, which is there or not.
#[derive(Debug, Clone)]
pub(super) struct CopyNote(PathBuf);

impl CopyNote {
    /// That of a destination whose folder this is.
    pub(super) fn in_memory(folder: &std::path::Path) -> Self {
        Self(folder.join("cannot-copy"))
    }

    /// What it says.
    pub(super) fn read(&self) -> Copying {
        let noted = fs::metadata(&self.0).and_then(|file| file.modified());
        let age = noted
            .ok()
            .and_then(|noted| SystemTime::now().duration_since(noted).ok());
        match age {
            Some(age) if age < ASKED_AGAIN_AFTER => Copying::Impossible,
            _ => Copying::Possible,
        }
    }

    /// Remembers that the destination cannot copy parts, and why.
    pub(super) fn write(&self, reason: &str) {
        let making = self.0.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = making.and_then(|()| fs::write(&self.0, reason)) {
            tracing::warn!(%error, "it could not be remembered that the destination cannot copy");
        }
    }

    /// Forgets it: the destination was seen to copy.
    pub(super) fn forget(&self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "a note that the destination cannot copy could not be removed");
            }
            _ => {}
        }
    }
}
