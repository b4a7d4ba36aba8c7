//! Requests: one wish each, complete and owned, so that later changes of settings cannot reach a running job.

use crate::model::{Compression, WhenUnchanged};
use std::path::PathBuf;

/// Back these folders up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRequest {
    /// Profile that the backup belongs to; opens its name.
    pub profile: String,
    /// Name of this computer; stands in the backup's name.
    pub device: String,
    /// Folders to back up.
    pub sources: Vec<PathBuf>,
    /// Patterns of what to leave out, in the syntax of `.gitignore`.
    pub excludes: Vec<String>,
    /// Folders that are never backed up, above all the folder that holds the backups.
    pub keep_out: Vec<PathBuf>,
    /// How to do it.
    pub options: BackupOptions,
}

/// How to back up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupOptions {
    /// How hard to compress.
    pub compression: Compression,
    /// What to do when nothing changed.
    pub when_unchanged: WhenUnchanged,
    /// What becomes of the bytes of files that were deleted or replaced since earlier backups.
    pub deleted_data: DeletedData,
    /// What becomes of the bytes that earlier backups have already.
    pub earlier: Earlier,
}

/// What becomes, in a new backup, of the bytes that earlier ones have already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Earlier {
    /// Those of unchanged files are taken over by a copy at the destination.
    #[default]
    TakenOver,
    /// Everything is sent anew, also when nothing changed: what earlier backups have may be damaged.
    NotTrusted,
}

/// What becomes, in a new backup, of the bytes of files that were deleted or replaced since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeletedData {
    /// They may stay as gaps that no ZIP program shows, until so much is dead that it is worth
    /// copying only what lives.
    #[default]
    UntilWorthIt,
    /// None of them is left in the new backup, and one is made also when nothing changed.
    RemoveNow,
}

/// Put one backup back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Key of the archive.
    pub key: String,
    /// Where its files go.
    pub target: RestoreTarget,
}

/// Where restored files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// To the folders that were backed up, as the manifest records them.
    Original,
    /// Under this folder, one sub-folder for each folder that was backed up.
    Folder(PathBuf),
}

/// Read this backup back and compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyRequest {
    /// Key of the archive.
    pub key: String,
    /// How much of it is read.
    pub depth: VerifyDepth,
}

/// How much of a backup is read to verify it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VerifyDepth {
    /// Every byte of what lives in it.
    #[default]
    Full,
    /// Its end, its directory, its manifest and lists only: whether they are whole and agree, not
    /// whether the content is.
    Quick,
}
