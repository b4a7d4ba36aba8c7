//! One change after the other, each followed by a backup.

use crate::place::{Kept, MIB, Place, big_tree};
use crate::support::{check_archive, noise, write_file};
use filetime::FileTime;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use zipkeep::engine::FullBecause;

/// What is done to the tree, and how many bytes at most the backup after it may send for that.
type Step = (&'static str, fn(&Path), usize);

const STEPS: [Step; 15] = [
    ("change a small file", change_small, 8_000),
    ("edit, keeping size and time", edit_secretly, 8_000),
    ("delete some", delete_some, 0),
    ("add some", add_some, 40_000),
    ("touch", touch, 0),
    ("touch a big file", touch_big, 0),
    ("change modes", chmod, 0),
    ("rename a file", rename, 8_000),
    ("rename a folder", rename_folder, 100_000),
    ("append to a big file", grow_big, 3 * MIB + 200_000),
    ("cut a file short", shrink, 2_000),
    ("a folder where a file was", file_to_folder, 2_000),
    ("a file where a folder was", folder_to_file, 2_000),
    ("another link target", relink, 2_000),
    ("move the whole tree and change a file", move_tree, 8_000),
];

fn change_small(root: &Path) {
    write_file(root, "many/3/13.dat", &noise(5_000, 3_000));
}

fn edit_secretly(root: &Path) {
    let file = root.join("many/4/14.dat");
    let before = fs::metadata(&file).expect("there");
    let mut bytes = fs::read(&file).expect("read");
    bytes[7] ^= 1;
    fs::write(&file, bytes).expect("written");
    let modified = FileTime::from_last_modification_time(&before);
    filetime::set_file_mtime(&file, modified).expect("a time");
    assert_eq!(
        fs::metadata(&file)
            .expect("there")
            .modified()
            .expect("time"),
        before.modified().expect("time")
    );
}

fn delete_some(root: &Path) {
    fs::remove_dir_all(root.join("many/9")).expect("removed");
    fs::remove_file(root.join("many/8/8.dat")).expect("removed");
}

fn add_some(root: &Path) {
    for number in 0..20 {
        let path = format!("many/new {number}/ä{number}.dat");
        write_file(root, &path, &noise(6_000 + number, 1_500));
    }
    write_file(root, "aaa-first.txt", b"before everything else");
    write_file(root, "zzz-last.txt", b"after everything else");
}

fn touch(root: &Path) {
    for number in 1..10 {
        let file = root.join(format!("many/1/{number}1.dat"));
        let time = FileTime::from_unix_time(1_600_000_000 + number, 77);
        filetime::set_file_mtime(file, time).expect("a time");
    }
}

fn touch_big(root: &Path) {
    let time = FileTime::from_unix_time(-3, 5);
    filetime::set_file_mtime(root.join("big/noise-a.bin"), time).expect("a time");
}

#[cfg(unix)]
fn chmod(root: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for (name, mode) in [
        ("big/noise-a.bin", 0o600),
        ("many/1", 0o750),
        ("readme.txt", 0o444),
    ] {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(root.join(name), mode).expect("a mode");
    }
}

#[cfg(not(unix))]
fn chmod(_: &Path) {}

fn rename(root: &Path) {
    fs::rename(
        root.join("many/5/5.dat"),
        root.join("many/5/another name.dat"),
    )
    .expect("renamed");
}

fn rename_folder(root: &Path) {
    fs::rename(root.join("many/6"), root.join("many/six")).expect("renamed");
}

fn grow_big(root: &Path) {
    let log = fs::OpenOptions::new()
        .append(true)
        .open(root.join("big/noise-b.bin"));
    log.and_then(|mut log| log.write_all(&noise(7_000, 100_000)))
        .expect("written");
}

fn shrink(root: &Path) {
    let file = fs::OpenOptions::new()
        .write(true)
        .open(root.join("photos/cover.jpg"));
    file.and_then(|file| file.set_len(1_000)).expect("cut");
}

fn file_to_folder(root: &Path) {
    fs::remove_file(root.join("readme.txt")).expect("removed");
    write_file(root, "readme.txt/now a folder.txt", b"a file in it");
}

fn folder_to_file(root: &Path) {
    fs::remove_dir_all(root.join("many/2")).expect("removed");
    write_file(root, "many/2", b"now a file");
}

#[cfg(unix)]
fn relink(root: &Path) {
    fs::remove_file(root.join("links/dangling")).expect("removed");
    std::os::unix::fs::symlink("elsewhere/  not", root.join("links/dangling")).expect("a link");
}

#[cfg(not(unix))]
fn relink(root: &Path) {
    change_small(root);
}

/// The same content in other inodes, with the times kept: nothing but the one change is sent.
fn move_tree(root: &Path) {
    let copy = root.with_file_name("copy");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(root)
        .arg(&copy)
        .status();
    assert!(copied.expect("cp").success());
    fs::remove_dir_all(root).expect("removed");
    fs::rename(&copy, root).expect("renamed");
    write_file(root, "many/7/7.dat", &noise(8_000, 3_000));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_sent_alone_and_every_backup_stays_whole() {
    for place in Place::everywhere() {
        big_tree(&place.source());
        let mut all: Vec<Kept> = vec![place.back_up().await];
        place.check(&all[0]).await;
        for (number, (what, change, most_bytes)) in (0..).zip(STEPS) {
            change(&place.source());
            let kept = place.back_up().await;
            assert!(!kept.report.unchanged, "{}: {what}", place.name);
            assert_eq!(kept.report.warnings, [], "{}: {what}", place.name);
            place.assert_small(&kept, most_bytes);
            // Servers are slower to look at in full.
            if place.name == "folder" || number % 5 == 4 {
                place.check(&kept).await;
            }
            all.push(kept);
        }
        let last = all.last().expect("the last one");
        check_archive(&place.file_of(&last.report.key));
        for kept in all.iter().step_by(7) {
            place.check(kept).await;
        }
        assert_eq!(place.names().len(), STEPS.len() + 1, "{}", place.name);
        assert!(place.back_up().await.report.unchanged, "{}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_thirty_backups_one_is_sent_in_full() {
    let place = Place::folder();
    write_file(&place.source(), "big.bin", &noise(1, 6 * MIB));
    let mut full = Vec::new();
    for number in 0_u32..32 {
        write_file(&place.source(), "small.txt", &number.to_le_bytes());
        let kept = place.back_up().await;
        if kept.report.bytes_copied == 0 {
            full.push(number);
        }
        if number >= 29 {
            place.check(&kept).await;
        }
    }
    assert_eq!(full, [0, 30]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dead_is_left_behind_once_it_is_a_quarter() {
    for place in Place::everywhere() {
        let source = place.source();
        for number in 0..8 {
            write_file(&source, &format!("{number}.bin"), &noise(number, 6 * MIB));
            write_file(&source, &format!("{number}.txt"), b"a small one after it");
        }
        let first = place.back_up().await;
        for number in [1, 2, 5] {
            fs::remove_file(source.join(format!("{number}.bin"))).expect("removed");
        }
        // It is known to be dead only from the archive that no longer names it.
        let second = place.back_up().await;
        assert!(
            second.report.bytes_copied > 47 * MIB as u64,
            "{}",
            place.name
        );
        write_file(&source, "0.txt", b"something else");
        let third = place.back_up().await;
        place.assert_small(&third, 2_000);
        assert!(
            third.report.bytes_copied < 31 * MIB as u64,
            "{}",
            place.name
        );
        for kept in [&first, &second, &third] {
            place.check(kept).await;
        }
        check_archive(&place.file_of(&third.report.key));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dead_in_many_short_gaps_is_left_behind_too() {
    for place in Place::everywhere() {
        let source = place.source();
        for number in 0..400 {
            write_file(&source, &format!("{number:03}.bin"), &noise(number, 30_000));
        }
        place.back_up().await;
        for number in (0..400).filter(|number| number % 2 == 1) {
            fs::remove_file(source.join(format!("{number:03}.bin"))).expect("removed");
        }
        let second = place.back_up().await;
        assert!(second.report.row.size_bytes > 12_000_000, "{}", place.name);
        write_file(&source, "new.txt", b"new");
        let third = place.back_up().await;
        assert!(third.report.row.size_bytes < 7_000_000, "{}", place.name);
        assert_eq!(third.report.full_because, Some(FullBecause::DeletedData));
        place.check(&third).await;
        check_archive(&place.file_of(&third.report.key));
        write_file(&source, "newer.txt", b"newer");
        let fourth = place.back_up().await;
        place.assert_small(&fourth, 2_000);
        place.check(&fourth).await;
    }
}
