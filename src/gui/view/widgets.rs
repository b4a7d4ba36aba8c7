//! The window's own small widgets: labelled fields, the main button, drawn icons.

use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use egui::style::WidgetVisuals;
use egui::{
    Align, Align2, Button, Color32, ComboBox, Frame, Key, Layout, Margin, Rect, Response, RichText,
    Role, ScrollArea, Sense, Shape, Stroke, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

/// How good or bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    /// As it should be.
    Good,
    /// Something to know.
    Note,
    /// Wrong.
    Bad,
    /// Neither.
    Neutral,
}

impl Grade {
    /// Its colour.
    pub(crate) fn color(self, ui: &Ui) -> Color32 {
        let tokens = theme::tokens(ui);
        match self {
            Self::Good => tokens.success,
            Self::Note => tokens.warning,
            Self::Bad => tokens.danger,
            Self::Neutral => tokens.weak,
        }
    }

    /// Its name for those who do not see it.
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "Passed",
            Self::Note => "Note",
            Self::Bad => "Failed",
            Self::Neutral => "Information",
        }
    }
}

/// A name above a field of the full width.
pub(crate) fn field_ui(ui: &mut Ui, name: &str, text: &mut String, example: &str) -> Response {
    edit_ui(ui, name, |ui| {
        ui.add_sized(
            [ui.available_width(), CONTROL_HEIGHT],
            single_line(text, example),
        )
    })
}

/// A name above a field whose text is not shown.
pub(crate) fn secret_ui(ui: &mut Ui, name: &str, text: &mut String, example: &str) -> Response {
    edit_ui(ui, name, |ui| {
        let edit = single_line(text, example).password(true);
        ui.add_sized([ui.available_width(), CONTROL_HEIGHT], edit)
    })
}

/// A name above a field, and a button to its right. Gives back both responses, the field's first.
pub(crate) fn field_and_button_ui(
    ui: &mut Ui,
    name: &str,
    (text, example): (&mut String, &str),
    button: &str,
) -> (Response, Response) {
    let mut pressed = None;
    let field = edit_ui(ui, name, |ui| {
        let line = vec2(ui.available_width(), CONTROL_HEIGHT);
        ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
            pressed = Some(ui.add(tall_button(button)));
            let edit = single_line(text, example);
            ui.add_sized([ui.available_width(), CONTROL_HEIGHT], edit)
        })
        .inner
    });
    let pressed = pressed.unwrap_or_else(|| field.clone());
    (field, pressed)
}

/// A name above whatever `add` draws, tied to it for those who hear the window.
pub(crate) fn edit_ui(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> Response) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = GRID;
        let name = ui.label(theme::small(ui, name));
        // egui draws examples in empty fields with the colour of weak text.
        ui.visuals_mut().weak_text_color = Some(theme::tokens(ui).hint);
        add(ui).labelled_by(name.id)
    })
    .inner
}

pub(crate) fn single_line<'a>(text: &'a mut String, example: &str) -> TextEdit<'a> {
    TextEdit::singleline(text)
        .hint_text(example.to_owned())
        .margin(Margin::symmetric(8, 6))
        .align(Align2::LEFT_CENTER)
}

/// A name above a choice of one out of several.
pub(crate) fn choice_ui(ui: &mut Ui, name: &str, chosen: &str, choices: impl FnOnce(&mut Ui)) {
    edit_ui(ui, name, |ui| {
        ComboBox::from_id_salt(name)
            .selected_text(chosen)
            .width(ui.available_width())
            .truncate()
            .icon(chevron)
            .show_ui(ui, choices)
            .response
    });
}

/// One of several choices, with a line that explains it; tells whether it was just chosen.
pub(crate) fn choice_line_ui<T: PartialEq>(
    ui: &mut Ui,
    (chosen, choice): (&mut T, T),
    name: &str,
    explanation: &str,
) -> bool {
    let gap = ui.spacing().item_spacing.y;
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.spacing_mut().interact_size.y = 6.0 * GRID;
    let is_new = ui.radio_value(chosen, choice, name).changed();
    if !explanation.is_empty() {
        indented_ui(ui, explanation);
        ui.add_space(GRID);
    }
    ui.spacing_mut().item_spacing.y = gap;
    is_new
}

