//! `EntryReader`: reads the contents of an archive's entries, in the one way or the other.

use crate::archive::{ArchiveError, ArchiveReader, Content, PackedContent, UnpackedContent};
use crate::engine::range_reader::RangeReader;
use std::collections::BTreeSet;
use std::io::{self, Read};

/// Reads the contents of an archive's entries.
#[derive(Debug, Clone)]
pub(in crate::engine) enum EntryReader {
    /// Each is found by what is known of it: archives of ours.
    ByPlace(RangeReader),
    /// Each is found by the archive's directory: all others.
    ByDirectory(ArchiveReader<RangeReader>),
}

/// What is known of an entry whose content is to be read.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Place<'a> {
    /// Name for errors.
    pub(in crate::engine) name: &'a str,
    /// Position in the archive's directory.
    pub(in crate::engine) index: usize,
    /// Where it stands, if it is compressed as ours are.
    pub(in crate::engine) packed: Option<PackedContent>,
}

/// The content of one entry. Reading it to its end checks its CRC-32.
pub(in crate::engine) enum EntryContent<'a> {
    ByPlace(UnpackedContent<&'a mut RangeReader>),
    ByDirectory(Box<Content<'a, RangeReader>>),
}

impl EntryReader {
    /// Goes to the content of an entry.
    pub(in crate::engine) fn content(
        &mut self,
        place: Place<'_>,
    ) -> Result<EntryContent<'_>, ArchiveError> {
        let name = place.name;
        match self {
            Self::ByPlace(reader) => {
                let packed = place.packed.ok_or_else(|| ArchiveError::Damaged {
                    path: name.to_owned(),
                    reason: "it is not compressed as zipkeep does".to_owned(),
                })?;
                packed.open(reader, name).map(EntryContent::ByPlace)
            }
            Self::ByDirectory(archive) => {
                let content = archive.content(place.index, name)?;
                Ok(EntryContent::ByDirectory(Box::new(content)))
            }
        }
    }

    /// The names that several entries have.
    pub(in crate::engine) fn duplicate_names(&self) -> Result<BTreeSet<String>, ArchiveError> {
        match self {
            Self::ByPlace(_) => Ok(BTreeSet::new()),
            Self::ByDirectory(archive) => archive.duplicate_names(),
        }
    }
}

impl EntryContent<'_> {
    /// Last change in nanoseconds since 1970 UTC, where the entry itself tells it better than the list of
    /// entries does.
    pub(in crate::engine) fn modified_ns(&self) -> Option<i64> {
        match self {
            // The manifest knows it to the nanosecond.
            Self::ByPlace(_) => None,
            Self::ByDirectory(content) => content.modified_ns(),
        }
    }
}

impl Read for EntryContent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::ByPlace(content) => content.read(buffer),
            Self::ByDirectory(content) => content.read(buffer),
        }
    }
}
