//! Cherry Studio's own archives, restored into its data folder.

use crate::archives;
use crate::home::Home;
use crate::support::write_file;
use serde_json::Value;

const TO_APP: [&str; 2] = ["--to-app", "cherry-studio"];

/// A home with what an older state of Cherry Studio left, of version 2.
fn home_with_data() -> Home {
    let home = Home::new();
    let folder = home.data_folder();
    let database = "IndexedDB/file__0.indexeddb.leveldb";
    write_file(
        &folder,
        &format!("{database}/CURRENT"),
        b"MANIFEST-000100\n",
    );
    write_file(
        &folder,
        &format!("{database}/MANIFEST-000100"),
        b"old manifest",
    );
    write_file(&folder, &format!("{database}/000101.log"), b"old log");
    write_file(&folder, "Data/cherrystudio.sqlite", b"old database");
    write_file(&folder, "Data/cherrystudio.sqlite-wal", b"old writes");
    write_file(&folder, "Data/Files/mine.png", b"mine");
    write_file(&folder, "logs/app.log", b"a log");
    home
}

fn in_folder(home: &Home, name: &str) -> Option<String> {
    home.read(&format!(".config/CherryStudio/{name}"))
}

fn error(line: &Value) -> (&str, &str) {
    let text = |field: &str| line["error"][field].as_str().expect("a text");
    (text("kind"), text("hint"))
}

#[test]
fn an_archive_of_folders_replaces_databases_whole_and_keeps_other_files() {
    let home = home_with_data();
    home.keep("second.zip", &archives::second_generation());
    let restored = home.json(3, &[&["restore", "second.zip"], &TO_APP[..]].concat());
    assert_eq!(restored["result"]["files"], 7);
    let told = &restored["result"]["warnings"][0]["reason"];
    let told = told.as_str().expect("a text");
    assert!(told.contains("do not read each other's data"), "{told}");
    let database = "IndexedDB/file__0.indexeddb.leveldb";
    for (name, content) in [
        ("CURRENT", Some("MANIFEST-000007\n")),
        ("000008.log", Some("new log")),
        ("000101.log", None),
        ("MANIFEST-000100", None),
    ] {
        let there = in_folder(&home, &format!("{database}/{name}"));
        assert_eq!(there.as_deref(), content, "{name}");
    }
    assert_eq!(
        in_folder(&home, "Data/agents.db").as_deref(),
        Some("new agents")
    );
    assert_eq!(
        in_folder(&home, "Data/Files/mine.png").as_deref(),
        Some("mine")
    );
    assert_eq!(in_folder(&home, "logs/app.log").as_deref(), Some("a log"));
    assert_eq!(in_folder(&home, "metadata.json"), None);
    let wal = in_folder(&home, "Data/cherrystudio.sqlite-wal");
    assert_eq!(
        wal.as_deref(),
        Some("old writes"),
        "its database was not restored"
    );
}

#[test]
fn an_archive_of_the_folders_own_generation_is_restored_without_a_word() {
    let home = Home::new();
    write_file(&home.data_folder(), "Data/agents.db", b"old agents");
    home.keep("second.zip", &archives::second_generation());
    home.json(0, &[&["restore", "second.zip"], &TO_APP[..]].concat());
    assert_eq!(
        in_folder(&home, "Data/agents.db").as_deref(),
        Some("new agents")
    );
}

