//! The dialogs that ask first: delete, profiles, quit. Only one is open at a time.

use super::dialog_parts::{Next, backup_ui, buttons_ui, plain_button, title_ui};
use super::widgets::{danger_button, field_ui, main_button};
use super::{restore_dialog, restores_dialog, verify_dialog};
use crate::gui::command::{BackUpManner, Command, Commands};
use crate::gui::forms::Dialog;
use crate::gui::state::{Quit, State};
use crate::gui::theme::{self, DIALOG_WIDTH, GRID};
use crate::model::{Backup, Profile};
use egui::{Frame, Id, Modal, Ui};

/// The dialog that is open, if any.
pub(crate) fn dialogs_ui(
    ui: &mut Ui,
    state: &State,
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) {
    if state.quit != Quit::No {
        modal(ui, "quit", |ui| quit_ui(ui, state, commands));
        return;
    }
    let next = match dialog {
        None => return,
        Some(Dialog::Restore(form)) => modal(ui, "restore", |ui| {
            restore_dialog::restore_ui(ui, state, form, commands)
        }),
        Some(Dialog::Delete(backup)) => {
            modal(ui, "delete", |ui| delete_ui(ui, state, backup, commands))
        }
        Some(Dialog::Verify(backup, depth)) => modal(ui, "verify", |ui| {
            verify_dialog::verify_ui(ui, state, (backup, depth), commands)
        }),
        Some(Dialog::RemoveDeleted) => modal(ui, "remove deleted", |ui| {
            remove_deleted_ui(ui, state, commands)
        }),
        Some(Dialog::Restores) => modal(ui, "restores", |ui| {
            restores_dialog::restores_ui(ui, state, commands)
        }),
        Some(Dialog::NewProfile(name)) => modal(ui, "new profile", |ui| {
            new_profile_ui(ui, state, name, commands)
        }),
        Some(Dialog::RemoveProfile(name)) => modal(ui, "remove profile", |ui| {
            remove_profile_ui(ui, state, name, commands)
        }),
    };
    if next == Next::Close {
        *dialog = None;
    }
}

/// Shows `content` above everything; Escape and a click beside it close it.
fn modal(ui: &Ui, name: &str, content: impl FnOnce(&mut Ui) -> Next) -> Next {
    let frame = Frame::popup(ui.style()).inner_margin(24).corner_radius(12);
    let shown = Modal::new(Id::unique(("dialog", name)))
        .frame(frame)
        .show(ui.ctx(), |ui| {
            ui.set_width(DIALOG_WIDTH);
            content(ui)
        });
    if shown.should_close() {
        Next::Close
    } else {
        shown.inner
    }
}

fn delete_ui(ui: &mut Ui, state: &State, backup: &Backup, commands: &mut Commands) -> Next {
    title_ui(ui, "Delete this backup?");
    backup_ui(ui, state, backup);
    ui.add_space(2.0 * GRID);
    ui.label(
        "This cannot be undone. Other backups and the files on this computer stay as they are.",
    );
    let mut next = Next::Stay;
    buttons_ui(ui, |ui| {
        if danger_button(ui, "Delete backup").clicked() {
            commands.push(Command::Delete(backup.clone()));
            next = Next::Close;
        }
        if plain_button(ui, "Keep backup").clicked() {
            next = Next::Close;
        }
    });
    next
}

fn remove_deleted_ui(ui: &mut Ui, state: &State, commands: &mut Commands) -> Next {
    title_ui(ui, "Remove deleted data now?");
    ui.label("A backup keeps the bytes of files that were deleted or replaced, out of sight, until so much of it is dead that it is left out.");
    ui.label("This makes a new backup without any of it. Earlier backups still hold it until you delete them.");
    let mut next = Next::Stay;
    let problem = state.backup_problem();
    buttons_ui(ui, |ui| {
        if main_button(ui, "Back up without it", problem.as_deref()).clicked() {
            commands.push(Command::BackUp(BackUpManner::RemoveDeleted));
            next = Next::Close;
        }
        if plain_button(ui, "Cancel").clicked() {
            next = Next::Close;
        }
    });
    next
}

fn new_profile_ui(ui: &mut Ui, state: &State, name: &mut String, commands: &mut Commands) -> Next {
    title_ui(ui, "New profile");
    ui.label("A profile has its own folders and its own place for backups. Its name stands at the beginning of their file names.");
    ui.add_space(GRID);
    let field = field_ui(ui, "Name of the profile", name, "for example photos");
    if ui.memory(|memory| memory.focused().is_none()) {
        field.request_focus();
    }
    let typed = name.trim();
    let problem = if state.config.profile(typed).is_some() {
        Some("There is already a profile of this name.")
    } else if !typed.is_empty() && Profile::check_name(typed).is_err() {
        Some("Use 1 to 64 letters, digits, “-” and “_”.")
    } else {
        None
    };
    let line = problem.unwrap_or(" ");
    ui.label(theme::small(ui, line).color(theme::tokens(ui).danger));
    let problem = if typed.is_empty() {
        Some("Give the profile a name.")
    } else {
        problem
    };
    let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let mut next = Next::Stay;
    buttons_ui(ui, |ui| {
        let create = main_button(ui, "Create profile", problem);
        if create.clicked() || (is_entered && problem.is_none()) {
            commands.push(Command::CreateProfile(typed.to_owned()));
            next = Next::Close;
        }
        if plain_button(ui, "Cancel").clicked() {
            next = Next::Close;
        }
    });
    next
}

fn remove_profile_ui(ui: &mut Ui, state: &State, name: &str, commands: &mut Commands) -> Next {
    title_ui(ui, &format!("Remove the profile “{name}”?"));
    let place = state
        .config
        .profile(name)
        .map(|profile| profile.destination.summary())
        .unwrap_or_default();
    ui.label(format!(
        "zipkeep forgets its settings and its secret key. Its backups stay where they are, in {place}."
    ));
    let mut next = Next::Stay;
    buttons_ui(ui, |ui| {
        if danger_button(ui, "Remove profile").clicked() {
            commands.push(Command::RemoveProfile(name.to_owned()));
            next = Next::Close;
        }
        if plain_button(ui, "Keep profile").clicked() {
            next = Next::Close;
        }
    });
    next
}

fn quit_ui(ui: &mut Ui, state: &State, commands: &mut Commands) -> Next {
    let running = state.exclusive().map(|job| job.kind.sentence());
    title_ui(ui, running.unwrap_or("Almost done"));
    if matches!(state.quit, Quit::Stopping(_)) {
        ui.label("Stopping. The window closes by itself in a moment.");
        return Next::Stay;
    }
    ui.label("If it is stopped now, no half-made backup is left in the list, and you can start it again at any time.");
    buttons_ui(ui, |ui| {
        if main_button(ui, "Keep running", None).clicked() {
            commands.push(Command::KeepRunning);
        }
        if plain_button(ui, "Stop and quit").clicked() {
            commands.push(Command::StopAndQuit);
        }
    });
    Next::Stay
}
