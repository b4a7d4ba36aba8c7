//! Looking inside archives: opening them with few requests, what they hold as a tree, and what changed from
//! one to another. What was read is kept on this computer.

mod compare;
mod contents;
mod entry_reader;
mod kept;
mod look;
mod opening;
mod tree;

pub use compare::{Difference, DifferenceKind, differences};
pub(super) use contents::Contents;
pub(super) use entry_reader::{EntryReader, Place};
pub use look::{Inside, Maker, look_inside};
pub(super) use opening::{Opened, look_at_end, open_archive, open_kept};
pub use tree::{NodeId, Tree};
