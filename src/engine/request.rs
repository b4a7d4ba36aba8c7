//! Requests: one wish each, complete and owned, so that later changes of settings cannot reach a running job.

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
