//! The ZIP format: how archives are written, checked, read and named. No network, no jobs.
//!
//! [`ArchiveWriter`] makes ours, entry by entry, into any [`ArchiveSink`], and can go on after bytes
//! that are elsewhere. [`Tail`] finds the end of any archive; [`ArchiveReader`] reads ours and
//! foreign ones by the `zip` crate. [`PathRules`] decides which names may be written to a disk.

mod block;
mod error;
mod name;
mod reader;
mod record;
mod tail;
mod time;
mod writer;

pub use block::{BLOCK_BYTES, Level};
pub use error::ArchiveError;
pub use name::{EntryName, PathRules, RefusedName, SafePath, label_roots};
pub use reader::{ArchiveReader, ListedEntry};
pub use tail::{TAIL_BYTES, Tail};
pub use writer::{
    ArchiveSink, ArchiveWriter, Boundary, EntryMeta, EntryStream, Finished, Prefix, Written,
};
