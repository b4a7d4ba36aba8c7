//! `Line`: what went over the line to a destination, and what is wrong with it at the moment.
//!
//! Each [`Operation`] is one thing asked for, with all of its attempts; at most one request of it is
//! in flight. The transport tells it what moves; the attempts tell it what failed and what is waited for.

use super::deadline::Load;
use super::error::AnswerHead;
use crate::model::Trouble;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Silence that a person is told of.
const NOTICED_SILENCE: Duration = Duration::from_secs(3);

/// Bytes and requests so far, and what is wrong at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineStatus {
    /// Bytes of bodies that went out, those of failed attempts included.
    pub sent_bytes: u64,
    /// Bytes of bodies that came in.
    pub received_bytes: u64,
    /// Requests, with pages and further attempts.
    pub requests: u64,
    /// Why nothing moves just now, if so.
    pub trouble: Option<Trouble>,
}

/// The line of one destination, shared by all of its clients.
#[derive(Debug, Default)]
pub(super) struct Line {
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    requests: AtomicU64,
    watched: Mutex<Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    next_id: u64,
    /// When something of use last moved, whoever it was for.
    moved: Option<Instant>,
    operations: BTreeMap<u64, Doing>,
}

/// What an operation is doing.
#[derive(Debug)]
struct Doing {
    began: Instant,
    attempt: u32,
    attempts: Option<u32>,
    /// When a byte of it last moved, or a request of it began.
    moved: Instant,
    /// When something of use last moved for it.
    progress: Option<Instant>,
    /// Why the last attempt failed, and when.
    failed: Option<(String, Instant)>,
    /// When the next attempt begins, while it waits.
    next_attempt: Option<Instant>,
    /// How long the server asked us to stay away.
    retry_after: Option<Duration>,
    /// What the head of the last refusal told.
    refused: AnswerHead,
    load: Load,
    /// Whether there is something of the request that we still hold.
    body: SentBody,
}

/// How much of a request's body was taken from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SentBody {
    Partly,
    Wholly,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Received,
    /// In an answer that says no: the line lives, but nothing goes on.
    Refused,
}

/// One thing asked for. The transport finds it as [`Operation::current`].
#[derive(Debug)]
pub(super) struct Operation {
    line: Arc<Line>,
    id: u64,
    silence: Duration,
}

/// Keeps an operation in sight for as long as somebody waits for it.
#[derive(Debug)]
pub(super) struct InSight(pub(super) Arc<Operation>);

tokio::task_local! {
    static CURRENT: Arc<Operation>;
}

impl Line {
    /// Begins an operation that may be silent for `silence`, and for what its load takes.
    pub(super) fn begin(
        self: &Arc<Self>,
        attempts: Option<u32>,
        silence: Duration,
        load: Load,
    ) -> InSight {
        let mut watched = self.lock();
        let id = watched.next_id;
        watched.next_id += 1;
        let doing = Doing {
            began: Instant::now(),
            attempt: 1,
            attempts,
            moved: Instant::now(),
            progress: None,
            failed: None,
            next_attempt: None,
            retry_after: None,
            refused: AnswerHead::default(),
            load,
            body: SentBody::Partly,
        };
        watched.operations.insert(id, doing);
        InSight(Arc::new(Operation {
            line: Arc::clone(self),
            id,
            silence,
        }))
    }

