//! The form of the destination: provider, its fields, and the test of the connection.

use super::test_report;
use super::widgets::{choice_ui, field_and_button_ui, field_ui, secret_ui, tall_button};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{Place, ProfileForm, SecretEdit};
use crate::gui::job::{FolderPurpose, JobKind, SecretStatus};
use crate::gui::state::State;
use crate::gui::theme::{self, GRID};
use crate::model::Provider;
use egui::{Align, Id, Response, Ui};

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
    let button = tall_button("Test connection");
    let button = ui.add_enabled(!is_testing, button);
    if button.clicked() {
        commands.push(Command::Test);
    }
    button.on_disabled_hover_text("The test is running.");
    // What comes of a test is scrolled to once, then the person scrolls.
    let was_testing = Id::unique("was testing");
    if is_testing {
        ui.data_mut(|data| data.insert_temp(was_testing, true));
    }
    if let Some(report) = &state.test {
        let shown = test_report::test_report_ui(ui, report);
        if ui.data_mut(|data| data.remove_temp(was_testing)) == Some(true) {
            shown.scroll_to_me(Some(Align::Max));
        }
    }
}

fn place_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    choice_ui(ui, "Provider", form.place.title(), |ui| {
        for place in Place::all() {
            let choice = ui.selectable_value(&mut form.place, place, place.title());
            if choice.changed() {
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

fn bucket_ui(
    ui: &mut Ui,
    provider: Provider,
    state: &State,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    let example = provider.preset().endpoint_example.as_str();
    let endpoint = field_ui(ui, "Endpoint", &mut form.endpoint, example);
    note_edit(&endpoint, form, commands);
    ui.columns(2, |columns| {
        let region = field_ui(
            &mut columns[0],
            "Region",
            &mut form.region,
            provider.preset().region_example(),
        );
        note_edit(&region, form, commands);
        let bucket = field_ui(&mut columns[1], "Bucket", &mut form.bucket, "my-backups");
        note_edit(&bucket, form, commands);
    });
    let id = field_ui(
        ui,
        "Access Key ID",
        &mut form.access_key_id,
        "the public half of the key",
    );
    note_edit(&id, form, commands);
    let example = match state.secret {
        SecretStatus::Kept => "kept on this computer",
        SecretStatus::Unknown | SecretStatus::Missing => "the secret half of the key",
    };
    let secret = secret_ui(ui, "Secret Access Key", &mut form.secret, example);
    if secret.changed() {
        form.secret_edit = SecretEdit::Typed;
    }
    note_edit(&secret, form, commands);
    let root = field_ui(
        ui,
        "Root path",
        &mut form.root_path,
        "optional, for example backups/laptop",
    );
    note_edit(&root, form, commands);
}

/// Sees to it that what was typed into a field is kept.
pub(crate) fn note_edit(field: &Response, form: &mut ProfileForm, commands: &mut Commands) {
    if field.changed() {
        form.touched_at_secs = Some(field.ctx.input(|input| input.time));
    }
    if field.lost_focus() {
        commands.push(Command::FinishForm);
    }
}
