//! The real program with every provider, strict as they are, at their real addresses.

use crate::emulator::{
    Access, Computer, EVERY, Emulator, Kind, Line, MINIO, PartSizes, Refusal, Seen,
};
use crate::support::{assert_same_tree, noise, plain_tree, write_file};
use std::fs;
use std::time::Duration;

const MIB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs `scenario` with each provider in turn, over the line that people have to it.
fn with_every(scenario: impl Fn(&Emulator, &Computer<'_>)) {
    with_every_key(Access::Everything, scenario);
}

/// The same with keys that may do only this.
fn with_every_key(access: Access, scenario: impl Fn(&Emulator, &Computer<'_>)) {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let line = if rules.provider == MINIO.provider {
            Line::Http
        } else {
            Line::Https
        };
        let computer = Computer::new(&emulator, line);
        let mut typed = computer.right();
        typed.key = emulator.add_key(access);
        computer.add_profile("p", &typed, &["docs"]);
        scenario(&emulator, &computer);
        let refused = emulator.seen();
        let mut refused = refused.iter().filter(|seen| !is_expected(seen));
        let refused = refused.find(|seen| seen.code.is_some());
        assert!(refused.is_none(), "{}: {refused:?}", rules.provider);
    }
}

/// Refusals that the program asks for: whether a name is free, whether conditions are known, and whether
/// strangers are kept out.
fn is_expected(seen: &Seen) -> bool {
    let is_stranger = seen.header("authorization").is_none();
    if is_stranger {
        return seen.status == 403 || seen.status == 401 || seen.status == 400;
    }
    match (seen.kind, seen.code) {
        // To some keys nobody says that an object is missing.
        (Kind::Head, Some("NoSuchKey" | "AccessDenied")) => true,
        // The test tries whether it is kept from overwriting.
        (Kind::Put, Some("PreconditionFailed" | "FileAlreadyExists")) => {
            seen.path.contains(".zipkeep-probe-")
        }
        _ => false,
    }
}

fn number(report: &serde_json::Value, field: &str) -> u64 {
    let number = report[field].as_u64();
    number.unwrap_or_else(|| panic!("no {field} in {report}"))
}

#[test]
fn from_a_test_to_a_deletion() {
    with_every(|emulator, computer| {
        plain_tree(&computer.path("docs"));
        computer.done(&["--profile", "p", "test"]);
        assert!(emulator.object_keys().is_empty(), "the probe is gone");
        computer.done(&["--profile", "p", "backup"]);
        assert_eq!(emulator.object_keys().len(), 1);
        assert!(emulator.unfinished_uploads().is_empty());

        let listed = computer.done(&["--profile", "p", "list"]);
        assert_eq!(listed["backups"][0]["origin"], "zipkeep");
        let shown = computer.done(&["--profile", "p", "show", "latest", "--path", "docs/*.txt"]);
        assert_eq!(
            shown["entries"].as_array().map(Vec::len),
            Some(2),
            "{shown}"
        );
        computer.done(&["--profile", "p", "verify", "latest"]);
        computer.done(&["--profile", "p", "restore", "latest", "--to", "all"]);
        assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
        let one = ["--only", "docs/photos/cover.jpg", "--to", "one"];
        computer.done(&[&["--profile", "p", "restore", "latest"][..], &one].concat());
        let restored = fs::read(computer.path("one/docs/photos/cover.jpg"));
        assert_eq!(restored.expect("restored"), noise(2, 3_000));
        assert!(!computer.path("one/docs/readme.txt").exists());
        computer.done(&["--profile", "p", "delete", "latest", "--yes"]);
        assert!(emulator.object_keys().is_empty());
    });
}

#[test]
fn a_key_with_what_the_own_policy_grants_does_everything() {
    with_every_key(Access::OnlyBelow("my backups/pc"), |emulator, computer| {
        emulator.put_object("beside it.txt", "of somebody else");
        write_file(&computer.path("docs"), "large.bin", &noise(0, 18 << 20));
        computer.done(&["--profile", "p", "test"]);
        computer.done(&["--profile", "p", "backup"]);
        write_file(&computer.path("docs"), "new.txt", b"new");
        emulator.forget_seen();
        computer.done(&["--profile", "p", "backup"]);
        assert!(emulator.count(Kind::CopyPart) > 0);
        computer.done(&["--profile", "p", "verify", "latest"]);
        computer.done(&["--profile", "p", "restore", "latest", "--to", "all"]);
        assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
        let listed = computer.done(&["--profile", "p", "list"]);
        let backups = listed["backups"].as_array().expect("backups");
        let names = backups
            .iter()
            .map(|one| one["name"].as_str().expect("named"));
        let names: Vec<_> = names.collect();
        assert_eq!(names.len(), 2);
        computer.done(&[&["--profile", "p", "delete", "--yes"], &names[..]].concat());
        assert_eq!(emulator.object_keys(), ["beside it.txt"]);
    });
}

