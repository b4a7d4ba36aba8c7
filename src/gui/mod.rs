//! The window: takes in what jobs report, draws, and turns clicks into commands.
//!
//! One frame goes one way. [`App`] takes job results in (`logic`, which runs while the window is
//! hidden too), draws `view` from a `State` that views cannot write, collects their `Command`s, and
//! hands these to `update`, the only writer of `State`. `runner` is the only owner of the tokio
//! handle, the promises and the cancel tokens. Nothing here knows object stores or ZIP.
//!
//! Order of the files, each may use those before it: `theme`, `icon`, `rate`, `ticks`, `sums`, `inside_form`,
//! `restore_form`, `forms`, `job`, `rows`, `notice`, `opened`, `command`, `state`, `work`, `runner`, `setup`, `view`, `update`, `app`.

mod app;
mod command;
mod forms;
mod icon;
mod inside_form;
mod job;
mod notice;
mod opened;
mod rate;
mod restore_form;
mod rows;
mod runner;
mod setup;
mod state;
mod sums;
mod theme;
mod ticks;
mod update;
mod view;
mod work;

pub use app::App;
pub use icon::window_icon;
pub use runner::JobRuntime;
pub use setup::Setup;
