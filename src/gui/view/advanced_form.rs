//! Settings of a bucket that few people need, folded away.

use super::note_edit::note_edit;
use super::widgets::{field_and_button_ui, quiet_button, quiet_line_ui};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::ProfileForm;
use crate::gui::job::FolderPurpose;
use crate::gui::theme;
use egui::collapsing_header::CollapsingState;
use egui::{Id, Label, Ui};

/// The fold and what is in it; open where something in it is set.
pub(crate) fn advanced_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    let is_set = !form.ca_certificate.is_empty();
    let mut fold =
        CollapsingState::load_with_default_open(ui.ctx(), Id::unique("advanced"), is_set);
    let name = if fold.is_open() {
        "Hide advanced settings"
    } else {
        "Advanced…"
    };
    quiet_line_ui(ui, |ui| {
        if quiet_button(ui, name).clicked() {
            fold.toggle(ui);
        }
    });
    let is_open = fold.is_open();
    fold.store(ui.ctx());
    if is_open {
        certificate_ui(ui, form, commands);
    }
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
