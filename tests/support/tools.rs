//! Running other programs, and what to do where one is missing.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The Python that every test machine has.
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// One of the scripts beside this file.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/support/python")
        .join(name)
}

/// A command in a locale whose file names are UTF-8; several ZIP programs mangle names elsewhere.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// Runs `command`; `None` where there is no such program.
pub(crate) fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => None,
        Err(problem) => panic!("{command:?} did not start: {problem}"),
    }
}

/// Everything a program printed.
pub(crate) fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Says that something is left out, or fails where `require_variable` is set to `1`.
///
/// Writes to the real standard error: what the print macros write is hidden by the test runner as
/// long as the test passes, and a skipped test would look like a passed one.
pub(crate) fn skip<T>(require_variable: &str, reason: &str) -> Option<T> {
    assert!(
        std::env::var_os(require_variable).is_none_or(|value| value != "1"),
        "{require_variable}=1 is set, but {reason}"
    );
    writeln!(io::stderr(), "SKIPPED: {reason}").ok();
    None
}
