//! A store that wants all parts but the last to be of one size, as Cloudflare R2 does: the proxy refuses
//! to complete anything else.

use crate::place::{Kept, MIB, Place};
use crate::support::{Fault, Proxy, Step, When, noise, write_file};
use std::fs;
use zipkeep::engine::{BackupRequest, DeletedData, FullBecause};

/// Of backups as small as those of these tests.
const PART_BYTES: u64 = 8 * MIB as u64;

/// Sizes of the parts that were stored since the proxy counts, by their number.
fn stored_parts(proxy: &Proxy, step: Step) -> Vec<u64> {
    let seen = proxy.seen();
    let stored = seen.of(step).filter(|seen| seen.status == Some(200));
    let mut parts: Vec<_> = stored
        .map(|seen| (seen.part_number, seen.part_bytes.expect("a size")))
        .collect();
    parts.sort_unstable();
    // One that was on its way when a run ended may come again with the next.
    parts.dedup_by_key(|(number, _)| *number);
    parts.into_iter().map(|(_, bytes)| bytes).collect()
}

#[track_caller]
fn assert_uniform(parts: &[u64], fewest: usize) {
    let (last, others) = parts.split_last().expect("parts");
    assert!(parts.len() >= fewest, "{parts:?}");
    assert!(others.iter().all(|bytes| *bytes == PART_BYTES), "{parts:?}");
    assert!(*last <= PART_BYTES, "{parts:?}");
}

