//! The words of results and of progress, for people at a terminal. Pure: zone and numbers are given.

use indicatif::{DecimalBytes, HumanDuration};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;
use zipkeep::engine::{BackupReport, Evidence, VerifyDepth, VerifyReport};
use zipkeep::model::{CherryStudioBackup, Progress, Trouble, count_text};

/// What came of a backup at `place`.
pub(crate) fn backup_lines(report: &BackupReport, place: &str, zone: &TimeZone) -> Vec<String> {
    let name = &report.row.name;
    if report.unchanged {
        let since = local_time(report.created, zone);
        return vec![format!("Nothing changed since {since} ({name})")];
    }
    let mut lines = vec![
        format!(
            "Backed up {} ({}) in {}.",
            count(report.files, "file"),
            DecimalBytes(report.bytes_total),
            duration(report.duration_secs)
        ),
        format!(
            "{name} ({}) is at {place}",
            DecimalBytes(report.row.size_bytes)
        ),
    ];
    let ways = [
        (report.bytes_uploaded, "sent"),
        (report.bytes_copied, "copied at the destination"),
        (report.bytes_resumed, "taken over from an interrupted run"),
    ];
    let told = ways.iter().filter(|(bytes, _)| *bytes > 0);
    let told: Vec<String> = told
        .map(|(bytes, way)| format!("{} {way}", DecimalBytes(*bytes)))
        .collect();
    if !told.is_empty() {
        lines.push(told.join(", "));
    }
    lines.extend(
        report
            .full_because
            .map(|because| because.sentence().to_owned()),
    );
    lines
}

/// What came of verifying the backup `name`; what is damaged is listed elsewhere.
pub(crate) fn verify_lines(report: &VerifyReport, depth: VerifyDepth, name: &str) -> Vec<String> {
    let entries = entries(report.entries);
    if !report.damaged.is_empty() {
        let places = count(report.damaged.len() as u64, "place");
        return vec![
            format!("DAMAGED: {places} in {name}, which holds {entries}"),
            "Keep it: a restore still gives back all that is whole. Then run “backup --full”,"
                .to_owned(),
            "which copies nothing of this one.".to_owned(),
        ];
    }
    let found = match depth {
        VerifyDepth::Full if report.evidence == Evidence::Checksums => format!(
            "Whole as far as can be told: {entries}, {} read and compared with checksums (CRC-32) in {}; another program made it, without hashes",
            DecimalBytes(report.bytes),
            duration(report.duration_secs)
        ),
        VerifyDepth::Quick if report.evidence == Evidence::Checksums => {
            format!(
                "The directory can be read: {entries}; another program made it, and no content was read"
            )
        }
        VerifyDepth::Full => format!(
            "Whole: {entries}, {} read and compared in {}",
            DecimalBytes(report.bytes),
            duration(report.duration_secs)
        ),
        VerifyDepth::Quick => {
            format!(
                "The end, the directory and the manifest are whole: {entries}; no content was read"
            )
        }
    };
    vec![format!("{found} ({name})")]
}

/// What an archive of Cherry Studio says of itself.
pub(crate) fn cherry_studio_lines(backup: &CherryStudioBackup) -> Vec<String> {
    let mut lines = vec![harmless(&backup.sentence())];
    if let Some(made) = backup.made {
        let made = local_time(made, &TimeZone::system());
        lines.push(format!("Made {made}, as its content says"));
    } else if let Some(made) = backup.made_local {
        let made = made.strftime("%Y-%m-%d %H:%M");
        lines.push(format!("Made {made} by the clock of that computer"));
    }
    lines
}

fn entries(number: u64) -> String {
    match number {
        1 => "1 file or folder".to_owned(),
        _ => format!("{} files and folders", count_text(number)),
    }
}

/// Why nothing moves, and what is done about it.
pub(crate) fn trouble_text(trouble: &Trouble) -> String {
    let mut parts = Vec::new();
    if trouble.silent_secs > 0 {
        parts.push(format!("No bytes for {} s", trouble.silent_secs));
    }
    parts.push(match trouble.attempts {
        Some(attempts) => format!("attempt {} of {attempts}", trouble.attempt),
        None => format!("attempt {}", trouble.attempt),
    });
    if let Some(secs) = trouble.next_attempt_secs {
        parts.push(format!("next in {secs} s"));
    }
    format!("{}: {}", parts.join(", "), harmless(&trouble.reason))
}

/// A text of somebody else's, without what would steer a terminal; quotes and accents stay as they are.
pub(crate) fn harmless(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_plain = !letter.is_control() && !REORDERING.contains(&letter);
        if is_plain {
            told.push(letter);
        } else {
            told.extend(letter.escape_unicode());
        }
    }
    told
}

/// What makes a terminal show letters in another order than they come.
const REORDERING: [char; 9] = [
    '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}',
];

/// How far a job is, in a line.
pub(crate) fn progress_text(progress: &Progress) -> String {
    let mut line = progress.phase.title().to_owned();
    if progress.files_done > 0 || progress.bytes_done > 0 {
        let done = DecimalBytes(progress.bytes_done);
        line.push_str(&format!(": {}, {done}", count(progress.files_done, "file")));
        if let Some(total) = progress.bytes_total {
            line.push_str(&format!(" of {}", DecimalBytes(total)));
        }
    }
    line
}

/// "1 file", "12,345 files".
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count_text(number))
}

