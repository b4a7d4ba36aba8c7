//! What the program does with real servers, from a test of the connection to the restore of a backup that
//! was killed: the table of the README.
//!
//! `ZIPKEEP_SERVERS=all` adds the rarer servers. Each test ends with its row on standard error.

#[allow(dead_code, reason = "the tests of kills use the rest")]
#[path = "../kill/computer.rs"]
mod computer;
#[path = "../support/mod.rs"]
mod support;

use computer::{Computer, Destination, number};
use std::fs;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use support::{
    Ceph, Fault, Garage, JuiceFs, Moment, Moto, Proxy, Rclone, SeaweedFs, Server, Step, Swift,
    When, all_servers_wanted, assert_same_tree, differences, noise, object_keys, plain_tree,
    put_objects, snapshot, unfinished_uploads, write_file,
};

const MIB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_mins(1);
/// Longer than a test.
const STALL: Duration = Duration::from_mins(5);

/// The head of a column, and what is done for it.
type Trial = (&'static str, fn(&Server));

/// What is tried, in the order of the columns.
const TRIALS: [Trial; 9] = [
    ("test", tests),
    ("back up, verify, restore", backs_up_and_restores),
    ("one file", restores_one_file),
    ("undo", undoes),
    ("back up again", backs_up_again),
    ("copy what stays", copies_what_stays),
    ("list 1,100", lists_many),
    ("go on after a kill", goes_on),
    ("delete", deletes),
];

/// Goes well where there is nothing to remark.
fn tests(server: &Server) {
    let computer = Computer::new(Destination::Bucket(server));
    computer.add_profile("tested");
    computer.run("tested", &["test"], "test");
    assert_eq!(object_keys(server), [""; 0]);
}

fn backs_up_and_restores(server: &Server) {
    let computer = Computer::new(Destination::Bucket(server));
    plain_tree(&computer.source());
    computer.add_profile("p");
    computer.run("p", &["backup"], "backup");
    computer.run("p", &["verify", "latest"], "verify");
    let there = computer.home.path().join("there");
    let to = there.to_str().expect("UTF-8");
    computer.run("p", &["restore", "latest", "--to", to], "restore");
    assert_same_tree(&computer.source(), &there.join("source"));
    assert_eq!(unfinished_uploads(server), [""; 0]);
}

fn restores_one_file(server: &Server) {
    let computer = Computer::new(Destination::Bucket(server));
    plain_tree(&computer.source());
    computer.add_profile("p");
    computer.run("p", &["backup"], "backup");
    let there = computer.home.path().join("there");
    let one = ["--only", "source/photos/cover.jpg", "--to"];
    let to = there.to_str().expect("UTF-8");
    let arguments = [&["restore", "latest"][..], &one, &[to]].concat();
    computer.run("p", &arguments, "restore");
    let cover = fs::read(there.join("source/photos/cover.jpg"));
    assert_eq!(cover.expect("restored"), noise(2, 3_000));
    assert!(!there.join("source/readme.txt").exists());
}

/// A restore to where the files came from, taken back.
fn undoes(server: &Server) {
    let computer = Computer::new(Destination::Bucket(server));
    plain_tree(&computer.source());
    computer.add_profile("p");
    computer.run("p", &["backup"], "backup");
    let readme = computer.source().join("readme.txt");
    let backed_up = fs::read(&readme).expect("it is there");
    write_file(&computer.source(), "readme.txt", b"changed since");
    fs::remove_file(computer.source().join("photos/cover.jpg")).expect("removed");
    let before = snapshot(&computer.source());
    computer.run("p", &["restore", "latest"], "restore");
    assert_eq!(fs::read(&readme).expect("it is there"), backed_up);
    computer.run("p", &["undo"], "undo");
    assert_eq!(differences(&before, &snapshot(&computer.source())), [""; 0]);
}

fn backs_up_again(server: &Server) {
    second_backup(server);
}

/// That the server does it: where it does not, everything is sent again, and nothing is lost.
fn copies_what_stays(server: &Server) {
    let report = second_backup(server);
    assert!(number(&report, "bytes_copied") > 26 * MIB, "{report}");
}

/// What a second backup tells of itself, which is whole.
fn second_backup(server: &Server) -> serde_json::Value {
    let computer = Computer::new(Destination::Bucket(server));
    for name in 0..3 {
        let path = format!("{name}.bin");
        write_file(&computer.source(), &path, &noise(name, 9 << 20));
    }
    computer.add_profile("p");
    computer.run("p", &["backup"], "the first");
    write_file(&computer.source(), "new.txt", b"new");
    let report = computer.run("p", &["backup"], "the second");
    computer.verify_all("p", "afterwards");
    computer.check_restore("p", "afterwards");
    assert_eq!(unfinished_uploads(server), [""; 0]);
    report
}

fn lists_many(server: &Server) {
    let computer = Computer::new(Destination::Bucket(server));
    computer.add_profile("p");
    let keys = (0..1_100).map(|number| {
        let (minute, second) = (number / 60, number % 60);
        format!("p/p.20250101T00{minute:02}{second:02}Z.pc.linux.zip")
    });
    put_objects(server, &keys.collect::<Vec<_>>(), b"x");
    let listed = computer.run("p", &["list"], "list");
    let rows = listed["result"]["backups"].as_array().map(Vec::len);
    assert_eq!(rows, Some(1_100));
}

fn goes_on(server: &Server) {
    let proxy = Proxy::in_front_of(server);
    let through = proxy.server();
    let computer = Computer::new(Destination::Bucket(&through));
    write_file(&computer.source(), "a.bin", &noise(1, 40 << 20));
    computer.add_profile("p");
    let later = When::PartAfter(2);
    proxy.break_steps(&[Step::UploadPart], Fault::StallInRequest(STALL), later);
    computer.kill_backup_when("p", || {
        let have = proxy.wait_for(Step::UploadPart, 2, Moment::Answered, PATIENCE);
        assert!(have, "{}", proxy.seen());
        // What was answered is noted soon after.
        std::thread::park_timeout(Duration::from_millis(500));
    });
    proxy.heal();
    let report = computer.run("p", &["backup"], "after the kill");
    assert!(number(&report, "bytes_resumed") >= 8 * MIB, "{report}");
    computer.verify_all("p", "afterwards");
    computer.check_restore("p", "afterwards");
    assert_eq!(unfinished_uploads(server), [""; 0]);
}

fn deletes(server: &Server) {
    let computer = Computer::new(Destination::Bucket(server));
    plain_tree(&computer.source());
    computer.add_profile("p");
    computer.run("p", &["backup"], "backup");
    for name in ["one more", "and another"] {
        write_file(&computer.source(), name, b"content");
        computer.run("p", &["backup"], name);
    }
    let keys = computer.archives("p");
    let names = keys.iter().filter_map(|key| key.rsplit('/').next());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 3);
    let two = [&["delete", "--yes"], &names[..2]].concat();
    computer.run("p", &two, "delete two");
    assert_eq!(computer.archives("p"), keys[2..]);
    computer.run("p", &["delete", "latest", "--yes"], "delete");
    assert_eq!(computer.archives("p"), [""; 0]);
}

