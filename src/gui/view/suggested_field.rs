//! A field that takes any text, with a list of what people mostly type there.

use super::widgets::{chevron, edit_ui, single_line};
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use crate::model::providers::Region;
use egui::containers::menu::MenuButton;
use egui::{Align, Button, Layout, Response, Role, ScrollArea, TextWrapMode, Ui, WidgetInfo, vec2};

/// Height of the list at most.
const MOST_LIST_HEIGHT: f32 = 80.0 * GRID;

/// What the person did with a field.
#[derive(Debug, Clone)]
pub(crate) struct Suggested {
    /// The field's own response.
    pub field: Response,
    /// Whether a text was just chosen from the list.
    pub was_chosen: bool,
}

/// A name above a field, and the list at its right end; without suggestions it is a field like any other.
pub(crate) fn suggested_field_ui(
    ui: &mut Ui,
    name: &str,
    (text, example): (&mut String, &str),
    suggestions: &[Region],
) -> Suggested {
    let mut was_chosen = false;
    let field = edit_ui(ui, name, |ui| {
        let line = vec2(ui.available_width(), CONTROL_HEIGHT);
        ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            if !suggestions.is_empty() {
                was_chosen = list_ui(ui, name, text, suggestions);
            }
            let size = [ui.available_width(), CONTROL_HEIGHT];
            ui.add_sized(size, single_line(text, example))
        })
        .inner
    });
    let known = suggestions.iter().find(|it| it.id == text.trim());
    Suggested {
        field: match known {
            Some(known) => field.on_hover_text(&known.name),
            None => field,
        },
        was_chosen,
    }
}

/// The button of the list, and the list; tells whether something was chosen.
fn list_ui(ui: &mut Ui, name: &str, text: &mut String, suggestions: &[Region]) -> bool {
    let mut was_chosen = false;
    let button = Button::new("").min_size(vec2(7.0 * GRID, CONTROL_HEIGHT));
    let (button, _) = MenuButton::from_button(button).ui(ui, |ui| {
        ui.style_mut().wrap_mode = Some(TextWrapMode::Extend);
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.spacing_mut().interact_size.y = 7.0 * GRID;
        ScrollArea::vertical()
            .max_height(MOST_LIST_HEIGHT)
            .show(ui, |ui| {
                for suggestion in suggestions {
                    let line = format!("{}  {}", suggestion.id, suggestion.name);
                    let is_it = *text == suggestion.id;
                    if ui.selectable_label(is_it, line).clicked() {
                        suggestion.id.clone_into(text);
                        was_chosen = true;
                        ui.close();
                    }
                }
            });
    });
    let what = format!("Choose: {name}");
    button.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), &what));
    let look = ui.style().interact(&button);
    chevron(ui, button.rect, look, false);
    button.on_hover_text(theme::small(ui, what));
    was_chosen
}
