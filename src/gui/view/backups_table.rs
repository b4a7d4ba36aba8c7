//! The table of backups, and what stands in its place while there are none.

use super::notices::copy_button;
use super::widgets::{Grade, grade_icon, next_row};
use crate::engine::VerifyDepth;
use crate::gui::command::{Command, Commands};
use crate::gui::forms::Dialog;
use crate::gui::notice::Notice;
use crate::gui::restore_form::RestoreForm;
use crate::gui::rows;
use crate::gui::state::{ListStatus, State};
use crate::gui::theme::{self, GRID};
use crate::model::{Backup, bytes_text};
use egui::{Align, Button, Key, Label, Layout, RichText, Sense, Ui, Vec2, vec2};
use egui_extras::{Column, TableBuilder, TableRow};

const ROW_HEIGHT: f32 = 38.0;
const HEADER_HEIGHT: f32 = 28.0;
const CELL_MARGIN: f32 = 2.0 * GRID;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    When,
    Device,
    Files,
    Size,
    MadeBy,
    Actions,
}

impl Field {
    const ALL: [Self; 6] = [
        Self::When,
        Self::Device,
        Self::Files,
        Self::Size,
        Self::MadeBy,
        Self::Actions,
    ];

    /// The columns that fit into a table of this width. What gives way stands in each row's hover.
    fn fitting(width: f32) -> Vec<Self> {
        let needed = |fields: &[Self]| fields.iter().map(|field| field.width()).sum::<f32>();
        let mut fields = Self::ALL.to_vec();
        for least_needed in [Self::MadeBy, Self::Files, Self::Size] {
            if needed(&fields) > width {
                fields.retain(|field| *field != least_needed);
            }
        }
        fields
    }

    /// Width; of the device, which takes what is left, the least.
    const fn width(self) -> f32 {
        match self {
            Self::When => 136.0,
            Self::Device => 96.0,
            Self::Files => 104.0,
            Self::Size => 80.0,
            Self::MadeBy => 98.0,
            Self::Actions => 246.0,
        }
    }

    fn column(self) -> Column {
        match self {
            Self::Device => Column::remainder().at_least(self.width()).clip(true),
            _ => Column::exact(self.width()),
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::When => "When",
            Self::Device => "Device",
            Self::Files => "Files",
            Self::Size => "Size",
            Self::MadeBy => "Made by",
            Self::Actions => "",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Files | Self::Size)
    }
}

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
    let fields = Field::fitting(ui.available_width());
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    // Of its own id for each set of columns: widths are remembered by number.
    let mut table = TableBuilder::new(ui)
        .id_salt(("backups", fields.len()))
        .striped(true)
        .sense(Sense::CLICK)
        .auto_shrink([false, false])
        .cell_layout(Layout::left_to_right(Align::Center));
    for field in &fields {
        table = table.column(field.column());
    }
    if let Some(row) = jump_to {
        table = table.scroll_to_row(row, None);
    }
    table
        .header(HEADER_HEIGHT, |header| header_ui(header, &fields))
        .body(|body| {
            body.rows(ROW_HEIGHT, state.table.rows.len(), |mut row| {
                if let Some(backup) = state.table.rows.get(row.index()) {
                    row_ui(&mut row, &fields, backup, (state, dialog, commands));
                }
            });
        });
}

fn header_ui(mut header: TableRow<'_, '_>, fields: &[Field]) {
    for field in fields {
        header.col(|ui| cell_ui(ui, *field, theme::small(ui, field.title())));
    }
}

