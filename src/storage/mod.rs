//! The destinations: the only code that names `object_store`.
//!
//! [`open()`] turns settings into a [`Store`]; a `Store` lists, reads, writes and deletes whole objects
//! under its root path; an [`Upload`] writes one object in parts, some of which the destination copies
//! by itself. Nothing here knows what an archive is.
//!
//! # From the top down
//!
//! `store` and `upload` are what others see, and `prober`, which looks at a bucket from below. Below them
//! is one module for each kind of destination (`s3_listing`, `s3_upload` and
//! `s3_deletion`, `folder` and `folder_upload`, `memory_upload`). For buckets, `attempts` asks again what may pass by itself, `signed`
//! and `answers` speak what `object_store` does not, `explain` and `codes` say what a refusal means,
//! `transport` carries all of it and ends what goes silent, and `line` remembers what moved and what is
//! wrong.

mod answers;
mod attempts;
mod codes;
mod deadline;
mod error;
mod explain;
mod folder;
mod folder_upload;
mod foreign;
mod line;
mod memory_upload;
mod no_overwrite;
mod object;
mod open;
mod pages;
mod parts;
mod prober;
mod proxy;
mod s3_deletion;
mod s3_listing;
mod s3_upload;
mod signed;
mod store;
mod transport;
mod trust;
mod upload;

pub use deadline::Patience;
pub use error::{Fault, Refusal, StorageError};
pub use line::LineStatus;
pub use object::ObjectInfo;
pub use open::{open, open_in_memory};
pub use parts::{
    CopySource, PartLimits, PartPlace, PartShape, StoredPart, UnfinishedUpload, parts_in_flight,
    plan_parts,
};
pub use prober::{Asker, Greeting, Prober};
pub use proxy::ProxyTrouble;
pub use store::Store;
pub use upload::Upload;
