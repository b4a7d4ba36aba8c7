//! `Directory`: what the central directory of an archive of ours says, ready to be compared.
//!
//! A million entries must fit: beside the directory's own bytes each takes a few words, and its record
//! is read anew when it is needed.

use super::findings::{Findings, THE_DIRECTORY};
use crate::archive::{EntryRecord, RawRecord, Tail, records};
use crate::model::{EntryKind, MANIFEST_PATH, OWN_PREFIX, Totals, count_text};
use std::ops::Range;

/// The central directory, without the manifest's record.
#[derive(Debug)]
pub(super) struct Directory {
    bytes: Vec<u8>,
    /// In the order of their bytes.
    pub(super) items: Vec<Item>,
    /// The last record, if it is the manifest's.
    pub(super) manifest: Option<EntryRecord>,
    /// Sums over all but zipkeep's own.
    pub(super) totals: Totals,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Item {
    record_at: usize,
    /// Where it stands, from its local header to its descriptor.
    pub(super) extent: Range<u64>,
    pub(super) expected: Expected,
    pub(super) standing: Standing,
}

/// What the lists say of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing.
    Unknown,
    /// Something else than the directory.
    Otherwise,
    /// The same; it has no content to hash.
    Same,
    /// The same, and this BLAKE3 of its content.
    Hash([u8; 32]),
}

/// How far an entry can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is known against it.
    Fine,
    /// Its local header has another time: right if it was changed after its bytes were sent.
    OtherTime,
    /// It was found damaged, and named.
    Damaged,
}

impl Directory {
    /// Takes a directory apart; what makes no sense in it is found damage.
    pub(super) fn read(bytes: Vec<u8>, tail: &Tail, findings: &mut Findings) -> Self {
        let mut directory = Self {
            bytes: Vec::new(),
            items: Vec::new(),
            manifest: None,
            totals: Totals::default(),
        };
        let (mut at, mut count) = (0, 0_u64);
        for raw in records(&bytes) {
            let Ok(raw) = raw else {
                let reason = "it cannot be read further, so what it lists there was not looked at";
                findings.add(THE_DIRECTORY, reason);
                break;
            };
            directory.add(raw, at, findings);
            at += raw.bytes();
            count += 1;
        }
        if count != tail.entries {
            let reason = format!(
                "it has {} records and should have {}",
                count_text(count),
                count_text(tail.entries)
            );
            findings.add(THE_DIRECTORY, reason);
        }
        directory.bytes = bytes;
        directory.items.sort_by_key(|item| item.extent.start);
        directory.find_doubles(findings);
        directory
    }

    fn add(&mut self, raw: RawRecord<'_>, at: usize, findings: &mut Findings) {
        // Only the last record can be the manifest's.
        if let Some(early) = self.manifest.take() {
            findings.add(&early.meta.name, "it is not the last entry");
        }
        let Some(record) = raw.parse(None) else {
            let name = raw.name().unwrap_or(THE_DIRECTORY);
            findings.add(name, "its record in the archive's directory is damaged");
            return;
        };
        if record.meta.name == MANIFEST_PATH {
            self.manifest = Some(record);
            return;
        }
        if !record.meta.name.starts_with(OWN_PREFIX) {
            match record.meta.kind {
                EntryKind::File => {
                    self.totals.files += 1;
                    self.totals.bytes = self.totals.bytes.saturating_add(record.size_bytes);
                }
                EntryKind::Directory => self.totals.directories += 1,
                EntryKind::Symlink => self.totals.symlinks += 1,
            }
        }
        let start = record.header_offset;
        self.items.push(Item {
            record_at: at,
            extent: start..start.saturating_add(record.extent_bytes()),
            expected: Expected::Unknown,
            standing: Standing::Fine,
        });
    }

    /// Its own bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the directory says of an item.
    pub(super) fn raw(&self, item: &Item) -> Option<RawRecord<'_>> {
        records(self.bytes.get(item.record_at..)?).next()?.ok()
    }

    /// The record of an item, but for the exact time.
    pub(super) fn record(&self, item: &Item) -> Option<EntryRecord> {
        self.raw(item)?.parse(None)
    }

    /// The name of an item, of a folder with a `/` at the end.
    pub(super) fn name(&self, item: &Item) -> &str {
        self.raw(item).and_then(|raw| raw.name()).unwrap_or("")
    }

    /// Whether an item is zipkeep's own.
    pub(super) fn is_own(&self, item: &Item) -> bool {
        self.name(item).starts_with(OWN_PREFIX)
    }

    /// How many entries it has, zipkeep's own left out.
    pub(super) fn entries(&self) -> u64 {
        self.totals.files + self.totals.directories + self.totals.symlinks
    }

    /// The items whose local headers begin here.
    pub(super) fn at(&self, offset: u64) -> Range<usize> {
        let starts_before = |most: u64| move |item: &Item| item.extent.start < most;
        let from = self.items.partition_point(starts_before(offset));
        let to = self.items[from..]
            .iter()
            .take_while(|item| item.extent.start == offset)
            .count();
        from..from + to
    }

    /// Names that stand in it twice.
    fn find_doubles(&self, findings: &mut Findings) {
        let name = |at: &usize| self.name(&self.items[*at]).trim_end_matches('/');
        let mut by_name: Vec<usize> = (0..self.items.len()).collect();
        by_name.sort_unstable_by(|one, other| name(one).cmp(name(other)));
        for pair in by_name.windows(2) {
            if name(&pair[0]) == name(&pair[1]) {
                findings.add(name(&pair[0]), "it stands in the archive twice");
            }
        }
    }

    /// Finds entries that share bytes, or that reach beyond `end`, where entries end.
    pub(super) fn check_places(&mut self, end: u64, findings: &mut Findings) {
        let mut last: Option<usize> = None;
        for at in 0..self.items.len() {
            let extent = self.items[at].extent.clone();
            let before = last.filter(|last| extent.start < self.items[*last].extent.end);
            let name = self.name(&self.items[at]);
            if let Some(before) = before {
                let other = self.name(&self.items[before]);
                findings.add(name, format!("it shares bytes with “{other}”"));
            } else if extent.end > end {
                findings.add(name, "it does not fit into the archive");
            } else {
                last = Some(at);
                continue;
            }
            self.items[at].standing = Standing::Damaged;
            if let Some(before) = before {
                self.items[before].standing = Standing::Damaged;
            }
        }
    }
}
