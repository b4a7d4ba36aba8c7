//! What dialogs are made of: title, the lines about a backup, and buttons at the right.

use super::widgets::tall_button;
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use crate::model::{Backup, bytes_text};
use egui::{Align, Grid, Label, Layout, RichText, Ui, vec2};

/// Whether a dialog stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It stays.
    Stay,
    /// It closes.
    Close,
}

/// The dialog's name.
pub(crate) fn title_ui(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).size(18.0)).wrap());
    ui.add_space(GRID);
}

/// Buttons at the dialog's right; `add` adds them from right to left.
pub(crate) fn buttons_ui(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    ui.add_space(4.0 * GRID);
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), add);
}

/// A button that changes nothing.
pub(crate) fn plain_button(ui: &mut Ui, text: &str) -> egui::Response {
    ui.add(tall_button(text))
}

/// What a backup is, in lines of name and value.
pub(crate) fn backup_ui(ui: &mut Ui, state: &State, backup: &Backup) {
    let made = format!(
        "{} ({})",
        rows::when(backup.created, &state.clock.zone),
        rows::ago(backup.created, state.clock.now)
    );
    let device = backup.device.as_deref().unwrap_or("not known").to_owned();
    let lines = [
        ("Made", made),
        ("Device", device),
        ("Size", bytes_text(backup.size_bytes)),
        ("Backup", backup.name.clone()),
    ];
    Grid::new("backup")
        .num_columns(2)
        .spacing([4.0 * GRID, GRID])
        .min_row_height(5.0 * GRID)
        .show(ui, |ui| {
            for (name, value) in lines {
                ui.label(theme::small(ui, name));
                ui.add(Label::new(value).wrap());
                ui.end_row();
            }
        });
}
