//! `Context`: what every use case is given besides its request.

use crate::engine::EngineError;
use crate::engine::stop::{StopReason, StopSwitch};
use crate::model::{Progress, Reporter};
use std::path::{Path, PathBuf};

/// What every use case is given besides its request.
#[derive(Debug, Clone)]
pub struct Context {
    reporter: Reporter,
    stop: StopSwitch,
    data_dir: PathBuf,
}

impl Context {
    /// `data_dir` is where the engine keeps what it remembers between runs; losing it loses no data.
    pub fn new(reporter: Reporter, stop: impl Into<StopSwitch>, data_dir: &Path) -> Self {
        Self {
            reporter,
            stop: stop.into(),
            data_dir: data_dir.to_owned(),
        }
    }

    /// Tells how far the job is.
    pub fn report(&self, progress: Progress) {
        self.reporter.report(progress);
    }

    /// The folder for what the engine remembers.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Resolves once somebody asked the job to stop.
    pub async fn cancelled(&self) {
        self.stop.stopped().await;
    }

    /// Whether somebody asked the job to stop.
    pub fn is_cancelled(&self) -> bool {
        self.stop.is_stopped()
    }

    /// An error once somebody asked the job to stop.
    pub fn check_cancelled(&self) -> Result<(), EngineError> {
        if self.is_cancelled() {
            Err(self.stop_error())
        } else {
            Ok(())
        }
    }

    fn stop_error(&self) -> EngineError {
        match self.stop.reason() {
            StopReason::Cancelled => EngineError::Cancelled,
            StopReason::ProgramEnds => EngineError::ProgramEnds,
        }
    }

    /// Runs `work`, or stops waiting for it as soon as the job is cancelled.
    pub async fn or_cancelled<T, E: Into<EngineError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, EngineError> {
        tokio::select! {
            biased;
            () = self.stop.stopped() => Err(self.stop_error()),
            result = work => result.map_err(Into::into),
        }
    }
}
