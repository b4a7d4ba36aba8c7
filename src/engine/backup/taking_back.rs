//! `TakingBack`: how long a backup that came to nothing may be at removing what it sent.

use crate::engine::error::EngineError;
use std::time::Duration;

/// How long taking back may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakingBack {
    /// The person has asked to stop and waits: what does not go at once is left for the next run.
    AtOnce,
    /// Something failed, and nobody waits for the end of just this.
    Patiently,
}

impl TakingBack {
    /// As fits the reason.
    pub(super) fn after(error: &EngineError) -> Self {
        if error.is_cancelled() {
            Self::AtOnce
        } else {
            Self::Patiently
        }
    }

    pub(super) const fn longest(self) -> Duration {
        match self {
            Self::AtOnce => Duration::from_millis(700),
            Self::Patiently => Duration::from_secs(15),
        }
    }
}
