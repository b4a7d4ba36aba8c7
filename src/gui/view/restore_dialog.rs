//! The dialog before a restore: what, where to, and what will be replaced.

use super::dialog_parts::{Next, backup_ui, buttons_ui, plain_button, title_ui};
use super::widgets::{field_and_button_ui, indented_ui, main_button};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{OriginalPlaces, RestoreChoice, RestoreForm};
use crate::gui::job::FolderPurpose;
use crate::gui::state::State;
use crate::gui::theme::{self, GRID};
use crate::model::Origin;
use egui::{Frame, Label, Margin, Ui};

/// Asks where to restore to and says what will happen.
pub(crate) fn restore_ui(
    ui: &mut Ui,
    state: &State,
    form: &mut RestoreForm,
    commands: &mut Commands,
) -> Next {
    title_ui(ui, "Restore this backup");
    backup_ui(ui, state, &form.backup);
    ui.add_space(2.0 * GRID);
    let knows_places = form.backup.origin == Origin::Zipkeep;
    ui.add_enabled_ui(knows_places, |ui| {
        ui.radio_value(
            &mut form.choice,
            RestoreChoice::Original,
            "To the original folders",
        );
    });
    let is_elsewhere = form.backup.device.as_deref() != Some(state.device.as_str());
    if !knows_places {
        indented_ui(ui, "This backup does not say where its files came from.");
    } else if is_elsewhere {
        let device = form.backup.device.as_deref().unwrap_or("another computer");
        indented_ui(
            ui,
            &format!(
                "It was made on {device}; this computer is {}.",
                state.device
            ),
        );
    }
    if knows_places {
        if form.places == OriginalPlaces::NotAsked {
            form.places = OriginalPlaces::Asked;
            commands.push(Command::Look(form.backup.clone()));
        }
        indented_ui(ui, &places_text(&form.places));
    }
    ui.radio_value(&mut form.choice, RestoreChoice::Folder, "To a folder");
    if form.choice == RestoreChoice::Folder {
        folder_ui(ui, form, commands);
    }
    ui.add_space(GRID);
    consequence_ui(ui, form);
    let target = form.target();
    let mut next = Next::Stay;
    buttons_ui(ui, |ui| {
        let problem = target
            .is_none()
            .then_some("Write or choose the whole path of a folder.");
        let restore = main_button(ui, "Restore", problem);
        if let Some(target) = target
            && restore.clicked()
        {
            commands.push(Command::Restore {
                backup: form.backup.clone(),
                target,
            });
            next = Next::Close;
        }
        if plain_button(ui, "Cancel").clicked() {
            next = Next::Close;
        }
    });
    next
}

/// The folders by name, so that nobody is surprised by what is replaced.
fn places_text(places: &OriginalPlaces) -> String {
    const NAMED: usize = 5;
    match places {
        OriginalPlaces::NotAsked | OriginalPlaces::Asked => {
            "Finding out which folders these are…".to_owned()
        }
        OriginalPlaces::Unknown => "It cannot be read which folders these are.".to_owned(),
        OriginalPlaces::Known(places) => {
            let mut lines = places.iter().take(NAMED).cloned().collect::<Vec<_>>();
            if places.len() > NAMED {
                lines.push(format!("and {} more", places.len() - NAMED));
            }
            lines.join("\n")
        }
    }
}

fn folder_ui(ui: &mut Ui, form: &mut RestoreForm, commands: &mut Commands) {
    let margin = Margin {
        left: 24,
        ..Margin::ZERO
    };
    Frame::new().inner_margin(margin).show(ui, |ui| {
        let example = "the whole path of a folder";
        let (_, choose) = field_and_button_ui(
            ui,
            "Folder to restore to",
            (&mut form.folder, example),
            "Choose…",
        );
        if choose.clicked() {
            commands.push(Command::PickFolder(FolderPurpose::Restore));
        }
    });
}

/// Says plainly what will be replaced.
fn consequence_ui(ui: &mut Ui, form: &RestoreForm) {
    let tokens = theme::tokens(ui);
    let text = match form.choice {
        RestoreChoice::Original => {
            "Files that are there now are replaced where the backup holds a file of the same name. All other files stay."
        }
        RestoreChoice::Folder => {
            "Each backed up folder becomes a folder in there. Files of the same name are replaced, all other files stay."
        }
    };
    Frame::new()
        .fill(tokens.info_back)
        .corner_radius(8)
        .inner_margin(12)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.add(Label::new(text).wrap());
        });
}
