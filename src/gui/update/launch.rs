//! Starts jobs and notes that they run; what they do is the caller's.

use super::Core;
use crate::engine::Context;
use crate::gui::job::{Job, JobError, JobId, JobKind, JobStatus, Outcome};
use crate::gui::notice::{Notice, Tone};
use crate::gui::rate::Rate;
use crate::gui::work::Connection;
use crate::model::{Destination, Progress};
use std::path::PathBuf;
use std::time::Instant;

/// Starts a job at the shown profile's destination; notices of its kind are old now.
pub(crate) fn launch<Work>(
    core: &mut Core,
    kind: JobKind,
    subject: &str,
    work: impl FnOnce(Context) -> Work,
) -> JobId
where
    Work: Future<Output = Result<Outcome, JobError>> + Send + 'static,
{
    tracing::info!(?kind, subject, "starting");
    core.state.notices.outdate(kind);
    let id = core.runner.start(work);
    core.state.jobs.push(Job {
        id,
        kind,
        subject: subject.to_owned(),
        destination: core.state.profile().destination.clone(),
        status: JobStatus::Running,
        progress: Progress::default(),
        rate: Rate::default(),
        started: Instant::now(),
    });
    id
}

/// How to reach the shown profile's destination.
pub(crate) fn connection(core: &Core) -> Connection {
    let profile = core.state.profile();
    Connection {
        destination: profile.destination.clone(),
        profile: profile.name.clone(),
        typed: core.state.typed_secret(&profile.name).cloned(),
        places: core.state.places.clone(),
    }
}

/// Folders that are neither backed up nor restored to: those of the program and of the backups.
pub(crate) fn keep_out(core: &Core) -> Vec<PathBuf> {
    let mut folders = vec![core.state.places.data_dir.clone()];
    if let Destination::Folder(folder) = &core.state.profile().destination {
        folders.push(folder.path.clone());
    }
    folders
}

/// Tells why something cannot start.
pub(crate) fn refuse(core: &mut Core, kind: JobKind, problem: String) {
    core.tell(Notice::new(kind, Tone::Warning, problem));
}
