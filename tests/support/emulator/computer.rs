//! `Computer`: the real `zipkeep-cli` on a computer of its own, whose way to the world is an emulator.
//!
//! The program is given the providers' real addresses. What it asks of them goes to the emulator as to a
//! proxy, in TLS through a tunnel, so that nothing of the program has to be other than for people.

use super::conduct::Key;
use super::server::Emulator;
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The switch without which the program sends nothing in the clear, once it has one.
const PLAIN_HTTP_SWITCH: Option<&str> = Some("--allow-plain-http");

/// How the program reaches the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Https,
    Http,
}

/// A computer with an empty home.
#[derive(Debug)]
pub(crate) struct Computer<'a> {
    pub(crate) home: tempfile::TempDir,
    emulator: &'a Emulator,
    line: Line,
    way: Way,
}

/// Who stands between the program and the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The emulator, as a proxy for every host.
    Proxy,
    /// Nobody: only addresses of this computer lead to the emulator.
    Nobody,
}

/// What a person types to set a destination up.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) provider: String,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) root: String,
    pub(crate) key: Key,
}

impl<'a> Computer<'a> {
    pub(crate) fn new(emulator: &'a Emulator, line: Line) -> Self {
        // Elsewhere nobody can say by the environment whose certificates are good.
        let line = if cfg!(target_os = "linux") {
            line
        } else {
            Line::Http
        };
        Self {
            home: tempfile::tempdir().expect("a folder"),
            emulator,
            line,
            way: Way::Proxy,
        }
    }

    /// A computer without a proxy.
    pub(crate) fn without_proxy(emulator: &'a Emulator, line: Line) -> Self {
        Self {
            way: Way::Nobody,
            ..Self::new(emulator, line)
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What is right for this provider.
    pub(crate) fn right(&self) -> Typed {
        let rules = self.emulator.rules();
        Typed {
            provider: rules.provider.to_owned(),
            endpoint: self.endpoint(),
            region: rules.home_region.to_owned(),
            bucket: rules.bucket.to_owned(),
            root: "my backups/pc".to_owned(),
            key: self.emulator.key(),
        }
    }

    fn endpoint(&self) -> String {
        let scheme = match self.line {
            Line::Https => "https",
            Line::Http => "http",
        };
        match self.emulator.rules().service_host {
            "" => format!("{scheme}://{}", self.emulator.address()),
            host => format!("{scheme}://{host}"),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let proxy = format!("http://{}", self.emulator.address());
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("SSL_CERT_FILE", self.emulator.ca_file())
            .stdin(Stdio::null());
        if self.way == Way::Proxy {
            command
                .env("http_proxy", &proxy)
                .env("https_proxy", &proxy)
                .env("no_proxy", "127.0.0.1");
        }
        command
    }

    /// Adds a profile with what a person typed, and these folders.
    pub(crate) fn add_profile(&self, name: &str, typed: &Typed, sources: &[&str]) {
        let mut command = self.command(&["profile", "add", name]);
        command
            .args(["--provider", &typed.provider])
            .args(["--endpoint", &typed.endpoint])
            .args(["--region", &typed.region])
            .args(["--bucket", &typed.bucket])
            .args(["--root", &typed.root])
            .args(["--access-key-id", &typed.key.id, "--secret-stdin"]);
        for source in sources {
            command.arg("--source").arg(self.path(source));
        }
        if self.line == Line::Http {
            command.args(PLAIN_HTTP_SWITCH);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "{}", typed.key.secret).expect("written");
        drop(stdin);
        assert!(child.wait().expect("ended").success());
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.output().expect("the program starts")
    }

    /// Runs with `--json`; gives the exit code and the last line.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(&[&["--json"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        let errors = String::from_utf8_lossy(&output.stderr);
        let line = serde_json::from_str(last)
            .unwrap_or_else(|_| panic!("{arguments:?}: not JSON: {last}\n{errors}"));
        (output.status.code(), line)
    }

    /// Runs to a success and gives its result.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> Value {
        let (code, mut line) = self.json(arguments);
        let provider = self.emulator.rules().provider;
        assert_eq!(code, Some(0), "{provider}: {arguments:?}: {line}");
        line["result"].take()
    }

    /// Kills a run once `reached` has returned.
    pub(crate) fn kill_when(&self, arguments: &[&str], reached: impl FnOnce()) {
        let mut command = self.command(arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        reached();
        child.kill().expect("killed");
        assert!(!child.wait().expect("ended").success(), "it had ended");
    }
}
