//! When a backup is made at all.

use crate::place::{Place, big_tree};
use crate::support::{noise, write_file};
use std::fs;
use zipkeep::engine::{BackupOptions, BackupRequest};
use zipkeep::model::WhenUnchanged;

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_changed_none_is_made_even_if_the_computer_forgot_all() {
    for place in Place::everywhere() {
        big_tree(&place.source());
        let first = place.back_up().await;
        for is_forgotten in [false, false, true, false] {
            if is_forgotten {
                place.forget();
            }
            let again = place.back_up().await.report;
            let about = format!("{}, forgotten: {is_forgotten}: {again:?}", place.name);
            assert!(again.unchanged && again.backup.is_none(), "{about}");
            assert_eq!(again.key, first.report.key, "{about}");
            assert_eq!(again.created, first.report.created, "{about}");
            assert_eq!(
                (again.bytes_uploaded, again.bytes_copied),
                (0, 0),
                "{about}"
            );
            assert_eq!(again.files, first.report.files, "{about}");
            assert_eq!(again.bytes_total, first.report.bytes_total, "{about}");
            assert_eq!(place.names().len(), 1, "{about}");
            if is_forgotten {
                assert_eq!(
                    again.bytes_read, again.bytes_total,
                    "all is compared: {about}"
                );
            }
            // A listing of the objects and one of the uploads: what is remembered is relied on.
            assert!(is_forgotten || again.requests <= 3, "{about}");
            assert_eq!(place.half_made(), [""; 0], "{about}");
        }
        place.check(&first).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_another_time_is_read_once() {
    const BIG_BYTES: u64 = 65 << 20;
    let place = Place::folder();
    write_file(&place.source(), "small.bin", &noise(1, 9 << 20));
    write_file(&place.source(), "big.bin", b"");
    let path = place.source().join("big.bin");
    let big = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("opened");
    big.set_len(BIG_BYTES).expect("made long");
    let first = place.back_up().await;
    assert_eq!(first.report.bytes_read, BIG_BYTES + (9 << 20));
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
    for (name, read_bytes) in [("big.bin", BIG_BYTES), ("small.bin", 9 << 20)] {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(place.source().join(name));
        file.and_then(|file| file.set_modified(later))
            .expect("touched");
        let touched = place.back_up().await;
        assert!(!touched.report.unchanged);
        let read = touched.report.bytes_read;
        // What was made in the same moment as the first backup has to be compared as well.
        assert!(
            (read_bytes..=BIG_BYTES + (9 << 20)).contains(&read),
            "{name}: {read}"
        );
        let is_sent = touched.report.bytes_uploaded > 50_000;
        assert_eq!(is_sent, name == "big.bin", "{name}: {:?}", touched.report);
        place.check(&touched).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_made_when_it_is_wanted_or_anything_at_all_differs() {
    for place in Place::everywhere() {
        let source = place.source();
        big_tree(&source);
        let mut made = vec![place.back_up().await];
        let forced = BackupRequest {
            options: BackupOptions {
                when_unchanged: WhenUnchanged::BackUp,
                ..BackupOptions::default()
            },
            ..place.request()
        };
        made.push(place.back_up_as(forced).await);
        // Nothing but a deletion.
        fs::remove_file(source.join("many/1/1.dat")).expect("removed");
        made.push(place.back_up().await);
        // An empty folder comes, and goes.
        fs::create_dir(source.join("empty")).expect("made");
        made.push(place.back_up().await);
        fs::remove_dir(source.join("empty")).expect("removed");
        made.push(place.back_up().await);
        let names = place.names();
        assert_eq!(names.len(), 5, "{}", place.name);
        for kept in &made[1..] {
            place.assert_small(kept, 2_000);
        }
        for kept in &made {
            assert!(!kept.report.unchanged);
            place.check(kept).await;
        }
        // Patterns of what to leave out are part of what an archive says of itself.
        let request = BackupRequest {
            excludes: vec!["*.does-not-exist".to_owned()],
            ..place.request()
        };
        let excluding = place.back_up_as(request.clone()).await;
        assert!(!excluding.report.unchanged, "{}", place.name);
        place.check(&excluding).await;
        assert!(
            place.back_up_as(request).await.report.unchanged,
            "{}",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_profile_or_computer_is_never_continued() {
    for place in Place::everywhere() {
        write_file(&place.source(), "big.bin", &noise(3, 9 << 20));
        place.back_up().await;
        let others = [
            ("test", "pc2"),
            ("test2", "pc"),
            ("tes", "t.pc"),
            ("test", "pc.pc"),
        ];
        for (profile, device) in others {
            let request = BackupRequest {
                profile: profile.to_owned(),
                device: device.to_owned(),
                ..place.request()
            };
            let kept = place.back_up_as(request).await;
            assert!(!kept.report.unchanged, "{}: {profile} {device}", place.name);
            assert_eq!(
                kept.report.bytes_copied, 0,
                "{}: {profile} {device}",
                place.name
            );
            place.check(&kept).await;
        }
        assert!(place.back_up().await.report.unchanged, "{}", place.name);
    }
}