#[test]
fn full_and_slim_archives_of_version_2_find_their_places() {
    for (archive, files) in [
        (archives::third_generation(), 7),
        (archives::third_generation_slim(), 2),
    ] {
        let home = home_with_data();
        home.keep("third.zip", &archive);
        let dry = [&["restore", "third.zip", "--dry-run"], &TO_APP[..]].concat();
        home.json(0, &dry);
        assert_eq!(in_folder(&home, "cache.json"), None);
        let restored = home.json(0, &[&["restore", "third.zip"], &TO_APP[..]].concat());
        assert_eq!(restored["result"]["files"], files);
        let read = |name| in_folder(&home, name);
        assert_eq!(read("cache.json").as_deref(), Some(r#"{"window":"new"}"#));
        assert_eq!(
            read("Data/cherrystudio.sqlite").as_deref(),
            Some("new database")
        );
        assert_eq!(
            read("Data/cherrystudio.sqlite-wal"),
            None,
            "writes of the older state"
        );
        assert_eq!(read("Data/Files/mine.png").as_deref(), Some("mine"));
        assert_eq!(read("metadata.json"), None);
        home.json(0, &["undo"]);
        assert_eq!(
            read("Data/cherrystudio.sqlite").as_deref(),
            Some("old database")
        );
        assert_eq!(
            read("Data/cherrystudio.sqlite-wal").as_deref(),
            Some("old writes")
        );
    }
}

#[test]
fn what_stays_of_a_database_keeps_what_belongs_to_it() {
    let home = home_with_data();
    home.keep("third.zip", &archives::third_generation());
    let skip = [
        &["restore", "third.zip", "--on-conflict", "skip"],
        &TO_APP[..],
    ]
    .concat();
    home.json(0, &skip);
    let read = |name| in_folder(&home, name);
    assert_eq!(
        read("Data/cherrystudio.sqlite").as_deref(),
        Some("old database")
    );
    assert_eq!(
        read("Data/cherrystudio.sqlite-wal").as_deref(),
        Some("old writes")
    );
    let one = [
        &["restore", "third.zip", "--only", "**/MANIFEST*"],
        &TO_APP[..],
    ]
    .concat();
    home.json(0, &one);
    let log = read("IndexedDB/file__0.indexeddb.leveldb/000101.log");
    assert_eq!(log.as_deref(), Some("old log"), "only a part was asked for");
}

#[test]
fn what_only_cherry_studio_can_read_is_refused_with_the_way_out() {
    let home = home_with_data();
    home.keep("first.zip", &archives::first_generation());
    home.keep("fourth.zip", &archives::fourth_generation());
    for name in ["first.zip", "fourth.zip"] {
        let failed = home.json(1, &[&["restore", name], &TO_APP[..]].concat());
        let (kind, hint) = error(&failed);
        assert_eq!(kind, "import-only");
        assert!(hint.contains("zipkeep-cli download"), "{hint}");
    }
    let files = [&["restore", "first.zip", "--only", "Data/**"], &TO_APP[..]].concat();
    home.json(3, &files);
    assert_eq!(
        in_folder(&home, "Data/Files/a.png").as_deref(),
        Some("a picture")
    );
    assert_eq!(in_folder(&home, "data.json"), None);
    let files = [
        &["restore", "fourth.zip", "--only", "resources/**"],
        &TO_APP[..],
    ]
    .concat();
    assert_eq!(error(&home.json(1, &files)).0, "import-only");
    // To a folder everything comes back.
    home.json(0, &["restore", "first.zip", "--to", "first"]);
    assert!(home.path("first/data.json").exists());
}

#[test]
fn what_has_no_place_in_the_folder_is_named() {
    let home = home_with_data();
    home.keep("first.zip", &archives::first_generation());
    let notes = [&["restore", "first.zip", "--only", "Notes"], &TO_APP[..]].concat();
    let restored = home.json(3, &notes);
    let refused = &restored["result"]["refused"];
    assert_eq!(refused[0]["path"], "Notes/outside.md", "{refused}");
}

#[test]
fn archives_of_other_programs_are_refused() {
    let home = home_with_data();
    home.keep(
        "a.zip",
        &archives::archive(&[("Data/x", b"x"), ("y", b"y")]),
    );
    let failed = home.json(1, &[&["restore", "a.zip"], &TO_APP[..]].concat());
    assert_eq!(error(&failed).0, "not-its-data");
    assert_eq!(in_folder(&home, "Data/x"), None);
}

#[test]
fn the_folder_is_named_where_there_are_several_or_none() {
    let home = Home::new();
    home.keep("third.zip", &archives::third_generation());
    let restore = [&["restore", "third.zip"], &TO_APP[..]].concat();
    let failed = home.json(2, &restore);
    let message = |line: &Value| {
        line["error"]["message"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    assert!(
        message(&failed).contains(".config/CherryStudio"),
        "{failed}"
    );
    for name in [".config/CherryStudio", "moved"] {
        write_file(&home.path(name), "Data/cherrystudio.sqlite", b"old");
    }
    let moved = home.path("moved").display().to_string();
    let note = serde_json::json!({"app.user_data_path": {"/opt/cherry": moved}});
    write_file(
        &home.path(".cherrystudio"),
        "boot-config.json",
        note.to_string().as_bytes(),
    );
    let failed = home.json(2, &restore);
    let told = message(&failed);
    assert!(
        told.contains(&moved) && told.contains(".config/CherryStudio"),
        "{told}"
    );
    home.json(0, &[&restore[..], &["--to", "moved"]].concat());
    assert!(home.path("moved/cache.json").exists());
    assert!(!home.path(".config/CherryStudio/cache.json").exists());
}

/// New files of a database beside old ones are read by no program; and what is in the archive is there
/// still.
#[test]
fn of_a_database_with_a_damaged_file_the_old_one_stays_whole() {
    let home = home_with_data();
    let database = "IndexedDB/file__0.indexeddb.leveldb";
    let damaged = archives::damaged_at(
        archives::second_generation(),
        &format!("{database}/000008.log"),
    );
    home.keep("second.zip", &damaged);
    let old = || {
        ["CURRENT", "MANIFEST-000100", "000101.log"]
            .map(|name| in_folder(&home, &format!("{database}/{name}")))
    };
    let before = old();
    let restored = home.json(3, &[&["restore", "second.zip"], &TO_APP[..]].concat());
    assert_eq!(old(), before);
    for name in ["MANIFEST-000007", "000008.log"] {
        assert_eq!(
            in_folder(&home, &format!("{database}/{name}")),
            None,
            "{name}"
        );
    }
    let refused = restored["result"]["refused"].as_array().expect("a list");
    let whole = refused.iter().find(|one| one["path"] == database);
    let reason = whole.expect("it is told")["reason"]
        .as_str()
        .expect("a text");
    assert!(reason.contains("stays as it is"), "{reason}");
    // All else is restored, also another database.
    let settings = in_folder(&home, "Local Storage/leveldb/MANIFEST-000001");
    assert_eq!(settings.as_deref(), Some("new settings"));
    assert_eq!(
        in_folder(&home, "Data/agents.db").as_deref(),
        Some("new agents")
    );
}

/// Where there is none yet, a part may still be of use.
#[test]
fn of_a_damaged_database_that_is_not_there_yet_the_rest_is_restored() {
    let home = Home::new();
    write_file(&home.data_folder(), "Data/agents.db", b"old agents");
    let database = "IndexedDB/file__0.indexeddb.leveldb";
    let damaged = archives::damaged_at(
        archives::second_generation(),
        &format!("{database}/000008.log"),
    );
    home.keep("second.zip", &damaged);
    home.json(3, &[&["restore", "second.zip"], &TO_APP[..]].concat());
    let manifest = in_folder(&home, &format!("{database}/MANIFEST-000007"));
    assert_eq!(manifest.as_deref(), Some("new manifest"));
}

/// The writes that a newer state has beside its database would be played into the old one.
#[test]
fn of_an_sqlite_database_that_is_damaged_nothing_is_put_beside_the_old_one() {
    let home = home_with_data();
    let newer = archives::archive(&[
        (
            "metadata.json",
            br#"{"version":7,"appName":"Cherry Studio"}"#,
        ),
        ("cache.json", b"{}"),
        ("Data/cherrystudio.sqlite", b"new database"),
        ("Data/cherrystudio.sqlite-wal", b"new writes"),
    ]);
    let damaged = archives::damaged_at(newer, "Data/cherrystudio.sqlite");
    home.keep("third.zip", &damaged);
    home.json(3, &[&["restore", "third.zip"], &TO_APP[..]].concat());
    let read = |name| in_folder(&home, name);
    assert_eq!(
        read("Data/cherrystudio.sqlite").as_deref(),
        Some("old database")
    );
    assert_eq!(
        read("Data/cherrystudio.sqlite-wal").as_deref(),
        Some("old writes")
    );
    assert_eq!(read("cache.json").as_deref(), Some("{}"));
}
