//! The fields of a bucket: only those that its provider needs, and what was understood of them.

use super::advanced_form::advanced_ui;
use super::keys_form::keys_form_ui;
use super::note_edit::note_edit;
use super::suggested_field::suggested_field_ui;
use super::widgets::{choice_ui, field_ui, quiet_button, quiet_line_ui, tall_button};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::ProfileForm;
use crate::gui::state::{State, sentence};
use crate::gui::theme;
use crate::model::providers::{Preset, RegionRule};
use crate::model::{
    AccessPolicy, Deleting, Destination, EndpointError, Provider, S3Destination, access_policy,
    account_of, endpoint_in_variant, normal_form, resolve_endpoint, understood_so_far,
};
use egui::{Checkbox, Id, Label, RichText, Ui};
use std::time::Duration;

/// Where the bucket is, whose keys open it, and what they must be allowed.
pub(crate) fn bucket_ui(
    ui: &mut Ui,
    provider: Provider,
    state: &State,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    let preset = provider.preset();
    let Destination::S3(typed) = form.destination() else {
        return;
    };
    endpoint_ui(ui, preset, &typed, (form, commands));
    region_and_bucket_ui(ui, preset, (form, commands));
    keys_form_ui(ui, preset, state.secret, (form, commands));
    let root = field_ui(
        ui,
        "Root path",
        &mut form.root_path,
        "optional, for example backups/laptop",
    );
    note_edit(&root, form, commands);
    policy_ui(ui, &typed);
    advanced_ui(ui, form, commands);
}

/// The endpoint where it is asked for, and what was understood of all that was typed.
fn endpoint_ui(
    ui: &mut Ui,
    preset: &'static Preset,
    typed: &S3Destination,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    // Once it is there it stays, also while somebody empties it.
    form.own_endpoint |= !form.endpoint.is_empty();
    if !preset.is_of_region() || form.own_endpoint {
        let (name, example) = if preset.is_of_account() {
            ("Account ID or endpoint", preset.account_hint.as_str())
        } else {
            ("Endpoint", preset.endpoint_example.as_str())
        };
        let endpoint = field_ui(ui, name, &mut form.endpoint, example);
        note_edit(&endpoint, form, commands);
    } else {
        quiet_line_ui(ui, |ui| {
            if quiet_button(ui, "Paste an address, or use an own endpoint…").clicked() {
                form.own_endpoint = true;
            }
        });
    }
    understood_ui(ui, typed, (form, commands));
    variant_ui(ui, preset, typed, (form, commands));
}

fn understood_ui(
    ui: &mut Ui,
    typed: &S3Destination,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    let understood = understood_so_far(typed);
    match &understood {
        Ok(sentences) => {
            let mut lines = sentences.clone();
            let is_said = !sentences.is_empty();
            if let Ok(there) = resolve_endpoint(typed)
                && (is_said || !typed.endpoint.is_empty())
            {
                lines.push(format!("Backups go to {}", there.bucket_url()));
            }
            if !lines.is_empty() {
                let text = theme::small(ui, lines.join("\n"));
                ui.add(Label::new(text).wrap());
            }
            if is_said
                && let Ok(normal) = normal_form(typed)
                && normal != *typed
            {
                let button = ui.add(tall_button("Put this into the fields"));
                if button.clicked() {
                    form.take_over(normal);
                    commands.push(Command::FinishForm);
                }
            }
        }
        Err(error) if error.is_missing() => {}
        Err(error) => {
            let text = RichText::new(sentence(&error.to_string())).small();
            let text = text.color(theme::tokens(ui).warning);
            ui.add(Label::new(text).wrap());
        }
    }
    let is_refused = matches!(understood, Err(EndpointError::PlainHttp(_)));
    if is_refused || form.allow_plain_http {
        let allow = ui.add(Checkbox::new(
            &mut form.allow_plain_http,
            "Allow plain http",
        ));
        if allow.changed() {
            commands.push(Command::FinishForm);
        }
        allow.on_hover_text(
            "Others on the way can read what is sent; the secret key is never sent.",
        );
    }
}

