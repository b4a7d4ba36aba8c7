//! `zipkeep-cli`: the terminal's front of the engine. Parses, runs one command, ends with its exit code.

mod args;
mod commands;
mod failure;
mod output;
mod presets;
mod profiles;
mod progress;
mod providers;
mod restoring;
mod testing;
mod wording;

use crate::args::{Cli, Command};
use crate::commands::Work;
use crate::failure::{Exit, Failure};
use crate::output::{Format, Output};
use clap::Parser as _;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use zipkeep::config::{Config, Places};
use zipkeep::engine::{self, Ended, StopReason, StopSwitch};
use zipkeep::log::{self, LogTo};

/// How long threads may go on after the command has ended.
const SHUTDOWN: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&error).code()),
    };
    let format = if cli.json { Format::Json } else { Format::Text };
    let output = Output::new(format, cli.quiet);
    let command = cli.command.name();
    let exit = run(cli, output).unwrap_or_else(|failure| {
        output.failure(command, &failure);
        failure.exit()
    });
    ExitCode::from(exit.code())
}

/// Tells what was wrong with the command line; help and version are no errors.
fn usage(error: &clap::Error) -> Exit {
    let is_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && is_json {
        let message = error.to_string();
        let first_line = message.lines().next().unwrap_or("wrong usage");
        let failure = Failure::usage(first_line, "See zipkeep-cli --help.");
        Output::new(Format::Json, true).failure("zipkeep-cli", &failure);
    } else {
        // Nobody is left to tell when the terminal is gone.
        error.print().ok();
    }
    if error.use_stderr() {
        Exit::WrongUsage
    } else {
        Exit::Done
    }
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
    settle(&places, output);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Local {
        what: "the program could not start its threads".to_owned(),
        source: error.into(),
    })?;
    let stop = StopSwitch::default();
    let result = runtime.block_on(async {
        let listening = stop_on_signal(stop.clone(), output);
        listening.map_err(|error| Failure::Local {
            what: "the program cannot listen for Ctrl-C".to_owned(),
            source: error.into(),
        })?;
        let work = Work::new(&cli.command, chosen, places, output, stop)?;
        work.run(cli.command).await
    });
    tracing::info!(result = ?result.as_ref().map_err(ToString::to_string), "ended");
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

/// Before anything else: what an interrupted restore left is brought to an end, and what is kept of old
/// ones is let go.
fn settle(places: &Places, output: Output) {
    let report = engine::settle(&places.data_dir);
    output.failures(
        "An interrupted restore could not be brought to an end; the next start tries again",
        &report.failed,
    );
    for settled in report.settled {
        let what = match settled.ended {
            Ended::Finished => "was finished now",
            Ended::TakenBack => "was taken back: everything is as it was before it",
        };
        output.note(&format!(
            "An interrupted restore of {} {what}.",
            settled.backup
        ));
    }
    // Settings that cannot be read are told of by the command; until then nothing is let go.
    let Ok(config) = Config::load(places) else {
        return;
    };
    if let Err(error) = engine::forget_old_restores(&places.data_dir, config.undo_kept()) {
        tracing::warn!(%error, "what is kept of old restores could not be let go");
    }
}

/// Every signal to stop asks the job to end: Ctrl-C to take back what it did, the others to leave what the
/// next run can go on with. Further ones change nothing: cleaning up is bounded, and a restore that is
/// just moving files in must not be torn apart.
fn stop_on_signal(stop: StopSwitch, output: Output) -> io::Result<()> {
    let mut signals = StopSignals::new()?;
    tokio::spawn(async move {
        loop {
            let reason = signals.next().await;
            if stop.is_stopped() {
                output.note("Still cleaning up, a moment please.");
            }
            stop.stop(reason);
        }
    });
    Ok(())
}

/// Ctrl-C, the system's request to end, and the terminal's end.
#[cfg(unix)]
struct StopSignals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl StopSignals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) -> StopReason {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => StopReason::Cancelled,
            _ = terminate.recv() => StopReason::ProgramEnds,
            _ = hangup.recv() => StopReason::ProgramEnds,
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> StopReason {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        StopReason::Cancelled
    }
}
