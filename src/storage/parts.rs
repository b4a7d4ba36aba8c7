//! The nouns of an upload: where its parts stand, what they are called, and how big they are best.

use crate::model::providers::Limits;
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
/// Memory that parts may hold in all, while single ones do not exceed it.
const PARTS_BUDGET_BYTES: u64 = 64 * MIB;

/// How big the parts of an upload may be at a destination, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartLimits {
    /// Least size that we plan, in bytes, but for the last part.
    pub least_bytes: u64,
    /// Greatest size, in bytes.
    pub most_bytes: u64,
    /// Parts of one upload at most.
    pub most_parts: u32,
}

impl PartLimits {
    /// Where nobody sets any.
    pub const NONE: Self = Self {
        least_bytes: LEAST_PART_BYTES,
        most_bytes: u64::MAX,
        most_parts: 10_000,
    };

    /// Those of a provider.
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            least_bytes: LEAST_PART_BYTES.max(limits.min_part_bytes),
            most_bytes: limits.max_part_bytes,
            most_parts: limits.parts,
        }
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            least_bytes: self.least_bytes.max(other.least_bytes),
            most_bytes: self.most_bytes.min(other.most_bytes),
            most_parts: self.most_parts.min(other.most_parts),
        }
    }

    /// Parts that are planned with: the rest is room for growth on the way.
    pub fn planned_parts(self) -> u32 {
        self.most_parts - self.most_parts / 10
    }
}

/// The size of a part, in bytes, where about `total_bytes` are to go in so many `parts`.
pub fn plan_parts(total_bytes: u64, parts: u32, limits: PartLimits) -> u64 {
    total_bytes
        .div_ceil(u64::from(parts.max(1)))
        .next_multiple_of(limits.least_bytes.clamp(1, MIB))
        .max(limits.least_bytes)
        .min(limits.most_bytes)
}

/// How many parts of this size may be on their way at once: near a fixed budget of memory until single
/// parts exceed it.
pub fn parts_in_flight(part_bytes: u64) -> usize {
    let fitting = (PARTS_BUDGET_BYTES / part_bytes.max(1)).clamp(2, 5) - 1;
    usize::try_from(fitting).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;

    #[test]
    fn parts_grow_with_the_object_and_fit_the_limits_of_every_provider() {
        for provider in Provider::all() {
            let limits = PartLimits::of(&provider.preset().limits);
            let plan = |total| plan_parts(total, limits.planned_parts(), limits);
            assert_eq!(plan(0), 8 * MIB, "{provider:?}");
            assert_eq!(plan(5 << 30), 8 * MIB, "{provider:?}");
            for total in [1_u64 << 36, 1 << 40, 4 << 40] {
                let part_bytes = plan(total);
                let parts = total.div_ceil(part_bytes);
                assert!(parts <= u64::from(limits.planned_parts()), "{provider:?}");
                assert!(part_bytes <= limits.most_bytes, "{provider:?}");
                assert!(part_bytes.is_multiple_of(MIB), "{provider:?}");
            }
        }
    }

    #[test]
    fn few_big_parts_are_on_their_way_at_once() {
        let at_once = [8 * MIB, 13 * MIB, 32 * MIB, 64 * MIB, 1 << 30].map(parts_in_flight);
        assert_eq!(at_once, [4, 3, 1, 1, 1]);
    }
}
