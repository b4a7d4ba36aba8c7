//! The ZIP format.
mod error;
pub use error::ArchiveError;
