//! Archives that mean harm or are broken, restored by the real program: each bad entry is refused by name
//! with its reason, everything else is restored, and nothing outside the folder is touched.

#[path = "../support/mod.rs"]
mod support;

mod corpus;
mod own;
mod zip;

use corpus::{Nasty, add_overlapping, contents, good, links, names};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use support::{Snapshot, differences, snapshot, write_file};
use zip::{Builder, Member};

/// A home with a destination, something outside the target, and a link in it.
struct Place {
    home: tempfile::TempDir,
}

/// What the program said.
struct Told {
    exit_code: Option<i32>,
    /// Reasons by name, in the order in which they were told.
    refused: Vec<(String, String)>,
    line: Value,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let place = Self { home };
        write_file(&place.path("outside"), "passwd", b"untouched");
        fs::create_dir_all(place.path("target")).expect("made");
        #[cfg(unix)]
        std::os::unix::fs::symlink(place.path("outside"), place.path("target/there"))
            .expect("linked");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn outside(&self) -> String {
        let path = self.path("outside/passwd");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Everything that a restore must leave alone.
    fn surroundings(&self) -> Snapshot {
        let mut all = snapshot(self.home.path());
        all.retain(|path, _| {
            let own: [&[u8]; 3] = [b"target", b"data", b"config"];
            !own.iter().any(|own| path.starts_with(own))
        });
        all
    }

    fn restore(&self, archive: &[u8], arguments: &[&str]) -> Told {
        let name = "evil.zip";
        write_file(&self.path("data/backups"), name, archive);
        let before = self.surroundings();
        let output = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"))
            .args(["--json", "restore", name, "--to", "target"])
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.path("no home"))
            .env("ZIPKEEP_CONFIG_DIR", self.path("config"))
            .env("ZIPKEEP_DATA_DIR", self.path("data"))
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        assert_eq!(differences(&before, &self.surroundings()), [""; 0]);
        let text = String::from_utf8_lossy(&output.stdout);
        let line: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        let refused = line["result"]["refused"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Told {
            exit_code: output.status.code(),
            refused: refused
                .map(|refused| (text(&refused["path"]), text(&refused["reason"])))
                .collect(),
            line,
        }
    }

    /// Panics unless these are there, with their content.
    fn check_good(&self, good: &[Member]) {
        for member in good {
            let name = std::str::from_utf8(&member.name).expect("UTF-8");
            let path = self.path("target").join(name);
            let there = path.symlink_metadata();
            let there = there.unwrap_or_else(|error| panic!("{name}: {error}"));
            if there.is_symlink() {
                let target = fs::read_link(&path).expect("a link");
                assert_eq!(target.to_str().map(str::as_bytes), Some(&member.packed[..]));
            } else if there.is_file() {
                let content = fs::read(&path).expect("readable");
                assert_eq!(crc32fast::hash(&content), member.crc32, "{name}");
            }
        }
    }
}

impl Told {
    /// Panics unless exactly these were refused, for these reasons.
    fn check(&self, expected: &[(String, &str)]) {
        let told: BTreeMap<&str, &str> = self
            .refused
            .iter()
            .map(|(path, reason)| (path.as_str(), reason.as_str()))
            .collect();
        assert_eq!(
            told.len(),
            self.refused.len(),
            "once each: {:#?}",
            self.refused
        );
        let otherwise: Vec<String> = expected
            .iter()
            .filter_map(|(name, part)| match told.get(name.as_str()) {
                Some(reason) if reason.contains(part) => None,
                told => Some(format!("{name:?}: {told:?}, not {part:?}")),
            })
            .collect();
        assert!(otherwise.is_empty(), "{otherwise:#?}");
        let unexpected: Vec<_> = told
            .iter()
            .filter(|(path, _)| !expected.iter().any(|(name, _)| name == *path))
            .collect();
        assert!(unexpected.is_empty(), "{unexpected:#?}");
        assert_eq!(self.exit_code, Some(3), "done with warnings: {}", self.line);
    }
}

fn add_all(builder: &mut Builder, nasty: Vec<Nasty>) -> Vec<(String, &'static str)> {
    let mut expected = Vec::new();
    for Nasty { member, reason } in nasty {
        let name = String::from_utf8_lossy(&member.name).into_owned();
        expected.push((name, reason));
        builder.add(member);
    }
    expected
}

#[test]
fn of_a_foreign_archive_all_that_is_nasty_is_refused_by_name_and_the_rest_restored() {
    let place = Place::new();
    let mut builder = Builder::default();
    let good = good();
    // What is good comes before and after: its place in the archive does not matter.
    let (first, second) = good.split_at(good.len() / 2);
    for member in first {
        builder.add(member.clone());
    }
    let mut expected = add_all(&mut builder, names(&place.outside()));
    expected.extend(add_all(&mut builder, links()));
    expected.extend(add_all(&mut builder, contents()));
    expected.extend(add_overlapping(&mut builder));
    for content in ["first", "second"] {
        builder.add(Member::file("twice", content.as_bytes()));
    }
    expected.push(("twice".to_owned(), "several times"));
    for member in second {
        builder.add(member.clone());
    }
    let told = place.restore(&builder.finish(), &[]);
    told.check(&expected);
    place.check_good(&good);
    place.check_good(&[
        Member::file("twice", b"second"),
        Member::file("overlap/inner", b"inside of another"),
    ]);
    for (name, _) in &expected {
        let is_odd = name.contains("..") || name.starts_with('/') || name.contains('\0');
        if is_odd || ["./", "twice"].contains(&name.as_str()) || name.starts_with("there/") {
            continue;
        }
        let path = place.path("target").join(name);
        assert!(path.symlink_metadata().is_err(), "{name} is there");
    }
    let left = fs::read_dir(place.path("target"))
        .expect("a folder")
        .flatten();
    let hidden = left.filter(|entry| entry.file_name().to_string_lossy().starts_with(".zip"));
    assert_eq!(hidden.count(), 0);
}

/// But for damage that only reading shows.
#[test]
fn a_dry_run_refuses_what_the_restore_refuses() {
    let place = Place::new();
    let mut builder = Builder::default();
    for member in good() {
        builder.add(member);
    }
    let mut expected = add_all(&mut builder, names(&place.outside()));
    expected.extend(add_all(&mut builder, links()));
    let foreseeable = contents().into_iter().filter(|nasty| {
        let known = ["encrypted", "method", "hundred times", "cannot be true"];
        known.contains(&nasty.reason)
    });
    expected.extend(add_all(&mut builder, foreseeable.collect()));
    let archive = builder.finish();
    let foreseen = place.restore(&archive, &["--dry-run"]);
    foreseen.check(&expected);
    let listed = foreseen.line["result"]["files"].as_array().expect("a list");
    for file in listed {
        let entry = file["entry"].as_str().unwrap_or_default();
        assert!(!expected.iter().any(|(name, _)| name == entry), "{entry}");
    }
    let told = place.restore(&archive, &[]);
    told.check(&expected);
    let sorted = |told: &Told| {
        let mut refused = told.refused.clone();
        refused.sort();
        refused
    };
    assert_eq!(sorted(&foreseen), sorted(&told));
    assert_eq!(foreseen.exit_code, told.exit_code);
    let bzip2 = told
        .refused
        .iter()
        .find(|(name, _)| name == "broken/method 12");
    let (_, reason) = bzip2.expect("refused");
    assert!(
        reason.contains("bzip2") && !reason.contains("damaged"),
        "{reason}"
    );
}

#[test]
fn huge_content_of_other_programs_is_restored_where_that_is_allowed() {
    let place = Place::new();
    // 1.2 GiB of zeros, in pieces that are each harmless.
    let piece = Member::deflated("0", &vec![0; 200 << 20]);
    let mut builder = Builder::default();
    for number in 0..6 {
        let name = number.to_string().into_bytes();
        builder.add(Member {
            name,
            ..piece.clone()
        });
    }
    let archive = builder.finish();
    let told = place.restore(&archive, &[]);
    told.check(&[("5".to_owned(), "hundred times")]);
    let told = place.restore(&archive, &["--allow-huge", "--only", "5"]);
    assert_eq!((told.exit_code, told.refused), (Some(0), Vec::new()));
    place.check_good(&[Member {
        name: b"5".to_vec(),
        ..piece
    }]);
}

#[test]
fn a_huge_file_of_nothing_that_was_backed_up_is_restored_without_being_asked() {
    let home = tempfile::tempdir().expect("a folder");
    write_file(home.path(), "docs/zeros", b"");
    let file = fs::File::options()
        .write(true)
        .open(home.path().join("docs/zeros"));
    let size_bytes = 1_200 << 20;
    file.expect("opened").set_len(size_bytes).expect("a hole");
    for arguments in [
        &["backup", "docs"][..],
        &["restore", "latest", "--to", "there"],
    ] {
        let status = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"))
            .args(arguments)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .status();
        assert!(status.expect("the program starts").success());
    }
    let restored = fs::metadata(home.path().join("there/docs/zeros")).expect("there");
    assert_eq!(restored.len(), size_bytes);
}
