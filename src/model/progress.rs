//! How far a job is (`Progress`), who is told (`Reporter`), and what went wrong on the way (`Warning`).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a job is doing now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nothing was sent yet: opening the destination.
    #[default]
    Connecting,
    /// Looking for files to back up.
    Scanning,
    /// Reading, compressing and sending files.
    Uploading,
    /// Completing the upload.
    Finishing,
    /// Reading back what was stored.
    Checking,
    /// Fetching and checking files, before anything is touched.
    Downloading,
    /// Moving checked files to their places.
    Placing,
    /// Removing objects.
    Deleting,
    /// Reading a backup back in full.
    Verifying,
}

impl Phase {
    /// The word that people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Scanning => "Looking for files",
            Self::Uploading => "Backing up",
            Self::Finishing => "Finishing",
            Self::Checking => "Checking",
            Self::Downloading => "Downloading",
            Self::Placing => "Putting files in place",
            Self::Deleting => "Deleting",
            Self::Verifying => "Verifying",
        }
    }
}

/// How far a job is. Numbers only grow within a phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Files dealt with.
    pub files_done: u64,
    /// Files in all, once known.
    pub files_total: Option<u64>,
    /// Bytes of files dealt with, before compression.
    pub bytes_done: u64,
    /// Bytes of files in all, once known.
    pub bytes_total: Option<u64>,
    /// Bytes that went over the line, either way.
    pub bytes_transferred: u64,
    /// What is worked on now, as people know it.
    pub current: Option<String>,
    /// Why nothing moves just now, if so.
    pub trouble: Option<Trouble>,
}

/// Why nothing moves just now, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What is wrong, in plain words, with the provider's code where it gave one.
    pub reason: String,
    /// How long no byte has moved.
    pub silent_secs: u64,
    /// Which attempt at the same request this is, counted from 1.
    pub attempt: u32,
    /// How many attempts there will be; `None` where only time limits them.
    pub attempts: Option<u32>,
    /// Time to the next attempt; `None` while one is under way.
    pub next_attempt_secs: Option<u64>,
}

/// Takes in progress. It only stores numbers or wakes somebody: it never draws and never waits.
#[derive(Clone)]
pub struct Reporter(Arc<dyn Fn(Progress) + Send + Sync>);

impl Reporter {
    /// Calls `report` at most ten times a second, and at once when the phase changes and when
    /// trouble begins or ends.
    pub fn new(report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// Passes `progress` on.
    pub fn report(&self, progress: Progress) {
        (self.0)(progress);
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reporter")
    }
}

/// Something that went wrong with one file while the rest went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The file or entry, as people know it.
    pub path: String,
    /// What was wrong, in plain words.
    pub reason: String,
}
