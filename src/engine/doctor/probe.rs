//! The objects that the doctor writes, and that are gone when it has ended.

use super::sheet::{CheckId, Sheet};
use super::words;
use crate::storage::{Fault, Store};
use bytes::Bytes;
use std::sync::Mutex;
use std::sync::PoisonError;

/// A small object, and the copy that the destination makes of it.
pub(super) struct Probe<'a> {
    pub(super) store: &'a Store,
    pub(super) key: String,
    pub(super) copy_key: String,
    pub(super) content: Bytes,
    written: Mutex<Vec<String>>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        let name = format!(".zipkeep-probe-{:016x}", fresh_number());
        Self {
            store,
            key: store.key(&name),
            copy_key: store.key(&format!("{name}-copy")),
            content: Bytes::from(format!("zipkeep connection test {name}\n")),
            written: Mutex::default(),
        }
    }

    /// Notes that an object may be there from now on.
    pub(super) fn will_be(&self, key: &str) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push(key.to_owned());
    }

    /// Whether an object may be there.
    pub(super) fn may_be(&self, key: &str) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.iter().any(|one| one == key)
    }

    /// Deletes all of it, and says whether the keys allow that.
    pub(super) async fn remove(&self, sheet: &mut Sheet) {
        let written = self.take_written();
        if written.is_empty() {
            return;
        }
        let mut failed = None;
        for key in &written {
            match self.store.delete(key).await {
                Err(error) if error.fault() == Fault::NoObject => {}
                Err(error) => failed = failed.or(Some((key, error))),
                Ok(()) => {}
            }
        }
        match failed {
            None => sheet.passed(CheckId::Delete, "What was written was deleted again"),
            Some((key, error)) if error.fault() == Fault::Denied => {
                sheet.warned(
                    CheckId::Delete,
                    words::may_not_delete(key),
                    words::NO_DELETE,
                );
                sheet.add_refusal(&error);
            }
            Some((_, error)) => sheet.failed(CheckId::Delete, &error),
        }
    }

    /// The same when the job was cancelled: a failure has nobody left to tell.
    pub(super) async fn take_back(&self) {
        for key in self.take_written() {
            self.store.delete_if_there(&key).await.ok();
        }
    }

    fn take_written(&self) -> Vec<String> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *written)
    }
}

/// A number that hardly comes twice: of the time and of this process.
fn fresh_number() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond();
    let seed = format!("{now} {}", std::process::id());
    let hash = blake3::hash(seed.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}
