//! `LineWatch`: tells a job's reporter what the line to the destination does, while the job runs.

use crate::engine::meter::Meter;
use crate::storage::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Looks at the line now and then until it is dropped.
#[derive(Debug)]
pub(super) struct LineWatch(JoinHandle<()>);

/// What of the line a job's progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// Bytes that are sent.
    Sent,
    /// Nothing: the job counts by itself.
    Nothing,
}

impl LineWatch {
    const LOOK_EVERY: Duration = Duration::from_millis(100);

    /// Begins to look. Must be called within a runtime.
    pub(super) fn begin(store: &Store, meter: &Arc<Meter>, counting: Counting) -> Self {
        let (store, meter) = (store.clone(), Arc::clone(meter));
        let sent_before = store.line().sent_bytes;
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Self::LOOK_EVERY).await;
                let line = store.line();
                if counting == Counting::Sent {
                    meter.transferred(line.sent_bytes - sent_before);
                }
                meter.trouble(line.trouble);
            }
        }))
    }
}

impl Drop for LineWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
