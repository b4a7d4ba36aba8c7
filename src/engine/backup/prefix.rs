//! `Prefix`: what a new archive takes over from an earlier one, and by which copies at the destination.

use crate::archive::EntryRecord;
use crate::model::Span;
use crate::storage::PartPlace;
use serde::{Deserialize, Serialize};
use std::ops::Range;

const MIB: u64 = 1024 * 1024;
/// Parts but the last may not be smaller at any provider, and AWS copies ranges only of objects
/// above it (`UploadPartCopy`).
const LEAST_PIECE_BYTES: u64 = 5 * MIB;
/// What one request copies: big enough for few requests, small enough for several at once and for a
/// deadline.
const PIECE_BYTES: u64 = 64 * MIB;
/// Of the parts that an upload may have, this share at most is planned as copies.
const MOST_PIECES_PERCENT: u32 = 40;
/// Dead bytes between two live runs that are copied along rather than splitting the run.
const BRIDGED_BYTES: u64 = 64 * 1024;
/// Above this share of dead bytes only what lives is taken over.
const MOST_DEAD_PERCENT: u64 = 25;

/// What a new archive takes over from an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Prefix {
    /// What is taken over, in order.
    runs: Vec<Run>,
    /// What the destination copies, in order.
    pieces: Vec<Piece>,
    /// What must be fetched and sent again, because it does not fill a uniform part.
    carried: Option<Range<u64>>,
}

/// Bytes of the earlier archive that stand together in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    old: Range<u64>,
    new_offset: u64,
}

/// What one request copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) place: PiecePlace,
    /// In the earlier archive.
    pub(super) old: Range<u64>,
}

/// Like a [`PartPlace`], to be kept in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PiecePlace {
    number: u32,
    offset: u64,
}

impl From<PiecePlace> for PartPlace {
    fn from(place: PiecePlace) -> Self {
        Self {
            number: place.number,
            offset: place.offset,
        }
    }
}

/// Whether so few of these bytes live that the others should not be carried on.
pub(super) fn has_too_many_dead(bytes: u64, live_bytes: u64) -> bool {
    let dead_bytes = u128::from(bytes.saturating_sub(live_bytes));
    dead_bytes * 100 > u128::from(bytes) * u128::from(MOST_DEAD_PERCENT)
}

/// What becomes of dead bytes between live ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeadBytes {
    /// A few may be copied along.
    Bridged,
    /// None may.
    LeftOut,
}

impl Prefix {
    /// How many copies are planned where an upload may have so many parts.
    pub(super) fn most_pieces(most_parts: u32) -> u32 {
        (most_parts / 100 * MOST_PIECES_PERCENT).max(1)
    }

    /// Takes over the first `bytes`; `None` where they are too few to be copied.
    pub(super) fn whole(bytes: u64, most_pieces: u32) -> Option<Self> {
        Self::of_runs(std::iter::once(0..bytes), most_pieces)
    }

    /// Takes over the first `bytes` in parts of one size.
    pub(super) fn uniform(bytes: u64, part_bytes: u64) -> Option<Self> {
        let copied = bytes / part_bytes * part_bytes;
        let mut prefix = Self {
            runs: vec![Run {
                old: 0..bytes,
                new_offset: 0,
            }],
            pieces: Vec::new(),
            carried: (copied < bytes).then_some(copied..bytes),
        };
        let starts = (0..copied).step_by(usize::try_from(part_bytes).ok()?);
        for start in starts {
            prefix.push_piece(start..start + part_bytes)?;
        }
        (!prefix.pieces.is_empty()).then_some(prefix)
    }

    /// Takes over only what lives: `live` are the places of all entries that are still wanted. What
    /// stands alone in short runs is left out, to be sent again. `None` where nothing can be copied, or only
    /// in far more pieces than `most_pieces`.
    pub(super) fn live(
        mut live: Vec<Range<u64>>,
        dead: DeadBytes,
        most_pieces: u32,
    ) -> Option<Self> {
        live.sort_unstable_by_key(|extent| extent.start);
        let without = joined(live, 0);
        let runs = match dead {
            DeadBytes::LeftOut => without,
            DeadBytes::Bridged => {
                let bridged = joined(without.iter().cloned(), BRIDGED_BYTES);
                // Many short gaps would be copied along by every backup from now on.
                if has_too_many_dead(total_bytes(&bridged), total_bytes(&without)) {
                    without
                } else {
                    bridged
                }
            }
        };
        Self::of_runs(runs, most_pieces)
    }