/// Which of several addresses of an account, where the provider has such.
fn variant_ui(
    ui: &mut Ui,
    preset: &'static Preset,
    typed: &S3Destination,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    if preset.choices().next().is_none() {
        return;
    }
    let Some(account) = account_of(typed) else {
        return;
    };
    let title = account.variant.map_or("Default", |it| it.title.as_str());
    choice_ui(ui, "Jurisdiction", title, |ui| {
        let variants = std::iter::once(None).chain(preset.choices().map(Some));
        for variant in variants {
            let name = variant.map_or("Default", |it| it.title.as_str());
            let choice = ui.selectable_label(variant == account.variant, name);
            if choice.clicked()
                && variant != account.variant
                && let Some(mut endpoint) = endpoint_in_variant(typed, variant)
            {
                // A bucket and folder in the address stay with it.
                if form.bucket.is_empty()
                    && let Ok(there) = resolve_endpoint(typed)
                {
                    endpoint = format!("{endpoint}/{}/{}", there.bucket, there.root_path);
                }
                endpoint
                    .trim_end_matches('/')
                    .clone_into(&mut form.endpoint);
                commands.push(Command::FinishForm);
            }
        }
    });
}

fn region_and_bucket_ui(
    ui: &mut Ui,
    preset: &'static Preset,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    let is_settled = matches!(preset.region_rule, RegionRule::None | RegionRule::Fixed);
    let is_usual = form.region.is_empty() || form.region == preset.region_default;
    let bucket_field = |ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands| {
        let example = match preset.bucket.example.as_str() {
            "" => "my-backups",
            example => example,
        };
        let bucket = field_ui(ui, "Bucket", &mut form.bucket, example);
        note_edit(&bucket, form, commands);
    };
    if is_settled && is_usual {
        bucket_field(ui, form, commands);
    } else {
        ui.columns(2, |columns| {
            let region = suggested_field_ui(
                &mut columns[0],
                "Region",
                (&mut form.region, preset.region_example()),
                &preset.regions,
            );
            note_edit(&region.field, form, commands);
            if region.was_chosen {
                commands.push(Command::FinishForm);
            }
            bucket_field(&mut columns[1], form, commands);
        });
    }
    if !preset.bucket.hint.is_empty() {
        ui.add(Label::new(theme::small(ui, &preset.bucket.hint)).wrap());
    }
}

/// How long it is said that something was copied.
const TOLD_FOR_SECS: f64 = 6.0;

/// What the keys must be allowed, to be copied.
fn policy_ui(ui: &mut Ui, typed: &S3Destination) {
    let copied_at = Id::unique("policy copied");
    quiet_line_ui(ui, |ui| {
        for (deleting, name) in [
            (Deleting::Allowed, "Copy access policy"),
            (Deleting::Forbidden, "Copy one that cannot delete"),
        ] {
            let policy = access_policy(typed, deleting);
            let button = ui
                .add_enabled_ui(policy.is_ok(), |ui| quiet_button(ui, name))
                .inner;
            match policy {
                Ok(policy) => {
                    if button.clicked() {
                        ui.ctx().copy_text(policy.text().to_owned());
                        let now = ui.input(|input| input.time);
                        ui.data_mut(|data| data.insert_temp(copied_at, now));
                    }
                    button.on_hover_text(match &policy {
                        AccessPolicy::Document(_) => {
                            "What a key must be allowed here, and nothing more, as JSON for the provider's console"
                        }
                        AccessPolicy::Words(words) => words,
                    });
                }
                Err(error) => {
                    button.on_disabled_hover_text(sentence(&error.to_string()));
                }
            }
        }
    });
    let now = ui.input(|input| input.time);
    let told_for_secs = ui
        .data(|data| data.get_temp::<f64>(copied_at))
        .map(|at| now - at);
    if told_for_secs.is_some_and(|secs| secs < TOLD_FOR_SECS) {
        let text = RichText::new("Copied. Paste it where the provider sets what the key may do.");
        let text = text.small().color(theme::tokens(ui).success);
        ui.add(Label::new(text).wrap());
        ui.ctx().request_repaint_after(Duration::from_secs(1));
    }
}
