//! The dialog that lists the restores that can be undone.

use super::dialog_parts::{Next, buttons_ui, plain_button, title_ui};
use super::widgets::{choice_ui, cut_label};
use crate::engine::{KeptRestore, LaterChanges};
use crate::gui::command::{Command, Commands};
use crate::gui::opened::Fetch;
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::theme::{self, GRID};
use crate::model::bytes_text;
use egui::{Button, Label, RichText, ScrollArea, Ui};

/// For how many days what is replaced can be kept.
const DAYS: [u32; 5] = [7, 30, 90, 365, 3650];

/// Each restore with what it keeps, "Undo" and "Let go".
pub(crate) fn restores_ui(ui: &mut Ui, state: &State, commands: &mut Commands) -> Next {
    title_ui(ui, "Undo a restore");
    match &state.restores {
        None => commands.push(Command::ListRestores),
        Some(Fetch::Coming) => {
            ui.label("Looking for them…");
        }
        Some(Fetch::Failed(notice)) => {
            ui.add(Label::new(&notice.title).wrap());
            ui.add(Label::new(theme::small(ui, &notice.hint)).wrap());
        }
        Some(Fetch::Known(restores)) if restores.is_empty() => {
            ui.label("There is no restore that could be undone.");
        }
        Some(Fetch::Known(restores)) => {
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for restore in restores.iter() {
                    ui.push_id(&restore.id, |ui| restore_ui(ui, state, restore, commands));
                }
            });
        }
    }
    ui.add_space(2.0 * GRID);
    let days = state.config.undo_days;
    choice_ui(
        ui,
        "Keep what restores replace for",
        &days_text(days),
        |ui| {
            for choice in DAYS {
                if ui
                    .selectable_label(choice == days, days_text(choice))
                    .clicked()
                {
                    commands.push(Command::KeepUndo(choice));
                }
            }
        },
    );
    let mut next = Next::Stay;
    buttons_ui(ui, |ui| {
        if plain_button(ui, "Close").clicked() {
            next = Next::Close;
        }
    });
    next
}

fn days_text(days: u32) -> String {
    match days {
        365 => "1 year".to_owned(),
        3650 => "10 years".to_owned(),
        _ => rows::counted(u64::from(days), "day", "days"),
    }
}

/// What is told of a restore besides when and where.
fn parts_of(state: &State, restore: &KeptRestore) -> Vec<String> {
    let kept = format!("{} kept aside", bytes_text(restore.kept_bytes));
    if let Some(undone) = restore.undone {
        let when = rows::ago(undone, state.clock.now);
        return vec![format!("undone {when}"), kept];
    }
    let mut parts = vec![rows::counted(restore.put, "file put", "files put")];
    if restore.removed > 0 {
        parts.push(rows::counted(restore.removed, "removed", "removed"));
    }
    parts.push(kept);
    parts
}

fn restore_ui(ui: &mut Ui, state: &State, restore: &KeptRestore, commands: &mut Commands) {
    let busy = state.busy_reason();
    ui.add_space(GRID);
    ui.horizontal(|ui| {
        let when = rows::when(restore.created, &state.clock.zone);
        ui.label(RichText::new(when).strong());
        ui.label(theme::small(
            ui,
            rows::ago(restore.created, state.clock.now),
        ));
    });
    ui.label(theme::small(ui, parts_of(state, restore).join(" · ")));
    for folder in &restore.set_aside {
        cut_label(ui, theme::small(ui, folder)).on_hover_text(folder);
    }
    cut_label(ui, theme::small(ui, restore.to.join(", "))).on_hover_text(&restore.backup);
    ui.horizontal(|ui| {
        let names: &[&str] = match restore.undone {
            None => &["Undo", "Let go"],
            Some(_) => &["Let go"],
        };
        for name in names.iter().copied() {
            let button = ui.add_enabled(busy.is_none(), Button::new(name));
            if button.clicked() {
                let id = restore.id.clone();
                commands.push(match name {
                    "Undo" => Command::Undo(id, LaterChanges::Respected),
                    _ => Command::ForgetRestore(id),
                });
            }
            button
                .on_disabled_hover_text(busy.as_deref().unwrap_or_default())
                .on_hover_text(match name {
                    "Undo" => "Everything becomes as it was before this restore",
                    _ => "Removes what is kept aside, for good",
                });
        }
    });
    ui.separator();
}
