//! The programs whose data can be backed up: where it is on this computer, and adding it to a profile.

use super::Core;
use super::launch::launch;
use super::settings::{keep_form, put_profile};
use crate::gui::job::JobKind;
use crate::gui::state::Programs;
use crate::gui::work;

/// Looks for programs' data, unless somebody is looking already.
pub(crate) fn find(core: &mut Core) {
    if core.state.running(JobKind::FindPrograms).is_none() {
        launch(core, JobKind::FindPrograms, "programs", |_| {
            work::find_programs()
        });
    }
}

/// Backs the data folders of the program of this id up from now on, without what is not worth it.
pub(crate) fn add(core: &mut Core, id: &str) {
    let Programs::Known(programs) = &core.state.programs else {
        return;
    };
    let Some(program) = programs.iter().find(|program| program.preset.id == id) else {
        return;
    };
    let program = program.clone();
    keep_form(core);
    let mut profile = core.state.profile().clone();
    for folder in program.found.folders {
        program.preset.add_to(&mut profile, folder);
    }
    core.forms.profile.excludes = profile.excludes.join("\n");
    put_profile(core, profile);
}
