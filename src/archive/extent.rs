//! `ContentReader`: the content of one entry of an archive of ours, read as a stream out of the bytes
//! that it stands in.

use super::error::ArchiveError;
use super::inspect::{Flaw, Inspector};
use super::record::{EntryRecord, HeaderFit};
use std::io::{self, Read};

/// Taken in at once. Deflate makes at most about a thousand times as much of it.
const PIECE_BYTES: usize = 4 * 1024;

/// Reads the content of one entry out of its extent, and checks all of it against its record: local
/// header, size, CRC-32 and what follows. What differs is an error of the kind "invalid data", at the
/// latest in place of the end.
#[derive(Debug)]
pub struct ContentReader<R> {
    extent: R,
    path: String,
    /// `None` once all has passed.
    inspector: Option<Inspector>,
    piece: Vec<u8>,
    content: Vec<u8>,
    /// How much of `content` was handed out.
    handed_out_bytes: usize,
}

impl<R: Read> ContentReader<R> {
    /// `extent` must hold the extent of the entry and nothing more.
    pub fn new(record: EntryRecord, extent: R) -> Self {
        let path = record.meta.name.clone();
        let mut inspector = Inspector::default();
        inspector.begin(record);
        Self {
            extent,
            path,
            inspector: Some(inspector),
            piece: vec![0; PIECE_BYTES],
            content: Vec::new(),
            handed_out_bytes: 0,
        }
    }

    /// Takes the next bytes of the extent in.
    fn take_in(&mut self) -> io::Result<()> {
        let Some(inspector) = &mut self.inspector else {
            return Ok(());
        };
        self.content.clear();
        self.handed_out_bytes = 0;
        let read = match self.extent.read(&mut self.piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            read => read?,
        };
        let content = &mut self.content;
        let mut take = |bytes: &[u8]| content.extend_from_slice(bytes);
        inspector.feed(&self.piece[..read], &mut take);
        if read > 0 {
            return Ok(());
        }
        let verdict = inspector.end();
        let other_time = (verdict.header != HeaderFit::Same).then_some(Flaw::Header);
        if let Some(flaw) = verdict.flaw.or(other_time) {
            let damaged = ArchiveError::Damaged {
                path: self.path.clone(),
                reason: flaw.reason().to_owned(),
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, damaged));
        }
        self.inspector = None;
        Ok(())
    }
}

impl<R: Read> Read for ContentReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.handed_out_bytes == self.content.len() && self.inspector.is_some() {
            self.take_in()?;
        }
        let left = &self.content[self.handed_out_bytes..];
        let now = left.len().min(into.len());
        into[..now].copy_from_slice(&left[..now]);
        self.handed_out_bytes += now;
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ArchiveWriter, Compressor, ContentWriter, EntryMeta};
    use crate::model::{Compression, EntryKind};
    use proptest::prelude::*;
    use std::io::Write as _;

    fn packed(content: &[u8]) -> (EntryRecord, Vec<u8>) {
        let meta = EntryMeta {
            name: ".zipkeep/list".to_owned(),
            raw_name: None,
            kind: EntryKind::File,
            modified_ns: 1_795_334_950_000_000_000,
            mode: 0o644,
        };
        let mut bytes = Vec::new();
        let mut writer = ArchiveWriter::new(&mut bytes);
        let mut compressor = Compressor::new(Compression::Normal);
        let mut entry = ContentWriter::new(&mut writer, &mut compressor, meta, 1 << 32);
        entry.write_all(content).expect("written");
        let record = entry.finish().expect("finished");
        (record, bytes)
    }

    fn unpacked(record: &EntryRecord, extent: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        ContentReader::new(record.clone(), extent).read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn content_of_several_blocks_comes_back() {
        let content: Vec<u8> = (0..600_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        let (record, extent) = packed(&content);
        assert!(unpacked(&record, &extent).expect("whole") == content);
    }

    #[test]
    fn sizes_that_no_archive_can_have_are_refused() {
        let (mut record, extent) = packed(b"some content");
        record.size_bytes = u64::MAX;
        assert!(unpacked(&record, &extent).is_err());
        record.compressed_bytes = u64::MAX;
        assert!(unpacked(&record, &extent).is_err());
        assert_eq!(record.extent_bytes(), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_gives_other_content(
            content in proptest::collection::vec(0_u8..4, 0..300),
            at in any::<prop::sample::Index>(),
            change in 1_u8..,
            is_cut in any::<bool>(),
        ) {
            let (record, mut extent) = packed(&content);
            prop_assert_eq!(&unpacked(&record, &extent).expect("whole"), &content);
            let at = at.index(extent.len());
            if is_cut {
                extent.truncate(at);
                prop_assert!(unpacked(&record, &extent).is_err());
            } else {
                extent[at] ^= change;
                // Deflate can say one content in many ways.
                prop_assert!(unpacked(&record, &extent).map_or(true, |read| read == content));
            }
        }
    }
}
