//! Programs whose data zipkeep knows: where it is on this system, what of it is not worth keeping, and
//! whether the program is running.
//!
//! What is known of each is data, `assets/presets.toml`. Nothing here changes a file.

mod find;
mod presets;
mod running;
mod surroundings;

pub use find::{Found, find};
pub use presets::{Archives, Lock, LockKind, Preset, Relocation, preset, presets};
pub use running::{Sign, running};
pub use surroundings::Surroundings;
