//! What restores make of a target that is not as the backup knows it, and of wishes that fit nothing.

use crate::jobs::{back_up, open_folder, quiet, restore};
use crate::restore::foreign_archive;
use crate::support::{differences, plain_tree, snapshot, write_file};
use bytes::Bytes;
use std::fs;
use zipkeep::engine::{
    self, BackupOptions, BackupRequest, ExtraFiles, ForeseenEffect, OnConflict, PreviewDepth,
    RestoreRequest, RestoreTarget, Selection,
};
use zipkeep::model::EntryKind;

/// “a (restored 2026-11-22)” may itself be in the backup: what keeping both made was backed up.
#[tokio::test(flavor = "multi_thread")]
async fn keeping_both_takes_no_name_that_another_file_of_the_backup_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let made_before = format!("a (restored {day})");
    write_file(&source, "a", b"one");
    write_file(&source, &made_before, b"two");
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    fs::remove_file(source.join(&made_before)).expect("removed");
    write_file(&source, "a", b"three, later");
    let mut request = RestoreRequest::all_of(&report.key, RestoreTarget::Original);
    request.options.on_conflict = OnConflict::KeepBoth;
    engine::restore(&store, request, &quiet(folder.path()))
        .await
        .expect("restored");
    let made_now = format!("a (restored {day}, 2)");
    for (name, content) in [
        ("a", "three, later"),
        (&made_before, "two"),
        (&made_now, "one"),
    ] {
        let read = fs::read_to_string(source.join(name));
        assert_eq!(read.expect("there"), content, "{name}");
    }
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
    let told = engine::preview(
        &store,
        request.clone(),
        PreviewDepth::Looks,
        &quiet(folder.path()),
    )
    .await;
    assert_eq!(told.expect_err("refused").kind(), "nothing-chosen");
    let error = engine::restore(&store, request, &quiet(folder.path())).await;
    assert_eq!(error.expect_err("refused").kind(), "nothing-chosen");
    assert!(!target.exists());
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

/// The file is not restored, so that what is in the folder must not go for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_leaves_a_folder_alone_that_is_in_the_way_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "notes", b"one file");
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    fs::remove_file(source.join("notes")).expect("removed");
    write_file(&source, "notes/today.txt", b"precious");
    write_file(&source, "only here.txt", b"goes");
    let mut request = RestoreRequest::all_of(&report.key, RestoreTarget::Original);
    request.options.extra_files = ExtraFiles::Removed;
    let restored = engine::restore(&store, request, &quiet(folder.path()))
        .await
        .expect("restored");
    assert_eq!((restored.removed, restored.refused.len()), (1, 1));
    assert!(!source.join("only here.txt").exists());
    let kept = fs::read(source.join("notes/today.txt"));
    assert_eq!(kept.expect("still there"), b"precious");
}

/// An empty file of the same time looks like it, and to read it would be to wait for ever.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_an_empty_file_is_replaced_unread() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "empty", b"");
    let place = source.join("empty");
    let time = filetime::FileTime::from_unix_time(1_700_000_000, 0);
    filetime::set_file_mtime(&place, time).expect("set");
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path())).await;
    fs::remove_file(&place).expect("removed");
    let mut mkfifo = std::process::Command::new("mkfifo");
    mkfifo.args(["-m", "644"]).arg(&place);
    assert!(mkfifo.status().expect("mkfifo runs").success());
    filetime::set_symlink_file_times(&place, time, time).expect("set");
    let key = report.expect("made").key;
    let request = RestoreRequest::all_of(&key, RestoreTarget::Original);
    let context = quiet(folder.path());
    let restored = engine::restore(&store, request, &context);
    let restored = tokio::time::timeout(std::time::Duration::from_mins(1), restored).await;
    assert_eq!(restored.expect("in time").expect("restored").files, 1);
    let metadata = place.symlink_metadata().expect("there");
    assert!(metadata.is_file() && !metadata.file_type().is_fifo());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_knows_that_nothing_can_be_made_where_a_link_leads_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "a", b"a");
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path())).await;
    let key = report.expect("made").key;
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).expect("linked");
    for target in [link.clone(), link.join("below")] {
        let request = RestoreRequest::all_of(&key, RestoreTarget::Folder(target));
        let context = quiet(folder.path());
        let foreseen =
            engine::preview(&store, request.clone(), PreviewDepth::Contents, &context).await;
        let restored = engine::restore(&store, request, &context).await;
        let foreseen = foreseen.expect_err("refused").to_string();
        assert_eq!(foreseen, restored.expect_err("refused").to_string());
    }
}

/// Two folders of another computer may be given one place on this one.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_for_one_place_the_second_is_refused_unless_it_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    for (path, content) in [
        ("one/letter", "of one"),
        ("two/letter", "of two"),
        ("one/same", "same"),
        ("two/same", "same"),
        ("two/own", "own"),
    ] {
        write_file(&source, path, content.as_bytes());
    }
    let store = open_folder(&folder.path().join("backups"));
    let request = BackupRequest {
        profile: "test".to_owned(),
        device: "pc".to_owned(),
        sources: vec![source.join("one"), source.join("two")],
        excludes: Vec::new(),
        keep_out: Vec::new(),
        options: BackupOptions::default(),
    };
    let report = engine::backup(&store, request, &quiet(folder.path()))
        .await
        .expect("made");
    let target = folder.path().join("target");
    let places = ["one", "two"].map(|label| (label.to_owned(), target.clone()));
    let places = RestoreTarget::Places(places.into_iter().collect());
    let request = RestoreRequest::all_of(&report.key, places);
    let restored = engine::restore(&store, request, &quiet(folder.path()))
        .await
        .expect("restored");
    let refused: Vec<&str> = restored
        .refused
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!((restored.files, refused), (3, vec!["two/letter"]));
    let letter = fs::read_to_string(target.join("letter"));
    assert_eq!(letter.expect("there"), "of one");
}

/// Somebody may give a changed file the time that it had.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_same_size_and_time_is_foreseen_as_it_fares() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    write_file(&source, "changed", b"old content");
    write_file(&source, "same", b"same");
    let time = filetime::FileTime::from_unix_time(1_700_000_000, 0);
    filetime::set_file_mtime(source.join("changed"), time).expect("set");
    let store = open_folder(&folder.path().join("backups"));
    let report = back_up(&store, &source, &quiet(folder.path()))
        .await
        .expect("made");
    write_file(&source, "changed", b"new content");
    filetime::set_file_mtime(source.join("changed"), time).expect("set");
    let request = || RestoreRequest::all_of(&report.key, RestoreTarget::Original);
    for (depth, replaced, unchanged) in
        [(PreviewDepth::Contents, 1, 1), (PreviewDepth::Looks, 0, 2)]
    {
        let told = engine::preview(&store, request(), depth, &quiet(folder.path())).await;
        let told = told.expect("foreseen");
        let counts =
            [ForeseenEffect::Replaced, ForeseenEffect::Unchanged].map(|effect| told.count(effect));
        assert_eq!(counts, [replaced, unchanged], "{depth:?}");
    }
    let restored = engine::restore(&store, request(), &quiet(folder.path())).await;
    let restored = restored.expect("restored");
    assert_eq!((restored.files, restored.unchanged), (1, 1));
}
