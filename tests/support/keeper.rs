//! `Keeper`: one running server, which ends with the test that started it.

use super::tools;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines of the server's log that go into an error.
const LOG_TAIL_LINES: usize = 25;

/// One running server. It is the child of `python/keep.py`, which ends it once this side of a pipe
/// closes: on drop, and also when the test process is killed.
#[derive(Debug)]
pub(crate) struct Keeper {
    process: Mutex<Process>,
    folder: PathBuf,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Closing it ends the server.
    pipe: Option<ChildStdin>,
}

impl Keeper {
    /// Starts `server` with `folder` as its working directory, which is removed at the end.
    pub(crate) fn start(python: &Path, folder: PathBuf, server: &Command) -> io::Result<Self> {
        let mut command = tools::command(python);
        command
            .arg(tools::script("keep.py"))
            .arg(&folder)
            .arg(log_file(&folder))
            .arg(server.get_program())
            .args(server.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for (name, value) in server.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let mut child = command.spawn()?;
        let pipe = child.stdin.take();
        Ok(Self {
            process: Mutex::new(Process { child, pipe }),
            folder,
        })
    }

    /// Whether the server ended without being asked, for example because its port was taken.
    pub(crate) fn ended_by_itself(&self) -> bool {
        let ended = self.process().child.try_wait();
        ended.is_ok_and(|status| status.is_some_and(|status| !status.success()))
    }

    /// The last lines that the server logged.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(log_file(&self.folder)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }

    /// Ends the server, as a crash or a lost network would, and waits until it is gone.
    pub(crate) fn stop(&self) {
        let mut process = self.process();
        if process.pipe.take().is_some() {
            process.child.wait().ok();
            fs::remove_dir_all(&self.folder).ok();
        }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        // A test that panicked elsewhere must not keep the server from being ended.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}
