//! The page that shows what a backup holds, and what changed in it, in place of the table.

use super::inside_changes::changes_ui;
use super::inside_tree::tree_ui;
use super::widgets::{cut_label, main_button, tall_button};
use crate::engine::Selection;
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{Dialog, Forms};
use crate::gui::inside_form::{InsideForm, Page, Sum};
use crate::gui::opened::{Fetch, Opened};
use crate::gui::restore_form::RestoreForm;
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use crate::model::{Backup, bytes_text};
use egui::{Align, Align2, Key, Layout, Margin, Spinner, TextEdit, Ui, vec2};

/// The whole page.
pub(crate) fn inside_ui(ui: &mut Ui, state: &State, forms: &mut Forms, commands: &mut Commands) {
    let key = state.shows_inside.as_deref().unwrap_or_default();
    let Some(opened) = state.opened(key) else {
        commands.push(Command::CloseInside);
        return;
    };
    let is_free = forms.dialog.is_none() && ui.memory(|memory| memory.focused().is_none());
    if is_free && ui.input(|input| input.key_pressed(Key::Escape)) {
        commands.push(Command::CloseInside);
    }
    let total = forms.inside.as_ref().map(|form| form.total);
    heading_ui(ui, state, (opened, total), &mut forms.dialog, commands);
    match (&opened.inside, &mut forms.inside) {
        (Fetch::Known(_), Some(form)) => {
            known_ui(ui, state, (opened, form), &mut forms.dialog, commands);
        }
        (Fetch::Failed(notice), _) => {
            ui.vertical_centered(|ui| {
                ui.add_space(ui.available_height() * 0.25);
                ui.label(egui::RichText::new(&notice.title).size(17.0));
                ui.label(egui::RichText::new(&notice.hint).weak());
                ui.add_space(2.0 * GRID);
                if ui.button("Try again").clicked() {
                    commands.push(Command::Open(opened.backup.clone()));
                }
            });
        }
        _ => {
            ui.vertical_centered(|ui| {
                ui.add_space(ui.available_height() * 0.3);
                ui.add(Spinner::new().size(24.0));
                ui.add_space(GRID);
                ui.label(theme::small(
                    ui,
                    "Looking inside. Only the list of files is fetched.",
                ));
            });
        }
    }
}

fn heading_ui(
    ui: &mut Ui,
    state: &State,
    (opened, total): (&Opened, Option<Sum>),
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) {
    let backup = &opened.backup;
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        let busy = state.busy_reason();
        if main_button(ui, "Restore all…", busy.as_deref()).clicked() {
            *dialog = Some(Dialog::Restore(form_of(state, opened, Selection::All)));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if ui.add(tall_button("‹ Backups")).clicked() {
                commands.push(Command::CloseInside);
            }
            ui.add_space(2.0 * GRID);
            let when = rows::when(backup.created, &state.clock.zone);
            cut_label(ui, egui::RichText::new(when).heading());
        });
    });
    ui.horizontal(|ui| {
        ui.set_min_height(5.0 * GRID);
        cut_label(ui, theme::small(ui, subtitle(backup, opened, total)));
    });
    ui.add_space(GRID);
}

fn subtitle(backup: &Backup, opened: &Opened, total: Option<Sum>) -> String {
    let mut parts = Vec::new();
    let inside = opened.inside.known();
    match inside.and_then(|inside| inside.cherry_studio.as_ref()) {
        Some(described) => parts.push(described.sentence()),
        None => parts.extend(backup.device.clone()),
    }
    if let (Some(inside), Some(total)) = (inside, total) {
        parts.push(format!(
            "{}, {}",
            rows::files(total.files),
            bytes_text(total.bytes)
        ));
        if !inside.skipped.is_empty() {
            let count = inside.skipped.len() as u64;
            parts.push(rows::counted(count, "thing left out", "things left out"));
        }
    }
    parts.push(backup.name.clone());
    parts.join(" · ")
}

/// The dialog that restores the open backup.
fn form_of(state: &State, opened: &Opened, selection: Selection) -> RestoreForm {
    let mut form = RestoreForm::of(&opened.backup, &state.device).only(selection);
    if let Some(inside) = opened.inside.known() {
        form.learn(inside, &state.home);
    }
    form
}

fn known_ui(
    ui: &mut Ui,
    state: &State,
    (opened, form): (&Opened, &mut InsideForm),
    dialog: &mut Option<Dialog>,
    commands: &mut Commands,
) {
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        if form.page == Page::Contents {
            search_ui(ui, form);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.selectable_value(&mut form.page, Page::Contents, "Contents");
            ui.selectable_value(&mut form.page, Page::Changes, "What changed");
        });
    });
    ui.add_space(GRID);
    match form.page {
        Page::Contents => {
            let footer_height = CONTROL_HEIGHT + 4.0 * GRID;
            let tree_size = vec2(ui.available_width(), ui.available_height() - footer_height);
            ui.allocate_ui(tree_size, |ui| {
                ui.set_min_size(tree_size);
                tree_ui(ui, state, form);
            });
            footer_ui(ui, state, (opened, form), dialog);
        }
        Page::Changes => changes_ui(ui, state, opened, commands),
    }
}

fn search_ui(ui: &mut Ui, form: &mut InsideForm) {
    ui.visuals_mut().weak_text_color = Some(theme::tokens(ui).hint);
    let edit = TextEdit::singleline(&mut form.search)
        .hint_text("Search names")
        .margin(Margin::symmetric(8, 6))
        .align(Align2::LEFT_CENTER);
    let field = ui.add_sized([220.0, CONTROL_HEIGHT], edit);
    let enabled = ui.is_enabled();
    let text = form.search.clone();
    field.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::TextInput, enabled, "Search names");
        info.current_text_value = Some(text.clone());
        info
    });
}

/// How much is ticked, and what to do with it.
fn footer_ui(
    ui: &mut Ui,
    state: &State,
    (opened, form): (&Opened, &mut InsideForm),
    dialog: &mut Option<Dialog>,
) {
    ui.add_space(2.0 * GRID);
    let ticked = form.ticked();
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        let busy = state.busy_reason();
        let problem = (ticked.wholes == 0)
            .then_some("Tick files or folders first.")
            .or(busy.as_deref());
        if main_button(ui, "Restore chosen…", problem).clicked() {
            let chosen = form_of(state, opened, form.selection());
            *dialog = Some(Dialog::Restore(chosen));
        }
        if ticked.wholes > 0 && ui.add(tall_button("Choose none")).clicked() {
            form.tick_nothing();
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let text = if ticked.wholes == 0 {
                "Nothing is chosen".to_owned()
            } else {
                format!(
                    "{} chosen, {}",
                    rows::files(ticked.files),
                    bytes_text(ticked.bytes)
                )
            };
            cut_label(ui, theme::small(ui, text));
        });
    });
}
