//! Files that somebody writes to while they are backed up.

use crate::place::{MIB, Place};
use crate::support::{noise, write_file};
use std::fs;
use std::io::{Seek as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn files_that_change_meanwhile_are_named_and_the_next_backup_has_them() {
    for place in Place::everywhere() {
        let source = place.source();
        write_file(&source, "still.bin", &noise(1, 9 * MIB));
        write_file(&source, "log.txt", &noise(2, 4 * MIB));
        write_file(&source, "rewritten.bin", &noise(3, 5 * MIB));
        write_file(&source, "small.txt", &vec![7; 900_000]);
        place.back_up().await;
        let stop = Arc::new(AtomicBool::new(false));
        let writer = std::thread::Builder::new().spawn({
            let (stop, source) = (Arc::clone(&stop), source.clone());
            move || write_until(&stop, &source)
        });
        let mut named_ever = std::collections::BTreeSet::new();
        for _ in 0..4 {
            let report = place.try_back_up(place.request()).await.expect("made");
            let named: Vec<&str> = report.warnings.iter().map(|w| w.path.as_str()).collect();
            let known = ["source/log.txt", "source/rewritten.bin", "source/small.txt"];
            named_ever.extend(named.iter().map(|name| (*name).to_owned()));
            assert!(named.iter().all(|name| known.contains(name)), "{named:?}");
            let request = zipkeep::engine::VerifyRequest {
                key: report.key.clone(),
                depth: zipkeep::engine::VerifyDepth::Full,
            };
            let verified = zipkeep::engine::verify(&place.store, request, &place.context()).await;
            assert_eq!(verified.expect("verified").damaged, [], "{}", place.name);
        }
        // What is seen depends on the moment, but a log that never rests is seen sooner or later.
        assert!(!named_ever.is_empty(), "{}", place.name);
        stop.store(true, Ordering::Relaxed);
        writer.expect("started").join().expect("it wrote");
        let kept = place.back_up().await;
        assert_eq!(kept.report.warnings, [], "{}", place.name);
        place.check(&kept).await;
        assert!(place.back_up().await.report.unchanged, "{}", place.name);
    }
}

fn write_until(stop: &AtomicBool, source: &std::path::Path) {
    let open = |name: &str| fs::OpenOptions::new().write(true).open(source.join(name));
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(source.join("log.txt"))
        .expect("open");
    let (mut big, mut small) = (
        open("rewritten.bin").expect("open"),
        open("small.txt").expect("open"),
    );
    let mut round = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let bytes = noise(round, 4_000);
        log.write_all(&bytes[..100]).expect("appended");
        for file in [&mut big, &mut small] {
            file.seek(std::io::SeekFrom::Start(round * 4_000 % 800_000))
                .expect("sought");
            file.write_all(&bytes).expect("written");
        }
    }
}
