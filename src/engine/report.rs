//! Reports: what came of a job. Both fronts show the same ones; field names are those of `--json`.

use crate::model::{Backup, CherryStudioBackup, EntryKind, Root, Skipped, Warning};
use jiff::Timestamp;
use serde::Serialize;
use std::path::PathBuf;

/// What came of a backup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupReport {
    /// The new row; the newest row where nothing changed.
    #[serde(skip)]
    pub row: Backup,
    /// File name of the new archive; `None` where nothing changed.
    pub backup: Option<String>,
    /// Key of the row's archive.
    pub key: String,
    /// Whether nothing changed since the row was made, so that no new one was.
    pub unchanged: bool,
    /// When the row was made.
    pub created: Timestamp,
    /// Regular files in the archive.
    pub files: u64,
    /// Bytes of these files, before compression.
    pub bytes_total: u64,
    /// Bytes read from this computer's files, to send them or only to compare them.
    pub bytes_read: u64,
    /// Bytes sent to the destination.
    pub bytes_uploaded: u64,
    /// Bytes that the destination copied by itself.
    pub bytes_copied: u64,
    /// Bytes that an earlier run had sent before it was interrupted, and that were not sent again.
    pub bytes_resumed: u64,
    /// Requests sent to the destination, with pages and further attempts.
    pub requests: u64,
    /// Time taken.
    pub duration_secs: f64,
    /// Why everything was sent though there was an earlier backup; `None` where something was taken
    /// over, where nothing could be, where that was asked for, and where the earlier one is so small
    /// that nothing of it is worth a copy.
    pub full_because: Option<FullBecause>,
    /// What could not be read, or changed meanwhile.
    pub warnings: Vec<Warning>,
}

/// Why a backup sent everything though there was an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FullBecause {
    /// So many backups were made of copies that it was time for a new beginning.
    ItWasTime,
    /// The earlier backup cannot be read, or is not as it should be.
    EarlierUnreadable,
    /// The destination cannot copy, as an earlier backup has found out.
    CannotCopy,
    /// The destination refused to copy, or what it copied was in doubt.
    CopyFailed,
    /// Deleted data is left out, and what is left does not make parts that can be copied.
    DeletedData,
}

impl FullBecause {
    /// In a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ItWasTime => {
                "Everything was sent anew, as every 30th backup does, so that no byte is copied from copies for ever."
            }
            Self::EarlierUnreadable => {
                "Everything was sent, because the last backup cannot be read: verify it."
            }
            Self::CannotCopy => {
                "Everything was sent, because the destination cannot copy parts of earlier backups."
            }
            Self::CopyFailed => {
                "Everything was sent, because the destination did not copy what the last backup has."
            }
            Self::DeletedData => {
                "Everything was sent, because deleted data was left out and the rest stood in pieces too small to be copied."
            }
        }
    }
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RestoreReport {
    /// Regular files written.
    pub files: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Files that were there already, with the same content and time.
    pub unchanged: u64,
    /// Files, links and folders that only the target had and that were removed, for an exact mirror.
    pub removed: u64,
    /// Entries that were not restored, and why.
    pub refused: Vec<Warning>,
    /// What else the person should know.
    pub warnings: Vec<Warning>,
    /// By what the restore can be undone; `None` where it changed nothing, or `no_undo` says why.
    pub undo: Option<String>,
    /// Why the restore cannot be undone though it changed something.
    pub no_undo: Option<String>,
    /// The folders that were written to.
    pub to: Vec<String>,
    /// Time taken.
    pub duration_secs: f64,
}

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestorePreview {
    /// File name of the backup.
    pub backup: String,
    /// The folders that would be written to.
    pub to: Vec<String>,
    /// What would become of each file and link.
    pub files: Vec<Foreseen>,
    /// Bytes that would be written.
    pub bytes: u64,
    /// What each volume needs.
    pub rooms: Vec<Room>,
    /// Entries that would not be restored, and why.
    pub refused: Vec<Warning>,
    /// What else the person should know.
    pub warnings: Vec<Warning>,
}

impl RestorePreview {
    /// How many files and links would fare so.
    pub fn count(&self, effect: ForeseenEffect) -> u64 {
        let files = self.files.iter().filter(|file| file.effect == effect);
        files.count() as u64
    }
}

/// What would become of a file or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    /// Where it is or would be.
    pub path: String,
    /// Name of the entry; `None` of what only the target has.
    pub entry: Option<String>,
    /// What would become of it.
    pub effect: ForeseenEffect,
    /// Its size in the backup.
    pub size_bytes: u64,
}

