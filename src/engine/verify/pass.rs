//! `Pass`: reads everything before the manifest once, in the order of offsets; checks each entry
//! against directory and lists, and each span against its hash.

use super::directory::{Directory, Expected, Item, Standing};
use super::findings::{Findings, THE_MANIFEST};
use super::source::Source;
use crate::archive::{Flaw, HeaderFit, Inspector};
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::model::{EntryKind, Manifest, Span};
use std::ops::Range;

/// One reading of an archive.
pub(super) struct Pass<'a> {
    pub(super) source: &'a mut Source,
    pub(super) directory: &'a Directory,
    pub(super) meter: &'a Meter,
    pub(super) findings: &'a mut Findings,
    pub(super) headers: Headers,
}

/// Whether a local header may have another time than the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Headers {
    /// It may: an earlier backup or an interrupted run may have sent it.
    MayBeOlder,
    /// All bytes are of this backup.
    AreOfNow,
}

impl Headers {
    /// What an archive says of them; nothing is held against one that says nothing.
    pub(super) fn of(manifest: Option<&Manifest>) -> Self {
        match manifest {
            Some(manifest) if manifest.generation == 0 && !manifest.older_headers => Self::AreOfNow,
            _ => Self::MayBeOlder,
        }
    }
}

/// What a reading found.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Bytes of content that were compared.
    pub(super) content_bytes: u64,
    /// Spans whose bytes are not what their hash says.
    pub(super) bad_spans: Vec<Range<u64>>,
}

/// The span that is being read.
struct SpanCheck<'a> {
    left: std::slice::Iter<'a, Span>,
    current: Option<(Range<u64>, &'a Span)>,
    hasher: blake3::Hasher,
}

/// The item that is being read.
struct ItemCheck<'a> {
    left: std::iter::Enumerate<std::slice::Iter<'a, Item>>,
    current: Option<(usize, &'a Item)>,
    inspector: Inspector,
}

/// The spans, if they can be what we wrote: in order, apart, before the manifest.
fn spans_of<'a>(manifest: Option<&'a Manifest>, end: u64, findings: &mut Findings) -> &'a [Span] {
    let Some(manifest) = manifest else {
        return &[];
    };
    let mut from = 0;
    for span in &manifest.spans {
        let to = span.offset.checked_add(span.bytes);
        let is_apart = span.bytes > 0 && span.offset >= from;
        let Some(to) = to.filter(|to| is_apart && *to <= end) else {
            findings.add(THE_MANIFEST, "the places of its hashes make no sense");
            return &[];
        };
        from = to;
    }
    &manifest.spans
}

impl Pass<'_> {
    /// Reads up to `end`. Gives what it found, and the standing of every item.
    pub(super) fn run(
        mut self,
        manifest: Option<&Manifest>,
        end: u64,
    ) -> Result<(Read, Vec<Standing>), EngineError> {
        let directory = self.directory;
        let mut standings: Vec<_> = directory.items.iter().map(|item| item.standing).collect();
        let mut read = Read::default();
        let mut spans = SpanCheck::new(spans_of(manifest, end, self.findings));
        let mut items = ItemCheck::new(directory);
        items.begin(directory, self.meter);
        let mut position = 0;
        while let Some((start, stop)) = next_range(position, spans.range(), items.range()) {
            let bytes = self.source.next(start, stop)?;
            position = start + bytes.len() as u64;
            spans.feed(start, &bytes);
            let content_bytes = items.feed(start, &bytes, directory);
            self.meter.add_bytes(content_bytes);
            read.content_bytes += content_bytes;
            if let Some(bad) = spans.end_at(position) {
                read.bad_spans.push(bad);
            }
            while let Some((at, standing)) = items.end_at(position, &mut self) {
                standings[at] = standing;
                items.begin(directory, self.meter);
            }
        }
        Ok((read, standings))
    }

    /// Judges an entry whose bytes have all passed.
    fn judge(&mut self, item: &Item, inspector: &mut Inspector) -> Standing {
        let verdict = inspector.end();
        let mut flaw = verdict.flaw;
        if verdict.header == HeaderFit::OtherTime && self.headers == Headers::AreOfNow {
            flaw = flaw.or(Some(Flaw::Header));
        }
        let is_other = match item.expected {
            Expected::Hash(hash) => hash != *verdict.blake3.as_bytes(),
            Expected::Unknown | Expected::Otherwise | Expected::Same => false,
        };
        let reason = match flaw {
            Some(flaw) => flaw.reason(),
            None if is_other => "its content is not what was backed up",
            None if verdict.header == HeaderFit::OtherTime => return Standing::OtherTime,
            None => return Standing::Fine,
        };
        self.findings.add(self.directory.name(item), reason);
        Standing::Damaged
    }
}

