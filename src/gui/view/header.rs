//! Above the table: what is shown, and the buttons that concern all of it.

use super::widgets::{cut_label, main_button, tall_button};
use crate::gui::command::{BackUpManner, Command, Commands};
use crate::gui::forms::Dialog;
use crate::gui::job::JobKind;
use crate::gui::rows;
use crate::gui::state::{ListStatus, State};
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use crate::model::bytes_text;
use egui::containers::menu::MenuButton;
use egui::{Align, Button, Layout, Ui, vec2};

/// The heading, "Refresh", "Back up now" and its other ways, and why it is not possible.
pub(crate) fn header_ui(
    ui: &mut Ui,
    state: &State,
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) {
    let problem = state.backup_problem();
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        if main_button(ui, "Back up now", problem.as_deref()).clicked() {
            commands.push(Command::BackUp(BackUpManner::AsSet));
        }
        more_ui(ui, problem.as_deref(), dialog, commands);
        let is_listing = state.running(JobKind::List).is_some();
        let refresh = ui.add_enabled(!is_listing, tall_button("Refresh"));
        if refresh.clicked() {
            commands.push(Command::Refresh);
        }
        refresh.on_disabled_hover_text("The list is being fetched.");
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.heading("Backups");
        });
    });
    ui.horizontal(|ui| {
        ui.set_min_height(5.0 * GRID);
        // While a job runs the strip below says so; the line would only repeat it.
        let shown = problem.filter(|_| state.exclusive().is_none());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(problem) = shown {
                // Room for what the line is about is left, however long the reason is.
                ui.scope(|ui| {
                    ui.set_max_width(0.75 * ui.available_width());
                    cut_label(ui, theme::small(ui, problem));
                });
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                cut_label(ui, theme::small(ui, summary(state)));
            });
        });
    });
    ui.add_space(2.0 * GRID);
}

/// Backups that are not made every day.
fn more_ui(
    ui: &mut Ui,
    problem: Option<&str>,
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) {
    let button = MenuButton::from_button(tall_button("More"));
    button.ui(ui, |ui| {
        let item = |ui: &mut Ui, name| {
            let item = ui.add_enabled(problem.is_none(), Button::new(name));
            let is_clicked = item.clicked();
            item.on_disabled_hover_text(problem.unwrap_or_default());
            is_clicked
        };
        if item(ui, "Back up even if nothing changed") {
            commands.push(Command::BackUp(BackUpManner::EvenUnchanged));
        }
        if item(ui, "Send everything anew") {
            commands.push(Command::BackUp(BackUpManner::Anew));
        }
        if item(ui, "Remove deleted data now…") {
            *dialog = Some(Dialog::RemoveDeleted);
        }
        if ui.button("Undo a restore…").clicked() {
            commands.push(Command::ListRestores);
            *dialog = Some(Dialog::Restores);
        }
    });
}

/// How many there are, how big, and where.
fn summary(state: &State) -> String {
    let place = state.profile().destination.summary();
    let rows = &state.table.rows;
    if rows.is_empty() || state.table.status == ListStatus::NotAsked {
        return place;
    }
    let total_bytes = rows.iter().map(|row| row.size_bytes).sum();
    format!(
        "{} · {} · {place}",
        rows::counted(rows.len() as u64, "backup", "backups"),
        bytes_text(total_bytes)
    )
}
