//! The strip at the bottom: each running job with how far it is, how fast, and "Cancel".

use super::widgets::{cut_label, tall_button};
use crate::gui::command::{Command, Commands};
use crate::gui::job::{Job, JobKind, JobStatus};
use crate::gui::rows;
use crate::gui::state::State;
use crate::gui::theme::{self, CONTROL_HEIGHT, GRID};
use crate::model::Trouble;
use egui::{Align, Layout, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use std::time::Duration;

/// A list that takes less than this is not worth a strip that comes and goes.
const QUICK: Duration = Duration::from_millis(1500);
/// How often a bar without an end moves.
const BEAT: Duration = Duration::from_millis(100);
const BAR_HEIGHT: f32 = 6.0;

/// Whether there is a job to show; wakes the window when there will be one.
pub(crate) fn is_wanted(ui: &Ui, state: &State) -> bool {
    let quick = [JobKind::List, JobKind::Settle, JobKind::Undo];
    for job in state.jobs.iter().filter(|job| quick.contains(&job.kind)) {
        if let Some(left) = QUICK.checked_sub(job.started.elapsed()) {
            ui.ctx().request_repaint_after(left);
        }
    }
    state.jobs.iter().any(is_shown)
}

fn is_shown(job: &Job) -> bool {
    match job.kind {
        JobKind::Test
        | JobKind::Backup
        | JobKind::Restore
        | JobKind::Verify
        | JobKind::Delete
        | JobKind::CleanUp => true,
        JobKind::List | JobKind::Settle | JobKind::Undo => job.started.elapsed() >= QUICK,
        JobKind::Look
        | JobKind::Compare
        | JobKind::Foresee
        | JobKind::Restores
        | JobKind::Forget
        | JobKind::Save
        | JobKind::FindSecret
        | JobKind::FindPrograms
        | JobKind::PickFolder(_) => false,
    }
}

/// Every job worth showing.
pub(crate) fn job_strip_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    for job in state.jobs.iter().filter(|job| is_shown(job)) {
        ui.push_id(job.id, |ui| job_ui(ui, job, commands));
    }
}

fn job_ui(ui: &mut Ui, job: &Job, commands: &mut Commands) {
    let line = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
        let cancel = tall_button("Cancel");
        let is_running = job.status == JobStatus::Running;
        if ui.add_enabled(is_running, cancel).clicked() {
            commands.push(Command::Cancel(job.id));
        }
        ui.add_space(GRID);
        ui.label(theme::small(ui, rows::progress(job)));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(title(job));
            if let Some(trouble) = trouble_of(job) {
                let told = RichText::new(rows::trouble(trouble)).small();
                cut_label(ui, told.color(theme::tokens(ui).warning));
            } else if let Some(current) = &job.progress.current {
                cut_label(ui, RichText::new(current).small().weak());
            }
        });
    });
    bar_ui(ui, job);
}

/// Why nothing moves; of no interest once the job is to stop.
fn trouble_of(job: &Job) -> Option<&Trouble> {
    let is_running = job.status == JobStatus::Running;
    job.progress.trouble.as_ref().filter(|_| is_running)
}

fn title(job: &Job) -> String {
    match (job.status, job.kind) {
        (JobStatus::Running, JobKind::Test) => "Testing the connection".to_owned(),
        (JobStatus::Running, JobKind::List) => "Fetching the list".to_owned(),
        (JobStatus::Running, JobKind::Settle) => "Ending an interrupted restore".to_owned(),
        (JobStatus::Running, JobKind::Undo) => "Undoing the restore".to_owned(),
        (JobStatus::Running, JobKind::Delete) => "Deleting".to_owned(),
        _ => rows::phase(job),
    }
}

