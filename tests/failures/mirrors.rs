//! Exact mirrors of chosen folders: what a person chose becomes as in the backup, all else stays.

use crate::jobs::{open_folder, quiet};
use crate::support::{snapshot, write_file};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zipkeep::engine::{
    self, BackupOptions, BackupRequest, EngineError, ExtraFiles, RestoreReport, RestoreRequest,
    RestoreTarget, Selection,
};
use zipkeep::storage::Store;

/// A backup of a folder with folders in it, and what came into the folder since.
struct Scene {
    folder: tempfile::TempDir,
    store: Store,
    key: String,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source");
        for name in ["top", "one/a", "one/deep/b", "two/c", "two/deep/d"] {
            write_file(&source, name, name.as_bytes());
        }
        let store = open_folder(&folder.path().join("backups"));
        let request = BackupRequest {
            profile: "test".to_owned(),
            device: "pc".to_owned(),
            sources: vec![source.clone()],
            excludes: vec!["/one/deep/cache/".to_owned(), "*.tmp".to_owned()],
            keep_out: Vec::new(),
            options: BackupOptions::default(),
        };
        let report = engine::backup(&store, request, &quiet(folder.path())).await;
        for name in ["new", "one/new", "one/deep/new", "two/new", "extra/new"] {
            write_file(&source, name, b"new");
        }
        for name in ["one/deep/cache/kept", "one/kept.tmp", "one/cache/new"] {
            write_file(&source, name, b"left out, or not");
        }
        Self {
            folder,
            store,
            key: report.expect("made").key,
        }
    }

    async fn mirror(&self, selection: Selection) -> Result<RestoreReport, EngineError> {
        let mut request = RestoreRequest::all_of(&self.key, RestoreTarget::Original);
        request.selection = selection;
        request.options.extra_files = ExtraFiles::Removed;
        engine::restore(&self.store, request, &quiet(self.folder.path())).await
    }

    /// What came since and is still there.
    fn left(&self) -> BTreeSet<String> {
        let source: PathBuf = self.folder.path().join("source");
        let files = walkdir::WalkDir::new(&source).into_iter().flatten();
        let names = files.filter(|file| file.file_type().is_file()).map(|file| {
            let relative = file.path().strip_prefix(&source).unwrap_or(Path::new(""));
            relative.display().to_string()
        });
        let came = |name: &String| name.contains("new") || name.contains("kept");
        names.filter(came).collect()
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_backup_goes_from_the_chosen_folders_only() {
    let outside = ["new", "two/new", "extra/new"];
    let excluded = ["one/deep/cache/kept", "one/kept.tmp"];
    for selection in [
        Selection::Matching(vec!["source/one".to_owned()]),
        Selection::Matching(vec!["source/one/".to_owned()]),
        Selection::Matching(vec!["source/one/**".to_owned()]),
        Selection::Matching(vec!["source/one/*".to_owned()]),
        Selection::Paths(Arc::new(names(&["source/one"]))),
    ] {
        let scene = Scene::new().await;
        let told = format!("{selection:?}");
        let report = scene.mirror(selection).await.expect("restored");
        assert_eq!(report.removed, 3, "{told}");
        let left = names(&[&outside[..], &excluded].concat());
        assert_eq!(scene.left(), left, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_chosen_folders_are_mirrored_each() {
    let scene = Scene::new().await;
    let selection = Selection::Matching(vec!["source/two".to_owned(), "**/deep".to_owned()]);
    scene.mirror(selection).await.expect("restored");
    let left = [
        "new",
        "one/new",
        "one/cache/new",
        "extra/new",
        "one/deep/cache/kept",
        "one/kept.tmp",
    ];
    assert_eq!(scene.left(), names(&left));
}

/// Nothing says which folder is meant to be as in the backup.
#[tokio::test(flavor = "multi_thread")]
async fn to_mirror_files_alone_is_no_success() {
    let scene = Scene::new().await;
    let before = snapshot(&scene.folder.path().join("source"));
    let selection = Selection::Matching(vec!["source/one/a".to_owned()]);
    let error = scene.mirror(selection).await.expect_err("refused");
    assert_eq!(error.kind(), "no-whole-folder");
    let selection = Selection::Matching(vec!["source/nothing".to_owned()]);
    let error = scene.mirror(selection).await.expect_err("refused");
    assert_eq!(error.kind(), "nothing-chosen");
    assert_eq!(snapshot(&scene.folder.path().join("source")), before);
}

/// What could not be read when the backup was made may be all that there is of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_the_backup_could_not_read_stays_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, away) = (folder.path().join("source"), folder.path().join("away"));
    write_file(&source, "a", b"a");
    let store = open_folder(&folder.path().join("backups"));
    let request = BackupRequest {
        profile: "test".to_owned(),
        device: "pc".to_owned(),
        sources: vec![source.clone(), away.clone()],
        excludes: Vec::new(),
        keep_out: Vec::new(),
        options: BackupOptions::default(),
    };
    let report = engine::backup(&store, request, &quiet(folder.path())).await;
    write_file(&source, "new", b"goes");
    // Its disk is connected again.
    write_file(&away, "deep/precious", b"stays");
    let key = report.expect("made").key;
    let mut request = RestoreRequest::all_of(&key, RestoreTarget::Original);
    request.options.extra_files = ExtraFiles::Removed;
    let restored = engine::restore(&store, request, &quiet(folder.path())).await;
    let restored = restored.expect("restored");
    assert_eq!((restored.removed, restored.refused.len()), (1, 1));
    assert!(away.join("deep/precious").exists());
}
