//! What the news of each job changes.

use super::{Core, listing, restoring, settings};
use crate::engine::CheckOutcome;
use crate::gui::forms::Dialog;
use crate::gui::job::{FolderPurpose, Job, JobError, JobKind, JobUpdate, News, Outcome, Picked};
use crate::gui::notice::{self, Notice, Tone};
use crate::gui::rate::Rate;
use crate::gui::state::{ListStatus, Programs};
use crate::model::Progress;
use std::time::Duration;

/// A dialog that was closed sooner than this was never shown.
const TOO_FAST_FOR_A_PERSON: Duration = Duration::from_millis(100);

/// Takes in the news of a job.
pub(crate) fn absorb(core: &mut Core, update: JobUpdate) {
    let Some(at) = core.state.jobs.iter().position(|job| job.id == update.id) else {
        return;
    };
    match update.news {
        News::Progress(progress) => further(&mut core.state.jobs[at], progress),
        News::Ended(result) => {
            let job = core.state.jobs.remove(at);
            match result {
                Ok(outcome) => {
                    tracing::info!(kind = ?job.kind, subject = job.subject, "done");
                    succeeded(core, &job, outcome);
                }
                Err(error) => {
                    tracing::warn!(kind = ?job.kind, subject = job.subject, %error, "ended");
                    failed(core, &job, &error);
                }
            }
        }
    }
}

fn further(job: &mut Job, progress: Progress) {
    if progress.phase != job.progress.phase {
        job.rate = Rate::default();
    }
    let at_secs = job.started.elapsed().as_secs_f64();
    job.rate.sample(at_secs, progress.bytes_done);
    job.progress = progress;
}

fn succeeded(core: &mut Core, job: &Job, outcome: Outcome) {
    let Some(outcome) = restoring::succeeded(core, outcome) else {
        return;
    };
    let is_shown = core.state.table.of.as_ref() == Some(&job.destination);
    match outcome {
        Outcome::Tested(report) => {
            if job.destination == core.state.profile().destination {
                let works = report.outcome() != CheckOutcome::Fail;
                core.state.test = Some(report);
                if works && matches!(core.state.table.status, ListStatus::Failed(_)) {
                    listing::list(core);
                }
            }
        }
        Outcome::CleanedUp(cleaned) => {
            core.state.notices.show(notice::of_cleaning(&cleaned));
            super::start::test(core);
        }
        Outcome::Listed(rows) => core.state.table.fill(rows),
        Outcome::BackedUp(report) => {
            let clock = &core.state.clock;
            let told = notice::of_backup(&report, &job.subject, (clock.now, &clock.zone));
            core.state.notices.show(told);
            if is_shown {
                core.state.table.insert(report.row);
                list_unless_known(core);
            }
        }
        Outcome::Restored(report) => core.state.notices.show(notice::of_restore(&report)),
        Outcome::Settled(settled) => {
            for one in &settled.settled {
                core.state.notices.show(notice::of_settled(one));
            }
            if !settled.failed.is_empty() {
                core.state
                    .notices
                    .show(notice::of_unsettled(&settled.failed));
            }
        }
        Outcome::Undone(report) => {
            core.state.notices.show(notice::of_undo(&report));
            if core.state.restores.is_some() {
                restoring::list_restores(core);
            }
        }
        // Taken in above.
        Outcome::Looked(_)
        | Outcome::Compared(_)
        | Outcome::Foreseen(_)
        | Outcome::RestoresListed(_) => {}
        Outcome::Verified(depth, report) => {
            let told = notice::of_verify(&report, depth, &job.subject);
            core.state.notices.show(told);
        }
        Outcome::Deleted(report) => {
            core.state.notices.show(notice::of_delete(&report));
            if is_shown {
                core.state.table.remove(&report.deleted);
            }
        }
        Outcome::Saved(adopted) => {
            settings::adopt(core, adopted);
            settings::saved(core, settings::Ended::Well);
        }
        Outcome::SecretFound(status) => settings::secret_found(core, &job.subject, status),
        Outcome::ProgramsFound(programs) => core.state.programs = Programs::Known(programs),
        Outcome::FolderPicked(picked) => folder_picked(core, job.kind, picked),
    }
}

