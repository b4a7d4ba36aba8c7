//! `App`: one frame of the window, in order: take results in, draw, do what was wished for.

use crate::gui::command::{Command, Commands};
use crate::gui::setup::Setup;
use crate::gui::state::Quit;
use crate::gui::update::{self, Core};
use crate::gui::{icon, theme, view};
use egui::{TextureHandle, ViewportCommand};
use jiff::Timestamp;
use std::time::Duration;

/// What is typed is saved when nothing more was typed for this long.
const TYPING_PAUSE_SECS: f64 = 0.8;
/// After this the window closes even if a job that was asked to stop has not ended.
const QUIT_PATIENCE: Duration = Duration::from_secs(20);

/// The window.
pub struct App {
    core: Core,
    mark: Option<TextureHandle>,
}

impl App {
    /// Makes the window's content and asks for the first list.
    pub fn new(egui: &egui::Context, setup: Setup) -> Self {
        theme::install(egui);
        theme::choose(egui, setup.config.appearance);
        let mut core = Core::new(setup, egui.clone());
        update::settle(&mut core);
        update::list(&mut core);
        Self {
            core,
            mark: icon::mark(egui),
        }
    }

    /// Keeps what was typed, stops what runs and waits for it. The window is gone by then.
    fn finish(&mut self) {
        update::keep_form(&mut self.core);
        let stop = self.core.stoppable();
        self.core.runner.finish(&stop);
    }

    /// Saves what was typed once the person pauses.
    fn save_after_pause(&self, ctx: &egui::Context, commands: &mut Commands) {
        let Some(touched_at_secs) = self.core.forms.profile.touched_at_secs else {
            return;
        };
        let now_secs = ctx.input(|input| input.time);
        let left_secs = TYPING_PAUSE_SECS - (now_secs - touched_at_secs);
        if left_secs <= 0.0 {
            commands.push(Command::KeepForm);
        } else {
            ctx.request_repaint_after(Duration::from_secs_f64(left_secs));
        }
    }

    /// Asks before a running job is stopped by closing the window; closes once it has ended.
    fn watch_closing(&mut self, ctx: &egui::Context) {
        let state = &mut self.core.state;
        let is_busy = state.exclusive().is_some();
        let is_asked_to = ctx.input(|input| input.viewport().close_requested());
        if is_asked_to && is_busy && state.quit == Quit::No {
            state.quit = Quit::Asking;
        }
        if is_asked_to && is_busy && state.quit == Quit::Asking {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        }
        match state.quit {
            Quit::Asking if !is_busy => state.quit = Quit::No,
            Quit::Stopping(since) if !is_busy || since.elapsed() > QUIT_PATIENCE => {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            Quit::Stopping(since) => {
                ctx.request_repaint_after(QUIT_PATIENCE.saturating_sub(since.elapsed()));
            }
            Quit::No | Quit::Asking => {}
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.core.state.clock.now = Timestamp::now();
        for update in self.core.runner.poll() {
            update::absorb(&mut self.core, update);
        }
        self.watch_closing(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let mut commands = Commands::default();
        theme::choose(ui.ctx(), self.core.state.config.appearance);
        let Core { state, forms, .. } = &mut self.core;
        view::frame_ui(ui, state, forms, (self.mark.as_ref(), &mut commands));
        update::let_foresight_go(&mut self.core);
        self.save_after_pause(ui.ctx(), &mut commands);
        for command in commands {
            update::apply(&mut self.core, command);
            // What a command changed is seen in the next frame.
            ui.ctx().request_repaint();
        }
    }

    #[cfg(not(windows))]
    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.finish();
    }

    #[cfg(windows)]
    fn on_exit(&mut self) {
        self.finish();
    }
}
