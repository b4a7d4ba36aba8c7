//! What is typed into a field is kept: soon while somebody types, at once when the field is left.

use crate::gui::command::{Command, Commands};
use crate::gui::forms::ProfileForm;
use egui::Response;

/// Sees to it that what was typed into a field is kept.
pub(crate) fn note_edit(field: &Response, form: &mut ProfileForm, commands: &mut Commands) {
    if field.changed() {
        form.touched_at_secs = Some(field.ctx.input(|input| input.time));
    }
    if field.lost_focus() {
        commands.push(Command::FinishForm);
    }
}