/// What would become of a file or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeseenEffect {
    /// It is not there yet.
    New,
    /// It takes the place of another.
    Replaced,
    /// It is there already, by its size and time, or by its content where that was compared.
    Unchanged,
    /// The target's stays.
    Kept,
    /// Only the target has it, and it goes.
    Removed,
}

/// What a volume needs, and what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Room {
    /// A folder on it.
    pub folder: PathBuf,
    /// Bytes needed.
    pub needed_bytes: u64,
    /// Bytes free, where the system says it.
    pub free_bytes: Option<u64>,
}

/// A restore that can be undone, or that was and keeps something aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptRestore {
    /// Names it.
    pub id: String,
    /// File name of the backup.
    pub backup: String,
    /// When it was restored.
    pub created: Timestamp,
    /// The folders that were written to.
    pub to: Vec<String>,
    /// Files and links that it put.
    pub put: u64,
    /// Files, links and folders that it removed without putting something in their place.
    pub removed: u64,
    /// Bytes of what it replaced or removed, which are kept on this computer; of what is set aside where it
    /// was undone.
    pub kept_bytes: u64,
    /// When it was undone by force; `None` where it can be undone.
    pub undone: Option<Timestamp>,
    /// Where that is which was changed after the restore and set aside when it was undone.
    pub set_aside: Vec<String>,
}

/// What became of what was kept of a restore that is let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgotten {
    /// It is gone.
    Now,
    /// A disk that it is on is not connected: it goes at a start when it is.
    OnceConnected,
}

/// What came of undoing a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndoReport {
    /// File name of the backup that was restored.
    pub backup: String,
    /// Files and links that are not any more what the restore put.
    pub taken_away: u64,
    /// Files, links and folders that are there again.
    pub put_back: u64,
    /// The folders that are as they were.
    pub to: Vec<String>,
    /// The folders where files are kept that were changed after the restore, under the paths that they had.
    pub set_aside: Option<String>,
    /// These files.
    pub set_aside_files: Vec<String>,
}

/// What came of bringing interrupted restores to an end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SettleReport {
    /// Those that were.
    pub settled: Vec<Settled>,
    /// Ids of those that could not be, and why.
    pub failed: Vec<Warning>,
}

/// An interrupted restore that was brought to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// File name of the backup.
    pub backup: String,
    /// The folders that it writes to.
    pub to: Vec<String>,
    /// How it ended.
    pub ended: Ended,
}

/// How an interrupted restore ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything is in place.
    Finished,
    /// Everything is as it was before.
    TakenBack,
}

/// What came of a deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeleteReport {
    /// Names of the backups that are gone.
    pub deleted: Vec<String>,
    /// Names of those that are still there, and why.
    pub failed: Vec<Warning>,
}

/// What came of a download.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DownloadReport {
    /// The file that was written.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Time taken.
    pub duration_secs: f64,
}

/// What came of verifying a backup.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VerifyReport {
    /// Entries looked at: files, folders and links, the manifest left out.
    pub entries: u64,
    /// Bytes of content that were read back and compared; none after a quick look.
    pub bytes: u64,
    /// What is not as it was backed up, and why; empty when all is whole. Paths of entries; what is no
    /// entry is named in plain words: “the manifest”, “bytes 1,234 to 5,678”.
    pub damaged: Vec<Warning>,
    /// What the archive's bytes were compared with.
    pub evidence: Evidence,
    /// Time taken.
    pub duration_secs: f64,
}

/// What the bytes of an archive are compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Hashes of all its bytes and of each file, which zipkeep wrote.
    #[default]
    Hashes,
    /// The CRC-32 of each file: all that an archive of another program has.
    Checksums,
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShowReport {
    /// File name of the archive.
    pub backup: String,
    /// What it says of itself, where Cherry Studio made it.
    pub cherry_studio: Option<CherryStudioBackup>,
    /// The folders that it holds, where it says so.
    pub roots: Vec<Root>,
    /// What should be in it and is not, where it says so.
    pub skipped: Vec<Skipped>,
    /// Its entries, the manifest left out.
    pub entries: Vec<ShownEntry>,
}

/// One entry of an archive, as people and scripts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownEntry {
    /// Path with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes before compression.
    pub size_bytes: u64,
    /// Last change of the content.
    pub modified: Option<Timestamp>,
    /// BLAKE3 of the content in hexadecimal, in archives of ours.
    pub blake3: Option<String>,
}
