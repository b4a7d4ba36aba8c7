//! `Profile`: what the person set up. One destination, the folders, the excludes.

use super::{Compression, Destination, reduce_field};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One set-up: where backups are kept and which folders they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Unique name, only of `[A-Za-z0-9_-]` because it opens every backup's file name.
    pub name: String,
    /// Folders to back up, absolute.
    #[serde(default)]
    pub sources: Vec<PathBuf>,
    /// Patterns of what to leave out, in the syntax of `.gitignore`; those that begin with the whole path of
    /// a folder reach only what is in it.
    #[serde(default)]
    pub excludes: Vec<String>,
    /// How hard to compress.
    #[serde(default)]
    pub compression: Compression,
    /// What to do when nothing changed since the last backup.
    #[serde(default)]
    pub when_unchanged: WhenUnchanged,
    /// Where backups are kept.
    pub destination: Destination,
}

/// What to do when nothing changed since the last backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenUnchanged {
    /// Make no new backup, and say since when nothing changed.
    #[default]
    Skip,
    /// Make a new backup all the same.
    BackUp,
}

/// Why a profile cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Empty, too long, or with characters that a backup's file name may not hold.
    #[error("“{0}” cannot be a profile's name: use 1 to 64 letters, digits, “-” and “_”")]
    Name(String),
    /// Another profile has this name.
    #[error("there is already a profile named “{0}”")]
    Taken(String),
}

impl Profile {
    /// The name of the profile that exists before the person made one.
    pub const DEFAULT_NAME: &str = "default";

    /// Checks that `name` can open a backup's file name unchanged.
    pub fn check_name(name: &str) -> Result<(), ProfileError> {
        if !name.is_empty() && name.len() <= 64 && reduce_field(name, "") == name {
            Ok(())
        } else {
            Err(ProfileError::Name(name.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_a_file_name_can_hold() {
        for good in ["default", "My-Laptop_2", "a"] {
            assert_eq!(Profile::check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "with space",
            "dot.ted",
            "ünicode",
            "-edge",
            "../x",
            &"n".repeat(65),
        ] {
            assert!(Profile::check_name(bad).is_err(), "{bad}");
        }
    }
}
