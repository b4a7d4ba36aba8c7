//! Colours, spacing and type of the window; the only file that names a colour by its numbers.

use crate::model::Appearance;
use egui::style::{Selection, TextCursorStyle, WidgetVisuals, Widgets};
use egui::{
    Color32, CornerRadius, FontFamily, FontId, Margin, RichText, Shadow, Stroke, Style, TextStyle,
    Theme, Visuals,
};

/// The grid that all distances are multiples of.
pub(crate) const GRID: f32 = 4.0;
/// Height of fields, buttons and combos.
pub(crate) const CONTROL_HEIGHT: f32 = 30.0;
/// Width of the panel of settings.
pub(crate) const SIDE_WIDTH: f32 = 336.0;
/// Width of a dialog's content.
pub(crate) const DIALOG_WIDTH: f32 = 440.0;
/// Padding of panels.
pub(crate) const PANEL_MARGIN: i8 = 20;

/// The colours of one theme, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Behind the table.
    pub page: Color32,
    /// Behind settings and the job strip.
    pub side: Color32,
    /// Inside fields.
    pub field: Color32,
    /// Between areas and around cards.
    pub line: Color32,
    /// Around fields and buttons.
    pub control_line: Color32,
    /// Every second row.
    pub stripe: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Pressed.
    pub press: Color32,
    /// Text.
    pub text: Color32,
    /// Text of lesser weight.
    pub weak: Color32,
    /// Examples in empty fields.
    pub hint: Color32,
    /// Fill of the main button and of progress.
    pub accent: Color32,
    /// Fill of the main button under the pointer.
    pub accent_hover: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind what is selected.
    pub selected: Color32,
    /// Went well.
    pub success: Color32,
    /// Something to know.
    pub warning: Color32,
    /// Went wrong.
    pub danger: Color32,
    /// Fill of a button that destroys.
    pub danger_fill: Color32,
    /// Behind a notice that all went well.
    pub success_back: Color32,
    /// Behind a notice with something to know.
    pub warning_back: Color32,
    /// Behind a notice of a failure.
    pub danger_back: Color32,
    /// Behind a notice that only tells.
    pub info_back: Color32,
}

const LIGHT: Tokens = Tokens {
    page: Color32::from_rgb(255, 255, 255),
    side: Color32::from_rgb(245, 246, 248),
    field: Color32::from_rgb(255, 255, 255),
    line: Color32::from_rgb(225, 229, 234),
    control_line: Color32::from_rgb(198, 205, 213),
    stripe: Color32::from_rgb(248, 249, 251),
    hover: Color32::from_rgb(235, 239, 244),
    press: Color32::from_rgb(222, 228, 235),
    text: Color32::from_rgb(27, 36, 46),
    weak: Color32::from_rgb(84, 95, 107),
    hint: Color32::from_rgb(117, 127, 139),
    accent: Color32::from_rgb(36, 97, 216),
    accent_hover: Color32::from_rgb(29, 82, 187),
    on_accent: Color32::from_rgb(255, 255, 255),
    selected: Color32::from_rgb(219, 231, 252),
    success: Color32::from_rgb(22, 120, 66),
    warning: Color32::from_rgb(148, 88, 0),
    danger: Color32::from_rgb(187, 33, 36),
    danger_fill: Color32::from_rgb(196, 43, 43),
    success_back: Color32::from_rgb(234, 246, 239),
    warning_back: Color32::from_rgb(253, 245, 228),
    danger_back: Color32::from_rgb(253, 238, 237),
    info_back: Color32::from_rgb(240, 243, 247),
};

const DARK: Tokens = Tokens {
    page: Color32::from_rgb(25, 28, 33),
    side: Color32::from_rgb(32, 36, 42),
    field: Color32::from_rgb(21, 24, 28),
    line: Color32::from_rgb(51, 57, 65),
    control_line: Color32::from_rgb(73, 81, 92),
    stripe: Color32::from_rgb(29, 33, 38),
    hover: Color32::from_rgb(46, 52, 60),
    press: Color32::from_rgb(57, 64, 74),
    text: Color32::from_rgb(230, 233, 238),
    weak: Color32::from_rgb(167, 176, 187),
    hint: Color32::from_rgb(128, 138, 150),
    accent: Color32::from_rgb(56, 112, 226),
    accent_hover: Color32::from_rgb(76, 130, 238),
    on_accent: Color32::from_rgb(255, 255, 255),
    selected: Color32::from_rgb(36, 59, 102),
    success: Color32::from_rgb(104, 202, 144),
    warning: Color32::from_rgb(236, 184, 84),
    danger: Color32::from_rgb(248, 129, 124),
    danger_fill: Color32::from_rgb(190, 50, 50),
    success_back: Color32::from_rgb(27, 46, 37),
    warning_back: Color32::from_rgb(51, 43, 24),
    danger_back: Color32::from_rgb(58, 32, 33),
    info_back: Color32::from_rgb(35, 40, 47),
};

