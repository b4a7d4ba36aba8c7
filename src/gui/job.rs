//! `Job`: one run of something, as data: what it is, how far it is, what came of it.

use crate::apps::{Found, Preset};
use crate::config::ConfigError;
use crate::engine::{
    BackupReport, CleanedUp, DeleteReport, EngineError, Inside, KeptRestore, RestoreReport,
    SettleReport, TestReport, UndoReport, VerifyDepth, VerifyReport,
};
use crate::gui::rate::Rate;
use crate::gui::sums::{Changes, Foreseen};
use crate::model::{Backup, Destination, Profile, Progress};
use crate::secrets::SecretsError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tells jobs apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct JobId(pub u64);

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum JobKind {
    /// Tests a destination.
    Test,
    /// Removes unfinished uploads.
    CleanUp,
    /// Lists the backups.
    List,
    /// Backs up.
    Backup,
    /// Looks into a backup.
    Look,
    /// Compares two backups.
    Compare,
    /// Finds out what a restore would do.
    Foresee,
    /// Restores.
    Restore,
    /// Brings an interrupted restore to an end, and lets go of what is kept of old ones.
    Settle,
    /// Undoes a restore.
    Undo,
    /// Lists the restores that can be undone.
    Restores,
    /// Lets go of what is kept of a restore.
    Forget,
    /// Reads a backup back and compares.
    Verify,
    /// Deletes a backup.
    Delete,
    /// Saves settings and secrets.
    Save,
    /// Finds out whether a secret is kept.
    FindSecret,
    /// Looks for programs' data.
    FindPrograms,
    /// Asks for a folder.
    PickFolder(FolderPurpose),
}

/// What a folder is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FolderPurpose {
    /// To back it up.
    Source,
    /// To keep backups in it.
    Destination,
    /// The file of an authority of certificates, to trust it.
    CaCertificate,
    /// To restore to it.
    Restore,
    /// To restore to it as a program's data folder.
    RestoreApp,
    /// To restore the backup's folder at this position to it.
    RestorePlace(usize),
}

/// A job that runs.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Tells it apart.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// What it does it to, as people know it.
    pub subject: String,
    /// Where it does it.
    pub destination: Destination,
    /// Whether it was asked to stop.
    pub status: JobStatus,
    /// How far it is.
    pub progress: Progress,
    /// How fast it is.
    pub rate: Rate,
    /// When it began.
    pub started: Instant,
}

/// Whether a job was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobStatus {
    /// It runs.
    Running,
    /// It was asked to stop and has not ended yet.
    Cancelling,
}

/// What came of a job that did what it should.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Of [`JobKind::Test`].
    Tested(TestReport),
    /// Of [`JobKind::CleanUp`].
    CleanedUp(CleanedUp),
    /// Of [`JobKind::List`].
    Listed(Vec<Backup>),
    /// Of [`JobKind::Backup`].
    BackedUp(Box<BackupReport>),
    /// Of [`JobKind::Look`].
    Looked(Arc<Inside>),
    /// Of [`JobKind::Compare`].
    Compared(Arc<Changes>),
    /// Of [`JobKind::Foresee`].
    Foreseen(Arc<Foreseen>),
    /// Of [`JobKind::Restore`].
    Restored(RestoreReport),
    /// Of [`JobKind::Settle`].
    Settled(SettleReport),
    /// Of [`JobKind::Undo`].
    Undone(UndoReport),
    /// Of [`JobKind::Restores`] and [`JobKind::Forget`]: those that can still be undone.
    RestoresListed(Arc<Vec<KeptRestore>>),
    /// Of [`JobKind::Verify`].
    Verified(VerifyDepth, VerifyReport),
    /// Of [`JobKind::Delete`].
    Deleted(DeleteReport),
    /// Settings are on the disk; these profiles were changed by another program and taken over.
    Saved(Vec<Profile>),
    /// Of [`JobKind::FindSecret`].
    SecretFound(SecretStatus),
    /// Of [`JobKind::FindPrograms`].
    ProgramsFound(Vec<Program>),
    /// Of [`JobKind::PickFolder`].
    FolderPicked(Picked),
}

/// A program whose data can be backed up, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What is known of it.
    pub preset: &'static Preset,
    /// Where its data is on this computer.
    pub found: Found,
}

/// Whether the secret of a profile is kept on this computer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SecretStatus {
    /// Not looked up yet.
    #[default]
    Unknown,
    /// It is.
    Kept,
    /// It is not.
    Missing,
}

/// What the system's dialog for folders gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picked {
    /// The folder; none if the person chose none, or no dialog could be shown.
    pub folder: Option<PathBuf>,
    /// How long the dialog was open.
    pub open_for: Duration,
}

/// Why a job came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// The engine failed, or the job was cancelled.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Settings could not be saved.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Secrets could not be read or saved.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// News of a job.
#[derive(Debug)]
pub(crate) struct JobUpdate {
    /// Which job.
    pub id: JobId,
    /// What is new.
    pub news: News,
}

/// What is new about a job.
#[derive(Debug)]
pub(crate) enum News {
    /// It is further.
    Progress(Progress),
    /// It ended.
    Ended(Result<Outcome, JobError>),
}

impl JobKind {
    /// Whether it changes backups or files, or needs them to stay as they are: only one such job runs
    /// at a time.
    pub(crate) const fn is_exclusive(self) -> bool {
        matches!(
            self,
            Self::Backup | Self::Restore | Self::Settle | Self::Undo | Self::Verify | Self::Delete
        )
    }

    /// What runs, as the start of a sentence.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::Test => "A test is running",
            Self::CleanUp => "Unfinished uploads are being removed",
            Self::List => "The list is being fetched",
            Self::Backup => "A backup is running",
            Self::Look => "A backup is being looked into",
            Self::Compare => "Two backups are being compared",
            Self::Foresee => "A restore is being worked out",
            Self::Restore => "A restore is running",
            Self::Settle => "An interrupted restore is being brought to an end",
            Self::Undo => "A restore is being undone",
            Self::Restores => "The restores are being listed",
            Self::Forget => "What is kept of a restore is being removed",
            Self::Verify => "A backup is being verified",
            Self::Delete => "A backup is being deleted",
            Self::Save => "Settings are being saved",
            Self::FindSecret => "The secret is being looked up",
            Self::FindPrograms => "Programs' data is being looked for",
            Self::PickFolder(_) => "A folder is being chosen",
        }
    }
}

impl JobError {
    /// Whether the person asked for it.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Engine(error) if error.is_cancelled())
    }
}
