//! `Expansion`: how much content of other programs' archives may be far bigger than the bytes it comes from.
//!
//! A few kilobytes can unpack to more than any disk holds. Our own archives are not bounded: their lists say
//! what each file was, a person's file of 10 GB zeros too, and the disk's free space is asked beforehand.

use crate::archive::ListedEntry;

/// What packs better than so many times is suspicious: ordinary files of text stay below it.
const ORDINARY_RATIO: u64 = 100;
/// So much suspicious content is restored all the same: nobody is harmed by it.
const HARMLESS_BYTES: u64 = 1 << 30;

/// What is left of the suspicious content that may be restored.
#[derive(Debug)]
pub(super) struct Expansion {
    left_bytes: u64,
}

impl Default for Expansion {
    fn default() -> Self {
        Self {
            left_bytes: HARMLESS_BYTES,
        }
    }
}

impl Expansion {
    /// Counts an entry; an error where it is too much.
    pub(super) fn count(&mut self, entry: &ListedEntry) -> Result<(), String> {
        if entry.size_bytes <= entry.compressed_bytes.saturating_mul(ORDINARY_RATIO) {
            return Ok(());
        }
        match self.left_bytes.checked_sub(entry.size_bytes) {
            Some(left_bytes) => {
                self.left_bytes = left_bytes;
                Ok(())
            }
            None => Err(
                "it unpacks to more than a hundred times its size, and to too much, as archives do that are made to fill disks"
                    .to_owned(),
            ),
        }
    }
}