/// Text in a cell, numbers to the right.
fn cell_ui(ui: &mut Ui, field: Field, text: RichText) {
    let label = Label::new(text).truncate().selectable(false);
    let layout = if field.is_number() {
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
    fields: &[Field],
    backup: &Backup,
    (state, dialog, commands): (&State, &mut Option<Dialog>, &mut Commands),
) {
    row.set_selected(state.table.selected.as_deref() == Some(backup.key.as_str()));
    for field in fields {
        row.col(|ui| match field {
            Field::Actions => actions_ui(ui, backup, (state, dialog, commands)),
            _ => cell_ui(ui, *field, text_of(ui, *field, backup, state)),
        });
    }
    let response = row.response();
    if response.double_clicked() {
        commands.push(Command::Open(backup.clone()));
    } else if response.clicked() {
        commands.push(Command::Select(backup.key.clone()));
    }
    response.on_hover_ui_at_pointer(|ui| {
        ui.label(rows::ago(backup.created, state.clock.now));
        let made_by = format!("Made by {}", backup.origin.title());
        ui.label(theme::small(ui, made_by));
        let size = format!("Size {}", bytes_text(backup.size_bytes));
        ui.label(theme::small(ui, size));
        if backup.contents.is_some() {
            let files = format!("Files {}", rows::contents(backup.contents));
            ui.label(theme::small(ui, files));
        }
        ui.label(theme::small(ui, &backup.name));
    });
}

fn text_of(ui: &Ui, field: Field, backup: &Backup, state: &State) -> RichText {
    let is_partial = backup.contents.is_some_and(|known| known.missing > 0);
    match field {
        Field::When => RichText::new(rows::when(backup.created, &state.clock.zone)),
        Field::Device => RichText::new(backup.device.as_deref().unwrap_or(rows::UNKNOWN)),
        Field::Files if is_partial => {
            RichText::new(rows::contents(backup.contents)).color(theme::tokens(ui).warning)
        }
        Field::Files => RichText::new(rows::contents(backup.contents)),
        Field::Size => RichText::new(bytes_text(backup.size_bytes)),
        Field::MadeBy => RichText::new(backup.origin.title()),
        Field::Actions => RichText::default(),
    }
}

fn actions_ui(
    ui: &mut Ui,
    backup: &Backup,
    (state, dialog, commands): (&State, &mut Option<Dialog>, &mut Commands),
) {
    let busy = state.busy_reason();
    ui.spacing_mut().interact_size.y = 6.5 * GRID;
    ui.spacing_mut().button_padding = vec2(1.5 * GRID, GRID / 2.0);
    ui.spacing_mut().item_spacing.x = GRID;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.add_space(GRID);
        for name in ["Delete", "Restore…", "Verify…", "Open"] {
            // Looking inside changes nothing, so it is possible at any time.
            let is_free = busy.is_none() || name == "Open";
            let button = ui.add_enabled(is_free, Button::new(RichText::new(name).small()));
            describe(ui, button.id, &backup.name);
            if button.clicked() && name == "Open" {
                commands.push(Command::Open(backup.clone()));
            } else if button.clicked() {
                *dialog = Some(match name {
                    "Delete" => Dialog::Delete(backup.clone()),
                    "Verify…" => Dialog::Verify(backup.clone(), VerifyDepth::Full),
                    _ => Dialog::Restore(RestoreForm::of(backup, &state.device)),
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

/// Up and Down move the mark, Enter looks inside, Delete deletes. Gives back the row to show.
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
    if let Some(backup) = state.selected_row() {
        if pressed(Key::Enter) {
            commands.push(Command::Open(backup.clone()));
        } else if pressed(Key::Delete) && state.exclusive().is_none() {
            *dialog = Some(Dialog::Delete(backup.clone()));
        }
    }
    let next = next_row(ui, at, rows.len())?;
    commands.push(Command::Select(rows[next].key.clone()));
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::Field;

    #[test]
    fn narrow_tables_keep_their_buttons() {
        assert_eq!(Field::fitting(776.0), Field::ALL);
        let least = Field::fitting(496.0);
        assert_eq!(least, [Field::When, Field::Device, Field::Actions]);
        let needed: f32 = least.iter().map(|field| field.width()).sum();
        assert!(needed <= 496.0, "{needed}");
    }
}
