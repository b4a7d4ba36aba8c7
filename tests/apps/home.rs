//! A home with a fake Cherry Studio in it, and the program run there.

use crate::support::write_file;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A computer with a home of its own.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where Cherry Studio keeps its data unless somebody moves it.
    pub(crate) fn data_folder(&self) -> PathBuf {
        self.path(".config/CherryStudio")
    }

    /// Puts an archive where backups are kept.
    pub(crate) fn keep(&self, name: &str, archive: &[u8]) {
        write_file(&self.path(".local/share/zipkeep/backups"), name, archive);
    }

    /// Runs `zipkeep-cli` here.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .output()
            .expect("the program starts")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs with `--json` and gives the last line.
    #[track_caller]
    pub(crate) fn json(&self, expected_exit: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json", "--quiet"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(expected_exit),
            "{text}\n{errors}"
        );
        let last = text.lines().last().expect("a line");
        serde_json::from_str(last).expect("JSON")
    }

    /// What a file below the home holds; `None` where there is none.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }
}
