//! Verifications of archives with one byte changed, anywhere, or cut off, anywhere.

use crate::jobs::{back_up, open_folder, quiet};
use crate::support::{noise, write_file};
use proptest::prelude::*;
use std::fs;
use std::ops::Range;
use std::path::Path;
use zipkeep::archive::{EntryRecord, Method, Tail, records};
use zipkeep::engine::{self, Context, VerifyDepth, VerifyReport, VerifyRequest};
use zipkeep::model::Manifest;
use zipkeep::storage::{Store, open_in_memory};

/// An archive that is put into a store of its own, changed in one way or another.
struct Specimen {
    store: Store,
    key: String,
    bytes: Vec<u8>,
    records: Vec<EntryRecord>,
    tail: Tail,
    context: Context,
    _folder: tempfile::TempDir,
}

impl Specimen {
    /// Backs up after each step, and takes the last archive.
    async fn made(steps: &[fn(&Path)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source");
        let backups = folder.path().join("backups");
        let made_in = open_folder(&backups);
        let context = quiet(folder.path());
        let mut key = String::new();
        for step in steps {
            step(&source);
            let made = back_up(&made_in, &source, &context).await;
            key = made.expect("made").key;
        }
        let bytes = fs::read(backups.join(&key)).expect("read");
        let tail = Tail::find(&bytes, bytes.len() as u64).expect("an end");
        let from = small(tail.directory_offset);
        let directory = &bytes[from..from + small(tail.directory_bytes)];
        let records = records(directory).map(|record| record.expect("whole"));
        let records = records.map(|record| record.parse(None).expect("ours"));
        Self {
            store: open_in_memory("").expect("opened"),
            records: records.collect(),
            key,
            bytes,
            tail,
            context,
            _folder: folder,
        }
    }

    async fn verify(&self, bytes: &[u8], depth: VerifyDepth) -> VerifyReport {
        self.verify_as(&self.key, bytes, depth).await
    }

    async fn verify_as(&self, key: &str, bytes: &[u8], depth: VerifyDepth) -> VerifyReport {
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        self.store.put_new(key, bytes).await.expect("put");
        let request = VerifyRequest {
            key: key.to_owned(),
            depth,
        };
        let report = engine::verify(&self.store, request, &self.context).await;
        self.store.delete(key).await.expect("deleted");
        report.expect("damage is no error")
    }

    /// Changes one byte, and checks that this is found and named. Gives the reason that was told.
    async fn flip(&self, at: usize, mask: u8) -> String {
        let mut hurt = self.bytes.clone();
        hurt[at] ^= mask;
        let report = self.verify(&hurt, VerifyDepth::Full).await;
        let place = format!("byte {at} of {} ^ {mask:#x}", hurt.len());
        assert_ne!(report.damaged, [], "{place} is called whole");
        let named: Vec<&str> = report.damaged.iter().map(|d| d.path.as_str()).collect();
        let owner = self.owner(at);
        match owner {
            Some(".zipkeep/manifest.json") => assert_eq!(named, ["the manifest"], "{place}"),
            Some(owner) => assert_eq!(named, [owner], "{place}: {:?}", report.damaged),
            None if at >= small(self.tail.directory_offset) => {}
            None => {
                let told = named.len() == 1 && named[0].starts_with("bytes ");
                assert!(told, "{place}: {:?}", report.damaged);
            }
        }
        report.damaged[0].reason.clone()
    }

    fn extents(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        self.records.iter().map(|record| {
            let start = small(record.header_offset);
            let end = start + small(record.extent_bytes());
            (start..end, record.meta.name.as_str())
        })
    }

    /// The entry whose extent holds this byte.
    fn owner(&self, at: usize) -> Option<&str> {
        let mut extents = self.extents();
        extents.find_map(|(extent, name)| extent.contains(&at).then_some(name))
    }
}

fn small(number: u64) -> usize {
    usize::try_from(number).expect("small")
}

/// One of each kind: stored, deflated, empty, a folder, a link; a content that deflate can say in many
/// ways.
fn a_few(source: &Path) {
    write_file(source, "empty.txt", b"");
    write_file(source, "noise.bin", &noise(1, 300));
    write_file(source, "again.txt", &b"again and again. ".repeat(40));
    let text: String = (0..60)
        .map(|n| format!("line {n} of {}\n", n * 7))
        .collect();
    write_file(source, "text.txt", text.as_bytes());
    fs::create_dir_all(source.join("empty folder")).expect("made");
    #[cfg(unix)]
    std::os::unix::fs::symlink("text.txt", source.join("link")).expect("made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_changed_anywhere_is_found_and_named() {
    let specimen = Specimen::made(&[a_few]).await;
    let whole = specimen.verify(&specimen.bytes, VerifyDepth::Full).await;
    assert_eq!(whole.damaged, []);
    for at in 0..specimen.bytes.len() {
        for mask in [0xff, 0x01] {
            specimen.flip(at, mask).await;
        }
    }
}

/// Padding, or another way to say the same: the content reads back right, and the span's hash differs.
#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_changes_no_content_is_found_and_named() {
    let specimen = Specimen::made(&[a_few]).await;
    let mut harmless = 0;
    for record in &specimen.records {
        let is_deflated = record.method == Method::Deflate;
        if !is_deflated || record.meta.name.starts_with(".zipkeep/") {
            continue;
        }
        let start = small(record.header_offset) + record.local_header().len();
        for at in start..start + small(record.compressed_bytes) {
            for bit in 0..8 {
                let reason = specimen.flip(at, 1 << bit).await;
                harmless += usize::from(reason.contains("still reads back right"));
            }
        }
    }
    assert!(harmless > 0, "deflate leaves no bit unused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_look_finds_every_changed_byte_of_the_end() {
    let specimen = Specimen::made(&[a_few]).await;
    let whole = specimen.verify(&specimen.bytes, VerifyDepth::Quick).await;
    assert_eq!(whole.damaged, []);
    let list = specimen
        .extents()
        .find(|(_, name)| name.starts_with(".zipkeep/entries-"));
    let (list, _) = list.expect("a list");
    for at in list.end..specimen.bytes.len() {
        let mut hurt = specimen.bytes.clone();
        hurt[at] ^= 0x10;
        let report = specimen.verify(&hurt, VerifyDepth::Quick).await;
        assert_ne!(report.damaged, [], "byte {at} is called whole");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_cut_off_anywhere_is_not_called_whole() {
    let specimen = Specimen::made(&[|source| {
        a_few(source);
        // What stands at the cut may itself be a whole archive.
        let mut inner = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        inner
            .start_file("inner.txt", zip::write::SimpleFileOptions::default())
            .expect("begun");
        let inner = inner.finish().expect("finished").into_inner();
        write_file(source, "inner.zip", &inner);
        write_file(source, "a.zip", &inner);
    }])
    .await;
    for length in 0..specimen.bytes.len() {
        for (depth, key) in [
            (VerifyDepth::Full, specimen.key.as_str()),
            (VerifyDepth::Quick, "renamed.zip"),
        ] {
            let report = specimen
                .verify_as(key, &specimen.bytes[..length], depth)
                .await;
            assert_ne!(report.damaged, [], "{length} bytes are called whole");
        }
    }
}

/// Offsets near every seam, so far apart, and others at a distance.
fn sampled(specimen: &Specimen, near: usize, distance: usize) -> Vec<usize> {
    let length = specimen.bytes.len();
    let mut offsets: Vec<usize> = (0..length).step_by(distance).collect();
    for (extent, _) in specimen.extents() {
        let header = extent.start..extent.start + 60;
        let descriptor = extent.end.saturating_sub(20)..extent.end;
        offsets.extend(header.chain(descriptor).step_by(near));
    }
    offsets.retain(|at| *at < length);
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_file_of_many_blocks_is_found_and_named() {
    let specimen = Specimen::made(&[|source| {
        let text = b"the quick brown fox. ".repeat(70_000);
        write_file(source, "big.bin", &[text, noise(3, 1_200_000)].concat());
    }])
    .await;
    let whole = specimen.verify(&specimen.bytes, VerifyDepth::Full).await;
    assert_eq!((&whole.damaged[..], whole.bytes), (&[][..], 2_670_000));
    // Where a block is flushed, and where stored blocks begin.
    let marks = specimen.bytes.windows(4);
    let seams = marks
        .enumerate()
        .filter(|(_, mark)| mark == b"\0\0\xff\xff");
    let seams = seams.flat_map(|(at, _)| at - 1..at + 6);
    let offsets = sampled(&specimen, 1, 31_013).into_iter();
    for at in offsets.chain(seams) {
        for mask in [0x01, 0x80] {
            specimen.flip(at, mask).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_with_gaps_is_whole_and_what_lives_in_it_is_guarded() {
    let specimen = Specimen::made(&[
        |source| {
            a_few(source);
            write_file(source, "base.bin", &noise(4, 6 << 20));
            write_file(source, "gone.txt", &noise(5, 700));
        },
        |source| {
            write_file(source, "new.txt", b"new");
            fs::remove_file(source.join("gone.txt")).expect("removed");
            let time = filetime::FileTime::from_unix_time(1_700_000_000, 0);
            filetime::set_file_mtime(source.join("text.txt"), time).expect("touched");
        },
        |source| write_file(source, "newer.txt", b"newer"),
    ])
    .await;
    let whole = specimen.verify(&specimen.bytes, VerifyDepth::Full).await;
    assert_eq!(whole.damaged, []);
    let manifest = manifest_of(&specimen);
    assert_eq!(manifest.generation, 2, "bytes were copied");
    let is_hashed = |at: usize| {
        let at = at as u64;
        let mut spans = manifest.spans.iter();
        spans.any(|span| span.offset <= at && at < span.offset + span.bytes)
    };
    let mut gaps = 0;
    let sampled = sampled(&specimen, 11, 1_000_003);
    for at in sampled.into_iter().chain(dead(&specimen)) {
        if specimen.owner(at).is_some() || is_hashed(at) {
            specimen.flip(at, 0x02).await;
        } else {
            gaps += 1;
        }
    }
    assert!(gaps > 0, "earlier manifests are in no span");
    // A header whose time changed later may have any time; its span still tells.
    let touched = specimen
        .extents()
        .find(|(_, name)| name.ends_with("/text.txt"));
    let (extent, name) = touched.expect("there");
    let mut hurt = specimen.bytes.clone();
    hurt[extent.start + 30 + name.len() + 5] ^= 0x01;
    let report = specimen.verify(&hurt, VerifyDepth::Full).await;
    let told = report
        .damaged
        .iter()
        .any(|damaged| damaged.reason.contains(name));
    assert!(told, "{:?}", report.damaged);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_whose_gaps_were_left_out_is_whole_and_guarded() {
    let specimen = Specimen::made(&[
        |source| {
            a_few(source);
            write_file(source, "c.bin", &noise(7, 6 << 20));
            write_file(source, "d-gone.bin", &noise(6, 6 << 20));
            write_file(source, "e.bin", &noise(8, 6 << 20));
        },
        |source| fs::remove_file(source.join("d-gone.bin")).expect("removed"),
        |source| write_file(source, "new.txt", b"new"),
    ])
    .await;
    assert!(specimen.bytes.len() < 13 << 20, "the gap is left out");
    let whole = specimen.verify(&specimen.bytes, VerifyDepth::Full).await;
    assert_eq!(whole.damaged, []);
    assert_eq!(manifest_of(&specimen).generation, 2, "bytes were copied");
    for at in sampled(&specimen, 13, 1_000_003) {
        specimen.flip(at, 0x04).await;
    }
}

/// Some bytes before the directory that belong to no entry.
fn dead(specimen: &Specimen) -> Vec<usize> {
    let offsets = (0..small(specimen.tail.directory_offset)).rev();
    let dead = offsets.filter(|at| specimen.owner(*at).is_none());
    dead.step_by(97).take(15).collect()
}

fn manifest_of(specimen: &Specimen) -> Manifest {
    let cursor = std::io::Cursor::new(specimen.bytes.clone());
    let mut archive = zip::ZipArchive::new(cursor).expect("opened");
    let manifest = archive.by_name(".zipkeep/manifest.json").expect("there");
    serde_json::from_reader(manifest).expect("read")
}

#[test]
fn no_bytes_make_it_panic_or_say_whole() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let specimen = runtime.block_on(Specimen::made(&[a_few]));
    let length = specimen.bytes.len();
    let config = ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let edits = proptest::collection::vec((0..length, any::<u8>()), 1..12);
    let cut = prop_oneof![Just(length), 0..length];
    let glue = proptest::collection::vec(any::<u8>(), 0..100);
    let case = (edits, cut, 0..length, glue);
    proptest!(config, |((edits, cut, at, glue) in case)| {
        let mut hurt = specimen.bytes.clone();
        for (at, byte) in edits {
            hurt[at] = byte;
        }
        let at = at.min(cut);
        hurt.truncate(cut);
        hurt.splice(at..at, glue);
        let report = runtime.block_on(specimen.verify(&hurt, VerifyDepth::Full));
        prop_assert_eq!(report.damaged.is_empty(), hurt == specimen.bytes);
        let ending = &specimen.bytes[length - 200..];
        hurt.extend_from_slice(ending);
        let report = runtime.block_on(specimen.verify(&hurt, VerifyDepth::Quick));
        prop_assert!(!report.damaged.is_empty());
    });
}
