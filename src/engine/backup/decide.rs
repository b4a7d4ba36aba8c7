//! What is to be done with each thing that the walk found, by what is known of it.

use crate::archive::EntryRecord;
use crate::engine::backup::index::IndexEntry;
use crate::engine::backup::scan::{FileIdentity, FileState, SourceEntry};
use crate::model::EntryKind;

/// What is to be done with something that the walk found.
#[derive(Debug)]
pub(super) enum Decision {
    /// The archive has it just so.
    Keep(Box<IndexEntry>),
    /// The archive has its content; its time or permissions changed.
    Touch(Box<IndexEntry>),
    /// The archive may have its content: it must be read and compared.
    Compare(Box<IndexEntry>),
    /// The archive does not have it.
    New,
}

/// A file above this whose time changed is sent without being compared first: it would be read twice,
/// and all others wait meanwhile.
pub(super) const COMPARED_BYTES: u64 = 64 * 1024 * 1024;

/// Decides what is to be done with `source`, given what is known of its name.
pub(super) fn decide(source: &SourceEntry, known: Option<IndexEntry>) -> Decision {
    let Some(known) = known.filter(|known| is_named_so(known, source)) else {
        return Decision::New;
    };
    let known = Box::new(known);
    let is_untouched = has_state(&known, &source.state);
    let has_other_time = known.record.meta.modified_ns != source.state.modified_ns;
    match source.kind {
        EntryKind::Directory if is_untouched => Decision::Keep(known),
        EntryKind::Directory => touched(&known, source, source.state.identity),
        EntryKind::File if known.record.size_bytes != source.state.size_bytes => Decision::New,
        EntryKind::File | EntryKind::Symlink
            if is_untouched && known.identity == source.state.identity =>
        {
            Decision::Keep(known)
        }
        EntryKind::File if source.state.size_bytes > COMPARED_BYTES && has_other_time => {
            Decision::New
        }
        EntryKind::File | EntryKind::Symlink => Decision::Compare(known),
    }
}

/// Whether what is known is of the same kind, and of the very name that the archive would give it now: how
/// an odd name is escaped depends on what stands beside it.
fn is_named_so(known: &IndexEntry, source: &SourceEntry) -> bool {
    let meta = &known.record.meta;
    let name = match meta.kind {
        EntryKind::Directory => meta.name.strip_suffix('/').unwrap_or(&meta.name),
        EntryKind::File | EntryKind::Symlink => &meta.name,
    };
    (meta.kind, name, &meta.raw_name) == (source.kind, source.name.text.as_str(), &source.name.raw)
}

/// What is to be done once the content was compared and is the same. `identity` is what tells next time
/// that nothing changed.
pub(super) fn after_comparing(
    known: Box<IndexEntry>,
    source: &SourceEntry,
    identity: Option<FileIdentity>,
) -> Decision {
    if has_state(&known, &source.state) {
        let mut known = known;
        known.identity = identity;
        Decision::Keep(known)
    } else {
        touched(&known, source, identity)
    }
}

fn has_state(known: &IndexEntry, state: &FileState) -> bool {
    let meta = &known.record.meta;
    (meta.modified_ns, meta.mode) == (state.modified_ns, state.mode)
}

/// The same content with other metadata, where its local header can stay as it is.
fn touched(known: &IndexEntry, source: &SourceEntry, identity: Option<FileIdentity>) -> Decision {
    let mut record: EntryRecord = known.record.clone();
    record.meta.modified_ns = source.state.modified_ns;
    record.meta.mode = source.state.mode;
    // The length of the local header must not seem another than it is.
    if record.extent_bytes() != known.record.extent_bytes() {
        return Decision::New;
    }
    Decision::Touch(Box::new(IndexEntry {
        record,
        identity,
        ..known.clone()
    }))
}
