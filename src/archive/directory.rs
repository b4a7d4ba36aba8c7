//! The central directory of an archive of ours, read back into what its records were made of.

use super::error::ArchiveError;
use super::numbers::{u16_at, u32_at, u64_at};
use super::record::{
    CENTRAL_FIXED_BYTES, CENTRAL_SIGNATURE, EXTRA_LOCAL_ZIP64, EXTRA_RAW_NAME, EXTRA_TIMESTAMP,
    EXTRA_ZIP64, EntryMeta, EntryRecord, FLAG_DESCRIPTOR, Method, Sizes,
};
use super::time::DosTime;
use crate::model::EntryKind;
use std::io::Read;

/// One record of a central directory.
#[derive(Debug, Clone, Copy)]
pub struct RawRecord<'a>(&'a [u8]);

/// The records of a central directory, one after the other.
#[derive(Debug, Clone)]
pub struct RawRecords<'a> {
    rest: &'a [u8],
}

/// Takes a central directory apart.
pub fn records(directory: &[u8]) -> RawRecords<'_> {
    RawRecords { rest: directory }
}

/// The records of a central directory, read one after the other out of a stream that holds the
/// directory and nothing more.
#[derive(Debug)]
pub struct DirectoryReader<R> {
    directory: R,
    record: Vec<u8>,
}

impl<R: Read> DirectoryReader<R> {
    /// Begins at the first record.
    pub fn new(directory: R) -> Self {
        Self {
            directory,
            record: Vec::new(),
        }
    }

    /// The next record; `None` after the last.
    pub fn read_next(&mut self) -> Result<Option<RawRecord<'_>>, ArchiveError> {
        let directory = &mut self.directory;
        let record = &mut self.record;
        record.clear();
        let mut read = |record: &mut Vec<u8>, bytes: usize| {
            let wanted = directory.by_ref().take(bytes as u64);
            Ok::<_, ArchiveError>({ wanted }.read_to_end(record)? == bytes)
        };
        let is_whole = read(record, CENTRAL_FIXED_BYTES)?;
        if record.is_empty() {
            return Ok(None);
        }
        if !is_whole || !read(record, bytes_after_fixed(record))? {
            return Err(broken());
        }
        records(record).next().transpose()
    }
}

/// How much of a record follows its fixed part.
fn bytes_after_fixed(fixed: &[u8]) -> usize {
    let lengths = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
    lengths.iter().sum()
}

fn broken() -> ArchiveError {
    ArchiveError::NotAnArchive("its directory is damaged".to_owned())
}

impl<'a> Iterator for RawRecords<'a> {
    type Item = Result<RawRecord<'a>, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        if rest.len() < CENTRAL_FIXED_BYTES || u32_at(rest, 0) != CENTRAL_SIGNATURE {
            return Some(Err(broken()));
        }
        let record_bytes = CENTRAL_FIXED_BYTES + bytes_after_fixed(rest);
        let Some((record, rest)) = rest.split_at_checked(record_bytes) else {
            return Some(Err(broken()));
        };
        self.rest = rest;
        Some(Ok(RawRecord(record)))
    }
}