/// Tries everything at a server, each in a bucket of its own, and compares what fails with what is known.
fn all_trials(server: &Server, known_to_fail: &[&str]) {
    let mut failed = Vec::new();
    let mut row = format!("| {} |", server.name);
    for (name, trial) in TRIALS {
        let bucket = server.with_fresh_bucket();
        let is_done = catch_unwind(AssertUnwindSafe(|| trial(&bucket))).is_ok();
        row.push_str(if is_done { " yes |" } else { " no |" });
        if !is_done {
            failed.push(name);
        }
    }
    writeln!(io::stderr(), "{row}").ok();
    assert_eq!(failed, known_to_fail, "{}", server.name);
}

#[test]
fn seaweedfs() {
    if let Some(server) = SeaweedFs::start() {
        all_trials(&server, &[]);
    }
}

#[test]
fn juicefs() {
    if let Some(server) = JuiceFs::start() {
        all_trials(&server, &[]);
    }
}

#[test]
fn moto() {
    if let Some(server) = all_servers_wanted().then(Moto::start).flatten() {
        // It lets in everybody, which the test of the connection says.
        all_trials(&server, &["test"]);
    }
}

#[test]
fn rclone() {
    if let Some(server) = all_servers_wanted().then(Rclone::start).flatten() {
        // The test of the connection says that it does not copy.
        all_trials(&server, &["test", "copy what stays"]);
    }
}

#[test]
fn swift() {
    if let Some(server) = all_servers_wanted().then(Swift::start).flatten() {
        all_trials(&server, &[]);
    }
}

#[test]
fn ceph() {
    if let Some(server) = all_servers_wanted().then(Ceph::start).flatten() {
        all_trials(&server, &[]);
    }
}

#[test]
fn garage() {
    if let Some(server) = all_servers_wanted().then(Garage::start).flatten() {
        all_trials(&server, &[]);
    }
}
