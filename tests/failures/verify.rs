//! Verifications of backups that are whole, damaged, foreign or gone.

use crate::jobs::{back_up, cancel_at, context, open_folder, quiet};
use crate::support::{noise, plain_tree, write_file};
use std::fs;
use std::io::{Cursor, Write as _};
use zipkeep::engine::{
    self, Context, EngineError, Evidence, VerifyDepth, VerifyReport, VerifyRequest,
};
use zipkeep::model::Phase;
use zipkeep::storage::{Store, open_in_memory};

async fn verify(
    store: &Store,
    key: &str,
    depth: VerifyDepth,
    context: &Context,
) -> Result<VerifyReport, EngineError> {
    let key = key.to_owned();
    engine::verify(store, VerifyRequest { key, depth }, context).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_whole_is_called_whole_and_what_is_damaged_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    plain_tree(&source);
    write_file(&source, "a.bin", &noise(1, 50_000));
    let backups = folder.path().join("backups");
    let store = open_folder(&backups);
    let quiet = quiet(folder.path());
    let made = back_up(&store, &source, &quiet).await.expect("made");
    let check = |depth| verify(&store, &made.key, depth, &quiet);

    let whole = check(VerifyDepth::Full).await.expect("verified");
    assert_eq!(whole.damaged, []);
    assert_eq!(whole.bytes, made.bytes_total);
    assert!(whole.entries > made.files, "folders count too");

    let file = backups.join(&made.row.name);
    let bytes = fs::read(&file).expect("read");
    let noise = noise(1, 50_000);
    let at = bytes
        .windows(64)
        .position(|part| *part == noise[1_000..1_064]);
    let mut hurt = bytes.clone();
    hurt[at.expect("stored as it is")] ^= 1;
    fs::write(&file, &hurt).expect("written");
    let quick = check(VerifyDepth::Quick).await.expect("looked at");
    assert_eq!(
        (quick.damaged.len(), quick.bytes),
        (0, 0),
        "not read at all"
    );
    assert_eq!(quick.entries, whole.entries);
    let full = check(VerifyDepth::Full).await.expect("verified");
    let damaged: Vec<&str> = full.damaged.iter().map(|d| d.path.as_str()).collect();
    assert_eq!(damaged, ["source/a.bin"]);

    for length in [0, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).expect("written");
        let cut = check(VerifyDepth::Quick).await.expect("it could be read");
        let named: Vec<&str> = cut.damaged.iter().map(|d| d.path.as_str()).collect();
        assert_eq!(named, ["the end of the archive"], "{length}");
    }
    fs::remove_file(&file).expect("removed");
    let gone = check(VerifyDepth::Full).await;
    assert_eq!(gone.expect_err("gone").kind(), "no-object");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_can_be_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "big.bin", &noise(1, 12 << 20));
    let store = open_folder(&folder.path().join("backups"));
    let made = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    for phase in [Phase::Connecting, Phase::Verifying] {
        let context = context(folder.path(), cancel_at(phase));
        let result = verify(&store, &made.key, VerifyDepth::Full, &context).await;
        assert!(
            matches!(result, Err(EngineError::Cancelled)),
            "{phase:?}: {result:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_programs_archive_the_checksums_are_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, method) in [
        ("stored.txt", zip::CompressionMethod::Stored),
        ("deflated.txt", zip::CompressionMethod::Deflated),
    ] {
        made.start_file(name, options.compression_method(method))
            .expect("begun");
        made.write_all(&b"not by us. ".repeat(20)).expect("written");
    }
    let bytes = made.finish().expect("finished").into_inner();
    let store = open_in_memory("").expect("opened");
    let quiet = quiet(folder.path());
    let check = async |bytes: &[u8], depth| {
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        store.put_new("photos.zip", bytes).await.expect("put");
        let report = verify(&store, "photos.zip", depth, &quiet).await;
        store.delete("photos.zip").await.expect("deleted");
        report.expect("looked at")
    };
    for depth in [VerifyDepth::Full, VerifyDepth::Quick] {
        let whole = check(&bytes, depth).await;
        assert_eq!((&whole.damaged[..], whole.entries), (&[][..], 2));
        assert_eq!(whole.evidence, Evidence::Checksums);
    }
    // The content of the first stands after its header and name.
    for at in 40..40 + 220 {
        let mut hurt = bytes.clone();
        hurt[at] ^= 0x20;
        let report = check(&hurt, VerifyDepth::Full).await;
        let named: Vec<&str> = report.damaged.iter().map(|d| d.path.as_str()).collect();
        assert_eq!(named, ["stored.txt"], "{at}");
    }
    for length in 0..bytes.len() {
        let report = check(&bytes[..length], VerifyDepth::Full).await;
        assert_ne!(report.damaged, [], "{length} bytes are called whole");
    }
}
