//! The destinations: the only code that names `object_store`.
//!
//! [`open()`] turns settings into a [`Store`]; a `Store` lists, reads, writes and deletes whole objects
//! under its root path; an [`Upload`] writes one object in parts. Nothing here knows what an archive is.

mod deadline;
mod error;
mod explain;
mod open;
mod store;
mod upload;

pub use deadline::Patience;
pub use error::{Fault, StorageError};
pub use open::{open, open_in_memory};
pub use store::{ObjectInfo, Store};
pub use upload::{PartShape, Upload, plan_parts};
