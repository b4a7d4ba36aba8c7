//! `Notice`: what the person is told about a job that ended, and all wording of results and errors.

use crate::engine::{
    BackupReport, CleanedUp, DeleteReport, Ended, EngineError, Evidence, RestoreReport, Settled,
    UndoReport, VerifyDepth, VerifyReport, causes,
};
use crate::gui::job::{JobError, JobKind};
use crate::gui::rows;
use crate::model::{Warning, bytes_text, count_text};
use jiff::{Timestamp, tz::TimeZone};

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
    /// What the person may want to do next.
    pub offer: Option<Offer>,
}

/// What a notice offers to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Offer {
    /// A backup of the profile of this name, though nothing changed.
    BackUpAllTheSame(String),
    /// To undo the restore of this id.
    Undo(String),
    /// To undo the restore of this id though files changed since.
    UndoAllTheSame(String),
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
            offer: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// An undo that was refused for files that changed since can be done all the same.
    #[must_use]
    pub(crate) fn offer_after_undo(mut self, error: &JobError, id: &str) -> Self {
        if let JobError::Engine(EngineError::ChangedSince(files)) = error {
            self.offer = Some(Offer::UndoAllTheSame(id.to_owned()));
            self.tone = Tone::Warning;
            self.warnings = files
                .iter()
                .map(|file| Warning {
                    path: file.display().to_string(),
                    reason: "changed after the restore".to_owned(),
                })
                .collect();
        }
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
    if let JobError::Engine(cancelled @ EngineError::CancelledLeaving(_)) = error {
        let notice = Notice::new(kind, Tone::Info, "Backup cancelled.");
        return Some(notice.hint(cancelled.hint()));
    }
    if let JobError::Engine(cancelled @ EngineError::TestLeft(_)) = error {
        let notice = Notice::new(kind, Tone::Info, cancelled.to_string());
        return Some(notice.hint(cancelled.hint()));
    }
    if error.is_cancelled() {
        let title = match kind {
            JobKind::Backup => "Backup cancelled. Nothing was left behind.",
            JobKind::Restore => "Restore cancelled. All files are as they were.",
            JobKind::Verify => "Verifying was cancelled.",
            JobKind::Delete => "Deleting was cancelled.",
            JobKind::Test => "Test cancelled.",
            JobKind::CleanUp => "Cleaning up was cancelled.",
            JobKind::Undo => "Undoing was cancelled.",
            JobKind::List
            | JobKind::Look
            | JobKind::Compare
            | JobKind::Foresee
            | JobKind::Settle
            | JobKind::Restores
            | JobKind::Forget
            | JobKind::Save
            | JobKind::FindSecret
            | JobKind::FindPrograms
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
        JobError::Secrets(secrets) => {
            secrets.hint().clone_into(&mut notice.hint);
            notice.details = Some(chain(error));
        }
        JobError::Config(_) => {
            "Check that the disk is not full and that you may write to this folder."
                .clone_into(&mut notice.hint);
            notice.details = Some(chain(error));
        }
    }
    Some(notice)
}

/// What to tell of unfinished uploads that were removed.
pub(crate) fn of_cleaning(cleaned: &CleanedUp) -> Notice {
    let removed = rows::counted(
        cleaned.uploads,
        "unfinished upload was",
        "unfinished uploads were",
    );
    let notice = Notice::new(
        JobKind::CleanUp,
        Tone::Success,
        format!("{removed} removed"),
    );
    match cleaned.left {
        0 => notice,
        left => {
            let left = rows::counted(left, "younger one was", "younger ones were");
            notice.hint(format!("{left} left alone: a computer may still be at it."))
        }
    }
}

/// An error and its causes, one a line.
fn chain(error: &JobError) -> String {
    let mut lines = vec![error.to_string()];
    lines.extend(causes(error));
    lines.join("\ncaused by: ")
}

/// What to tell of a backup of `profile` at this moment in this zone.
pub(crate) fn of_backup(
    report: &BackupReport,
    profile: &str,
    (now, zone): (Timestamp, &TimeZone),
) -> Notice {
    let mut notice = if report.unchanged {
        of_unchanged(report, profile, (now, zone))
    } else {
        of_made(report)
    };
    notice.warnings.clone_from(&report.warnings);
    notice
}

fn of_unchanged(
    report: &BackupReport,
    profile: &str,
    (now, zone): (Timestamp, &TimeZone),
) -> Notice {
    let since = rows::since(report.created, (now, zone));
    let title = format!("Nothing changed since {since}");
    let (tone, hint) = if report.warnings.is_empty() {
        (Tone::Success, "So no new backup was made.".to_owned())
    } else {
        let count = report.warnings.len() as u64;
        let remarks = rows::counted(count, "thing", "things");
        let hint = format!("So no new backup was made. There is more to know of {remarks}.");
        (Tone::Warning, hint)
    };
    let mut notice = Notice::new(JobKind::Backup, tone, title).hint(hint);
    notice.offer = Some(Offer::BackUpAllTheSame(profile.to_owned()));
    notice
}

fn of_made(report: &BackupReport) -> Notice {
    let made = rows::files(report.files);
    let missing = report.row.contents.map_or(0, |contents| contents.missing);
    let (tone, title) = if report.warnings.is_empty() {
        (Tone::Success, format!("Backed up {made}"))
    } else if missing > 0 {
        let unread = format!("{} could not be read", count_text(missing));
        (Tone::Warning, format!("Backed up {made}, {unread}"))
    } else {
        let count = report.warnings.len() as u64;
        let remarks = rows::counted(count, "thing to know", "things to know");
        (Tone::Warning, format!("Backed up {made}, with {remarks}"))
    };
    let mut parts = vec![format!("{} of files", bytes_text(report.bytes_total))];
    for (bytes, way) in [
        (report.bytes_uploaded, "sent"),
        (report.bytes_copied, "copied at the destination"),
        (report.bytes_resumed, "taken over from an interrupted run"),
    ] {
        if bytes > 0 {
            parts.push(format!("{} {way}", bytes_text(bytes)));
        }
    }
    parts.push(rows::duration(report.duration_secs));
    parts.extend(
        report
            .full_because
            .map(|because| because.sentence().to_owned()),
    );
    Notice::new(JobKind::Backup, tone, title).hint(parts.join(" · "))
}

/// What to tell of a verification of the backup `name`.
pub(crate) fn of_verify(report: &VerifyReport, depth: VerifyDepth, name: &str) -> Notice {
    const NAMED: usize = 2;
    let entries = rows::counted(report.entries, "file or folder", "files and folders");
    if !report.damaged.is_empty() {
        let mut named: Vec<String> = report
            .damaged
            .iter()
            .take(NAMED)
            .map(|warning| format!("“{}”", warning.path))
            .collect();
        if report.damaged.len() > NAMED {
            let more = (report.damaged.len() - NAMED) as u64;
            named.push(format!("{} more", count_text(more)));
        }
        let title = format!("Damaged: {}", named.join(", "));
        let hint = format!(
            "In {name} ({entries}). Keep it: a restore still gives back all that is whole. Then choose More, Send everything anew: that copies nothing of this one."
        );
        let mut notice = Notice::new(JobKind::Verify, Tone::Error, title).hint(hint);
        notice.warnings.clone_from(&report.damaged);
        return notice;
    }
    let (title, hint) = match depth {
        VerifyDepth::Full if report.evidence == Evidence::Checksums => (
            format!(
                "Whole as far as can be told: {entries}, {} read in {}",
                bytes_text(report.bytes),
                rows::duration(report.duration_secs)
            ),
            format!(
                "{name} · another program made it, so only checksums (CRC-32) could be compared"
            ),
        ),
        VerifyDepth::Full => (
            format!(
                "Whole: {entries}, {} read and compared in {}",
                bytes_text(report.bytes),
                rows::duration(report.duration_secs)
            ),
            name.to_owned(),
        ),
        VerifyDepth::Quick if report.evidence == Evidence::Checksums => (
            format!("The directory can be read: {entries}"),
            format!("{name} · another program made it · no content was read"),
        ),
        VerifyDepth::Quick => (
            format!("The end, the directory and the manifest are whole: {entries}"),
            format!("{name} · no content was read"),
        ),
    };
    Notice::new(JobKind::Verify, Tone::Success, title).hint(hint)
}

/// What to tell of a restore that was done.
pub(crate) fn of_restore(report: &RestoreReport) -> Notice {
    let restored = rows::files(report.files);
    let (tone, title) = if report.refused.is_empty() && report.warnings.is_empty() {
        (Tone::Success, format!("Restored {restored}"))
    } else if report.refused.is_empty() {
        let to_know = rows::counted(report.warnings.len() as u64, "thing", "things");
        let title = format!("Restored {restored}, with {to_know} to know");
        (Tone::Warning, title)
    } else {
        let refused = count_text(report.refused.len() as u64);
        (
            Tone::Warning,
            format!("Restored {restored}, {refused} could not be restored"),
        )
    };
    let mut parts = vec![format!(
        "{} in {}, to {}",
        bytes_text(report.bytes_written),
        rows::duration(report.duration_secs),
        report.to.join(", ")
    )];
    if report.unchanged > 0 {
        let was = if report.unchanged == 1 { "was" } else { "were" };
        parts.push(format!(
            "{} {was} there already",
            rows::files(report.unchanged)
        ));
    }
    if report.removed > 0 {
        let removed = rows::counted(report.removed, "thing", "things");
        parts.push(format!("{removed} removed that the backup does not have"));
    }
    parts.extend(
        report
            .no_undo
            .as_ref()
            .map(|reason| format!("It cannot be undone: {reason}")),
    );
    let mut notice = Notice::new(JobKind::Restore, tone, title).hint(parts.join(" · "));
    notice.warnings = [report.refused.as_slice(), &report.warnings].concat();
    notice.offer = report.undo.clone().map(Offer::Undo);
    notice
}

/// What to tell of a restore that was undone.
pub(crate) fn of_undo(report: &UndoReport) -> Notice {
    let title = "Undone: everything is as it was before the restore";
    let mut hint = report.to.join(", ");
    if let Some(folder) = &report.set_aside {
        hint = format!("{hint} · what was changed since is kept in {folder}");
    }
    Notice::new(JobKind::Undo, Tone::Success, title).hint(hint)
}

/// What to tell of an interrupted restore that was brought to an end.
pub(crate) fn of_settled(settled: &Settled) -> Notice {
    let (tone, title) = match settled.ended {
        Ended::Finished => (Tone::Success, "An interrupted restore was finished"),
        Ended::TakenBack => (
            Tone::Warning,
            "An interrupted restore was taken back: all files are as they were before it",
        ),
    };
    let hint = format!("{} · {}", settled.backup, settled.to.join(", "));
    Notice::new(JobKind::Settle, tone, title).hint(hint)
}

/// What to tell of interrupted restores that could not be brought to an end.
pub(crate) fn of_unsettled(failed: &[Warning]) -> Notice {
    let title = "An interrupted restore could not be brought to an end";
    let mut notice = Notice::new(JobKind::Settle, Tone::Warning, title)
        .hint("Nothing of it is lost. The next start tries again.");
    notice.warnings = failed.to_vec();
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
    use crate::engine::{FullBecause, Leftover};
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
            full_because: None,
            bytes_uploaded: 2_000_000,
            bytes_copied: 0,
            bytes_resumed: 0,
            requests: 1,
            duration_secs: 2.0,
            warnings: vec![warning; warnings],
        }
    }

    fn told(report: &BackupReport) -> Notice {
        let now = Timestamp::from_second(3_600).expect("a moment");
        of_backup(report, "default", (now, &TimeZone::UTC))
    }

    #[test]
    fn an_unchanged_backup_says_since_when_and_offers_one_all_the_same() {
        let unchanged = BackupReport {
            unchanged: true,
            backup: None,
            ..backup_report(0, 0)
        };
        let notice = told(&unchanged);
        assert_eq!(notice.title, "Nothing changed since 00:00 today");
        assert_eq!(notice.tone, Tone::Success);
        let offer = Offer::BackUpAllTheSame("default".to_owned());
        assert_eq!(notice.offer, Some(offer));
        assert_eq!(told(&backup_report(0, 0)).offer, None);
        let with_warnings = BackupReport {
            unchanged: true,
            ..backup_report(0, 1)
        };
        assert_eq!(told(&with_warnings).tone, Tone::Warning);
    }

    #[test]
    fn a_backup_says_what_happened_to_the_bytes() {
        assert_eq!(
            told(&backup_report(0, 0)).hint,
            "4.0 MB of files · 2.0 MB sent · 2 s"
        );
        let incremental = BackupReport {
            bytes_uploaded: 0,
            bytes_copied: 480_000_000,
            bytes_resumed: 200_000_000,
            ..backup_report(0, 0)
        };
        assert_eq!(
            told(&incremental).hint,
            "4.0 MB of files · 480 MB copied at the destination · 200 MB taken over from an interrupted run · 2 s"
        );
    }

    #[test]
    fn damage_is_named_with_what_to_do_and_a_quick_look_claims_no_more_than_it_saw() {
        let warning = |path: &str| Warning {
            path: path.to_owned(),
            reason: "its content is not what was backed up".to_owned(),
        };
        let mut report = VerifyReport {
            entries: 1_234,
            bytes: 1_200_000_000,
            damaged: Vec::new(),
            evidence: Evidence::Hashes,
            duration_secs: 34.0,
        };
        let full = VerifyDepth::Full;
        assert_eq!(
            of_verify(&report, full, "a.zip").title,
            "Whole: 1,234 files and folders, 1.2 GB read and compared in 34 s"
        );
        let quick = of_verify(&report, VerifyDepth::Quick, "a.zip");
        assert!(!quick.title.contains("Whole"), "{}", quick.title);
        report.damaged = ["a", "b", "c"].map(warning).to_vec();
        let damaged = of_verify(&report, full, "a.zip");
        assert_eq!(damaged.title, "Damaged: “a”, “b”, 1 more");
        assert_eq!((damaged.tone, damaged.warnings.len()), (Tone::Error, 3));
        for said in ["Keep it", "1,234 files and folders"] {
            assert!(damaged.hint.contains(said), "{}", damaged.hint);
        }
        report.damaged.clear();
        report.evidence = Evidence::Checksums;
        for depth in [full, VerifyDepth::Quick] {
            let foreign = of_verify(&report, depth, "a.zip");
            assert!(foreign.hint.contains("another program"), "{}", foreign.hint);
        }
    }

    #[test]
    fn a_cancelled_job_is_no_error() {
        let cancelled = JobError::Engine(EngineError::Cancelled);
        let notice = of_failure(JobKind::Backup, &cancelled).expect("it is told quietly");
        assert_eq!(notice.tone, Tone::Info);
        assert_eq!(notice.title, "Backup cancelled. Nothing was left behind.");
        assert_eq!(of_failure(JobKind::List, &cancelled), None);
        let leaving = EngineError::CancelledLeaving(Leftover::Upload);
        let notice = of_failure(JobKind::Backup, &leaving.into()).expect("told");
        assert_eq!(
            (notice.tone, notice.title.as_str()),
            (Tone::Info, "Backup cancelled.")
        );
        assert!(notice.hint.contains("stays at the destination"));
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
        assert_eq!(told(&backup_report(0, 0)).tone, Tone::Success);
        let full = BackupReport {
            full_because: Some(FullBecause::CopyFailed),
            ..backup_report(0, 0)
        };
        let sentence = FullBecause::CopyFailed.sentence();
        assert!(told(&full).hint.ends_with(sentence), "{}", told(&full).hint);
        let partial = told(&backup_report(3, 3));
        assert_eq!(partial.title, "Backed up 123 files, 3 could not be read");
        assert_eq!(partial.tone, Tone::Warning);
        assert_eq!(partial.warnings.len(), 3);
        let changed = told(&backup_report(0, 1));
        assert_eq!(changed.title, "Backed up 123 files, with 1 thing to know");
    }

    #[test]
    fn a_restore_tells_what_to_know_of_it_and_what_is_missing() {
        let warning = |path: &str| Warning {
            path: path.to_owned(),
            reason: "a reason".to_owned(),
        };
        let mut report = RestoreReport {
            files: 2,
            bytes_written: 5,
            unchanged: 0,
            removed: 0,
            refused: Vec::new(),
            warnings: Vec::new(),
            undo: None,
            no_undo: None,
            to: vec!["/t".to_owned()],
            duration_secs: 1.0,
        };
        assert_eq!(of_restore(&report).tone, Tone::Success);
        report.warnings.push(warning("/t"));
        let told = of_restore(&report);
        assert_eq!(told.title, "Restored 2 files, with 1 thing to know");
        assert_eq!((told.tone, told.warnings.len()), (Tone::Warning, 1));
        report.refused.push(warning("a"));
        let told = of_restore(&report);
        assert_eq!(told.title, "Restored 2 files, 1 could not be restored");
        assert_eq!(told.warnings.len(), 2);
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
