//! The window's binary: log, settings, runtime, window, and an orderly end.

#![cfg_attr(windows, windows_subsystem = "windows")]

use std::process::ExitCode;
use std::time::Duration;
use zipkeep::config::Places;
use zipkeep::gui::{App, Setup, window_icon};
use zipkeep::log::{self, LogTo};

/// How long what still runs may take to end after the window is gone.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// How long a thread without work waits for more.
const IDLE_THREADS_STAY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let places = match Places::of_this_user() {
        Ok(places) => places,
        Err(error) => return fail(&error.to_string()),
    };
    let _log = log::start(&places, LogTo::File);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "the window opens");
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Threads that have nothing to do end soon: a window at rest costs nothing at all.
        .thread_keep_alive(IDLE_THREADS_STAY)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let setup = Setup::load(places, runtime.handle().clone().into());
    let shown = eframe::run_native(
        "zipkeep",
        options(),
        Box::new(|creation| Ok(Box::new(App::new(&creation.egui_ctx, setup)))),
    );
    runtime.shutdown_timeout(LAST_WAIT);
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error.to_string();
            tracing::error!(text, "the window system failed");
            // The last part is the reason; before it stand the places in its source.
            fail(text.rsplit(": ").next().unwrap_or(&text))
        }
    }
}

fn options() -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("zipkeep")
        .with_app_id("zipkeep")
        .with_inner_size([1100.0, 720.0])
        .with_min_inner_size([820.0, 560.0]);
    if let Some(icon) = window_icon() {
        viewport = viewport.with_icon(icon);
    }
    eframe::NativeOptions {
        viewport,
        ..Default::default()
    }
}

/// Says in plain words that there will be no window.
fn fail(reason: &str) -> ExitCode {
    tracing::error!(reason, "the window could not be opened");
    eprintln!(
        "zipkeep could not open its window: {reason}\n\
         Without a screen, use the same program in the terminal: zipkeep-cli --help"
    );
    ExitCode::FAILURE
}