/// A small remark that belongs to the choice above it.
pub(crate) fn indented_ui(ui: &mut Ui, text: &str) {
    let margin = Margin {
        left: 24,
        ..Margin::ZERO
    };
    Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.add(egui::Label::new(theme::small(ui, text)).wrap());
    });
}

pub(crate) fn chevron(ui: &Ui, rect: Rect, _look: &WidgetVisuals, _is_open: bool) {
    let stroke = Stroke::new(1.5, theme::tokens(ui).weak);
    let middle = rect.center() + vec2(0.0, 2.0);
    for side in [-1.0, 1.0] {
        let end = middle + vec2(side * 4.0, -4.0);
        ui.painter().line_segment([middle, end], stroke);
    }
}

/// Height of a field of several lines at most.
const MOST_LINES_HEIGHT: f32 = 32.0 * GRID;

/// A name above a field of several lines, which scrolls where there are many.
pub(crate) fn lines_ui(ui: &mut Ui, name: &str, text: &mut String, example: &str) -> Response {
    edit_ui(ui, name, |ui| {
        let edit = TextEdit::multiline(text)
            .hint_text(example.to_owned())
            .margin(Margin::symmetric(8, 6))
            .desired_rows(3)
            .desired_width(f32::INFINITY);
        ScrollArea::vertical()
            .id_salt(name)
            .max_height(MOST_LINES_HEIGHT)
            .show(ui, |ui| ui.add(edit))
            .inner
    })
}

/// The one thing that most people come for; with a problem it cannot be pressed, and says why.
pub(crate) fn main_button(ui: &mut Ui, text: &str, problem: Option<&str>) -> Response {
    let tokens = theme::tokens(ui);
    let Some(problem) = problem else {
        return filled_button(ui, text, tokens.accent, tokens.accent_hover);
    };
    ui.scope(|ui| {
        // Told by its colours instead of by fading, which would leave the text unreadable.
        let visuals = ui.visuals_mut();
        visuals.disabled_alpha = 1.0;
        for look in [
            &mut visuals.widgets.noninteractive,
            &mut visuals.widgets.inactive,
        ] {
            look.weak_bg_fill = tokens.press;
            look.bg_stroke = Stroke::new(1.0, tokens.press);
            look.fg_stroke.color = tokens.weak;
        }
        ui.spacing_mut().button_padding.x = 4.0 * GRID;
        ui.add_enabled(false, tall_button(text))
    })
    .inner
    .on_disabled_hover_text(problem)
}

/// A button that destroys something.
pub(crate) fn danger_button(ui: &mut Ui, text: &str) -> Response {
    let tokens = theme::tokens(ui);
    filled_button(ui, text, tokens.danger_fill, tokens.danger_fill)
}

fn filled_button(ui: &mut Ui, text: &str, fill: Color32, hover: Color32) -> Response {
    ui.scope(|ui| {
        let front = theme::tokens(ui).on_accent;
        let widgets = &mut ui.visuals_mut().widgets;
        for (look, fill) in [
            (&mut widgets.inactive, fill),
            (&mut widgets.hovered, hover),
            (&mut widgets.active, hover),
        ] {
            look.weak_bg_fill = fill;
            look.bg_stroke = Stroke::new(1.0, fill);
            look.fg_stroke.color = front;
        }
        ui.spacing_mut().button_padding.x = 4.0 * GRID;
        ui.add(tall_button(text))
    })
    .inner
}

/// A button as high as a field.
pub(crate) fn tall_button(text: &str) -> Button<'_> {
    Button::new(text).min_size(vec2(0.0, CONTROL_HEIGHT))
}

/// Room at the sides of a button without a frame.
pub(crate) const QUIET_PADDING: f32 = 6.0;

