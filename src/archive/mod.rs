//! The ZIP format: how archives are written, checked, read and named. No network, no jobs.
//!
//! [`Compressor`] makes contents small, on any thread; [`ArchiveWriter`] puts them into an archive, entry
//! by entry, and can go on after bytes that are elsewhere. [`Tail`] finds the end of any archive,
//! [`records()`] takes the directory of ours apart; [`ArchiveReader`] reads ours and foreign ones by the
//! `zip` crate, and [`PackedContent`] a content of ours without a directory. [`Inspector`] checks an entry of ours byte by byte. [`PathRules`] decides which names may be written to a disk,
//! [`NameMatching`] which of them it takes for one.

mod alike;
mod compress;
mod content;
mod directory;
mod error;
mod extent;
mod format;
mod inspect;
mod listed;
mod name;
mod numbers;
mod reader;
mod record;
mod repack;
mod seal;
mod tail;
mod time;
mod unpacked;
mod unreadable;
mod writer;

pub use alike::NameMatching;
pub use compress::{BLOCK_BYTES, Compressor, Packed, Position, dictionary_of};
pub use content::ContentWriter;
pub use directory::{DirectoryReader, RawRecord, RawRecords, records};
pub use error::ArchiveError;
pub use extent::ContentReader;
pub use format::parse_manifest;
pub use inspect::{Flaw, Inspector, Verdict};
pub use listed::{Described, Description, ListedEntry};
pub use name::{EntryName, PathRules, RefusedName, SafePath, label_roots, walk_order};
pub use reader::{ArchiveReader, Content};
pub use record::{EntryMeta, EntryRecord, HeaderFit, Method, Sizes};
pub use repack::Repacker;
pub use seal::Seal;
pub use tail::{TAIL_BYTES, Tail};
pub use unpacked::{PackedContent, UnpackedContent};
pub use unreadable::Unreadable;
pub use writer::{ArchiveWriter, Block, DirectoryWriter, Finished, OpenEntry};
