//! What changed in a backup against an older one of the same profile and computer.

use super::widgets::chevron;
use crate::engine::{Difference, DifferenceKind};
use crate::gui::command::{Command, Commands};
use crate::gui::opened::{Fetch, Opened};
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::sums::Changes;
use crate::gui::theme::{self, GRID};
use crate::model::{Backup, bytes_text, count_text};
use egui::{Align, ComboBox, Label, Layout, RichText, ScrollArea, Ui, vec2};

const ROW_HEIGHT: f32 = 24.0;

/// Which older backup, how much changed, and every file.
pub(crate) fn changes_ui(ui: &mut Ui, state: &State, opened: &Opened, commands: &mut Commands) {
    let older: Vec<&Backup> = state.older_than(&opened.backup).collect();
    let Some(first) = older.first() else {
        middle_ui(ui, "There is no older backup to compare with");
        return;
    };
    let Some(comparison) = &opened.comparison else {
        commands.push(Command::Compare((*first).clone()));
        return;
    };
    ui.horizontal(|ui| {
        let name = ui.label("Since the backup of").id;
        let when = |backup: &Backup| rows::when(backup.created, &state.clock.zone);
        ComboBox::from_id_salt("older")
            .icon(chevron)
            .selected_text(when(&comparison.older))
            .show_ui(ui, |ui| {
                for backup in &older {
                    let is_chosen = backup.key == comparison.older.key;
                    if ui.selectable_label(is_chosen, when(backup)).clicked() {
                        commands.push(Command::Compare((*backup).clone()));
                    }
                }
            })
            .response
            .labelled_by(name);
    });
    ui.add_space(GRID);
    match &comparison.found {
        Fetch::Coming => middle_ui(ui, "Comparing…"),
        Fetch::Failed(notice) => {
            ui.add(Label::new(&notice.title).wrap());
            ui.add(Label::new(theme::small(ui, &notice.hint)).wrap());
        }
        Fetch::Known(found) if found.list.is_empty() => middle_ui(ui, "No file changed"),
        Fetch::Known(found) => list_ui(ui, found),
    }
}

fn middle_ui(ui: &mut Ui, text: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.3);
        ui.label(RichText::new(text).size(17.0));
    });
}

fn list_ui(ui: &mut Ui, changes: &Changes) {
    let told = changes.sums.iter().map(|(kind, count, bytes)| {
        let word = word(*kind);
        format!("{} {word} ({})", count_text(*count), bytes_text(*bytes))
    });
    let told: Vec<String> = told.collect();
    let found = &changes.list;
    ui.label(told.join(" · "));
    ui.add_space(GRID);
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show_rows(ui, ROW_HEIGHT, found.len(), |ui, range| {
            for difference in &found[range] {
                line_ui(ui, difference);
            }
        });
}

const fn word(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Added => "added",
        DifferenceKind::Changed => "changed",
        DifferenceKind::Removed => "removed",
    }
}

fn line_ui(ui: &mut Ui, difference: &Difference) {
    let tokens = theme::tokens(ui);
    let color = match difference.kind {
        DifferenceKind::Added => tokens.success,
        DifferenceKind::Changed => tokens.warning,
        DifferenceKind::Removed => tokens.danger,
    };
    let word = word(difference.kind);
    let sizes = match difference.kind {
        DifferenceKind::Added => bytes_text(difference.after_bytes),
        DifferenceKind::Removed => bytes_text(difference.before_bytes),
        DifferenceKind::Changed if difference.before_bytes == difference.after_bytes => {
            bytes_text(difference.after_bytes)
        }
        DifferenceKind::Changed => format!(
            "{} to {}",
            bytes_text(difference.before_bytes),
            bytes_text(difference.after_bytes)
        ),
    };
    let line = vec2(ui.available_width(), ROW_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        ui.add_space(2.0 * GRID);
        ui.label(theme::small(ui, sizes));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let width = vec2(64.0, ROW_HEIGHT);
            ui.allocate_ui_with_layout(width, Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(64.0);
                ui.label(theme::small(ui, word).color(color));
            });
            ui.add(Label::new(&difference.path).truncate());
        });
    });
}
