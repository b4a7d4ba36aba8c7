//! Which bytes of an archive a restore asks for, in which requests.

use std::ops::Range;

/// Bytes between two entries that are fetched along rather than asking twice.
const BRIDGED_BYTES: u64 = 64 * 1024;
/// The most bytes in one request; an entry that is longer comes in several.
pub(super) const REQUEST_BYTES: u64 = 2 * 1024 * 1024;

/// What is fetched together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// In the archive; of one request, unless a single entry is longer than that.
    pub(super) range: Range<u64>,
    /// Positions of the extents that lie in it.
    pub(super) members: Range<usize>,
}

/// Puts extents together that stand near each other. They must be in the order of the archive and not
/// overlap.
pub(super) fn group(extents: &[Range<u64>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (position, extent) in extents.iter().enumerate() {
        match groups.last_mut() {
            Some(last)
                if extent.start.saturating_sub(last.range.end) <= BRIDGED_BYTES
                    && extent.end.saturating_sub(last.range.start) <= REQUEST_BYTES =>
            {
                last.range.end = extent.end;
                last.members.end = position + 1;
            }
            _ => groups.push(Group {
                range: extent.clone(),
                members: position..position + 1,
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_share_a_request_and_what_is_far_or_long_does_not() {
        let quarter = REQUEST_BYTES / 4;
        let extents = [
            0..quarter,
            quarter..2 * quarter,
            2 * quarter + BRIDGED_BYTES..3 * quarter,
            4 * quarter..5 * quarter,
            5 * quarter..30 * quarter,
            30 * quarter..31 * quarter,
        ];
        let groups = group(&extents);
        let members: Vec<_> = groups.iter().map(|group| group.members.clone()).collect();
        assert_eq!(members, [0..3, 3..4, 4..5, 5..6]);
    }

    proptest! {
        #[test]
        fn every_extent_is_in_exactly_one_group(
            steps in proptest::collection::vec((0_u64..100_000, 1_u64..20_000_000), 0..60),
        ) {
            let mut at = 0;
            let extents: Vec<Range<u64>> = steps
                .into_iter()
                .map(|(gap, length)| {
                    let start = at + gap;
                    at = start + length;
                    start..at
                })
                .collect();
            let groups = group(&extents);
            let members: Vec<usize> = groups.iter().flat_map(|group| group.members.clone()).collect();
            prop_assert_eq!(members, (0..extents.len()).collect::<Vec<_>>());
            for group in &groups {
                let own = &extents[group.members.clone()];
                prop_assert_eq!(own.first().map(|first| first.start), Some(group.range.start));
                prop_assert_eq!(own.last().map(|last| last.end), Some(group.range.end));
                prop_assert!(own.len() == 1 || group.range.end - group.range.start <= REQUEST_BYTES);
            }
        }
    }
}
