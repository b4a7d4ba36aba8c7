//! How many bytes a second backup sends: what changed, as small as it gets, and a tail that grows with
//! the entries. The report says so, and so does who stands between the program and the server.

use crate::place::{Kept, Place};
use crate::support::{Proxy, SeaweedFs, Step, noise, write_file};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write as _;
use std::path::Path;

/// What a backup may send beside what changed: so much, and this much for each entry.
const TAIL_BYTES: u64 = 64 << 10;
const ENTRY_BYTES: u64 = 130;
const FILES_IN_A_FOLDER: usize = 100;

/// A file of a project: half of it text, half of it not worth compressing.
fn content(seed: usize, version: usize) -> Vec<u8> {
    let len = 1_000 + seed % 41 * 50;
    let line = format!("let value_{seed} = measure({version}, {});\n", seed * 7);
    let text = line.as_bytes().iter().copied().cycle().take(len);
    let rest = noise((seed * 10 + version) as u64, len);
    text.chain(rest).collect()
}

fn write(root: &Path, number: usize, content: &[u8]) {
    let folder = number / FILES_IN_A_FOLDER;
    let path = format!("project-{folder:02}/src/module_{number:05}.rs");
    write_file(root, &path, content);
}

/// As `zip -6` would store it.
fn compressed_bytes(content: &[u8]) -> u64 {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it").len() as u64
}

/// Backs up so many files, changes those of `changed`, and backs up again.
async fn second_of(files: usize, changed: impl Iterator<Item = usize>) {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let proxy = Proxy::in_front_of(&server);
    let place = Place::at(proxy.server());
    for number in 0..files {
        write(&place.source(), number, &content(number, 1));
    }
    let first = place.back_up().await;
    assert_is_told(&proxy, &first);
    let mut changed_bytes = 0;
    for number in changed {
        let content = content(number, 2);
        write(&place.source(), number, &content);
        changed_bytes += compressed_bytes(&content);
    }
    proxy.count_anew();
    let second = place.back_up().await;
    assert_is_told(&proxy, &second);
    let entries = second.tree.len() as u64;
    assert!(entries > files as u64, "folders are entries too");
    let most_bytes = changed_bytes + entries * ENTRY_BYTES + TAIL_BYTES;
    let sent_bytes = second.report.bytes_uploaded;
    println!("{files} files: {sent_bytes} bytes sent of at most {most_bytes}");
    assert!(
        (changed_bytes / 2..=most_bytes).contains(&sent_bytes),
        "{sent_bytes} bytes sent, {changed_bytes} changed, at most {most_bytes}: {:?}",
        second.report
    );
    place.check(&second).await;
}

/// Panics unless the report says of the bytes what went by, and all of the archive is accounted for.
fn assert_is_told(proxy: &Proxy, kept: &Kept) {
    let (report, seen) = (&kept.report, proxy.seen());
    let of = |step| seen.tally(step).body_bytes_up;
    let data_bytes = of(Step::UploadPart) + of(Step::Put);
    assert_eq!(report.bytes_uploaded, data_bytes, "{report:?}\n{seen}");
    let stored_bytes = report.bytes_uploaded + report.bytes_copied;
    assert_eq!(stored_bytes, report.row.size_bytes, "{report:?}\n{seen}");
    // Besides data, nothing but questions goes up.
    let all_bytes = seen.total().body_bytes_up;
    assert!(all_bytes - data_bytes < 10_000, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_percent_changed_little_more_is_sent() {
    second_of(3_000, (0..3_000).step_by(100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_file_of_thousands_changed_little_more_is_sent() {
    second_of(5_000, std::iter::once(2_345)).await;
}
