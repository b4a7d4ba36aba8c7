//! What the doctor said, as a table for people.

use super::{Case, Examination};
use std::fmt::Write as _;

/// What it said to one fault at one provider.
pub(super) struct Row {
    fault: &'static str,
    provider: &'static str,
    check: String,
    outcome: String,
    message: String,
    hint: String,
}

impl Row {
    /// The first check that did not pass; where there is none, the verdict.
    pub(super) fn of(fault: &'static str, provider: &'static str, found: &Examination) -> Self {
        let checks = found.checks();
        let trouble = checks
            .iter()
            .find(|check| matches!(check.outcome, "fail" | "warn"));
        let verdict = found.result["verdict"].as_str().unwrap_or_default();
        match trouble {
            Some(check) => Self {
                fault,
                provider,
                check: check.id.to_owned(),
                outcome: check.outcome.to_owned(),
                message: check.message.to_owned(),
                hint: check.hint.to_owned(),
            },
            None => Self {
                fault,
                provider,
                check: String::new(),
                outcome: "pass".to_owned(),
                message: verdict.to_owned(),
                hint: String::new(),
            },
        }
    }
}

/// Writes the table to the file that `ZIPKEEP_DOCTOR_TABLE` names, if it does.
pub(super) fn write(cases: &[Case], rows: &[Row]) {
    let Some(file) = std::env::var_os("ZIPKEEP_DOCTOR_TABLE") else {
        return;
    };
    let mut table = String::from(
        "| fault | provider | check | outcome | message | hint |\n|---|---|---|---|---|---|\n",
    );
    for case in cases {
        for row in rows.iter().filter(|row| row.fault == case.fault) {
            let cells = [
                row.fault,
                row.provider,
                &row.check,
                &row.outcome,
                &row.message,
                &row.hint,
            ];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            writeln!(table, "| {} |", cells.join(" | ")).expect("a string takes it");
        }
    }
    std::fs::write(file, table).expect("the table is written");
}
