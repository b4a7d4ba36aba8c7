//! The only writer of the window's state: wishes and news come in, state changes and jobs start.
//!
//! `apply` takes the commands of a frame, `absorb` the news of jobs; `settings` keeps what is typed
//! and `start` makes requests of it. Nothing here draws, and nothing here waits. Order of the files,
//! each may use those before it: `core`, `launch`, `listing`, `restoring`, `settings`, `programs`, `start`,
//! `absorb`, `apply`.

mod absorb;
mod apply;
mod core;
mod launch;
mod listing;
mod programs;
mod restoring;
mod settings;
mod start;
#[cfg(test)]
mod tests;

pub(crate) use absorb::absorb;
pub(crate) use apply::apply;
pub(crate) use core::Core;
pub(crate) use listing::list;
pub(crate) use restoring::{let_foresight_go, settle};
pub(crate) use settings::keep_form;
