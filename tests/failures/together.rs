//! Restores at the same time: two that would write to one folder are kept apart, all others are not.

use crate::jobs::{OnProgress, back_up, context, open_folder, quiet, restore};
use crate::support::{assert_same_tree, plain_tree, write_file};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use zipkeep::engine::{self, EngineError, LaterChanges};
use zipkeep::model::Phase;

/// Holds a restore where it has begun to download, until it is let go.
fn held() -> (OnProgress, Receiver<()>, SyncSender<()>) {
    let (tell, has_begun) = sync_channel(1);
    let (let_go, wait) = sync_channel::<()>(1);
    let wait = Mutex::new(Some(wait));
    let on_progress: OnProgress = Box::new(move |progress, _| {
        let mut wait = wait.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.phase == Phase::Downloading
            && let Some(wait) = wait.take()
        {
            tell.send(()).ok();
            wait.recv().ok();
        }
    });
    (on_progress, has_begun, let_go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_restores_into_one_folder_are_kept_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, data) = (folder.path().join("source"), folder.path().join("data"));
    plain_tree(&source);
    let backups = folder.path().join("backups");
    let store = open_folder(&backups);
    let key = back_up(&store, &source, &quiet(&data))
        .await
        .expect("made")
        .key;
    let target = folder.path().join("x/y");
    write_file(&target, "source/readme.txt", b"mine");
    let earlier = restore(&store, &key, &target, &quiet(&data)).await;
    let earlier = earlier.expect("restored").undo.expect("can be undone");
    write_file(&target, "source/readme.txt", b"mine again");
    fs::remove_dir_all(target.join("source/photos")).expect("removed");

    let (on_progress, has_begun, let_go) = held();
    let first = tokio::spawn({
        let (store, key, target, data) = (store.clone(), key.clone(), target.clone(), data.clone());
        async move { restore(&store, &key, &target, &context(&data, on_progress)).await }
    });
    tokio::task::spawn_blocking(move || has_begun.recv())
        .await
        .expect("waited")
        .expect("the first has begun");
    let mut in_the_way: Vec<PathBuf> = vec![
        target.clone(),
        folder.path().join("x"),
        target.join("source/not there yet"),
        folder.path().join("x/../x/y/source"),
    ];
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        in_the_way.push(link);
    }
    for place in &in_the_way {
        let refused = restore(&store, &key, place, &quiet(&data)).await;
        let error = refused.expect_err(&place.display().to_string());
        assert_eq!(error.kind(), "target-busy", "{}", place.display());
        let named = place.display().to_string();
        assert!(error.to_string().contains(&named), "{error}");
        assert!(!error.hint().is_empty());
    }
    assert!(!target.join("source/not there yet").exists());
    let undone = engine::undo(&data, Some(&earlier), LaterChanges::SetAside);
    assert!(matches!(undone, Err(EngineError::TargetBusy { .. })));
    // Beside it, and where only the name begins alike.
    for place in ["z", "x/y2"].map(|name| folder.path().join(name)) {
        let beside = restore(&store, &key, &place, &quiet(&data)).await;
        beside.expect("nobody is in the way");
        assert_same_tree(&source, &place.join("source"));
    }
    let_go.send(()).expect("it waits");
    first.await.expect("no crash").expect("restored");
    assert_same_tree(&source, &target.join("source"));
    restore(&store, &key, &target, &quiet(&data))
        .await
        .expect("nobody is in the way any more");
    assert!(
        nothing_is_held(&data),
        "what kept them apart is cleared away"
    );
}

fn nothing_is_held(data_dir: &Path) -> bool {
    let held = fs::read_dir(data_dir.join("locks/targets")).expect("there");
    held.flatten().all(|entry| entry.file_name() == "gate")
}
