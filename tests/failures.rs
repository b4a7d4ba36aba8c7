//! What goes wrong leaves nothing half-made: cancels at every phase, files that vanish or change,
//! full disks, damaged and hostile archives.

mod support;

use bytes::Bytes;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use support::{
    assert_same_tree, every_server, noise, object_keys, plain_tree, unfinished_uploads, write_file,
};
use tokio_util::sync::CancellationToken;
use zipkeep::archive::{ArchiveSink, ArchiveWriter, Boundary, EntryMeta, Level};
use zipkeep::engine::{
    self, BackupReport, BackupRequest, Context, EngineError, RestoreReport, RestoreRequest,
    RestoreTarget,
};
use zipkeep::model::{
    Destination, EntryKind, FolderDestination, Phase, Progress, Reporter, Secret,
};
use zipkeep::storage::{self, Patience, Store};

/// What a test does when progress is told.
type OnProgress = Box<dyn Fn(&Progress, &CancellationToken) + Send + Sync>;

fn context(data_dir: &Path, on_progress: OnProgress) -> Context {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let reporter = Reporter::new(move |progress| on_progress(&progress, &token));
    Context::new(reporter, cancel, data_dir)
}

fn quiet(data_dir: &Path) -> Context {
    context(data_dir, Box::new(|_, _| {}))
}

/// Cancels as soon as this phase has begun.
fn cancel_at(phase: Phase) -> OnProgress {
    Box::new(move |progress, cancel| {
        if progress.phase == phase {
            cancel.cancel();
        }
    })
}

fn open_folder(path: &Path) -> Store {
    let path = path.to_owned();
    let destination = Destination::Folder(FolderDestination { path });
    storage::open(&destination, None, Patience::Patient).expect("opened")
}

async fn back_up(
    store: &Store,
    source: &Path,
    context: &Context,
) -> Result<BackupReport, EngineError> {
    let request = BackupRequest {
        profile: "test".to_owned(),
        device: "pc".to_owned(),
        sources: vec![source.to_owned()],
        excludes: Vec::new(),
        keep_out: Vec::new(),
    };
    engine::backup(store, request, context).await
}

