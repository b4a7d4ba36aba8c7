//! Undoing, as the terminal tells of it: what is in its way, and where that comes to which is set aside.

use crate::support::{printed, write_file};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A home in which `docs` was restored over, and every file of it changed since.
struct Scene {
    home: tempfile::TempDir,
}

impl Scene {
    fn new(files: usize) -> Self {
        let scene = Self {
            home: tempfile::tempdir().expect("a folder"),
        };
        scene.write(files, "backed up");
        scene.json(0, &["backup", "docs"]);
        scene.write(files, "old");
        scene.json(0, &["restore", "latest"]);
        scene.write(files, "later work");
        scene
    }

    fn write(&self, files: usize, content: &str) {
        for number in 0..files {
            let name = format!("in/{number:02}.txt");
            write_file(&self.docs(), &name, content.as_bytes());
        }
    }

    fn docs(&self) -> PathBuf {
        self.home.path().join("docs")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts")
    }

    #[track_caller]
    fn json(&self, exit_code: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json", "--quiet"], arguments].concat());
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

#[test]
fn all_files_that_changed_since_are_named() {
    let scene = Scene::new(25);
    let refused = scene.json(1, &["undo"]);
    assert_eq!(refused["error"]["kind"], "changed-since");
    let files = refused["error"]["files"].as_array().expect("a list");
    assert_eq!(files.len(), 25);
    let last = files[24].as_str().expect("a path");
    assert!(Path::new(last).ends_with("in/24.txt"), "{last}");
    let said = printed(&scene.run(&["undo"]));
    let named = |number: usize| said.contains(&format!("in/{number:02}.txt"));
    assert!(named(0) && named(19) && !named(20), "{said}");
    assert!(said.contains("and 5 more"), "{said}");
}

#[test]
fn what_a_forced_undo_sets_aside_is_named_and_listed() {
    let scene = Scene::new(2);
    let undone = scene.json(0, &["undo", "--force"]);
    let files = undone["result"]["set_aside_files"]
        .as_array()
        .expect("a list");
    assert_eq!(files.len(), 2);
    for (file, name) in files.iter().zip(["docs/in/00.txt", "docs/in/01.txt"]) {
        let path = Path::new(file.as_str().expect("a path"));
        assert!(
            name.ends_with(
                path.file_name()
                    .and_then(|name| name.to_str())
                    .expect("a name")
            )
        );
        let kept = fs::read_to_string(path).expect("kept");
        assert_eq!(kept, "later work");
    }
    let now = fs::read_to_string(scene.docs().join("in/00.txt"));
    assert_eq!(now.expect("there"), "old");
    let listed = scene.json(0, &["undo", "--list"])["result"]["restores"].clone();
    assert_eq!(listed[0]["kept_bytes"], 20, "{listed}");
    assert!(listed[0]["undone"].is_string(), "{listed}");
    let folder = listed[0]["set_aside"][0].as_str().expect("a folder");
    let said = printed(&scene.run(&["undo", "--list"]));
    assert!(said.contains(folder) && said.contains("undone"), "{said}");
    let again = scene.json(1, &["undo"]);
    assert_eq!(again["error"]["kind"], "nothing-to-undo");
    let id = listed[0]["id"].as_str().expect("an id");
    scene.json(0, &["undo", "--forget", id]);
    assert!(!Path::new(folder).exists());
}

/// What it needs is on a disk that is away: nothing was restored and nothing is to be.
#[test]
fn an_undo_that_cannot_be_done_speaks_of_undoing() {
    let scene = Scene::new(1);
    let areas = scene.home.path().join(".local/share/zipkeep/restores");
    let id = scene.json(0, &["undo", "--list"])["result"]["restores"][0]["id"].clone();
    let log = areas.join(id.as_str().expect("an id"));
    fs::rename(log.join("area-0"), log.join("away")).expect("moved");
    let refused = scene.json(1, &["undo", "--force"]);
    assert_eq!(refused["error"]["kind"], "kept-away");
    let message = refused["error"]["message"].as_str().expect("a text");
    assert!(!message.contains("Nothing was restored"), "{message}");
}