impl<'a> RawRecord<'a> {
    /// The name, where it is UTF-8, as ours always are.
    pub fn name(&self) -> Option<&'a str> {
        std::str::from_utf8(self.raw_name()).ok()
    }

    /// The bytes of the name as they stand there.
    pub fn raw_name(&self) -> &'a [u8] {
        let end = CENTRAL_FIXED_BYTES + usize::from(u16_at(self.0, 28));
        &self.0[CENTRAL_FIXED_BYTES..end]
    }

    /// The name that the order of the walk compares: the true bytes, without the `/` of a folder.
    pub fn true_name(&self) -> &'a [u8] {
        if let Some((_, raw)) = self.extra().find(|(id, _)| *id == EXTRA_RAW_NAME) {
            return raw;
        }
        let name = self.raw_name();
        name.strip_suffix(b"/").unwrap_or(name)
    }

    /// Last change in nanoseconds: whole seconds by the extended timestamp, or by the DOS time of an
    /// entry whose time the extended one cannot hold.
    fn modified_ns(&self) -> Option<i64> {
        let Some((_, field)) = self.extra().find(|(id, _)| *id == EXTRA_TIMESTAMP) else {
            let [time, date] = [12, 14].map(|at| u16_at(self.0, at));
            return DosTime { date, time }.moment_ns();
        };
        let seconds = (field.len() == 5).then(|| u32_at(field, 1).cast_signed())?;
        Some(i64::from(seconds) * 1_000_000_000)
    }

    fn extra(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let from = CENTRAL_FIXED_BYTES + usize::from(u16_at(self.0, 28));
        let mut rest = &self.0[from..from + usize::from(u16_at(self.0, 30))];
        std::iter::from_fn(move || {
            let (head, after) = rest.split_at_checked(4)?;
            let (field, after) = after.split_at_checked(usize::from(u16_at(head, 2)))?;
            rest = after;
            Some((u16_at(head, 0), field))
        })
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// What the record was made of, if we made it; `None` where we would have written other bytes.
    ///
    /// `modified_ns` is the exact time, which a record does not hold: it has whole seconds.
    pub fn parse(&self, modified_ns: Option<i64>) -> Option<EntryRecord> {
        let record = self.0;
        let mut sizes = [20, 24, 42].map(|at| u64::from(u32_at(record, at)));
        let [compressed_bytes, size_bytes, header_offset] = &mut sizes;
        let mut raw_name = None;
        let mut has_local_zip64 = false;
        for (id, field) in self.extra() {
            match id {
                EXTRA_RAW_NAME => raw_name = Some(field.to_vec()),
                EXTRA_LOCAL_ZIP64 => has_local_zip64 = true,
                EXTRA_ZIP64 => {
                    let mut numbers = field.chunks_exact(8);
                    // In this order, and only those that did not fit (APPNOTE 4.5.3).
                    for number in [
                        &mut *size_bytes,
                        &mut *compressed_bytes,
                        &mut *header_offset,
                    ] {
                        if *number == u64::from(u32::MAX) {
                            *number = u64_at(numbers.next()?, 0);
                        }
                    }
                }
                _ => {}
            }
        }
        let unix_mode = u32_at(record, 38) >> 16;
        let parsed = EntryRecord {
            meta: EntryMeta {
                name: self.name()?.to_owned(),
                raw_name,
                kind: match unix_mode & 0o170_000 {
                    0o100_000 => EntryKind::File,
                    0o040_000 => EntryKind::Directory,
                    0o120_000 => EntryKind::Symlink,
                    _ => return None,
                },
                modified_ns: modified_ns.or_else(|| self.modified_ns())?,
                mode: unix_mode & 0o7777,
            },
            sizes: match (u16_at(record, 8) & FLAG_DESCRIPTOR != 0, has_local_zip64) {
                (false, _) => Sizes::Before,
                (true, false) => Sizes::After,
                (true, true) => Sizes::After64,
            },
            size_bytes: *size_bytes,
            compressed_bytes: *compressed_bytes,
            method: match u16_at(record, 10) {
                0 => Method::Stored,
                8 => Method::Deflate,
                _ => return None,
            },
            crc32: u32_at(record, 16),
            header_offset: *header_offset,
        };
        (parsed.central_record() == record).then_some(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_record() -> impl Strategy<Value = EntryRecord> {
        let kinds = [EntryKind::File, EntryKind::Directory, EntryKind::Symlink];
        let number = prop_oneof![0_u64..1_000, (u64::from(u32::MAX) - 2)..(1 << 40)];
        let meta = (
            "[^/\0]{1,20}",
            proptest::option::of(proptest::collection::vec(any::<u8>(), 1..20)),
            0_usize..3,
            any::<i64>(),
            0_u32..0o10000,
        );
        let rest = (
            0_usize..3,
            number.clone(),
            number.clone(),
            any::<u32>(),
            number,
        );
        (meta, rest).prop_map(move |(meta, rest)| EntryRecord {
            meta: EntryMeta {
                name: meta.0,
                raw_name: meta.1,
                kind: kinds[meta.2],
                modified_ns: meta.3,
                mode: meta.4,
            },
            sizes: [Sizes::Before, Sizes::After, Sizes::After64][rest.0],
            size_bytes: rest.1,
            compressed_bytes: rest.2,
            method: Method::Deflate,
            crc32: rest.3,
            header_offset: rest.4,
        })
    }

    proptest! {
        #[test]
        fn what_a_record_was_made_of_comes_back(made in proptest::collection::vec(any_record(), 0..5)) {
            let directory: Vec<u8> = made.iter().flat_map(EntryRecord::central_record).collect();
            let read: Vec<_> = records(&directory)
                .zip(&made)
                .map(|(record, made)| record.expect("whole").parse(Some(made.meta.modified_ns)))
                .collect();
            let alike = records(&directory).zip(&made).all(|(record, made)| {
                let without_time = record.expect("whole").parse(None);
                without_time.is_some_and(|read| read.local_header() == made.local_header())
            });
            let mut stream = DirectoryReader::new(&directory[..]);
            for made in &made {
                let record = stream.read_next().expect("whole").expect("one more");
                let parsed = record.parse(Some(made.meta.modified_ns));
                prop_assert_eq!(parsed.as_ref(), Some(made));
            }
            prop_assert!(stream.read_next().expect("whole").is_none());
            prop_assert!(alike, "the exact time is needed for nothing but itself");
            prop_assert_eq!(read, made.into_iter().map(Some).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_it_panic(made in any_record(), at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..300) {
            let mut directory = made.central_record();
            let at = at % directory.len();
            directory[at] = byte;
            directory.truncate(cut.max(1));
            for record in records(&directory).flatten() {
                let _: Option<EntryRecord> = record.parse(None);
            }
            let mut stream = DirectoryReader::new(&directory[..]);
            while let Ok(Some(record)) = stream.read_next() {
                prop_assert!(record.true_name().len() <= record.bytes());
            }
        }
    }
}
