//! Notices above the table: what became of jobs, what to do about it, and "Copy details".

use super::widgets::{Grade, grade_icon, quiet_button};
use crate::engine::LaterChanges;
use crate::gui::command::{BackUpManner, Command, Commands};
use crate::gui::notice::{Notice, Offer, Tone};
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::theme::{self, GRID};
use egui::{Align, CollapsingHeader, Frame, Label, Layout, Margin, RichText, ScrollArea, Ui};

/// All notices, newest first.
pub(crate) fn notices_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    let mut is_any = false;
    for notice in state.notices.iter() {
        is_any = true;
        ui.push_id(notice.id, |ui| notice_ui(ui, state, notice, commands));
    }
    if is_any {
        ui.add_space(2.0 * GRID);
    }
}

fn notice_ui(ui: &mut Ui, state: &State, notice: &Notice, commands: &mut Commands) {
    let tokens = theme::tokens(ui);
    let (fill, grade) = match notice.tone {
        Tone::Success => (tokens.success_back, Grade::Good),
        Tone::Info => (tokens.info_back, Grade::Neutral),
        Tone::Warning => (tokens.warning_back, Grade::Note),
        Tone::Error => (tokens.danger_back, Grade::Bad),
    };
    Frame::new()
        .fill(fill)
        .corner_radius(8)
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                if quiet_button(ui, "Dismiss").clicked() {
                    commands.push(Command::Dismiss(notice.id));
                }
                copy_button(ui, notice);
                offer_ui(ui, state, notice, commands);
                ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                    grade_icon(ui, grade);
                    ui.vertical(|ui| words_ui(ui, notice));
                });
            });
        });
}

/// What the notice offers, where it still fits: another profile may be shown meanwhile.
fn offer_ui(ui: &mut Ui, state: &State, notice: &Notice, commands: &mut Commands) {
    let is_idle = state.exclusive().is_none();
    match &notice.offer {
        Some(Offer::Undo(_) | Offer::UndoAllTheSame(_)) if !is_idle => {}
        None => {}
        Some(Offer::BackUpAllTheSame(profile)) => {
            let is_possible = *profile == state.profile().name && state.backup_problem().is_none();
            if is_possible && quiet_button(ui, "Back up all the same").clicked() {
                commands.push(Command::BackUp(BackUpManner::EvenUnchanged));
            }
        }
        Some(Offer::Undo(id)) => {
            let undo = quiet_button(ui, "Undo restore");
            if undo.clicked() {
                commands.push(Command::Undo(id.clone(), LaterChanges::Respected));
            }
        }
        Some(Offer::UndoAllTheSame(id)) => {
            let undo = quiet_button(ui, "Undo all the same");
            let undo = undo.on_hover_text("What was changed since is kept aside");
            if undo.clicked() {
                commands.push(Command::Undo(id.clone(), LaterChanges::SetAside));
            }
        }
    }
}

fn words_ui(ui: &mut Ui, notice: &Notice) {
    ui.spacing_mut().item_spacing.y = GRID / 2.0;
    ui.add(Label::new(&notice.title).wrap());
    if !notice.hint.is_empty() {
        ui.add(Label::new(theme::small(ui, &notice.hint)).wrap());
    }
    if !notice.warnings.is_empty() {
        warnings_ui(ui, notice);
    }
}

fn warnings_ui(ui: &mut Ui, notice: &Notice) {
    let count = rows::counted(notice.warnings.len() as u64, "file", "files");
    CollapsingHeader::new(RichText::new(format!("Show {count}")).small())
        .id_salt("warnings")
        .show(ui, |ui| {
            let height = ui.text_style_height(&egui::TextStyle::Small);
            ScrollArea::vertical()
                .max_height(140.0)
                .auto_shrink([false, true])
                .show_rows(ui, height, notice.warnings.len(), |ui, range| {
                    for warning in &notice.warnings[range] {
                        let text = format!("{} — {}", warning.path, warning.reason);
                        ui.add(Label::new(theme::small(ui, text)).truncate());
                    }
                });
        });
}

/// "Copy details", where there are any.
pub(crate) fn copy_button(ui: &mut Ui, notice: &Notice) {
    if let Some(text) = notice.copy_text()
        && quiet_button(ui, "Copy details").clicked()
    {
        ui.ctx().copy_text(text);
    }
}
