//! `StopSwitch`: asks a job to stop, and says why.

use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Why a job is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The person does not want it: all of it is taken back.
    Cancelled,
    /// The program is to end, because the computer shuts down or the terminal closes: what a later run
    /// can go on with is left.
    ProgramEnds,
}

/// Asks a job to stop. Clones are the same switch.
#[derive(Debug, Clone, Default)]
pub struct StopSwitch {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
}

impl StopSwitch {
    /// Asks the job to stop. The first reason counts.
    pub fn stop(&self, reason: StopReason) {
        self.reason.get_or_init(|| reason);
        self.token.cancel();
    }

    /// Whether somebody asked for it.
    pub fn is_stopped(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Why, once somebody asked for it.
    pub(super) fn reason(&self) -> StopReason {
        let reason = self.reason.get().copied();
        reason.unwrap_or(StopReason::Cancelled)
    }

    /// Resolves once somebody asked for it.
    pub(super) async fn stopped(&self) {
        self.token.cancelled().await;
    }
}

impl From<CancellationToken> for StopSwitch {
    /// A token says no reason: whoever cancels it is the person.
    fn from(token: CancellationToken) -> Self {
        Self {
            token,
            reason: Arc::default(),
        }
    }
}
