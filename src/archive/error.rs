//! `ArchiveError`: why bytes are not an archive that can be used.

use std::io;

/// Why bytes are not an archive that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Not a ZIP, or one whose end is missing.
    #[error("this is not a whole ZIP archive: {0}")]
    NotAnArchive(String),
    /// Made by a later version of the format.
    #[error(
        "this backup was made by a newer version of zipkeep (archive format {found}, this program reads up to {known})"
    )]
    NewerFormat {
        /// Major version of the archive.
        found: u32,
        /// Highest major version that this program reads.
        known: u32,
    },
    /// The manifest cannot be read.
    #[error("the backup's manifest is damaged")]
    Manifest(#[source] serde_json::Error),
    /// An entry's bytes are not what the directory or the manifest says.
    #[error("the backup is damaged at “{path}”: {reason}")]
    Damaged {
        /// The entry.
        path: String,
        /// What was found.
        reason: String,
    },
    /// The bytes could not be read or written.
    #[error("the archive could not be read or written")]
    Io(#[from] io::Error),
}
