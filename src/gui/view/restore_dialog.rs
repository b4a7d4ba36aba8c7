//! The dialog before a restore: what, where to, and what exactly will happen.

use super::dialog_parts::{Next, backup_ui, buttons_ui, plain_button, title_ui};
use super::foresight::foresight_ui;
use super::widgets::{choice_ui, field_and_button_ui, indented_ui, main_button};
use crate::engine::{ExtraFiles, OnConflict, RestoreRequest, Selection};
use crate::gui::command::{Command, Commands};
use crate::gui::job::FolderPurpose;
use crate::gui::opened::{Fetch, Foresight};
use crate::gui::restore_form::{Home, RestoreChoice, RestoreForm};
use crate::gui::rows;
use crate::gui::state::{Programs, State};
use crate::gui::theme::GRID;
use crate::model::{CherryStudioLayout, Origin};
use egui::{Event, Frame, Margin, ScrollArea, Ui};
use std::time::Duration;

/// Its id among the presets.
const CHERRY_STUDIO: &str = "cherry-studio";

const CONFLICTS: [(OnConflict, &str); 4] = [
    (OnConflict::Replace, "Take the backup's"),
    (OnConflict::KeepNewer, "Keep what was changed last"),
    (OnConflict::Skip, "Keep what is there"),
    (OnConflict::KeepBoth, "Keep both"),
];

/// Asks where to restore to and says what will happen.
pub(crate) fn restore_ui(
    ui: &mut Ui,
    state: &State,
    form: &mut RestoreForm,
    commands: &mut Commands,
) -> Next {
    let title = match form.selection {
        Selection::All => "Restore this backup",
        Selection::Paths(_) | Selection::Matching(_) => "Restore what you chose",
    };
    title_ui(ui, title);
    let most = ui.ctx().content_rect().height() - 180.0;
    ScrollArea::vertical().max_height(most).show(ui, |ui| {
        what_ui(ui, state, form);
        where_ui(ui, state, form, commands);
        how_ui(ui, form);
        ui.add_space(GRID);
        foresight_ui(ui, foresight_of(state, form));
    });
    let request = form.request();
    if let Ok(request) = &request {
        foresee(ui, state, request, commands);
    }
    answer_ui(ui, state, request, commands)
}

fn what_ui(ui: &mut Ui, state: &State, form: &RestoreForm) {
    backup_ui(ui, state, &form.backup);
    if let Selection::Paths(paths) = &form.selection {
        const NAMED: usize = 3;
        let mut lines: Vec<String> = paths.iter().take(NAMED).cloned().collect();
        if paths.len() > NAMED {
            let more = rows::counted((paths.len() - NAMED) as u64, "more", "more");
            lines.push(format!("and {more}"));
        }
        ui.add_space(GRID);
        let text = format!("Chosen: {}", lines.join(", "));
        ui.add(egui::Label::new(text).wrap());
    }
    ui.add_space(2.0 * GRID);
}

fn where_ui(ui: &mut Ui, state: &State, form: &mut RestoreForm, commands: &mut Commands) {
    if form.places.is_empty() {
        learn(state, form, commands);
    }
    let knows_places = form.backup.origin == Origin::Zipkeep;
    let name = match form.home {
        Home::Here => "To the original folders",
        Home::Elsewhere => "To folders of this computer",
    };
    ui.add_enabled_ui(knows_places, |ui| {
        ui.radio_value(&mut form.choice, RestoreChoice::Places, name);
    });
    if knows_places {
        places_ui(ui, state, form, commands);
    } else {
        indented_ui(ui, "This backup does not say where its files came from.");
    }
    app_ui(ui, form, commands);
    ui.radio_value(&mut form.choice, RestoreChoice::Folder, "To a folder");
    if form.choice == RestoreChoice::Folder {
        inner_ui(ui, |ui| {
            let example = "the whole path of a folder";
            let name = "Folder to restore to";
            let field = (&mut form.folder, example);
            let (_, choose) = field_and_button_ui(ui, name, field, "Choose…");
            if choose.clicked() {
                commands.push(Command::PickFolder(FolderPurpose::Restore));
            }
        });
    }
}

/// Asks which folders the backup was made of, and takes it over once it is known.
fn learn(state: &State, form: &mut RestoreForm, commands: &mut Commands) {
    match state.opened(&form.backup.key).map(|opened| &opened.inside) {
        None => commands.push(Command::Look(form.backup.clone())),
        Some(Fetch::Known(inside)) if !inside.roots.is_empty() => form.learn(inside, &state.home),
        Some(Fetch::Known(inside)) if form.app.is_none() => {
            let layout = inside
                .cherry_studio
                .as_ref()
                .map(|described| described.layout);
            if layout.is_some_and(CherryStudioLayout::fits_data_folder) {
                propose_app(state, form, commands);
            }
        }
        Some(_) => {}
    }
}

/// Proposes the data folder of Cherry Studio, as soon as it is known where that is.
fn propose_app(state: &State, form: &mut RestoreForm, commands: &mut Commands) {
    let Programs::Known(programs) = &state.programs else {
        commands.push(Command::FindPrograms);
        return;
    };
    let mut fitting = programs.iter();
    if let Some(program) = fitting.find(|program| program.preset.id == CHERRY_STUDIO) {
        let folders = &program.found.folders;
        form.propose_app(CHERRY_STUDIO, &program.preset.title, folders);
    }
}

