//! Any changes between any backups: the same must come back, from every one of them.

use crate::place::{Kept, MIB, Place};
use crate::support::{SeaweedFs, noise, odd_tree, write_file};
use filetime::FileTime;
use proptest::prelude::*;
use proptest::sample::Index;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use zipkeep::engine::{BackupOptions, BackupRequest, DeletedData, Earlier};
use zipkeep::model::{Compression, WhenUnchanged};

/// Something that happens to the tree.
#[derive(Debug, Clone)]
enum Change {
    Write(String, usize),
    /// One of names that are no text, and of those that they are escaped to.
    WriteOdd(Index, usize),
    /// Permissions change and change back: it must be compared.
    Disturb(Index),
    Overwrite(Index, usize),
    EditSecretly(Index),
    Touch(Index),
    Chmod(Index, bool),
    Delete(Index),
    Rename(Index, String),
    OtherKind(Index),
    Forget,
}

/// Each of them may stand beside any other.
const ODD_NAMES: [&[u8]; 6] = [
    b"x\xff",
    b"x%FF",
    b"x%%FF",
    b"d\xff/a",
    b"d%FF/a",
    b"d\xff/x\xff",
];

/// How a backup is made after some changes.
#[derive(Debug, Clone)]
struct Round {
    changes: Vec<Change>,
    options: BackupOptions,
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    let size =
        || prop_oneof![6 => 0_usize..5_000, 1 => 1_048_570_usize..1_048_590, 1 => 2 * MIB..7 * MIB];
    let name = || "[a-z]{1,3}(/[a-z ]{1,3}){0,2}";
    prop_oneof![
        3 => (name(), size()).prop_map(|(name, size)| Change::Write(name, size)),
        1 => (index(), size()).prop_map(|(index, size)| Change::WriteOdd(index, size)),
        1 => index().prop_map(Change::Disturb),
        3 => (index(), size()).prop_map(|(index, size)| Change::Overwrite(index, size)),
        1 => index().prop_map(Change::EditSecretly),
        1 => index().prop_map(Change::Touch),
        1 => (index(), any::<bool>()).prop_map(|(index, mode)| Change::Chmod(index, mode)),
        3 => index().prop_map(Change::Delete),
        1 => (index(), name()).prop_map(|(index, name)| Change::Rename(index, name)),
        1 => index().prop_map(Change::OtherKind),
        1 => Just(Change::Forget),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let compression = prop_oneof![
        Just(Compression::Fast),
        Just(Compression::Normal),
        Just(Compression::Small)
    ];
    let options = (compression, any::<bool>(), prop::bool::weighted(0.3)).prop_map(
        |(compression, is_forced, removes)| BackupOptions {
            compression,
            when_unchanged: if is_forced {
                WhenUnchanged::BackUp
            } else {
                WhenUnchanged::Skip
            },
            earlier: Earlier::TakenOver,
            deleted_data: if removes {
                DeletedData::RemoveNow
            } else {
                DeletedData::UntilWorthIt
            },
        },
    );
    (prop::collection::vec(change(), 0..6), options)
        .prop_map(|(changes, options)| Round { changes, options })
}

/// All that is there, in an order of its own.
fn all(root: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name();
    entries
        .into_iter()
        .map(|entry| entry.expect("readable").into_path())
        .collect()
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file())
}

/// Other content of the same size and time.
fn edit_secretly(path: Option<PathBuf>, seed: u64) {
    if let Some(path) = path {
        let metadata = fs::metadata(&path).expect("there");
        let size = usize::try_from(metadata.len()).expect("small");
        fs::write(&path, noise(seed, size)).ok();
        let time = FileTime::from_last_modification_time(&metadata);
        filetime::set_file_mtime(&path, time).expect("a time");
    }
}

/// The same content with another time.
fn touch(path: Option<PathBuf>, seed: u64) {
    if let Some(path) = path {
        let seconds = i64::from(u16::try_from(seed % 9_999).expect("small")) * 99_991;
        let time = FileTime::from_unix_time(seconds, 1);
        filetime::set_symlink_file_times(path, time, time).ok();
    }
}

