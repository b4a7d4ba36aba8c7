//! The real program killed at any moment of first and second backups: whatever is listed is whole, and
//! the next run succeeds and sends again only what had not arrived.
//!
//! `ZIPKEEP_KILLS` is the number of kills, `ZIPKEEP_KILL_SEED` repeats the moments of an earlier run.

mod support;

use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{
    SeaweedFs, Server, assert_same_tree, check_archive, get_object, noise, object_keys,
    unfinished_uploads, write_file,
};

const MIB: u64 = 1 << 20;

/// Numbers that look random and are the same for the same seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        let hash = blake3::hash(&self.0.to_le_bytes());
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"))
    }

    /// Some moment of a run that takes so long.
    fn moment(&mut self, of: Duration) -> Duration {
        let permille = u32::try_from(self.next() % 1_000).expect("small");
        of * permille / 1_000
    }
}

/// A computer with profiles, and the bucket that they all use.
struct Computer<'a> {
    home: tempfile::TempDir,
    server: &'a Server,
}

impl Computer<'_> {
    fn source(&self) -> PathBuf {
        self.home.path().join("source")
    }

    fn command(&self, arguments: &[&str]) -> Command {
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

    /// A profile with a place of its own in the bucket, so that its next backup is a first one.
    fn add_profile(&self, name: &str) {
        let source = self.source();
        let server = self.server;
        let mut child = self
            .command(&["profile", "add", name, "--provider", "minio"])
            .args([
                "--endpoint",
                &server.endpoint_url,
                "--region",
                &server.region,
            ])
            .args(["--bucket", &server.bucket, "--root", name])
            .args(["--access-key-id", &server.access_key_id, "--secret-stdin"])
            .arg("--source")
            .arg(source)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "{}", server.secret_access_key).expect("written");
        drop(stdin);
        assert!(child.wait().expect("ended").success());
    }

    /// Runs to the end and gives the last line, which says how it ended.
    fn run(&self, profile: &str, arguments: &[&str], about: &str) -> Value {
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
    fn kill_backup(&self, profile: &str, after: Duration) -> bool {
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

    /// Kills a backup once it has sent so much.
    fn kill_backup_after_bytes(&self, profile: &str, bytes: u64) {
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
    fn archives(&self, profile: &str) -> Vec<String> {
        let prefix = format!("{profile}/");
        let keys = object_keys(self.server).into_iter();
        let own = keys.filter(|key| key.starts_with(&prefix) && !key.ends_with('/'));
        own.collect()
    }

    /// Panics unless every archive of the profile that is listed is whole.
    fn verify_all(&self, profile: &str, about: &str) {
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
            get_object(self.server, &key, &file);
            let text = String::from_utf8_lossy(&verified.stdout);
            let last = text.lines().last().unwrap_or_default();
            eprintln!("{about} {key}: {last}; once more: {again}; looking at it otherwise");
            check_archive(&file);
            panic!("{about} {key}: {last}; once more: {again}; others find it whole");
        }
    }

    /// Panics unless the newest backup restores to the folder as it is.
    fn check_restore(&self, profile: &str, about: &str) {
        let target = self.home.path().join("target");
        let to = target.to_str().expect("UTF-8");
        self.run(profile, &["restore", "latest", "--to", to], about);
        assert_same_tree(&self.source(), &target.join("source"));
        fs::remove_dir_all(&target).expect("removed");
        let key = self.archives(profile).pop().expect("an archive");
        let file = self.home.path().join("archive.zip");
        get_object(self.server, &key, &file);
        check_archive(&file);
    }

    /// Scratch files that killed runs left in the program's own folder.
    fn litter(&self) -> Vec<String> {
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

fn number(report: &Value, field: &str) -> u64 {
    let number = report["result"][field].as_u64();
    number.unwrap_or_else(|| panic!("no {field} in {report}"))
}

fn make_tree(root: &Path) {
    for name in 0..4 {
        write_file(root, &format!("big/{name}.bin"), &noise(name, 18 << 20));
    }
    for name in 0_u64..2_000 {
        let len = usize::try_from(name % 23 * 150).expect("small");
        write_file(
            root,
            &format!("many/{}/{name}.dat", name % 40),
            &noise(100 + name, len),
        );
    }
}

/// Enough changes for a second backup of a while.
fn change_tree(root: &Path, round: u64) {
    let seed = 10_000 * (round + 1);
    write_file(
        root,
        &format!("big/{}.bin", round % 4),
        &noise(seed, 18 << 20),
    );
    write_file(root, "big/9.bin", &noise(seed + 1, 12 << 20));
    for name in 0..50 {
        write_file(
            root,
            &format!("many/1/new-{name}.dat"),
            &noise(seed + 2 + name, 900),
        );
    }
    fs::remove_file(root.join(format!("many/2/{}.dat", 2 + 40 * (round % 50)))).ok();
}

fn wanted_kills() -> u64 {
    let wanted = std::env::var("ZIPKEEP_KILLS").ok();
    wanted.and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

fn seed() -> u64 {
    let wanted = std::env::var("ZIPKEEP_KILL_SEED").ok();
    let now = || u64::from(std::process::id()) * 1_000_003;
    wanted
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(now)
}

/// What all kills together came to.
#[derive(Debug, Default)]
struct Sums {
    kills: u64,
    ended_before: u64,
    chains: u64,
    resumed: u64,
    resumed_bytes: u64,
}

#[test]
fn a_kill_at_any_moment_leaves_whole_archives_and_a_run_that_goes_on() {
    let seed = seed();
    let mut chance = Chance(seed);
    let mut sums = Sums::default();
    let kills = wanted_kills();
    while sums.kills < kills {
        // A fresh one every now and then: old backups would fill the disk.
        let Some(server) = SeaweedFs::start() else {
            return;
        };
        rounds_at(&server, seed, kills, (&mut chance, &mut sums));
    }
    eprintln!("seed {seed}: {sums:?}");
}

/// Some first and second backups in turn, each killed.
fn rounds_at(server: &Server, seed: u64, kills: u64, (chance, sums): (&mut Chance, &mut Sums)) {
    const ROUNDS: u64 = 8;
    let computer = Computer {
        home: tempfile::tempdir().expect("a folder"),
        server,
    };
    make_tree(&computer.source());
    computer.add_profile("measured");
    let lasts = [0, 1].map(|round| {
        change_tree(&computer.source(), round);
        let started = Instant::now();
        computer.run("measured", &["backup"], "unkilled");
        started.elapsed()
    });
    for round in 0..ROUNDS {
        if sums.kills >= kills {
            break;
        }
        let profile = format!("p{}", round / 2);
        let about = format!("seed {seed} {sums:?} round {round} ({lasts:?})");
        let is_first = round % 2 == 0;
        if is_first {
            computer.add_profile(&profile);
        } else {
            change_tree(&computer.source(), round + 2);
        }
        let lasts = lasts[usize::from(!is_first)];
        kill_and_go_on(&computer, &profile, lasts, &about, (chance, sums));
        if round == 3 {
            computer.check_restore(&profile, &about);
        }
    }
    assert_eq!(unfinished_uploads(server), [""; 0], "seed {seed}");
    assert_eq!(computer.litter(), [""; 0], "seed {seed}");
}

/// Kills one backup, sometimes again and again, and runs it to its end.
fn kill_and_go_on(
    computer: &Computer<'_>,
    profile: &str,
    lasts: Duration,
    about: &str,
    (chance, sums): (&mut Chance, &mut Sums),
) {
    let links = [1, 1, 2, 3][usize::try_from(chance.next() % 4).expect("small")];
    for _ in 0..links {
        let moment = chance.moment(lasts);
        if computer.kill_backup(profile, moment) {
            sums.kills += 1;
        } else {
            sums.ended_before += 1;
        }
        computer.verify_all(profile, &format!("{about}, killed after {moment:?}"));
    }
    sums.chains += u64::from(links > 1);
    let stored_bytes = journalled_bytes(computer, profile);
    let report = computer.run(profile, &["backup"], about);
    let resumed_bytes = number(&report, "bytes_resumed");
    assert!(
        stored_bytes == 0 || resumed_bytes > 0 || number(&report, "bytes_copied") > 0,
        "{about}: {stored_bytes} bytes in the journal and none of them used: {report}"
    );
    sums.resumed += u64::from(resumed_bytes > 0);
    sums.resumed_bytes += resumed_bytes;
    computer.verify_all(profile, &format!("{about}, afterwards"));
    assert_eq!(unfinished_uploads(computer.server), [""; 0], "{about}");
}

/// Size of the journal that the killed run left, as far as it tells of a part: more than its beginning.
fn journalled_bytes(computer: &Computer<'_>, profile: &str) -> u64 {
    let all = walkdir::WalkDir::new(computer.home.path().join(".local")).into_iter();
    let own = all.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with(&format!("{profile}.")) && name.ends_with(".journal")
    });
    let sizes = own.filter_map(|entry| entry.metadata().ok());
    // A beginning with everything in it that a first or second backup has is shorter.
    sizes
        .map(|metadata| metadata.len().saturating_sub(2_000))
        .sum()
}

#[test]
fn a_first_backup_killed_at_four_fifths_sends_little_again() {
    let Some(server) = SeaweedFs::start() else {
        return;
    };
    let computer = Computer {
        home: tempfile::tempdir().expect("a folder"),
        server: &server,
    };
    for name in 0..5 {
        write_file(
            &computer.source(),
            &format!("{name}.bin"),
            &noise(name, 64 << 20),
        );
    }
    let all_bytes = 5 * 64 * MIB;
    computer.add_profile("p");
    computer.kill_backup_after_bytes("p", all_bytes * 4 / 5);
    let report = computer.run("p", &["backup"], "after the kill");
    let (sent, resumed) = (
        number(&report, "bytes_uploaded"),
        number(&report, "bytes_resumed"),
    );
    assert!(sent <= all_bytes / 4 + 64 * MIB, "{report}");
    assert!(resumed + sent >= all_bytes, "{report}");
    computer.verify_all("p", "afterwards");
    computer.check_restore("p", "afterwards");
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}

#[test]
fn deleted_data_does_not_come_back_with_an_interrupted_backup() {
    let Some(server) = SeaweedFs::start() else {
        return;
    };
    let computer = Computer {
        home: tempfile::tempdir().expect("a folder"),
        server: &server,
    };
    let deleted = noise(1, 6 << 20);
    write_file(&computer.source(), "a/deleted.bin", &deleted);
    write_file(&computer.source(), "b/stays.bin", &noise(2, 8 << 20));
    computer.add_profile("p");
    computer.run("p", &["backup"], "the first");
    fs::remove_file(computer.source().join("a/deleted.bin")).expect("removed");
    for name in 0..4 {
        let path = format!("c/{name}.bin");
        write_file(&computer.source(), &path, &noise(10 + name, 40 << 20));
    }
    computer.kill_backup_after_bytes("p", 100 * MIB);
    assert_eq!(
        unfinished_uploads(&server).len(),
        1,
        "it left something to go on with"
    );
    computer.run("p", &["backup", "--remove-deleted"], "removing");
    let key = computer.archives("p").pop().expect("an archive");
    let file = computer.home.path().join("archive.zip");
    get_object(&server, &key, &file);
    let archive = fs::read(&file).expect("read");
    let marker = &deleted[3 << 20..(3 << 20) + 32];
    let is_there = archive.windows(32).any(|window| window == marker);
    assert!(!is_there, "what was deleted is in the new archive");
    computer.verify_all("p", "afterwards");
    computer.check_restore("p", "afterwards");
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}
