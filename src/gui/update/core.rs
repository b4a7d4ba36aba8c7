//! `Core`: the state, the forms and the runner, which only `update` may change together.

use crate::gui::forms::{Forms, ProfileForm};
use crate::gui::job::{JobId, JobKind};
use crate::gui::notice::{Notice, Tone};
use crate::gui::runner::Runner;
use crate::gui::setup::Setup;
use crate::gui::state::{Clock, State};
use jiff::{Timestamp, tz::TimeZone};

/// Everything behind the window.
pub(crate) struct Core {
    /// What the window shows.
    pub state: State,
    /// What the person is typing.
    pub forms: Forms,
    /// What runs.
    pub runner: Runner,
}

impl Core {
    /// Everything as it is at the window's start; `egui` is woken when jobs have news.
    pub(crate) fn new(setup: Setup, egui: egui::Context) -> Self {
        let data_dir = setup.places.data_dir.clone();
        let clock = Clock {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        };
        let mut state = State::new(setup.places, setup.config, clock);
        if let Some(damaged) = setup.damaged {
            let title = "The settings could not be read, so zipkeep starts with new ones";
            let hint = match damaged.kept_at {
                Some(path) => format!("The old settings are kept in {}.", path.display()),
                None => "The old settings could not be moved away.".to_owned(),
            };
            let mut notice = Notice::new(JobKind::Save, Tone::Warning, title).hint(hint);
            notice.details = Some(damaged.reason);
            state.notices.show(notice);
        }
        let forms = Forms {
            profile: ProfileForm::of(state.profile()),
            dialog: None,
            inside: None,
        };
        Self {
            state,
            forms,
            runner: Runner::new(setup.runtime, egui, data_dir),
        }
    }

    /// The jobs that may be stopped; saving settings may not.
    pub(crate) fn stoppable(&self) -> Vec<JobId> {
        self.state
            .jobs
            .iter()
            .filter(|job| job.kind != JobKind::Save)
            .map(|job| job.id)
            .collect()
    }

    /// Tells the person something that is no job's result.
    pub(crate) fn tell(&mut self, notice: Notice) {
        self.state.notices.outdate(notice.about);
        self.state.notices.show(notice);
    }
}
