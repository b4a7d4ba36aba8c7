//! What follows from an examination: nothing is left of one that is cut short, what it learnt is kept, and
//! the backups after it make use of that.

use super::entry::set_style;
use super::line_to;
use super::rights::leave_uploads;
use crate::emulator::{
    Access, COS, Computer, EVERY, Emulator, Held, Kind, MINIO, OSS, PartCopy, Refusal, Rules,
};
use crate::support::{assert_same_tree, noise, write_file};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A computer with 18 MiB to back up.
fn with_data<'a>(emulator: &'a Emulator, rules: &Rules) -> Computer<'a> {
    let computer = Computer::new(emulator, line_to(rules));
    for name in 0..2 {
        let data = noise(name, 9 << 20);
        write_file(&computer.path("docs"), &format!("{name}.bin"), &data);
    }
    computer
}

fn back_up(computer: &Computer<'_>, number: u64) -> Value {
    write_file(&computer.path("docs"), "new.txt", &noise(number, 100));
    computer.done(&["--profile", "p", "backup"])
}

#[cfg(unix)]
#[test]
fn a_test_that_is_cancelled_at_any_moment_leaves_nothing() {
    let kinds = [
        Kind::HeadBucket,
        Kind::List,
        Kind::Put,
        Kind::Get,
        Kind::CreateUpload,
        Kind::CopyPart,
        Kind::Complete,
        Kind::Head,
        Kind::Delete,
    ];
    let cancel = |kind, held| {
        let emulator = Emulator::start(&MINIO);
        let computer = Computer::new(&emulator, line_to(&MINIO));
        computer.add_profile("p", &computer.right(), &[]);
        emulator.conduct(|conduct| conduct.held = held);
        emulator.hold(kind, 0);
        let mut command = computer.command(&["--profile", "p", "test"]);
        let child = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        assert!(emulator.wait_for_held(PATIENCE), "{kind:?}");
        let pid = child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        let killed = kill.args(["-s", "INT", &pid]).status().expect("kill");
        assert!(killed.success());
        let asked = Instant::now();
        if matches!(kind, Kind::Head | Kind::Delete) {
            // What takes it back asks so, too.
            std::thread::park_timeout(Duration::from_millis(300));
            emulator.release();
        }
        let output = child.wait_with_output().expect("ended");
        assert_eq!(output.status.code(), Some(130), "{kind:?} {held:?}");
        // Whether a request that is not answered is carried out later, nobody knows.
        let is_unsure = matches!(
            kind,
            Kind::Put | Kind::CreateUpload | Kind::CopyPart | Kind::Complete
        );
        let told = String::from_utf8_lossy(&output.stderr);
        let promised = "Nothing half-made was left behind";
        assert_eq!(
            told.contains("may still be at"),
            is_unsure,
            "{kind:?}: {told}"
        );
        assert_eq!(told.contains(promised), !is_unsure, "{kind:?}: {told}");
        assert!(
            asked.elapsed() < Duration::from_secs(8),
            "{kind:?} {held:?}"
        );
        emulator.release();
        assert!(emulator.object_keys().is_empty(), "{kind:?} {held:?}");
        assert!(
            emulator.unfinished_uploads().is_empty(),
            "{kind:?} {held:?}"
        );
    };
    std::thread::scope(|scope| {
        for held in [Held::Undone, Held::Unanswered] {
            scope.spawn(move || kinds.map(|kind| cancel(kind, held)));
        }
    });
}

#[cfg(unix)]
#[test]
fn what_is_stored_only_after_a_cancel_is_taken_back_too() {
    for (kind, access) in [
        (Kind::Put, Access::Everything),
        (Kind::Complete, Access::Everything),
        (Kind::Put, Access::NoDelete),
    ] {
        let emulator = Emulator::start(&MINIO);
        let computer = Computer::new(&emulator, line_to(&MINIO));
        let mut typed = computer.right();
        typed.key = emulator.add_key(access);
        computer.add_profile("p", &typed, &[]);
        emulator.conduct(|conduct| conduct.held = Held::Late);
        emulator.hold(kind, 0);
        let mut command = computer.command(&["--profile", "p", "test"]);
        let child = command.stderr(std::process::Stdio::piped()).spawn();
        let child = child.expect("the program starts");
        assert!(emulator.wait_for_held(PATIENCE), "{kind:?}");
        let pid = child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        let killed = kill.args(["-s", "INT", &pid]).status().expect("kill");
        assert!(killed.success());
        std::thread::park_timeout(Duration::from_secs(1));
        emulator.release();
        let output = child.wait_with_output().expect("ended");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{told}");
        if access == Access::NoDelete {
            let left = emulator.object_keys();
            assert!(left.len() == 1 && told.contains(&left[0]), "{told}");
        } else {
            assert!(emulator.object_keys().is_empty(), "{kind:?}: {told}");
            assert!(told.contains("Nothing half-made was left behind"), "{told}");
        }
    }
}

#[test]
fn an_answer_that_gets_lost_is_no_failure() {
    for kind in [Kind::Put, Kind::Complete] {
        let emulator = Emulator::start(&MINIO);
        let computer = Computer::new(&emulator, line_to(&MINIO));
        computer.add_profile("p", &computer.right(), &[]);
        emulator.conduct(|conduct| conduct.held = Held::Unanswered);
        emulator.hold(kind, 0);
        let report = std::thread::scope(|scope| {
            let testing = scope.spawn(|| computer.done(&["--profile", "p", "test"]));
            assert!(emulator.wait_for_held(PATIENCE), "{kind:?}");
            emulator.release();
            testing.join().expect("tested")
        });
        assert_eq!(report["verdict"], "The connection works", "{kind:?}");
        assert!(emulator.object_keys().is_empty(), "{kind:?}");
    }
}