/// What to read next: from where it is wanted again to where that changes.
fn next_range(
    position: u64,
    span: Option<Range<u64>>,
    item: Option<Range<u64>>,
) -> Option<(u64, u64)> {
    let wanted = [span, item].into_iter().flatten();
    let start = wanted
        .clone()
        .map(|range| range.start.max(position))
        .min()?;
    let bounds = wanted.flat_map(|range| [range.start, range.end]);
    let stop = bounds.filter(|bound| *bound > start).min()?;
    Some((start, stop))
}

impl<'a> SpanCheck<'a> {
    fn new(spans: &'a [Span]) -> Self {
        let mut check = Self {
            left: spans.iter(),
            current: None,
            hasher: blake3::Hasher::new(),
        };
        check.begin();
        check
    }

    fn begin(&mut self) {
        self.hasher.reset();
        let next = self.left.next();
        self.current = next.map(|span| (span.offset..span.offset.saturating_add(span.bytes), span));
    }

    fn range(&self) -> Option<Range<u64>> {
        self.current.as_ref().map(|(range, _)| range.clone())
    }

    fn feed(&mut self, start: u64, bytes: &[u8]) {
        if self.range().is_some_and(|range| range.contains(&start)) {
            self.hasher.update(bytes);
        }
    }

    /// Where a span ends here: its range if it is not what its hash says.
    fn end_at(&mut self, position: u64) -> Option<Range<u64>> {
        let (range, span) = self.current.take_if(|(range, _)| range.end == position)?;
        let is_same = *self.hasher.finalize().to_hex() == *span.blake3;
        self.begin();
        (!is_same).then_some(range)
    }
}

impl<'a> ItemCheck<'a> {
    fn new(directory: &'a Directory) -> Self {
        Self {
            left: directory.items.iter().enumerate(),
            current: None,
            inspector: Inspector::default(),
        }
    }

    /// Goes on with the next item that was not found damaged before.
    fn begin(&mut self, directory: &Directory, meter: &Meter) {
        self.current = None;
        for (at, item) in self.left.by_ref() {
            if item.standing == Standing::Damaged {
                continue;
            }
            if let Some(record) = directory.record(item) {
                meter.working_on(&record.meta.name);
                self.inspector.begin(record);
                self.current = Some((at, item));
                return;
            }
        }
    }

    fn range(&self) -> Option<Range<u64>> {
        self.current.map(|(_, item)| item.extent.clone())
    }

    /// Gives how many bytes of the person's content were in them.
    fn feed(&mut self, start: u64, bytes: &[u8], directory: &Directory) -> u64 {
        let mut content_bytes = 0;
        if let Some((_, item)) = self.current
            && item.extent.contains(&start)
        {
            let inspector = &mut self.inspector;
            inspector.feed(bytes, &mut |content| content_bytes += content.len() as u64);
            if directory.is_own(item) {
                content_bytes = 0;
            }
        }
        content_bytes
    }

    /// Where an item ends here: how it stands.
    fn end_at(&mut self, position: u64, pass: &mut Pass<'_>) -> Option<(usize, Standing)> {
        let (at, item) = self
            .current
            .take_if(|(_, item)| item.extent.end == position)?;
        let standing = pass.judge(item, &mut self.inspector);
        let is_file = matches!(item.expected, Expected::Hash(_))
            && pass.directory.record(item).map(|record| record.meta.kind) == Some(EntryKind::File);
        if is_file {
            pass.meter.add_file();
        }
        Some((at, standing))
    }
}
