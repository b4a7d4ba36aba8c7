//! While Cherry Studio runs, its data is neither backed up nor restored in silence.
#![cfg(unix)]

use crate::archives;
use crate::home::Home;
use crate::support::write_file;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, id};

/// A home in which the process of this number has Cherry Studio's folder.
fn home_used_by(pid: u32) -> Home {
    let home = Home::new();
    write_file(&home.data_folder(), "Data/cherrystudio.sqlite", b"old");
    let host = gethostname::gethostname();
    let target = format!("{}-{pid}", host.to_string_lossy());
    symlink(target, home.data_folder().join("SingletonLock")).expect("made");
    home.keep("third.zip", &archives::third_generation());
    home
}

fn ended() -> u32 {
    let mut child = Command::new("true").spawn().expect("started");
    let pid = child.id();
    child.wait().expect("ended");
    pid
}

fn warnings(line: &Value) -> Vec<String> {
    let warnings = line["result"]["warnings"].as_array().expect("a list");
    let reasons = warnings
        .iter()
        .filter_map(|warning| warning["reason"].as_str());
    reasons.map(str::to_owned).collect()
}

#[test]
fn a_backup_of_a_running_program_is_made_with_a_warning() {
    let home = home_used_by(id());
    for source in [
        ".config/CherryStudio",
        ".config",
        ".config/CherryStudio/Data",
    ] {
        let backup = home.json(3, &["backup", source]);
        let told = warnings(&backup);
        assert!(told[0].starts_with("Cherry Studio is running"), "{told:?}");
        assert!(backup["result"]["backup"].is_string());
    }
    home.json(
        0,
        &["profile", "edit", "default", "--exclude", "CherryStudio/"],
    );
    home.json(0, &["backup", ".config"]);
    write_file(&home.path("docs"), "a.txt", b"a");
    home.json(0, &["backup", "docs"]);
}

#[test]
fn a_restore_under_a_running_program_is_refused_unless_asked_for() {
    let home = home_used_by(id());
    let database = home.data_folder().join("Data/cherrystudio.sqlite");
    let read = || fs::read_to_string(&database).expect("read");
    let restore = ["restore", "third.zip", "--to-app", "cherry-studio"];
    let failed = home.json(1, &restore);
    assert_eq!(failed["error"]["kind"], "app-running");
    let hint = failed["error"]["hint"].as_str().expect("a text");
    assert!(hint.contains("--while-running"), "{hint}");
    assert_eq!(read(), "old");
    let foreseen = home.json(3, &[&restore[..], &["--dry-run"]].concat());
    assert!(warnings(&foreseen)[0].starts_with("Cherry Studio is running"));
    assert_eq!(
        foreseen["result"]["refused"].as_array().map(Vec::len),
        Some(0)
    );
    // It makes no difference by what way a restore comes there.
    let failed = home.json(1, &["restore", "third.zip", "--to", ".config/CherryStudio"]);
    assert_eq!(failed["error"]["kind"], "app-running");
    home.json(0, &["restore", "third.zip", "--to", "elsewhere"]);
    let restored = home.json(3, &[&restore[..], &["--while-running"]].concat());
    assert!(warnings(&restored)[0].starts_with("Cherry Studio is running"));
    assert_eq!(read(), "new database");
}

#[test]
fn what_a_killed_program_left_behind_is_no_hindrance() {
    let home = home_used_by(ended());
    home.json(0, &["backup", ".config/CherryStudio"]);
    home.json(0, &["restore", "third.zip", "--to-app", "cherry-studio"]);
}
