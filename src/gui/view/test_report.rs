//! What a test of the destination found, one graded line a check, and what can be done about it.

use super::widgets::{Grade, QUIET_PADDING, grade_icon, quiet_button, tall_button};
use crate::engine::{Check, CheckId, CheckOutcome, TestReport};
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
            // What mends the most stands where it is seen first.
            if !report.learnt.is_empty() && ui.add(tall_button("Correct the settings")).clicked() {
                commands.push(Command::CorrectSettings);
            }
            for check in report.checks.iter().filter(|check| is_danger(check)) {
                danger_ui(ui, check);
            }
            ui.add_space(GRID);
            // What needs somebody comes before what is well.
            for outcome in [CheckOutcome::Fail, CheckOutcome::Warn, CheckOutcome::Pass] {
                let checks = report.checks.iter().filter(|check| !is_danger(check));
                for check in checks.filter(|check| check.outcome == outcome) {
                    check_ui(ui, check);
                    if check.id == CheckId::Unfinished && report.leftovers.old_uploads > 0 {
                        clean_up_ui(ui, commands);
                    }
                }
            }
            if !report.not_reached.is_empty() {
                let left = report.not_reached.len() as u64;
                let count = rows::counted(left, "check was", "checks were");
                ui.label(theme::small(ui, format!("{count} not tried.")));
            }
        })
        .response
}

/// Whether strangers have access: everything else can wait.
fn is_danger(check: &Check) -> bool {
    check.id == CheckId::Public && check.outcome == CheckOutcome::Fail
}

/// A warning that nobody overlooks.
fn danger_ui(ui: &mut Ui, check: &Check) {
    let tokens = theme::tokens(ui);
    ui.add_space(GRID);
    Frame::new()
        .fill(tokens.danger_back)
        .stroke(Stroke::new(1.0, tokens.danger))
        .corner_radius(8)
        .inner_margin(12)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.horizontal_top(|ui| {
                grade_icon(ui, Grade::Bad);
                ui.vertical(|ui| {
                    let title = RichText::new(&check.message).color(tokens.danger).strong();
                    ui.add(Label::new(title).wrap());
                    if let Some(hint) = &check.hint {
                        ui.add(Label::new(RichText::new(hint).small()).wrap());
                    }
                });
            });
        });
}

fn clean_up_ui(ui: &mut Ui, commands: &mut Commands) {
    ui.horizontal(|ui| {
        // In line with the check's words.
        ui.add_space(18.0 + ui.spacing().item_spacing.x);
        if ui.add(tall_button("Clean up")).clicked() {
            commands.push(Command::CleanUp);
        }
    });
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
            if check.outcome != CheckOutcome::Pass
                && let Some(details) = check.details()
            {
                details_ui(ui, details);
            }
        });
    });
}

fn details_ui(ui: &mut Ui, details: String) {
    ui.horizontal(|ui| {
        // The button's text, not its frame, stands in line with the words above.
        ui.add_space(-QUIET_PADDING);
        let button = quiet_button(ui, "Copy details").on_hover_text(&details);
        if button.clicked() {
            ui.ctx().copy_text(details);
        }
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
