//! Authorities of certificates that a person trusts beside those of this computer.

use super::error::{Fault, StorageError};
use reqwest::Certificate;
use std::fs;
use std::path::Path;

/// Authorities that are trusted beside those of this computer.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust(pub(super) Vec<Certificate>);

impl Trust {
    /// Reads a PEM file, which may hold several; without one, nobody else is trusted.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, StorageError> {
        let Some(path) = file.filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(Self::default());
        };
        let unusable = |what: &str| {
            StorageError::new(Fault::CaCertificate).about(format!("{} {what}", path.display()))
        };
        let pem = fs::read(path).map_err(|error| {
            let what = match error.kind() {
                std::io::ErrorKind::NotFound => "is not there",
                _ => "cannot be read",
            };
            unusable(what).caused_by(error)
        })?;
        let found = Certificate::from_pem_bundle(&pem)
            .map_err(|error| unusable("holds a damaged certificate").caused_by(error))?;
        if found.is_empty() {
            return Err(unusable("holds no certificate in PEM form"));
        }
        Ok(Self(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_file_is_told_with_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let refused = |told: &str| {
            let error = Trust::read(Some(&path)).expect_err("refused");
            assert_eq!(error.fault(), Fault::CaCertificate);
            let text = error.to_string();
            assert!(text.contains("ca.pem") && text.contains(told), "{text}");
            assert!(error.hint().contains("BEGIN CERTIFICATE"));
        };
        refused("is not there");
        fs::write(&path, b"\x30\x82\x01").expect("written");
        refused("no certificate in PEM form");
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        fs::write(&path, broken).expect("written");
        refused("damaged");
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        refused("cannot be read");
        assert!(Trust::read(None).expect("nobody else").0.is_empty());
    }
}