fn app_ui(ui: &mut Ui, form: &mut RestoreForm, commands: &mut Commands) {
    let Some(app) = &mut form.app else {
        return;
    };
    let name = format!("Into the data folder of {}", app.title);
    ui.radio_value(&mut form.choice, RestoreChoice::App, name);
    if form.choice == RestoreChoice::App {
        indented_ui(
            ui,
            &format!("Close {} first: it must not run meanwhile.", app.title),
        );
        inner_ui(ui, |ui| {
            let field = (&mut app.folder, "the whole path of its data folder");
            let (_, choose) = field_and_button_ui(ui, "Data folder", field, "Choose…");
            if choose.clicked() {
                commands.push(Command::PickFolder(FolderPurpose::RestoreApp));
            }
        });
    }
}

fn places_ui(ui: &mut Ui, state: &State, form: &mut RestoreForm, commands: &mut Commands) {
    if form.home == Home::Elsewhere {
        let device = form.backup.device.as_deref().unwrap_or("another computer");
        let text = format!(
            "It was made on {device}; this computer is {}.",
            state.device
        );
        indented_ui(ui, &text);
    }
    if form.places.is_empty() {
        let opened = state.opened(&form.backup.key);
        let text = match opened.map(|opened| &opened.inside) {
            Some(Fetch::Known(_)) => "The backup does not say which folders these are.",
            Some(Fetch::Failed(_)) => "It cannot be read which folders these are.",
            _ => "Finding out which folders these are…",
        };
        indented_ui(ui, text);
    } else if form.home == Home::Here {
        const NAMED: usize = 5;
        let places = form.places.iter().take(NAMED);
        let mut lines: Vec<String> = places.map(|place| place.original.clone()).collect();
        if form.places.len() > NAMED {
            lines.push(format!("and {} more", form.places.len() - NAMED));
        }
        indented_ui(ui, &lines.join("\n"));
    } else if form.choice == RestoreChoice::Places {
        inner_ui(ui, |ui| {
            for (at, place) in form.places.iter_mut().enumerate() {
                ui.push_id(at, |ui| {
                    let name = format!("{}, which was {}", place.label, place.original);
                    let field = (&mut place.folder, "the whole path of a folder");
                    let (_, choose) = field_and_button_ui(ui, &name, field, "Choose…");
                    if choose.clicked() {
                        commands.push(Command::PickFolder(FolderPurpose::RestorePlace(at)));
                    }
                });
            }
        });
    }
}

fn how_ui(ui: &mut Ui, form: &mut RestoreForm) {
    ui.add_space(GRID);
    let chosen = CONFLICTS
        .iter()
        .find(|(way, _)| *way == form.on_conflict)
        .map_or("", |(_, name)| name);
    choice_ui(ui, "Where a file is there already", chosen, |ui| {
        for (way, name) in CONFLICTS {
            ui.selectable_value(&mut form.on_conflict, way, name);
        }
    });
    if form.backup.origin == Origin::Zipkeep {
        let mut is_mirror = form.extra_files == ExtraFiles::Removed;
        ui.checkbox(&mut is_mirror, "Remove files that the backup does not have");
        form.extra_files = if is_mirror {
            ExtraFiles::Removed
        } else {
            ExtraFiles::Kept
        };
    }
    ui.label(crate::gui::theme::small(
        ui,
        "What is replaced or removed is kept aside, so that you can undo the restore.",
    ));
}

fn inner_ui(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let margin = Margin {
        left: 24,
        ..Margin::ZERO
    };
    Frame::new().inner_margin(margin).show(ui, add);
}

/// What is known of just what the form asks for.
fn foresight_of<'a>(state: &'a State, form: &RestoreForm) -> Option<&'a Foresight> {
    let request = form.request().ok()?;
    let foresight = state.foresight.as_ref();
    foresight.filter(|foresight| foresight.request == request)
}

/// Has what the restore would do worked out, unless somebody is typing just now.
fn foresee(ui: &Ui, state: &State, request: &RestoreRequest, commands: &mut Commands) {
    let is_asked = state
        .foresight
        .as_ref()
        .is_some_and(|foresight| foresight.request == *request);
    if !is_asked && !is_typing(ui) {
        commands.push(Command::Foresee(request.clone()));
    }
}

/// Whether something was typed a moment ago.
fn is_typing(ui: &Ui) -> bool {
    const PAUSE_SECS: f64 = 0.4;
    let id = egui::Id::unique("typed in the restore dialog");
    let (now_secs, is_key) = ui.input(|input| {
        let is_key =
            |event: &Event| matches!(event, Event::Text(_) | Event::Key { .. } | Event::Paste(_));
        (input.time, input.events.iter().any(is_key))
    });
    if is_key {
        ui.data_mut(|data| data.insert_temp(id, now_secs));
    }
    let typed_secs: Option<f64> = ui.data(|data| data.get_temp(id));
    let left_secs = typed_secs.map_or(0.0, |typed_secs| typed_secs + PAUSE_SECS - now_secs);
    if left_secs > 0.0 {
        ui.ctx()
            .request_repaint_after(Duration::from_secs_f64(left_secs));
    }
    left_secs > 0.0
}

fn answer_ui(
    ui: &mut Ui,
    state: &State,
    request: Result<RestoreRequest, &'static str>,
    commands: &mut Commands,
) -> Next {
    let mut next = Next::Stay;
    buttons_ui(ui, |ui| {
        let busy = state.busy_reason();
        let problem = request.as_ref().err().copied().or(busy.as_deref());
        let is_pressed = main_button(ui, "Restore", problem).clicked();
        if let Ok(request) = request
            && is_pressed
        {
            commands.push(Command::Restore(request));
            next = Next::Close;
        }
        if plain_button(ui, "Cancel").clicked() {
            next = Next::Close;
        }
    });
    next
}
