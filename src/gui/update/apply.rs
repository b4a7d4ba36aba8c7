//! What each wish of the person does.

use super::{Core, listing, programs, restoring, settings, start};
use crate::gui::command::Command;
use crate::gui::job::{JobId, JobKind, JobStatus};
use crate::gui::state::Quit;
use std::time::Instant;

/// Does what `command` says.
pub(crate) fn apply(core: &mut Core, command: Command) {
    match command {
        Command::ShowProfile(name) => settings::show_profile(core, &name),
        Command::CreateProfile(name) => settings::create_profile(core, name),
        Command::RemoveProfile(name) => settings::remove_profile(core, &name),
        Command::Appear(appearance) => settings::appear(core, appearance),
        Command::KeepForm => settings::keep_form(core),
        Command::FinishForm => settings::finish_form(core),
        Command::PickFolder(purpose) => start::pick_folder(core, purpose),
        Command::AddFolder(path) => settings::add_folder(core, &path),
        Command::FindPrograms => programs::find(core),
        Command::AddProgram(id) => programs::add(core, &id),
        Command::RemoveFolder(path) => settings::remove_folder(core, &path),
        Command::Test => start::test(core),
        Command::CorrectSettings => start::correct_settings(core),
        Command::CleanUp => start::clean_up(core),
        Command::Refresh => {
            settings::keep_form(core);
            listing::list(core);
        }
        Command::BackUp(manner) => start::backup(core, manner),
        Command::Look(backup) => restoring::look(core, backup),
        Command::Open(backup) => restoring::open(core, backup),
        Command::CloseInside => restoring::close_inside(core),
        Command::Compare(older) => restoring::compare(core, older),
        Command::Foresee(request) => restoring::foresee(core, request),
        Command::Restore(request) => restoring::restore(core, request),
        Command::ListRestores => restoring::list_restores(core),
        Command::Undo(id, later) => restoring::undo(core, id, later),
        Command::ForgetRestore(id) => restoring::forget(core, id),
        Command::KeepUndo(days) => settings::keep_undo(core, days),
        Command::Verify(backup, depth) => start::verify(core, &backup, depth),
        Command::Delete(backup) => start::delete(core, &backup),
        Command::Select(key) => core.state.table.selected = Some(key),
        Command::Cancel(id) => cancel(core, id),
        Command::Dismiss(id) => core.state.notices.dismiss(id),
        Command::KeepRunning => core.state.quit = Quit::No,
        Command::StopAndQuit => {
            core.state.quit = Quit::Stopping(Instant::now());
            for id in core.stoppable() {
                cancel(core, id);
            }
        }
    }
}

fn cancel(core: &mut Core, id: JobId) {
    core.runner.cancel(id);
    for job in core.state.jobs.iter_mut().filter(|job| job.id == id) {
        tracing::info!(kind = ?job.kind, "cancelling");
        if job.kind != JobKind::Save {
            job.status = JobStatus::Cancelling;
        }
    }
}
