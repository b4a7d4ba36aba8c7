//! zipkeep backs folders up to the person's own S3-compatible bucket, each backup one plain ZIP,
//! and restores them on any computer.
//!
//! # The map
//!
//! Read the modules in this order; each may use those above it and nothing below.
//!
//! | module | what lives there | may use |
//! |---|---|---|
//! | [`model`] | the nouns: profile, destination, secret, backup, manifest, progress. Plain data, no I/O | - |
//! | [`config`] | what is kept between runs, and where (confy) | `model` |
//! | [`secrets`] | the secret keys, apart from the settings | `model`, `config` |
//! | [`log`] | the log file | `config` |
//! | [`archive`] | the ZIP format: writer, directory, reader, names. No network | `model` |
//! | [`storage`] | the only code that names `object_store`: open, list, read, upload, delete, errors by meaning | `model` |
//! | [`engine`] | the use cases: test, backup, list, show, restore, download, delete. No printing, no window | all above |
//! | `gui` | feature "gui": the window | all above |
//!
//! The binaries `zipkeep` (the window, `src/main.rs`) and `zipkeep-cli` (the terminal,
//! `src/bin/cli/`) are two fronts of the same engine: both build a request, call one function of
//! [`engine`] with a [`engine::Context`], and show its report. `archive` and `storage` do not know
//! each other; `engine` joins them. `tests/architecture.rs` keeps all of this true.
//!
//! # One backup, end to end
//!
//! `engine::backup` scans the folders, feeds each file to the `archive` writer on a blocking thread, whose bytes go through
//! a bounded channel to a `storage` upload; then it checks the stored object's size and reads its
//! directory back before it counts as a backup.

pub mod archive;
pub mod config;
pub mod engine;
#[cfg(feature = "gui")]
pub mod gui;
pub mod log;
pub mod model;
pub mod secrets;
pub mod storage;
