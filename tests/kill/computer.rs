//! `Computer`: the real program with profiles of its own, run to its end or killed, and what must hold
//! of what it leaves.

use crate::support::{
    Server, assert_same_tree, check_archive, get_object, object_keys, unfinished_uploads,
};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the profiles of a computer keep their backups.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Destination<'a> {
    Bucket(&'a Server),
    /// A folder for each profile.
    Folder,
}

/// A computer with profiles.
pub(crate) struct Computer<'a> {
    pub(crate) home: tempfile::TempDir,
    destination: Destination<'a>,
}

impl<'a> Computer<'a> {
    pub(crate) fn new(destination: Destination<'a>) -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
            destination,
        }
    }

    /// The folder of a profile's backups, where it has one.
    fn folder(&self, profile: &str) -> PathBuf {
        self.home.path().join("backups").join(profile)
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.home.path().join("source")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A profile with a place of its own at the destination, so that its next backup is a first one.
    pub(crate) fn add_profile(&self, name: &str) {
        let mut command = self.command(&["profile", "add", name]);
        let secret = match self.destination {
            Destination::Bucket(server) => {
                command
                    .args(["--provider", "minio", "--endpoint", &server.endpoint_url])
                    .args(["--region", &server.region, "--bucket", &server.bucket])
                    .args(["--root", name, "--access-key-id", &server.access_key_id])
                    .arg("--secret-stdin");
                server.secret_access_key.as_str()
            }
            Destination::Folder => {
                let folder = self.folder(name);
                command.args(["--provider", "folder", "--root"]).arg(folder);
                ""
            }
        };
        command.arg("--source").arg(self.source());
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // Who needs no secret does not listen.
        writeln!(stdin, "{secret}").ok();
        drop(stdin);
        assert!(child.wait().expect("ended").success());
    }

    /// Runs to the end and gives the last line, which says how it ended.
    pub(crate) fn run(&self, profile: &str, arguments: &[&str], about: &str) -> Value {
        let mut command = self.command(&["--json", "--profile", profile]);
        let output = command
            .args(arguments)
            .output()
            .expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{about}: {arguments:?}: {text}\n{errors}"
        );
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|_| panic!("{about}: not JSON: {last}"))
    }

    /// Kills a backup after so long; tells whether it still ran.
    pub(crate) fn kill_backup(&self, profile: &str, after: Duration) -> bool {
        let mut child = self
            .command(&["--profile", profile, "backup"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let until = Instant::now() + after;
        while Instant::now() < until {
            if child.try_wait().expect("looked at").is_some() {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        child.kill().expect("killed");
        !child.wait().expect("ended").success()
    }

    /// Kills a backup once `reached` has returned.
    pub(crate) fn kill_backup_when(&self, profile: &str, reached: impl FnOnce()) {
        let mut child = self
            .command(&["--profile", profile, "backup"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        reached();
        child.kill().expect("killed");
        assert!(!child.wait().expect("ended").success(), "it had ended");
    }

    /// Kills a backup once it has sent so much.
    pub(crate) fn kill_backup_after_bytes(&self, profile: &str, bytes: u64) {
        let mut child = self
            .command(&["--json", "--profile", profile, "backup"])
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        for line in lines {
            let line: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
            if line["bytes_transferred"].as_u64().unwrap_or_default() >= bytes {
                break;
            }
        }
        child.kill().expect("killed");
        assert!(!child.wait().expect("ended").success(), "it had ended");
    }

    /// All archives of a profile that are listed.
    pub(crate) fn archives(&self, profile: &str) -> Vec<String> {
        let Destination::Bucket(server) = self.destination else {
            let mut names = self.file_names(profile);
            names.retain(|name| !name.contains('#'));
            return names;
        };
        let prefix = format!("{profile}/");
        let keys = object_keys(server).into_iter();
        let own = keys.filter(|key| key.starts_with(&prefix) && !key.ends_with('/'));
        own.collect()
    }

    fn file_names(&self, profile: &str) -> Vec<String> {
        // Nothing was ever written to a folder that is not there.
        let entries = fs::read_dir(self.folder(profile)).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Saves an archive as a file, for others to look at.
    pub(crate) fn save(&self, profile: &str, key: &str, file: &Path) {
        match self.destination {
            Destination::Bucket(server) => get_object(server, key, file),
            Destination::Folder => {
                fs::copy(self.folder(profile).join(key), file).expect("copied");
            }
        }
    }

    /// Whether a run can go on with the parts of another one.
    pub(crate) fn keeps_parts(&self) -> bool {
        matches!(self.destination, Destination::Bucket(_))
    }

    /// What uploads that did not end left of a profile at the destination.
    pub(crate) fn half_made(&self, profile: &str) -> Vec<String> {
        let Destination::Bucket(server) = self.destination else {
            let mut names = self.file_names(profile);
            names.retain(|name| name.contains('#'));
            return names;
        };
        let mut keys = unfinished_uploads(server);
        keys.retain(|key| key.starts_with(&format!("{profile}/")));
        keys
    }

    /// Panics unless every archive of the profile that is listed is whole.
    pub(crate) fn verify_all(&self, profile: &str, about: &str) {
        for key in self.archives(profile) {
            let name = key.rsplit('/').next().expect("a name");
            let mut command = self.command(&["--json", "--profile", profile, "verify", name]);
            let verified = command.output().expect("the program starts");
            if verified.status.success() {
                continue;
            }
            // Whether the archive or the server is to blame: the same once more, and another program.
            let again = command.output().expect("the program starts").status;
            let file = self.home.path().join("damaged.zip");
            self.save(profile, &key, &file);
            let text = String::from_utf8_lossy(&verified.stdout);
            let last = text.lines().last().unwrap_or_default();
            eprintln!("{about} {key}: {last}; once more: {again}; looking at it otherwise");
            check_archive(&file);
            panic!("{about} {key}: {last}; once more: {again}; others find it whole");
        }
    }

    /// Panics unless the newest backup restores to the folder as it is.
    pub(crate) fn check_restore(&self, profile: &str, about: &str) {
        let target = self.home.path().join("target");
        let to = target.to_str().expect("UTF-8");
        self.run(profile, &["restore", "latest", "--to", to], about);
        assert_same_tree(&self.source(), &target.join("source"));
        fs::remove_dir_all(&target).expect("removed");
        let key = self.archives(profile).pop().expect("an archive");
        let file = self.home.path().join("archive.zip");
        self.save(profile, &key, &file);
        check_archive(&file);
    }

    /// Scratch files that killed runs left in the program's own folder.
    pub(crate) fn litter(&self) -> Vec<String> {
        let own = self.home.path().join(".local");
        let all = walkdir::WalkDir::new(&own).into_iter();
        let files = all
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file());
        let names = files.map(|entry| {
            let below = entry.path().strip_prefix(&own).expect("it is below");
            below.display().to_string()
        });
        names
            .filter(|name| {
                let is_scratch = name.contains("/.") || name.contains(".scratch/");
                is_scratch || name.contains(".journal")
            })
            .collect()
    }
}

pub(crate) fn number(report: &Value, field: &str) -> u64 {
    let number = report["result"][field].as_u64();
    number.unwrap_or_else(|| panic!("no {field} in {report}"))
}
