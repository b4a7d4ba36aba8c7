//! Use case: the connection doctor. Looks at a destination from the address up, does in small what a backup
//! and a restore do, and says for each step what it found and what to do about it.
//!
//! `job` does all of it in its order: `address` looks at the way there, `entry` at how requests must be made
//! and who may make them, `rights` does what a backup does, `strangers` does the same without keys, and
//! `leftovers` looks for unfinished uploads. All of them write into one `sheet`; what they say stands in
//! `words`, and `probe` is what they write and take away again.

mod address;
mod entry;
mod job;
mod leftovers;
mod probe;
mod rights;
mod sheet;
mod strangers;
mod words;

pub use job::test;
pub use leftovers::{CleanedUp, clean_up};
pub use sheet::{Check, CheckId, CheckOutcome, Learnt, Leftovers, TestReport};
