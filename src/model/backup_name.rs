//! The file names of our archives: how they are made and read back.
//!
//! Ours are `<profile>.<YYYYMMDDThhmmssZ>.<device>.<linux|macos|windows>.zip`. The profile holds no
//! dot, the device may, and the last two fields are fixed, so a name reads back to what made it.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An operating system, as names and manifests spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Linux, and every other Unix.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Os {
    /// The system that this program was built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::Macos
        } else {
            Self::Linux
        }
    }

    /// The word used in names.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Linux, Self::Macos, Self::Windows]
            .into_iter()
            .find(|os| os.word() == word)
    }
}

/// The parts of one of our own archive's file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupName {
    /// Profile, only of `[A-Za-z0-9_-]`.
    pub profile: String,
    /// When the backup began, UTC, whole seconds.
    pub created: Timestamp,
    /// Computer, only of `[A-Za-z0-9_-]` and inner dots.
    pub device: String,
    /// Operating system.
    pub os: Os,
}

const STAMP: &str = "%Y%m%dT%H%M%SZ";

impl BackupName {
    /// Makes the name of a backup, reducing each field to what every store and file system takes.
    pub fn new(profile: &str, created: Timestamp, device: &str, os: Os) -> Self {
        Self {
            profile: reduce_field(profile, "backup"),
            created: Timestamp::from_second(created.as_second()).unwrap_or(created),
            device: reduce_device(device),
            os,
        }
    }

    /// Reads a file name back; `None` when it is not one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_suffix(".zip")?;
        let (rest, os) = rest.rsplit_once('.')?;
        let os = Os::from_word(os)?;
        let (profile, rest) = rest.split_once('.')?;
        let (stamp, device) = rest.split_once('.')?;
        let civil = DateTime::strptime(STAMP, stamp).ok()?;
        let created = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let parsed = Self {
            profile: profile.to_owned(),
            created,
            device: device.to_owned(),
            os,
        };
        (Self::new(profile, created, device, os) == parsed && parsed.to_string() == name)
            .then_some(parsed)
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}.{}.{}.{}.zip",
            self.profile,
            self.created.strftime(STAMP),
            self.device,
            self.os.word()
        )
    }
}

/// Reduces `text` to `[A-Za-z0-9_-]`; `fallback` when nothing is left.
pub fn reduce_field(text: &str, fallback: &str) -> String {
    reduce(text, false, fallback)
}

/// Reduces a computer's name to `[A-Za-z0-9_-]` and inner dots.
pub fn reduce_device(text: &str) -> String {
    reduce(text, true, "computer")
}

fn reduce(text: &str, keep_dots: bool, fallback: &str) -> String {
    const LONGEST: usize = 64;
    let reduced: String = text
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => c,
            '.' if keep_dots => c,
            _ => '-',
        })
        .collect();
    let trimmed = reduced.trim_matches(['-', '.']);
    if trimmed.is_empty() {
        fallback
    } else {
        trimmed
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_reads_as_documented() {
        let created: Timestamp = "2026-11-22T08:09:10.5Z".parse().expect("a timestamp");
        let name = BackupName::new("work stuff", created, "MBP.local", Os::Macos);
        assert_eq!(
            name.to_string(),
            "work-stuff.20261122T080910Z.MBP.local.macos.zip"
        );
    }

    #[test]
    fn foreign_names_are_not_taken_for_ours() {
        for name in [
            "",
            ".zip",
            "photos.zip",
            "a.b.c.linux.zip",
            "default.20261122T080910Z.linux.zip",
            "default.20261322T080910Z.pc.linux.zip",
            "default.20261122T080910Z.pc.beos.zip",
            "default.20261122T080910Z.pc.linux.zip.tmp",
            "default.2026-1122T080910Z.pc.linux.zip",
            "a b.20261122T080910Z.pc.linux.zip",
            "cherry-studio.20261122080910.pc.linux.zip",
        ] {
            assert_eq!(BackupName::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_name_reads_back(profile in ".*", device in ".*", second in 0_i64..253_402_207_200, os in 0_usize..3) {
            let os = [Os::Linux, Os::Macos, Os::Windows][os];
            let created = Timestamp::from_second(second).expect("in range");
            let name = BackupName::new(&profile, created, &device, os);
            let text = name.to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
            prop_assert!(text.len() < 200);
            prop_assert_eq!(BackupName::parse(&text), Some(name));
        }

        #[test]
        fn no_text_makes_the_parser_fail(text in ".*") {
            let _: Option<BackupName> = BackupName::parse(&text);
        }
    }
}
