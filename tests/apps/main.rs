//! Programs whose data zipkeep knows: their own archives, their folders, and that they may be running.
//! The real `zipkeep-cli`, in homes made for the tests.

#[path = "../support/mod.rs"]
mod support;

mod archives;
mod describing;
mod home;
mod presets;
mod restoring;
mod running;
