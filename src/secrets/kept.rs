//! The secret access keys that this program keeps.
//!
//! They stand in a file of the data folder that only its owner may read (mode 0600), one a profile.

use super::error::SecretsError;
use crate::config::Places;
use crate::model::Secret;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// The environment variable that gives the secret for one run.
const SECRET_VARIABLE: &str = "ZIPKEEP_SECRET_ACCESS_KEY";
/// The environment variable that gives the session token of temporary keys for one run.
const TOKEN_VARIABLE: &str = "ZIPKEEP_SESSION_TOKEN";

/// Reads the secret of `profile`: from the environment for this run, else as it was kept. A session token
/// comes from the environment with either.
pub fn find(places: &Places, profile: &str) -> Result<Option<Secret>, SecretsError> {
    let for_this_run = std::env::var(SECRET_VARIABLE).unwrap_or_default();
    let secret = if for_this_run.trim().is_empty() {
        load(places)?
            .remove(profile)
            .filter(|secret| !secret.is_empty())
    } else {
        Some(Secret::new(&for_this_run))
    };
    Ok(secret.map(for_this_session))
}

/// `secret` with the session token of the environment, if there is one.
pub(super) fn for_this_session(secret: Secret) -> Secret {
    secret.with_session_token(&std::env::var(TOKEN_VARIABLE).unwrap_or_default())
}

/// Keeps the secret of `profile`; an empty one forgets it.
pub fn keep(places: &Places, profile: &str, secret: &Secret) -> Result<(), SecretsError> {
    let mut all = load(places)?;
    if secret.is_empty() {
        all.remove(profile);
    } else {
        all.insert(profile.to_owned(), secret.clone());
    }
    save(places, &all)
}

/// Forgets the secret of `profile`.
pub fn forget(places: &Places, profile: &str) -> Result<(), SecretsError> {
    let mut all = load(places)?;
    if all.remove(profile).is_some() {
        save(places, &all)?;
    }
    Ok(())
}

fn file(places: &Places) -> PathBuf {
    places.data_dir.join("secrets.json")
}

fn load(places: &Places) -> Result<BTreeMap<String, Secret>, SecretsError> {
    let path = file(places);
    let failed = |path, source| SecretsError::Kept {
        path,
        action: "read",
        source,
    };
    match fs::read(&path) {
        // The parser's words are dropped on purpose: they could repeat what stands in the file.
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|_| failed(path, io::Error::other("the file is damaged"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(path, error)),
    }
}

fn save(places: &Places, all: &BTreeMap<String, Secret>) -> Result<(), SecretsError> {
    let path = file(places);
    let write = || -> io::Result<()> {
        fs::create_dir_all(&places.data_dir)?;
        // Made with mode 0600 on Unix, so that it is never readable to others, not even for a moment.
        let mut new_file = tempfile::Builder::new()
            .prefix(".secrets-")
            .tempfile_in(&places.data_dir)?;
        new_file.write_all(&serde_json::to_vec_pretty(all)?)?;
        new_file.as_file().sync_all()?;
        new_file.persist(&path)?;
        File::open(&path)?.sync_all()
    };
    write().map_err(|source| SecretsError::Kept {
        path: path.clone(),
        action: "saved",
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> (tempfile::TempDir, Places) {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            config_dir: folder.path().join("config"),
            data_dir: folder.path().join("data"),
        };
        (folder, places)
    }

    #[test]
    fn a_secret_is_kept_for_its_profile_and_forgotten() {
        let (_folder, places) = places();
        assert_eq!(load(&places).expect("no file").len(), 0);
        keep(&places, "a", &Secret::new("one")).expect("kept");
        keep(&places, "b", &Secret::new("two")).expect("kept");
        assert_eq!(load(&places).expect("read")["b"], Secret::new("two"));
        forget(&places, "b").expect("forgotten");
        assert_eq!(load(&places).expect("read").len(), 1);
        keep(&places, "a", &Secret::default()).expect("an empty one forgets");
        assert_eq!(load(&places).expect("read").len(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, places) = places();
        keep(&places, "a", &Secret::new("one")).expect("kept");
        let mode = fs::metadata(file(&places))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_told_without_its_content() {
        let (_folder, places) = places();
        fs::create_dir_all(&places.data_dir).expect("made");
        fs::write(file(&places), r#"{"a": "hunter2""#).expect("written");
        let error = load(&places).expect_err("damaged");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