/// After a backup there is more at the destination than the new row, if nothing was listed yet.
fn list_unless_known(core: &mut Core) {
    let is_known = matches!(
        core.state.table.status,
        ListStatus::Loaded | ListStatus::Loading
    );
    if !is_known {
        listing::list(core);
    }
}

fn failed(core: &mut Core, job: &Job, error: &JobError) {
    let mut told = notice::of_failure(job.kind, error);
    if job.kind == JobKind::Undo {
        told = told.map(|notice| notice.offer_after_undo(error, &job.subject));
    }
    let told = restoring::failed(core, job.kind, told);
    match job.kind {
        JobKind::List => {
            list_failed(core, told);
            return;
        }
        JobKind::Save => settings::saved(core, settings::Ended::Badly),
        JobKind::FindSecret => core.state.table.status = ListStatus::NotAsked,
        JobKind::Delete => listing::list(core),
        // Told once: whoever opens the list again must not look for ever.
        JobKind::FindPrograms => core.state.programs = Programs::Known(Vec::new()),
        JobKind::Test
        | JobKind::CleanUp
        | JobKind::Backup
        | JobKind::Look
        | JobKind::Compare
        | JobKind::Foresee
        | JobKind::Restore
        | JobKind::Settle
        | JobKind::Undo
        | JobKind::Restores
        | JobKind::Forget
        | JobKind::Verify
        | JobKind::PickFolder(_) => {}
    }
    if let Some(notice) = told {
        core.state.notices.show(notice);
    }
}

/// Rows that are shown stay; without any, the table itself says why.
fn list_failed(core: &mut Core, told: Option<Notice>) {
    let table = &mut core.state.table;
    match told {
        Some(notice) if table.rows.is_empty() => table.status = ListStatus::Failed(notice),
        Some(notice) => {
            table.status = ListStatus::Loaded;
            core.state.notices.show(notice);
        }
        None if table.rows.is_empty() => table.status = ListStatus::NotAsked,
        None => table.status = ListStatus::Loaded,
    }
}

fn folder_picked(core: &mut Core, kind: JobKind, picked: Picked) {
    let JobKind::PickFolder(purpose) = kind else {
        return;
    };
    let Some(folder) = picked.folder else {
        // Without a dialog program the answer is the same as when the person closes the dialog.
        if picked.open_for < TOO_FAST_FOR_A_PERSON {
            let title = "This system cannot show a dialog for choosing files and folders";
            let hint = "Type the path into the field instead.";
            core.tell(Notice::new(kind, Tone::Warning, title).hint(hint));
        }
        return;
    };
    let path = folder.display().to_string();
    match purpose {
        FolderPurpose::Source => settings::add_source(core, folder),
        FolderPurpose::Destination => {
            core.forms.profile.folder = path;
            settings::finish_form(core);
        }
        FolderPurpose::CaCertificate => {
            core.forms.profile.ca_certificate = path;
            settings::finish_form(core);
        }
        FolderPurpose::Restore => {
            if let Some(Dialog::Restore(form)) = &mut core.forms.dialog {
                form.folder = path;
            }
        }
        FolderPurpose::RestoreApp => {
            if let Some(Dialog::Restore(form)) = &mut core.forms.dialog
                && let Some(app) = &mut form.app
            {
                app.folder = path;
            }
        }
        FolderPurpose::RestorePlace(at) => {
            if let Some(Dialog::Restore(form)) = &mut core.forms.dialog
                && let Some(place) = form.places.get_mut(at)
            {
                place.folder = path;
            }
        }
    }
}
