//! `Tail`: where the central directory of an archive is, read from the archive's last bytes
//! (APPNOTE 4.3.14 to 4.3.16).

use super::error::ArchiveError;
use super::numbers::{u16_at, u32_at, u64_at};
use super::record::{
    CENTRAL_FIXED_BYTES, END_BYTES, END_SIGNATURE, END64_BYTES, END64_SIGNATURE, LOCATOR64_BYTES,
    LOCATOR64_SIGNATURE, end_records,
};
use super::seal::Seal;

/// How many of an archive's last bytes are enough to find its directory: the end record with the
/// longest comment, and the zip64 records before it.
pub const TAIL_BYTES: u64 = (END_BYTES + LOCATOR64_BYTES + END64_BYTES + 0xffff) as u64;

/// Where the central directory of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Where it begins.
    pub directory_offset: u64,
    /// How long it is.
    pub directory_bytes: u64,
    /// Records in it.
    pub entries: u64,
}

impl Tail {
    /// Finds the directory from the last bytes of an archive of `archive_bytes`.
    pub fn find(last: &[u8], archive_bytes: u64) -> Result<Self, ArchiveError> {
        let broken = |why: &str| ArchiveError::NotAnArchive(why.to_owned());
        let end_at = (0..=last.len().saturating_sub(END_BYTES))
            .rev()
            .find(|at| is_end_record(&last[*at..]))
            .ok_or_else(|| broken("its end is missing"))?;
        let end = &last[end_at..];
        let mut tail = Self {
            directory_offset: u64::from(u32_at(end, 16)),
            directory_bytes: u64::from(u32_at(end, 12)),
            entries: u64::from(u16_at(end, 10)),
        };
        if let Some(end64) = end64_before(last, end_at) {
            tail = Self {
                directory_offset: u64_at(end64, 48),
                directory_bytes: u64_at(end64, 40),
                entries: u64_at(end64, 32),
            };
        }
        let directory_end = tail.directory_offset.checked_add(tail.directory_bytes);
        let least_bytes = tail.entries.saturating_mul(CENTRAL_FIXED_BYTES as u64);
        if directory_end.is_none_or(|end| end > archive_bytes) || tail.directory_bytes < least_bytes
        {
            return Err(broken("its directory does not fit into it"));
        }
        Ok(tail)
    }

    /// Whether `end`, the bytes after the directory up to the seal's text, is what we write after this
    /// directory.
    pub fn is_followed_by(&self, end: &[u8]) -> bool {
        let seal_bytes = u16::try_from(Seal::TEXT_BYTES).unwrap_or(u16::MAX);
        let Self {
            directory_offset,
            directory_bytes,
            entries,
        } = *self;
        directory_offset.checked_add(directory_bytes).is_some()
            && end == end_records(entries, directory_bytes, directory_offset, seal_bytes)
    }
}

/// Whether an end record begins here whose comment reaches just to the end.
fn is_end_record(bytes: &[u8]) -> bool {
    bytes.len() >= END_BYTES
        && u32_at(bytes, 0) == END_SIGNATURE
        && usize::from(u16_at(bytes, 20)) == bytes.len() - END_BYTES
}

/// The zip64 end record, where one stands right before its locator and the end record.
fn end64_before(last: &[u8], end_at: usize) -> Option<&[u8]> {
    let locator_at = end_at.checked_sub(LOCATOR64_BYTES)?;
    let end64_at = locator_at.checked_sub(END64_BYTES)?;
    let is_there = u32_at(&last[locator_at..], 0) == LOCATOR64_SIGNATURE
        && u32_at(&last[end64_at..], 0) == END64_SIGNATURE;
    is_there.then(|| &last[end64_at..locator_at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_end_is_found_with_and_without_zip64() {
        for (entries, bytes, offset) in [
            (0, 0, 0),
            (3, 200, 1_000),
            (0xffff, 46 * 0xffff, 10),
            (70_000, 46 * 70_000, 5_000_000_000),
        ] {
            let tail = Tail {
                directory_offset: offset,
                directory_bytes: bytes,
                entries,
            };
            let end = end_records(entries, bytes, offset, 0);
            let archive_bytes = offset + bytes + end.len() as u64;
            assert_eq!(Tail::find(&end, archive_bytes).expect("found"), tail);
            assert!(
                Tail::find(&end, offset).is_err() || bytes == 0,
                "does not fit"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..300) {
            let mut bytes = bytes;
            let end = end_records(70_000, 99, 7, 0);
            let at = at.min(bytes.len());
            bytes.splice(at..at, end);
            if let Ok(tail) = Tail::find(&bytes, bytes.len() as u64) {
                prop_assert!(tail.directory_bytes <= bytes.len() as u64);
            }
        }
    }
}
