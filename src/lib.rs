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
//! | [`apps`] | programs whose data is known: where it is, what to leave out, whether they run | `model` |
//! | [`archive`] | the ZIP format: writer, directory, reader, names. No network | `model` |
//! | [`storage`] | the only code that asks over the network: open, list, read, upload, copy in place, delete, errors by meaning | `model` |
//! | [`engine`] | the use cases: test, backup, list, look inside, restore, undo, verify, download, delete. No printing, no window | all above |
//! | `gui` | feature "gui": the window | all above |
//!
//! The binaries `zipkeep` (the window, `src/main.rs`) and `zipkeep-cli` (the terminal,
//! `src/bin/cli/`) are two fronts of the same engine: both build a request, call one function of
//! [`engine`] with a [`engine::Context`], and show its report. `archive` and `storage` do not know
//! each other; `engine` joins them. `tests/architecture.rs` keeps all of this true.
//!
//! # One backup, end to end
//!
//! All of it is in `engine/backup/`. `run` takes the profile's lock, lists the destination and decides what
//! can be taken over: from a run that was interrupted (`resume`, by its `journal`), or from the newest
//! archive of this profile and device (`base`, by the `index` that this computer keeps of it, else by what
//! the archive says of itself: `recover`, `rebuild`). An `attempt` then does three things at once. The `pipeline` walks the
//! folders (`scan`), decides what is unchanged (`decide`), reads (`read`) and compresses (`work`) on many
//! threads, and hands everything on in the order of the walk. `pack` writes it into the `archive` writer and
//! into the next index; the bytes become parts (`parts`) that end in a known state. `delivery` sends them,
//! lets the destination copy what stays (`prefix`), and notes in the journal what has arrived. `finish`
//! writes the lists, the manifest, the directory and the seal. Then the object is completed, and its size
//! and end are read back (`arrived`), and some headers of what was copied (`taken_over`); only then it
//! counts as a backup. Whatever ends it early ends in `Delivery::take_back`, or where it may pass by itself in `Delivery::leave`, for the next run to go on.
//!
//! # One restore, end to end
//!
//! [`engine::restore()`], in `engine/restore/job`, opens the archive with two or three requests
//! (`engine/inside/opening`) and reads what it says of all that it holds (`contents`), which is kept for the
//! next time: then nothing but the contents of entries is read any more (`entry_reader`). `plan` says what goes where and
//! refuses what may not, of what was chosen (`choose`). Two restores into one folder are kept apart
//! (`target_lock`). `surveyor` looks at what is there and decides what each file becomes (`survey`), and what
//! cannot be written or entered is refused (`ground`); `extra` finds what an exact mirror removes. [`engine::preview()`] ends here (`foresee`).
//! `fetch` brings neighbours in one request (`ranges`) and has them unpacked and checked (`unpack`) into a
//! working folder on the target's own disk (`workspace`). `place` writes all changes into a log (`log`) before
//! the first is done, `perform` does them: from any state it goes on to the new state or back to the old
//! one. What was replaced stays in the working folder; `undo` puts it back, lets it go, and brings to an
//! end what was interrupted; what was changed meanwhile (`later`) goes where `set_aside` says. For a program's data folder `app_data` first fits the archive to it, and `databases` adds to the plan
//! what must not stay beside a database that is restored.
//!
//! # One look inside
//!
//! [`engine::look_inside()`] makes a [`engine::Tree`] of what an archive says it holds, a million entries in
//! one list, and keeps it; [`engine::differences()`] compares two of them.

pub mod apps;
pub mod archive;
pub mod config;
pub mod engine;
#[cfg(feature = "gui")]
pub mod gui;
pub mod log;
pub mod model;
pub mod secrets;
pub mod storage;
