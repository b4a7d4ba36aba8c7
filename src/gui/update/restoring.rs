//! Looking into backups, restoring and undoing: what the wishes start, and what their ends change.

use super::Core;
use super::launch::{connection, keep_out, launch, refuse};
use crate::engine::{Inside, LaterChanges, RestoreRequest};
use crate::gui::forms::Dialog;
use crate::gui::inside_form::InsideForm;
use crate::gui::job::{JobKind, Outcome};
use crate::gui::notice::Notice;
use crate::gui::opened::{Comparison, Fetch, Foresight, Opened};
use crate::gui::sums::{Changes, Foreseen};
use crate::gui::work;
use crate::model::Backup;
use std::path::PathBuf;
use std::sync::Arc;

/// Brings what an earlier run left to an end, before anything else is done.
pub(crate) fn settle(core: &mut Core) {
    let data_dir = core.state.places.data_dir.clone();
    let kept = core.state.config.undo_kept();
    launch(core, JobKind::Settle, "", |_| work::settle(data_dir, kept));
}

/// Finds out what a backup holds, unless that is known; the last one asked for is the one of interest.
pub(crate) fn look(core: &mut Core, backup: Backup) {
    let is_known = core
        .state
        .opened(&backup.key)
        .is_some_and(|opened| !matches!(opened.inside, Fetch::Failed(_)));
    if is_known {
        return;
    }
    forget_running(core, JobKind::Look);
    let connection = connection(core);
    let name = backup.name.clone();
    core.state.opened = Some(Opened {
        backup: backup.clone(),
        inside: Fetch::Coming,
        comparison: None,
    });
    launch(core, JobKind::Look, &name, |context| {
        work::look(connection, backup, context)
    });
}

/// Shows what a backup holds, as soon as that is known.
pub(crate) fn open(core: &mut Core, backup: Backup) {
    core.forms.inside = None;
    core.state.shows_inside = Some(backup.key.clone());
    look(core, backup);
    let known = core.state.opened.as_ref();
    if let Some(inside) = known.and_then(|opened| opened.inside.known()) {
        core.forms.inside = Some(InsideForm::of(Arc::clone(inside)));
    }
}

/// Shows the table again.
pub(crate) fn close_inside(core: &mut Core) {
    core.forms.inside = None;
    core.state.shows_inside = None;
    core.state.opened = None;
    forget_running(core, JobKind::Look);
    forget_running(core, JobKind::Compare);
}

/// A job of this kind is of no interest any more.
fn forget_running(core: &mut Core, kind: JobKind) {
    if let Some(running) = core.state.running(kind).map(|job| job.id) {
        core.runner.cancel(running);
        core.state.jobs.retain(|job| job.id != running);
    }
}

/// What a backup holds is known.
pub(crate) fn looked(core: &mut Core, inside: Arc<Inside>) {
    let Some(opened) = &mut core.state.opened else {
        return;
    };
    opened.inside = Fetch::Known(Arc::clone(&inside));
    let key = opened.backup.key.clone();
    if let Some(Dialog::Restore(form)) = &mut core.forms.dialog
        && form.backup.key == key
    {
        form.learn(&inside, &core.state.home);
    }
    if core.state.shows_inside.as_ref() == Some(&key) {
        core.forms.inside = Some(InsideForm::of(inside));
    }
}

/// Finds out what changed in the open backup against an older one.
pub(crate) fn compare(core: &mut Core, older: Backup) {
    forget_running(core, JobKind::Compare);
    let connection = connection(core);
    let Some(opened) = &mut core.state.opened else {
        return;
    };
    let newer = opened.backup.clone();
    opened.comparison = Some(Comparison {
        older: older.clone(),
        found: Fetch::Coming,
    });
    let name = newer.name.clone();
    launch(core, JobKind::Compare, &name, |context| {
        work::compare(connection, (older, newer), context)
    });
}

/// What changed is known.
pub(crate) fn compared(core: &mut Core, changes: Arc<Changes>) {
    let opened = core.state.opened.as_mut();
    if let Some(comparison) = opened.and_then(|opened| opened.comparison.as_mut()) {
        comparison.found = Fetch::Known(changes);
    }
}

/// Folders that a restore does not touch: the program's own, and those of all profiles' backups.
fn untouched(core: &Core) -> Vec<PathBuf> {
    let mut folders = keep_out(core);
    folders.push(core.state.places.config_dir.clone());
    folders.extend(core.state.config.backup_folders());
    folders
}