/// A bar; one that moves slowly back and forth where the end is not known.
fn bar_ui(ui: &mut Ui, job: &Job) {
    let size = vec2(ui.available_width(), BAR_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let fraction = rows::fraction(&job.progress);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, title(job));
        info.value = fraction.map(f64::from);
        info
    });
    let tokens = theme::tokens(ui);
    let radius = BAR_HEIGHT / 2.0;
    ui.painter().rect_filled(rect, radius, tokens.press);
    let (from, to) = if let Some(fraction) = fraction {
        (0.0, fraction)
    } else {
        ui.ctx().request_repaint_after(BEAT);
        let turn = (job.started.elapsed().as_secs_f32() * 1.6).sin();
        let middle = 0.5 + 0.4 * turn;
        (middle - 0.1, middle + 0.1)
    };
    let x = |part: f32| rect.left() + rect.width() * part;
    let filled = Rect::from_min_max(pos2(x(from), rect.top()), pos2(x(to), rect.bottom()));
    if filled.width() >= 1.0 {
        let color = if trouble_of(job).is_some() {
            // It breathes: the program is not what stands still.
            ui.ctx().request_repaint_after(BEAT);
            let breath = (job.started.elapsed().as_secs_f32() * 2.5).sin();
            tokens.warning.gamma_multiply(0.8 + 0.2 * breath)
        } else {
            tokens.accent
        };
        ui.painter().rect_filled(filled, radius, color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Places};
    use crate::gui::job::JobId;
    use crate::gui::rate::Rate;
    use crate::gui::state::Clock;
    use crate::model::{Phase, Progress};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;
    use std::path::PathBuf;
    use std::time::Instant;

    fn state(progress: Progress) -> State {
        let places = Places {
            config_dir: PathBuf::from("/nowhere/config"),
            data_dir: PathBuf::from("/nowhere/data"),
        };
        let clock = Clock {
            now: jiff::Timestamp::UNIX_EPOCH,
            zone: jiff::tz::TimeZone::UTC,
        };
        let mut state = State::new(places.clone(), Config::first(&places), clock);
        state.jobs.push(Job {
            id: JobId(1),
            kind: JobKind::Backup,
            subject: "default".to_owned(),
            destination: state.profile().destination.clone(),
            status: JobStatus::Running,
            progress,
            rate: Rate::default(),
            started: Instant::now(),
        });
        state
    }

    fn uploading(bytes_total: Option<u64>, trouble: Option<Trouble>) -> Progress {
        Progress {
            phase: Phase::Uploading,
            files_done: 12,
            bytes_done: 1_200_000_000,
            bytes_total,
            current: Some("photos/a.jpg".to_owned()),
            trouble,
            ..Progress::default()
        }
    }

    fn busy() -> Trouble {
        Trouble {
            reason: "The provider is busy (SlowDown)".to_owned(),
            silent_secs: 34,
            attempt: 3,
            attempts: Some(8),
            next_attempt_secs: Some(12),
        }
    }

    /// A strip of one job, what was wished for, and how high it is drawn.
    struct Strip {
        state: State,
        wishes: Commands,
        height: f32,
    }

    fn strip(progress: Progress) -> Harness<'static, Strip> {
        let strip = Strip {
            state: state(progress),
            wishes: Commands::default(),
            height: 0.0,
        };
        let draw = |ui: &mut Ui, strip: &mut Strip| {
            job_strip_ui(ui, &strip.state, &mut strip.wishes);
            strip.height = ui.min_rect().height();
        };
        let builder = Harness::builder().with_size([860.0, 80.0]);
        let mut harness = builder.build_ui_state(draw, strip);
        harness.step();
        harness
    }

    #[test]
    fn trouble_is_shown_plainly_and_the_job_can_be_cancelled() {
        let mut strip = strip(uploading(Some(3_400_000_000), Some(busy())));
        let told = "No bytes for 34 s · attempt 3 of 8 · next try in 12 s · The provider is busy (SlowDown)";
        assert!(strip.query_by_label(told).is_some());
        assert!(strip.query_by_label("1.2 of 3.4 GB").is_some());
        assert!(strip.query_by_label("photos/a.jpg").is_none());
        strip.get_by_label("Cancel").click();
        strip.step();
        strip.step();
        let wishes = std::mem::take(&mut strip.state_mut().wishes);
        let wishes: Vec<Command> = wishes.into_iter().collect();
        assert_eq!(wishes, [Command::Cancel(JobId(1))]);
    }

    #[test]
    fn the_strip_keeps_its_height_whatever_is_known() {
        let height = |progress| strip(progress).state().height;
        let known = height(uploading(Some(3_400_000_000), None));
        assert!(known > 0.0);
        for progress in [
            Progress::default(),
            uploading(None, None),
            uploading(None, Some(busy())),
            uploading(Some(3_400_000_000), Some(busy())),
        ] {
            let found = height(progress.clone());
            assert!((found - known).abs() < 0.5, "{found} {known} {progress:?}");
        }
    }
}
