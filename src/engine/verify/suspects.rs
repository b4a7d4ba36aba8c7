//! Names bytes that changed although every entry among them reads back right: in how a content is
//! packed, in the time of a header, or in what belongs to no file.
//!
//! Read again only where a span's hash differs and nothing else tells why.

use super::directory::{Directory, Item, Standing};
use super::findings::{Findings, bytes_name};
use super::repacked::is_packed_the_same;
use super::source::Source;
use crate::engine::error::EngineError;
use std::ops::Range;

/// So many names at most in one reason.
const MOST_NAMED: usize = 5;

/// Names what changed in a span whose hash differs.
pub(super) fn name(
    source: &mut Source,
    directory: &Directory,
    standings: &[Standing],
    span: &Range<u64>,
    findings: &mut Findings,
) -> Result<(), EngineError> {
    let from = directory
        .items
        .partition_point(|item| item.extent.end <= span.start);
    let within = || {
        let items = directory.items.iter().zip(standings).skip(from);
        items.take_while(|(item, _)| item.extent.start < span.end)
    };
    if within().any(|(_, standing)| *standing == Standing::Damaged) {
        return Ok(());
    }
    let mut packed_otherwise = Vec::new();
    for (item, _) in within() {
        if let Some(record) = directory.record(item)
            && !is_packed_the_same(source, record)?
        {
            packed_otherwise.push(item);
        }
    }
    let older: Vec<&Item> = within()
        .filter(|(_, standing)| **standing == Standing::OtherTime)
        .map(|(item, _)| item)
        .collect();
    let dead = dead_ranges(span, within().map(|(item, _)| &item.extent));
    match (&packed_otherwise[..], &older[..], &dead[..]) {
        ([one], _, _) => findings.add(
            directory.name(one),
            "bytes of it have changed, though its content still reads back right",
        ),
        ([], [], [_, ..]) => {
            for range in &dead {
                let reason = "bytes among these have changed; they belong to no file";
                findings.add(&bytes_name(range), reason);
            }
        }
        ([], [one], []) => findings.add(
            directory.name(one),
            "the time in its header has changed; its content reads back right",
        ),
        _ => findings.add(
            &bytes_name(span),
            several(directory, packed_otherwise.iter().chain(&older)),
        ),
    }
    Ok(())
}

fn several<'a>(directory: &Directory, items: impl Iterator<Item = &'a &'a Item>) -> String {
    let mut names: Vec<String> = items
        .take(MOST_NAMED + 1)
        .map(|item| format!("“{}”", directory.name(item)))
        .collect();
    if names.len() > MOST_NAMED {
        names.truncate(MOST_NAMED);
        names.push("others".to_owned());
    }
    let mut reason =
        "bytes among these have changed, though every file in them reads back right".to_owned();
    if !names.is_empty() {
        reason.push_str("; they may be of ");
        reason.push_str(&names.join(", "));
    }
    reason
}

/// What of a span belongs to no item.
fn dead_ranges<'a>(
    span: &Range<u64>,
    extents: impl Iterator<Item = &'a Range<u64>>,
) -> Vec<Range<u64>> {
    let mut dead = Vec::new();
    let mut from = span.start;
    for extent in extents {
        if extent.start > from {
            dead.push(from..extent.start);
        }
        from = from.max(extent.end);
    }
    if from < span.end {
        dead.push(from..span.end);
    }
    dead
}
