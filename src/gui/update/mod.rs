//! The only writer of the window's state: wishes and news come in, state changes and jobs start.
//!
//! `apply` takes the commands of a frame, `absorb` the news of jobs; `settings` keeps what is typed
//! and `start` makes requests of it. Nothing here draws, and nothing here waits.

mod absorb;
mod apply;
mod core;
mod settings;
mod start;

pub(crate) use absorb::absorb;
pub(crate) use apply::apply;
pub(crate) use core::Core;
pub(crate) use settings::keep_form;
pub(crate) use start::list;
