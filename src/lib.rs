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
//! | [`storage`] | the only code that asks over the network: open, list, read, upload, copy in place, delete, errors by meaning | `model` |
//! | [`engine`] | the use cases: test, backup, list, show, restore, verify, download, delete. No printing, no window | all above |
//! | `gui` | feature "gui": the window | all above |
//!
//! The binaries `zipkeep` (the window, `src/main.rs`) and `zipkeep-cli` (the terminal,
//! `src/bin/cli/`) are two fronts of the same engine: both build a request, call one function of
//! [`engine`] with a [`engine::Context`], and show its report. `archive` and `storage` do not know
//! each other; `engine` joins them. `tests/architecture.rs` keeps all of this true.
//!
//! # One backup, end to end
//!
//! [`engine::backup()`] takes the profile's lock, lists the destination and finds a free name; `scan` walks
//! the folders; `pack` feeds each file to the `archive` writer on a thread that may block; its bytes
//! become parts (`parts`), which go through a bounded channel to `delivery`, and from there in one
//! request or as an upload to `storage`. Then the stored object's size is compared and its directory
//! read back; only then it counts as a backup. Whatever ends it early ends in `Delivery::take_back`.
//!
//! # One restore, end to end
//!
//! [`engine::restore()`] reads the archive through a `RangeReader`; `plan` says what goes where and
//! refuses what may not; `stage` fetches and checks everything in a folder inside the target and brings
//! it to the disk; `place` moves it in by steps that can be taken back (`moves`); only then the old goes.

pub mod archive;
pub mod config;
pub mod engine;
#[cfg(feature = "gui")]
pub mod gui;
pub mod log;
pub mod model;
pub mod secrets;
pub mod storage;
