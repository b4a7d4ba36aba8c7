//! Backups that are cancelled, lose their files or their server.

use crate::jobs::{OnProgress, back_up, cancel_at, context, is_empty, open_folder, quiet, restore};
use crate::support::{
    self, Proxy, every_server, noise, object_keys, plain_tree, unfinished_uploads, write_file,
};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zipkeep::engine::{self, BackupOptions, BackupRequest, EngineError, Leftover};
use zipkeep::model::{Destination, Phase, Secret};
use zipkeep::storage::{self, Patience};

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

/// Cancels a backup in mid upload once `vanish` was done to its server; gives the error and how long
/// the cancel took.
async fn cancelled_without_its_server(
    server: &support::Server,
    vanish: impl Fn(&support::Server) + Send + Sync + 'static,
) -> (EngineError, Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "big.bin", &noise(1, 60 << 20));
    let destination = server.destination("");
    let store = storage::open(&destination, Some(&server.secret()), Patience::Patient);
    let asked: Arc<Mutex<Option<Instant>>> = Arc::default();
    let (asking, vanishing) = (Arc::clone(&asked), server.clone());
    let on_progress: OnProgress = Box::new(move |progress, cancel| {
        let mut asked = asking.lock().expect("nobody panics");
        // A part is stored by then.
        let is_under_way = progress.bytes_transferred > 20 << 20;
        if progress.phase == Phase::Uploading && is_under_way && asked.is_none() {
            vanish(&vanishing);
            *asked = Some(Instant::now());
            cancel.cancel();
        }
    });
    let context = context(folder.path(), on_progress);
    let ended = back_up(&store.expect("opened"), &source, &context).await;
    let asked = asked.lock().expect("nobody panics").expect("it was asked");
    (ended.expect_err("cancelled"), asked.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_cannot_reach_the_server_is_quick_and_says_what_stays() {
    let Some(gone) = support::SeaweedFs::start() else {
        return;
    };
    let (error, took) = cancelled_without_its_server(&gone, support::Server::stop).await;
    says_what_stays(&error, took);
    let Some(frozen) = support::SeaweedFs::start() else {
        return;
    };
    let proxy = Proxy::in_front_of(&frozen);
    let silent = Arc::new(proxy);
    let silencing = Arc::clone(&silent);
    let (error, took) = cancelled_without_its_server(&silent.server(), move |_| {
        let for_ever = support::Fault::StallBeforeAnswer(Duration::from_mins(30));
        silencing.break_steps(&support::Step::ALL, for_ever, support::When::Always);
    })
    .await;
    says_what_stays(&error, took);
}

fn says_what_stays(error: &EngineError, took: Duration) {
    assert!(
        matches!(error, EngineError::CancelledLeaving(Leftover::Upload)),
        "{error:?}"
    );
    assert_eq!(error.kind(), "cancelled");
    assert!(
        error.hint().contains("unfinished upload stays"),
        "{}",
        error.hint()
    );
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_the_comparing_of_a_big_file() {
    const BIG_BYTES: u64 = 1 << 29;
    const SMALL_BYTES: usize = 9 << 20;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "big.bin", b"");
    // So much that the first backup is continued.
    write_file(&source, "small.bin", &noise(1, SMALL_BYTES));
    let big = source.join("big.bin");
    let file = fs::OpenOptions::new().write(true).open(&big);
    file.and_then(|file| file.set_len(BIG_BYTES))
        .expect("made long");
    let store = open_folder(&folder.path().join("backups"));
    let quiet = quiet(folder.path());
    back_up(&store, &source, &quiet).await.expect("the first");
    // Of the same size and time, but somebody was at it.
    let mode = fs::metadata(&big).expect("there").permissions();
    fs::set_permissions(&big, mode).expect("set");
    let furthest: Arc<Mutex<u64>> = Arc::default();
    let seen = Arc::clone(&furthest);
    let on_progress: OnProgress = Box::new(move |progress, cancel| {
        if progress.phase == Phase::Uploading && progress.bytes_done > 0 {
            *seen.lock().expect("nobody panics") = progress.bytes_done;
            cancel.cancel();
        }
    });
    let context = context(folder.path(), on_progress);
    let ended = back_up(&store, &source, &context).await;
    assert!(matches!(ended, Err(EngineError::Cancelled)), "{ended:?}");
    let furthest = *furthest.lock().expect("nobody panics");
    assert!((1..BIG_BYTES).contains(&furthest), "{furthest}");
    let again = back_up(&store, &source, &quiet).await.expect("compared");
    assert!(again.unchanged);
    assert!(again.bytes_read >= BIG_BYTES, "{}", again.bytes_read);
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
    // What comes first keeps the readers busy while the walk goes on.
    write_file(&source, "a-log.txt", &noise(3, 80 << 20));
    let (vanishing, growing) = (source.join("readme.txt"), source.join("a-log.txt"));
    // Somebody goes on writing the log all the while.
    let writing = tokio::spawn(async move {
        loop {
            let log = fs::OpenOptions::new().append(true).open(&growing);
            log.and_then(|mut log| log.write_all(b"one more line"))
                .expect("written");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    let on_progress: OnProgress = Box::new(move |progress, _| {
        if progress.phase == Phase::Uploading && progress.bytes_done > 0 {
            fs::remove_file(&vanishing).ok();
        }
    });
    let backups = folder.path().join("backups");
    let store = open_folder(&backups);
    let report = back_up(&store, &source, &context(folder.path(), on_progress))
        .await
        .expect("made");
    writing.abort();
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
    assert_eq!(restored.files, report.files);
    assert_eq!(restored.refused.len(), 1, "what the backup lacks is named");
    assert!(restored.refused[0].reason.contains("not in the backup"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_a_pipe_or_a_link_is_not_waited_for_or_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    // What comes first keeps the readers busy while the walk goes on.
    write_file(&source, "a-big-one", b"");
    let big = fs::OpenOptions::new()
        .write(true)
        .open(source.join("a-big-one"));
    big.expect("opened").set_len(400 << 20).expect("longer");
    write_file(&source, "pipe", b"a file when it is looked for");
    write_file(&source, "link", b"a file when it is looked for");
    let (pipe, link) = (source.join("pipe"), source.join("link"));
    let on_progress: OnProgress = Box::new(move |progress, _| {
        let is_read = progress.phase == Phase::Uploading && progress.bytes_done > 0;
        if is_read && fs::remove_file(&pipe).is_ok() {
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
    assert_eq!(report.files, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_backups_at_once_do_not_harm_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "big.bin", &noise(4, 30 << 20));
    let backups = folder.path().join("backups");
    let store = open_folder(&backups);
    // On one computer the second one says so.
    let context = quiet(folder.path());
    let both = tokio::join!(
        back_up(&store, &source, &context),
        back_up(&store, &source, &context)
    );
    let kinds = [both.0, both.1].map(|result| result.map_err(|error| error.kind()).err());
    assert!(
        kinds.contains(&None) && kinds.contains(&Some("already-running")),
        "{kinds:?}"
    );
    // Two computers of one name do not know of each other: whoever ends is whole.
    for server in every_server() {
        let destination = server.destination("");
        let store = storage::open(&destination, Some(&server.secret()), Patience::Patient);
        let store = store.expect("opened");
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let (a, b) = (quiet(&a), quiet(&b));
        let both = tokio::join!(back_up(&store, &source, &a), back_up(&store, &source, &b));
        let made: Vec<_> = [both.0, both.1]
            .into_iter()
            .filter_map(Result::ok)
            .collect();
        assert!(!made.is_empty(), "{}", server.name);
        for report in made {
            let target = folder.path().join(server.name).join(&report.row.name);
            let restored = restore(&store, &report.key, &target, &a).await;
            let restored = restored.expect("it is there");
            // Both may bear one name: then the second is there already.
            let there = restored.files + restored.unchanged;
            assert_eq!(there, 1, "{}", server.name);
        }
        assert_eq!(unfinished_uploads(&server), [""; 0], "{}", server.name);
    }
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
        options: BackupOptions::default(),
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

#[cfg(unix)]
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
