//! The dialog before a verification: how much is read, and what that costs.

use super::dialog_parts::{Next, backup_ui, buttons_ui, plain_button, title_ui};
use super::widgets::{choice_line_ui, main_button};
use crate::engine::VerifyDepth;
use crate::gui::command::{Command, Commands};
use crate::gui::state::State;
use crate::gui::theme::GRID;
use crate::model::{Backup, bytes_text};
use egui::Ui;

/// Asks how much of the backup to read back.
pub(crate) fn verify_ui(
    ui: &mut Ui,
    state: &State,
    (backup, depth): (&Backup, &mut VerifyDepth),
    commands: &mut Commands,
) -> Next {
    title_ui(ui, "Verify this backup");
    backup_ui(ui, state, backup);
    ui.add_space(2.0 * GRID);
    let size = bytes_text(backup.size_bytes);
    let full = format!("Fetches {size} and compares every byte with what was backed up.");
    let quick = "Takes a moment: whether the end, the directory and the manifest are whole.";
    for (choice, name, explanation) in [
        (VerifyDepth::Full, "Read everything back", full.as_str()),
        (VerifyDepth::Quick, "Read only what it lists", quick),
    ] {
        choice_line_ui(ui, (depth, choice), name, explanation);
    }
    ui.add_space(2.0 * GRID);
    ui.label("Nothing is written or changed.");
    let mut next = Next::Stay;
    let problem = state.busy_reason();
    buttons_ui(ui, |ui| {
        if main_button(ui, "Verify", problem.as_deref()).clicked() {
            commands.push(Command::Verify(backup.clone(), *depth));
            next = Next::Close;
        }
        if plain_button(ui, "Cancel").clicked() {
            next = Next::Close;
        }
    });
    next
}
