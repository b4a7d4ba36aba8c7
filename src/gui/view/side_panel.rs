//! The panel of settings: profile, destination, folders, and how the window looks.

use super::widgets::{choice_ui, quiet_button, quiet_line_ui};
use super::{destination_form, folders_form, how_form};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{Dialog, Forms};
use crate::gui::state::State;
use crate::gui::theme::{self, GRID, PANEL_MARGIN};
use crate::model::Appearance;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, ScrollArea, TextureHandle, Ui};

/// Everything left of the table.
pub(crate) fn side_panel_ui(
    ui: &mut Ui,
    state: &State,
    forms: &mut Forms,
    (mark, commands): (Option<&TextureHandle>, &mut Commands),
) {
    let margin = Margin::symmetric(PANEL_MARGIN, 12);
    Panel::top("name")
        .frame(Frame::new().inner_margin(Margin { top: 16, ..margin }))
        .show_separator_line(false)
        .show(ui, |ui| name_ui(ui, mark));
    Panel::bottom("looks")
        .frame(Frame::new().inner_margin(Margin::symmetric(PANEL_MARGIN, 8)))
        .show(ui, |ui| looks_ui(ui, state, commands));
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            Frame::new()
                .inner_margin(Margin {
                    top: 4,
                    bottom: 16,
                    ..margin
                })
                .show(ui, |ui| {
                    profile_ui(ui, state, &mut forms.dialog, commands);
                    gap_ui(ui);
                    destination_form::destination_ui(ui, state, &mut forms.profile, commands);
                    gap_ui(ui);
                    folders_form::folders_ui(ui, state, &mut forms.profile, commands);
                    gap_ui(ui);
                    how_form::how_ui(ui, &mut forms.profile, commands);
                });
        });
}

fn gap_ui(ui: &mut Ui) {
    ui.add_space(2.0 * GRID);
    ui.separator();
    ui.add_space(GRID);
}

fn name_ui(ui: &mut Ui, mark: Option<&TextureHandle>) {
    ui.horizontal(|ui| {
        if let Some(mark) = mark {
            let picture = egui::Image::new(mark).fit_to_exact_size(egui::vec2(28.0, 28.0));
            ui.add(picture);
        }
        ui.label(RichText::new("zipkeep").size(20.0));
    });
}

fn profile_ui(ui: &mut Ui, state: &State, dialog: &mut Option<Dialog>, commands: &mut Commands) {
    let shown = &state.profile().name;
    choice_ui(ui, "Profile", shown, |ui| {
        for profile in &state.config.profiles {
            let choice = ui.selectable_label(profile.name == *shown, &profile.name);
            if choice.clicked() {
                commands.push(Command::ShowProfile(profile.name.clone()));
            }
        }
    });
    quiet_line_ui(ui, |ui| {
        if quiet_button(ui, "New profile…").clicked() {
            *dialog = Some(Dialog::NewProfile(String::new()));
        }
        if quiet_button(ui, "Remove profile…").clicked() {
            *dialog = Some(Dialog::RemoveProfile(shown.clone()));
        }
    });
}

fn looks_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    ui.horizontal(|ui| {
        ui.label(theme::small(
            ui,
            concat!("Version ", env!("CARGO_PKG_VERSION")),
        ));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut appearance = state.config.appearance;
            let choices = [
                (Appearance::Dark, "Dark"),
                (Appearance::Light, "Light"),
                (Appearance::System, "System"),
            ];
            ui.spacing_mut().item_spacing.x = GRID;
            ui.spacing_mut().interact_size.y = 6.0 * GRID;
            ui.spacing_mut().button_padding = egui::vec2(2.0 * GRID, GRID / 2.0);
            for (choice, name) in choices {
                let text = RichText::new(name).small();
                ui.selectable_value(&mut appearance, choice, text);
            }
            if appearance != state.config.appearance {
                commands.push(Command::Appear(appearance));
            }
        });
    });
}