/// A button without a frame, for what is rarely needed.
pub(crate) fn quiet_button(ui: &mut Ui, text: &str) -> Response {
    let look = theme::small(ui, text);
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(QUIET_PADDING, GRID);
        // Its own height: a button that is given more draws its text at the layout's edge.
        ui.spacing_mut().interact_size.y = 0.0;
        ui.add(Button::new(look).frame_when_inactive(false))
    })
    .inner
}

/// A line of buttons without frames: their texts, not their frames, stand in line with the fields.
pub(crate) fn quiet_line_ui(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let line = ui.available_rect_before_wrap();
    let line = line.translate(vec2(-QUIET_PADDING, 0.0));
    let layout = Layout::left_to_right(Align::Min);
    let mut links = ui.new_child(UiBuilder::new().max_rect(line).layout(layout));
    add(&mut links);
    ui.add_space(links.min_rect().height());
}

/// A small cross that takes something away; `name` says what.
pub(crate) fn cross_button(ui: &mut Ui, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(24.0, 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let tokens = theme::tokens(ui);
    let is_hot = response.hovered() || response.has_focus();
    if is_hot {
        ui.painter().rect_filled(rect, 6.0, tokens.press);
    }
    let color = if is_hot { tokens.text } else { tokens.weak };
    let (stroke, reach) = (Stroke::new(1.5, color), 4.0);
    let center = rect.center();
    for side in [-1.0, 1.0] {
        let end = vec2(reach, side * reach);
        ui.painter()
            .line_segment([center - end, center + end], stroke);
    }
    response.on_hover_text(name)
}

/// A drawn mark that tells how good or bad a line is.
pub(crate) fn grade_icon(ui: &mut Ui, grade: Grade) {
    let (rect, response) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, grade.word()));
    let color = grade.color(ui);
    let stroke = Stroke::new(1.75, color);
    let at = |x: f32, y: f32| pos2(rect.left() + x, rect.top() + y);
    let painter = ui.painter();
    match grade {
        Grade::Good => {
            let tick = vec![at(5.0, 9.3), at(8.0, 12.2), at(13.2, 6.2)];
            painter.circle_stroke(rect.center(), 8.0, Stroke::new(1.25, color));
            painter.add(Shape::line(tick, stroke));
        }
        Grade::Bad => {
            painter.circle_stroke(rect.center(), 8.0, Stroke::new(1.25, color));
            painter.line_segment([at(6.2, 6.2), at(11.8, 11.8)], stroke);
            painter.line_segment([at(11.8, 6.2), at(6.2, 11.8)], stroke);
        }
        Grade::Note => {
            let corners = vec![at(9.0, 1.5), at(17.0, 16.0), at(1.0, 16.0)];
            painter.add(Shape::closed_line(corners, Stroke::new(1.25, color)));
            painter.line_segment([at(9.0, 6.5), at(9.0, 11.0)], stroke);
            painter.circle_filled(at(9.0, 13.5), 1.1, color);
        }
        Grade::Neutral => {
            painter.circle_stroke(rect.center(), 8.0, Stroke::new(1.25, color));
            painter.line_segment([at(9.0, 8.2), at(9.0, 13.0)], stroke);
            painter.circle_filled(at(9.0, 5.4), 1.1, color);
        }
    }
}

/// Text that gives way: cut with "…" at the end of the line, whole when pointed at.
pub(crate) fn cut_label(ui: &mut Ui, text: RichText) -> Response {
    ui.add(egui::Label::new(text).truncate())
}

/// The row of so many that the key Up or Down leads to from the row `at`; none where neither was pressed.
pub(crate) fn next_row(ui: &Ui, at: Option<usize>, rows: usize) -> Option<usize> {
    let last = rows.checked_sub(1)?;
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    if pressed(Key::ArrowDown) {
        Some(at.map_or(0, |at| (at + 1).min(last)))
    } else if pressed(Key::ArrowUp) {
        Some(at.map_or(last, |at| at.saturating_sub(1)))
    } else {
        None
    }
}
