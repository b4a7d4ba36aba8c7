//! The real program killed at any moment of first and second backups: whatever is listed is whole, and
//! the next run succeeds and sends again only what had not arrived. Restores killed likewise.
//!
//! `ZIPKEEP_KILLS` is the number of kills, `ZIPKEEP_KILL_SEED` repeats the moments of an earlier run.

#[path = "../support/mod.rs"]
mod support;

mod between;
mod computer;
mod gap;
mod moments;
mod restoring;
#[cfg(unix)]
mod signals;

use computer::{Computer, Destination, number};
use moments::{Chance, change_tree, make_tree, seed, wanted_kills};
use std::fs;
use std::time::{Duration, Instant};
use support::{SeaweedFs, noise, unfinished_uploads, write_file};

const MIB: u64 = 1 << 20;

/// What all kills together came to.
#[derive(Debug, Default)]
struct Sums {
    kills: u64,
    ended_before: u64,
    chains: u64,
    resumed: u64,
    resumed_bytes: u64,
}

#[test]
fn a_kill_at_any_moment_leaves_whole_archives_and_a_run_that_goes_on() {
    let seed = seed();
    let mut chance = Chance(seed);
    let mut sums = Sums::default();
    let kills = wanted_kills(8);
    while sums.kills < kills {
        // A fresh one every now and then: old backups would fill the disk.
        let Some(server) = SeaweedFs::start() else {
            return;
        };
        let bucket = Destination::Bucket(&server);
        rounds_at(bucket, (seed, kills), (&mut chance, &mut sums));
        assert_eq!(unfinished_uploads(&server), [""; 0], "seed {seed}");
    }
    eprintln!("seed {seed}: {sums:?}");
}

#[test]
fn a_kill_at_any_moment_leaves_a_folder_whole_and_the_next_run_cleans_up() {
    let seed = seed();
    let mut chance = Chance(seed);
    let mut sums = Sums::default();
    let kills = wanted_kills(3);
    while sums.kills < kills {
        rounds_at(Destination::Folder, (seed, kills), (&mut chance, &mut sums));
    }
    assert_eq!(
        sums.resumed, 0,
        "a folder does not tell what of a part was written"
    );
    eprintln!("seed {seed}: {sums:?}");
}

/// Some first and second backups in turn, each killed.
fn rounds_at(
    destination: Destination<'_>,
    (seed, kills): (u64, u64),
    (chance, sums): (&mut Chance, &mut Sums),
) {
    const ROUNDS: u64 = 8;
    let computer = Computer::new(destination);
    make_tree(&computer.source());
    computer.add_profile("measured");
    let lasts = [0, 1].map(|round| {
        change_tree(&computer.source(), round);
        let started = Instant::now();
        computer.run("measured", &["backup"], "unkilled");
        started.elapsed()
    });
    for round in 0..ROUNDS {
        if sums.kills >= kills {
            break;
        }
        let profile = format!("p{}", round / 2);
        let about = format!("seed {seed} {sums:?} round {round} ({lasts:?})");
        let is_first = round % 2 == 0;
        if is_first {
            computer.add_profile(&profile);
        } else {
            change_tree(&computer.source(), round + 2);
        }
        let lasts = lasts[usize::from(!is_first)];
        kill_and_go_on(&computer, &profile, lasts, &about, (chance, sums));
        if round == 3 {
            computer.check_restore(&profile, &about);
        }
    }
    assert_eq!(computer.litter(), [""; 0], "seed {seed}");
}

/// Kills one backup, sometimes again and again, and runs it to its end.
fn kill_and_go_on(
    computer: &Computer<'_>,
    profile: &str,
    lasts: Duration,
    about: &str,
    (chance, sums): (&mut Chance, &mut Sums),
) {
    let links = [1, 1, 2, 3][usize::try_from(chance.next() % 4).expect("small")];
    for _ in 0..links {
        let moment = chance.moment(lasts);
        if computer.kill_backup(profile, moment) {
            sums.kills += 1;
        } else {
            sums.ended_before += 1;
        }
        computer.verify_all(profile, &format!("{about}, killed after {moment:?}"));
    }
    sums.chains += u64::from(links > 1);
    let stored_bytes = journalled_bytes(computer, profile);
    let report = computer.run(profile, &["backup"], about);
    let resumed_bytes = number(&report, "bytes_resumed");
    assert!(
        !computer.keeps_parts()
            || stored_bytes == 0
            || resumed_bytes > 0
            || number(&report, "bytes_copied") > 0,
        "{about}: {stored_bytes} bytes in the journal and none of them used: {report}"
    );
    sums.resumed += u64::from(resumed_bytes > 0);
    sums.resumed_bytes += resumed_bytes;
    computer.verify_all(profile, &format!("{about}, afterwards"));
    assert_eq!(computer.half_made(profile), [""; 0], "{about}");
}

