//! `Command`: every wish that a click or a key can express, and the list in which a frame collects them.

use crate::engine::{LaterChanges, RestoreRequest, VerifyDepth};
use crate::gui::job::{FolderPurpose, JobId};
use crate::gui::notice::NoticeId;
use crate::model::Appearance;
use crate::model::Backup;
use std::path::PathBuf;

/// One wish of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Show another profile.
    ShowProfile(String),
    /// Make a profile of this name and show it.
    CreateProfile(String),
    /// Forget the profile of this name; its backups stay.
    RemoveProfile(String),
    /// Look like this from now on.
    Appear(Appearance),
    /// Keep what the form says; the person may still be typing.
    KeepForm,
    /// Keep what the form says; the person is done with a field.
    FinishForm,
    /// Ask for a folder with the system's dialog.
    PickFolder(FolderPurpose),
    /// Back this folder up from now on.
    AddFolder(String),
    /// Look for the data of programs that are known.
    FindPrograms,
    /// Back the data of the program of this id up from now on.
    AddProgram(String),
    /// Do not back this folder up any more.
    RemoveFolder(PathBuf),
    /// Test the destination.
    Test,
    /// Change the settings to what the test has found.
    CorrectSettings,
    /// Remove unfinished uploads from the destination.
    CleanUp,
    /// List the backups again.
    Refresh,
    /// Back up now.
    BackUp(BackUpManner),
    /// Find out what a backup holds.
    Look(Backup),
    /// Show what a backup holds.
    Open(Backup),
    /// Show the table again.
    CloseInside,
    /// Find out what changed in the backup that is open against this older one.
    Compare(Backup),
    /// Find out what a restore would do.
    Foresee(RestoreRequest),
    /// Put a backup's files back.
    Restore(RestoreRequest),
    /// List the restores that can be undone.
    ListRestores,
    /// Undo the restore of this id.
    Undo(String, LaterChanges),
    /// Let go of what is kept of the restore of this id.
    ForgetRestore(String),
    /// Keep for so many days what restores replace.
    KeepUndo(u32),
    /// Read a backup back and compare.
    Verify(Backup, VerifyDepth),
    /// Remove a backup.
    Delete(Backup),
    /// Mark the row of this key.
    Select(String),
    /// Stop a job.
    Cancel(JobId),
    /// Take a notice away.
    Dismiss(NoticeId),
    /// Go on with what runs instead of quitting.
    KeepRunning,
    /// Stop what runs, then quit.
    StopAndQuit,
}

/// How a backup is made this once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackUpManner {
    /// As the profile says.
    AsSet,
    /// Also when nothing changed.
    EvenUnchanged,
    /// Without anything of files that were deleted or replaced.
    RemoveDeleted,
    /// Without anything that earlier backups have.
    Anew,
}

/// The wishes of one frame, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Commands(Vec<Command>);

impl Commands {
    /// Adds a wish.
    pub(crate) fn push(&mut self, command: Command) {
        self.0.push(command);
    }
}

impl IntoIterator for Commands {
    type Item = Command;
    type IntoIter = std::vec::IntoIter<Command>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
