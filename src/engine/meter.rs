//! `Meter`: counts what a job does, from any thread, and tells the reporter now and then.

use crate::engine::context::Context;
use crate::model::{Phase, Progress, Trouble};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two reports; a change of phase, and trouble that begins or ends, are told at once.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Counts what a job does.
#[derive(Debug)]
pub(super) struct Meter {
    context: Context,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    progress: Progress,
    told: Option<Instant>,
    found_files: u64,
    found_bytes: u64,
    is_all_found: bool,
    /// Bytes read from files by the whole job, also those that were only compared.
    read_bytes: u64,
    /// Bytes of files that are being compared: counted as dealt with before that is certain.
    comparing_bytes: u64,
}

/// Whether a change waits for the next report or is told at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Later,
    Now,
}

impl Meter {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            context: context.clone(),
            state: Mutex::new(State {
                progress: Progress::default(),
                told: None,
                found_files: 0,
                found_bytes: 0,
                is_all_found: false,
                read_bytes: 0,
                comparing_bytes: 0,
            }),
        }
    }

    /// Begins a phase; its numbers start from nothing.
    pub(super) fn begin(&self, phase: Phase) {
        self.change(Urgency::Now, |progress| {
            *progress = Progress {
                phase,
                ..Progress::default()
            };
        });
    }

    /// Begins a phase whose size is known.
    pub(super) fn begin_sized(&self, phase: Phase, files: u64, bytes: u64) {
        self.change(Urgency::Now, |progress| {
            *progress = Progress {
                phase,
                files_total: Some(files),
                bytes_total: Some(bytes),
                ..Progress::default()
            };
        });
    }

    /// Counts a file that there is to deal with.
    pub(super) fn found_file(&self, bytes: u64) {
        let mut state = self.lock();
        state.found_files += 1;
        state.found_bytes += bytes;
        if state.progress.phase == Phase::Scanning {
            drop(state);
            self.change(Urgency::Later, |progress| {
                progress.files_done += 1;
                progress.bytes_done += bytes;
            });
        }
    }

    /// Says that no more files will be found.
    pub(super) fn found_all(&self) {
        let mut state = self.lock();
        let (files, bytes) = (state.found_files, state.found_bytes);
        state.is_all_found = true;
        drop(state);
        self.change(Urgency::Later, |progress| {
            progress.files_total = Some(files);
            progress.bytes_total = Some(bytes);
        });
    }

    /// Begins the phase that deals with what is found meanwhile.
    pub(super) fn begin_found(&self, phase: Phase) {
        let state = self.lock();
        let totals = state
            .is_all_found
            .then_some((state.found_files, state.found_bytes));
        drop(state);
        self.change(Urgency::Now, |progress| {
            *progress = Progress {
                phase,
                files_total: totals.map(|(files, _)| files),
                bytes_total: totals.map(|(_, bytes)| bytes),
                ..Progress::default()
            };
        });
    }

    /// Forgets what was found: the walk begins anew.
    pub(super) fn find_anew(&self) {
        let mut state = self.lock();
        (state.found_files, state.found_bytes, state.is_all_found) = (0, 0, false);
    }

    /// Bytes of files found so far, and whether that is all of them.
    pub(super) fn found_bytes(&self) -> (u64, bool) {
        let state = self.lock();
        (state.found_bytes, state.is_all_found)
    }

    /// Says what is wrong with the line, or that nothing is.
    pub(super) fn trouble(&self, trouble: Option<Trouble>) {
        let before = self.lock().progress.trouble.clone();
        if before == trouble {
            return;
        }
        // While nothing moves, nothing else would carry it later.
        let urgency = if before.is_some() == trouble.is_some() {
            Urgency::Later
        } else {
            Urgency::Now
        };
        self.change(urgency, |progress| progress.trouble = trouble);
    }

    /// Names what is worked on.
    pub(super) fn working_on(&self, name: &str) {
        self.change(Urgency::Later, |progress| match &mut progress.current {
            Some(current) => name.clone_into(current),
            None => progress.current = Some(name.to_owned()),
        });
    }

    /// Counts bytes of files dealt with.
    pub(super) fn add_bytes(&self, bytes: u64) {
        self.change(Urgency::Later, |progress| progress.bytes_done += bytes);
    }

    /// Counts bytes that were read from this computer's files.
    pub(super) fn add_read(&self, bytes: u64) {
        self.lock().read_bytes += bytes;
    }

    /// Bytes read from this computer's files so far, by all attempts of the job.
    pub(super) fn read_bytes(&self) -> u64 {
        self.lock().read_bytes
    }

    /// Counts bytes of a file that is being compared, which takes a while where it is big.
    pub(super) fn comparing(&self, bytes: u64) {
        let mut state = self.lock();
        state.read_bytes += bytes;
        state.comparing_bytes += bytes;
        drop(state);
        self.add_bytes(bytes);
    }

    /// A file that was being compared has to be sent: its bytes come once more.
    pub(super) fn compared_in_vain(&self) {
        let bytes = std::mem::take(&mut self.lock().comparing_bytes);
        self.change(Urgency::Later, |progress| {
            progress.bytes_done = progress.bytes_done.saturating_sub(bytes);
        });
    }

    /// A file that was being compared is the same.
    pub(super) fn compared(&self) {
        self.lock().comparing_bytes = 0;
    }

    /// Counts a file dealt with.
    pub(super) fn add_file(&self) {
        self.change(Urgency::Later, |progress| progress.files_done += 1);
    }

    /// Says how many bytes went over the line in this phase so far.
    pub(super) fn transferred(&self, bytes: u64) {
        self.change(Urgency::Later, |progress| {
            progress.bytes_transferred = bytes;
        });
    }

    /// Counts bytes that went over the line.
    pub(super) fn add_transferred(&self, bytes: u64) {
        self.change(Urgency::Later, |progress| {
            progress.bytes_transferred += bytes;
        });
    }

    fn change(&self, urgency: Urgency, change: impl FnOnce(&mut Progress)) {
        let mut state = self.lock();
        change(&mut state.progress);
        let is_due = state.told.is_none_or(|told| told.elapsed() >= REPORT_EVERY);
        if is_due || urgency == Urgency::Now {
            state.told = Some(Instant::now());
            // Within the lock: else what is told last might be what was so before.
            self.context.report(state.progress.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers are whole at any time, also after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
