//! `Findings`: what a verification found to be damaged, named for people.

use crate::model::{Warning, count_text};
use std::ops::Range;

/// The end records and the seal.
pub(super) const THE_END: &str = "the end of the archive";
/// The central directory.
pub(super) const THE_DIRECTORY: &str = "the directory of the archive";
/// The manifest.
pub(super) const THE_MANIFEST: &str = "the manifest";

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    damaged: Vec<Warning>,
}

impl Findings {
    /// Adds what is wrong with an entry or another place.
    pub(super) fn add(&mut self, place: &str, reason: impl Into<String>) {
        self.damaged.push(Warning {
            path: place.to_owned(),
            reason: reason.into(),
        });
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.damaged.is_empty()
    }

    /// Everything, by name.
    pub(super) fn into_damaged(mut self) -> Vec<Warning> {
        let by_name = |one: &Warning, other: &Warning| one.path.cmp(&other.path);
        self.damaged.sort_by(by_name);
        self.damaged
    }
}

/// Names bytes by their offsets, the first and the last.
pub(super) fn bytes_name(range: &Range<u64>) -> String {
    let last = range.end.saturating_sub(1).max(range.start);
    format!("bytes {} to {}", count_text(range.start), count_text(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_named_by_the_first_and_the_last() {
        assert_eq!(bytes_name(&(0..1)), "bytes 0 to 0");
        assert_eq!(bytes_name(&(999..1_000_001)), "bytes 999 to 1,000,000");
    }
}
