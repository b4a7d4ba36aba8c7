//! Restores that are cancelled, damaged, blocked or meant to do harm.

use crate::jobs::{OnProgress, back_up, cancel_at, context, open_folder, quiet, restore};
use crate::support::{assert_same_tree, differences, noise, plain_tree, snapshot, write_file};
use bytes::Bytes;
use std::fs;
use std::path::Path;
use zipkeep::archive::{ArchiveWriter, EntryMeta, Packed};
use zipkeep::engine::{self, EngineError, RestoreRequest, RestoreTarget};
use zipkeep::model::{EntryKind, Phase};

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_cancelled_or_failing_leaves_the_target_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    plain_tree(&source);
    write_file(&source, "big.bin", &noise(1, 12 << 20));
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let before = folder.path().join("before");
    for place in [&target, &before] {
        write_file(place, "source/readme.txt", b"mine");
        write_file(place, "other.txt", b"mine too");
        // The same time, or the comparison sees a difference that nobody made.
        for file in ["source/readme.txt", "other.txt", "source", ""] {
            let time = filetime::FileTime::from_unix_time(1_700_000_000, 0);
            filetime::set_file_mtime(place.join(file), time).expect("set");
        }
    }
    for phase in [Phase::Connecting, Phase::Downloading] {
        let context = context(folder.path(), cancel_at(phase));
        let result = restore(&store, &report.key, &target, &context).await;
        assert!(
            matches!(result, Err(EngineError::Cancelled)),
            "{phase:?}: {result:?}"
        );
        assert_same_tree(&target, &before);
    }
    // A backup that disappears while it is read.
    let backups = folder.path().join("backups");
    let on_progress: OnProgress = Box::new(move |progress, _| {
        if progress.phase == Phase::Downloading {
            fs::remove_dir_all(&backups).ok();
        }
    });
    let result = restore(
        &store,
        &report.key,
        &target,
        &context(folder.path(), on_progress),
    )
    .await;
    assert_eq!(result.expect_err("gone").kind(), "no-object");
    assert_same_tree(&target, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_refused_by_name_and_the_rest_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "a.bin", &noise(1, 50_000));
    write_file(&source, "b.bin", &noise(2, 50_000));
    let backups = folder.path().join("backups");
    let store = open_folder(&backups);
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let file = backups.join(&report.row.name);
    let mut bytes = fs::read(&file).expect("read");
    // Within the content of the first file, which is stored as it is.
    bytes[20_000] ^= 1;
    fs::write(&file, &bytes).expect("written");
    let target = folder.path().join("target");
    let restored = restore(&store, &report.key, &target, &quiet(folder.path()))
        .await
        .expect("restored");
    assert_eq!(restored.files, 1);
    assert_eq!(restored.refused.len(), 1);
    assert_eq!(restored.refused[0].path, "source/a.bin");
    assert!(!target.join("source/a.bin").exists());
    assert_eq!(
        fs::read(target.join("source/b.bin")).expect("restored"),
        noise(2, 50_000)
    );

    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).expect("written");
        let other = folder.path().join("other");
        let result = restore(&store, &report.key, &other, &quiet(folder.path())).await;
        assert_eq!(
            result.expect_err("cut off").kind(),
            "archive",
            "{length} bytes"
        );
        assert!(!other.exists(), "nothing was made");
    }
}

pub(crate) fn foreign_archive(entries: &[(&str, EntryKind, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new());
    let mut records = Vec::new();
    for (name, kind, content) in entries {
        let meta = EntryMeta {
            name: (*name).to_owned(),
            raw_name: None,
            kind: *kind,
            modified_ns: 0,
            mode: 0o4755,
        };
        let crc32 = crc32fast::hash(content);
        let packed = Packed::as_it_is(content);
        let size_bytes = content.len() as u64;
        let record = writer.add(meta, size_bytes, crc32, &packed);
        records.push(record.expect("written"));
    }
    let mut directory = writer.directory();
    for record in &records {
        directory.add(record).expect("written");
    }
    directory.finish().expect("finished").1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_archive_writes_nothing_outside_the_folder() {
    use EntryKind::{File, Symlink};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().expect("a folder");
    let outside = folder.path().join("outside");
    write_file(&outside, "passwd", b"untouched");
    let up = format!("{}/passwd", outside.display());
    let bytes = foreign_archive(&[
        ("../outside/passwd", File, b"evil"),
        (&up, File, b"evil"),
        ("link", Symlink, b"../outside"),
        ("link/passwd", File, b"evil"),
        ("inner/abs", Symlink, b"/etc"),
        ("there/passwd", File, b"evil"),
        ("inner/good", File, b"good"),
        ("inner/fine", Symlink, b"good"),
    ]);
    let store = open_folder(&folder.path().join("backups"));
    store
        .put_new("evil.zip", Bytes::from(bytes))
        .await
        .expect("stored");
    let target = folder.path().join("target");
    fs::create_dir(&target).expect("made");
    symlink(&outside, target.join("there")).expect("a link that was there before");
    let report = restore(&store, "evil.zip", &target, &quiet(folder.path()))
        .await
        .expect("restored");
    let mut refused: Vec<&str> = report.refused.iter().map(|r| r.path.as_str()).collect();
    refused.sort_unstable();
    let mut expected = [
        "../outside/passwd",
        &up,
        "link",
        "link/passwd",
        "inner/abs",
        "there/passwd",
    ];
    expected.sort_unstable();
    assert_eq!(refused, expected);
    assert_eq!(
        fs::read(outside.join("passwd")).expect("there"),
        b"untouched"
    );
    assert_eq!(fs::read(target.join("inner/good")).expect("there"), b"good");
    assert_eq!(
        fs::read_link(target.join("inner/fine")).expect("a link"),
        Path::new("good")
    );
    let mode = fs::metadata(target.join("inner/good"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755, "setuid does not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_a_restore_is_kept_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    plain_tree(&source);
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let target = folder.path().join("target");
    write_file(&target, "source/readme.txt/a-folder-now.txt", b"mine");
    write_file(&target, "source/photos", b"a file now");
    let restored = restore(&store, &report.key, &target, &quiet(folder.path()))
        .await
        .expect("restored");
    assert!(!restored.refused.is_empty());
    assert_eq!(
        fs::read(target.join("source/photos")).expect("kept"),
        b"a file now"
    );
    assert!(target.join("source/readme.txt/a-folder-now.txt").exists());
    assert!(
        target.join("source/empty.txt").exists(),
        "the rest is there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_format_is_refused_by_name_and_a_foreign_zip_has_no_original_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let newer = foreign_archive(&[
        ("x", EntryKind::File, b"x"),
        (
            ".zipkeep/manifest.json",
            EntryKind::File,
            br#"{"format": {"major": 7, "minor": 0}}"#,
        ),
    ]);
    let foreign = foreign_archive(&[("x", EntryKind::File, b"x")]);
    let store = open_folder(&folder.path().join("backups"));
    store
        .put_new("newer.zip", Bytes::from(newer))
        .await
        .expect("stored");
    store
        .put_new("foreign.zip", Bytes::from(foreign))
        .await
        .expect("stored");
    let target = folder.path().join("target");
    let error = restore(&store, "newer.zip", &target, &quiet(folder.path()))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), "newer-format");
    assert!(error.to_string().contains('7'), "{error}");
    let request = RestoreRequest::all_of("foreign.zip", RestoreTarget::Original);
    let error = engine::restore(&store, request, &quiet(folder.path()))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), "no-original-place");
    assert!(!target.exists());
}

