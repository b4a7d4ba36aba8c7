//! `UnpackedContent`: the content of one entry of an archive of ours, read by what is known of it; no
//! directory is needed. What the content should be, and when the entry was changed, is not compared.

use super::error::ArchiveError;
use super::numbers::{u16_at, u32_at};
use super::record::{LOCAL_FIXED_BYTES, LOCAL_SIGNATURE, Method};
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

/// Compressed bytes that are taken in at once.
const PIECE_BYTES: usize = 32 * 1024;

/// Where the content of an entry stands in an archive, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedContent {
    /// Where the entry's local header is.
    pub header_offset: u64,
    /// How it is compressed.
    pub method: Method,
    /// Bytes after compression.
    pub compressed_bytes: u64,
    /// CRC-32 of the content.
    pub crc32: u32,
}

impl PackedContent {
    /// Goes to the content. Reading it to its end checks its CRC-32; `name` is for errors.
    pub fn open<R: Read + Seek>(
        self,
        mut archive: R,
        name: &str,
    ) -> Result<UnpackedContent<R>, ArchiveError> {
        let mut header = [0; LOCAL_FIXED_BYTES];
        archive.seek(SeekFrom::Start(self.header_offset))?;
        archive.read_exact(&mut header)?;
        if u32_at(&header, 0) != LOCAL_SIGNATURE {
            return Err(ArchiveError::Damaged {
                path: name.to_owned(),
                reason: "it does not stand where the archive's directory says".to_owned(),
            });
        }
        // Name and extra field (APPNOTE 4.3.7).
        let besides: u64 = [26, 28]
            .map(|at| u64::from(u16_at(&header, at)))
            .iter()
            .sum();
        let content_offset = self.header_offset + LOCAL_FIXED_BYTES as u64 + besides;
        archive.seek(SeekFrom::Start(content_offset))?;
        let packed = archive.take(self.compressed_bytes);
        Ok(UnpackedContent {
            stream: match self.method {
                Method::Stored => Stream::Stored(packed),
                Method::Deflate => {
                    let packed = BufReader::with_capacity(PIECE_BYTES, packed);
                    Stream::Deflate(Box::new(DeflateDecoder::new(packed)))
                }
            },
            crc32: crc32fast::Hasher::new(),
            expected_crc32: self.crc32,
        })
    }
}

/// The content of one entry.
#[derive(Debug)]
pub struct UnpackedContent<R> {
    stream: Stream<R>,
    crc32: crc32fast::Hasher,
    expected_crc32: u32,
}

#[derive(Debug)]
enum Stream<R> {
    Stored(Take<R>),
    Deflate(Box<DeflateDecoder<BufReader<Take<R>>>>),
}

impl<R: Read> Read for UnpackedContent<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.stream {
            Stream::Stored(stream) => stream.read(buffer)?,
            Stream::Deflate(stream) => stream.read(buffer)?,
        };
        self.crc32.update(&buffer[..count]);
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && self.crc32.clone().finalize() != self.expected_crc32 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its checksum (CRC-32) differs",
            ));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ArchiveWriter, Compressor, ContentWriter, EntryMeta};
    use crate::model::{Compression, EntryKind};
    use proptest::prelude::*;
    use std::io::{Cursor, Write as _};

    /// An archive's bytes with one entry after `before` other bytes, and where it stands.
    fn packed(content: &[u8], before: usize) -> (PackedContent, Vec<u8>) {
        let meta = EntryMeta {
            name: "a folder/a file".to_owned(),
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
        let mut archive = vec![7; before];
        archive.append(&mut bytes);
        // What follows is another entry's.
        archive.extend([9; 100]);
        let at = PackedContent {
            header_offset: before as u64,
            method: record.method,
            compressed_bytes: record.compressed_bytes,
            crc32: record.crc32,
        };
        (at, archive)
    }

    fn unpacked(at: PackedContent, archive: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let mut content = Vec::new();
        at.open(Cursor::new(archive), "a file")?
            .read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn contents_of_both_methods_and_of_several_blocks_come_back() {
        let long: Vec<u8> = (0..600_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        for (content, method) in [
            (&b""[..], Method::Stored),
            (b"x", Method::Stored),
            (&[b'x'; 500], Method::Deflate),
            (&long, Method::Deflate),
        ] {
            let (at, archive) = packed(content, 50);
            assert_eq!(at.method, method);
            assert!(unpacked(at, &archive).expect("whole") == content);
        }
    }

    #[test]
    fn what_stands_elsewhere_is_not_taken_for_the_entry() {
        let (at, archive) = packed(b"content", 50);
        for header_offset in [0, 49, 51, archive.len() as u64, u64::MAX] {
            let elsewhere = PackedContent {
                header_offset,
                ..at
            };
            assert!(unpacked(elsewhere, &archive).is_err(), "{header_offset}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_gives_other_content(
            content in proptest::collection::vec(0_u8..4, 0..300),
            at in any::<prop::sample::Index>(),
            change in 1_u8..,
            is_cut in any::<bool>(),
        ) {
            let (place, mut archive) = packed(&content, 0);
            prop_assert_eq!(&unpacked(place, &archive).expect("whole"), &content);
            let at = at.index(archive.len());
            if is_cut {
                archive.truncate(at);
            } else {
                archive[at] ^= change;
            }
            // What is changed may belong to the name, or to what follows.
            prop_assert!(unpacked(place, &archive).map_or(true, |read| read == content));
        }
    }
}
