//! The folders that are backed up, and what is left out of them.

use super::note_edit::note_edit;
use super::widgets::{
    QUIET_PADDING, cross_button, cut_label, field_and_button_ui, lines_ui, tall_button,
};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::ProfileForm;
use crate::gui::job::FolderPurpose;
use crate::gui::state::{Programs, State};
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use egui::containers::menu::MenuButton;
use egui::{
    Align, Frame, Layout, Margin, Rect, RichText, Stroke, TextWrapMode, Ui, UiBuilder, pos2, vec2,
};
use std::path::Path;

/// What is backed up and what is not.
pub(crate) fn folders_ui(
    ui: &mut Ui,
    state: &State,
    form: &mut ProfileForm,
    commands: &mut Commands,
) {
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        let button = tall_button("Add folder…");
        if ui.add(button).clicked() {
            commands.push(Command::PickFolder(FolderPurpose::Source));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(theme::section("Folders to back up"));
        });
    });
    sources_ui(ui, state, commands);
    let example = "or type its path here";
    let top = ui.cursor().min;
    let (field, add) =
        field_and_button_ui(ui, "Another folder", (&mut form.new_source, example), "Add");
    // The line of the field's name has room to its right.
    let line = Rect::from_min_max(top, pos2(add.rect.right(), field.rect.top() - GRID));
    let line = line.expand2(vec2(QUIET_PADDING, GRID / 2.0));
    let beside = UiBuilder::new()
        .max_rect(line)
        .layout(Layout::right_to_left(Align::Center));
    let mut beside = ui.new_child(beside);
    beside.spacing_mut().interact_size.y = 0.0;
    beside.spacing_mut().button_padding = vec2(QUIET_PADDING, GRID / 2.0);
    programs_ui(&mut beside, state, commands);
    let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if (add.clicked() || is_entered) && !form.new_source.trim().is_empty() {
        commands.push(Command::AddFolder(form.new_source.clone()));
    }
    ui.add_space(GRID);
    let excludes = lines_ui(ui, "Leave out", &mut form.excludes, "*.tmp\nnode_modules/");
    note_edit(&excludes, form, commands);
    ui.label(theme::small(
        ui,
        "One pattern a line, as in a .gitignore file",
    ));
}

fn sources_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    let tokens = theme::tokens(ui);
    let sources = &state.profile().sources;
    Frame::new()
        .fill(tokens.field)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(8)
        .inner_margin(Margin::symmetric(4, 4))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            if sources.is_empty() {
                ui.horizontal(|ui| {
                    ui.set_min_height(7.0 * GRID);
                    ui.add_space(GRID);
                    ui.label(theme::small(ui, "No folder yet"));
                });
            }
            for source in sources {
                source_ui(ui, source, commands);
            }
        });
}

/// The programs whose data can be added, with where it is or why it cannot be.
fn programs_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    let button =
        egui::Button::new(theme::small(ui, "Add a program's data")).frame_when_inactive(false);
    let button = MenuButton::from_button(button);
    let (response, _) = button.ui(ui, |ui| {
        // The width stays what it was while somebody was looking.
        ui.style_mut().wrap_mode = Some(TextWrapMode::Extend);
        let Programs::Known(programs) = &state.programs else {
            ui.label(theme::small(ui, "Looking…"));
            return;
        };
        for program in programs {
            let title = program.preset.title.as_str();
            let problem = state.program_problem(program);
            let text = problem.map_or_else(|| title.to_owned(), |why| format!("{title}: {why}"));
            let entry = ui.add_enabled(problem.is_none(), egui::Button::new(text));
            if entry.clicked() {
                commands.push(Command::AddProgram(program.preset.id.clone()));
            }
            let found = &program.found;
            let (shown, told) = match found.folders.as_slice() {
                [] => (&found.missing, "Looked in"),
                _ => (&found.folders, "In"),
            };
            let lines = shown
                .iter()
                .map(|folder| format!("{told} {}", folder.display()));
            let lines = lines.collect::<Vec<_>>().join("\n");
            entry.on_hover_text(&lines).on_disabled_hover_text(lines);
        }
    });
    if response.clicked() {
        commands.push(Command::FindPrograms);
    }
}

fn source_ui(ui: &mut Ui, source: &Path, commands: &mut Commands) {
    let path = source.display().to_string();
    let line = vec2(ui.available_width(), 7.0 * GRID);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        if cross_button(ui, &format!("Remove {path}")).clicked() {
            commands.push(Command::RemoveFolder(source.to_owned()));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(GRID);
            cut_label(ui, RichText::new(path));
        });
    });
}
