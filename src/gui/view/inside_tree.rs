//! The tree of a backup: one line for each file, link or folder that is visible, with a box to tick.

use super::widgets::next_row;
use crate::engine::NodeId;
use crate::gui::inside_form::{InsideForm, Line};
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::theme::{self, GRID};
use crate::gui::ticks::Tick;
use crate::model::{EntryKind, bytes_text};
use egui::{
    Align, Checkbox, Key, Label, Layout, RichText, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2,
};
use egui_extras::{Column, TableBuilder, TableRow};
use jiff::Timestamp;

const ROW_HEIGHT: f32 = 28.0;
const HEADER_HEIGHT: f32 = 26.0;
const INDENT: f32 = 18.0;
/// Beyond this a deeper folder is not indented any further, so that names stay readable.
const MOST_INDENTED: u16 = 16;
const SIZE_WIDTH: f32 = 96.0;
const TIME_WIDTH: f32 = 150.0;
/// Narrower tables leave the time out.
const LEAST_WITH_TIME: f32 = 560.0;

/// Keys that do something.
const KEYS: [Key; 5] = [
    Key::ArrowUp,
    Key::ArrowDown,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::Space,
];

/// What a click on a line wishes.
enum Wish {
    Mark(NodeId),
    Tick(NodeId),
    Open(NodeId, bool),
}

/// All visible lines.
pub(crate) fn tree_ui(ui: &mut Ui, state: &State, form: &mut InsideForm) {
    let lines = form.lines();
    if lines.is_empty() {
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.3);
            let text = if form.search.trim().is_empty() {
                "This backup holds nothing"
            } else {
                "No name has this in it"
            };
            ui.label(RichText::new(text).size(17.0));
        });
        return;
    }
    let jump_to = keys(ui, form, &lines);
    let has_time = ui.available_width() >= LEAST_WITH_TIME;
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let mut table = TableBuilder::new(ui)
        .id_salt(("inside", has_time))
        .striped(true)
        .sense(Sense::CLICK)
        .auto_shrink([false, false])
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::remainder().at_least(160.0).clip(true))
        .column(Column::exact(SIZE_WIDTH));
    if has_time {
        table = table.column(Column::exact(TIME_WIDTH));
    }
    if let Some(row) = jump_to {
        table = table.scroll_to_row(row, None);
    }
    let mut wish = None;
    table
        .header(HEADER_HEIGHT, |mut header| {
            header.col(|ui| heading_ui(ui, "Name", Align::Min));
            header.col(|ui| heading_ui(ui, "Size", Align::Max));
            if has_time {
                header.col(|ui| heading_ui(ui, "Changed", Align::Min));
            }
        })
        .body(|body| {
            body.rows(ROW_HEIGHT, lines.len(), |mut row| {
                if let Some(line) = lines.get(row.index()) {
                    line_ui(&mut row, state, form, (*line, has_time), &mut wish);
                }
            });
        });
    match wish {
        None => {}
        Some(Wish::Mark(id)) => form.marked = Some(id),
        Some(Wish::Tick(id)) => form.tick(id),
        Some(Wish::Open(id, is_open)) => form.set_open(id, is_open),
    }
}

fn heading_ui(ui: &mut Ui, text: &str, align: Align) {
    let text = theme::small(ui, text);
    let layout = match align {
        Align::Max => Layout::right_to_left(Align::Center),
        _ => Layout::left_to_right(Align::Center),
    };
    ui.with_layout(layout, |ui| {
        ui.add_space(2.0 * GRID);
        ui.add(Label::new(text).selectable(false));
    });
}

