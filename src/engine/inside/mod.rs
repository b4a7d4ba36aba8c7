//! Looking inside archives: opening them with few requests, what they hold as a tree, and what changed from
//! one to another. What was read is kept on this computer.

mod compare;
mod kept;
mod look;
mod opening;
mod tree;

pub use compare::{Difference, DifferenceKind, differences};
pub(super) use look::manifest_of;
pub use look::{Inside, Maker, look_inside};
pub(super) use opening::{Opened, look_at_end, open_archive, open_kept};
pub use tree::{NodeId, Tree};
