//! `zipkeep-cli`: the terminal's front of the engine. Parses, runs one command, ends with its exit code.

mod args;
mod commands;
mod failure;
mod output;
mod profiles;

use crate::args::{Cli, Command};
use crate::commands::Work;
use crate::failure::{Exit, Failure};
use crate::output::{Format, Output};
use clap::Parser as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zipkeep::config::Places;
use zipkeep::log::{self, LogTo};

/// How long threads may go on after the command has ended.
const SHUTDOWN: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = if cli.json { Format::Json } else { Format::Text };
    let output = Output::new(format, cli.quiet);
    let command = cli.command.name();
    let exit = run(cli, output).unwrap_or_else(|failure| {
        output.failure(command, &failure);
        failure.exit()
    });
    ExitCode::from(exit.code())
}

fn run(cli: Cli, output: Output) -> Result<Exit, Failure> {
    let places = Places::of_this_user()?;
    let log_to = if cli.verbose {
        LogTo::FileAndTerminal
    } else {
        LogTo::File
    };
    let _log = log::start(&places, log_to);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        command = cli.command.name(),
        "starting"
    );
    let chosen = cli.profile.as_deref();
    if let Command::Profile(command) = cli.command {
        return profiles::run(command, chosen, &places, output);
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Local {
        what: "the program could not start its threads".to_owned(),
        source: error.into(),
    })?;
    let cancel = CancellationToken::new();
    let result = runtime.block_on(async {
        tokio::spawn(cancel_on_signal(cancel.clone()));
        let work = Work::new(&cli.command, chosen, places, output, cancel)?;
        work.run(cli.command).await
    });
    tracing::info!(result = ?result.as_ref().map_err(ToString::to_string), "ended");
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

/// The first signal asks the job to clean up and end; the second ends the program at once.
async fn cancel_on_signal(cancel: CancellationToken) {
    stop_signal().await;
    cancel.cancel();
    stop_signal().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "the person asked twice, and does not want to wait for clean-ups"
    )]
    std::process::exit(i32::from(Exit::Cancelled.code()));
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await.is_some(),
            // Without this signal there is still Ctrl-C.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.unwrap_or(()),
        _ = terminated => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    tokio::signal::ctrl_c().await.unwrap_or(());
}
