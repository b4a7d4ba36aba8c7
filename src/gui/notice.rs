//! `Notice`: what the person is told about a job that ended, and all wording of results and errors.

use crate::engine::{BackupReport, DeleteReport, RestoreReport, causes};
use crate::gui::job::{JobError, JobKind};
use crate::gui::rows;
use crate::model::{Warning, bytes_text};

/// At most so many are shown; the oldest gives way.
const MOST_NOTICES: usize = 4;

/// Tells notices apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NoticeId(u64);

/// How good or bad the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It worked.
    Success,
    /// Nothing to do about it.
    Info,
    /// It worked, with something to know.
    Warning,
    /// It did not work.
    Error,
}

/// Something that the person is told, until they dismiss it or the next job of its kind starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Tells it apart; given when it is shown.
    pub id: NoticeId,
    /// Which kind of job it is about.
    pub about: JobKind,
    /// How good or bad it is.
    pub tone: Tone,
    /// The news in a sentence.
    pub title: String,
    /// What to do about it, or what else there is to know.
    pub hint: String,
    /// Everything that is known, for "Copy details".
    pub details: Option<String>,
    /// What went wrong with single files.
    pub warnings: Vec<Warning>,
}

/// The notices that are shown, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notices {
    shown: Vec<Notice>,
    last_id: u64,
}

impl Notices {
    /// Shows `notice` above the others.
    pub(crate) fn show(&mut self, mut notice: Notice) {
        self.last_id += 1;
        notice.id = NoticeId(self.last_id);
        self.shown.insert(0, notice);
        self.shown.truncate(MOST_NOTICES);
    }

    /// Takes one away.
    pub(crate) fn dismiss(&mut self, id: NoticeId) {
        self.shown.retain(|notice| notice.id != id);
    }

    /// Takes those away that a new job of `kind` makes old.
    pub(crate) fn outdate(&mut self, kind: JobKind) {
        self.shown.retain(|notice| notice.about != kind);
    }

    /// The newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.shown.iter()
    }
}

