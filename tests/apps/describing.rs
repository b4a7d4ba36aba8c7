//! What `show` tells of an archive of Cherry Studio.

use crate::archives;
use crate::home::Home;
use crate::support::write_file;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{self, Context};
use zipkeep::model::{Destination, FolderDestination, Reporter};
use zipkeep::storage::{self, Patience};

/// Name of the archive, its bytes, and what must be told of it.
fn generations() -> [(&'static str, Vec<u8>, Value); 5] {
    [
        (
            "cherry-studio.20250101010203.old.pc.windows.zip",
            archives::first_generation(),
            json!({"layout": "data-json", "format_version": 5, "app_version": null,
                "made": "2025-01-01T01:02:03Z", "made_local": "2025-01-01T01:02:03",
                "device": "old.pc", "extent": "full"}),
        ),
        (
            "cherry-studio.20260101020203456.MBP.local.mac.zip",
            archives::second_generation(),
            json!({"layout": "folders-v1", "format_version": 6, "app_version": "1.9.3",
                "platform": "darwin", "arch": "arm64", "made": "2026-01-01T01:02:03Z",
                "made_local": "2026-01-01T02:02:03.456", "device": "MBP.local", "extent": "full"}),
        ),
        (
            "renamed by hand.zip",
            archives::third_generation(),
            json!({"layout": "folders-v2", "format_version": 7, "app_version": "2.0.9",
                "platform": "win32", "made": "2026-06-01T01:02:03Z", "made_local": null,
                "device": null, "extent": "full"}),
        ),
        (
            "cherry-studio.backup.pc.20260601010203.zip",
            archives::third_generation_slim(),
            json!({"layout": "folders-v2", "device": "pc", "extent": "slim"}),
        ),
        (
            "cherry-studio.20260801120203.my-pc.linux.zip",
            archives::fourth_generation(),
            json!({"layout": "portable", "format_version": 1, "app_version": "2.2.0",
                "made": "2026-08-01T10:02:03Z", "device": "my-pc", "extent": "full"}),
        ),
    ]
}

#[test]
fn each_generation_is_described_by_what_is_in_it() {
    let home = Home::new();
    for (name, archive, expected) in generations() {
        home.keep(name, &archive);
        let shown = home.json(0, &["show", name]);
        let told = &shown["result"]["cherry_studio"];
        for (field, value) in expected.as_object().expect("an object") {
            assert_eq!(&told[field], value, "{field} of {name}: {told}");
        }
    }
    let shown = home.run(&["show", "renamed"]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        text.starts_with("Made by Cherry Studio 2.0.9 for Windows, with files\nMade 2026-06-01"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_told_the_same_without_the_list_of_entries() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backups");
    let destination = Destination::Folder(FolderDestination { path: path.clone() });
    let store = storage::open(&destination, None, Patience::Interactive).expect("opened");
    let context = Context::new(Reporter::silent(), CancellationToken::new(), folder.path());
    for (name, archive, expected) in generations() {
        write_file(&path, name, &archive);
        let told = engine::describe(&store, name, &context).await;
        let told = serde_json::to_value(told.expect("described")).expect("JSON");
        for (field, value) in expected.as_object().expect("an object") {
            assert_eq!(&told[field], value, "{field} of {name}: {told}");
        }
    }
    write_file(&path, "other.zip", &archives::archive(&[("x", b"x")]));
    let told = engine::describe(&store, "other.zip", &context).await;
    assert_eq!(told.expect("looked into"), None);
}

#[test]
fn other_archives_are_not_described() {
    let home = Home::new();
    home.keep(
        "a.zip",
        &archives::archive(&[("data.json", br#"{"time":"noon"}"#)]),
    );
    home.keep(
        "b.zip",
        &archives::archive(&[("metadata.json", b"{}"), ("IndexedDB/x", b"")]),
    );
    for name in ["a.zip", "b.zip"] {
        let shown = home.json(0, &["show", name]);
        assert_eq!(shown["result"]["cherry_studio"], Value::Null, "{name}");
    }
}
