//! The table of backups, and what stands in its place while there are none.

use super::notices::copy_button;
use super::widgets::{Grade, grade_icon};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{Dialog, RestoreForm};
use crate::gui::notice::Notice;
use crate::gui::rows;
use crate::gui::state::{ListStatus, State};
use crate::gui::theme::{self, GRID};
use crate::model::Backup;
use egui::{Align, Button, Key, Label, Layout, RichText, ScrollArea, Sense, Ui, Vec2, vec2};
use egui_extras::{Column, TableBuilder, TableRow};

const ROW_HEIGHT: f32 = 38.0;
const HEADER_HEIGHT: f32 = 28.0;
/// Under this width the table scrolls sideways instead of cutting words.
const LEAST_WIDTH: f32 = 604.0;
const CELL_MARGIN: f32 = 2.0 * GRID;

/// The table, or what stands in its place.
pub(crate) fn backups_ui(
    ui: &mut Ui,
    state: &State,
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) {
    let table = &state.table;
    if !table.rows.is_empty() {
        table_ui(ui, state, dialog, commands);
        return;
    }
    match &table.status {
        ListStatus::Loading => empty_ui(ui, "Looking for backups…", ""),
        ListStatus::NotAsked => empty_ui(ui, "The list was not fetched", "Press Refresh to try."),
        ListStatus::Incomplete(problem) => {
            empty_ui(ui, "Set up where backups are kept", problem);
        }
        ListStatus::Failed(notice) => failed_ui(ui, notice, commands),
        ListStatus::Loaded if state.profile().sources.is_empty() => empty_ui(
            ui,
            "No backups yet",
            "Add a folder on the left, then press Back up now.",
        ),
        ListStatus::Loaded => empty_ui(
            ui,
            "No backups yet",
            "Press Back up now to make the first one.",
        ),
    }
}

fn empty_ui(ui: &mut Ui, title: &str, advice: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.3);
        ui.label(RichText::new(title).size(17.0));
        ui.label(RichText::new(advice).weak());
    });
}

fn failed_ui(ui: &mut Ui, notice: &Notice, commands: &mut Commands) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.25);
        ui.set_max_width(420.0);
        grade_icon(ui, Grade::Bad);
        ui.add_space(GRID);
        ui.label(RichText::new(&notice.title).size(17.0));
        ui.label(RichText::new(&notice.hint).weak());
        ui.add_space(2.0 * GRID);
        if ui.button("Try again").clicked() {
            commands.push(Command::Refresh);
        }
        copy_button(ui, notice);
    });
}

fn table_ui(ui: &mut Ui, state: &State, dialog: &mut Option<Dialog>, commands: &mut Commands) {
    let jump_to = keys(ui, state, dialog, commands);
    ScrollArea::horizontal()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.set_min_width(LEAST_WIDTH);
            ui.spacing_mut().item_spacing = Vec2::ZERO;
            let mut table = TableBuilder::new(ui)
                .id_salt("backups")
                .striped(true)
                .sense(Sense::CLICK)
                .auto_shrink([false, false])
                .cell_layout(Layout::left_to_right(Align::Center))
                .column(Column::exact(144.0))
                .column(Column::remainder().at_least(100.0).clip(true))
                .column(Column::exact(120.0))
                .column(Column::exact(84.0))
                .column(Column::exact(108.0))
                .column(Column::exact(148.0));
            if let Some(row) = jump_to {
                table = table.scroll_to_row(row, None);
            }
            table.header(HEADER_HEIGHT, header_ui).body(|body| {
                body.rows(ROW_HEIGHT, state.table.rows.len(), |mut row| {
                    if let Some(backup) = state.table.rows.get(row.index()) {
                        row_ui(&mut row, backup, state, (dialog, commands));
                    }
                });
            });
        });
}

fn header_ui(mut header: TableRow<'_, '_>) {
    for (name, is_number) in [
        ("When", false),
        ("Device", false),
        ("Files", true),
        ("Size", true),
        ("Made by", false),
    ] {
        header.col(|ui| cell_ui(ui, is_number, theme::small(ui, name)));
    }
    header.col(|_| {});
}

