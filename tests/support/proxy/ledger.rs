//! What the proxy has seen, and who waits for what it will see.

use super::fault::Fault;
use super::head::RequestHead;
use super::step::Step;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A point in the life of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Moment {
    /// Its head has come; the server knows nothing of it yet.
    Arrives,
    /// The server has answered, so it is executed; the client knows nothing of it yet.
    Answered,
}

/// One request as it was seen. Numbers are as far as they have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenRequest {
    pub(crate) step: Step,
    /// Path and query as sent.
    pub(crate) target: String,
    /// The part's number, where it is about one.
    pub(crate) part_number: Option<u32>,
    /// The part's size, sent or copied.
    pub(crate) part_bytes: Option<u64>,
    /// What range of the object is asked for.
    pub(crate) range: Option<String>,
    /// Status of the answer, the server's or the proxy's own; `None` where there was none.
    pub(crate) status: Option<u16>,
    /// The fault that hit it.
    pub(crate) fault: Option<Fault>,
    /// Bytes of its head.
    pub(crate) head_bytes: u64,
    /// Bytes of its body that went on to the server, framing included.
    pub(crate) body_bytes: u64,
    /// Bytes that the client was sent, heads included.
    pub(crate) answer_bytes: u64,
}

/// Sums over requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Those that a fault has hit.
    pub(crate) faults: u64,
    /// Heads and bodies of requests.
    pub(crate) bytes_up: u64,
    /// Bodies alone.
    pub(crate) body_bytes_up: u64,
    /// Heads and bodies of answers.
    pub(crate) bytes_down: u64,
}

/// Everything seen since the proxy began, or since it was told to count anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// In order of arrival.
    pub(crate) requests: Vec<SeenRequest>,
}

impl Seen {
    /// The requests of one step.
    pub(crate) fn of(&self, step: Step) -> impl Iterator<Item = &SeenRequest> {
        self.requests.iter().filter(move |seen| seen.step == step)
    }

    /// Requests of one step.
    pub(crate) fn count(&self, step: Step) -> u64 {
        self.tally(step).requests
    }

    /// Sums over one step.
    pub(crate) fn tally(&self, step: Step) -> Tally {
        sum(self.of(step))
    }

    /// Sums over everything.
    pub(crate) fn total(&self) -> Tally {
        sum(self.requests.iter())
    }
}

/// One line for each step that was seen.
impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in Step::ALL.into_iter().chain([Step::Other]) {
            let tally = self.tally(step);
            if tally.requests > 0 {
                writeln!(
                    formatter,
                    "{step}: {} requests, {} faults, {} bytes up, {} bytes down",
                    tally.requests, tally.faults, tally.bytes_up, tally.bytes_down
                )?;
            }
        }
        Ok(())
    }
}

fn sum<'a>(requests: impl Iterator<Item = &'a SeenRequest>) -> Tally {
    requests.fold(Tally::default(), |sum, seen| Tally {
        requests: sum.requests + 1,
        faults: sum.faults + u64::from(seen.fault.is_some()),
        bytes_up: sum.bytes_up + seen.head_bytes + seen.body_bytes,
        body_bytes_up: sum.body_bytes_up + seen.body_bytes,
        bytes_down: sum.bytes_down + seen.answer_bytes,
    })
}

/// One request while it is under way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) step: Step,
    pub(super) fault: Option<Fault>,
    pub(super) body_bytes: AtomicU64,
    pub(super) answer_bytes: AtomicU64,
    target: String,
    upload_id: Option<String>,
    part_number: Option<u32>,
    part_bytes: Option<u64>,
    range: Option<String>,
    head_bytes: u64,
    /// 0 before there is an answer.
    status: AtomicU16,
}

impl Entry {
    pub(super) fn new(head: &RequestHead, head_bytes: usize, fault: Option<Fault>) -> Self {
        Self {
            step: Step::of(head),
            fault,
            body_bytes: AtomicU64::new(0),
            answer_bytes: AtomicU64::new(0),
            target: head.target.clone(),
            upload_id: head.query("uploadId").map(ToOwned::to_owned),
            part_number: head.part_number(),
            part_bytes: head.part_bytes(),
            range: head.header("range").map(ToOwned::to_owned),
            head_bytes: head_bytes as u64,
            status: AtomicU16::new(0),
        }
    }

    pub(super) fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    fn seen(&self) -> SeenRequest {
        let status = self.status.load(Ordering::Relaxed);
        SeenRequest {
            step: self.step,
            target: self.target.clone(),
            part_number: self.part_number,
            part_bytes: self.part_bytes,
            range: self.range.clone(),
            status: (status != 0).then_some(status),
            fault: self.fault,
            head_bytes: self.head_bytes,
            body_bytes: self.body_bytes.load(Ordering::Relaxed),
            answer_bytes: self.answer_bytes.load(Ordering::Relaxed),
        }
    }
}

/// What is done when a moment comes.
pub(super) type Act = Box<dyn FnOnce() + Send>;

/// All requests of a proxy.
#[derive(Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
    changed: Condvar,
}

#[derive(Default)]
struct Pages {
    entries: Vec<Arc<Entry>>,
    counts: HashMap<(Step, Moment), u64>,
    hooks: Vec<(Step, u64, Moment, Act)>,
}

impl Ledger {
    pub(super) fn add(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        self.pages().entries.push(Arc::clone(&entry));
        entry
    }

    /// Counts a moment, wakes who waits for it, and gives what is to be done before it goes on.
    pub(super) fn reach(&self, step: Step, moment: Moment) -> Vec<Act> {
        let mut pages = self.pages();
        let count = pages.counts.entry((step, moment)).or_default();
        *count += 1;
        let count = *count;
        let is_due =
            |hook: &mut (Step, u64, Moment, Act)| (hook.0, hook.1, hook.2) == (step, count, moment);
        let due = pages.hooks.extract_if(.., is_due).map(|hook| hook.3);
        let due = due.collect();
        drop(pages);
        self.changed.notify_all();
        due
    }

    pub(super) fn at(&self, step: Step, number: u64, moment: Moment, act: Act) {
        self.pages().hooks.push((step, number, moment, act));
    }

    /// Waits on this thread; whether the moment came in time.
    pub(super) fn wait_for(
        &self,
        step: Step,
        number: u64,
        moment: Moment,
        within: Duration,
    ) -> bool {
        let end = Instant::now() + within;
        let mut pages = self.pages();
        while pages.counts.get(&(step, moment)).copied().unwrap_or(0) < number {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.changed.wait_timeout(pages, left);
            pages = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(super) fn seen(&self) -> Seen {
        let pages = self.pages();
        let requests = pages.entries.iter().map(|entry| entry.seen()).collect();
        Seen { requests }
    }

    /// Sizes of the parts that the server has taken for an upload, by number; the latest counts.
    pub(super) fn parts_of(&self, upload_id: &str) -> HashMap<u32, u64> {
        let pages = self.pages();
        let taken = pages.entries.iter().filter(|entry| {
            entry.upload_id.as_deref() == Some(upload_id)
                && entry.status.load(Ordering::Relaxed) == 200
        });
        taken
            .filter_map(|entry| Some((entry.part_number?, entry.part_bytes?)))
            .collect()
    }

    pub(super) fn count_anew(&self) {
        let mut pages = self.pages();
        pages.entries.clear();
        pages.counts.clear();
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.seen())
    }
}