/// The colours that `ui` draws with.
pub(crate) fn tokens(ui: &egui::Ui) -> &'static Tokens {
    of(ui.visuals().dark_mode)
}

const fn of(dark_mode: bool) -> &'static Tokens {
    if dark_mode { &DARK } else { &LIGHT }
}

/// Makes the window look as it was chosen.
pub(crate) fn choose(egui: &egui::Context, appearance: Appearance) {
    let preference = match appearance {
        Appearance::System => egui::ThemePreference::System,
        Appearance::Light => egui::ThemePreference::Light,
        Appearance::Dark => egui::ThemePreference::Dark,
    };
    if egui.options(|options| options.theme_preference) != preference {
        egui.set_theme(preference);
    }
}

/// Gives the window its looks, light and dark.
pub(crate) fn install(ctx: &egui::Context) {
    // Where the system does not say what it prefers.
    ctx.options_mut(|options| options.fallback_theme = Theme::Light);
    for theme in [Theme::Light, Theme::Dark] {
        let tokens = of(theme == Theme::Dark);
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(theme, tokens);
            set_type_and_spacing(style);
        });
    }
}

fn set_type_and_spacing(style: &mut Style) {
    let sized = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Heading, sized(21.0)),
        (TextStyle::Body, sized(14.0)),
        (TextStyle::Button, sized(14.0)),
        (TextStyle::Small, sized(12.5)),
        (
            TextStyle::Monospace,
            FontId::new(13.0, FontFamily::Monospace),
        ),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = egui::vec2(2.0 * GRID, 2.0 * GRID);
    spacing.button_padding = egui::vec2(3.0 * GRID, 1.25 * GRID);
    spacing.interact_size = egui::vec2(10.0 * GRID, CONTROL_HEIGHT);
    spacing.menu_margin = Margin::same(6);
    spacing.combo_height = 320.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.icon_spacing = 2.0 * GRID;
    spacing.tooltip_width = 420.0;
    spacing.scroll.floating = true;
    spacing.scroll.bar_width = 8.0;
    style.animation_time = 0.08;
}

fn visuals(theme: Theme, tokens: &Tokens) -> Visuals {
    let base = if theme == Theme::Dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    let shadow = |blur, offset| Shadow {
        offset: [0, offset],
        blur,
        spread: 0,
        color: Color32::from_black_alpha(if theme == Theme::Dark { 110 } else { 40 }),
    };
    Visuals {
        weak_text_color: Some(tokens.weak),
        widgets: widgets(tokens),
        selection: Selection {
            bg_fill: tokens.selected,
            stroke: Stroke::new(1.0, tokens.text),
        },
        hyperlink_color: tokens.accent_hover,
        faint_bg_color: tokens.stripe,
        extreme_bg_color: tokens.field,
        text_edit_bg_color: Some(tokens.field),
        warn_fg_color: tokens.warning,
        error_fg_color: tokens.danger,
        window_corner_radius: CornerRadius::same(10),
        window_shadow: shadow(32, 12),
        window_fill: tokens.page,
        window_stroke: Stroke::new(1.0, tokens.line),
        menu_corner_radius: CornerRadius::same(8),
        popup_shadow: shadow(16, 6),
        panel_fill: tokens.page,
        // A blinking cursor would wake the window for as long as a field has the focus.
        text_cursor: TextCursorStyle {
            stroke: Stroke::new(1.5, tokens.text),
            blink: false,
            ..base.text_cursor
        },
        ..base
    }
}

fn widgets(tokens: &Tokens) -> Widgets {
    let control = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: CornerRadius::same(6),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    Widgets {
        noninteractive: control(tokens.page, tokens.line, tokens.text),
        inactive: control(tokens.field, tokens.control_line, tokens.text),
        hovered: control(tokens.hover, tokens.control_line, tokens.text),
        active: control(tokens.press, tokens.accent, tokens.text),
        open: control(tokens.hover, tokens.accent, tokens.text),
    }
}

/// The name of an area of settings.
pub(crate) fn section(text: &str) -> RichText {
    RichText::new(text).size(15.0)
}

/// The name of a field, or what is said beside the main thing.
pub(crate) fn small(ui: &egui::Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).small().color(tokens(ui).weak)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(color: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(one: Color32, other: Color32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn all_text_can_be_read() {
        for (name, t) in [("light", LIGHT), ("dark", DARK)] {
            for (front, back) in [
                (t.text, t.page),
                (t.text, t.selected),
                (t.weak, t.page),
                (t.weak, t.side),
                (t.weak, t.selected),
                (t.weak, t.stripe),
                (t.on_accent, t.accent),
                (t.on_accent, t.danger_fill),
                (t.success, t.success_back),
                (t.warning, t.warning_back),
                (t.danger, t.danger_back),
                (t.danger, t.hover),
                (t.success, t.side),
                (t.warning, t.side),
                (t.danger, t.side),
            ] {
                let found = contrast(front, back);
                assert!(
                    found >= 4.5,
                    "{name}: {front:?} on {back:?} is {found:.2}:1"
                );
            }
        }
    }
}
