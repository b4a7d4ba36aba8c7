//! Compares the lists of entries with the directory, line by line as they come.

use super::directory::{Directory, Expected, Item, Standing};
use super::findings::{Findings, THE_MANIFEST};
use super::source::Source;
use crate::archive::Inspector;
use crate::engine::error::EngineError;
use crate::engine::hex::{from_hex, to_hex};
use crate::model::{Entry, EntryKind, Manifest, OWN_PREFIX};

/// A line is refused beyond this: an entry's name has at most 64 KiB.
const MOST_LINE_BYTES: usize = 1024 * 1024;

/// Reads all lists, and notes what they say of each entry.
pub(super) fn compare(
    source: &mut Source,
    directory: &mut Directory,
    manifest: &Manifest,
    findings: &mut Findings,
) -> Result<(), EngineError> {
    let mut are_whole = true;
    for name in &manifest.entry_lists {
        are_whole &= read_list(source, directory, manifest, name, findings)?;
    }
    let mut items = std::mem::take(&mut directory.items);
    for item in &mut items {
        if !are_whole {
            // A damaged list says nothing against an entry.
            item.expected = Expected::Unknown;
            continue;
        }
        let reason = match item.expected {
            Expected::Unknown if !directory.is_own(item) => "the backup's lists do not describe it",
            Expected::Otherwise => "the backup's list describes it differently",
            _ => continue,
        };
        if item.standing != Standing::Damaged {
            item.standing = Standing::Damaged;
            findings.add(directory.name(item), reason);
        }
    }
    directory.items = items;
    if findings.is_empty() && directory.totals != manifest.totals {
        let reason = "it counts other files, folders or bytes than the directory has";
        findings.add(THE_MANIFEST, reason);
    }
    Ok(())
}

/// Reads one list; tells whether it is whole.
fn read_list(
    source: &mut Source,
    directory: &mut Directory,
    manifest: &Manifest,
    name: &str,
    findings: &mut Findings,
) -> Result<bool, EngineError> {
    let found = directory
        .items
        .iter()
        .position(|item| item.standing != Standing::Damaged && directory.name(item) == name);
    let Some((at, record)) =
        found.and_then(|at| Some((at, directory.record(&directory.items[at])?)))
    else {
        findings.add(name, "the archive's directory does not have it");
        return Ok(false);
    };
    let stamp = manifest.created.strftime("%Y%m%dT%H%M%SZ");
    let is_of_this_backup = name == format!("{OWN_PREFIX}entries-{stamp}.jsonl");
    let mut lines = Lines::default();
    let mut missing = Vec::new();
    let mut inspector = Inspector::default();
    inspector.begin(record);
    let extent = directory.items[at].extent.clone();
    source.each(extent, &mut |bytes| {
        inspector.feed(bytes, &mut |content| {
            lines.take(content, &mut |entry| {
                let is_known = note(directory, &entry);
                // What an older list describes may be gone.
                if !is_known && is_of_this_backup {
                    missing.push(entry.path);
                }
            });
        });
    })?;
    let flaw = inspector.end().flaw.map(|flaw| flaw.reason().to_owned());
    let flaw = flaw.or_else(|| lines.problem());
    if let Some(reason) = flaw {
        directory.items[at].standing = Standing::Damaged;
        findings.add(name, reason);
        return Ok(false);
    }
    for path in missing {
        findings.add(&path, "the archive's directory does not have it");
    }
    Ok(true)
}

/// Notes what a list says; tells whether the directory has such an entry there.
fn note(directory: &mut Directory, entry: &Entry) -> bool {
    let found = directory.at(entry.header_offset).find(|at| {
        let name = directory.name(&directory.items[*at]);
        name.strip_suffix('/').unwrap_or(name) == entry.path
    });
    let Some(at) = found else {
        return false;
    };
    directory.items[at].expected = expected(directory, &directory.items[at], entry);
    true
}

fn expected(directory: &Directory, item: &Item, entry: &Entry) -> Expected {
    let Some(record) = directory
        .raw(item)
        .and_then(|raw| raw.parse(Some(entry.modified_ns)))
    else {
        return Expected::Otherwise;
    };
    let meta = &record.meta;
    let is_same = meta.kind == entry.kind
        && meta.name.ends_with('/') == (entry.kind == EntryKind::Directory)
        && record.size_bytes == entry.size_bytes
        && entry.mode.is_none_or(|mode| mode == meta.mode)
        && meta.raw_name.as_deref().map(to_hex) == entry.raw_path;
    let hash = entry.blake3.as_deref().map(from_hex);
    match hash.map(|bytes| bytes.and_then(|bytes| bytes.try_into().ok())) {
        _ if !is_same => Expected::Otherwise,
        None => Expected::Same,
        Some(None) => Expected::Otherwise,
        Some(Some(hash)) => Expected::Hash(hash),
    }
}

/// Cuts a content into lines, each an entry.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    problem: Option<String>,
}

impl Lines {
    fn take(&mut self, mut content: &[u8], each: &mut dyn FnMut(Entry)) {
        while self.problem.is_none() && !content.is_empty() {
            let end = content.iter().position(|byte| *byte == b'\n');
            let (line, more) = content.split_at(end.unwrap_or(content.len()));
            self.rest.extend_from_slice(line);
            content = more.get(1..).unwrap_or_default();
            if self.rest.len() > MOST_LINE_BYTES {
                self.problem = Some("a line in it is too long".to_owned());
            } else if end.is_some() {
                match serde_json::from_slice(&self.rest) {
                    Ok(entry) => each(entry),
                    Err(error) => self.problem = Some(format!("it cannot be read: {error}")),
                }
                self.rest.clear();
            }
        }
    }

    fn problem(self) -> Option<String> {
        let is_cut = || (!self.rest.is_empty()).then(|| "it ends within a line".to_owned());
        self.problem.clone().or_else(is_cut)
    }
}