    fn of_runs(runs: impl IntoIterator<Item = Range<u64>>, most_pieces: u32) -> Option<Self> {
        let worth = |run: &Range<u64>| run.end - run.start >= LEAST_PIECE_BYTES;
        let runs: Vec<_> = runs.into_iter().filter(worth).collect();
        let total_bytes = total_bytes(&runs);
        // Whole MiB, so that stores that keep blocks can share them.
        let piece_bytes =
            PIECE_BYTES.max((total_bytes / u64::from(most_pieces.max(1))).next_multiple_of(MIB));
        let mut prefix = Self::default();
        for old in runs {
            prefix.runs.push(Run {
                old: old.clone(),
                new_offset: prefix.copied_bytes(),
            });
            let mut from = old.start;
            while from < old.end {
                let rest_bytes = old.end - from;
                // The last piece must not be too short: it takes what would be left over.
                let to = if rest_bytes < piece_bytes + LEAST_PIECE_BYTES {
                    old.end
                } else {
                    from + piece_bytes
                };
                prefix.push_piece(from..to)?;
                from = to;
            }
        }
        // Each run has at least one: what must be sent needs parts too.
        let has_room = prefix.pieces.len() as u64 <= 2 * u64::from(most_pieces);
        (has_room && !prefix.pieces.is_empty()).then_some(prefix)
    }

    fn push_piece(&mut self, old: Range<u64>) -> Option<()> {
        let place = PiecePlace {
            number: u32::try_from(self.pieces.len() + 1).ok()?,
            offset: self.copied_bytes(),
        };
        self.pieces.push(Piece { place, old });
        Some(())
    }

    fn copied_bytes(&self) -> u64 {
        let end = |piece: &Piece| piece.place.offset + (piece.old.end - piece.old.start);
        self.pieces.last().map_or(0, end)
    }

    /// What the destination copies, in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many requests copy it.
    pub(super) fn copies(&self) -> u32 {
        u32::try_from(self.pieces.len()).unwrap_or(u32::MAX)
    }

    /// What must be fetched and sent again, in the earlier archive.
    pub(super) fn carried(&self) -> Option<Range<u64>> {
        self.carried.clone()
    }

    /// How many bytes that is.
    pub(super) fn carried_bytes(&self) -> u64 {
        self.carried
            .as_ref()
            .map_or(0, |carried| carried.end - carried.start)
    }

    /// How long the new archive is with all of this.
    pub(super) fn bytes(&self) -> u64 {
        self.copied_bytes() + self.carried_bytes()
    }

    /// Where in the new archive these bytes of the earlier one are; `None` if they are left out.
    fn moved(&self, old: Range<u64>) -> Option<u64> {
        let after = self.runs.partition_point(|run| run.old.start <= old.start);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (old.end <= run.old.end).then(|| run.new_offset + (old.start - run.old.start))
    }

    /// A record of the earlier archive as it is in the new one; `None` if its entry is left out.
    pub(super) fn record(&self, record: EntryRecord) -> Option<EntryRecord> {
        let from = record.header_offset;
        let header_offset = self.moved(from..from.saturating_add(record.extent_bytes()))?;
        Some(EntryRecord {
            header_offset,
            ..record
        })
    }

    /// Whether everything stands where it stood.
    pub(super) fn keeps_places(&self) -> bool {
        self.runs.len() == 1 && self.runs[0].old.start == self.runs[0].new_offset
    }

    /// The hashes that still hold.
    pub(super) fn spans(&self, spans: &[Span]) -> Vec<Span> {
        let moved = |span: &Span| {
            let end = span.offset.saturating_add(span.bytes);
            let offset = self.moved(span.offset..end)?;
            Some(Span {
                offset,
                ..span.clone()
            })
        };
        spans.iter().filter_map(moved).collect()
    }
}

/// Extents in order of their starts, those in one that have no longer gap between them.
fn joined(extents: impl IntoIterator<Item = Range<u64>>, most_gap_bytes: u64) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for extent in extents {
        match runs.last_mut() {
            Some(run) if extent.start <= run.end.saturating_add(most_gap_bytes) => {
                run.end = run.end.max(extent.end);
            }
            _ => runs.push(extent),
        }
    }
    runs
}

