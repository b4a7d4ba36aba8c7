//! What goes wrong leaves nothing half-made: cancels at every phase, files that vanish or change,
//! servers that go away, damaged and hostile archives.

#[path = "../support/mod.rs"]
mod support;

mod backup;
mod barred;
mod flips;
mod jobs;
mod mirrors;
mod placing;
mod restore;
mod together;
mod undoing;
mod verify;
