//! Targets of which a part is barred: mounted from elsewhere, locked, or somebody else's. What can be
//! restored is, all else is refused by name; what a dry run says is what comes of it.
#![cfg(unix)]

use crate::jobs::{back_up, open_folder, quiet, restore};
use crate::support::{printed, snapshot, write_file};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zipkeep::engine::{self, LaterChanges, PreviewDepth, RestoreRequest, RestoreTarget};

/// Something mounted at a second place; gone when dropped. `None` where we may not mount.
#[cfg(target_os = "linux")]
struct Bound(PathBuf);

#[cfg(target_os = "linux")]
impl Bound {
    fn mount(from: &Path, to: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        Self::made_by(mount.arg("--bind").args([from, to]), to)
    }

    fn made_by(mount: &mut Command, to: &Path) -> Option<Self> {
        if mount.output().is_ok_and(|output| output.status.success()) {
            Some(Self(to.to_owned()))
        } else {
            crate::support::skip(
                "ZIPKEEP_REQUIRE_TOOLS",
                "nothing can be mounted here: restores over mounts are not tried",
            )
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Bound {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_same_disk_that_is_mounted_in_the_target_is_restored_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, data) = (folder.path().join("source"), folder.path().join("data"));
    for name in ["a", "inner/b", "inner/deep/c", "one"] {
        write_file(&source, name, name.as_bytes());
    }
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(&data)).await.expect("made");
    let target = folder.path().join("target");
    for name in ["source/a", "source/one", "elsewhere/b", "other"] {
        write_file(&target, name, b"old");
    }
    fs::create_dir_all(target.join("source/inner")).expect("made");
    let elsewhere = target.join("elsewhere");
    let Some(_folder) = Bound::mount(&elsewhere, &target.join("source/inner")) else {
        return;
    };
    let Some(_file) = Bound::mount(&target.join("other"), &target.join("source/one")) else {
        return;
    };
    let before = snapshot(&target);
    let request = RestoreRequest::all_of(&report.key, RestoreTarget::Folder(target.clone()));
    let foreseen = engine::preview(&store, request, PreviewDepth::Contents, &quiet(&data)).await;
    let restored = restore(&store, &report.key, &target, &quiet(&data)).await;
    let restored = restored.expect("restored");
    assert_eq!(foreseen.expect("foreseen").refused, restored.refused);
    // A file that is mounted itself can be replaced by nobody.
    let refused: Vec<&str> = restored
        .refused
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(refused, ["source/one"], "{:?}", restored.refused);
    assert_eq!(restored.files, 3);
    for (name, content) in [
        ("source/a", "a"),
        ("source/inner/b", "inner/b"),
        ("elsewhere/deep/c", "inner/deep/c"),
        ("source/one", "old"),
    ] {
        let read = fs::read_to_string(target.join(name));
        assert_eq!(read.expect("there"), content, "{name}");
    }
    let undone = engine::undo(&data, None, LaterChanges::Respected);
    undone.expect("undone");
    assert_eq!(snapshot(&target), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_mounted_read_only_is_an_error_of_the_dry_run_too() {
    let home = Home::with_backup(&["a", "b/c"]);
    fs::create_dir(home.path("target")).expect("made");
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "ro", "tmpfs"]);
    let Some(_disk) = Bound::made_by(mount.arg(home.path("target")), &home.path("target")) else {
        return;
    };
    let restore = ["restore", "latest", "--to", "target"];
    let told = home.json(1, &[&restore[..], &["--dry-run"]].concat());
    assert_eq!(told["error"]["kind"], "target", "{told}");
    assert_eq!(home.json(1, &restore)["error"], told["error"]);
}

/// The user "nobody" of most systems; anybody but the superuser would do.
const NOBODY: u32 = 65_534;

/// Somebody's home with a backup of `docs`, on a computer that has other users.
struct Home {
    folder: tempfile::TempDir,
    is_superuser: bool,
}

impl Home {
    fn with_backup(names: &[&str]) -> Self {
        let home = Self::with_files(names);
        home.give("");
        home.json(0, &["backup", "docs"]);
        home
    }