#[cfg(unix)]
fn apply(place: &Place, seed: u64, change: &Change) {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let root = place.source();
    let there = all(&root);
    let pick = |index: &Index| (!there.is_empty()).then(|| index.get(&there).clone());
    let pick_file = |index: &Index| pick(index).filter(|path| is_file(path));
    // What cannot be done as the tree is now is left out.
    match change {
        Change::Write(name, size) => {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).ok();
            fs::write(path, noise(seed, *size)).ok();
        }
        Change::WriteOdd(index, size) => {
            let path = root.join(OsStr::from_bytes(ODD_NAMES[index.index(ODD_NAMES.len())]));
            fs::create_dir_all(path.parent().expect("a parent")).ok();
            fs::write(path, noise(seed, *size)).ok();
        }
        Change::Disturb(index) => {
            if let Some(path) = pick_file(index) {
                let before = fs::metadata(&path).expect("there").permissions();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).ok();
                fs::set_permissions(&path, before).ok();
            }
        }
        Change::Overwrite(index, size) => {
            if let Some(path) = pick_file(index) {
                fs::write(path, noise(seed, *size)).ok();
            }
        }
        Change::EditSecretly(index) => edit_secretly(pick_file(index), seed),
        Change::Touch(index) => touch(pick(index), seed),
        Change::Chmod(index, is_private) => {
            if let Some(path) = pick_file(index) {
                let mode = if *is_private { 0o600 } else { 0o755 };
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).ok();
            }
        }
        Change::Delete(index) => {
            if let Some(path) = pick(index) {
                fs::remove_file(&path)
                    .or_else(|_| fs::remove_dir_all(&path))
                    .ok();
            }
        }
        Change::Rename(index, name) => {
            if let Some(path) = pick(index) {
                fs::rename(path, root.join(name)).ok();
            }
        }
        Change::OtherKind(index) => {
            if let Some(path) = pick(index) {
                if fs::remove_file(&path).is_ok() {
                    write_file(&path, "inside", b"it is a folder now");
                } else {
                    fs::remove_dir_all(&path).ok();
                    fs::write(&path, noise(seed, 700)).ok();
                }
            }
        }
        Change::Forget => {
            fs::remove_dir_all(place.path("data")).ok();
        }
    }
}

#[cfg(unix)]
async fn run(place: &Place, rounds: &[Round]) {
    let source = place.source();
    odd_tree(&source);
    for (seed, name) in (0..).zip(["m/one", "m/two", "p/three", "p/four"]) {
        write_file(&source, name, &noise(seed, 2 * MIB + 500));
        write_file(&source, &format!("{name}.txt"), b"a small one after it");
    }
    let mut made: Vec<Kept> = vec![place.back_up().await];
    let mut seed = 100;
    for round in rounds {
        for change in &round.changes {
            seed += 1;
            apply(place, seed, change);
        }
        let request = BackupRequest {
            options: round.options,
            ..place.request()
        };
        let kept = place.back_up_as(request).await;
        if kept.report.unchanged {
            let last = made.last().expect("one");
            assert_eq!(kept.report.key, last.report.key);
            assert_eq!(kept.tree, last.tree, "something changed");
        } else {
            place.check(&kept).await;
            made.push(kept);
        }
    }
    for kept in &made {
        place.check(kept).await;
    }
    assert_eq!(place.names().len(), made.len());
}

fn cases(default: u32) -> ProptestConfig {
    let wanted = std::env::var("ZIPKEEP_PROPTEST_CASES").ok();
    ProptestConfig {
        cases: wanted
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(default),
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    }
}

#[cfg(unix)]
proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn every_generation_comes_back(rounds in prop::collection::vec(round(), 1..6)) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(run(&Place::folder(), &rounds));
    }
}

#[cfg(unix)]
proptest! {
    #![proptest_config(cases(2))]

    #[test]
    fn every_generation_comes_back_from_a_server(rounds in prop::collection::vec(round(), 1..5)) {
        if let Some(server) = SeaweedFs::shared() {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(run(&Place::at(server), &rounds));
        }
    }
}
