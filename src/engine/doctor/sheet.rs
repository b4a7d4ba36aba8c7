//! What the doctor found: one graded line a check, what was learnt about the destination, and what lies
//! about there.

use crate::model::{Addressing, S3Destination};
use crate::storage::{Refusal, StorageError};
use serde::Serialize;
use std::time::Instant;

/// What came of testing a destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// One line a check, in the order in which they build on each other.
    pub checks: Vec<Check>,
    /// Those of them that were not reached, because one before them failed.
    pub not_reached: Vec<CheckId>,
    /// What should be changed in the settings; nothing where they are right.
    pub learnt: Learnt,
    /// Unfinished uploads at the destination.
    pub leftovers: Leftovers,
}

/// One check of a destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Short name that scripts can rely on.
    pub id: CheckId,
    /// How it went.
    pub outcome: CheckOutcome,
    /// What was found, in plain words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Time taken.
    pub millis: u64,
    /// What the provider said when it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// What is looked at. Scripts rely on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The settings make an address.
    Settings,
    /// The host's name is known.
    Address,
    /// Somebody listens.
    Port,
    /// The line is secure.
    Tls,
    /// This computer's clock is right.
    Clock,
    /// How requests name the bucket.
    Style,
    /// The region to sign for.
    Region,
    /// The access key id and the secret.
    Keys,
    /// The bucket is there.
    Bucket,
    /// Listing.
    List,
    /// Writing.
    Write,
    /// Reading back.
    Read,
    /// Copying at the destination, from which only changes need to be sent.
    Copy,
    /// Not overwriting what is there.
    Condition,
    /// What strangers can do.
    Public,
    /// Deleting.
    Delete,
    /// What earlier uploads left.
    Unfinished,
}

impl Check {
    /// What was found and what the provider said, one thing a line, for "Copy details"; `None` where the
    /// provider said nothing.
    pub fn details(&self) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        let said = refusal
            .lines()
            .map(|(name, value)| format!("{name}: {value}"));
        let found = format!("{}: {}", self.id.word(), self.message);
        let lines: Vec<String> = std::iter::once(found).chain(said).collect();
        (lines.len() > 1).then(|| lines.join("\n"))
    }
}

impl CheckId {
    /// The checks of a bucket, in order.
    pub const OF_A_BUCKET: [Self; 17] = [
        Self::Settings,
        Self::Address,
        Self::Port,
        Self::Tls,
        Self::Clock,
        Self::Style,
        Self::Region,
        Self::Keys,
        Self::Bucket,
        Self::List,
        Self::Write,
        Self::Read,
        Self::Copy,
        Self::Condition,
        Self::Public,
        Self::Delete,
        Self::Unfinished,
    ];
    /// The checks of a folder, in order.
    pub const OF_A_FOLDER: [Self; 4] = [Self::List, Self::Write, Self::Read, Self::Delete];

    /// What is said of a check that was not reached.
    const fn not_tried(self) -> &'static str {
        match self {
            Self::Settings | Self::Address | Self::Port | Self::Tls => "Not looked at",
            Self::Clock => "The clock was not compared",
            Self::Style | Self::Region => "It was not found out",
            Self::Keys => "The keys were not tried",
            Self::Bucket => "The bucket was not looked for",
            Self::List => "Listing was not tried",
            Self::Write => "Writing was not tried",
            Self::Read => "Reading was not tried",
            Self::Copy => "Copying was not tried",
            Self::Condition => "Overwriting was not tried",
            Self::Public => "What strangers can do was not tried",
            Self::Delete => "Deleting was not tried",
            Self::Unfinished => "Unfinished uploads were not looked for",
        }
    }

    /// The same name that scripts see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Address => "address",
            Self::Port => "port",
            Self::Tls => "tls",
            Self::Clock => "clock",
            Self::Style => "style",
            Self::Region => "region",
            Self::Keys => "keys",
            Self::Bucket => "bucket",
            Self::List => "list",
            Self::Write => "write",
            Self::Read => "read",
            Self::Copy => "copy",
            Self::Condition => "condition",
            Self::Public => "public",
            Self::Delete => "delete",
            Self::Unfinished => "unfinished",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// As it should.
    Pass,
    /// Works, with something to know.
    Warn,
    /// Does not work, or is a danger.
    Fail,
    /// Not tried, because something before it failed or it does not apply.
    Skip,
}

/// What the destination wants otherwise than the settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Learnt {
    /// How requests must name the bucket.
    pub addressing: Option<Addressing>,
    /// The region that the bucket is in.
    pub region: Option<String>,
}

impl Learnt {
    /// Changes the settings accordingly.
    pub fn correct(&self, settings: &mut S3Destination) {
        settings.addressing = self.addressing.or(settings.addressing);
        if let Some(region) = &self.region {
            settings.move_to_region(region);
        }
    }

    /// Whether there is anything to change.
    pub fn is_empty(&self) -> bool {
        self.addressing.is_none() && self.region.is_none()
    }
}

