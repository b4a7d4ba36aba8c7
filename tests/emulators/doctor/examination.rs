//! One run of `zipkeep-cli test --json`, and whether it is as it should be.

use super::{After, Expected};
use crate::emulator::{Computer, Emulator, Typed};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Checks that do not apply where a proxy is used or no TLS is wanted.
const MAY_BE_SKIPPED: [&str; 4] = ["address", "port", "tls", "clock"];

/// What the doctor said, and what was there afterwards.
pub(super) struct Examination {
    pub(super) exit: Option<i32>,
    pub(super) result: Value,
    /// Objects and unfinished uploads of the doctor's own that were left.
    left: Vec<String>,
    /// Where a secret was found.
    told_secret: Vec<&'static str>,
    may_leave_probe: bool,
}

/// One line of the report.
pub(super) struct Check<'a> {
    pub(super) id: &'a str,
    pub(super) outcome: &'a str,
    pub(super) message: &'a str,
    pub(super) hint: &'a str,
}

impl Examination {
    pub(super) fn of(
        emulator: &Emulator,
        computer: &Computer<'_>,
        typed: &Typed,
        arguments: &[&str],
    ) -> Self {
        let output = computer.run(&[&["--json", "--profile", "p"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.lines().last().unwrap_or_default();
        let mut line: Value = serde_json::from_str(last)
            .unwrap_or_else(|_| panic!("{arguments:?}: not JSON: {last}\n{errors}"));
        let secret = &typed.key.secret;
        let places = [
            ("stdout", text.contains(secret)),
            ("stderr", errors.contains(secret)),
            ("the log", logs_hold(computer.home.path(), secret)),
        ];
        let mut left = emulator.object_keys();
        left.extend(emulator.unfinished_uploads());
        left.retain(|key| key.contains(".zipkeep-probe-"));
        Self {
            exit: output.status.code(),
            result: line["result"].take(),
            left,
            told_secret: places
                .into_iter()
                .filter_map(|(place, told)| told.then_some(place))
                .collect(),
            may_leave_probe: ["may not delete", "still there", "still be there"]
                .iter()
                .any(|told| text.contains(told)),
        }
    }

    pub(super) fn checks(&self) -> Vec<Check<'_>> {
        let checks = self.result["checks"].as_array();
        let checks = checks.unwrap_or_else(|| panic!("no checks: {}", self.result));
        checks
            .iter()
            .map(|check| Check {
                id: check["id"].as_str().unwrap_or_default(),
                outcome: check["outcome"].as_str().unwrap_or_default(),
                message: check["message"].as_str().unwrap_or_default(),
                hint: check["hint"].as_str().unwrap_or_default(),
            })
            .collect()
    }

    fn is_reached(&self, id: &str) -> bool {
        let not_reached = self.result["not_reached"].as_array();
        !not_reached.is_some_and(|all| all.iter().any(|one| one == id))
    }

    /// What is not as expected.
    pub(super) fn complaints(&self, expected: &Expected) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.exit != Some(expected.exit) {
            complaints.push(format!("exit {:?}", self.exit));
        }
        if !self.told_secret.is_empty() {
            complaints.push(format!("the secret is in {:?}", self.told_secret));
        }
        if !self.left.is_empty() && !self.may_leave_probe {
            complaints.push(format!("left: {:?}", self.left));
        }
        let mut is_after = false;
        for check in self.checks() {
            let is_it = check.id == expected.check;
            if is_it {
                is_after = true;
                complaints.extend(complaints_of_words(&check, expected));
                continue;
            }
            let wanted = expected.also.iter().find(|(id, _)| *id == check.id);
            let is_right = match wanted {
                Some((_, outcome)) => check.outcome == *outcome,
                None if is_after && expected.after == After::NotReached => {
                    !self.is_reached(check.id) && check.outcome == "skip"
                }
                None => {
                    let may_be_skipped = MAY_BE_SKIPPED.contains(&check.id);
                    check.outcome == "pass" || may_be_skipped && check.outcome == "skip"
                }
            };
            if !is_right {
                let Check {
                    id,
                    outcome,
                    message,
                    hint,
                } = check;
                complaints.push(format!("{id} {outcome}: {message} | {hint}"));
            }
        }
        complaints
    }
}

/// What a check does not say as it should.
fn complaints_of_words(check: &Check<'_>, expected: &Expected) -> Vec<String> {
    let Check {
        id,
        outcome,
        message,
        hint,
    } = check;
    let said = format!("{id} {outcome}: {message} | {hint}");
    let mut complaints = Vec::new();
    if *outcome != expected.outcome {
        complaints.push(format!("not {}: {said}", expected.outcome));
    }
    if hint.is_empty() {
        complaints.push(format!("no advice: {said}"));
    }
    let missing = expected
        .words
        .iter()
        .filter(|words| !said.contains(**words));
    complaints.extend(missing.map(|words| format!("does not say “{words}”: {said}")));
    complaints
}

/// Whether a file below this folder, other than the one that is made for secrets, holds this text.
fn logs_hold(folder: &Path, text: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return logs_hold(&path, text);
        }
        let is_of_secrets = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().contains("secret"));
        let content = fs::read(&path).unwrap_or_default();
        !is_of_secrets && String::from_utf8_lossy(&content).contains(text)
    })
}
