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
    let running = state.running(JobKind::List);
    if let Some(left) = running.and_then(|job| QUICK.checked_sub(job.started.elapsed())) {
        ui.ctx().request_repaint_after(left);
    }
    state.jobs.iter().any(is_shown)
}

fn is_shown(job: &Job) -> bool {
    match job.kind {
        JobKind::Test | JobKind::Backup | JobKind::Restore | JobKind::Verify | JobKind::Delete => {
            true
        }
        JobKind::List => job.started.elapsed() >= QUICK,
        JobKind::Look | JobKind::Save | JobKind::FindSecret | JobKind::PickFolder(_) => false,
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
        let color = match trouble_of(job) {
            Some(_) => tokens.warning,
            None => tokens.accent,
        };
        ui.painter().rect_filled(filled, radius, color);
    }
}
