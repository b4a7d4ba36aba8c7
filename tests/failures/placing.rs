//! What restores make of a target that is not as the backup knows it, and of wishes that fit nothing.

use crate::jobs::{back_up, open_folder, quiet, restore};
use crate::restore::foreign_archive;
use crate::support::{differences, plain_tree, snapshot, write_file};
use bytes::Bytes;
use std::fs;
use zipkeep::engine::{self, RestoreRequest, RestoreTarget, Selection};
use zipkeep::model::EntryKind;

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_fits_nothing_is_no_success() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    plain_tree(&source);
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let target = folder.path().join("target");
    let mut request = RestoreRequest::all_of(&report.key, RestoreTarget::Folder(target.clone()));
    request.selection = Selection::Matching(vec!["source/raedme.txt".to_owned()]);
    let told = engine::preview(&store, request.clone(), &quiet(folder.path())).await;
    assert_eq!(told.expect_err("refused").kind(), "nothing-chosen");
    let error = engine::restore(&store, request, &quiet(folder.path())).await;
    assert_eq!(error.expect_err("refused").kind(), "nothing-chosen");
    assert!(!target.exists());
}

/// Folders that a team shares have the bit that gives their files to the team.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn special_bits_of_what_is_there_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "team/tool", b"run");
    write_file(&source, "drop/letter", b"one");
    for (path, mode) in [("team/tool", 0o4755), ("team", 0o2775), ("drop", 0o1777)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(source.join(path), permissions).expect("set");
    }
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    let before = snapshot(&source);
    let again = || RestoreRequest::all_of(&report.key, RestoreTarget::Original);
    let restored = engine::restore(&store, again(), &quiet(folder.path()))
        .await
        .expect("restored");
    assert_eq!((restored.unchanged, restored.undo), (2, None));
    assert_eq!(differences(&before, &snapshot(&source)), [""; 0]);
    write_file(&source, "team/more", b"new");
    write_file(&source, "drop/letter", b"two, later");
    engine::restore(&store, again(), &quiet(folder.path()))
        .await
        .expect("restored");
    for (path, mode) in [("team/tool", 0o4755), ("team", 0o2775), ("drop", 0o1777)] {
        let permissions = fs::metadata(source.join(path))
            .expect("there")
            .permissions();
        assert_eq!(permissions.mode() & 0o7777, mode, "{path}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_disk_cannot_have_is_refused_and_the_rest_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "n".repeat(300);
    let below = format!("{long}/file");
    let archive = foreign_archive(&[
        (&long, EntryKind::Symlink, b"x"),
        (&format!("d/{below}"), EntryKind::File, b"x"),
        ("ok", EntryKind::File, b"ok"),
    ]);
    let store = open_folder(&folder.path().join("backups"));
    store
        .put_new("long.zip", Bytes::from(archive))
        .await
        .expect("stored");
    let target = folder.path().join("target");
    let restored = restore(&store, "long.zip", &target, &quiet(folder.path()))
        .await
        .expect("restored");
    assert_eq!((restored.files, restored.refused.len()), (1, 2));
    for refused in &restored.refused {
        assert!(refused.reason.contains("cannot have"), "{refused:?}");
    }
    assert_eq!(fs::read(target.join("ok")).expect("there"), b"ok");
}
