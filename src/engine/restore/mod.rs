//! Restoring: what is to be done is worked out and shown, everything is fetched and checked beside the
//! target, and only then is the target changed; all of it or nothing, and it can be undone.

mod change;
mod job;
mod log;
mod moves;
mod perform;
mod place;
mod plan;
mod raw_path;
mod stage;

pub use job::restore;
