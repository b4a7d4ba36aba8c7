//! What a test of the destination found, one graded line a check.

use super::widgets::{Grade, grade_icon};
use crate::engine::{Check, CheckOutcome, TestReport};
use crate::gui::command::{Command, Commands};
use crate::gui::rows;
use crate::gui::theme::{self, GRID};
use egui::{Frame, Label, Response, RichText, Stroke, Ui};

/// The verdict and every check.
pub(crate) fn test_report_ui(
    ui: &mut Ui,
    report: &TestReport,
    commands: &mut Commands,
) -> Response {
    let tokens = theme::tokens(ui);
    Frame::new()
        .fill(tokens.page)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(8)
        .inner_margin(12)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            let grade = grade_of(report.outcome());
            let verdict = RichText::new(report.verdict()).color(grade.color(ui));
            ui.add(Label::new(verdict).wrap());
            ui.add_space(GRID);
            let is_reached = |check: &&Check| !report.not_reached.contains(&check.id);
            for check in report.checks.iter().filter(is_reached) {
                check_ui(ui, check);
            }
            if !report.not_reached.is_empty() {
                let left = report.not_reached.len() as u64;
                let count = rows::counted(left, "check was", "checks were");
                ui.label(theme::small(ui, format!("{count} not tried.")));
            }
            actions_ui(ui, report, commands);
        })
        .response
}

/// What can be done about it right here.
fn actions_ui(ui: &mut Ui, report: &TestReport, commands: &mut Commands) {
    if !report.learnt.is_empty() && ui.button("Correct the settings").clicked() {
        commands.push(Command::CorrectSettings);
    }
    if report.leftovers.old_uploads > 0 && ui.button("Clean up").clicked() {
        commands.push(Command::CleanUp);
    }
}

fn check_ui(ui: &mut Ui, check: &Check) {
    ui.horizontal_top(|ui| {
        grade_icon(ui, grade_of(check.outcome));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            // Small text is lower than the mark; this brings their middles together.
            ui.add_space(GRID / 2.0);
            ui.add(Label::new(RichText::new(&check.message).small()).wrap());
            if let Some(hint) = &check.hint {
                ui.add(Label::new(theme::small(ui, hint)).wrap());
            }
        });
    });
}

const fn grade_of(outcome: CheckOutcome) -> Grade {
    match outcome {
        CheckOutcome::Pass => Grade::Good,
        CheckOutcome::Warn => Grade::Note,
        CheckOutcome::Fail => Grade::Bad,
        CheckOutcome::Skip => Grade::Neutral,
    }
}
