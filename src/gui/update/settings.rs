//! Keeps what the person typed: the form of a profile, its folders, the profiles themselves.

use super::launch::launch;
use super::{Core, listing, restoring};
use crate::gui::forms::{ProfileForm, SecretEdit};
use crate::gui::job::{FolderPurpose, JobKind, SecretStatus};
use crate::gui::notice::{Notice, Tone};
use crate::gui::state::{ListStatus, Saving, Table};
use crate::gui::work;
use crate::model::{
    Appearance, Compression, Destination, FolderDestination, Profile, Secret, WhenUnchanged,
};
use std::path::{Path, PathBuf};

/// Takes over what the form says and saves it if it is new.
pub(crate) fn keep_form(core: &mut Core) {
    core.forms.profile.touched_at_secs = None;
    let old = core.state.profile().clone();
    let new = core.forms.profile.applied_to(&old);
    let mut is_new = new != old;
    if new.destination != old.destination {
        core.state.test = None;
    }
    if let Some(secret) = core.forms.profile.typed_secret() {
        core.forms.profile.secret_edit = SecretEdit::Untouched;
        core.state.secret = if secret.is_empty() {
            SecretStatus::Missing
        } else {
            SecretStatus::Kept
        };
        core.state.unsaved.secrets.insert(old.name, secret);
        core.state.test = None;
        // Whatever was listed, or was not, depends on the secret.
        core.state.table.of = None;
        is_new = true;
    }
    if is_new {
        put_profile(core, new);
    }
}

/// Keeps for so many days what restores replace.
pub(crate) fn keep_undo(core: &mut Core, days: u32) {
    core.state.config.undo_days = days;
    save(core);
}

/// Takes over what the form says and lists again if the destination is another one.
pub(crate) fn finish_form(core: &mut Core) {
    keep_form(core);
    if core.state.table.of.as_ref() != Some(&core.state.profile().destination) {
        listing::list(core);
    }
}

/// Backs `typed` up from now on, if it is the whole path of a folder.
pub(crate) fn add_folder(core: &mut Core, typed: &str) {
    let path = PathBuf::from(typed.trim());
    if !path.is_absolute() {
        let about = JobKind::PickFolder(FolderPurpose::Source);
        let title = "That is not the whole path of a folder";
        let example = if cfg!(windows) {
            r"C:\Users\me\Documents"
        } else {
            "/home/me/Documents"
        };
        let hint = format!("Write it from its beginning, for example {example}.");
        core.tell(Notice::new(about, Tone::Warning, title).hint(hint));
        return;
    }
    core.forms.profile.new_source.clear();
    add_source(core, path);
}

/// Backs `path` up from now on; once, however often it is added.
pub(crate) fn add_source(core: &mut Core, path: PathBuf) {
    let mut profile = core.state.profile().clone();
    if !profile.sources.contains(&path) {
        profile.sources.push(path);
        put_profile(core, profile);
    }
}

/// Does not back `path` up any more.
pub(crate) fn remove_folder(core: &mut Core, path: &Path) {
    let mut profile = core.state.profile().clone();
    profile.sources.retain(|source| source != path);
    put_profile(core, profile);
}

/// Keeps how the window looks.
pub(crate) fn appear(core: &mut Core, appearance: Appearance) {
    core.state.config.appearance = appearance;
    save(core);
}

/// Shows the profile of this name.
pub(crate) fn show_profile(core: &mut Core, name: &str) {
    keep_form(core);
    if core.state.config.profile(name).is_some() {
        name.clone_into(&mut core.state.config.active_profile);
        show_active(core);
    }
}

