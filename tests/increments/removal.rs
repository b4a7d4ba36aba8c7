//! Deleted data that must not be in the new archive any more.

use crate::place::{MIB, Place, big_tree};
use crate::support::{check_archive, noise, write_file};
use std::fs;
use zipkeep::engine::{BackupOptions, BackupRequest, DeletedData};

fn removing(place: &Place) -> BackupRequest {
    BackupRequest {
        options: BackupOptions {
            deleted_data: DeletedData::RemoveNow,
            ..BackupOptions::default()
        },
        ..place.request()
    }
}

/// Whether some bytes of an archive are these. They do not compress, so they stand there as they are.
fn holds(archive: &[u8], marker: &[u8]) -> bool {
    let finder = |window: &[u8]| window == marker;
    archive.windows(marker.len()).any(finder)
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_data_is_not_in_the_new_archive_and_the_rest_was_copied() {
    for place in Place::everywhere() {
        let source = place.source();
        big_tree(&source);
        let (deleted, replaced) = (noise(77, 2_000), noise(78, 2 * MIB));
        write_file(&source, "big/noise-a2.bin", &deleted);
        write_file(&source, "many/3/replaced.bin", &replaced);
        let first = place.back_up().await;
        fs::remove_file(source.join("big/noise-a2.bin")).expect("removed");
        write_file(&source, "many/3/replaced.bin", b"something else");
        let lingering = place.back_up().await;
        let markers = [&deleted[500..532], &replaced[MIB + 9..MIB + 41]];
        for marker in markers {
            let bytes = place.bytes_of(&lingering.report.key);
            assert!(
                holds(&bytes, marker),
                "{}: a test that can fail",
                place.name
            );
        }
        let clean = place.back_up_as(removing(&place)).await;
        assert!(!clean.report.unchanged, "{}", place.name);
        assert!(
            clean.report.bytes_copied >= 7 * MIB as u64,
            "{:?}",
            clean.report
        );
        let bytes = place.bytes_of(&clean.report.key);
        for marker in markers {
            assert!(!holds(&bytes, marker), "{}", place.name);
        }
        check_archive(&place.file_of(&clean.report.key));
        for kept in [&first, &lingering, &clean] {
            place.check(kept).await;
        }
        // And it goes on from there as ever.
        write_file(&source, "new.txt", b"new");
        let next = place.back_up().await;
        place.assert_small(&next, 2_000);
        place.check(&next).await;
    }
}

/// One long run at the very beginning, and short ones after it that are not worth a copy.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_after_the_last_run_that_was_copied_is_sent_again() {
    for place in Place::everywhere() {
        let source = place.source();
        write_file(&source, "a.bin", &noise(1, 6 * MIB));
        write_file(&source, "b.bin", &noise(2, 3 * MIB));
        write_file(&source, "c.bin", &noise(3, 2 * MIB));
        write_file(&source, "d.txt", b"the last one");
        let first = place.back_up().await;
        fs::remove_file(source.join("b.bin")).expect("removed");
        let clean = place.back_up_as(removing(&place)).await;
        place.check(&clean).await;
        place.check(&first).await;
        check_archive(&place.file_of(&clean.report.key));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_after_the_last_run_survives_compaction_too() {
    for place in Place::everywhere() {
        let source = place.source();
        write_file(&source, "a.bin", &noise(1, 6 * MIB));
        write_file(&source, "b.bin", &noise(2, 5 * MIB));
        write_file(&source, "c.bin", &noise(3, 2 * MIB));
        place.back_up().await;
        fs::remove_file(source.join("b.bin")).expect("removed");
        place.back_up().await;
        write_file(&source, "d.txt", b"one more");
        let kept = place.back_up().await;
        place.check(&kept).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_also_works_after_the_computer_forgot_all() {
    for place in Place::everywhere() {
        let source = place.source();
        big_tree(&source);
        let deleted = noise(77, 2_000);
        write_file(&source, "big/noise-a2.bin", &deleted);
        place.back_up().await;
        fs::remove_file(source.join("big/noise-a2.bin")).expect("removed");
        place.forget();
        let clean = place.back_up_as(removing(&place)).await;
        assert!(
            !holds(&place.bytes_of(&clean.report.key), &deleted[9..41]),
            "{}",
            place.name
        );
        place.check(&clean).await;
    }
}
