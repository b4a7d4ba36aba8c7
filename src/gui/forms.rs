//! `Forms`: what the person is typing and which dialog is open; the only thing that views may write.

use crate::engine::VerifyDepth;
use crate::gui::inside_form::InsideForm;
use crate::gui::restore_form::RestoreForm;
use crate::model::{
    Backup, Compression, CredentialSource, Destination, FolderDestination, Profile, Provider,
    S3Destination, Secret, WhenUnchanged, keepable_part,
};
use std::path::PathBuf;

/// Everything that is being edited.
#[derive(Debug, Clone)]
pub(crate) struct Forms {
    /// The settings of the profile that is shown.
    pub profile: ProfileForm,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
    /// The tree of the backup that is looked into, once it is known.
    pub inside: Option<InsideForm>,
}

/// The settings of one profile as typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProfileForm {
    /// Kind of destination.
    pub place: Place,
    /// Path of a folder destination.
    pub folder: String,
    /// Host or URL.
    pub endpoint: String,
    /// Region.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Prefix of every key.
    pub root_path: String,
    /// Whether another computer's endpoint may begin with `http://`.
    pub allow_plain_http: bool,
    /// Whether the endpoint is asked for also where the region says it.
    pub own_endpoint: bool,
    /// Public half of the key pair.
    pub access_key_id: String,
    /// Where the keys come from.
    pub credentials: CredentialSource,
    /// Path of a file of authorities of certificates.
    pub ca_certificate: String,
    /// Secret half; empty unless just typed.
    pub secret: String,
    /// Whether the secret was typed since it was last kept.
    pub secret_edit: SecretEdit,
    /// Patterns of what to leave out, one a line.
    pub excludes: String,
    /// How hard to compress.
    pub compression: Compression,
    /// What to do when nothing changed.
    pub when_unchanged: WhenUnchanged,
    /// A folder to add, being typed.
    pub new_source: String,
    /// When something was last typed that is not kept yet, on the window's clock.
    pub touched_at_secs: Option<f64>,
}

/// Where a profile keeps its backups: on this computer or with a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a folder.
    Folder,
    /// In a bucket.
    Bucket(Provider),
}

/// Whether the field of the secret holds something new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SecretEdit {
    /// Nothing that is not kept already.
    #[default]
    Untouched,
    /// Something new.
    Typed,
}

/// A dialog that asks before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dialog {
    /// Where to restore to.
    Restore(RestoreForm),
    /// How much of this backup to read back.
    Verify(Backup, VerifyDepth),
    /// Whether to delete this backup.
    Delete(Backup),
    /// Whether to make a backup without anything of deleted files.
    RemoveDeleted,
    /// Which restore to undo.
    Restores,
    /// What to name a new profile.
    NewProfile(String),
    /// Whether to forget the profile of this name.
    RemoveProfile(String),
}

impl Place {
    /// Every choice, in the order in which people choose.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Folder).chain(Provider::all().map(Self::Bucket))
    }

    /// The name that people know it by.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Folder => "This computer (folder)",
            Self::Bucket(provider) => provider.title(),
        }
    }
}

impl ProfileForm {
    /// Fills the form from a profile; the secret's field stays empty.
    pub(crate) fn of(profile: &Profile) -> Self {
        let mut form = Self {
            place: Place::Folder,
            folder: String::new(),
            endpoint: String::new(),
            region: String::new(),
            bucket: String::new(),
            root_path: String::new(),
            allow_plain_http: false,
            own_endpoint: false,
            access_key_id: String::new(),
            credentials: CredentialSource::default(),
            ca_certificate: String::new(),
            secret: String::new(),
            secret_edit: SecretEdit::Untouched,
            excludes: profile.excludes.join("\n"),
            compression: profile.compression,
            when_unchanged: profile.when_unchanged,
            new_source: String::new(),
            touched_at_secs: None,
        };
        match &profile.destination {
            Destination::Folder(folder) => form.folder = folder.path.display().to_string(),
            Destination::S3(s3) => {
                form.place = Place::Bucket(s3.provider);
                form.endpoint.clone_from(&s3.endpoint);
                form.region.clone_from(&s3.region);
                form.bucket.clone_from(&s3.bucket);
                form.root_path.clone_from(&s3.root_path);
                form.access_key_id.clone_from(&s3.access_key_id);
                form.allow_plain_http = s3.allow_plain_http;
                form.credentials.clone_from(&s3.credentials);
                if let Some(file) = &s3.ca_certificate {
                    form.ca_certificate = file.display().to_string();
                }
            }
        }
        form
    }

    /// The destination as typed, without the white space that pasting brings along.
    pub(crate) fn destination(&self) -> Destination {
        let trimmed = |text: &str| text.trim().to_owned();
        match self.place {
            Place::Folder => Destination::Folder(FolderDestination {
                path: PathBuf::from(self.folder.trim()),
            }),
            Place::Bucket(provider) => Destination::S3(S3Destination {
                provider,
                endpoint: trimmed(&self.endpoint),
                region: trimmed(&self.region),
                bucket: trimmed(&self.bucket),
                root_path: self.root_path.trim().trim_matches('/').to_owned(),
                access_key_id: trimmed(&self.access_key_id),
                addressing: None,
                allow_plain_http: self.allow_plain_http,
                ca_certificate: Some(self.ca_certificate.trim())
                    .filter(|path| !path.is_empty())
                    .map(PathBuf::from),
                credentials: match &self.credentials {
                    CredentialSource::AwsProfile { name } => CredentialSource::AwsProfile {
                        name: trimmed(name),
                    },
                    other => other.clone(),
                },
            }),
        }
    }

