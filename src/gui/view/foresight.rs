//! What a restore would do, in the dialog that asks before it.

use super::widgets::{Grade, grade_icon};
use crate::engine::{ForeseenEffect, RestorePreview};
use crate::gui::opened::{Fetch, Foresight};
use crate::gui::rows;
use crate::gui::sums::Foreseen;
use crate::gui::theme::{self, GRID};
use crate::model::{bytes_text, count_text};
use egui::{CollapsingHeader, Frame, Label, RichText, ScrollArea, Ui};

/// Counts, room, and the files by name.
pub(crate) fn foresight_ui(ui: &mut Ui, foresight: Option<&Foresight>) {
    let tokens = theme::tokens(ui);
    Frame::new()
        .fill(tokens.info_back)
        .corner_radius(8)
        .inner_margin(12)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            match foresight.map(|foresight| &foresight.found) {
                None => {
                    ui.label("Nothing is changed before you press Restore.");
                }
                Some(Fetch::Coming) => {
                    ui.label("Looking at what is there…");
                }
                Some(Fetch::Failed(notice)) => {
                    ui.horizontal(|ui| {
                        grade_icon(ui, Grade::Bad);
                        ui.add(Label::new(&notice.title).wrap());
                    });
                    ui.add(Label::new(theme::small(ui, &notice.hint)).wrap());
                }
                Some(Fetch::Known(foreseen)) => foreseen_ui(ui, foreseen),
            }
        });
}

fn foreseen_ui(ui: &mut Ui, foreseen: &Foreseen) {
    let preview = &foreseen.preview;
    ui.spacing_mut().item_spacing.y = GRID;
    ui.add(Label::new(counts(foreseen)).wrap());
    for room in &preview.rooms {
        let needed = format!("{} needed", bytes_text(room.needed_bytes));
        let (text, is_enough) = match room.free_bytes {
            None => (needed, true),
            Some(free_bytes) => (
                format!("{needed}, {} free", bytes_text(free_bytes)),
                room.needed_bytes <= free_bytes,
            ),
        };
        let mut text = theme::small(ui, text);
        if !is_enough {
            text = text.color(theme::tokens(ui).danger);
        }
        ui.label(text);
    }
    if !preview.refused.is_empty() {
        let count = rows::counted(preview.refused.len() as u64, "thing", "things");
        let color = theme::tokens(ui).warning;
        ui.label(RichText::new(format!("{count} cannot be restored")).color(color));
    }
    for warning in &preview.warnings {
        let text = format!("{}: {}", warning.path, warning.reason);
        ui.add(Label::new(theme::small(ui, text)).wrap());
    }
    files_ui(ui, preview);
}

/// "2 new · 1 replaced".
fn counts(foreseen: &Foreseen) -> String {
    let told = foreseen.counts.iter();
    let told = told.map(|(effect, count)| format!("{} {}", count_text(*count), word(*effect)));
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return "No files".to_owned();
    }
    format!("Files: {}", told.join(" · "))
}

fn files_ui(ui: &mut Ui, preview: &RestorePreview) {
    let (refused, files) = (&preview.refused, &preview.files);
    CollapsingHeader::new(RichText::new("Show the files").small())
        .id_salt("foreseen")
        .show(ui, |ui| {
            let height = ui.text_style_height(&egui::TextStyle::Small);
            ScrollArea::vertical()
                .max_height(180.0)
                .auto_shrink([false, true])
                .show_rows(ui, height, refused.len() + files.len(), |ui, range| {
                    for at in range {
                        let text = if let Some(refused) = refused.get(at) {
                            format!("not restored  {}: {}", refused.path, refused.reason)
                        } else {
                            let file = &files[at - refused.len()];
                            format!("{}  {}", word(file.effect), file.path)
                        };
                        ui.add(Label::new(theme::small(ui, text)).truncate());
                    }
                });
        });
}

const fn word(effect: ForeseenEffect) -> &'static str {
    match effect {
        ForeseenEffect::New => "new",
        ForeseenEffect::Replaced => "replaced",
        ForeseenEffect::Unchanged => "there already",
        ForeseenEffect::Kept => "kept",
        ForeseenEffect::Removed => "removed",
    }
}