    fn with_files(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let is_superuser = fs::metadata(folder.path()).expect("there").uid() == 0;
        let home = Self {
            folder,
            is_superuser,
        };
        for name in names {
            write_file(&home.path("docs"), name, name.as_bytes());
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes everything there that of who runs the program.
    fn give(&self, name: &str) {
        if self.is_superuser {
            for entry in walkdir::WalkDir::new(self.path(name)) {
                let entry = entry.expect("an entry");
                chown(entry.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
            }
        }
    }

    /// Makes it somebody else's; `None` where we cannot.
    fn take(&self, name: &str, mode: u32) -> Option<()> {
        if !self.is_superuser {
            return crate::support::skip(
                "ZIPKEEP_REQUIRE_TOOLS",
                "nothing can be given to somebody else here: restores into it are not tried",
            );
        }
        chown(self.path(name), Some(0), Some(0)).expect("taken");
        self.set_mode(name, mode);
        Some(())
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("set");
    }

    /// Runs the program and gives its last line.
    #[track_caller]
    fn json(&self, exit_code: i32, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(["--json", "--quiet"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        if self.is_superuser {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().expect("the program starts");
        assert_eq!(
            output.status.code(),
            Some(exit_code),
            "{}",
            printed(&output)
        );
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
    }
}

fn refused(line: &Value) -> Vec<String> {
    let refused = line["result"]["refused"].as_array().expect("a list");
    let mut names: Vec<String> = refused
        .iter()
        .map(|one| one["path"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn folders_that_cannot_be_written_or_entered_are_refused_and_the_rest_restored() {
    let home = Home::with_backup(&["a", "theirs/b", "theirs/new/c", "secret/d", "mine/e"]);
    for name in ["a", "theirs/b", "secret/d", "mine/e"] {
        write_file(&home.path("docs"), name, b"old");
    }
    fs::remove_dir_all(home.path("docs/theirs/new")).expect("removed");
    home.give("docs");
    if home.take("docs/theirs", 0o755).is_none() || home.take("docs/secret", 0o700).is_none() {
        return;
    }
    let foreseen = home.json(3, &["restore", "latest", "--dry-run"]);
    let restored = home.json(3, &["restore", "latest"]);
    let names = [
        "docs/secret/d",
        "docs/theirs/b",
        "docs/theirs/new/",
        "docs/theirs/new/c",
    ];
    assert_eq!(refused(&restored), names);
    assert_eq!(refused(&foreseen), names);
    for (name, content) in [
        ("a", "a"),
        ("mine/e", "mine/e"),
        ("theirs/b", "old"),
        ("secret/d", "old"),
    ] {
        let read = fs::read_to_string(home.path("docs").join(name));
        assert_eq!(read.expect("there"), content, "{name}");
    }
    home.json(0, &["undo"]);
    let read = fs::read_to_string(home.path("docs/a"));
    assert_eq!(read.expect("there"), "old");
}

/// What is in a folder that takes nothing itself may be ours.
#[test]
fn a_folder_of_ours_in_one_that_cannot_be_written_is_restored() {
    let home = Home::with_backup(&["a", "mine/b"]);
    write_file(&home.path("docs"), "mine/b", b"old");
    home.give("docs");
    if home.take("docs", 0o755).is_none() {
        return;
    }
    let foreseen = home.json(0, &["restore", "latest", "--dry-run"]);
    assert_eq!(refused(&foreseen), [""; 0]);
    home.json(0, &["restore", "latest"]);
    let read = fs::read_to_string(home.path("docs/mine/b"));
    assert_eq!(read.expect("there"), "mine/b");
}

#[test]
fn a_target_that_takes_nothing_is_an_error_of_the_dry_run_too() {
    let home = Home::with_backup(&["a", "b/c"]);
    fs::create_dir(home.path("target")).expect("made");
    if home.take("target", 0o755).is_none() {
        return;
    }
    for to in ["target", "target/below"] {
        let restore = ["restore", "latest", "--to", to];
        let told = home.json(1, &[&restore[..], &["--dry-run"]].concat());
        assert_eq!(told["error"]["kind"], "target", "{told}");
        assert_eq!(home.json(1, &restore)["error"], told["error"]);
    }
}

/// To move a folder is to write to it, for it knows the one above it.
#[test]
fn a_mirror_removes_folders_that_are_locked_and_undo_locks_them_again() {
    let home = Home::with_backup(&["a"]);
    write_file(&home.path("docs"), "locked/inner/x", b"mine");
    home.give("docs");
    home.set_mode("docs/locked/inner", 0o555);
    home.set_mode("docs/locked", 0o555);
    let restored = home.json(0, &["restore", "latest", "--mirror"]);
    assert_eq!(restored["result"]["removed"], 1, "{restored}");
    assert!(!home.path("docs/locked").exists());
    home.json(0, &["undo"]);
    for name in ["docs/locked", "docs/locked/inner"] {
        let mode = fs::metadata(home.path(name))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o555, "{name}");
    }
    let read = fs::read_to_string(home.path("docs/locked/inner/x"));
    assert_eq!(read.expect("there"), "mine");
    home.json(0, &["restore", "latest", "--mirror"]);
    let id = home.json(0, &["undo", "--list"])["result"]["restores"][0]["id"].clone();
    home.json(0, &["undo", "--forget", id.as_str().expect("an id")]);
}

#[test]
fn a_mirror_names_what_it_may_not_remove() {
    let home = Home::with_backup(&["a", "b/c"]);
    write_file(&home.path("docs"), "theirs/x", b"x");
    write_file(&home.path("docs"), "secret/y", b"y");
    write_file(&home.path("docs"), "extra", b"z");
    home.give("docs");
    if home.take("docs/theirs", 0o755).is_none() || home.take("docs/secret", 0o700).is_none() {
        return;
    }
    let restored = home.json(3, &["restore", "latest", "--mirror"]);
    let docs = fs::canonicalize(home.path("docs")).expect("there");
    let names = ["secret", "theirs"].map(|name| docs.join(name).display().to_string());
    assert_eq!(refused(&restored), names);
    assert!(!docs.join("extra").exists() && docs.join("theirs/x").exists());
}

#[test]
fn the_programs_own_folders_are_no_targets() {
    let home = Home::with_backup(&["a"]);
    let data = home.path(".local/share/zipkeep");
    fs::create_dir_all(home.path(".config/zipkeep")).expect("made");
    std::os::unix::fs::symlink(&data, home.path("link")).expect("linked");
    home.give("");
    let before = || {
        let mut all = snapshot(&home.path("."));
        // What the program writes down of each run.
        all.retain(|path, _| !String::from_utf8_lossy(path).contains("log"));
        all.into_keys().collect::<Vec<_>>()
    };
    let was = before();
    for to in [
        ".local/share/zipkeep",
        ".local/share/zipkeep/below/it",
        ".local/share/zipkeep/backups",
        ".config/zipkeep/x",
        "link/restores",
    ] {
        for dry in [&["--dry-run"][..], &[]] {
            let told = home.json(2, &[&["restore", "latest", "--to", to], dry].concat());
            assert_eq!(told["error"]["kind"], "own-folder", "{to}: {told}");
        }
    }
    assert_eq!(before(), was);
    // The folder that they are in is nobody's.
    home.json(0, &["restore", "latest", "--to", ".local/share"]);
}

/// Its owner may write to it and not look into it.
#[test]
fn into_a_folder_that_only_takes_files_is_restored_and_undone_too() {
    let home = Home::with_backup(&["drop/a", "b"]);
    write_file(&home.path("docs"), "drop/a", b"old");
    home.give("docs");
    home.set_mode("docs/drop", 0o300);
    let read = || fs::read_to_string(home.path("docs/drop/a")).expect("there");
    home.json(0, &["restore", "latest", "--dry-run"]);
    home.json(0, &["restore", "latest", "--only", "docs/drop/a"]);
    assert_eq!(read(), "drop/a");
    home.json(0, &["undo"]);
    assert_eq!(read(), "old");
    let metadata = fs::metadata(home.path("docs/drop")).expect("there");
    assert_eq!(metadata.mode() & 0o777, 0o300);
}

/// A superuser backs up what keeps its own owner out; the owner restores it, and wants it undone.
#[test]
fn what_came_into_a_folder_that_keeps_its_owner_out_is_undone_too() {
    let mut home = Home::with_files(&["closed/inner/a", "closed/b", "c"]);
    if !home.is_superuser {
        return crate::support::skip(
            "ZIPKEEP_REQUIRE_TOOLS",
            "only a superuser backs up what nobody may read",
        )
        .unwrap_or_default();
    }
    home.set_mode("docs/closed/inner", 0o400);
    home.set_mode("docs/closed", 0o000);
    home.is_superuser = false;
    home.json(0, &["backup", "docs"]);
    home.is_superuser = true;
    home.give("");
    let restored = home.path("to/docs");
    let mode_of = |name: &str| fs::metadata(restored.join(name)).expect("there").mode() & 0o777;
    home.json(0, &["restore", "latest", "--to", "to"]);
    assert_eq!((mode_of("closed"), mode_of("closed/inner")), (0o000, 0o400));
    // Later work is found in it, and it stays closed.
    write_file(&restored, "closed/b", b"my work");
    let told = home.json(1, &["undo"]);
    assert_eq!(told["error"]["kind"], "changed-since", "{told}");
    assert!(told.to_string().contains("closed/b"), "{told}");
    assert_eq!((mode_of("closed"), mode_of("closed/inner")), (0o000, 0o400));
    fs::remove_dir_all(home.path("to")).expect("removed");
    home.json(0, &["restore", "latest", "--to", "to2"]);
    home.json(0, &["undo"]);
    assert!(!home.path("to2").exists(), "taken away");
}

/// What could not be read when the backup was made is in no backup. Its name need not be text.
#[cfg(target_os = "linux")]
#[test]
fn a_mirror_leaves_alone_what_was_not_read_whatever_its_name_is() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::with_files(&["a"]);
    let docs = home.path("docs");
    let (file, folder) = (
        docs.join(OsStr::from_bytes(b"file\xff")),
        docs.join(OsStr::from_bytes(b"folder\xff")),
    );
    let inner = folder.join("inner");
    fs::create_dir(&folder).expect("made");
    for path in [&file, &inner] {
        fs::write(path, "mine").expect("written");
    }
    home.give("");
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    set_mode(&file, 0o000);
    set_mode(&folder, 0o000);
    home.json(3, &["backup", "docs"]);
    set_mode(&file, 0o600);
    set_mode(&folder, 0o700);
    home.json(3, &["restore", "latest", "--mirror"]);
    for path in [&file, &inner] {
        let read = fs::read_to_string(path);
        assert_eq!(read.expect("there"), "mine", "{}", path.display());
    }
}
