//! `EngineError`: why a job came to nothing, in words for people and words for scripts.

use crate::archive::ArchiveError;
use crate::model::bytes_text;
use crate::storage::{Fault, Refusal, StorageError};
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

/// What a backup that came to nothing may have left at its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// An upload that is not complete: nothing lists it as a backup.
    Upload,
    /// A whole archive that nobody has checked: the destination was just asked to make it.
    Archive,
}

/// Why a job came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The person asked it to stop.
    #[error("Cancelled")]
    Cancelled,
    /// The system asked the program to end.
    #[error("Stopped, because the program was asked to end")]
    ProgramEnds,
    /// The person asked it to stop, and not all that was at the destination by then could be taken
    /// back at once.
    #[error("Cancelled")]
    CancelledLeaving(Leftover),
    /// The person asked a test to stop, and not all that it wrote at the destination could be taken back.
    #[error("Cancelled. Of the test, {0} may still be at the destination")]
    TestLeft(String),
    /// No folder was named.
    #[error("There is no folder to back up")]
    NoSources,
    /// A folder to back up cannot be read at all.
    #[error("The folder {path} cannot be backed up")]
    Source {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A pattern of what to leave out makes no sense.
    #[error("“{pattern}” cannot be used as a pattern of what to leave out: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// A pattern of what is wanted makes no sense.
    #[error("“{pattern}” cannot be used as a pattern of what to restore: {reason}")]
    Wish {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// Nothing in the backup is what was asked for.
    #[error("Nothing in this backup fits what is to be restored")]
    NothingChosen,
    /// The destination failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The destination cannot copy what an earlier archive has; it must be sent instead.
    #[error("The destination cannot copy parts of earlier backups")]
    CannotCopy(#[source] StorageError),
    /// The archive cannot be used.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    /// Another backup of this profile has not ended yet.
    #[error("A backup of the profile “{0}” is already running on this computer")]
    AlreadyRunning(String),
    /// No row fits.
    #[error("There is no backup “{0}”")]
    NoSuchBackup(String),
    /// Several rows fit.
    #[error("“{wanted}” fits {} backups, among them {} and {}", .names.len(), .names[0], .names[1])]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The names that fit, two or more.
        names: Vec<String>,
    },
    /// The archive does not say where its files came from.
    #[error("This backup does not say where its files belong")]
    NoOriginalPlace,
    /// What is to go into a program's data folder is nothing of that program.
    #[error("This backup holds no data folder of {0}")]
    NotItsData(
        /// The program.
        String,
    ),
    /// A program's own archive is not laid out as its data folder is.
    #[error("Only {0} itself can read this backup: it is not made of the files of its data folder")]
    ImportOnly(
        /// The program.
        String,
    ),
    /// A program runs on the data that would be replaced.
    #[error("{title} is running, and its data in {folder} would be replaced under it")]
    AppRunning {
        /// The program.
        title: String,
        /// Its data folder.
        folder: PathBuf,
    },
    /// A foreign archive does not say what is missing from it on purpose.
    #[error("This backup was made by another program: it cannot be mirrored")]
    NoMirror,
    /// An exact mirror is wanted of files alone.
    #[error("No whole folder was chosen, so there is none to mirror")]
    NoWholeFolder,
    /// The disk cannot take what is to be restored.
    #[error(
        "There is not enough room at {path}: {} are needed and {} are free",
        bytes_text(*needed_bytes),
        bytes_text(*free_bytes)
    )]
    NoRoom {
        /// The folder to restore to.
        path: PathBuf,
        /// Bytes needed.
        needed_bytes: u64,
        /// Bytes free.
        free_bytes: u64,
    },
    /// A folder or file to restore to cannot be written.
    #[error("Nothing was restored, because {path} could not be written")]
    Target {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A restore failed and could not be taken back whole.
    #[error(
        "The restore failed, and {kept} could not be put back as it was; nothing of it is lost"
    )]
    HalfRestored {
        /// What could not be put back.
        kept: String,
        /// Why it failed.
        #[source]
        source: Box<EngineError>,
    },
    /// A folder to restore to is the program's own, one where backups are kept, or in one of these.
    #[error(
        "Nothing can be restored to {folder}: in {own} zipkeep keeps its own data, its settings or backups"
    )]
    OwnFolder {
        /// The folder to restore to.
        folder: PathBuf,
        /// The one that is never touched.
        own: PathBuf,
    },
    /// Another restore writes to the same folder, to one in it, or to one that it is in.
    #[error("Another restore, or the undoing of one, is just writing to {folder}")]
    TargetBusy {
        /// The folder.
        folder: PathBuf,
    },
    /// A restore that was interrupted still has changes to do or to take back in the same folder.
    #[error("A restore that was interrupted has not been brought to its end in {folder}")]
    Unfinished {
        /// A folder that it wrote to.
        folder: PathBuf,
    },
    /// What a restore set aside is not where it was, as when a disk is not connected.
    #[error("What a restore set aside cannot be reached at {path}")]
    KeptAway {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be told whether a file changed since a restore.
    #[error("Nothing was undone, because {path} could not be looked at")]
    NotUndone {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A restore that is being taken back could not be taken back whole.
    #[error(
        "Not all is as it was before the restore: {path} could not be put back; nothing of it is lost"
    )]
    NotPutBack {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no restore that could be undone.
    #[error("There is no such restore to undo")]
    NothingToUndo,
    /// The restore has not ended yet.
    #[error("That restore is still running")]
    RestoreRunning,
    /// Files are not as the restore left them.
    #[error("The restore cannot simply be undone: {} changed since, {}", count_of(.0.len()), names_of(.0))]
    ChangedSince(
        /// The files, one or more.
        Vec<PathBuf>,
    ),
    /// What the program keeps for itself between runs cannot be written or read.
    #[error("The program's own data could not be written or read")]
    OwnData(#[source] io::Error),
    /// What an interrupted run had sent does not fit what would be sent now.
    #[error("What an interrupted backup had sent cannot be gone on with")]
    CannotGoOn,
    /// The program itself failed.
    #[error("zipkeep itself failed: {0}")]
    Crashed(String),
}

impl EngineError {
    /// A word that scripts can rely on.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ProgramEnds => "program-ends",
            Self::Cancelled | Self::CancelledLeaving(_) | Self::TestLeft(_) => "cancelled",
            Self::NoSources => "no-sources",
            Self::Source { .. } => "source",
            Self::Pattern { .. } | Self::Wish { .. } => "pattern",
            Self::NothingChosen => "nothing-chosen",
            Self::Storage(error) | Self::CannotCopy(error) => error.fault().word(),
            Self::Archive(ArchiveError::NewerFormat { .. }) => "newer-format",
            Self::Archive(_) => "archive",
            Self::AlreadyRunning(_) => "already-running",
            Self::HalfRestored { .. } => "half-restored",
            Self::NoSuchBackup(_) => "no-such-backup",
            Self::Ambiguous { .. } => "ambiguous",
            Self::NoOriginalPlace => "no-original-place",
            Self::NotItsData(_) => "not-its-data",
            Self::ImportOnly(_) => "import-only",
            Self::AppRunning { .. } => "app-running",
            Self::NoMirror => "no-mirror",
            Self::NoWholeFolder => "no-whole-folder",
            Self::NoRoom { .. } => "no-room",
            Self::Target { source, .. } if is_full(source) => "no-room",
            Self::Target { .. } => "target",
            Self::OwnFolder { .. } => "own-folder",
            Self::TargetBusy { .. } => "target-busy",
            Self::Unfinished { .. } => "unfinished-restore",
            Self::KeptAway { .. } => "kept-away",
            Self::NotUndone { .. } => "not-undone",
            Self::NotPutBack { .. } => "not-put-back",
            Self::NothingToUndo => "nothing-to-undo",
            Self::RestoreRunning => "restore-running",
            Self::ChangedSince(_) => "changed-since",
            Self::OwnData(_) => "own-data",
            Self::CannotGoOn => "cannot-go-on",
            Self::Crashed(_) => "crashed",
        }
    }

    /// What the person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Cancelled => "Nothing half-made was left behind.",
            Self::ProgramEnds => "Start it again; a backup goes on where it stopped.",
            Self::CancelledLeaving(Leftover::Upload) => {
                "An unfinished upload stays at the destination, which did not take it back at once: the next backup goes on with it or removes it."
            }
            Self::CancelledLeaving(Leftover::Archive) => {
                "The destination was just finishing the backup and did not take it back at once: it may be in the list. Verify it, or delete it."
            }
            Self::TestLeft(_) => {
                "No backup is harmed by it. Delete it on the provider's page; an unfinished upload is removed by `zipkeep-cli test --clean-up` once it is a day old."
            }
            Self::AlreadyRunning(_) | Self::RestoreRunning => "Wait until it has ended.",
            Self::KeptAway { .. } | Self::NotUndone { .. } => {
                "Connect its disk, or make sure that you may read it. Nothing was changed."
            }
            Self::HalfRestored { .. } | Self::NotPutBack { .. } => {
                "Make sure that it can be written to, and start zipkeep again: it then puts back the rest."
            }
            Self::NoSources => "Add a folder first.",
            Self::Source { .. } => "Check that the folder exists and that you may read it.",
            Self::Pattern { .. } => {
                "Write patterns as in a .gitignore file, for example “*.tmp” or “cache/”."
            }
            Self::Wish { .. } | Self::NothingChosen => {
                "Write it as the list of the backup shows it, with * and ** for any."
            }
            Self::Storage(error) | Self::CannotCopy(error) => error.hint(),
            Self::Archive(ArchiveError::NewerFormat { .. }) => {
                "Install the newest version of zipkeep, or open the ZIP with any ZIP program."
            }
            Self::Archive(_) => {
                "Try another backup; any ZIP program may still save parts of this one."
            }
            Self::NoSuchBackup(_) => "List the backups to see their names.",
            Self::Ambiguous { .. } => "Write more of the name.",
            Self::NoOriginalPlace => "Choose a folder to restore to.",
            Self::NotItsData(_) => "Restore it to a folder and look what is in it.",
            Self::ImportOnly(_) => {
                "Download its ZIP, and restore that in the program's own settings. Files in its folder “Data” can be restored by naming them."
            }
            Self::AppRunning { .. } => "Close it, and restore again. Nothing was changed.",
            Self::NoMirror => "Restore it without removing other files.",
            Self::NoWholeFolder => {
                "Choose folders, or restore without removing other files. Nothing was changed."
            }
            Self::NoRoom { .. } => "Make room, or restore to another disk. Nothing was changed.",
            Self::Target { source, .. } if is_full(source) => {
                "The disk is full. Make room, or restore to another disk."
            }
            Self::OwnFolder { .. } => "Choose another folder. Nothing was changed.",
            Self::Target { .. } => "Choose a folder that you may write to.",
            Self::TargetBusy { .. } => {
                "Wait until it has ended, or choose another folder. Nothing was changed."
            }
            Self::Unfinished { .. } => {
                "Start zipkeep again: it then goes on, and says what keeps it from that. Nothing was changed."
            }
            Self::NothingToUndo => "Restores are kept for undoing until they are cleared away.",
            Self::ChangedSince(_) => {
                "Save them elsewhere, or undo by force: then they are set aside and kept."
            }
            Self::OwnData(_) => {
                "Check that the disk is not full, and that you may write to the program's data folder."
            }
            Self::CannotGoOn => "Start the backup again: it then sends everything.",
            Self::Crashed(_) => "Please report this with the details.",
        }
    }

    /// What the failure of a copy means: most often that the bytes have to be sent.
    pub(super) fn of_copy(error: StorageError) -> Self {
        match error.fault() {
            Fault::Unsupported
            | Fault::Changed
            | Fault::NoObject
            | Fault::Denied
            | Fault::Archived
            | Fault::Damaged
            | Fault::RangeIgnored
            | Fault::Other => Self::CannotCopy(error),
            _ => Self::Storage(error),
        }
    }

    /// Whether what was sent is worth keeping for a later run.
    pub(super) fn leaves_progress(&self) -> bool {
        match self {
            Self::ProgramEnds => true,
            Self::OwnData(source) => is_full(source),
            _ => self.may_pass(),
        }
    }

    /// Whether the person asked for it.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::CancelledLeaving(_) | Self::TestLeft(_)
        )
    }

    /// The same, once it is known what could not be taken back.
    pub(super) fn leaving(self, left: Option<Leftover>) -> Self {
        match (self, left) {
            (Self::Cancelled, Some(left)) => Self::CancelledLeaving(left),
            (error, _) => error,
        }
    }

    /// Whether the same may well work later, so that what was sent is worth keeping.
    pub(super) fn may_pass(&self) -> bool {
        let Self::Storage(error) = self else {
            return false;
        };
        matches!(
            error.fault(),
            Fault::Unreachable | Fault::Proxy | Fault::TimedOut | Fault::Stalled | Fault::Busy
        )
    }

    /// What the provider said, where it was the provider that refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Storage(error) | Self::CannotCopy(error) => Some(error.refusal()),
            _ => None,
        }
    }

    /// Everything that is known, one cause a line, for "Copy details".
    pub fn details(&self) -> String {
        let mut text = format!("{self}\nkind: {}", self.kind());
        for (name, value) in self.refusal().into_iter().flat_map(Refusal::lines) {
            // Writing to a string cannot fail.
            write!(text, "\n{name}: {value}").ok();
        }
        for cause in causes(self) {
            text.push_str("\ncaused by: ");
            text.push_str(&cause);
        }
        text
    }
}

