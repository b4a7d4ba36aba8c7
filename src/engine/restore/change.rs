//! `Change`: one step of what a restore does to this computer's disk, as its log keeps it.
//!
//! A restore is a list of changes that is complete before the first of them is done. Each can be done,
//! done again and taken back, and the disk itself tells how far it came: see [`super::perform`].

use crate::model::EntryKind;
use filetime::FileTime;
use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// One step. `number` is the name of what it moves, in the restore's working folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Change {
    /// A folder that was not there is made.
    MakeFolder(Spot),
    /// A folder lets its owner write to it, as long as the restore runs.
    OpenFolder { at: Spot, mode: u32 },
    /// A staged file or link comes to its place; what stands there is set aside.
    Put { number: u64, at: Spot, look: Look },
    /// What stands there is set aside, a folder with all that is in it. `locked` are the permission bits of
    /// a folder that is opened for that.
    Remove {
        number: u64,
        at: Spot,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locked: Option<u32>,
    },
    /// A folder that is there at the end gets its permissions and time; `before` is what a folder that
    /// was there had.
    FinishFolder {
        at: Spot,
        before: Option<FolderLook>,
        after: FolderLook,
    },
}

/// A place on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Spot {
    /// Position of the area that it belongs to.
    pub(super) area: usize,
    /// Below that area's anchor; empty for the anchor itself.
    #[serde(with = "super::raw_path")]
    pub(super) relative: PathBuf,
}

/// By what a file or link is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) kind: EntryKind,
    pub(super) size_bytes: u64,
    pub(super) modified_ns: i64,
}

/// What a folder has besides its content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FolderLook {
    pub(super) modified_ns: Option<i64>,
    /// Permission bits.
    pub(super) mode: Option<u32>,
}

impl FolderLook {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = FileTime::from_last_modification_time(metadata);
        Self {
            modified_ns: Some(
                modified.unix_seconds() * 1_000_000_000 + i64::from(modified.nanoseconds()),
            ),
            mode: mode_of(metadata),
        }
    }

    /// Whether its owner may not write to it.
    pub(super) fn is_locked(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o300 != 0o300)
    }
}

/// Permission bits, where the system has them.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
pub(super) fn mode_of(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
pub(super) fn mode_of(_metadata: &Metadata) -> Option<u32> {
    None
}

/// Where a restore works: everything that it puts, and everything that it sets aside, is on one volume
/// with the places that it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Area {
    /// A folder that was there before the restore; its changes are all below it.
    #[serde(with = "super::raw_path")]
    pub(super) anchor: PathBuf,
    /// The working folder.
    #[serde(with = "super::raw_path")]
    pub(super) folder: PathBuf,
    /// What the anchor was like when the restore began.
    pub(super) before: FolderLook,
}

impl Area {
    /// Where this is on the disk.
    pub(super) fn path(&self, spot: &Spot) -> PathBuf {
        join(&self.anchor, &spot.relative)
    }

    /// Where what is to be put waits.
    pub(super) fn new_path(&self, number: u64) -> PathBuf {
        self.folder.join("new").join(number.to_string())
    }

    /// Where what stood there before is kept.
    pub(super) fn old_path(&self, number: u64) -> PathBuf {
        self.folder.join("old").join(number.to_string())
    }
}

/// Without the `/` that joining nothing would leave at the end.
pub(super) fn join(folder: &Path, relative: &Path) -> PathBuf {
    if relative.as_os_str().is_empty() {
        folder.to_owned()
    } else {
        folder.join(relative)
    }
}