    /// Counts a request that no transport of ours counts.
    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes that no transport of ours counts.
    pub(super) fn count_bytes(&self, way: Way, bytes: u64) {
        let counter = match way {
            Way::Sent => &self.sent_bytes,
            Way::Received | Way::Refused => &self.received_bytes,
        };
        counter.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How things stand.
    pub(super) fn status(&self) -> LineStatus {
        LineStatus {
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            received_bytes: self.received_bytes.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            trouble: self.trouble(Instant::now()),
        }
    }

    fn trouble(&self, now: Instant) -> Option<Trouble> {
        let watched = self.lock();
        let doing = watched.operations.values();
        let told = doing.filter_map(|doing| doing.trouble(watched.moved, now));
        told.max_by_key(|trouble| trouble.silent_secs)
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doing {
    /// Silence that is no trouble yet.
    fn expected_silence(&self) -> Duration {
        match self.body {
            SentBody::Partly => self.load.silent_work(),
            SentBody::Wholly => self.load.silent_work() + self.load.silent_rest(),
        }
    }

    /// What is wrong, if something is; `moved` is when something of use last moved on the line.
    fn trouble(&self, moved: Option<Instant>, now: Instant) -> Option<Trouble> {
        let since = |at: Instant| {
            let at = moved.map_or(at, |moved| moved.max(at));
            now.saturating_duration_since(at)
        };
        // A server that is asked for work is expected to be silent for a while. That the system is
        // still at sending is likely only for a moment: a person is told before it is given up.
        let work = self.load.silent_work();
        let rest = self.expected_silence().saturating_sub(work);
        let noticed = NOTICED_SILENCE + work / 4 + rest / 32;
        let is_silent = since(self.moved) >= noticed;
        let waits = self.next_attempt.is_some();
        let failed = self.failed.as_ref().filter(|(_, at)| {
            let nothing_since = moved.is_none_or(|moved| moved <= *at);
            nothing_since || (waits && is_silent)
        });
        let reason = match failed {
            Some((reason, _)) if waits || !is_silent => reason.clone(),
            _ if is_silent && !waits => "No answer yet".to_owned(),
            _ => return None,
        };
        let next = self.next_attempt;
        Some(Trouble {
            reason,
            silent_secs: since(self.progress.unwrap_or(self.began)).as_secs(),
            attempt: self.attempt,
            attempts: self.attempts,
            next_attempt_secs: next.map(|at| round_up(at.saturating_duration_since(now))),
        })
    }
}

fn round_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

impl Operation {
    /// Runs `work` as an attempt of this operation.
    pub(super) async fn attempt<T>(
        self: &Arc<Self>,
        number: u32,
        work: impl Future<Output = T>,
    ) -> T {
        self.with(|doing| {
            doing.attempt = number;
            doing.next_attempt = None;
        });
        CURRENT.scope(Arc::clone(self), work).await
    }

    /// The operation whose attempt is running; `None` outside of one.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// A request goes out.
    pub(super) fn asks(&self) {
        self.line.count_request();
        self.with(|doing| {
            doing.moved = Instant::now();
            doing.body = SentBody::Partly;
        });
    }

    /// All of the request's body was taken; the system may still be at sending it.
    pub(super) fn all_taken(&self) {
        self.with(|doing| doing.body = SentBody::Wholly);
    }

    /// Bytes moved.
    pub(super) fn moved(&self, way: Way, bytes: u64) {
        self.line.count_bytes(way, bytes);
        let mut watched = self.line.lock();
        let now = Instant::now();
        let progress = (way != Way::Refused).then_some(now);
        watched.moved = progress.or(watched.moved);
        if let Some(doing) = watched.operations.get_mut(&self.id) {
            doing.moved = now;
            doing.progress = progress.or(doing.progress);
        }
    }

    /// Waits until nothing has moved for too long, which may be never. Gives for how long.
    pub(super) async fn gone_silent(&self) -> Duration {
        loop {
            let (moved, allowed) = self.silence_allowed();
            if moved.elapsed() >= allowed {
                return allowed;
            }
            tokio::time::sleep_until(moved + allowed).await;
        }
    }

    /// When something last moved, and how long nothing may.
    fn silence_allowed(&self) -> (Instant, Duration) {
        let known = self.with(|doing| (doing.moved, self.silence + doing.expected_silence()));
        known.unwrap_or_else(|| (Instant::now(), self.silence))
    }

    /// When something of use last moved; `None` before that.
    pub(super) fn progress(&self) -> Option<Instant> {
        self.with(|doing| doing.progress).flatten()
    }

    /// The server asks us to stay away for so long.
    pub(super) fn told_to_wait(&self, time: Duration) {
        self.with(|doing| doing.retry_after = Some(time));
    }

    /// How long the server asked us to stay away, once.
    pub(super) fn take_retry_after(&self) -> Option<Duration> {
        self.with(|doing| doing.retry_after.take()).flatten()
    }

    /// The server says no, with this head.
    pub(super) fn refused(&self, head: AnswerHead) {
        self.with(|doing| doing.refused = head);
    }

    /// What the head of the last refusal told, once.
    pub(super) fn take_refused(&self) -> AnswerHead {
        let taken = self.with(|doing| std::mem::take(&mut doing.refused));
        taken.unwrap_or_default()
    }

    /// An attempt failed; the next one begins at `next_attempt`.
    pub(super) fn waits(&self, reason: String, next_attempt: Instant) {
        self.with(|doing| {
            doing.failed = Some((reason, Instant::now()));
            doing.next_attempt = Some(next_attempt);
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Doing) -> T) -> Option<T> {
        self.line.lock().operations.get_mut(&self.id).map(change)
    }
}

impl Drop for InSight {
    fn drop(&mut self) {
        self.0.line.lock().operations.remove(&self.0.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Arc<Line> {
        Arc::default()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_after_three_seconds_and_clears_when_bytes_move() {
        let line = line();
        let operation = line.begin(Some(8), LONG, Load::SMALL);
        operation.0.asks();
        tokio::time::advance(Duration::from_millis(2_900)).await;
        assert_eq!(line.status().trouble, None);
        tokio::time::advance(Duration::from_millis(1_200)).await;
        let trouble = line.status().trouble.expect("trouble");
        assert_eq!(trouble.reason, "No answer yet");
        assert_eq!(
            (trouble.silent_secs, trouble.attempt, trouble.attempts),
            (4, 1, Some(8))
        );
        assert_eq!(trouble.next_attempt_secs, None);
        operation.0.moved(Way::Sent, 7);
        let status = line.status();
        assert_eq!(
            (status.sent_bytes, status.requests, status.trouble),
            (7, 1, None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_told_until_bytes_of_use_move_or_nobody_waits() {
        let line = line();
        let operation = line.begin(Some(3), LONG, Load::SMALL);
        let next = Instant::now() + Duration::from_millis(1_500);
        operation.0.waits("Busy (SlowDown)".to_owned(), next);
        let trouble = line.status().trouble.expect("trouble");
        assert_eq!(trouble.next_attempt_secs, Some(2));
        assert_eq!(trouble.reason, "Busy (SlowDown)");
        tokio::time::advance(Duration::from_secs(1)).await;
        operation.0.moved(Way::Refused, 100);
        assert!(line.status().trouble.is_some(), "a refusal is not progress");
        operation.0.attempt(2, async {}).await;
        let trouble = line.status().trouble.expect("the cause stays in sight");
        assert_eq!((trouble.attempt, trouble.next_attempt_secs), (2, None));
        drop(operation);
        assert_eq!(line.status().trouble, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_carries_something_else_is_not_in_trouble() {
        let line = line();
        let waiting = line.begin(Some(3), LONG, Load::SMALL);
        let moving = line.begin(Some(3), LONG, Load::SMALL);
        waiting.0.waits("Busy".to_owned(), Instant::now() + LONG);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(line.status().trouble.is_some());
        moving.0.moved(Way::Received, 1);
        assert_eq!(line.status().trouble, None);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(line.status().trouble.is_some(), "until that ends as well");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_through_all_attempts() {
        let line = line();
        let operation = line.begin(Some(3), LONG, Load::SMALL);
        operation.0.asks();
        tokio::time::advance(Duration::from_secs(30)).await;
        operation.0.waits("Silent".to_owned(), Instant::now());
        operation.0.attempt(2, async {}).await;
        operation.0.asks();
        let trouble = line.status().trouble.expect("trouble");
        assert_eq!(
            (trouble.reason.as_str(), trouble.silent_secs),
            ("Silent", 30)
        );
        tokio::time::advance(Duration::from_secs(4)).await;
        let trouble = line.status().trouble.expect("trouble");
        let told = (trouble.reason.as_str(), trouble.silent_secs);
        assert_eq!(told, ("No answer yet", 34));
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_is_taken_but_not_answered_is_told_within_seconds() {
        let line = line();
        let part = line.begin(Some(3), LONG, Load::sends(8 << 20));
        part.0.asks();
        part.0.moved(Way::Sent, 8 << 20);
        part.0.all_taken();
        tokio::time::advance(Duration::from_millis(3_500)).await;
        assert_eq!(line.status().trouble, None);
        tokio::time::advance(Duration::from_millis(600)).await;
        assert!(line.status().trouble.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_works_is_given_time() {
        let line = line();
        let copy = line.begin(Some(3), LONG, Load::works(400 << 20));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(line.status().trouble, None);
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(line.status().trouble.is_some());
        let before = Instant::now();
        copy.0.gone_silent().await;
        assert_eq!(before.elapsed(), Duration::from_secs(100 + 30 - 40));
    }
}
