//! How long a request may take before it counts as failed, and how often it is tried again.
//!
//! `object_store` allows 30 seconds a request by default, its body included: an 8 MiB part would need
//! 2.2 Mbit/s. Here each request's deadline grows with its size instead.

use super::error::{Fault, StorageError};
use super::explain::{Asked, explain};
use object_store::{BackoffConfig, RetryConfig};
use std::time::Duration;

/// How long to try before giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A person is watching: a wrong address is told within seconds.
    Interactive,
    /// A long job: short outages are sat out.
    Patient,
}

/// The slowest line that a request is still waited for.
const SLOWEST_BYTES_PER_SEC: u64 = 32 * 1024;

impl Patience {
    /// Time allowed to connect.
    pub(super) const fn connect_timeout(self) -> Duration {
        match self {
            Self::Interactive => Duration::from_secs(8),
            Self::Patient => Duration::from_secs(20),
        }
    }

    /// Retries of answers that say "later": 5xx, 429, and broken connections. Never of 401, 403, 404.
    pub(super) fn retries(self) -> RetryConfig {
        let (max_retries, retry_timeout, max_backoff) = match self {
            Self::Interactive => (2, Duration::from_secs(6), Duration::from_secs(1)),
            Self::Patient => (8, Duration::from_mins(2), Duration::from_secs(15)),
        };
        RetryConfig {
            max_retries,
            retry_timeout,
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff,
                base: 2.0,
            },
        }
    }

    /// Time allowed to one operation that moves `bytes`, its retries included.
    pub(super) fn deadline(self, bytes: u64) -> Duration {
        let patience = match self {
            Self::Interactive => Duration::from_secs(20),
            Self::Patient => Duration::from_mins(3),
        };
        patience + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SEC)
    }
}

/// Waits for `work` no longer than moving `bytes` may take, and gives its error a meaning.
pub(super) async fn bounded<T>(
    patience: Patience,
    bytes: u64,
    asked: Asked,
    work: impl Future<Output = object_store::Result<T>>,
) -> Result<T, StorageError> {
    match tokio::time::timeout(patience.deadline(bytes), work).await {
        Ok(result) => result.map_err(|error| explain(error, asked)),
        Err(_) => Err(StorageError::new(Fault::TimedOut)),
    }
}
