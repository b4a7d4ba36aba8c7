//! Makes complete requests of what the state holds now, and starts them as jobs.

use super::{Core, settings};
use crate::engine::{BackupRequest, Context, RestoreRequest, RestoreTarget};
use crate::gui::job::{
    FolderPurpose, Job, JobError, JobId, JobKind, JobStatus, Outcome, SecretStatus,
};
use crate::gui::notice::{Notice, Tone};
use crate::gui::rate::Rate;
use crate::gui::state::ListStatus;
use crate::gui::work::{self, Connection};
use crate::model::{Backup, Destination, Progress};
use std::time::Instant;

/// Starts a job at the shown profile's destination; notices of its kind are old now.
pub(crate) fn start<Work>(
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
fn connection(core: &Core) -> Connection {
    let profile = core.state.profile();
    Connection {
        destination: profile.destination.clone(),
        profile: profile.name.clone(),
        typed: core.state.typed_secret(&profile.name).cloned(),
        places: core.state.places.clone(),
    }
}

/// Tells why something cannot start.
fn refuse(core: &mut Core, kind: JobKind, problem: String) {
    core.tell(Notice::new(kind, Tone::Warning, problem));
}

/// Lists the backups again, as soon as the settings are complete.
pub(crate) fn list(core: &mut Core) {
    if let Some(running) = core.state.running(JobKind::List).map(|job| job.id) {
        core.runner.cancel(running);
        // Its end is of no interest any more.
        core.state.jobs.retain(|job| job.id != running);
    }
    let destination = core.state.profile().destination.clone();
    if core.state.table.of.as_ref() != Some(&destination) {
        core.state.table.rows.clear();
        core.state.table.selected = None;
        core.state.table.of = None;
    }
    if let Some(problem) = core.state.destination_problem() {
        core.state.table.status = ListStatus::Incomplete(problem);
        return;
    }
    core.state.table.status = ListStatus::Loading;
    core.state.table.of = Some(destination);
    let profile = core.state.profile().name.clone();
    let needs_secret = matches!(core.state.profile().destination, Destination::S3(_));
    if needs_secret && core.state.secret == SecretStatus::Unknown {
        find_secret(core, &profile);
        return;
    }
    let connection = connection(core);
    start(core, JobKind::List, &profile, |context| {
        work::list(connection, context)
    });
}

/// Looks up whether a secret is kept; the list follows when that is known.
fn find_secret(core: &mut Core, profile: &str) {
    let (places, name) = (core.state.places.clone(), profile.to_owned());
    start(core, JobKind::FindSecret, profile, |_| {
        work::find_secret(places, name)
    });
}

/// Tests the destination.
pub(crate) fn test(core: &mut Core) {
    settings::finish_form(core);
    if core.state.running(JobKind::Test).is_some() {
        return;
    }
    core.state.test = None;
    if let Some(problem) = core.state.destination_problem() {
        refuse(core, JobKind::Test, problem);
        return;
    }
    let connection = connection(core);
    let subject = connection.profile.clone();
    start(core, JobKind::Test, &subject, |context| {
        work::test(connection, context)
    });
}

/// Backs up.
pub(crate) fn backup(core: &mut Core) {
    settings::finish_form(core);
    if let Some(problem) = core.state.backup_problem() {
        refuse(core, JobKind::Backup, problem);
        return;
    }
    let connection = connection(core);
    let profile = core.state.profile();
    let mut keep_out = vec![core.state.places.data_dir.clone()];
    if let Destination::Folder(folder) = &profile.destination {
        keep_out.push(folder.path.clone());
    }
    let request = BackupRequest {
        profile: profile.name.clone(),
        device: core.state.device.clone(),
        sources: profile.sources.clone(),
        excludes: profile.excludes.clone(),
        keep_out,
    };
    let subject = connection.profile.clone();
    start(core, JobKind::Backup, &subject, |context| {
        work::backup(connection, request, context)
    });
}

/// Puts a backup's files back.
pub(crate) fn restore(core: &mut Core, backup: &Backup, target: RestoreTarget) {
    if let Some(problem) = core.state.busy_reason() {
        refuse(core, JobKind::Restore, problem);
        return;
    }
    let connection = connection(core);
    let request = RestoreRequest {
        key: backup.key.clone(),
        target,
    };
    start(core, JobKind::Restore, &backup.name, |context| {
        work::restore(connection, request, context)
    });
}

/// Removes a backup.
pub(crate) fn delete(core: &mut Core, backup: &Backup) {
    if let Some(problem) = core.state.busy_reason() {
        refuse(core, JobKind::Delete, problem);
        return;
    }
    let connection = connection(core);
    let key = backup.key.clone();
    start(core, JobKind::Delete, &backup.name, |context| {
        work::delete(connection, key, context)
    });
}

/// Shows the system's dialog for folders, one at a time.
pub(crate) fn pick_folder(core: &mut Core, purpose: FolderPurpose) {
    let kind = JobKind::PickFolder(purpose);
    let is_open = |job: &Job| matches!(job.kind, JobKind::PickFolder(_));
    if core.state.jobs.iter().any(is_open) {
        return;
    }
    let title = match purpose {
        FolderPurpose::Source => "Choose a folder to back up",
        FolderPurpose::Destination => "Choose the folder to keep backups in",
        FolderPurpose::Restore => "Choose the folder to restore to",
    };
    start(core, kind, title, |context| {
        work::pick_folder(title, context)
    });
}