#[test]
fn a_second_backup_sends_what_changed_and_has_the_rest_copied() {
    with_every(|emulator, computer| {
        for name in 0..3 {
            write_file(
                &computer.path("docs"),
                &format!("{name}.bin"),
                &noise(name, 9 << 20),
            );
        }
        computer.done(&["--profile", "p", "backup"]);
        write_file(&computer.path("docs"), "new.txt", b"new");
        emulator.forget_seen();
        let report = computer.done(&["--profile", "p", "backup"]);
        assert!(emulator.count(Kind::CopyPart) > 0, "{report}");
        // What is behind the last whole part of one size is sent again.
        let rest = match emulator.rules().part_sizes {
            PartSizes::Any => 0,
            PartSizes::Equal(_) => 8 * MIB,
        };
        assert!(number(&report, "bytes_uploaded") < rest + MIB, "{report}");
        assert!(
            number(&report, "bytes_copied") > 26 * MIB - rest,
            "{report}"
        );
        let sent: usize = emulator.seen().iter().map(|seen| seen.body_bytes).sum();
        assert!((sent as u64) < rest + MIB, "{sent}");
        computer.done(&["--profile", "p", "verify", "latest"]);
        computer.done(&["--profile", "p", "restore", "latest", "--to", "all"]);
        assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
        assert!(emulator.unfinished_uploads().is_empty());
    });
}

#[test]
fn more_than_a_thousand_backups_are_listed() {
    with_every(|emulator, computer| {
        for number in 0..1_100 {
            let name = format!(
                "p.20250101T{:02}{:02}{:02}Z.pc.linux.zip",
                number / 3_600,
                number / 60 % 60,
                number % 60
            );
            emulator.put_object(&format!("my backups/pc/{name}"), "x");
        }
        // What other programs keep there: nothing that we could name, and no reason to fail.
        for odd in [
            "Icon\r",
            "line\nbreak",
            "a//b",
            "/",
            "../c",
            "..",
            "./x",
            "100%&<ü>",
            "folder/",
        ] {
            emulator.put_object(&format!("my backups/pc/{odd}"), "x");
        }
        let listed = computer.done(&["--profile", "p", "list"]);
        let rows = listed["backups"].as_array().map(Vec::len);
        assert_eq!(rows, Some(1_100));
        assert_eq!(emulator.count(Kind::List), 2);
    });
}

#[test]
fn a_killed_backup_is_gone_on_with() {
    with_every(|emulator, computer| {
        write_file(&computer.path("docs"), "a.bin", &noise(1, 28 << 20));
        emulator.hold(Kind::UploadPart, 2);
        computer.kill_when(&["--profile", "p", "backup"], || {
            assert!(
                emulator.wait_for(Kind::UploadPart, 2, PATIENCE),
                "{:?}",
                emulator.seen()
            );
            // What was answered is noted soon after.
            std::thread::park_timeout(Duration::from_millis(300));
        });
        emulator.release();
        assert_eq!(emulator.unfinished_uploads().len(), 1);
        emulator.forget_seen();
        let report = computer.done(&["--profile", "p", "backup"]);
        assert!(number(&report, "bytes_resumed") >= 8 * MIB, "{report}");
        assert!(number(&report, "bytes_uploaded") < 21 * MIB, "{report}");
        assert!(emulator.unfinished_uploads().is_empty());
        computer.done(&["--profile", "p", "restore", "latest", "--to", "all"]);
        assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
    });
}

#[test]
fn a_restore_is_undone() {
    with_every(|_, computer| {
        plain_tree(&computer.path("docs"));
        computer.done(&["--profile", "p", "backup"]);
        write_file(&computer.path("docs"), "readme.txt", b"changed since");
        computer.done(&["--profile", "p", "restore", "latest"]);
        let readme = || fs::read(computer.path("docs/readme.txt")).expect("it is there");
        assert_eq!(readme(), b"hello\n");
        computer.done(&["--profile", "p", "undo"]);
        assert_eq!(readme(), b"changed since");
    });
}

/// Rows that nobody else would call so.
const ROWS: [&str; 4] = ["a.zip", "b & c.zip", "d <e>.zip", "f \u{fc}.zip"];

fn put_rows(emulator: &Emulator) {
    for name in ROWS {
        emulator.put_object(&format!("my backups/pc/{name}"), "PK");
    }
}

fn delete_rows<'a>(names: &[&'a str]) -> Vec<&'a str> {
    [&["--profile", "p", "delete"][..], names, &["--yes"]].concat()
}

#[test]
fn several_rows_are_deleted_in_one_request() {
    with_every(|emulator, computer| {
        put_rows(emulator);
        emulator.put_object("my backups/pc/stays.zip", "PK");
        emulator.forget_seen();
        let done = computer.done(&delete_rows(&ROWS));
        assert_eq!(done["deleted"].as_array().map(Vec::len), Some(ROWS.len()));
        assert_eq!(emulator.object_keys(), ["my backups/pc/stays.zip"]);
        assert_eq!(emulator.count(Kind::DeleteBatch), 1);
        assert_eq!(emulator.count(Kind::Delete), 0);
    });
}

#[test]
fn where_several_cannot_be_deleted_at_once_each_is_deleted_by_itself() {
    for (status, code) in [
        (501, "NotImplemented"),
        (400, "InvalidRequest"),
        (405, "MethodNotAllowed"),
        (403, "AccessDenied"),
    ] {
        let emulator = Emulator::start(&MINIO);
        let computer = Computer::new(&emulator, Line::Http);
        computer.add_profile("p", &computer.right(), &["docs"]);
        put_rows(&emulator);
        let refusal = Refusal::new(status, code, "Not here.");
        emulator.conduct(|conduct| conduct.refusals.push((Kind::DeleteBatch, refusal)));
        emulator.forget_seen();
        computer.done(&delete_rows(&ROWS));
        assert!(emulator.object_keys().is_empty(), "{code}");
        assert_eq!(emulator.count(Kind::DeleteBatch), 1, "{code}");
        assert_eq!(emulator.count(Kind::Delete), ROWS.len(), "{code}");
    }
}