/// How long something took.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        HumanDuration(Duration::from_secs_f64(seconds)).to_string()
    }
}

/// A moment as the wall shows it.
pub(crate) fn local_time(moment: Timestamp, zone: &TimeZone) -> String {
    let local = moment.to_zoned(zone.clone());
    local.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zipkeep::engine::FullBecause;
    use zipkeep::model::{Backup, Phase, Warning};

    fn report() -> BackupReport {
        let created = "2026-11-22T13:03:20Z".parse().expect("a moment");
        let key = "p.20261122T130320Z.desk.linux.zip";
        BackupReport {
            row: Backup::from_listing(key, 30_000_000, created),
            backup: Some(key.to_owned()),
            key: key.to_owned(),
            unchanged: false,
            created,
            files: 1,
            bytes_total: 34_000_000,
            bytes_read: 0,
            full_because: None,
            bytes_uploaded: 0,
            bytes_copied: 0,
            bytes_resumed: 0,
            requests: 1,
            duration_secs: 2.06,
            warnings: Vec::new(),
        }
    }

    fn lines(report: &BackupReport) -> Vec<String> {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        backup_lines(report, "the bucket", &zone)
    }

    #[test]
    fn an_unchanged_backup_says_since_when_and_where() {
        let unchanged = BackupReport {
            unchanged: true,
            backup: None,
            ..report()
        };
        assert_eq!(
            lines(&unchanged),
            ["Nothing changed since 2026-11-22 14:03 (p.20261122T130320Z.desk.linux.zip)"]
        );
    }

    #[test]
    fn only_what_happened_to_the_bytes_is_told() {
        assert_eq!(
            lines(&report()),
            [
                "Backed up 1 file (34.00 MB) in 2.1 s.",
                "p.20261122T130320Z.desk.linux.zip (30.00 MB) is at the bucket",
            ]
        );
        let mut incremental = BackupReport {
            bytes_uploaded: 12_300_000,
            bytes_copied: 480_000_000,
            ..report()
        };
        assert_eq!(
            lines(&incremental)[2],
            "12.30 MB sent, 480.00 MB copied at the destination"
        );
        let full = BackupReport {
            bytes_uploaded: 30_000_000,
            full_because: Some(FullBecause::CannotCopy),
            ..report()
        };
        assert_eq!(
            lines(&full).last().map(String::as_str),
            Some(
                "Everything was sent, because the destination cannot copy parts of earlier backups."
            )
        );
        incremental.bytes_resumed = 200_000_000;
        assert!(lines(&incremental)[2].ends_with(
            ", 480.00 MB copied at the destination, 200.00 MB taken over from an interrupted run"
        ));
    }

    #[test]
    fn a_whole_backup_and_a_damaged_one_read_differently() {
        let mut report = VerifyReport {
            entries: 1_234,
            bytes: 1_200_000_000,
            damaged: Vec::new(),
            evidence: Evidence::Hashes,
            duration_secs: 34.0,
        };
        assert_eq!(
            verify_lines(&report, VerifyDepth::Full, "a.zip"),
            ["Whole: 1,234 files and folders, 1.20 GB read and compared in 34 seconds (a.zip)"]
        );
        let quick = verify_lines(&report, VerifyDepth::Quick, "a.zip");
        assert!(!quick[0].contains("Whole"), "{quick:?}");
        let foreign = VerifyReport {
            evidence: Evidence::Checksums,
            ..report.clone()
        };
        for depth in [VerifyDepth::Full, VerifyDepth::Quick] {
            let lines = verify_lines(&foreign, depth, "a.zip");
            assert!(lines[0].contains("another program"), "{lines:?}");
        }
        report.damaged.push(Warning {
            path: "a".to_owned(),
            reason: "b".to_owned(),
        });
        let damaged = verify_lines(&report, VerifyDepth::Full, "a.zip");
        assert_eq!(
            damaged[0],
            "DAMAGED: 1 place in a.zip, which holds 1,234 files and folders"
        );
        assert!(damaged.concat().contains("Keep it"), "{damaged:?}");
    }

    #[test]
    fn trouble_is_told_with_what_is_known() {
        let mut trouble = Trouble {
            reason: "The provider is busy (SlowDown)".to_owned(),
            silent_secs: 34,
            attempt: 3,
            attempts: Some(8),
            next_attempt_secs: Some(12),
        };
        assert_eq!(
            trouble_text(&trouble),
            "No bytes for 34 s, attempt 3 of 8, next in 12 s: The provider is busy (SlowDown)"
        );
        (trouble.silent_secs, trouble.next_attempt_secs) = (0, None);
        assert_eq!(
            trouble_text(&trouble),
            "attempt 3 of 8: The provider is busy (SlowDown)"
        );
        trouble.attempts = None;
        assert_eq!(
            trouble_text(&trouble),
            "attempt 3: The provider is busy (SlowDown)"
        );
    }

    #[test]
    fn totals_are_told_once_they_are_known() {
        let mut progress = Progress {
            phase: Phase::Uploading,
            files_done: 2,
            bytes_done: 5_000_000,
            ..Progress::default()
        };
        assert_eq!(progress_text(&progress), "Backing up: 2 files, 5.00 MB");
        progress.bytes_total = Some(9_000_000);
        assert_eq!(
            progress_text(&progress),
            "Backing up: 2 files, 5.00 MB of 9.00 MB"
        );
    }
}