#[test]
fn what_was_learnt_is_saved_and_the_next_backup_works() {
    let learns = |rules: &Rules, is_style: bool| {
        let emulator = Emulator::start(rules);
        let computer = with_data(&emulator, rules);
        let mut typed = computer.right();
        match rules.provider {
            "aws" => {
                "https://s3.us-west-2.amazonaws.com".clone_into(&mut typed.endpoint);
                "us-west-2".clone_into(&mut typed.region);
            }
            "r2" => "cn-north-1".clone_into(&mut typed.region),
            "minio" => "eu-west-1".clone_into(&mut typed.region),
            _ => {}
        }
        computer.add_profile("p", &typed, &["docs"]);
        if is_style {
            set_style(&computer, "path");
        }
        let (refused, _) = computer.json(&["--profile", "p", "backup"]);
        assert_eq!(refused, Some(1), "{}", rules.provider);
        let tested = computer.done(&["--profile", "p", "test", "--save"]);
        assert_eq!(tested["saved"], true, "{tested}");
        let corrected = &tested["verdict"];
        assert_eq!(corrected, "The connection works", "{tested}");
        back_up(&computer, 1);
        assert_eq!(emulator.object_keys().len(), 1, "{}", rules.provider);
    };
    for rules in EVERY {
        let is_style = [OSS.provider, COS.provider].contains(&rules.provider);
        learns(&rules, is_style);
    }
}

#[test]
fn only_uploads_that_are_older_than_a_day_are_cleaned_up() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let computer = Computer::new(&emulator, line_to(&rules));
        computer.add_profile("p", &computer.right(), &[]);
        leave_uploads(&emulator, &[48, 25, 23]);
        let young = emulator.unfinished_uploads()[2].clone();
        let of_another_program = "my backups/pc/video.bin";
        let long_ago = Timestamp::now() - SignedDuration::from_hours(100);
        emulator.put_upload(of_another_program, long_ago, vec![0; 10]);
        let (code, line) = computer.json(&["--profile", "p", "test", "--clean-up"]);
        assert_eq!(code, Some(3), "{line}");
        let cleaned = &line["result"]["cleaned_up"];
        assert_eq!(
            (&cleaned["uploads"], &cleaned["left"]),
            (&2.into(), &1.into())
        );
        assert_eq!(
            emulator.unfinished_uploads(),
            [young.as_str(), of_another_program]
        );
        computer.done(&["--profile", "p", "test"]);
    }
}

#[test]
fn what_the_doctor_learns_of_copies_the_next_backup_knows() {
    for lie in [
        PartCopy::NotImplemented,
        PartCopy::Empty,
        PartCopy::OtherBytes,
    ] {
        let emulator = Emulator::start(&MINIO);
        let computer = with_data(&emulator, &MINIO);
        computer.add_profile("p", &computer.right(), &["docs"]);
        back_up(&computer, 1);
        emulator.conduct(|conduct| conduct.part_copy = lie);
        let (code, _) = computer.json(&["--profile", "p", "test"]);
        assert_eq!(code, Some(3), "{lie:?}");
        emulator.forget_seen();
        let report = back_up(&computer, 2);
        assert_eq!(report["full_because"], "cannot-copy", "{lie:?}");
        assert_eq!(emulator.count(Kind::CopyPart), 0, "{lie:?}");

        emulator.conduct(|conduct| conduct.part_copy = PartCopy::Honest);
        let report = back_up(&computer, 3);
        assert_eq!(report["full_because"], "cannot-copy", "nobody has looked");
        computer.done(&["--profile", "p", "test"]);
        emulator.forget_seen();
        let report = back_up(&computer, 4);
        assert_eq!(report["full_because"], Value::Null, "{lie:?}");
        assert!(emulator.count(Kind::CopyPart) > 0, "{lie:?}");
        computer.done(&["--profile", "p", "verify", "latest"]);
    }
}

#[test]
fn a_server_that_breaks_at_every_copy_is_sent_everything() {
    let emulator = Emulator::start(&MINIO);
    let computer = with_data(&emulator, &MINIO);
    computer.add_profile("p", &computer.right(), &["docs"]);
    back_up(&computer, 1);
    let refusal = Refusal::new(500, "InternalError", "We encountered an internal error.");
    emulator.conduct(|conduct| conduct.refusals.push((Kind::CopyPart, refusal)));
    let began = Instant::now();
    let report = back_up(&computer, 2);
    assert!(
        began.elapsed() < Duration::from_mins(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(report["full_because"], "copy-failed", "{report}");
    assert!(emulator.unfinished_uploads().is_empty());
    assert_eq!(emulator.object_keys().len(), 2);
    computer.done(&["--profile", "p", "restore", "latest", "--to", "all"]);
    assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
}

#[test]
fn in_the_terminal_what_was_not_reached_is_one_line() {
    let emulator = Emulator::start(&MINIO);
    let computer = Computer::new(&emulator, line_to(&MINIO));
    let mut typed = computer.right();
    typed.key.secret.pop();
    computer.add_profile("p", &typed, &[]);
    let output = computer.run(&["--profile", "p", "test"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let not_tried: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("Not tried"))
        .collect();
    assert_eq!(
        not_tried,
        ["Not tried: bucket, list, write, read, copy, condition, public, delete, unfinished"],
        "{text}"
    );
    assert!(!text.contains("Writing was not tried"), "{text}");
    assert!(
        text.contains("FAILED   keys") && text.contains("Paste"),
        "{text}"
    );
}