/// Makes a profile that keeps backups on this computer, and shows it.
pub(crate) fn create_profile(core: &mut Core, name: String) {
    keep_form(core);
    let profile = Profile {
        name: name.clone(),
        sources: Vec::new(),
        excludes: Vec::new(),
        compression: Compression::default(),
        when_unchanged: WhenUnchanged::default(),
        destination: Destination::Folder(FolderDestination {
            path: core.state.places.default_destination(),
        }),
    };
    match core.state.config.add_profile(profile) {
        Ok(()) => {
            core.state.config.active_profile = name;
            show_active(core);
        }
        Err(error) => core.tell(Notice::new(JobKind::Save, Tone::Warning, error.to_string())),
    }
}

/// Forgets a profile and its secret; its backups stay.
pub(crate) fn remove_profile(core: &mut Core, name: &str) {
    match core.state.config.remove_profile(name, &core.state.places) {
        Ok(()) => {
            let secrets = &mut core.state.unsaved.secrets;
            secrets.insert(name.to_owned(), Secret::default());
            show_active(core);
        }
        Err(error) => core.tell(Notice::new(JobKind::Save, Tone::Warning, error.to_string())),
    }
}

fn show_active(core: &mut Core) {
    restoring::close_inside(core);
    core.forms.profile = ProfileForm::of(core.state.profile());
    core.state.secret = SecretStatus::Unknown;
    core.state.test = None;
    core.state.table = Table::default();
    save(core);
    listing::list(core);
}

/// Takes over and saves what the shown profile is now.
pub(crate) fn put_profile(core: &mut Core, profile: Profile) {
    match core.state.config.replace_profile(profile) {
        Ok(()) => save(core),
        Err(error) => core.tell(Notice::new(JobKind::Save, Tone::Warning, error.to_string())),
    }
}

/// Saves settings and new secrets; one save runs at a time, so that an older one never wins.
pub(crate) fn save(core: &mut Core) {
    if core.state.running(JobKind::Save).is_some() {
        core.state.unsaved.settings = Saving::Wanted;
        return;
    }
    core.state.unsaved.settings = Saving::UpToDate;
    let secrets = std::mem::take(&mut core.state.unsaved.secrets);
    core.state.unsaved.in_flight.clone_from(&secrets);
    let (places, config) = (core.state.places.clone(), core.state.config.clone());
    core.state.unsaved.saving.clone_from(&config);
    let base = core.state.unsaved.base.clone();
    launch(core, JobKind::Save, "settings", |_| {
        work::save(places, config, base, secrets)
    });
}

/// Settings are on the disk: takes over profiles that another program, such as the terminal's, added or changed.
pub(crate) fn adopt(core: &mut Core, adopted: Vec<Profile>) {
    let shown = core.state.profile().name.clone();
    core.state.unsaved.base = core.state.unsaved.saving.clone();
    for profile in adopted {
        let is_shown = profile.name == shown;
        for config in [&mut core.state.config, &mut core.state.unsaved.base] {
            if config.replace_profile(profile.clone()).is_err() {
                config.profiles.push(profile.clone());
            }
        }
        if is_shown {
            core.forms.profile = ProfileForm::of(core.state.profile());
        }
    }
}

/// Takes in that a save ended.
pub(crate) fn saved(core: &mut Core, ended: Ended) {
    let in_flight = std::mem::take(&mut core.state.unsaved.in_flight);
    match ended {
        Ended::Well if core.state.unsaved.settings == Saving::Wanted => save(core),
        Ended::Well => {}
        Ended::Badly => {
            // They are used from memory and tried again with the next save.
            let secrets = &mut core.state.unsaved.secrets;
            for (profile, secret) in in_flight {
                secrets.entry(profile).or_insert(secret);
            }
        }
    }
}

/// How a save ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All is on disk.
    Well,
    /// Some or all of it is not.
    Badly,
}

/// Takes in whether the secret of the shown profile is kept.
pub(crate) fn secret_found(core: &mut Core, profile: &str, status: SecretStatus) {
    if profile == core.state.profile().name && core.state.secret == SecretStatus::Unknown {
        core.state.secret = status;
        if core.state.table.status != ListStatus::Loaded {
            listing::list(core);
        }
    }
}
