//! What restores make of a target that is not as the backup knows it, and of wishes that fit nothing.

use crate::jobs::{back_up, open_folder, quiet};
use crate::support::plain_tree;
use std::fs;
use zipkeep::engine::{self, RestoreRequest, RestoreTarget, Selection};

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
