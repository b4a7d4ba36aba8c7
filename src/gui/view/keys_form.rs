//! The keys of a bucket: the choice where they come from, and the fields that this one needs.

use super::note_edit::note_edit;
use super::widgets::{choice_ui, field_ui, secret_ui};
use crate::gui::command::{Command, Commands};
use crate::gui::forms::{ProfileForm, SecretEdit};
use crate::gui::job::SecretStatus;
use crate::gui::theme::{self, GRID};
use crate::model::CredentialSource;
use crate::model::providers::Preset;
use egui::{Hyperlink, Label, RichText, Ui};

/// What a source is called, and what an AWS profile is called that nobody has named yet.
const KEPT_HERE: &str = "Kept here";
const ENVIRONMENT: &str = "From the environment";
const AWS_PROFILE: &str = "From an AWS profile";
const USUAL_PROFILE: &str = "default";

/// Only the fields that the chosen source needs.
pub(crate) fn keys_form_ui(
    ui: &mut Ui,
    preset: &Preset,
    secret: SecretStatus,
    (form, commands): (&mut ProfileForm, &mut Commands),
) {
    match &mut form.credentials {
        CredentialSource::Keys => {
            pair_ui(ui, secret, form, commands);
            where_ui(ui, preset);
        }
        CredentialSource::Environment => remark_ui(
            ui,
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary keys, AWS_SESSION_TOKEN, as they \
             were set when this program started.",
        ),
        CredentialSource::AwsProfile { name } => {
            let field = field_ui(ui, "AWS profile", name, USUAL_PROFILE);
            note_edit(&field, form, commands);
            remark_ui(
                ui,
                "Read from ~/.aws/credentials and ~/.aws/config each time. The profile needs an access key of \
                 its own; one that signs in (SSO) or takes a role does not have that.",
            );
        }
    }
}

/// Where the keys come from.
pub(crate) fn source_ui(ui: &mut Ui, form: &mut ProfileForm, commands: &mut Commands) {
    let title = |source: &CredentialSource| match source {
        CredentialSource::Keys => KEPT_HERE,
        CredentialSource::Environment => ENVIRONMENT,
        CredentialSource::AwsProfile { .. } => AWS_PROFILE,
    };
    let chosen = title(&form.credentials);
    choice_ui(ui, "Keys", chosen, |ui| {
        let aws_profile = CredentialSource::AwsProfile {
            name: USUAL_PROFILE.to_owned(),
        };
        for source in [
            CredentialSource::Keys,
            CredentialSource::Environment,
            aws_profile,
        ] {
            let name = title(&source);
            if ui.selectable_label(name == chosen, name).clicked() && name != chosen {
                form.credentials = source;
                commands.push(Command::FinishForm);
            }
        }
    });
}

fn pair_ui(ui: &mut Ui, kept: SecretStatus, form: &mut ProfileForm, commands: &mut Commands) {
    let id = field_ui(
        ui,
        "Access Key ID",
        &mut form.access_key_id,
        "the public half of the key",
    );
    note_edit(&id, form, commands);
    let example = match kept {
        SecretStatus::Kept => "kept on this computer",
        SecretStatus::Unknown | SecretStatus::Missing => "the secret half of the key",
    };
    let secret = secret_ui(ui, "Secret Access Key", &mut form.secret, example);
    if secret.changed() {
        form.secret_edit = SecretEdit::Typed;
    }
    note_edit(&secret, form, commands);
}

/// Where the provider makes keys.
fn where_ui(ui: &mut Ui, preset: &Preset) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = GRID / 2.0;
        let name = "Where to find the keys";
        match &preset.keys.url {
            Some(url) => {
                let link = RichText::new(name).small();
                ui.add(Hyperlink::from_label_and_url(link, url).open_in_new_tab(true))
                    .on_hover_text(url);
            }
            None => {
                ui.label(theme::small(ui, name));
            }
        }
        remark_ui(ui, &preset.keys.hint);
    });
}

fn remark_ui(ui: &mut Ui, text: &str) {
    ui.add(Label::new(theme::small(ui, text)).wrap());
}