/// As an ordinary user would meet it, who may not write into a folder of mode 0555.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn read_only_folders_are_restored_over_themselves() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "sub/inner/a.txt", b"one");
    let lock = |mode| {
        for path in ["sub/inner", "sub", ""] {
            let path = source.join(path);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
        }
    };
    lock(0o555);
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let before = snapshot(&source);
    for _ in 0..2 {
        let request = RestoreRequest::all_of(&report.key, RestoreTarget::Original);
        let restored = engine::restore(&store, request, &quiet(folder.path()))
            .await
            .expect("restored");
        assert_eq!(restored.refused, []);
        assert_eq!(differences(&before, &snapshot(&source)), [""; 0]);
        let mode = fs::metadata(&source).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o555);
        let left = fs::read_dir(&source).expect("a folder").count();
        assert_eq!(left, 1, "no staging folder stays");
    }
    lock(0o755);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_cancelled_while_it_places_is_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    for number in 0..300 {
        write_file(&source, &format!("{number}/new.txt"), b"new");
    }
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let target = folder.path().join("target");
    for number in 0..300 {
        write_file(&target, &format!("source/{number}/new.txt"), b"old");
    }
    let before = snapshot(&target);
    let context = context(folder.path(), cancel_at(Phase::Placing));
    let result = restore(&store, &report.key, &target, &context).await;
    assert!(matches!(result, Err(EngineError::Cancelled)), "{result:?}");
    assert_eq!(
        fs::read(target.join("source/0/new.txt")).expect("there"),
        b"old"
    );
    let after = snapshot(&target);
    assert_eq!(before.len(), after.len(), "nothing was added or removed");
}

/// What the program keeps for undoing goes to its own data; a person whose disk is in trouble wants the
/// files all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_works_also_where_the_programs_own_data_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    plain_tree(&source);
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let no_data = tempfile::tempdir().expect("a folder");
    write_file(no_data.path(), "data", b"a file where the folder would be");
    let context = context(&no_data.path().join("data"), Box::new(|_, _| {}));
    let target = folder.path().join("target");
    write_file(&target, "source/readme.txt", b"mine");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o500)).expect("set");
    let time = filetime::FileTime::from_unix_time(1_700_000_000, 0);
    filetime::set_file_mtime(&target, time).expect("set");
    let restored = restore(&store, &report.key, &target, &context)
        .await
        .expect("restored");
    assert_eq!((restored.files, restored.undo), (5, None));
    let reason = restored.no_undo.expect("it says so");
    assert!(reason.contains("own data"), "{reason}");
    assert_same_tree(&source, &target.join("source"));
    assert_eq!(
        fs::read_dir(&target).expect("a folder").count(),
        1,
        "nothing is left beside it"
    );
    let there = fs::metadata(&target).expect("there");
    assert_eq!(there.permissions().mode() & 0o777, 0o500);
    assert_eq!(
        filetime::FileTime::from_last_modification_time(&there),
        time
    );

    let again = restore(&store, &report.key, &target, &context).await;
    assert_eq!(again.expect("nothing to do").no_undo, None);
    assert_eq!(fs::read_dir(&target).expect("a folder").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_manifest_does_not_keep_the_files_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = foreign_archive(&[
        ("a/file", EntryKind::File, b"content"),
        (".zipkeep/manifest.json", EntryKind::File, b"{ not JSON"),
    ]);
    let store = open_folder(&folder.path().join("backups"));
    store
        .put_new("hurt.zip", Bytes::from(archive))
        .await
        .expect("stored");
    let target = folder.path().join("target");
    let restored = restore(&store, "hurt.zip", &target, &quiet(folder.path()))
        .await
        .expect("restored");
    assert_eq!(restored.files, 1);
    assert_eq!(restored.refused.len(), 1, "and it is told");
    assert_eq!(fs::read(target.join("a/file")).expect("there"), b"content");
}
