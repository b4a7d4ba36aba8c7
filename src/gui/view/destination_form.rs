//! The form of the destination: provider or folder, and the test of the connection.

use super::advanced_form::advanced_button_ui;
use super::bucket_form::bucket_ui;
use super::note_edit::note_edit;
use super::test_report;
use super::widgets::{choice_ui, field_and_button_ui, tall_button};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{Place, ProfileForm};
use crate::gui::job::{FolderPurpose, JobKind};
use crate::gui::state::State;
use crate::gui::theme::{self, GRID};
use egui::{Align, Id, Ui};

/// Where backups are kept.
pub(crate) fn destination_ui(
    ui: &mut Ui,
    state: &State,
    form: &mut ProfileForm,
    commands: &mut Commands,
) {
    ui.label(theme::section("Keep backups in"));
    ui.add_space(GRID);
    place_ui(ui, form, commands);
    match form.place {
        Place::Folder => folder_ui(ui, form, commands),
        Place::Bucket(provider) => bucket_ui(ui, provider, state, (form, commands)),
    }
    ui.add_space(GRID);
    let is_testing = state.running(JobKind::Test).is_some();
    ui.horizontal(|ui| {
        let button = tall_button("Test connection");
        let button = ui.add_enabled(!is_testing, button);
        if button.clicked() {
            commands.push(Command::Test);
        }
        button.on_disabled_hover_text("The test is running.");
        if matches!(form.place, Place::Bucket(_)) {
            advanced_button_ui(ui, form);
        }
    });
    // The verdict is scrolled to once, then the person scrolls.
    let was_testing = Id::unique("was testing");
    if is_testing {
        ui.data_mut(|data| data.insert_temp(was_testing, true));
    }
    if let Some(report) = &state.test {
        let shown = test_report::test_report_ui(ui, report, commands);
        if ui.data_mut(|data| data.remove_temp(was_testing)) == Some(true) {
            shown.scroll_to_me(Some(Align::Min));
        }
    }
}

fn place_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    choice_ui(ui, "Provider", form.place.title(), |ui| {
        for place in Place::all() {
            let choice = ui.selectable_label(form.place == place, place.title());
            if choice.clicked() && form.place != place {
                form.choose_place(place);
                commands.push(Command::FinishForm);
            }
        }
    });
}

fn folder_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    let example = "a folder, an external disk or a share";
    let (field, choose) = field_and_button_ui(ui, "Folder", (&mut form.folder, example), "Choose…");
    note_edit(&field, form, commands);
    if choose.clicked() {
        commands.push(Command::PickFolder(FolderPurpose::Destination));
    }
}
