//! The second and later backups: only what changed is sent, and every archive is whole by itself, over a
//! folder and real servers, whatever was changed, lost or deleted in between.

#[path = "../support/mod.rs"]
mod support;

mod any_changes;
mod bytes_sent;
mod changing;
mod generations;
mod lost;
mod place;
mod removal;
mod together;
mod unchanged;
mod uniform;
