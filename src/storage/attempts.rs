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
        let began = Instant::now();
        let deadline = began + self.times.deadline(load);
        let in_sight = self
            .line
            .begin(self.times.attempts, self.times.silence, load);
        let operation = &in_sight.0;
        let mut attempt = 1;
        loop {
            let trying = operation.attempt(attempt, work());
            let Ok(result) = tokio::time::timeout_at(deadline, trying).await else {
                return Err(StorageError::new(Fault::TimedOut));
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = self.wait(attempt, operation.take_retry_after());
            let ends = began + self.times.budget(load);
            let next = Instant::now() + wait;
            if attempt >= self.times.attempts || next > ends || !is_worth_another(&error) {
                return Err(error);
            }
            tracing::info!(%error, attempt, ?wait, "asking again");
            operation.waits(error.to_string(), next);
            tokio::time::sleep_until(next).await;
            attempt += 1;
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

/// Failures that may pass by themselves. Never a refusal, however often it is asked.
fn is_worth_another(error: &StorageError) -> bool {
    match error.fault() {
        // A conflict with another writer, not a provider under load.
        Fault::Busy => error.code() != Some("OperationAborted"),
        Fault::Unreachable | Fault::TimedOut | Fault::Stalled => true,
        _ => false,
    }
}
