//! `LineWatch`: tells a job's reporter what the line to the destination does, while the job runs.

use crate::engine::meter::Meter;
use crate::storage::Store;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Looks at the line now and then until it is dropped. What was wrong then is told to be over: nobody
/// waits for the line any more.
#[derive(Debug)]
pub(super) struct LineWatch {
    looking: JoinHandle<()>,
    meter: Arc<Meter>,
    watching: Arc<Mutex<Watching>>,
}

/// Whether the watch still tells anything. A look may be under way when the watch is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watching {
    On,
    Over,
}

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
        let store = store.clone();
        let sent_before = store.line().sent_bytes;
        let watching = Arc::new(Mutex::new(Watching::On));
        let (told, asked) = (Arc::clone(meter), Arc::clone(&watching));
        let looking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Self::LOOK_EVERY).await;
                let line = store.line();
                let watching = asked.lock().unwrap_or_else(PoisonError::into_inner);
                if *watching == Watching::Over {
                    return;
                }
                if counting == Counting::Sent {
                    told.transferred(line.sent_bytes - sent_before);
                }
                told.trouble(line.trouble);
            }
        });
        Self {
            looking,
            meter: Arc::clone(meter),
            watching,
        }
    }
}

impl Drop for LineWatch {
    fn drop(&mut self) {
        self.looking.abort();
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        *watching = Watching::Over;
        self.meter.trouble(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::context::Context;
    use crate::model::{Destination, FolderDestination, Progress, Reporter, Trouble};
    use crate::storage::{self, Patience};
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn trouble_is_over_when_nobody_waits_for_the_line_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let destination = Destination::Folder(FolderDestination {
            path: folder.path().to_owned(),
        });
        let store = storage::open(&destination, None, Patience::Patient).expect("opened");
        let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
        let telling = Arc::clone(&told);
        let reporter = Reporter::new(move |progress| {
            telling.lock().expect("nobody panics").push(progress);
        });
        let context = Context::new(reporter, CancellationToken::new(), folder.path());
        let meter = Arc::new(Meter::new(&context));
        let watch = LineWatch::begin(&store, &meter, Counting::Nothing);
        drop(LineWatch::begin(&store, &meter, Counting::Nothing));
        assert!(told.lock().expect("whole").is_empty(), "there was none");
        meter.trouble(Some(Trouble {
            reason: "No answer yet".to_owned(),
            silent_secs: 4,
            attempt: 1,
            attempts: Some(8),
            next_attempt_secs: None,
        }));
        drop(watch);
        let told = told.lock().expect("whole");
        let troubles: Vec<bool> = told.iter().map(|told| told.trouble.is_some()).collect();
        assert_eq!(troubles, [true, false], "told at once, both");
    }
}
