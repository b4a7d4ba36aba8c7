//! From numbers to the words of rows and of the job strip. Pure: time and zone are given.

use crate::gui::job::{Job, JobStatus};
use crate::model::{Contents, Phase, Progress, Trouble, bytes_of_text, bytes_text, count_text};
use jiff::{Timestamp, tz::TimeZone};

/// Left out when something is not known.
pub(crate) const UNKNOWN: &str = "—";

/// "1 file", "12,345 files".
pub(crate) fn files(count: u64) -> String {
    counted(count, "file", "files")
}

/// A number and the word that fits it.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        count_text(count),
        if count == 1 { one } else { many }
    )
}

/// What the column of files says.
pub(crate) fn contents(contents: Option<Contents>) -> String {
    match contents {
        None => UNKNOWN.to_owned(),
        Some(known) if known.missing > 0 => {
            format!(
                "{} · {} missing",
                count_text(known.files),
                count_text(known.missing)
            )
        }
        Some(known) => count_text(known.files),
    }
}

/// A moment as a calendar and a clock on the wall show it.
pub(crate) fn when(moment: Timestamp, zone: &TimeZone) -> String {
    moment
        .to_zoned(zone.clone())
        .strftime("%-d %b %Y, %H:%M")
        .to_string()
}

/// A moment as people say it who look back at it now: "14:03 today".
pub(crate) fn since(moment: Timestamp, (now, zone): (Timestamp, &TimeZone)) -> String {
    let then = moment.to_zoned(zone.clone());
    let today = now.to_zoned(zone.clone()).date();
    if then.date() == today {
        then.strftime("%H:%M today").to_string()
    } else if today.yesterday().is_ok_and(|day| then.date() == day) {
        then.strftime("%H:%M yesterday").to_string()
    } else {
        when(moment, zone)
    }
}

/// How long ago a moment was.
pub(crate) fn ago(moment: Timestamp, now: Timestamp) -> String {
    let secs = now.as_second() - moment.as_second();
    let Ok(secs) = u64::try_from(secs) else {
        return "in the future".to_owned();
    };
    let told = |count: u64, one: &str, many: &str| format!("{} ago", counted(count, one, many));
    match secs {
        0..60 => "just now".to_owned(),
        60..3_600 => told(secs / 60, "minute", "minutes"),
        3_600..86_400 => told(secs / 3_600, "hour", "hours"),
        86_400..5_184_000 => told(secs / 86_400, "day", "days"),
        5_184_000..63_072_000 => told(secs / 2_592_000, "month", "months"),
        _ => told(secs / 31_536_000, "year", "years"),
    }
}

/// How long something takes: "40 s", "3 min", "1 h 20 min".
pub(crate) fn duration(secs: f64) -> String {
    let secs = secs.clamp(0.0, 1e9);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped just above"
    )]
    let whole = secs.round() as u64;
    match whole {
        0 => "less than 1 s".to_owned(),
        1..90 => format!("{whole} s"),
        90..3_570 => format!("{} min", (whole + 30) / 60),
        _ => {
            let minutes = (whole + 30) / 60;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
    }
}

/// What a job is doing, in a word.
pub(crate) fn phase(job: &Job) -> String {
    match job.status {
        JobStatus::Cancelling => "Cancelling…".to_owned(),
        JobStatus::Running => job.progress.phase.title().to_owned(),
    }
}

/// How far a job is, from 0 to 1, where that is known.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a bar has some hundred pixels"
)]
pub(crate) fn fraction(progress: &Progress) -> Option<f32> {
    let part = |done: u64, total: u64| (done as f64 / total as f64).clamp(0.0, 1.0) as f32;
    match (progress.bytes_total, progress.files_total) {
        (Some(total), _) if total > 0 => Some(part(progress.bytes_done, total)),
        (_, Some(total)) if total > 0 => Some(part(progress.files_done, total)),
        _ => None,
    }
}

/// Whether a phase is one of bytes on their way.
fn moves_bytes(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Uploading | Phase::Downloading | Phase::Verifying
    )
}

/// Why nothing moves and what is done about it: "No bytes for 34 s · attempt 3 of 8 · …".
pub(crate) fn trouble(trouble: &Trouble) -> String {
    #[expect(clippy::cast_precision_loss, reason = "seconds, and not many")]
    let told = |secs: u64| duration(secs as f64);
    let mut parts = Vec::new();
    if trouble.silent_secs > 0 {
        parts.push(format!("No bytes for {}", told(trouble.silent_secs)));
    }
    let word = if parts.is_empty() {
        "Attempt"
    } else {
        "attempt"
    };
    parts.push(match trouble.attempts {
        Some(attempts) => format!("{word} {} of {attempts}", trouble.attempt),
        None => format!("{word} {}", trouble.attempt),
    });
    if let Some(secs) = trouble.next_attempt_secs {
        parts.push(format!("next try in {}", told(secs)));
    }
    parts.push(trouble.reason.clone());
    parts.join(" · ")
}

