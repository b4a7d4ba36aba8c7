//! Lists the backups of the shown profile, once its settings are complete.

use super::Core;
use super::launch::{connection, launch};
use crate::gui::job::{JobKind, SecretStatus};
use crate::gui::state::ListStatus;
use crate::gui::work;
use crate::model::Destination;

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
    launch(core, JobKind::List, &profile, |context| {
        work::list(connection, context)
    });
}

/// Looks up whether a secret is kept; the list follows when that is known.
fn find_secret(core: &mut Core, profile: &str) {
    let (places, name) = (core.state.places.clone(), profile.to_owned());
    launch(core, JobKind::FindSecret, profile, |_| {
        work::find_secret(places, name)
    });
}
