//! `test`: the connection doctor, what it learnt, and what it can clean up.

use crate::args::TestArgs;
use crate::commands::Work;
use crate::failure::{Exit, Failure};
use crate::wording::harmless;
use serde::Serialize;
use std::io;
use zipkeep::config::Config;
use zipkeep::engine::{self, Check, CheckOutcome, CleanedUp, Learnt, TestReport};
use zipkeep::model::Destination;
use zipkeep::secrets::Unlocked;
use zipkeep::storage::{Patience, Refusal};

/// What scripts see: the report, and what was done about it.
#[derive(Debug, Serialize)]
struct Tested<'a> {
    #[serde(flatten)]
    report: &'a TestReport,
    verdict: &'static str,
    /// Whether what was learnt is in the profile now.
    saved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleaned_up: Option<CleanedUp>,
}

impl Work {
    pub(crate) async fn test(&self, args: &TestArgs) -> Result<Exit, Failure> {
        let report = self.examine(&self.profile.destination).await?;
        let mut shown = report;
        let mut saved = false;
        if args.save && !shown.learnt.is_empty() {
            let learnt = self.save_learnt(&shown.learnt)?;
            saved = true;
            // What counts is whether it works now.
            let again = self.examine(&learnt).await?;
            shown = again;
        }
        let cleaned_up = if args.clean_up && shown.leftovers.old_uploads > 0 {
            let store = self.store(Patience::Interactive)?;
            Some(engine::clean_up(&store, &self.context).await?)
        } else {
            None
        };
        let tested = Tested {
            report: &shown,
            verdict: shown.verdict(),
            saved,
            cleaned_up,
        };
        self.output
            .result("test", &tested, |out| print(out, &tested))?;
        Ok(match shown.outcome() {
            CheckOutcome::Fail => Exit::Failed,
            CheckOutcome::Warn => Exit::Warnings,
            CheckOutcome::Pass | CheckOutcome::Skip => Exit::Done,
        })
    }

    async fn examine(&self, destination: &Destination) -> Result<TestReport, Failure> {
        let Unlocked {
            destination,
            secret,
        } = self.unlock(destination)?;
        Ok(engine::test(&destination, secret.as_ref(), &self.context).await?)
    }

    /// Puts it into the profile and gives its destination.
    fn save_learnt(&self, learnt: &Learnt) -> Result<Destination, Failure> {
        // As it is now: the window may have saved something meanwhile.
        let mut config = Config::load(&self.places)?;
        let mut profile = self.profile.clone();
        if let Some(current) = config.profile(&profile.name) {
            profile = current.clone();
        }
        if let Destination::S3(settings) = &mut profile.destination {
            learnt.correct(settings);
        }
        let destination = profile.destination.clone();
        config.replace_profile(profile)?;
        config.save(&self.places)?;
        self.output.note("The settings were corrected and saved.");
        Ok(destination)
    }
}

fn print(out: &mut dyn io::Write, tested: &Tested<'_>) -> io::Result<()> {
    let not_reached = &tested.report.not_reached;
    let checks = tested.report.checks.iter();
    for check in checks.filter(|check| !not_reached.contains(&check.id)) {
        print_check(out, check)?;
    }
    if !not_reached.is_empty() {
        let words: Vec<&str> = not_reached.iter().map(|id| id.word()).collect();
        writeln!(out, "Not tried: {}", words.join(", "))?;
    }
    if let Some(cleaned) = &tested.cleaned_up {
        writeln!(out, "{} unfinished uploads were removed", cleaned.uploads)?;
    }
    writeln!(out, "{}.", tested.verdict)
}

fn print_check(out: &mut dyn io::Write, check: &Check) -> io::Result<()> {
    let word = match check.outcome {
        CheckOutcome::Pass => "ok",
        CheckOutcome::Warn => "warning",
        CheckOutcome::Fail => "FAILED",
        CheckOutcome::Skip => "skipped",
    };
    let id = check.id.word();
    writeln!(
        out,
        "{word:8} {id:10} {} ({} ms)",
        harmless(&check.message),
        check.millis
    )?;
    let Some(hint) = &check.hint else {
        return Ok(());
    };
    writeln!(out, "                    {hint}")?;
    let said = check.refusal.iter().flat_map(Refusal::lines);
    let said: Vec<String> = said
        .map(|(name, value)| format!("{name}: {}", harmless(&value)))
        .collect();
    if said.is_empty() {
        Ok(())
    } else {
        writeln!(out, "                    ({})", said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zipkeep::engine::CheckId;

    #[test]
    fn what_a_server_says_cannot_forge_a_line_or_steer_the_terminal() {
        let evil = "\u{1b}[2Jgone\r\nok       public     fine";
        let check = Check {
            id: CheckId::List,
            outcome: CheckOutcome::Fail,
            message: format!("It said “{evil}”"),
            hint: Some("Do something.".to_owned()),
            millis: 1,
            refusal: Some(Refusal {
                code: Some(evil.to_owned()),
                message: Some(evil.to_owned()),
                ..Refusal::default()
            }),
        };
        let mut printed = Vec::new();
        print_check(&mut printed, &check).expect("printed");
        let printed = String::from_utf8(printed).expect("text");
        assert_eq!(printed.lines().count(), 3, "{printed}");
        assert!(!printed.contains(['\u{1b}', '\r']), "{printed:?}");
    }
}