fn total_bytes(runs: &[Range<u64>]) -> u64 {
    runs.iter().map(|run| run.end - run.start).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lengths(prefix: &Prefix) -> Vec<u64> {
        let pieces = prefix.pieces.iter();
        pieces
            .map(|piece| piece.old.end - piece.old.start)
            .collect()
    }

    /// As where an upload may have 10,000 parts.
    const MOST: u32 = 4_000;

    #[test]
    fn what_is_too_short_for_a_part_is_not_copied() {
        assert_eq!(Prefix::whole(LEAST_PIECE_BYTES - 1, MOST), None);
        assert_eq!(Prefix::uniform(8 * MIB - 1, 8 * MIB), None);
        let lone = vec![0..MIB, 10 * MIB..20 * MIB, 30 * MIB..31 * MIB];
        let prefix = Prefix::live(lone, DeadBytes::LeftOut, MOST).expect("a run");
        assert_eq!(lengths(&prefix), [10 * MIB]);
        assert_eq!(prefix.moved(12 * MIB..13 * MIB), Some(2 * MIB));
        assert_eq!(prefix.moved(0..MIB), None);
        assert!(!prefix.keeps_places());
    }

    #[test]
    fn uniform_parts_leave_a_rest_to_be_sent_again() {
        let prefix = Prefix::uniform(20 * MIB + 3, 8 * MIB).expect("copies");
        assert_eq!(lengths(&prefix), [8 * MIB, 8 * MIB]);
        assert_eq!(prefix.carried(), Some(16 * MIB..20 * MIB + 3));
        assert_eq!(prefix.bytes(), 20 * MIB + 3);
        assert!(prefix.keeps_places());
    }

    #[test]
    fn dead_bytes_are_copied_along_only_where_they_may_be() {
        let live = || vec![0..6 * MIB, 6 * MIB + 1000..20 * MIB];
        let bridged = Prefix::live(live(), DeadBytes::Bridged, MOST).expect("one run");
        assert_eq!(bridged.bytes(), 20 * MIB);
        let without = Prefix::live(live(), DeadBytes::LeftOut, MOST).expect("two runs");
        assert_eq!(without.bytes(), 20 * MIB - 1000);
    }

    #[test]
    fn short_gaps_are_left_out_where_they_are_many() {
        let extents =
            |live_bytes: u64| (0..2000).map(move |at| at * 10_000..at * 10_000 + live_bytes);
        let few =
            Prefix::live(extents(8_000).collect(), DeadBytes::Bridged, MOST).expect("one run");
        assert_eq!(few.bytes(), 19_998_000);
        let long = 20_000_000..20_000_000 + 6 * MIB;
        let live = extents(3_000).chain([long.clone()]).collect();
        let many = Prefix::live(live, DeadBytes::Bridged, MOST).expect("the long run");
        assert_eq!(many.bytes(), 6 * MIB);
        assert_eq!(many.moved(long), Some(0));
    }

    proptest! {
        #[test]
        fn copies_are_whole_and_in_order(
            extents in proptest::collection::vec((0_u64..40 * MIB, 1_u64..300 * MIB), 1..20),
            is_bridged in any::<bool>(),
        ) {
            let mut at = 0;
            let live: Vec<Range<u64>> = extents
                .into_iter()
                .map(|(gap, length)| {
                    let start = at + gap;
                    at = start + length;
                    start..at
                })
                .collect();
            let dead = if is_bridged { DeadBytes::Bridged } else { DeadBytes::LeftOut };
            if let Some(prefix) = Prefix::live(live.clone(), dead, MOST) {
                let mut offset = 0;
                for (number, piece) in (1..).zip(prefix.pieces()) {
                    let length = piece.old.end - piece.old.start;
                    prop_assert_eq!(piece.place, PiecePlace { number, offset });
                    prop_assert!(length >= LEAST_PIECE_BYTES);
                    prop_assert!(length <= 5 << 30);
                    offset += length;
                }
                prop_assert_eq!(offset, prefix.bytes());
                for extent in &live {
                    let is_long = extent.end - extent.start >= LEAST_PIECE_BYTES;
                    prop_assert!(prefix.moved(extent.clone()).is_some() || !is_long);
                }
            }
        }
    }
}
