//! What a backup continues may be lost, replaced or garbled: on this computer or at the destination.

use crate::place::{MIB, Place, big_tree};
use crate::support::{noise, write_file};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_forgot_all_sends_only_what_changed() {
    for place in Place::everywhere() {
        let source = place.source();
        big_tree(&source);
        place.back_up().await;
        // Twice, so that the archive learnt from has a second list of entries.
        for round in 1..4 {
            write_file(&source, &format!("new-{round}.txt"), b"new");
            write_file(&source, "many/1/11.dat", &noise(9_000 + round, 2_000));
            fs::remove_file(source.join(format!("many/2/{round}2.dat"))).expect("removed");
            if round > 1 {
                place.forget();
            }
            let kept = place.back_up().await;
            place.assert_small(&kept, 4_000);
            place.check(&kept).await;
        }
        assert!(place.back_up().await.report.unchanged, "{}", place.name);
        assert_eq!(place.names().len(), 4, "{}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_gone_is_replaced_by_a_whole_one() {
    for place in Place::everywhere() {
        let source = place.source();
        big_tree(&source);
        let first = place.back_up().await;
        place.remove(&first.report.key);
        // Nothing changed, and yet there is nothing to rely on.
        let second = place.back_up().await;
        assert!(!second.report.unchanged, "{}", place.name);
        place.check(&second).await;
        write_file(&source, "new.txt", b"new");
        let third = place.back_up().await;
        place.remove(&third.report.key);
        write_file(&source, "newer.txt", b"newer");
        // The one before it is continued, though this computer's memory is of the one that is gone.
        let fourth = place.back_up().await;
        place.assert_small(&fourth, 4_000);
        place.check(&fourth).await;
        place.check(&second).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_replaced_by_something_else_is_not_continued() {
    for place in Place::everywhere() {
        let source = place.source();
        big_tree(&source);
        for round in 0_u64..5 {
            write_file(&source, "new.txt", &round.to_le_bytes());
            let kept = place.back_up().await;
            let whole = place.bytes_of(&kept.report.key);
            let key = &kept.report.key;
            match round {
                0 => place.put(key, &noise(1, whole.len())),
                1 => place.put(key, b""),
                2 => place.put(key, &whole[..whole.len() - 1]),
                // A byte of the manifest or directory is another.
                3 => {
                    let mut other = whole.clone();
                    let at = other.len() - 3_000;
                    other[at] ^= 4;
                    place.put(key, &other);
                }
                // A ZIP that other programs made.
                _ => place.put(key, &foreign_zip()),
            }
            let next = place.back_up().await;
            let about = format!("{} round {round}: {:?}", place.name, next.report);
            assert!(!next.report.unchanged, "{about}");
            assert_eq!(next.report.bytes_copied, 0, "{about}");
            place.check(&next).await;
        }
    }
}

fn foreign_zip() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("source/new.txt", options).expect("begun");
    std::io::Write::write_all(&mut writer, &noise(5, 9 * MIB)).expect("written");
    writer.finish().expect("finished").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_cut_short_or_garbled_anywhere_harms_nothing() {
    let place = Place::folder();
    let source = place.source();
    write_file(&source, "big.bin", &noise(4, 5 * MIB + 77));
    write_file(&source, "a/small.txt", b"small");
    write_file(&source, "z/small.txt", b"small too");
    place.back_up().await;
    write_file(&source, "a/small.txt", b"smaller");
    place.back_up().await;
    let path = place.index_file();
    let whole = fs::read(&path).expect("an index");
    // Its end says where everything is, so that is looked at closely.
    let some = (0..whole.len()).step_by(whole.len() / 25 + 1);
    let last = (whole.len() - 24..whole.len()).step_by(3);
    for at in some.chain(last) {
        for is_cut in [true, false] {
            let mut other = whole.clone();
            if is_cut {
                other.truncate(at);
            } else {
                other[at] ^= 1 << (at % 8);
            }
            fs::write(&path, other).expect("written");
            write_file(&source, "z/new.txt", format!("{at} {is_cut}").as_bytes());
            let kept = place.back_up().await;
            assert!(!kept.report.unchanged, "at {at}, cut: {is_cut}");
            place.check(&kept).await;
            place.remove(&kept.report.key);
        }
    }
}