    /// Keeps backups elsewhere from now on. A region that only the provider before has is forgotten.
    pub(crate) fn choose_place(&mut self, place: Place) {
        if let (Place::Bucket(old), Place::Bucket(new)) = (self.place, place) {
            let has = |provider: Provider, region: &str| {
                let preset = provider.preset();
                preset.region_default == region || preset.regions.iter().any(|it| it.id == region)
            };
            if has(old, &self.region) && !has(new, &self.region) {
                self.region.clear();
            }
        }
        self.place = place;
    }

    /// Fills in a bucket that was understood from what was typed.
    pub(crate) fn take_over(&mut self, s3: S3Destination) {
        self.place = Place::Bucket(s3.provider);
        self.own_endpoint = false;
        self.endpoint = s3.endpoint;
        self.region = s3.region;
        self.bucket = s3.bucket;
        self.root_path = s3.root_path;
    }

    /// `profile` with what was typed.
    pub(crate) fn applied_to(&self, profile: &Profile) -> Profile {
        Profile {
            name: profile.name.clone(),
            sources: profile.sources.clone(),
            excludes: self
                .excludes
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            compression: self.compression,
            when_unchanged: self.when_unchanged,
            destination: self.destination_after(&profile.destination),
        }
    }

    /// The destination as typed; what was found out about the one before stays as long as it is the same.
    fn destination_after(&self, before: &Destination) -> Destination {
        let mut destination = self.destination();
        if let Destination::S3(typed) = &mut destination
            && !is_same(typed, before)
        {
            *typed = keepable_part(typed);
        }
        if let (Destination::S3(new), Destination::S3(old)) = (&mut destination, before)
            && (new.provider, &new.endpoint) == (old.provider, &old.endpoint)
        {
            new.addressing = old.addressing;
        }
        destination
    }

    /// The secret if a new one was typed.
    pub(crate) fn typed_secret(&self) -> Option<Secret> {
        (self.secret_edit == SecretEdit::Typed).then(|| Secret::new(&self.secret))
    }
}

/// Whether these settings are those before, so that what an older version kept goes on.
fn is_same(typed: &S3Destination, before: &Destination) -> bool {
    let Destination::S3(before) = before else {
        return false;
    };
    let addressing = before.addressing;
    *before
        == S3Destination {
            addressing,
            ..typed.clone()
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Addressing;

    fn s3_profile() -> Profile {
        Profile {
            name: "p".to_owned(),
            sources: vec![PathBuf::from("/a")],
            excludes: vec!["*.tmp".to_owned(), "cache/".to_owned()],
            compression: Compression::default(),
            when_unchanged: WhenUnchanged::default(),
            destination: Destination::S3(S3Destination {
                provider: Provider::R2,
                endpoint: "https://e.example".to_owned(),
                region: "auto".to_owned(),
                bucket: "b".to_owned(),
                root_path: "deep/er".to_owned(),
                access_key_id: "AKIA".to_owned(),
                addressing: Some(Addressing::Path),
                ca_certificate: Some(PathBuf::from("/etc/ca.pem")),
                credentials: CredentialSource::AwsProfile {
                    name: "work".to_owned(),
                },
                ..S3Destination::default()
            }),
        }
    }

    #[test]
    fn an_untouched_form_changes_nothing() {
        let profile = s3_profile();
        assert_eq!(ProfileForm::of(&profile).applied_to(&profile), profile);
    }

    #[test]
    fn pasted_white_space_and_slashes_are_dropped() {
        let profile = s3_profile();
        let mut form = ProfileForm::of(&profile);
        form.endpoint = " https://e.example\n".to_owned();
        form.root_path = "/deep/er/ ".to_owned();
        form.excludes = "\n *.tmp \n\ncache/\n".to_owned();
        assert_eq!(form.applied_to(&profile), profile);
    }

    #[test]
    fn a_secret_in_a_wrong_field_is_not_kept() {
        let profile = s3_profile();
        let pasted = "https://AK:hunter2@host.example/b";
        let fill: [fn(&mut ProfileForm, &str); 4] = [
            |form, text| form.endpoint = text.to_owned(),
            |form, text| form.bucket = text.to_owned(),
            |form, text| form.region = text.to_owned(),
            |form, text| form.root_path = text.to_owned(),
        ];
        for fill in fill {
            let mut form = ProfileForm::of(&profile);
            fill(&mut form, pasted);
            let Destination::S3(kept) = form.applied_to(&profile).destination else {
                panic!("a bucket");
            };
            assert!(!format!("{kept:?}").contains("hunter2"), "{kept:?}");
            assert_eq!(kept.bucket, "", "nothing goes anywhere meanwhile");
        }
        let mut form = ProfileForm::of(&profile);
        form.endpoint = "https://e.example?X-Amz-Security-Token=hunter2".to_owned();
        assert_eq!(form.applied_to(&profile), profile);
    }

    #[test]
    fn an_address_in_the_field_of_the_bucket_is_kept_in_its_own() {
        let profile = s3_profile();
        let mut form = ProfileForm::of(&profile);
        (form.endpoint, form.root_path) = (String::new(), String::new());
        form.bucket = "https://acc.r2.cloudflarestorage.com/photos/pc".to_owned();
        let Destination::S3(kept) = form.applied_to(&profile).destination else {
            panic!("a bucket");
        };
        let found = [kept.endpoint, kept.bucket, kept.root_path];
        let meant = ["https://acc.r2.cloudflarestorage.com", "photos", "pc"];
        assert_eq!(found, meant);
    }
}
