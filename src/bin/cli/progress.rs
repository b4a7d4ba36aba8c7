//! Who is told of progress at a terminal: a bar that is drawn over and over, or plain lines.

use crate::wording::{progress_text, trouble_text};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use zipkeep::model::{Phase, Progress, Reporter};

const SIZED: &str = "{prefix:>22} [{bar:24}] {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta}  {wide_msg}";
/// While it is not known how much there is.
const OPEN: &str = "{prefix:>22} {spinner} {decimal_bytes}  {decimal_bytes_per_sec}  {wide_msg}";
/// Where nothing has a size: connecting, looking for files.
const BARE: &str = "{prefix:>22} {spinner} {wide_msg}";
// Trouble has a line of its own: it is as long as a line, and what was there before stays put.
const SIZED_TROUBLE: &str =
    "{prefix:>22} [{bar:24}] {decimal_bytes}/{decimal_total_bytes}\n{wide_msg:.yellow}";
const OPEN_TROUBLE: &str = "{prefix:>22} {spinner} {decimal_bytes}\n{wide_msg:.yellow}";

/// A bar.
pub(crate) fn bar() -> Reporter {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let last: Mutex<Option<(Phase, &str)>> = Mutex::new(None);
    Reporter::new(move |progress: Progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let template = template_of(&progress);
        // The look first: what is emptied next must not be seen as "0 B of 0 B".
        if last.is_none_or(|(_, told)| told != template) {
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        if last.is_none_or(|(phase, _)| phase != progress.phase) {
            bar.reset();
            bar.unset_length();
            bar.set_prefix(progress.phase.title());
        }
        *last = Some((progress.phase, template));
        if let Some(total) = progress.bytes_total {
            bar.set_length(total);
        }
        bar.set_position(progress.bytes_done);
        bar.set_message(message_of(&progress));
        bar.tick();
    })
}

/// What stands at the end of the bar. A file's name may hold what moves the cursor or names the window.
fn message_of(progress: &Progress) -> String {
    match (&progress.trouble, &progress.current) {
        (Some(trouble), _) => trouble_text(trouble),
        (None, Some(current)) => current.escape_debug().to_string(),
        (None, None) => String::new(),
    }
}

fn template_of(progress: &Progress) -> &'static str {
    match (progress.bytes_total, &progress.trouble) {
        (Some(_), None) => SIZED,
        (Some(_), Some(_)) => SIZED_TROUBLE,
        (None, Some(_)) => OPEN_TROUBLE,
        (None, None) if progress.bytes_done > 0 => OPEN,
        (None, None) => BARE,
    }
}

/// Plain lines, for logs and for screens that cannot be drawn over.
pub(crate) fn lines() -> Reporter {
    let lines = Mutex::new(Lines::default());
    Reporter::new(move |progress: Progress| {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.next(&progress, Instant::now()) {
            // That nobody reads it any more must not end a backup.
            writeln!(io::stderr(), "{line}").ok();
        }
    })
}

/// Decides which progress is worth a line.
#[derive(Debug, Default)]
struct Lines {
    last: Option<(Phase, Instant)>,
    /// The highest attempt that was told since the trouble began.
    told_attempt: Option<u32>,
}

impl Lines {
    const EVERY: Duration = Duration::from_secs(5);

    /// What to write now; often nothing.
    fn next(&mut self, progress: &Progress, now: Instant) -> Vec<String> {
        let is_new_phase = self.last.is_none_or(|(phase, _)| phase != progress.phase);
        let mut lines = Vec::new();
        let was_troubled = self.told_attempt.is_some();
        if let Some(trouble) = &progress.trouble {
            if is_new_phase {
                lines.push(progress_text(progress));
                self.last = Some((progress.phase, now));
            }
            // Several requests may be in trouble at once: only what gets worse is news.
            if self.told_attempt.is_none_or(|told| trouble.attempt > told) {
                self.told_attempt = Some(trouble.attempt);
                lines.push(trouble_text(trouble));
            }
            return lines;
        }
        self.told_attempt = None;
        if was_troubled {
            lines.push("The trouble is over.".to_owned());
        }
        let is_due = self
            .last
            .is_none_or(|(_, told)| now.duration_since(told) >= Self::EVERY);
        if is_new_phase || is_due || was_troubled {
            self.last = Some((progress.phase, now));
            lines.push(progress_text(progress));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zipkeep::model::Trouble;

    fn uploading(attempt: Option<u32>) -> Progress {
        Progress {
            phase: Phase::Uploading,
            files_done: 1,
            trouble: attempt.map(|attempt| Trouble {
                reason: "busy".to_owned(),
                silent_secs: 5,
                attempt,
                attempts: Some(8),
                next_attempt_secs: None,
            }),
            ..Progress::default()
        }
    }

    #[test]
    fn every_template_can_be_drawn() {
        for template in [SIZED, OPEN, BARE, SIZED_TROUBLE, OPEN_TROUBLE] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn what_a_name_or_a_server_says_cannot_steer_the_terminal() {
        let evil = "a\u{1b}]0;owned\u{7}\u{9b}2Jb\n\u{202e}";
        let mut progress = uploading(Some(1));
        if let Some(trouble) = &mut progress.trouble {
            trouble.reason = evil.to_owned();
        }
        for progress in [
            progress,
            Progress {
                current: Some(evil.to_owned()),
                ..Progress::default()
            },
        ] {
            let message = message_of(&progress);
            assert!(message.contains("owned"), "{message:?}");
            let is_harmless = |told: char| !told.is_control() && told != '\u{202e}';
            assert!(message.chars().all(is_harmless), "{message:?}");
        }
    }

    #[test]
    fn the_bar_changes_its_look_when_the_total_becomes_known() {
        let mut progress = uploading(None);
        assert_eq!(template_of(&progress), BARE);
        progress.bytes_done = 5;
        assert_eq!(template_of(&progress), OPEN);
        progress.bytes_total = Some(9);
        assert_eq!(template_of(&progress), SIZED);
        progress.trouble = uploading(Some(1)).trouble;
        assert_eq!(template_of(&progress), SIZED_TROUBLE);
    }

    #[test]
    fn lines_come_with_a_new_phase_and_then_every_few_seconds() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let after = |secs| start + Duration::from_secs(secs);
        let mut told = Vec::new();
        for second in 0..12 {
            told.extend(lines.next(&uploading(None), after(second)));
        }
        assert_eq!(told.len(), 3, "{told:?}");
        let finishing = Progress {
            phase: Phase::Finishing,
            ..Progress::default()
        };
        assert_eq!(lines.next(&finishing, after(12)), ["Finishing"]);
    }

    #[test]
    fn trouble_is_told_at_its_beginning_at_each_attempt_and_at_its_end() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let mut told = Vec::new();
        for (second, attempt) in [
            (0, None),
            (1, Some(1)),
            (2, Some(1)),
            (20, Some(2)),
            (21, Some(1)),
            (22, None),
            (23, None),
        ] {
            let now = start + Duration::from_secs(second);
            told.extend(lines.next(&uploading(attempt), now));
        }
        assert_eq!(
            told,
            [
                "Backing up: 1 file, 0 B",
                "No bytes for 5 s, attempt 1 of 8: busy",
                "No bytes for 5 s, attempt 2 of 8: busy",
                "The trouble is over.",
                "Backing up: 1 file, 0 B",
            ]
        );
    }
}
