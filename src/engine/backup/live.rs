//! Which bytes of an archive live: where its entries stand, all of them or those still as they were.

use crate::engine::backup::attempt::Job;
use crate::engine::backup::base::Base;
use crate::engine::backup::decide::{Decision, decide};
use crate::engine::backup::index::{IndexEntry, Known};
use crate::engine::backup::scan::Found;
use crate::engine::error::EngineError;
use std::ops::Range;

fn extent_of(entry: &IndexEntry) -> Range<u64> {
    let from = entry.record.header_offset;
    from..from.saturating_add(entry.record.extent_bytes())
}

/// Where all entries of an archive stand.
pub(super) fn all(base: &Base) -> Result<Vec<Range<u64>>, EngineError> {
    let entries = base.index.read().map_err(EngineError::OwnData)?;
    entries
        .map(|entry| entry.map(|entry| extent_of(&entry)))
        .collect::<Result<_, _>>()
        .map_err(EngineError::OwnData)
}

/// Which entries count as taken over, as far as a walk tells that opens no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Those that surely will be.
    Sure,
    /// Also those that look the same, and may turn out to be others.
    Likely,
}

/// Where the entries stand that will be taken over.
pub(super) fn unchanged(
    job: &Job,
    base: &Base,
    certainty: Certainty,
) -> Result<Vec<Range<u64>>, EngineError> {
    let reader = base.index.read().map_err(EngineError::OwnData)?;
    let mut known = Known::new(vec![(reader, None)]);
    let mut live = Vec::new();
    let mut take = |found| {
        let Found::Entry(source) = found else {
            return Ok(());
        };
        let name = source.name.raw.as_deref();
        let entry = known
            .find(name.unwrap_or(source.name.text.as_bytes()))
            .map_err(EngineError::OwnData)?;
        match (decide(&source, entry), certainty) {
            (Decision::Keep(entry) | Decision::Touch(entry), _)
            | (Decision::Compare(entry), Certainty::Likely) => live.push(extent_of(&entry)),
            (Decision::Compare(_), Certainty::Sure) | (Decision::New, _) => {}
        }
        Ok(())
    };
    job.meter.find_anew();
    job.sources.walk(&job.context, &job.meter, &mut take)?;
    Ok(live)
}
