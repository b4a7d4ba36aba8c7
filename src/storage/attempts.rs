//! The one loop that asks again: which failures are worth it, how long to wait, and when to give up.

use super::deadline::{Load, Times};
use super::error::{Fault, StorageError};
use super::line::Line;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The longest that a server may ask us to stay away.
const LONGEST_ASKED_WAIT: Duration = Duration::from_mins(1);
/// How often a server that ignores the range is asked for it: each of its answers is a whole object.
const MOST_UNRANGED: u32 = 8;

/// How often a server is asked for a copy that only says that it failed: for 13 to 26 seconds.
const MOST_FAILED_COPIES: u32 = 8;
/// How often something is sent that arrives as something else: once may be chance.
const MOST_BROKEN: u32 = 3;

/// Runs operations, each in as many attempts as it needs and may have.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    times: Times,
    line: Arc<Line>,
}

impl Attempts {
    pub(super) fn new(times: Times, line: Arc<Line>) -> Self {
        Self { times, line }
    }

    /// The line that is watched.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Does `work` until it succeeds, fails for good, or the patience for its `load` ends.
    pub(super) async fn run<T, F>(
        &self,
        load: Load,
        work: impl Fn() -> F + Send,
    ) -> Result<T, StorageError>
    where
        T: Send,
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        self.run_while(load, is_worth_another, work).await
    }

    /// The same for a copy, which can be done without: a server that breaks at it is not asked for minutes.
    pub(super) async fn run_copy<T, F>(
        &self,
        load: Load,
        work: impl Fn() -> F + Send,
    ) -> Result<T, StorageError>
    where
        T: Send,
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        let is_worth_another = |error: &StorageError, attempt: u32| {
            let is_enough = attempt >= MOST_FAILED_COPIES && is_failure_inside(error);
            is_worth_another(error, attempt) && !is_enough
        };
        self.run_while(load, is_worth_another, work).await
    }

    async fn run_while<T, F>(
        &self,
        load: Load,
        is_worth_another: impl Fn(&StorageError, u32) -> bool + Send,
        work: impl Fn() -> F + Send,
    ) -> Result<T, StorageError>
    where
        T: Send,
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        let began = Instant::now();
        let deadline = began + self.times.deadline(load);
        let in_sight = self
            .line
            .begin(self.times.attempts, self.times.silence, load);
        let operation = &in_sight.0;
        let mut attempt = 1;
        let mut failed: Option<StorageError> = None;
        loop {
            let trying = operation.attempt(attempt, work());
            let Ok(result) = tokio::time::timeout_at(deadline, trying).await else {
                let late = StorageError::new(Fault::TimedOut);
                return Err(match failed {
                    Some(cause) => late.caused_by(cause),
                    None => late,
                });
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error.with_head(operation.take_refused()),
            };
            let wait = self.wait(attempt, operation.take_retry_after());
            let next = Instant::now() + wait;
            let ends = operation.progress().unwrap_or(began) + self.times.budget(load);
            let used_up = |attempts| attempt >= attempts;
            let is_last = self.times.attempts.is_some_and(used_up) || next > ends.min(deadline);
            if is_last || !is_worth_another(&error, attempt) {
                return Err(error);
            }
            tracing::info!(%error, attempt, ?wait, "asking again");
            operation.waits(error.to_string(), next);
            tokio::time::sleep_until(next).await;
            attempt += 1;
            failed = Some(error);
        }
    }

    /// The wait after the failed attempt of this number: doubles, between half and the whole of it,
    /// so that many clients do not come back at once; what the server asks for counts if longer.
    fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.times.first_wait * 2_u32.saturating_pow(attempt - 1).min(1 << 16);
        let most = doubled.min(self.times.longest_wait);
        let wait = most / 2 + most / 512 * u32::from(chance());
        asked.map_or(wait, |asked| asked.min(LONGEST_ASKED_WAIT).max(wait))
    }
}

/// Some number; it need not be secret, only different everywhere.
fn chance() -> u8 {
    RandomState::new().hash_one(()).to_le_bytes()[0]
}

/// Failures that may pass by themselves, after this attempt. Never a refusal, however often it is asked.
fn is_worth_another(error: &StorageError, attempt: u32) -> bool {
    match error.fault() {
        // A conflict with another writer, not a provider under load.
        Fault::Busy => !matches!(
            error.code(),
            Some("OperationAborted" | "ConditionalRequestConflict")
        ),
        Fault::Unreachable | Fault::Proxy | Fault::TimedOut | Fault::Stalled => true,
        // Some servers under load ignore a range once and then not again.
        Fault::RangeIgnored => attempt < MOST_UNRANGED,
        Fault::Broken => attempt < MOST_BROKEN,
        _ => false,
    }
}

