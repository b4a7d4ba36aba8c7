//! What goes well alone may not go well together: compaction with a lost memory and nothing changed,
//! odd names that meet, other folders under the same profile, a clock that was wrong.

use crate::place::{Kept, MIB, Place};
use crate::support::{noise, write_file};
use jiff::{Timestamp, ToSpan as _};
use std::fs;
use zipkeep::engine::BackupRequest;
use zipkeep::model::{BackupName, Os};

/// A file that is compared because of its last change of permissions, and is still the same.
#[cfg(unix)]
fn change_permissions_and_back(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let before = fs::metadata(file).expect("there").permissions();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("set");
    fs::set_permissions(file, before).expect("set");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_changed_while_a_compaction_is_due_and_the_backups_after_it_are_whole() {
    for forgets in [true, false] {
        let place = Place::folder();
        let source = place.source();
        for (seed, name, size) in [
            (1, "a.bin", 6 * MIB),
            (2, "b.bin", 9 * MIB),
            (3, "c.bin", 6 * MIB),
        ] {
            write_file(&source, name, &noise(seed, size));
        }
        place.back_up().await;
        write_file(&source, "b.bin", &noise(4, 9 * MIB));
        let second = place.back_up().await;
        if forgets {
            place.forget();
        } else {
            change_permissions_and_back(&source.join("c.bin"));
        }
        assert!(place.back_up().await.report.unchanged);
        write_file(&source, "new.txt", b"new");
        let third = place.back_up().await;
        place.check(&third).await;
        write_file(&source, "newer.txt", b"newer");
        let fourth = place.back_up().await;
        place.check(&fourth).await;
        place.check(&second).await;
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_has_to_be_escaped_otherwise_than_before_is_written_anew() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::folder();
    let source = place.source();
    write_file(&source, "big.bin", &noise(1, 6 * MIB));
    fs::write(source.join(OsStr::from_bytes(b"x\xff")), "odd").expect("written");
    fs::create_dir(source.join(OsStr::from_bytes(b"d\xff"))).expect("made");
    place.back_up().await;
    // Now these true names are what the odd ones were escaped to.
    write_file(&source, "x%FF", b"plain");
    write_file(&source, "d%FF/file", b"plain");
    let second = place.back_up().await;
    assert!(second.report.bytes_copied > 0, "{:?}", second.report);
    place.check(&second).await;
    fs::remove_file(source.join("x%FF")).expect("removed");
    let third = place.back_up().await;
    place.check(&third).await;
}

fn of_folders(place: &Place, names: &[&str]) -> BackupRequest {
    BackupRequest {
        sources: names.iter().map(|name| place.path(name)).collect(),
        ..place.request()
    }
}

fn holds(archive: &[u8], marker: &[u8]) -> bool {
    archive.windows(marker.len()).any(|window| window == marker)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_other_folders_carries_nothing_of_the_earlier_ones() {
    for place in Place::everywhere() {
        let secret = noise(1, 7 * MIB);
        write_file(&place.path("source"), "kept.bin", &noise(2, 6 * MIB));
        write_file(&place.path("private"), "secret.bin", &secret);
        write_file(&place.path("public"), "page.txt", b"for all");
        let both = of_folders(&place, &["source", "private"]);
        place.try_back_up(both).await.expect("made");
        // One folder less: its bytes are gone, and the other's are copied.
        let report = place
            .try_back_up(of_folders(&place, &["source"]))
            .await
            .expect("made");
        assert!(
            report.bytes_copied >= 6 * MIB as u64,
            "{}: {report:?}",
            place.name
        );
        assert!(
            report.bytes_uploaded < MIB as u64,
            "{}: {report:?}",
            place.name
        );
        let archive = place.bytes_of(&report.key);
        assert!(!holds(&archive, &secret[MIB..MIB + 64]), "{}", place.name);
        let tree = crate::support::snapshot(&place.source());
        place.check(&Kept { report, tree }).await;
        // Quite another folder: nothing is copied.
        let report = place
            .try_back_up(of_folders(&place, &["public"]))
            .await
            .expect("made");
        assert_eq!(report.bytes_copied, 0, "{}: {report:?}", place.name);
        assert!(place.bytes_of(&report.key).len() < MIB, "{}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_newly_excluded_is_not_carried_on_for_long() {
    let place = Place::folder();
    let (dead, source) = (noise(1, 12 * MIB), place.source());
    write_file(&source, "cache/dead.bin", &dead);
    write_file(&source, "kept.bin", &noise(2, 6 * MIB));
    place.back_up().await;
    let excluding = BackupRequest {
        excludes: vec!["cache/".to_owned()],
        ..place.request()
    };
    let report = place.try_back_up(excluding).await.expect("made");
    assert!(
        !report.unchanged && report.bytes_copied >= 6 * MIB as u64,
        "{report:?}"
    );
    assert!(!holds(&place.bytes_of(&report.key), &dead[MIB..MIB + 64]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_from_the_future_is_not_continued_once_there_is_one_of_now() {
    let place = Place::folder();
    let source = place.source();
    write_file(&source, "big.bin", &noise(1, 6 * MIB));
    let first = place.back_up().await;
    // As if the clock had been wrong when it was made.
    let later = Timestamp::now()
        .checked_add((24 * 365).hours())
        .expect("a time");
    let name = BackupName::new("test", later, "pc", Os::current()).to_string();
    place.put(&name, &place.bytes_of(&first.report.key));
    place.remove(&first.report.key);
    // Nothing else is there to go on with.
    write_file(&source, "new.txt", b"new");
    let second = place.back_up().await;
    assert!(second.report.bytes_copied > 0 && second.report.key != name);
    assert!(
        place.back_up().await.report.unchanged,
        "compared with the one of now"
    );
    let rows = zipkeep::engine::list(&place.store, &place.context())
        .await
        .expect("listed");
    let latest = zipkeep::engine::find(&rows, "latest", ("test", "pc")).expect("found");
    assert_eq!(latest.key, second.report.key);
    place.check(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_can_remember_nothing_is_backed_up_all_the_same() {
    let place = Place::folder();
    let source = place.source();
    write_file(&source, "big.bin", &noise(1, 6 * MIB));
    // A file where the folder for what is remembered would be.
    fs::write(place.path("data"), "in the way").expect("written");
    let first = place.back_up().await;
    place.check(&first).await;
    write_file(&source, "new.txt", b"new");
    let second = place.back_up().await;
    assert!(second.report.bytes_copied > 0, "{:?}", second.report);
    place.check(&second).await;
}