/// Finds out what a restore would do.
pub(crate) fn foresee(core: &mut Core, request: RestoreRequest) {
    forget_running(core, JobKind::Foresee);
    let connection = connection(core);
    let complete = RestoreRequest {
        keep_out: untouched(core),
        ..request.clone()
    };
    core.state.foresight = Some(Foresight {
        request,
        found: Fetch::Coming,
    });
    let key = complete.key.clone();
    launch(core, JobKind::Foresee, &key, |context| {
        work::foresee(connection, complete, context)
    });
}

/// The dialog that asked what a restore would do is gone: nobody wants to know it any more, and soon it is not
/// true any more.
pub(crate) fn let_foresight_go(core: &mut Core) {
    let is_asked = matches!(core.forms.dialog, Some(Dialog::Restore(_)));
    if !is_asked && core.state.foresight.take().is_some() {
        forget_running(core, JobKind::Foresee);
    }
}

/// What a restore would do is known.
pub(crate) fn foreseen(core: &mut Core, preview: Arc<Foreseen>) {
    if let Some(foresight) = &mut core.state.foresight {
        foresight.found = Fetch::Known(preview);
    }
}

/// Puts a backup's files back.
pub(crate) fn restore(core: &mut Core, request: RestoreRequest) {
    if let Some(problem) = core.state.busy_reason() {
        refuse(core, JobKind::Restore, problem);
        return;
    }
    core.state.foresight = None;
    let connection = connection(core);
    let request = RestoreRequest {
        keep_out: untouched(core),
        ..request
    };
    let name = request
        .key
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    launch(core, JobKind::Restore, &name, |context| {
        work::restore(connection, request, context)
    });
}

/// Undoes the restore of this id.
pub(crate) fn undo(core: &mut Core, id: String, later: LaterChanges) {
    if let Some(problem) = core.state.busy_reason() {
        refuse(core, JobKind::Undo, problem);
        return;
    }
    // Its notice offers to undo it, which can be done once.
    core.state.notices.outdate(JobKind::Restore);
    let data_dir = core.state.places.data_dir.clone();
    let subject = id.clone();
    launch(core, JobKind::Undo, &subject, |_| {
        work::undo(data_dir, id, later)
    });
}

/// Lists the restores that can be undone.
pub(crate) fn list_restores(core: &mut Core) {
    forget_running(core, JobKind::Restores);
    if core.state.restores.is_none() {
        core.state.restores = Some(Fetch::Coming);
    }
    let data_dir = core.state.places.data_dir.clone();
    launch(core, JobKind::Restores, "", |_| work::restores(data_dir));
}

/// Lets go of what is kept of a restore.
pub(crate) fn forget(core: &mut Core, id: String) {
    if core.state.running(JobKind::Forget).is_some() {
        return;
    }
    let data_dir = core.state.places.data_dir.clone();
    let subject = id.clone();
    launch(core, JobKind::Forget, &subject, |_| {
        work::forget(data_dir, id)
    });
}

/// What came of any of these; gives back what is of no concern here.
pub(crate) fn succeeded(core: &mut Core, outcome: Outcome) -> Option<Outcome> {
    match outcome {
        Outcome::Looked(inside) => looked(core, inside),
        Outcome::Compared(changes) => compared(core, changes),
        Outcome::Foreseen(preview) => foreseen(core, preview),
        Outcome::RestoresListed(restores) => core.state.restores = Some(Fetch::Known(restores)),
        other => return Some(other),
    }
    None
}

/// What failed is told where it would be shown; gives back what is to be told as a notice.
pub(crate) fn failed(core: &mut Core, kind: JobKind, notice: Option<Notice>) -> Option<Notice> {
    let notice = notice?;
    match kind {
        JobKind::Look => {
            core.state.opened.as_mut()?.inside = Fetch::Failed(notice);
        }
        JobKind::Compare => {
            let opened = core.state.opened.as_mut()?;
            opened.comparison.as_mut()?.found = Fetch::Failed(notice);
        }
        JobKind::Foresee => core.state.foresight.as_mut()?.found = Fetch::Failed(notice),
        JobKind::Restores => core.state.restores = Some(Fetch::Failed(notice)),
        _ => return Some(notice),
    }
    None
}