/// Size of the journal that the killed run left, as far as it tells of a part: more than its beginning.
fn journalled_bytes(computer: &Computer<'_>, profile: &str) -> u64 {
    let all = walkdir::WalkDir::new(computer.home.path().join(".local")).into_iter();
    let own = all.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with(&format!("{profile}.")) && name.ends_with(".journal")
    });
    let sizes = own.filter_map(|entry| entry.metadata().ok());
    // A beginning with everything in it that a first or second backup has is shorter.
    sizes
        .map(|metadata| metadata.len().saturating_sub(2_000))
        .sum()
}

#[test]
fn a_first_backup_killed_at_four_fifths_sends_little_again() {
    let Some(server) = SeaweedFs::start() else {
        return;
    };
    let computer = Computer::new(Destination::Bucket(&server));
    for name in 0..5 {
        write_file(
            &computer.source(),
            &format!("{name}.bin"),
            &noise(name, 64 << 20),
        );
    }
    let all_bytes = 5 * 64 * MIB;
    computer.add_profile("p");
    computer.kill_backup_after_bytes("p", all_bytes * 4 / 5);
    let report = computer.run("p", &["backup"], "after the kill");
    let (sent, resumed) = (
        number(&report, "bytes_uploaded"),
        number(&report, "bytes_resumed"),
    );
    assert!(sent <= all_bytes / 4 + 64 * MIB, "{report}");
    assert!(resumed + sent >= all_bytes, "{report}");
    computer.verify_all("p", "afterwards");
    computer.check_restore("p", "afterwards");
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}

#[test]
fn deleted_data_does_not_come_back_with_an_interrupted_backup() {
    let Some(server) = SeaweedFs::start() else {
        return;
    };
    let computer = Computer::new(Destination::Bucket(&server));
    let deleted = noise(1, 6 << 20);
    write_file(&computer.source(), "a/deleted.bin", &deleted);
    write_file(&computer.source(), "b/stays.bin", &noise(2, 8 << 20));
    computer.add_profile("p");
    computer.run("p", &["backup"], "the first");
    fs::remove_file(computer.source().join("a/deleted.bin")).expect("removed");
    for name in 0..4 {
        let path = format!("c/{name}.bin");
        write_file(&computer.source(), &path, &noise(10 + name, 40 << 20));
    }
    computer.kill_backup_after_bytes("p", 100 * MIB);
    assert_eq!(
        unfinished_uploads(&server).len(),
        1,
        "it left something to go on with"
    );
    computer.run("p", &["backup", "--remove-deleted"], "removing");
    let key = computer.archives("p").pop().expect("an archive");
    let file = computer.home.path().join("archive.zip");
    computer.save("p", &key, &file);
    let archive = fs::read(&file).expect("read");
    let marker = &deleted[3 << 20..(3 << 20) + 32];
    let is_there = archive.windows(32).any(|window| window == marker);
    assert!(!is_there, "what was deleted is in the new archive");
    computer.verify_all("p", "afterwards");
    computer.check_restore("p", "afterwards");
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}

#[test]
fn a_folder_that_is_taken_out_is_not_in_what_an_interrupted_backup_goes_on_to() {
    let Some(server) = SeaweedFs::start() else {
        return;
    };
    let computer = Computer::new(Destination::Bucket(&server));
    let taken_out = noise(1, 8 << 20);
    write_file(&computer.source(), "a/stays.bin", &noise(2, 8 << 20));
    write_file(&computer.source(), "b/taken-out.bin", &taken_out);
    for name in 0..4 {
        let path = format!("c/{name}.bin");
        write_file(&computer.source(), &path, &noise(10 + name, 40 << 20));
    }
    computer.add_profile("p");
    let back_up_only = |folders: &[&str]| {
        let mut edit = computer.command(&["profile", "edit", "p"]);
        for folder in folders {
            edit.arg("--source").arg(computer.source().join(folder));
        }
        assert!(edit.status().expect("the program starts").success());
    };
    back_up_only(&["a", "b", "c"]);
    computer.kill_backup_after_bytes("p", 100 * MIB);
    assert_eq!(
        unfinished_uploads(&server).len(),
        1,
        "it left something to go on with"
    );
    back_up_only(&["a", "c"]);
    computer.run("p", &["backup"], "without it");
    let key = computer.archives("p").pop().expect("an archive");
    let file = computer.home.path().join("archive.zip");
    computer.save("p", &key, &file);
    let archive = fs::read(&file).expect("read");
    let marker = &taken_out[3 << 20..(3 << 20) + 32];
    let is_there = archive.windows(32).any(|window| window == marker);
    assert!(!is_there, "what was taken out is in the new archive");
    computer.verify_all("p", "afterwards");
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}
