//! What an emulator was asked for, in the order of the answers.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    ListBuckets,
    HeadBucket,
    Location,
    List,
    ListUploads,
    DeleteBatch,
    Head,
    Get,
    Put,
    CopyObject,
    Delete,
    CreateUpload,
    UploadPart,
    CopyPart,
    ListParts,
    Complete,
    Abort,
    /// Anything else, which no emulator knows.
    Other,
}

impl Kind {
    pub(super) fn is_read(self) -> bool {
        matches!(
            self,
            Self::ListBuckets
                | Self::HeadBucket
                | Self::Location
                | Self::List
                | Self::ListUploads
                | Self::ListParts
                | Self::Head
                | Self::Get
        )
    }
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) method: String,
    pub(crate) host: String,
    /// Decoded, with the slash that it begins with.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body_bytes: usize,
    pub(crate) status: u16,
    /// Of a refusal.
    pub(crate) code: Option<&'static str>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
}

impl Ledger {
    pub(super) fn note(&self, seen: Seen) {
        self.lock().push(seen);
        self.changed.notify_all();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Waits until so many successes of a kind were answered.
    pub(super) fn wait_for(&self, kind: Kind, count: usize, within: Duration) -> bool {
        let until = Instant::now() + within;
        let is_it = |seen: &&Seen| seen.kind == kind && seen.status < 300;
        let mut seen = self.lock();
        while seen.iter().filter(is_it).count() < count {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