/// Text in a cell, numbers to the right.
fn cell_ui(ui: &mut Ui, is_number: bool, text: RichText) {
    let label = Label::new(text).truncate().selectable(false);
    let layout = if is_number {
        Layout::right_to_left(Align::Center)
    } else {
        Layout::left_to_right(Align::Center)
    };
    ui.with_layout(layout, |ui| {
        ui.add_space(CELL_MARGIN);
        ui.add(label);
    });
}

fn row_ui(
    row: &mut TableRow<'_, '_>,
    backup: &Backup,
    state: &State,
    (dialog, commands): (&mut Option<Dialog>, &mut Commands),
) {
    row.set_selected(state.table.selected.as_deref() == Some(backup.key.as_str()));
    let when = rows::when(backup.created, &state.clock.zone);
    let device = backup.device.as_deref().unwrap_or(rows::UNKNOWN);
    row.col(|ui| cell_ui(ui, false, RichText::new(when)));
    row.col(|ui| cell_ui(ui, false, RichText::new(device)));
    row.col(|ui| files_ui(ui, backup));
    row.col(|ui| cell_ui(ui, true, RichText::new(rows::bytes(backup.size_bytes))));
    row.col(|ui| cell_ui(ui, false, RichText::new(backup.origin.title())));
    row.col(|ui| actions_ui(ui, backup, state, dialog));
    let response = row.response();
    if response.clicked() {
        commands.push(Command::Select(backup.key.clone()));
    }
    response.on_hover_ui_at_pointer(|ui| {
        ui.label(rows::ago(backup.created, state.clock.now));
        ui.label(theme::small(ui, &backup.name));
    });
}

fn files_ui(ui: &mut Ui, backup: &Backup) {
    let text = RichText::new(rows::contents(backup.contents));
    let is_partial = backup.contents.is_some_and(|known| known.missing > 0);
    let text = if is_partial {
        text.color(theme::tokens(ui).warning)
    } else {
        text
    };
    cell_ui(ui, true, text);
}

fn actions_ui(ui: &mut Ui, backup: &Backup, state: &State, dialog: &mut Option<Dialog>) {
    let busy = state.busy_reason();
    ui.spacing_mut().interact_size.y = 6.5 * GRID;
    ui.spacing_mut().button_padding = vec2(2.0 * GRID, GRID / 2.0);
    ui.spacing_mut().item_spacing.x = 1.5 * GRID;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.add_space(GRID);
        for name in ["Delete", "Restore…"] {
            let button = ui.add_enabled(busy.is_none(), Button::new(RichText::new(name).small()));
            describe(ui, button.id, &backup.name);
            if button.clicked() {
                *dialog = Some(if name == "Delete" {
                    Dialog::Delete(backup.clone())
                } else {
                    Dialog::Restore(RestoreForm::of(backup, &state.device))
                });
            }
            if let Some(busy) = &busy {
                button.on_disabled_hover_text(busy);
            }
        }
    });
}

/// Tells those who hear the window which row a button belongs to.
fn describe(ui: &Ui, id: egui::Id, row: &str) {
    ui.ctx()
        .accesskit_node_builder(id, |node| node.set_description(row));
}

/// Up and Down move the mark, Enter restores, Delete deletes. Gives back the row to show.
fn keys(
    ui: &Ui,
    state: &State,
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) -> Option<usize> {
    let is_elsewhere = ui.memory(|memory| memory.focused().is_some());
    if is_elsewhere || dialog.is_some() {
        return None;
    }
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    let rows = &state.table.rows;
    let at = state
        .selected_row()
        .and_then(|marked| rows.iter().position(|row| row.key == marked.key));
    if let Some(backup) = state.selected_row()
        && state.exclusive().is_none()
    {
        if pressed(Key::Enter) {
            *dialog = Some(Dialog::Restore(RestoreForm::of(backup, &state.device)));
        } else if pressed(Key::Delete) {
            *dialog = Some(Dialog::Delete(backup.clone()));
        }
    }
    let last = rows.len().checked_sub(1)?;
    let next = if pressed(Key::ArrowDown) {
        at.map_or(0, |at| (at + 1).min(last))
    } else if pressed(Key::ArrowUp) {
        at.map_or(last, |at| at.saturating_sub(1))
    } else {
        return None;
    };
    commands.push(Command::Select(rows[next].key.clone()));
    Some(next)
}