impl Notice {
    /// A notice of these words.
    pub(crate) fn new(about: JobKind, tone: Tone, title: impl Into<String>) -> Self {
        Self {
            id: NoticeId(0),
            about,
            tone,
            title: title.into(),
            hint: String::new(),
            details: None,
            warnings: Vec::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What "Copy details" copies; none where there is no more to know.
    pub(crate) fn copy_text(&self) -> Option<String> {
        if self.details.is_none() && self.warnings.is_empty() {
            return None;
        }
        let mut lines = vec![self.title.clone()];
        lines.extend(self.details.clone());
        let warnings = self.warnings.iter();
        lines.extend(warnings.map(|warning| format!("{}: {}", warning.path, warning.reason)));
        Some(lines.join("\n"))
    }
}

/// What to tell of a job that came to nothing; none where silence is right.
pub(crate) fn of_failure(kind: JobKind, error: &JobError) -> Option<Notice> {
    if error.is_cancelled() {
        let title = match kind {
            JobKind::Backup => "Backup cancelled. Nothing was left behind.",
            JobKind::Restore => "Restore cancelled. All files are as they were.",
            JobKind::Delete => "Deleting was cancelled.",
            JobKind::Test => "Test cancelled.",
            JobKind::List
            | JobKind::Look
            | JobKind::Save
            | JobKind::FindSecret
            | JobKind::PickFolder(_) => {
                return None;
            }
        };
        return Some(Notice::new(kind, Tone::Info, title));
    }
    let mut notice = Notice::new(kind, Tone::Error, error.to_string());
    match error {
        JobError::Engine(error) => {
            error.hint().clone_into(&mut notice.hint);
            notice.details = Some(error.details());
        }
        JobError::Config(_) | JobError::Secrets(_) => {
            "Check that the disk is not full and that you may write to this folder."
                .clone_into(&mut notice.hint);
            notice.details = Some(chain(error));
        }
    }
    Some(notice)
}

/// An error and its causes, one a line.
fn chain(error: &JobError) -> String {
    let mut lines = vec![error.to_string()];
    lines.extend(causes(error));
    lines.join("\ncaused by: ")
}

/// What to tell of a backup that was made.
pub(crate) fn of_backup(report: &BackupReport) -> Notice {
    let made = rows::files(report.files);
    let missing = report.row.contents.map_or(0, |contents| contents.missing);
    let (tone, title) = if report.warnings.is_empty() && report.unchanged {
        (
            Tone::Success,
            "Nothing has changed since the last backup".to_owned(),
        )
    } else if report.warnings.is_empty() {
        (Tone::Success, format!("Backed up {made}"))
    } else if missing > 0 {
        let unread = format!("{} could not be read", rows::number(missing));
        (Tone::Warning, format!("Backed up {made}, {unread}"))
    } else {
        let count = report.warnings.len() as u64;
        let remarks = rows::counted(count, "thing to know", "things to know");
        (Tone::Warning, format!("Backed up {made}, with {remarks}"))
    };
    let mut notice = Notice::new(JobKind::Backup, tone, title).hint(format!(
        "{} of files, {} sent in {}",
        bytes_text(report.bytes_total),
        bytes_text(report.bytes_uploaded),
        rows::duration(report.duration_secs)
    ));
    notice.warnings.clone_from(&report.warnings);
    notice
}

/// What to tell of a restore that was done.
pub(crate) fn of_restore(report: &RestoreReport) -> Notice {
    let restored = rows::files(report.files);
    let (tone, title) = if report.refused.is_empty() {
        (Tone::Success, format!("Restored {restored}"))
    } else {
        let refused = rows::number(report.refused.len() as u64);
        (
            Tone::Warning,
            format!("Restored {restored}, {refused} could not be restored"),
        )
    };
    let mut notice = Notice::new(JobKind::Restore, tone, title).hint(format!(
        "{} in {}, to {}",
        bytes_text(report.bytes_written),
        rows::duration(report.duration_secs),
        report.to.join(", ")
    ));
    notice.warnings.clone_from(&report.refused);
    notice
}

/// What to tell of a deletion.
pub(crate) fn of_delete(report: &DeleteReport) -> Notice {
    if report.failed.is_empty() {
        let names = report.deleted.join(", ");
        return Notice::new(JobKind::Delete, Tone::Success, "Backup deleted").hint(names);
    }
    let mut notice = Notice::new(
        JobKind::Delete,
        Tone::Error,
        "The backup could not be deleted",
    )
    .hint("It is still there. Refresh the list and try again.");
    notice.details = Some(
        report
            .failed
            .iter()
            .map(|warning| format!("{}: {}", warning.path, warning.reason))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    notice.warnings.clone_from(&report.failed);
    notice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineError;
    use crate::model::{Backup, Contents};

    fn backup_report(missing: u64, warnings: usize) -> BackupReport {
        let mut row = Backup::from_listing("a.zip", 5, jiff::Timestamp::UNIX_EPOCH);
        row.contents = Some(Contents {
            files: 123,
            missing,
        });
        let warning = Warning {
            path: "a/b".to_owned(),
            reason: "permission denied".to_owned(),
        };
        BackupReport {
            row,
            backup: Some("a.zip".to_owned()),
            key: "a.zip".to_owned(),
            unchanged: false,
            created: jiff::Timestamp::UNIX_EPOCH,
            files: 123,
            bytes_total: 4_000_000,
            bytes_read: 0,
            bytes_uploaded: 2_000_000,
            bytes_copied: 0,
            bytes_resumed: 0,
            requests: 1,
            duration_secs: 2.0,
            warnings: vec![warning; warnings],
        }
    }

    #[test]
    fn a_cancelled_job_is_no_error() {
        let cancelled = JobError::Engine(EngineError::Cancelled);
        let notice = of_failure(JobKind::Backup, &cancelled).expect("it is told quietly");
        assert_eq!(notice.tone, Tone::Info);
        assert_eq!(notice.title, "Backup cancelled. Nothing was left behind.");
        assert_eq!(of_failure(JobKind::List, &cancelled), None);
    }

    #[test]
    fn a_failure_says_what_to_do_and_holds_the_details() {
        let error = JobError::Engine(EngineError::NoSources);
        let notice = of_failure(JobKind::Backup, &error).expect("told");
        assert_eq!(notice.hint, "Add a folder first.");
        assert!(notice.details.is_some_and(|d| d.contains("no-sources")));
    }

    #[test]
    fn a_partial_backup_says_how_many_files_are_missing() {
        assert_eq!(of_backup(&backup_report(0, 0)).tone, Tone::Success);
        let partial = of_backup(&backup_report(3, 3));
        assert_eq!(partial.title, "Backed up 123 files, 3 could not be read");
        assert_eq!(partial.tone, Tone::Warning);
        assert_eq!(partial.warnings.len(), 3);
        let changed = of_backup(&backup_report(0, 1));
        assert_eq!(changed.title, "Backed up 123 files, with 1 thing to know");
    }

    #[test]
    fn a_new_job_outdates_the_notices_of_its_kind_only() {
        let mut notices = Notices::default();
        for kind in [JobKind::Backup, JobKind::Test, JobKind::Backup] {
            notices.show(Notice::new(kind, Tone::Success, "done"));
        }
        notices.outdate(JobKind::Backup);
        let kinds: Vec<_> = notices.iter().map(|notice| notice.about).collect();
        assert_eq!(kinds, [JobKind::Test]);
        for _ in 0..20 {
            notices.show(Notice::new(JobKind::Delete, Tone::Success, "done"));
        }
        assert_eq!(notices.iter().count(), MOST_NOTICES);
    }
}
