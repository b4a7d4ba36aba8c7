//! The keys of a bucket: the one place that keeps secrets, apart from the settings, and that finds out
//! which keys are meant.
//!
//! `kept` is the file of secrets, `aws_profile` reads the files that AWS's own programs use, and `unlock`
//! joins a destination with its keys, a `pair`. All of them fail with `error`.

mod aws_profile;
mod error;
mod kept;
mod pair;
mod unlock;

pub use error::SecretsError;
pub use kept::{find, forget, keep};
pub use unlock::{Unlocked, unlock};
