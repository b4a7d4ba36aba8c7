//! One entry of an archive of ours, taken out of the bytes that it stands in.

use super::error::ArchiveError;
use super::record::{EntryRecord, Method};
use flate2::read::DeflateDecoder;
use std::io::Read as _;

/// The content of an entry whose whole extent is at hand, checked against its record: local header,
/// size and CRC-32.
pub fn unpack(record: &EntryRecord, extent: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let damaged = |reason: &str| ArchiveError::Damaged {
        path: record.meta.name.clone(),
        reason: reason.to_owned(),
    };
    let header = record.local_header();
    let rest = extent
        .strip_prefix(&header[..])
        .ok_or_else(|| damaged("its header is not what the directory says"))?;
    let packed = usize::try_from(record.compressed_bytes)
        .ok()
        .and_then(|length| rest.get(..length))
        .ok_or_else(|| damaged("it is cut short"))?;
    let content = match record.method {
        Method::Stored => packed.to_vec(),
        Method::Deflate => {
            let mut content = Vec::new();
            let mut bounded = DeflateDecoder::new(packed).take(record.size_bytes + 1);
            bounded
                .read_to_end(&mut content)
                .map_err(|_| damaged("it cannot be decompressed"))?;
            content
        }
    };
    if content.len() as u64 == record.size_bytes && crc32fast::hash(&content) == record.crc32 {
        Ok(content)
    } else {
        Err(damaged("its checksum differs"))
    }
}
