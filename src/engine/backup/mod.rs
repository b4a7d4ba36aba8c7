//! Use case: back folders up. Decides what can be taken over from the last archive or from a run that
//! was interrupted, makes the attempt, and remembers what it made; only what was read back counts.

mod arrived;
mod attempt;
mod base;
#[cfg(feature = "bench")]
pub mod bench;
mod budget;
mod copied;
mod decide;
mod delivery;
mod finish;
mod index;
mod journal;
mod live;
mod memory;
mod pack;
mod parts;
mod pipeline;
mod prefix;
mod read;
mod rebuild;
mod recover;
mod resume;
mod run;
mod scan;
mod sort;
mod taken_over;
mod taking_back;
mod told;
mod work;

pub use run::backup;