/// "1.2 of 3.4 GB · 25 MB/s · 40 s left", as much of it as is known.
pub(crate) fn progress(job: &Job) -> String {
    let progress = &job.progress;
    let mut parts = Vec::new();
    match (progress.bytes_total, progress.files_total) {
        (Some(total), _) if total > 0 => parts.push(bytes_of_text(progress.bytes_done, total)),
        (_, Some(total)) if total > 0 => parts.push(format!(
            "{} of {}",
            count_text(progress.files_done),
            files(total)
        )),
        _ if progress.files_done > 0 => {
            let found = progress.phase == Phase::Scanning;
            let word = if found { " found" } else { "" };
            parts.push(format!("{}{word}", files(progress.files_done)));
            // How much there is in all will be known later.
            if moves_bytes(progress.phase) && progress.bytes_done > 0 {
                parts.push(bytes_text(progress.bytes_done));
            }
        }
        _ => {}
    }
    // A rate of nothing, and a guess made from it, would tell no more than the trouble itself.
    let moves = moves_bytes(progress.phase) && progress.trouble.is_none();
    if moves && job.status == JobStatus::Running {
        if let Some(rate) = job.rate.bytes_per_sec() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rate is never negative and fits"
            )]
            parts.push(format!("{}/s", bytes_text(rate as u64)));
        }
        let remaining = progress
            .bytes_total
            .map(|total| total.saturating_sub(progress.bytes_done));
        if let Some(left) = remaining.and_then(|remaining| job.rate.seconds_left(remaining)) {
            parts.push(format!("{} left", duration(left)));
        }
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::job::{JobId, JobKind};
    use crate::gui::rate::Rate;
    use crate::model::{Destination, FolderDestination};
    use std::time::Instant;

    #[test]
    fn missing_files_are_told_beside_those_that_are_there() {
        let partial = Contents {
            files: 12_345,
            missing: 3,
        };
        assert_eq!(contents(Some(partial)), "12,345 · 3 missing");
        assert_eq!(contents(None), UNKNOWN);
    }

    #[test]
    fn moments_are_told_in_the_given_zone() {
        let moment: Timestamp = "2026-11-22T23:30:00Z".parse().expect("a moment");
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(when(moment, &zone), "23 Nov 2026, 00:30");
        for (secs, text) in [
            (-5, "in the future"),
            (5, "just now"),
            (300, "5 minutes ago"),
            (3_600, "1 hour ago"),
            (172_800, "2 days ago"),
            (90_000_000, "2 years ago"),
        ] {
            let now = moment + jiff::SignedDuration::from_secs(secs);
            assert_eq!(ago(moment, now), text);
        }
    }

    #[test]
    fn times_left_are_rounded_as_people_do() {
        for (secs, text) in [
            (0.2, "less than 1 s"),
            (40.4, "40 s"),
            (89.0, "89 s"),
            (100.0, "2 min"),
            (4_800.0, "1 h 20 min"),
            (3_580.0, "1 h 0 min"),
            (f64::INFINITY, "277777 h 47 min"),
        ] {
            assert_eq!(duration(secs), text);
        }
    }

    fn busy() -> Trouble {
        Trouble {
            reason: "The provider is busy (SlowDown)".to_owned(),
            silent_secs: 34,
            attempt: 3,
            attempts: Some(8),
            next_attempt_secs: Some(12),
        }
    }

    #[test]
    fn trouble_is_told_plainly() {
        assert_eq!(
            trouble(&busy()),
            "No bytes for 34 s · attempt 3 of 8 · next try in 12 s · The provider is busy (SlowDown)"
        );
        let unlimited = Trouble {
            attempts: None,
            ..busy()
        };
        assert!(trouble(&unlimited).contains(" · attempt 3 · next try"));
        let at_once = Trouble {
            silent_secs: 0,
            next_attempt_secs: None,
            ..busy()
        };
        assert_eq!(
            trouble(&at_once),
            "Attempt 3 of 8 · The provider is busy (SlowDown)"
        );
    }

    #[test]
    fn days_are_called_by_their_names() {
        let moment: Timestamp = "2026-11-22T13:03:00Z".parse().expect("a moment");
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (now, text) in [
            ("2026-11-22T22:59:00Z", "14:03 today"),
            ("2026-11-22T23:01:00Z", "14:03 yesterday"),
            ("2026-11-24T12:00:00Z", "22 Nov 2026, 14:03"),
        ] {
            let now = now.parse().expect("a moment");
            assert_eq!(since(moment, (now, &zone)), text);
        }
    }

    #[test]
    fn a_running_job_tells_bytes_rate_and_time_left() {
        let mut rate = Rate::default();
        for second in 0_u32..20 {
            rate.sample(f64::from(second), u64::from(second) * 25_000_000);
        }
        let mut job = Job {
            id: JobId(1),
            kind: JobKind::Backup,
            subject: String::new(),
            destination: Destination::Folder(FolderDestination::default()),
            status: JobStatus::Running,
            progress: Progress {
                phase: Phase::Uploading,
                bytes_done: 1_200_000_000,
                bytes_total: Some(2_200_000_000),
                ..Progress::default()
            },
            rate,
            started: Instant::now(),
        };
        assert_eq!(progress(&job), "1.2 of 2.2 GB · 25.0 MB/s · 40 s left");
        job.progress.trouble = Some(busy());
        assert_eq!(progress(&job), "1.2 of 2.2 GB", "nothing moves");
        job.progress.trouble = None;
        job.progress.bytes_total = None;
        job.progress.files_done = 7;
        assert_eq!(progress(&job), "7 files · 1.2 GB · 25.0 MB/s");
        assert_eq!(fraction(&job.progress), None);
        job.progress.bytes_total = Some(2_200_000_000);
        job.status = JobStatus::Cancelling;
        assert_eq!(progress(&job), "1.2 of 2.2 GB");
        assert_eq!(phase(&job), "Cancelling…");
        job.progress = Progress {
            phase: Phase::Scanning,
            files_done: 1_234,
            ..Progress::default()
        };
        assert_eq!(progress(&job), "1,234 files found");
        assert_eq!(fraction(&job.progress), None);
    }
}
