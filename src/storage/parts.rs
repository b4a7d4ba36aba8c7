//! The nouns of an upload: where its parts stand, what they are called, and how big they are best.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where a part of an upload stands in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlace {
    /// Counts from 1, without holes; providers allow 10,000.
    pub number: u32,
    /// Where the part begins in the object, in bytes; the end of the part before it.
    pub offset: u64,
}

/// A part that the destination has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// Its number, from 1.
    pub number: u32,
    /// Its size.
    pub bytes: u64,
    /// Its version tag with its quotes, as completing wants it; opaque.
    pub etag: String,
}

/// Bytes of another object of the same destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// Full key, the root path included.
    pub key: String,
    /// The version that is meant; another one is [`Fault::Changed`](super::Fault::Changed). Some
    /// gateways do not look at it.
    pub etag: Option<String>,
    /// Which bytes of it.
    pub range: Range<u64>,
}

/// An upload that was begun and neither completed nor aborted; it may still be on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// Full key, the root path included.
    pub key: String,
    /// What [`Store::take_up_upload`](super::Store::take_up_upload) needs.
    pub id: String,
    /// When it was begun, where the destination says so.
    pub begun: Option<Timestamp>,
}

/// How a destination wants the parts of an upload to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartShape {
    /// At the end of an entry or block: each stored part ends in a known state.
    AtBoundaries,
    /// All of one size but the last (Cloudflare R2).
    Uniform,
}

const MIB: u64 = 1024 * 1024;
/// Smallest part that we send but for the last: above every provider's least of 5 MiB.
const LEAST_PART_BYTES: u64 = 8 * MIB;
/// Parts that an upload may have: providers allow 10,000; some room is left for growth on the way.
const MOST_PARTS: u64 = 9_000;
/// Memory that parts may hold in all.
const PARTS_BUDGET_BYTES: u64 = 64 * MIB;

/// The size of a part, and how many may be in flight, for an object of about `total_bytes`.
///
/// Returns (bytes, parts); the product stays near a fixed budget until single parts exceed it.
pub fn plan_parts(total_bytes: u64) -> (u64, usize) {
    let part_bytes = total_bytes
        .div_ceil(MOST_PARTS)
        .next_multiple_of(MIB)
        .max(LEAST_PART_BYTES);
    let in_flight = (PARTS_BUDGET_BYTES / part_bytes).clamp(2, 5) - 1;
    (part_bytes, usize::try_from(in_flight).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_object_and_fit_the_limits() {
        assert_eq!(plan_parts(0), (8 * MIB, 4));
        assert_eq!(plan_parts(5 << 30), (8 * MIB, 4));
        for total in [1_u64 << 36, 1 << 40, 5 << 40] {
            let (part_bytes, in_flight) = plan_parts(total);
            assert!(total.div_ceil(part_bytes) <= MOST_PARTS, "{total}");
            assert!(part_bytes <= 5 << 30 && in_flight >= 1);
        }
    }
}
