//! The log: a daily file in the data folder, the last seven kept. It never holds secrets.

use crate::config::Places;
use std::fs;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// Whether the log is also shown while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTo {
    /// Only to the file.
    File,
    /// To the file and to the terminal.
    FileAndTerminal,
}

/// What is logged: ourselves in detail, the S3 client's retries, of all others only warnings. Request
/// headers, which hold signatures, are logged by none of these.
const FILTER: &str = "warn,zipkeep=debug,zipkeep_cli=debug,object_store=info";
const FILES_KEPT: usize = 7;

/// Starts the log. Hold the guard until the program ends: it writes the last lines.
///
/// A log that cannot be written stops nobody: then there is none, and no guard.
pub fn start(places: &Places, log_to: LogTo) -> Option<WorkerGuard> {
    let folder = places.data_dir.join("logs");
    let file = fs::create_dir_all(&folder).ok().and_then(|()| {
        RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix("zipkeep")
            .filename_suffix("log")
            .max_log_files(FILES_KEPT)
            .build(&folder)
            .ok()
    });
    let (file_layer, guard) = match file.map(tracing_appender::non_blocking) {
        Some((writer, guard)) => {
            let layer = fmt::layer().with_ansi(false).with_writer(writer);
            (Some(layer.with_filter(EnvFilter::new(FILTER))), Some(guard))
        }
        None => (None, None),
    };
    let terminal_layer = (log_to == LogTo::FileAndTerminal).then(|| {
        let layer = fmt::layer().with_writer(std::io::stderr);
        layer.with_filter(EnvFilter::new(FILTER))
    });
    let registry = tracing_subscriber::registry();
    // A second start in one process, as in tests, keeps the first log.
    registry
        .with(file_layer)
        .with(terminal_layer)
        .try_init()
        .ok();
    guard
}
