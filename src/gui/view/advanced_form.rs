//! Settings of a bucket that few people need, folded away.

use super::keys_form::source_ui;
use super::note_edit::note_edit;
use super::widgets::{field_and_button_ui, quiet_button};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::ProfileForm;
use crate::gui::job::FolderPurpose;
use crate::gui::theme;
use egui::collapsing_header::CollapsingState;
use egui::{Id, Label, Ui};

/// The button that opens and closes the fold.
pub(crate) fn advanced_button_ui(ui: &mut Ui, form: &ProfileForm) {
    let mut fold = fold(ui, form);
    let name = if fold.is_open() {
        "Hide advanced"
    } else {
        "Advanced…"
    };
    if quiet_button(ui, name).clicked() {
        fold.toggle(ui);
    }
    fold.store(ui.ctx());
}

/// What is in the fold, while it is open.
pub(crate) fn advanced_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    if fold(ui, form).is_open() {
        source_ui(ui, form, commands);
        certificate_ui(ui, form, commands);
    }
}

/// Open where something in it is set.
fn fold(ui: &Ui, form: &ProfileForm) -> CollapsingState {
    let is_set = !form.ca_certificate.is_empty() || !form.credentials.is_default();
    CollapsingState::load_with_default_open(ui.ctx(), Id::unique("advanced"), is_set)
}

fn certificate_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    let example = "optional, a PEM file";
    let text = (&mut form.ca_certificate, example);
    let (field, choose) = field_and_button_ui(ui, "CA certificate", text, "Choose…");
    note_edit(&field, form, commands);
    if choose.clicked() {
        commands.push(Command::PickFolder(FolderPurpose::CaCertificate));
    }
    let remark = "For a server of your own whose certificate no public authority has signed. It is trusted for this \
                  destination only.";
    ui.add(Label::new(theme::small(ui, remark)).wrap());
}
