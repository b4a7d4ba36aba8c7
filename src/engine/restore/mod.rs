//! Restoring: what is to be done is worked out, everything is fetched and checked beside the target, and
//! only then is the target changed; all of it or nothing, and it can be undone.

mod alike;
mod app_data;
mod bomb;
mod change;
mod choose;
mod clear;
mod databases;
mod durable;
mod extra;
mod fetch;
mod foresee;
mod ground;
mod job;
mod later;
mod log;
mod mirror;
mod own_folders;
mod perform;
mod place;
mod plan;
mod propose;
mod ranges;
mod raw_path;
mod set_aside;
mod survey;
mod surveyor;
mod target_lock;
mod undo;
mod unpack;
mod whole;
mod workspace;

pub use job::{preview, restore};
pub use propose::proposed_place;
pub use undo::{LaterChanges, forget_old_restores, forget_restore, restores, settle, undo};
pub(super) use workspace::is_workspace;
