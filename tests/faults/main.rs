//! What a backup makes of a line and a store that fail: every fault at every step, and what is told
//! of a stall meanwhile. A full run of the matrix: `ZIPKEEP_FAULTS=all`.

#[path = "../support/mod.rs"]
mod support;

mod completion;
mod expected;
mod matrix;
mod reading;
mod scene;
mod stalls;
