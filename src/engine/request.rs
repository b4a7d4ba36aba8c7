//! Requests: one wish each, complete and owned, so that later changes of settings cannot reach a running job.

use crate::model::{Backup, Compression, WhenUnchanged};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

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
    /// Which version of it was listed, so that it need not be looked at again.
    pub listed: Option<ListedVersion>,
    /// Where its files go.
    pub target: RestoreTarget,
    /// Which of them.
    pub selection: Selection,
    /// Folders from which nothing is removed and to which nobody may choose to restore: those of the
    /// program itself and of the backups.
    pub keep_out: Vec<PathBuf>,
    /// How to do it.
    pub options: RestoreOptions,
}

impl RestoreRequest {
    /// Restores everything as it was backed up; what else the target has stays.
    pub fn all_of(key: &str, target: RestoreTarget) -> Self {
        Self {
            key: key.to_owned(),
            listed: None,
            target,
            selection: Selection::All,
            keep_out: Vec::new(),
            options: RestoreOptions::default(),
        }
    }
}

/// A version of an archive, as a list told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// Its version tag.
    pub etag: String,
    /// Its size.
    pub size_bytes: u64,
}

impl ListedVersion {
    /// That of a row; `None` where the destination has no version tags.
    pub fn of(row: &Backup) -> Option<Self> {
        Some(Self {
            etag: row.version.clone()?,
            size_bytes: row.size_bytes,
        })
    }
}

/// Where restored files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// To the folders that were backed up, as the manifest records them.
    Original,
    /// Under this folder, one sub-folder for each folder that was backed up.
    Folder(PathBuf),
    /// To folders chosen for each label; what stands under no label of these is not restored.
    Places(BTreeMap<String, PathBuf>),
    /// Into the data folder of a program: its own archive, or a backup of such a folder. What belongs
    /// elsewhere is not restored.
    AppData {
        /// Its id among the presets.
        app: String,
        /// The data folder.
        folder: PathBuf,
    },
}

/// Which entries of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// These, as the archive names them, and all that is below them; there may be very many.
    Paths(Arc<BTreeSet<String>>),
    /// What fits one of these patterns (`*`, `**`, `?`, `[a-z]`, `{a,b}`), and all that is below it.
    Matching(Vec<String>),
}

/// How closely a preview looks at what seems to be there already, by its size and time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PreviewDepth {
    /// It counts as unchanged: quick, for somebody who waits. The restore itself compares the content, and
    /// replaces a file that has another.
    #[default]
    Looks,
    /// Its content is compared, as the restore will do.
    Contents,
}

/// How to restore.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// What to do where the target has a file already.
    pub on_conflict: OnConflict,
    /// What becomes of files that the target has and the backup has not.
    pub extra_files: ExtraFiles,
    /// What becomes of setuid, setgid and sticky bits.
    pub special_bits: SpecialBits,
    /// What to do where a program runs on the data that is restored.
    pub running_apps: RunningApps,
    /// What becomes of files of other programs' archives that unpack to very much.
    pub huge_files: HugeFiles,
}

/// What to do where a program runs on the data that is restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunningApps {
    /// Nothing is restored.
    #[default]
    Respected,
    /// It is restored all the same, with a warning.
    Overruled,
}

/// What to do where the target has a file already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// The restored one takes its place.
    #[default]
    Replace,
    /// The one that was changed last stays.
    KeepNewer,
    /// The target's stays.
    Skip,
    /// Both stay, the restored one under another name.
    KeepBoth,
}

/// What becomes of files that the target has and the backup has not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExtraFiles {
    /// They stay.
    #[default]
    Kept,
    /// They are removed from the folders that are restored whole, which become exact mirrors but for what
    /// backups leave out. Where folders are chosen, from these.
    Removed,
}

/// What becomes of setuid, setgid and sticky bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SpecialBits {
    /// They are not restored: whoever can write a backup could hand out rights with them.
    #[default]
    LeftOut,
    /// They are restored.
    Restored,
}

impl SpecialBits {
    /// The permission bits that are restored; of what is there already, all others stay.
    pub(super) const fn mode_mask(self) -> u32 {
        match self {
            Self::LeftOut => 0o777,
            Self::Restored => 0o7777,
        }
    }
}

/// What becomes of files of other programs' archives that unpack to more than a hundred times their size,
/// once they come to more than 1 GiB together. What zipkeep itself backed up is restored in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HugeFiles {
    /// They are not restored: so are archives made that are to fill disks.
    #[default]
    Refused,
    /// They are restored.
    Restored,
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
