//! The preset of Cherry Studio: what is backed up with it, and that it comes back in another home.

use crate::home::Home;
use crate::support::write_file;
use serde_json::Value;
use std::path::Path;

/// What a data folder holds that is worth keeping.
const KEPT: [&str; 7] = [
    "IndexedDB/file__0.indexeddb.leveldb/CURRENT",
    "IndexedDB/file__0.indexeddb.leveldb/000003.log",
    "Local Storage/leveldb/CURRENT",
    "Data/Files/a.png",
    "Data/cherrystudio.sqlite",
    "Data/Agents/logs/own.txt",
    "config.json",
];
/// What it holds besides.
const LEFT_OUT: [&str; 9] = [
    "logs/app.log",
    "Cache/Cache_Data/1",
    "Code Cache/js/1",
    "DawnWebGPUCache/1",
    "Network/Cookies",
    "Partitions/webview/Cookies",
    "Local Storage/leveldb/LOCK",
    "Data/restore-journal.json",
    "Data/cherrystudio.sqlite-shm",
];

/// A data folder, as it is when Cherry Studio does not run.
fn fill(folder: &Path) {
    for name in KEPT.iter().chain(&LEFT_OUT) {
        write_file(folder, name, name.as_bytes());
    }
}

fn sources(profile: &Value) -> Vec<&str> {
    let sources = profile["result"]["sources"].as_array().expect("a list");
    sources.iter().filter_map(Value::as_str).collect()
}

#[test]
fn what_the_preset_backs_up_comes_back_in_another_home() {
    let (a, b) = (Home::new(), Home::new());
    fill(&a.data_folder());
    // Excludes of the preset reach only its own folder.
    write_file(&a.path("docs"), "logs/mine.txt", b"mine");
    let docs = a.path("docs").display().to_string();
    let added = a.json(
        0,
        &[
            "profile",
            "edit",
            "default",
            "--source",
            &docs,
            "--preset",
            "cherry-studio",
        ],
    );
    let folder = a.data_folder().display().to_string();
    assert_eq!(sources(&added), [docs.as_str(), folder.as_str()]);
    let backup = a.json(0, &["backup"]);
    let name = backup["result"]["backup"].as_str().expect("a name");
    let shown = a.json(0, &["show", name]);
    let entries = shown["result"]["entries"].as_array().expect("a list");
    let has = |path: &str| entries.iter().any(|entry| entry["path"] == path);
    for kept in KEPT {
        assert!(has(&format!("CherryStudio/{kept}")), "{kept}");
    }
    for left_out in LEFT_OUT {
        assert!(!has(&format!("CherryStudio/{left_out}")), "{left_out}");
    }
    assert!(has("docs/logs/mine.txt"));

    let archive = a.path(".local/share/zipkeep/backups").join(name);
    b.keep(name, &std::fs::read(archive).expect("read"));
    write_file(&b.data_folder(), "Data/b.txt", b"stays");
    write_file(&b.data_folder(), "Data/cherrystudio.sqlite", b"old");
    let old_log = "IndexedDB/file__0.indexeddb.leveldb/000099.log";
    write_file(&b.data_folder(), old_log, b"of another state");
    write_file(
        &b.data_folder(),
        "Data/cherrystudio.sqlite-wal",
        b"of another state",
    );
    let restored = b.json(0, &["restore", name, "--to-app", "cherry-studio"]);
    assert_eq!(restored["result"]["refused"], Value::Array(Vec::new()));
    for kept in KEPT {
        let there = b.read(&format!(".config/CherryStudio/{kept}"));
        assert_eq!(there.as_deref(), Some(kept), "{kept}");
    }
    let is_there = |name: &str| b.data_folder().join(name).exists();
    assert!(is_there("Data/b.txt"));
    assert!(!is_there(old_log) && !is_there("Data/cherrystudio.sqlite-wal"));
    assert!(!b.path("docs").exists(), "nothing but the data folder");
    b.json(0, &["undo"]);
    assert!(is_there(old_log) && is_there("Data/cherrystudio.sqlite-wal"));
    assert!(!is_there("config.json"));
}

#[test]
fn presets_are_listed_with_where_they_are_found() {
    let home = Home::new();
    let listed = home.json(0, &["profile", "presets"]);
    let preset = &listed["result"]["presets"][0];
    assert_eq!(preset["id"], "cherry-studio");
    assert_eq!(preset["folders"], Value::Array(Vec::new()));
    fill(&home.data_folder());
    let text = home.run(&["profile", "presets"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains(&home.data_folder().display().to_string()),
        "{text}"
    );
}

#[test]
fn a_preset_that_is_not_found_or_not_known_says_what_to_do() {
    let home = Home::new();
    let failed = home.json(
        2,
        &["profile", "edit", "default", "--preset", "cherry-studio"],
    );
    let message = failed["error"]["message"].as_str().expect("a text");
    assert!(message.contains(".config/CherryStudio"), "{message}");
    let failed = home.json(2, &["profile", "edit", "default", "--preset", "sherry"]);
    let hint = failed["error"]["hint"].as_str().expect("a text");
    assert!(hint.contains("cherry-studio"), "{hint}");
    let usb = home.path("usb/data");
    fill(&usb);
    let usb = usb.display().to_string();
    let added = home.json(
        0,
        &[
            "profile",
            "edit",
            "default",
            "--preset",
            "cherry-studio",
            "--source",
            &usb,
        ],
    );
    assert_eq!(sources(&added), [usb]);
    let again = home.json(
        0,
        &[
            "profile",
            "edit",
            "default",
            "--preset",
            "cherry-studio",
            "--source",
            "usb/data",
        ],
    );
    assert_eq!(again["result"], added["result"], "once is enough");
}
