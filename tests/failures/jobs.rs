//! Runs the engine's jobs for the tests of failures, and acts when progress is told.

use std::fs;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{
    self, BackupOptions, BackupReport, BackupRequest, Context, EngineError, RestoreReport,
    RestoreRequest, RestoreTarget,
};
use zipkeep::model::{Destination, FolderDestination, Phase, Progress, Reporter};
use zipkeep::storage::{self, Patience, Store};

/// What a test does when progress is told.
pub(crate) type OnProgress = Box<dyn Fn(&Progress, &CancellationToken) + Send + Sync>;

pub(crate) fn context(data_dir: &Path, on_progress: OnProgress) -> Context {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let reporter = Reporter::new(move |progress| on_progress(&progress, &token));
    Context::new(reporter, cancel, data_dir)
}

pub(crate) fn quiet(data_dir: &Path) -> Context {
    context(data_dir, Box::new(|_, _| {}))
}

/// Cancels as soon as this phase has begun.
pub(crate) fn cancel_at(phase: Phase) -> OnProgress {
    Box::new(move |progress, cancel| {
        if progress.phase == phase {
            cancel.cancel();
        }
    })
}

pub(crate) fn open_folder(path: &Path) -> Store {
    let path = path.to_owned();
    let destination = Destination::Folder(FolderDestination { path });
    storage::open(&destination, None, Patience::Patient).expect("opened")
}

pub(crate) async fn back_up(
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
        options: BackupOptions::default(),
    };
    engine::backup(store, request, context).await
}

pub(crate) async fn restore(
    store: &Store,
    key: &str,
    to: &Path,
    context: &Context,
) -> Result<RestoreReport, EngineError> {
    let request = RestoreRequest::all_of(key, RestoreTarget::Folder(to.to_owned()));
    engine::restore(store, request, context).await
}

pub(crate) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("a folder").next().is_none()
}