fn line_ui(
    row: &mut TableRow<'_, '_>,
    state: &State,
    form: &InsideForm,
    (line, has_time): (Line, bool),
    wish: &mut Option<Wish>,
) {
    let tree = &form.inside.tree;
    let id = line.id;
    row.set_selected(form.marked == Some(id));
    row.col(|ui| name_ui(ui, form, line, wish));
    row.col(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(2.0 * GRID);
            let text = match tree.kind(id) {
                EntryKind::Symlink => "link".to_owned(),
                EntryKind::File | EntryKind::Directory => bytes_text(tree.size_bytes(id)),
            };
            ui.add(Label::new(theme::small(ui, text)).selectable(false));
        });
    });
    if has_time {
        row.col(|ui| {
            ui.add_space(2.0 * GRID);
            let moment = tree
                .modified_secs(id)
                .and_then(|secs| Timestamp::from_second(secs).ok());
            let text = moment.map_or(String::new(), |moment| {
                rows::when(moment, &state.clock.zone)
            });
            ui.add(Label::new(theme::small(ui, text)).selectable(false));
        });
    }
    let response = row.response();
    if response.clicked() && wish.is_none() {
        *wish = Some(match tree.kind(id) {
            EntryKind::Directory => Wish::Open(id, !form.is_open(id)),
            EntryKind::File | EntryKind::Symlink => Wish::Mark(id),
        });
    }
}

fn name_ui(ui: &mut Ui, form: &InsideForm, line: Line, wish: &mut Option<Wish>) {
    let tree = &form.inside.tree;
    let id = line.id;
    ui.add_space(2.0 * GRID);
    let tick = form.ticks().of(id);
    let mut is_on = tick == Tick::All;
    ui.push_id(id, |ui| {
        let ticking = Checkbox::without_text(&mut is_on).indeterminate(tick == Tick::Some);
        let ticking = ui.add(ticking);
        let (enabled, name) = (ui.is_enabled(), format!("Choose {}", tree.path(id)));
        ticking.widget_info(|| {
            WidgetInfo::selected(Role::CheckBox, enabled, tick == Tick::All, name.clone())
        });
        if ticking.clicked() {
            *wish = Some(Wish::Tick(id));
        }
        ui.add_space(GRID + INDENT * f32::from(line.depth.min(MOST_INDENTED)));
        if tree.kind(id) == EntryKind::Directory {
            if arrow_ui(ui, form.is_open(id), tree.name(id)) {
                *wish = Some(Wish::Open(id, !form.is_open(id)));
            }
        } else {
            ui.add_space(INDENT);
        }
        ui.add_space(GRID);
        let mut name = RichText::new(tree.name(id));
        if tree.kind(id) == EntryKind::Directory {
            name = name.strong();
        }
        ui.add(Label::new(name).truncate().selectable(false));
    });
}

/// A small arrow that points right, or down where the folder is open; tells whether it was pressed.
fn arrow_ui(ui: &mut Ui, is_open: bool, name: &str) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(INDENT, INDENT), Sense::click());
    let word = if is_open { "Close" } else { "Open" };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{word} {name}")));
    let tokens = theme::tokens(ui);
    let color = if response.hovered() || response.has_focus() {
        tokens.text
    } else {
        tokens.weak
    };
    let stroke = Stroke::new(1.5, color);
    let center = rect.center();
    let (along, across) = if is_open {
        (vec2(0.0, 2.5), vec2(4.0, 0.0))
    } else {
        (vec2(2.5, 0.0), vec2(0.0, 4.0))
    };
    let tip = center + along;
    ui.painter()
        .line_segment([center - along + across, tip], stroke);
    ui.painter()
        .line_segment([center - along - across, tip], stroke);
    response.clicked()
}

/// Up and Down move the mark, Right and Left open and close folders, Space ticks. Gives back the line to
/// show.
fn keys(ui: &Ui, form: &mut InsideForm, lines: &[Line]) -> Option<usize> {
    if ui.memory(|memory| memory.focused().is_some()) {
        return None;
    }
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    if !KEYS.iter().any(|key| pressed(*key)) {
        return None;
    }
    let at = form
        .marked
        .and_then(|marked| lines.iter().position(|line| line.id == marked));
    if let Some(marked) = at.map(|at| lines[at].id) {
        if pressed(Key::Space) {
            form.tick(marked);
        } else if pressed(Key::ArrowRight) {
            form.set_open(marked, true);
        } else if pressed(Key::ArrowLeft) {
            form.set_open(marked, false);
        }
    }
    let next = next_row(ui, at, lines.len())?;
    form.marked = Some(lines[next].id);
    Some(next)
}
