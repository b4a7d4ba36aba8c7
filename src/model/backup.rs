//! `Backup`: one row of the table, which is one archive at the destination.

use super::{BackupName, CherryStudioName, Os};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// One archive at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// File name; unique at its destination and what the terminal takes as BACKUP.
    pub name: String,
    /// Full key within the bucket, the root path included.
    pub key: String,
    /// When it was made: from the name where the name says it, else when the object was stored.
    pub created: Timestamp,
    /// Profile that made it, where the name says it.
    pub profile: Option<String>,
    /// Computer that made it, where the name says it.
    pub device: Option<String>,
    /// Operating system that made it, where the name says it.
    pub os: Option<Os>,
    /// Size of the archive.
    pub size_bytes: u64,
    /// Which program made it.
    pub origin: Origin,
    /// Version tag of the object as it was listed, where the destination has them.
    #[serde(skip)]
    pub version: Option<String>,
    /// What it holds, where this computer knows without opening it.
    #[serde(flatten)]
    pub contents: Option<Contents>,
}

/// By what the newest of several backups is found. One from the future was made when a clock was wrong:
/// any other counts as newer, or it would stay the newest until its time has come.
pub fn recency(created: Timestamp, now: Timestamp) -> (bool, Timestamp) {
    /// Clocks of several computers differ by so much without being wrong.
    const ALLOWED: SignedDuration = SignedDuration::from_hours(24);
    (created.duration_since(now) <= ALLOWED, created)
}

/// What an archive holds, as remembered from when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Contents {
    /// Regular files in it.
    pub files: u64,
    /// Files that should be in it and could not be read.
    pub missing: u64,
}

/// Which program made an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// This program.
    Zipkeep,
    /// Cherry Studio's own S3 backup.
    CherryStudio,
    /// Anything else that ends in `.zip`.
    Other,
}

impl Origin {
    /// The name that people know it by.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Zipkeep => "zipkeep",
            Self::CherryStudio => "Cherry Studio",
            Self::Other => "Other ZIP",
        }
    }
}

impl Backup {
    /// Describes the object `key` from what a listing tells about it.
    ///
    /// `stored` is the object's own time; a time in the name wins over it.
    pub fn from_listing(key: &str, size_bytes: u64, stored: Timestamp) -> Self {
        let name = key.rsplit('/').next().unwrap_or(key).to_owned();
        let mut backup = Self {
            key: key.to_owned(),
            created: stored,
            profile: None,
            device: None,
            os: None,
            size_bytes,
            origin: Origin::Other,
            version: None,
            contents: None,
            name,
        };
        if let Some(parsed) = BackupName::parse(&backup.name) {
            backup.origin = Origin::Zipkeep;
            backup.created = parsed.created;
            backup.profile = Some(parsed.profile);
            backup.device = Some(parsed.device);
            backup.os = Some(parsed.os);
        } else if let Some(cherry) = CherryStudioName::parse(&backup.name) {
            backup.origin = Origin::CherryStudio;
            backup.device = cherry.device;
            backup.os = cherry.os;
        }
        backup
    }
}
