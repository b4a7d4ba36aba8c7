//! `Memory`: where the engine keeps what it knows of a destination, for one profile and device.
//!
//! All of it is a convenience: losing it costs time or an upload, never data.

use crate::engine::context::Context;
use crate::engine::copying::{CopyNote, Copying, memory_of};
use crate::engine::request::BackupRequest;
use crate::model::{reduce_device, reduce_field};
use crate::storage::{Fault, StorageError};
use std::fs;
use std::path::PathBuf;

/// Where what is known of a destination is kept.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    /// One for each destination.
    folder: PathBuf,
    profile_and_device: String,
}

impl Memory {
    /// `destination` is [`Store::identity`](crate::storage::Store::identity).
    pub(super) fn of(context: &Context, destination: &str, request: &BackupRequest) -> Self {
        let profile = reduce_field(&request.profile, "backup");
        let device = reduce_device(&request.device);
        Self {
            folder: memory_of(context, destination),
            profile_and_device: format!("{profile}.{device}"),
        }
    }

    /// For scratch files on the same disk, of one run at a time; that of the system where the program's
    /// own data cannot be written: a backup matters more than what is remembered of it.
    pub(super) fn scratch(&self) -> PathBuf {
        let own = self.own_scratch();
        let is_writable = fs::create_dir_all(&own).is_ok() && tempfile::tempfile_in(&own).is_ok();
        if is_writable {
            own
        } else {
            tracing::warn!(folder = %own.display(), "nothing can be remembered there");
            tempfile::env::temp_dir()
        }
    }

    fn own_scratch(&self) -> PathBuf {
        self.folder
            .join(format!("{}.scratch", self.profile_and_device))
    }

    /// Removes what a run that was killed left there. Only for whoever holds the lock of the run.
    pub(super) fn clear_scratch(&self) {
        match fs::remove_dir_all(self.own_scratch()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "scratch files of an earlier backup could not be removed");
            }
            _ => {}
        }
    }

    /// The index of the last archive.
    pub(super) fn index(&self) -> PathBuf {
        self.folder
            .join(format!("{}.index", self.profile_and_device))
    }

    /// The journal of the upload that has not ended.
    pub(super) fn journal(&self) -> PathBuf {
        self.folder
            .join(format!("{}.journal", self.profile_and_device))
    }

    fn most_parts_file(&self) -> PathBuf {
        self.folder.join("most-parts")
    }

    /// How many parts of one upload the destination takes, where it once refused more.
    pub(super) fn most_parts(&self) -> Option<u32> {
        let text = fs::read_to_string(self.most_parts_file()).ok()?;
        text.trim().parse().ok().filter(|most| *most > 0)
    }

    /// Remembers that.
    pub(super) fn note_most_parts(&self, most: u32) {
        let noted = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(self.most_parts_file(), most.to_string()));
        if let Err(error) = noted {
            tracing::warn!(%error, "it could not be remembered how many parts there may be");
        }
    }

    /// Whether the destination can copy parts.
    pub(super) fn copying(&self) -> Copying {
        CopyNote::in_memory(&self.folder).read()
    }

    /// Remembers that the destination cannot copy parts, if that is what the failure of a copy means.
    pub(super) fn note_failed_copy(&self, error: &StorageError) {
        if error.fault() == Fault::Unsupported {
            CopyNote::in_memory(&self.folder).write(&error.to_string());
        }
    }
}