/// Whether the server broke at this very request, and does not just have too much to do.
fn is_failure_inside(error: &StorageError) -> bool {
    error.code() == Some("InternalError") || error.refusal().status == Some(500)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Patience, Refusal};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Fails always with this, and gives how often it was tried and how long it took.
    async fn fails(patience: Patience, error: impl Fn() -> StorageError + Sync) -> (u32, Duration) {
        let attempts = Attempts::new(Times::from(patience), Arc::default());
        let tried = AtomicU32::new(0);
        let began = Instant::now();
        let work = || async {
            tried.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(error())
        };
        let result = attempts.run(Load::SMALL, work).await;
        assert_eq!(result.expect_err("it fails").fault(), error().fault());
        (tried.into_inner(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_with_growing_waits() {
        let busy = || StorageError::new(Fault::Busy);
        let (tried, took) = fails(Patience::Interactive, busy).await;
        assert_eq!(tried, 3);
        assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(1));
        // 0.2, 0.4 and so on up to 15 seconds, each at least half: as long as two minutes allow.
        let (tried, took) = fails(Patience::Patient, busy).await;
        assert!((13..=30).contains(&tried), "{tried}");
        assert!(took > Duration::from_secs(105), "{took:?}");
        assert!(took <= Duration::from_mins(2), "{took:?}");
        let unranged = || StorageError::new(Fault::RangeIgnored);
        assert_eq!(fails(Patience::Patient, unranged).await.0, MOST_UNRANGED);
        for fault in [
            Fault::Unreachable,
            Fault::TimedOut,
            Fault::Stalled,
            Fault::RangeIgnored,
        ] {
            let (tried, _) = fails(Patience::Interactive, || StorageError::new(fault)).await;
            assert_eq!(tried, 3, "{fault:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_breaks_at_copies_is_not_asked_for_minutes() {
        let copied = async |status: u16| {
            let attempts = Attempts::new(Times::from(Patience::Patient), Arc::default());
            let refusal = Refusal {
                status: Some(status),
                ..Refusal::default()
            };
            let began = Instant::now();
            let work =
                || async { Err::<(), _>(StorageError::new(Fault::Busy).refused(refusal.clone())) };
            let failed = attempts.run_copy(Load::works(1 << 20), work).await;
            assert_eq!(failed.expect_err("it fails").fault(), Fault::Busy);
            began.elapsed().as_secs()
        };
        assert!((12..27).contains(&copied(500).await));
        assert!(copied(503).await > 100, "it has too much to do");
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_sat_out_where_somebody_waits_for_a_long_job() {
        let during_outage = async |patience: Patience, outage: Duration| {
            let attempts = Attempts::new(Times::from(patience), Arc::default());
            let began = Instant::now();
            let work = || async {
                if began.elapsed() < outage {
                    Err(StorageError::new(Fault::Unreachable))
                } else {
                    Ok(())
                }
            };
            attempts.run(Load::SMALL, work).await
        };
        for outage_secs in [1, 17, 60, 100] {
            let outage = Duration::from_secs(outage_secs);
            let ended = during_outage(Patience::Patient, outage).await;
            assert!(ended.is_ok(), "{outage_secs} s: {ended:?}");
        }
        let ended = during_outage(Patience::Interactive, Duration::from_secs(17)).await;
        assert_eq!(ended.expect_err("told").fault(), Fault::Unreachable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        for fault in [
            Fault::Denied,
            Fault::UnknownKey,
            Fault::WrongSecret,
            Fault::WrongRegion,
            Fault::NoObject,
            Fault::AlreadyThere,
            Fault::Changed,
            Fault::Unsupported,
            Fault::Archived,
            Fault::NoUpload,
            Fault::Full,
            Fault::Tls,
            Fault::Account,
            Fault::WrongStyle,
            Fault::Clock,
            Fault::Other,
        ] {
            let (tried, _) = fails(Patience::Patient, || StorageError::new(fault)).await;
            assert_eq!(tried, 1, "{fault:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_never_ends_is_ended_and_a_dead_line_costs_a_person_little() {
        let attempts = Attempts::new(Times::from(Patience::Interactive), Arc::default());
        let began = Instant::now();
        let never = || std::future::pending::<Result<(), StorageError>>();
        let ended = attempts.run(Load::SMALL, never).await.expect_err("late");
        assert_eq!(ended.fault(), Fault::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 20);
        let began = Instant::now();
        let slow = || async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            Err::<(), _>(StorageError::new(Fault::Stalled))
        };
        let ended = attempts.run(Load::SMALL, slow).await.expect_err("dead");
        assert_eq!(
            (ended.fault(), began.elapsed().as_secs()),
            (Fault::Stalled, 10)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_asked_for_is_kept_up_to_a_minute() {
        let attempts = Attempts::new(Times::from(Patience::Patient), Arc::default());
        for (asked, expected) in [(10, 10), (3_600, 60)] {
            let wait = attempts.wait(1, Some(Duration::from_secs(asked)));
            assert_eq!(wait.as_secs(), expected);
        }
        let late = attempts.wait(60, None);
        assert!(late >= Duration::from_millis(7_500) && late <= Duration::from_secs(15));
    }
}
