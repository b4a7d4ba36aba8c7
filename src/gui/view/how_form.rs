//! How backups are made: the choices that most people never change, out of sight until asked for.

use super::widgets::{choice_line_ui, tall_button};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::ProfileForm;
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use crate::model::{Compression, WhenUnchanged};
use egui::collapsing_header::CollapsingState;
use egui::{Align, Id, Label, Layout, Ui, vec2};

/// What is chosen in a line, and the choices once "Change" is pressed.
pub(crate) fn how_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    let mut choices = CollapsingState::load_with_default_open(ui.ctx(), Id::unique("how"), false);
    // The choices may open below what is seen: they are scrolled to once, then the person scrolls.
    let was_toggled = Id::unique("how was toggled");
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        let name = if choices.is_open() { "Done" } else { "Change" };
        if ui.add(tall_button(name)).clicked() {
            choices.toggle(ui);
            ui.data_mut(|data| data.insert_temp(was_toggled, true));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(theme::section("How"));
        });
    });
    if !choices.is_open() {
        ui.add(Label::new(theme::small(ui, summary(form))).wrap());
    }
    let shown = choices.show_body_unindented(ui, |ui| choices_ui(ui, form, commands));
    if let Some(shown) = shown
        && ui.data(|data| data.get_temp(was_toggled)) == Some(true)
    {
        let with_margin = shown.response.rect.expand(4.0 * GRID);
        ui.scroll_to_rect(with_margin, Some(Align::Max));
        if choices.openness(ui.ctx()) >= 1.0 {
            ui.data_mut(|data| data.remove::<bool>(was_toggled));
        }
    }
}

fn summary(form: &ProfileForm) -> String {
    let unchanged = match form.when_unchanged {
        WhenUnchanged::Skip => "No backup when nothing changed",
        WhenUnchanged::BackUp => "A backup also when nothing changed",
    };
    format!("{} compression\n{unchanged}", form.compression.title())
}

fn choices_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    let mut is_new = false;
    ui.label(theme::small(ui, "Compression"));
    for level in Compression::ALL {
        let explanation = match level {
            Compression::Fast => "About twice as fast, a tenth bigger",
            Compression::Normal => "As small as ZIP programs make it",
            Compression::Small => "The smallest, slowly",
        };
        let choice = (&mut form.compression, level);
        is_new |= choice_line_ui(ui, choice, level.title(), explanation);
    }
    ui.add_space(2.0 * GRID);
    ui.label(theme::small(ui, "When nothing changed"));
    for (way, name) in [
        (WhenUnchanged::Skip, "Make no backup"),
        (WhenUnchanged::BackUp, "Make one all the same"),
    ] {
        is_new |= choice_line_ui(ui, (&mut form.when_unchanged, way), name, "");
    }
    if is_new {
        commands.push(Command::KeepForm);
    }
}