/// Backs up, and panics unless whole parts were copied, as many as fit, and the rest was carried.
async fn increment(place: &Place, proxy: &Proxy, what: &str, most_changed: usize) -> Kept {
    proxy.count_anew();
    let kept = place.back_up().await;
    let copied = stored_parts(proxy, Step::CopyPart);
    assert!(!copied.is_empty(), "{what}: {:?}", kept.report);
    assert!(
        copied.iter().all(|bytes| *bytes == PART_BYTES),
        "{what}: {copied:?}"
    );
    assert_eq!(
        kept.report.bytes_copied,
        copied.iter().sum::<u64>(),
        "{what}"
    );
    assert_uniform(&stored_parts(proxy, Step::UploadPart), 1);
    // What was copied of the last part is less than a part.
    place.assert_small(&kept, most_changed + 8 * MIB);
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_backup_goes_in_parts_of_one_size() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    let source = place.source();
    write_file(&source, "big.bin", &noise(1, 19 * MIB));
    for number in 0_u64..400 {
        let path = format!("many/{number}.dat");
        write_file(&source, &path, &noise(100 + number, 30_000));
    }
    let kept = place.back_up().await;
    let parts = stored_parts(&proxy, Step::UploadPart);
    assert_uniform(&parts, 4);
    assert_eq!(parts.iter().sum::<u64>(), kept.report.row.size_bytes);
    place.check(&kept).await;
    assert!(place.back_up().await.report.unchanged);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_for_want_of_a_copy_is_told() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    write_file(&place.source(), "big.bin", &noise(1, 19 * MIB));
    assert_eq!(place.back_up().await.report.full_because, None);
    proxy.break_steps(&[Step::CopyPart], Fault::AccessDenied, When::Always);
    write_file(&place.source(), "new.txt", b"new");
    let full = place.back_up().await.report;
    assert_eq!(full.bytes_copied, 0);
    assert_eq!(full.full_because, Some(FullBecause::CopyFailed));
    proxy.heal();
    write_file(&place.source(), "new.txt", b"newer");
    let copied = place.back_up().await.report;
    assert!(copied.bytes_copied > 0);
    assert_eq!(copied.full_because, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn later_backups_copy_whole_parts_and_carry_the_rest() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    let source = place.source();
    write_file(&source, "big/a.bin", &noise(1, 9 * MIB));
    write_file(&source, "big/b.bin", &noise(2, 11 * MIB + 7));
    write_file(&source, "many/deleted.bin", &noise(3, MIB));
    write_file(&source, "many/small.txt", b"small");
    let first = place.back_up().await;
    write_file(&source, "many/small.txt", b"changed");
    let small = increment(&place, &proxy, "a small change", 100).await;
    fs::remove_file(source.join("many/deleted.bin")).expect("removed");
    let less = increment(&place, &proxy, "a file less", 0).await;
    write_file(&source, "new.bin", &noise(4, 18 * MIB + 1));
    let grown = increment(&place, &proxy, "more than two parts more", 18 * MIB + 9_000).await;
    let stored = stored_parts(&proxy, Step::UploadPart);
    assert!(stored.len() >= 3, "{stored:?}");
    // What is copied now begins with parts of all these.
    write_file(&source, "many/small.txt", b"changed again");
    place.forget();
    let last = increment(&place, &proxy, "by a computer that forgot all", 100).await;
    assert!(place.back_up().await.report.unchanged);
    for kept in [&first, &small, &less, &grown, &last] {
        place.check(kept).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_left_out_by_sending_everything() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    let source = place.source();
    write_file(&source, "a.bin", &noise(1, 9 * MIB));
    write_file(&source, "b.bin", &noise(2, 9 * MIB));
    place.back_up().await;
    fs::remove_file(source.join("a.bin")).expect("removed");
    proxy.count_anew();
    let kept = place
        .back_up_as(BackupRequest {
            options: zipkeep::engine::BackupOptions {
                deleted_data: DeletedData::RemoveNow,
                ..place.request().options
            },
            ..place.request()
        })
        .await;
    assert_eq!(kept.report.bytes_copied, 0);
    assert!(kept.report.row.size_bytes < 10 * MIB as u64);
    assert_uniform(&stored_parts(&proxy, Step::UploadPart), 2);
    place.check(&kept).await;
}

/// Breaks a backup off after so many parts that it sends after those that are copied, and runs it to
/// its end.
async fn interrupt_and_go_on(place: &Place, proxy: &Proxy, parts: u32, after: u32) -> Kept {
    proxy.count_anew();
    let later = When::PartAfter(after + parts);
    proxy.break_steps(&[Step::UploadPart], Fault::SlowDown, later);
    let mut stored = Vec::new();
    // A fresh bucket may be busy itself at first: then the first parts come with the next run.
    for _ in 0..5 {
        let broken = place.try_back_up(place.request()).await;
        assert_eq!(broken.expect_err("broken off").kind(), "busy");
        stored = stored_parts(proxy, Step::UploadPart);
        if stored.len() == parts as usize {
            break;
        }
    }
    assert_eq!(stored, vec![PART_BYTES; parts as usize]);
    proxy.heal();
    let kept = place.back_up().await;
    let report = &kept.report;
    assert_eq!(
        report.bytes_resumed,
        u64::from(parts) * PART_BYTES,
        "{report:?}"
    );
    let stored = stored_parts(proxy, Step::UploadPart);
    assert_uniform(&stored, 1);
    // Nothing twice, and no gap where it was broken off.
    let all_bytes = report.bytes_copied + stored.iter().sum::<u64>();
    assert_eq!(all_bytes, report.row.size_bytes);
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_first_backup_goes_on_in_the_middle_of_a_block() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    write_file(&place.source(), "a.bin", &noise(1, 29 * MIB));
    let kept = interrupt_and_go_on(&place, &proxy, 2, 0).await;
    assert!(kept.report.bytes_uploaded < 14 * MIB as u64);
    place.check(&kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_increment_goes_on_after_what_was_carried() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    let source = place.source();
    write_file(&source, "a.bin", &noise(1, 12 * MIB));
    let first = place.back_up().await;
    write_file(&source, "b.bin", &noise(2, 25 * MIB));
    let kept = interrupt_and_go_on(&place, &proxy, 2, 1).await;
    assert_eq!(kept.report.bytes_copied, PART_BYTES);
    place.check(&kept).await;
    place.check(&first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_backup_goes_on_between_a_file_and_what_ends_it() {
    let Some((place, proxy)) = Place::wanting_uniform_parts() else {
        return;
    };
    let (parts, descriptor_bytes) = (2, 16);
    let cut = u64::from(parts) * PART_BYTES;
    // Where the data of a file of this length would end.
    let length = 16 * MIB - 64 * 1024;
    write_file(&place.source(), "a.bin", &noise(1, length));
    let probe = place.back_up().await;
    let end = data_end(&place, &probe);
    let longer = usize::try_from(cut - descriptor_bytes / 2 - end).expect("a little longer");
    place.remove(&probe.report.key);
    place.forget();
    write_file(&place.source(), "a.bin", &noise(1, length + longer));
    write_file(&place.source(), "b.bin", &noise(2, 9 * MIB));
    let kept = interrupt_and_go_on(&place, &proxy, parts, 0).await;
    let end = data_end(&place, &kept);
    assert!((cut - descriptor_bytes + 1..cut).contains(&end), "{end}");
    place.check(&kept).await;
}

/// Where the data of `a.bin` ends in an archive.
fn data_end(place: &Place, kept: &Kept) -> u64 {
    let file = fs::File::open(place.file_of(&kept.report.key)).expect("an archive");
    let mut archive = zip::ZipArchive::new(file).expect("a ZIP");
    let entry = archive.by_name("source/a.bin").expect("it is there");
    entry.data_start().expect("known") + entry.compressed_size()
}
