//! Whether an entry stands in an archive as this program packs its content.

use super::source::Source;
use crate::archive::{EntryRecord, Method, Repacker};
use crate::engine::error::EngineError;

/// Reads an entry once more, packs its content again, and compares the bytes.
pub(super) fn is_packed_the_same(
    source: &mut Source,
    record: EntryRecord,
) -> Result<bool, EngineError> {
    // What is stored can be said in one way only.
    if record.method == Method::Stored {
        return Ok(true);
    }
    let extent = record.header_offset..record.header_offset.saturating_add(record.extent_bytes());
    let mut repacker = Repacker::new(record);
    source.each(extent, &mut |bytes| repacker.feed(bytes))?;
    Ok(repacker.is_same())
}