async fn restore(
    store: &Store,
    key: &str,
    to: &Path,
    context: &Context,
) -> Result<RestoreReport, EngineError> {
    let request = RestoreRequest {
        key: key.to_owned(),
        target: RestoreTarget::Folder(to.to_owned()),
    };
    engine::restore(store, request, context).await
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("a folder").next().is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_cancelled_at_any_phase_leaves_nothing() {
    for phase in [
        Phase::Connecting,
        Phase::Scanning,
        Phase::Uploading,
        Phase::Finishing,
        Phase::Checking,
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source");
        plain_tree(&source);
        // Once as one request, once in parts.
        for big in [false, true] {
            if big {
                write_file(&source, "big.bin", &noise(1, 20 << 20));
            }
            let backups = folder.path().join("backups");
            let store = open_folder(&backups);
            let context = context(folder.path(), cancel_at(phase));
            let result = back_up(&store, &source, &context).await;
            assert!(
                matches!(result, Err(EngineError::Cancelled)),
                "{phase:?}: {result:?}"
            );
            assert!(is_empty(&backups), "{phase:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_cancelled_in_mid_upload_leaves_nothing_at_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "big.bin", &noise(1, 80 << 20));
    for server in every_server() {
        for phase in [Phase::Uploading, Phase::Finishing, Phase::Checking] {
            let destination = server.destination("root");
            let store = storage::open(&destination, Some(&server.secret()), Patience::Patient);
            let on_progress: OnProgress = Box::new(move |progress, cancel| {
                let is_under_way = phase != Phase::Uploading || progress.bytes_transferred > 0;
                if progress.phase == phase && is_under_way {
                    cancel.cancel();
                }
            });
            let context = context(folder.path(), on_progress);
            let result = back_up(&store.expect("opened"), &source, &context).await;
            let name = server.name;
            assert!(
                matches!(result, Err(EngineError::Cancelled)),
                "{name} {phase:?}: {result:?}"
            );
            assert_eq!(unfinished_uploads(&server), [""; 0], "{name} {phase:?}");
            let keys = object_keys(&server);
            assert!(
                keys.iter().all(|key| key.ends_with('/')),
                "{name} {phase:?}: {keys:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_in_mid_upload_is_an_error_within_reason() {
    let Some(server) = support::SeaweedFs::start() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "big.bin", &noise(1, 60 << 20));
    let destination = server.destination("");
    let store = storage::open(&destination, Some(&server.secret()), Patience::Interactive);
    let stopping = server.clone();
    let on_progress: OnProgress = Box::new(move |progress, _| {
        if progress.phase == Phase::Uploading && progress.bytes_transferred > 0 {
            stopping.stop();
        }
    });
    let context = context(folder.path(), on_progress);
    let error = back_up(&store.expect("opened"), &source, &context)
        .await
        .expect_err("failed");
    assert_eq!(error.kind(), "unreachable", "{}", error.details());
    assert!(!error.details().contains(server.secret().expose()));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_vanish_or_change_are_named_and_the_rest_is_backed_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    plain_tree(&source);
    write_file(&source, "a-log.txt", &noise(3, 100 << 20));
    let (vanishing, growing) = (source.join("readme.txt"), source.join("a-log.txt"));
    let on_progress: OnProgress = Box::new(move |progress, _| {
        if progress.phase == Phase::Uploading {
            fs::remove_file(&vanishing).ok();
        }
        // Told on the thread that reads, between two of its reads.
        if progress.phase == Phase::Uploading && progress.bytes_done > 0 {
            let log = fs::OpenOptions::new().append(true).open(&growing);
            log.and_then(|mut log| log.write_all(b"one more line"))
                .expect("written");
        }
    });
    let backups = folder.path().join("backups");
    let store = open_folder(&backups);
    let report = back_up(&store, &source, &context(folder.path(), on_progress))
        .await
        .expect("made");
    let named: Vec<(&str, &str)> = report
        .warnings
        .iter()
        .map(|w| (w.path.as_str(), w.reason.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("source/a-log.txt", "it changed while it was being read"),
            ("source/readme.txt", "it is not there any more"),
        ]
    );
    assert_eq!(
        report.row.contents.map(|contents| contents.missing),
        Some(1),
        "it is partial"
    );
    let shown = engine::show(&store, &report.key, &quiet(folder.path()))
        .await
        .expect("shown");
    assert_eq!(shown.skipped.len(), 2, "the archive itself says so");
    let target = folder.path().join("target");
    let restored = restore(&store, &report.key, &target, &quiet(folder.path()))
        .await
        .expect("restored");
    assert_eq!((restored.refused.len(), restored.files), (0, report.files));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_a_pipe_or_a_link_is_not_waited_for_or_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "pipe", b"a file when it is looked for");
    write_file(&source, "link", b"a file when it is looked for");
    let (pipe, link) = (source.join("pipe"), source.join("link"));
    let on_progress: OnProgress = Box::new(move |progress, _| {
        if progress.phase == Phase::Uploading && fs::remove_file(&pipe).is_ok() {
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.expect("mkfifo").success());
            fs::remove_file(&link).expect("removed");
            std::os::unix::fs::symlink("/etc/hostname", &link).expect("a link");
        }
    });
    let store = open_folder(&folder.path().join("backups"));
    let context = context(folder.path(), on_progress);
    let backing_up = back_up(&store, &source, &context);
    let report = tokio::time::timeout(std::time::Duration::from_secs(20), backing_up).await;
    let report = report.expect("it does not hang").expect("made");
    assert_eq!(report.warnings.len(), 2, "{:?}", report.warnings);
    assert_eq!(report.files, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_missing_are_warnings_unless_all_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    plain_tree(&source);
    let store = open_folder(&folder.path().join("backups"));
    let request = |sources: &[PathBuf]| BackupRequest {
        profile: "test".to_owned(),
        device: "pc".to_owned(),
        sources: sources.to_vec(),
        excludes: Vec::new(),
        keep_out: Vec::new(),
    };
    let missing = folder.path().join("unplugged");
    let context = quiet(folder.path());
    let both = engine::backup(&store, request(&[missing.clone(), source]), &context).await;
    assert_eq!(both.expect("made").warnings.len(), 1);
    let none = engine::backup(&store, request(&[missing]), &context)
        .await
        .expect_err("nothing");
    assert_eq!(none.kind(), "source");
    let empty = engine::backup(&store, request(&[]), &context)
        .await
        .expect_err("nothing");
    assert_eq!(empty.kind(), "no-sources");
}

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

/// Keeps an archive in memory.
#[derive(Default)]
struct Memory(Vec<u8>);

impl ArchiveSink for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn boundary(&mut self, _boundary: Boundary) -> io::Result<()> {
        Ok(())
    }
}

fn foreign_archive(entries: &[(&str, EntryKind, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Memory::default(), Level::Normal);
    for (name, kind, content) in entries {
        let meta = EntryMeta {
            name: (*name).to_owned(),
            raw_name: None,
            kind: *kind,
            size_limit_bytes: content.len() as u64,
            modified_ns: 0,
            mode: 0o4755,
        };
        writer.add(&meta, content).expect("written");
    }
    writer.finish().expect("finished").1.0
}

#[cfg(unix)]
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
    let request = RestoreRequest {
        key: "foreign.zip".to_owned(),
        target: RestoreTarget::Original,
    };
    let error = engine::restore(&store, request, &quiet(folder.path()))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), "no-original-place");
    assert!(!target.exists());
}

#[test]
fn no_secret_is_in_what_is_printed_of_an_open_store() {
    let destination = Destination::S3(zipkeep::model::S3Destination {
        endpoint: "http://127.0.0.1:9".to_owned(),
        bucket: "bucket".to_owned(),
        access_key_id: "AKIA".to_owned(),
        ..Default::default()
    });
    let secret = Secret::new("hunter2hunter2");
    let store = storage::open(&destination, Some(&secret), Patience::Interactive).expect("opened");
    assert!(!format!("{store:?} {destination:?} {secret:?}").contains("hunter2"));
}
