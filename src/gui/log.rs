//! The log file: one a day in the data folder, a week of them, nothing secret in any.

use crate::config::Places;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// The environment variable that says how much is logged, for example `zipkeep=debug`.
const LOG_VARIABLE: &str = "ZIPKEEP_LOG";
const KEPT_FILES: usize = 7;

/// Starts logging to `logs` in the data folder. Keep what comes back until the program ends.
///
/// A log that cannot be written is no reason not to start.
pub fn start_log(places: &Places) -> Option<WorkerGuard> {
    let folder = places.data_dir.join("logs");
    // Made first, because the appender complains on the terminal where it is not there yet.
    std::fs::create_dir_all(&folder).ok()?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("zipkeep")
        .filename_suffix("log")
        .max_log_files(KEPT_FILES)
        .build(folder)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false)
        .try_init()
        .ok()?;
    Some(guard)
}
