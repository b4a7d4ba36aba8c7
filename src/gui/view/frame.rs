//! The whole window: settings left, backups in the middle, running jobs at the bottom, dialogs above.

use super::{backups_table, dialogs, header, inside_page, job_strip, notices, side_panel};
use crate::gui::command::Commands;
use crate::gui::forms::Forms;
use crate::gui::state::State;
use crate::gui::theme::{self, PANEL_MARGIN, SIDE_WIDTH};
use egui::{CentralPanel, Frame, Margin, Panel, TextureHandle, Ui};

/// Draws the window.
pub(crate) fn frame_ui(
    ui: &mut Ui,
    state: &State,
    forms: &mut Forms,
    (mark, commands): (Option<&TextureHandle>, &mut Commands),
) {
    let tokens = theme::tokens(ui);
    if job_strip::is_wanted(ui, state) {
        Panel::bottom("jobs")
            .resizable(false)
            .frame(
                Frame::new()
                    .fill(tokens.side)
                    .inner_margin(Margin::symmetric(PANEL_MARGIN, 12)),
            )
            .show(ui, |ui| job_strip::job_strip_ui(ui, state, commands));
    }
    Panel::left("settings")
        .resizable(false)
        .exact_size(SIDE_WIDTH)
        .frame(Frame::new().fill(tokens.side))
        .show(ui, |ui| {
            side_panel::side_panel_ui(ui, state, forms, (mark, commands));
        });
    CentralPanel::default()
        .frame(
            Frame::new()
                .fill(tokens.page)
                .inner_margin(Margin::symmetric(PANEL_MARGIN, 16)),
        )
        .show(ui, |ui| {
            notices::notices_ui(ui, state, commands);
            if state.shows_inside.is_some() {
                inside_page::inside_ui(ui, state, forms, commands);
            } else {
                header::header_ui(ui, state, &mut forms.dialog, commands);
                backups_table::backups_ui(ui, state, &mut forms.dialog, commands);
            }
        });
    dialogs::dialogs_ui(ui, state, &mut forms.dialog, commands);
}