/// Unfinished uploads under the root path: storage that is paid for and of no use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// How many.
    pub uploads: u64,
    /// Those of them that were begun more than a day ago: nobody is still at them.
    pub old_uploads: u64,
    /// Bytes of their parts; `None` where the destination does not tell.
    pub bytes: Option<u64>,
}

impl TestReport {
    /// The worst outcome of all.
    pub fn outcome(&self) -> CheckOutcome {
        let has = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        if has(CheckOutcome::Fail) {
            CheckOutcome::Fail
        } else if has(CheckOutcome::Warn) {
            CheckOutcome::Warn
        } else {
            CheckOutcome::Pass
        }
    }

    /// The first check that failed.
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks
            .iter()
            .find(|check| check.outcome == CheckOutcome::Fail)
    }

    /// All of it in one sentence.
    pub fn verdict(&self) -> &'static str {
        let failed = |id| {
            let mut checks = self.checks.iter();
            checks.any(|check| check.id == id && check.outcome == CheckOutcome::Fail)
        };
        let others = self
            .checks
            .iter()
            .filter(|check| check.id != CheckId::Public);
        let others_work = others
            .clone()
            .all(|check| check.outcome != CheckOutcome::Fail);
        match self.outcome() {
            CheckOutcome::Fail if others_work && failed(CheckId::Public) => {
                "The connection works, but strangers have access to the bucket"
            }
            CheckOutcome::Fail if !self.learnt.is_empty() => {
                "The connection works once the settings are corrected"
            }
            CheckOutcome::Fail => "The connection does not work",
            CheckOutcome::Warn => "The connection works, with a remark",
            CheckOutcome::Pass | CheckOutcome::Skip => "The connection works",
        }
    }
}

/// The sheet that the checks are written on.
#[derive(Debug)]
pub(super) struct Sheet {
    checks: Vec<Check>,
    pub(super) learnt: Learnt,
    pub(super) leftovers: Leftovers,
    began: Instant,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            learnt: Learnt::default(),
            leftovers: Leftovers::default(),
            began: Instant::now(),
        }
    }
}

impl Sheet {
    pub(super) fn passed(&mut self, id: CheckId, message: impl Into<String>) {
        self.write(id, CheckOutcome::Pass, message.into(), None);
    }

    pub(super) fn skipped(&mut self, id: CheckId, message: impl Into<String>) {
        self.write(id, CheckOutcome::Skip, message.into(), None);
    }

    pub(super) fn warned(&mut self, id: CheckId, message: impl Into<String>, hint: &str) {
        self.write(
            id,
            CheckOutcome::Warn,
            message.into(),
            Some(hint.to_owned()),
        );
    }

    pub(super) fn refused(&mut self, id: CheckId, message: impl Into<String>, hint: &str) {
        self.write(
            id,
            CheckOutcome::Fail,
            message.into(),
            Some(hint.to_owned()),
        );
    }

    /// It failed, and the error says why and what to do.
    pub(super) fn failed(&mut self, id: CheckId, error: &StorageError) {
        self.failed_with(id, error, error.hint());
    }

    /// It failed, and here is better advice than the error's own.
    pub(super) fn failed_with(&mut self, id: CheckId, error: &StorageError, hint: &str) {
        tracing::info!(check = id.word(), ?error, "a connection check failed");
        self.refused(id, error.to_string(), hint);
        self.add_refusal(error);
    }

    /// Says the line just written in other words.
    pub(super) fn reword(&mut self, message: String) {
        if let Some(check) = self.checks.last_mut() {
            check.message = message;
        }
    }

    /// Adds what the provider said to the line just written.
    pub(super) fn add_refusal(&mut self, error: &StorageError) {
        if let Some(check) = self.checks.last_mut() {
            let refusal = error.refusal().clone();
            check.refusal = refusal.status.is_some().then_some(refusal);
        }
    }

    fn write(&mut self, id: CheckId, outcome: CheckOutcome, message: String, hint: Option<String>) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.began = Instant::now();
        let check = Check {
            id,
            outcome,
            message,
            hint,
            millis,
            refusal: None,
        };
        // What is found later is known better.
        self.checks.retain(|earlier| earlier.id != id);
        self.checks.push(check);
    }

    /// The report: what was not reached is told as such.
    pub(super) fn finish(mut self, asked: &[CheckId]) -> TestReport {
        let done = std::mem::take(&mut self.checks);
        let mut checks = Vec::with_capacity(asked.len());
        let is_done = |id: &CheckId| done.iter().any(|check| check.id == *id);
        let not_reached = asked.iter().copied().filter(|id| !is_done(id)).collect();
        for id in asked {
            let found = done.iter().find(|check| check.id == *id).cloned();
            checks.push(found.unwrap_or_else(|| Check {
                id: *id,
                outcome: CheckOutcome::Skip,
                message: id.not_tried().to_owned(),
                hint: None,
                millis: 0,
                refusal: None,
            }));
        }
        TestReport {
            checks,
            not_reached,
            learnt: self.learnt,
            leftovers: self.leftovers,
        }
    }
}