/// The causes beneath an error, outermost first, each said once: wrapping types repeat what they wrap.
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !causes.iter().any(|said| said.contains(&text)) {
            causes.push(text);
        }
        cause = error.source();
    }
    causes
}

fn count_of(files: usize) -> String {
    if files == 1 {
        "one file".to_owned()
    } else {
        format!("{files} files")
    }
}

/// The first few, for a sentence.
fn names_of(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 3;
    let shown = paths
        .iter()
        .take(SHOWN)
        .map(|path| path.display().to_string());
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if paths.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

/// Whether `error` says that a disk is full or a quota used up.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_left_where_the_same_works_later_but_not_where_the_person_cancels() {
        let own_data = |kind: io::ErrorKind| EngineError::OwnData(kind.into());
        assert!(own_data(io::ErrorKind::StorageFull).leaves_progress());
        assert!(EngineError::ProgramEnds.leaves_progress());
        assert!(EngineError::from(StorageError::new(Fault::Stalled)).leaves_progress());
        assert!(!own_data(io::ErrorKind::InvalidData).leaves_progress());
        assert!(!EngineError::Cancelled.leaves_progress());
    }

    #[test]
    fn details_name_the_kind_the_code_and_every_cause() {
        let inner = io::Error::other("connection reset");
        let error = StorageError::new(Fault::WrongSecret)
            .refused(Refusal {
                status: Some(403),
                code: Some("SignatureDoesNotMatch".to_owned()),
                message: Some("their own words".to_owned()),
                request_id: Some("4711".to_owned()),
                region: None,
                ..Refusal::default()
            })
            .caused_by(inner);
        let details = EngineError::from(error).details();
        for part in [
            "kind: wrong-secret",
            "HTTP status: 403",
            "SignatureDoesNotMatch",
            "provider's words: their own words",
            "request id: 4711",
            "connection reset",
        ] {
            assert!(details.contains(part), "{details}");
        }
    }
}
