//! `NameMatching`: which names a disk does not tell apart.

use icu_normalizer::ComposingNormalizerBorrowed;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Which names a disk takes for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameMatching {
    /// Only equal ones: as disks of Linux mostly do.
    #[default]
    Exact,
    /// Also those that write the same letters with other code points: “ü” as one, or “u” and dots. A disk
    /// of macOS that tells upper from lower case.
    AnyForm,
    /// Also those that differ in upper and lower case: as disks of Windows do.
    AnyCase,
    /// Both: as disks of macOS mostly do.
    AnyCaseAndForm,
}

impl NameMatching {
    /// What all names have in common that the disk takes for this one.
    pub fn fold(self, name: &OsStr) -> OsString {
        let Some(text) = name.to_str() else {
            return name.to_owned();
        };
        let composed = |text: &str| {
            ComposingNormalizerBorrowed::new_nfc()
                .normalize(text)
                .into_owned()
        };
        OsString::from(match self {
            Self::Exact => text.to_owned(),
            Self::AnyForm => composed(text),
            Self::AnyCase => text.to_lowercase(),
            // A letter may be another once it is small.
            Self::AnyCaseAndForm => composed(&composed(text).to_lowercase()),
        })
    }

    /// The same of every part of a path.
    pub fn fold_path(self, path: &Path) -> PathBuf {
        if self == Self::Exact {
            return path.to_owned();
        }
        path.iter().map(|part| self.fold(part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_as_the_disk_takes_them() {
        use NameMatching::{AnyCase, AnyCaseAndForm, AnyForm, Exact};
        let pairs = [
            ("README", "readme", [false, false, true, true]),
            ("\u{fc}", "u\u{308}", [false, true, false, true]),
            ("\u{dc}", "u\u{308}", [false, false, false, true]),
            ("ÜBER", "über", [false, false, true, true]),
            ("a", "b", [false; 4]),
            ("a", "a ", [false; 4]),
            ("same", "same", [true; 4]),
        ];
        for (one, other, alike) in pairs {
            for (matching, expected) in [Exact, AnyForm, AnyCase, AnyCaseAndForm].iter().zip(alike)
            {
                let fold = |text: &str| matching.fold(OsStr::new(text));
                assert_eq!(
                    fold(one) == fold(other),
                    expected,
                    "{matching:?} {one} {other}"
                );
            }
        }
        let folded = AnyCase.fold_path(Path::new("/A/b/C"));
        assert_eq!(folded, Path::new("/a/b/c"));
    }
}
