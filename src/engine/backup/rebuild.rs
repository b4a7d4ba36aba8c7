//! Builds an index anew from what an archive says of itself: its directory and its lists of entries,
//! all of them streams in the order of the walk that are read side by side, so that a million entries
//! need no memory.

use crate::archive::{
    ArchiveError, ContentReader, DirectoryReader, EntryRecord, RawRecord, Tail, walk_order,
};
use crate::engine::backup::index::{ArchiveId, Index, IndexEntry, IndexHead, IndexWriter};
use crate::engine::error::EngineError;
use crate::engine::hex::from_hex;
use crate::model::{Entry, Manifest, OWN_PREFIX};
use crate::storage::{Fault, StorageError};
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

/// The end of an archive of ours, vouched for by its seal.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) tail: Tail,
    /// At its beginning.
    pub(super) directory: File,
    /// Records of zipkeep's own entries.
    pub(super) own: Vec<EntryRecord>,
    pub(super) manifest: Manifest,
}

/// One of the lists that the manifest names.
#[derive(Debug)]
pub(super) struct List {
    pub(super) record: EntryRecord,
    /// Its extent, at its beginning.
    pub(super) extent: File,
}

/// The object is not what this program makes.
pub(super) fn damaged() -> EngineError {
    StorageError::new(Fault::Damaged).into()
}

/// Builds the index, in a file of `folder`. Each entry of the directory must be described by a list as
/// it is; of several lists the last one counts. What is in no such order is not ours.
pub(super) fn rebuild(
    ending: Ending,
    lists: Vec<List>,
    id: ArchiveId,
    folder: &Path,
) -> Result<(Index, IndexHead, Manifest), EngineError> {
    let last = lists.len().saturating_sub(1);
    let mut listed = Vec::new();
    let mut readers = Vec::new();
    for (at, list) in lists.into_iter().enumerate() {
        // Only the first list is ever taken over, so all that matters is what it describes.
        let generation = if at == last && at > 0 {
            ending.manifest.generation
        } else {
            0
        };
        listed.push((list.record.clone(), generation));
        readers.push(ListReader::open(list, generation)?);
    }
    let mut writer = IndexWriter::create(folder).map_err(EngineError::OwnData)?;
    let mut live_bytes: u64 = ending.own.iter().map(EntryRecord::extent_bytes).sum();
    let mut records =
        DirectoryReader::new(BufReader::with_capacity(BUFFER_BYTES, ending.directory));
    let mut last_name = Vec::new();
    while let Some(record) = records.read_next()? {
        let is_own = record.name().ok_or_else(damaged)?.starts_with(OWN_PREFIX);
        if is_own {
            continue;
        }
        let name = record.true_name();
        if walk_order(&last_name, name) != Ordering::Less {
            return Err(damaged());
        }
        name.clone_into(&mut last_name);
        let mut found = None;
        for list in &mut readers {
            if let Some(entry) = list.find(name)? {
                found = Some((entry, list.generation));
            }
        }
        let (entry, generation) = found.ok_or_else(damaged)?;
        let entry = index_entry(record, &entry, generation).ok_or_else(damaged)?;
        live_bytes = live_bytes.saturating_add(entry.record.extent_bytes());
        writer.add(&entry).map_err(EngineError::OwnData)?;
    }
    for list in readers {
        list.read_out()?;
    }
    let index = writer.finish().map_err(EngineError::OwnData)?;
    let sizes = (ending.tail.directory_offset, live_bytes);
    let head = IndexHead::new(id, sizes, listed, &ending.manifest).map_err(EngineError::OwnData)?;
    Ok((index, head, ending.manifest))
}

const BUFFER_BYTES: usize = 256 * 1024;

fn index_entry(record: RawRecord<'_>, entry: &Entry, described: u32) -> Option<IndexEntry> {
    let parsed = record.parse(Some(entry.modified_ns))?;
    let name = parsed.meta.name.as_str();
    let is_same = (parsed.meta.kind, parsed.size_bytes, parsed.header_offset)
        == (entry.kind, entry.size_bytes, entry.header_offset)
        && name.strip_suffix('/').unwrap_or(name) == entry.path
        && parsed.meta.raw_name.is_some() == entry.raw_path.is_some();
    let blake3 = match &entry.blake3 {
        Some(hex) => Some(from_hex(hex)?.try_into().ok()?),
        None => None,
    };
    is_same.then_some(IndexEntry {
        record: parsed,
        blake3,
        identity: None,
        described,
    })
}

/// Reads a list entry by entry.
struct ListReader {
    lines: BufReader<ContentReader<File>>,
    generation: u32,
    line: Vec<u8>,
    /// The true name of the next entry, and itself; `None` after the last.
    next: Option<(Vec<u8>, Entry)>,
}

impl ListReader {
    fn open(list: List, generation: u32) -> Result<Self, EngineError> {
        let content = ContentReader::new(list.record, list.extent);
        let mut reader = Self {
            lines: BufReader::with_capacity(BUFFER_BYTES, content),
            generation,
            line: Vec::new(),
            next: None,
        };
        reader.go_on()?;
        Ok(reader)
    }

    /// What it says of this name. Names must come in the order of the walk.
    fn find(&mut self, name: &[u8]) -> Result<Option<Entry>, EngineError> {
        while let Some((next, _)) = &self.next {
            match walk_order(next, name) {
                Ordering::Less => drop(self.go_on()?),
                Ordering::Equal => return self.go_on(),
                Ordering::Greater => break,
            }
        }
        Ok(None)
    }

    /// Reads what is left: only at its end is it known to be whole.
    fn read_out(mut self) -> Result<(), EngineError> {
        while self.next.is_some() {
            self.go_on()?;
        }
        Ok(())
    }

    /// Reads the next entry, and gives the one before it.
    fn go_on(&mut self) -> Result<Option<Entry>, EngineError> {
        let next = self.read_entry()?;
        let (name, entry) = self.next.take().unzip();
        if let (Some(name), Some((next, _))) = (&name, &next)
            && walk_order(name, next) != Ordering::Less
        {
            return Err(damaged());
        }
        self.next = next;
        Ok(entry)
    }

    fn read_entry(&mut self) -> Result<Option<(Vec<u8>, Entry)>, EngineError> {
        /// An entry's name has at most 64 KiB.
        const MOST_LINE_BYTES: u64 = 1024 * 1024;
        self.line.clear();
        let mut bounded = self.lines.by_ref().take(MOST_LINE_BYTES);
        let read = bounded.read_until(b'\n', &mut self.line);
        read.map_err(ArchiveError::from)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        if self.line.pop() != Some(b'\n') {
            return Err(damaged());
        }
        let entry: Entry = serde_json::from_slice(&self.line)
            .map_err(|error| ArchiveError::from(io::Error::from(error)))?;
        let name = match &entry.raw_path {
            Some(hex) => from_hex(hex).ok_or_else(damaged)?,
            None => entry.path.clone().into_bytes(),
        };
        Ok(Some((name, entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ArchiveWriter, Compressor, ContentWriter, EntryMeta, Method, Sizes};
    use crate::engine::backup::finish::described;
    use crate::model::{Compression, EntryKind, FormatVersion, Os, Totals};
    use jiff::Timestamp;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::io::{Seek as _, Write as _};

    const NOW_NS: i64 = 1_795_334_950_123_456_789;
    const GENERATION: u32 = 7;

    /// Orders as the walk does, by another rule: component by component.
    type Parts = Vec<Vec<u8>>;

    /// What a list says of a name, told apart by a number.
    fn indexed(name: &[u8], number: u32) -> IndexEntry {
        let text = String::from_utf8_lossy(name).replace('\u{fffd}', "_");
        let is_folder = number.is_multiple_of(3);
        IndexEntry {
            record: EntryRecord {
                meta: EntryMeta {
                    name: if is_folder {
                        format!("{text}/")
                    } else {
                        text.clone()
                    },
                    raw_name: (text.as_bytes() != name).then(|| name.to_vec()),
                    kind: if is_folder {
                        EntryKind::Directory
                    } else {
                        EntryKind::File
                    },
                    modified_ns: NOW_NS + i64::from(number),
                    mode: 0o644,
                },
                sizes: Sizes::Before,
                size_bytes: u64::from(number),
                compressed_bytes: u64::from(number / 2),
                method: Method::Deflate,
                crc32: number,
                header_offset: u64::from(number) * 100,
            },
            blake3: (!is_folder).then_some([u8::try_from(number % 256).expect("small"); 32]),
            identity: None,
            described: 0,
        }
    }

    fn line_of(entry: &IndexEntry) -> Vec<u8> {
        let mut line = serde_json::to_vec(&described(entry)).expect("JSON");
        line.push(b'\n');
        line
    }

    fn in_file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file.rewind().expect("rewound");
        file
    }

    fn own_entry(name: &str, content: &[u8]) -> (EntryRecord, Vec<u8>) {
        let meta = EntryMeta {
            name: format!("{OWN_PREFIX}{name}"),
            raw_name: None,
            kind: EntryKind::File,
            modified_ns: 1_795_334_950_000_000_000,
            mode: 0o644,
        };
        let mut extent = Vec::new();
        let mut writer = ArchiveWriter::new(&mut extent);
        let mut compressor = Compressor::new(Compression::Normal);
        let mut entry = ContentWriter::new(&mut writer, &mut compressor, meta, 1 << 20);
        entry.write_all(content).expect("written");
        (entry.finish().expect("finished"), extent)
    }

    /// An archive's end in pieces that can be changed.
    #[derive(Debug, Clone)]
    struct Scene {
        /// Records, one by one.
        directory: Vec<Vec<u8>>,
        /// Lines, one by one.
        lists: Vec<Vec<Vec<u8>>>,
    }

    impl Scene {
        fn rebuild(&self) -> Result<(Vec<IndexEntry>, IndexHead), EngineError> {
            let folder = tempfile::tempdir().expect("a folder");
            let mut directory = self.directory.concat();
            let mut own = Vec::new();
            let mut lists = Vec::new();
            for (at, lines) in self.lists.iter().enumerate() {
                let (record, extent) = own_entry(&at.to_string(), &lines.concat());
                directory.extend(record.central_record());
                own.push(record.clone());
                let extent = in_file(&extent);
                lists.push(List { record, extent });
            }
            let ending = Ending {
                tail: Tail {
                    directory_offset: 1 << 40,
                    directory_bytes: directory.len() as u64,
                    entries: 0,
                },
                directory: in_file(&directory),
                own,
                manifest: manifest(),
            };
            let id = ArchiveId {
                destination: "somewhere".to_owned(),
                key: "a key".to_owned(),
                size_bytes: 1 << 41,
                version: "a tag".to_owned(),
            };
            let (index, head, _) = rebuild(ending, lists, id, folder.path())?;
            let entries = index.read().expect("there").collect::<Result<_, _>>();
            Ok((entries.expect("read"), head))
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            format: FormatVersion { major: 1, minor: 0 },
            program: "zipkeep".to_owned(),
            profile: "p".to_owned(),
            device: "d".to_owned(),
            os: Os::Linux,
            created: Timestamp::UNIX_EPOCH,
            roots: Vec::new(),
            excludes: Vec::new(),
            totals: Totals::default(),
            skipped: Vec::new(),
            generation: GENERATION,
            older_headers: false,
            spans: Vec::new(),
            entry_lists: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Lists of names, each with a number; in the order of the walk.
    fn some_lists() -> impl Strategy<Value = Vec<BTreeMap<Parts, u32>>> {
        let part = vec(
            prop_oneof![Just(b'a'), Just(b'b'), Just(b' '), Just(0xff)],
            1..3,
        );
        let list = btree_map(vec(part, 1..4), 1_u32..1_000, 0..20);
        vec(list, 1..4)
    }

    /// What the last list says of each name; which list that was; whether it is there no more.
    type Expected = BTreeMap<Parts, (IndexEntry, usize, bool)>;

    fn scene_of(lists: &[BTreeMap<Parts, u32>], gone: u32) -> (Scene, Expected) {
        let mut expected = Expected::new();
        let mut described = Vec::new();
        for (at, list) in lists.iter().enumerate() {
            let mut lines = Vec::new();
            for (parts, number) in list {
                let entry = indexed(&parts.join(&b'/'), *number);
                lines.push(line_of(&entry));
                expected.insert(parts.clone(), (entry, at, number % 5 == gone));
            }
            described.push(lines);
        }
        let left = expected.values().filter(|(_, _, is_gone)| !is_gone);
        let scene = Scene {
            directory: left
                .map(|(entry, ..)| entry.record.central_record())
                .collect(),
            lists: described,
        };
        (scene, expected)
    }

    proptest! {
        #[test]
        fn each_entry_is_as_the_last_list_says_and_what_is_gone_is_gone(lists in some_lists(), gone in 0_u32..6) {
            let (scene, expected) = scene_of(&lists, gone);
            let (entries, head) = scene.rebuild().expect("an index");
            let last = lists.len() - 1;
            let left = expected.into_values().filter(|(_, _, is_gone)| !is_gone);
            let left: Vec<_> = left.map(|(entry, at, _)| {
                let described = if at == last && at > 0 { GENERATION } else { 0 };
                IndexEntry { described, ..entry }
            }).collect();
            let own_bytes: u64 = head.lists.iter().map(|(record, _)| record.extent_bytes()).sum();
            let bytes: u64 = left.iter().map(|entry| entry.record.extent_bytes()).sum();
            prop_assert_eq!(head.live_bytes, own_bytes + bytes);
            prop_assert_eq!(entries, left);
        }

        #[test]
        fn what_does_not_fit_together_is_refused(lists in some_lists(), at in any::<prop::sample::Index>()) {
            let (scene, expected) = scene_of(&lists, 9);
            prop_assume!(scene.directory.len() > 1);
            let at = at.index(scene.directory.len() - 1);
            let (name, (entry, list, _)) = expected.iter().nth(at).expect("there");
            let line = lists[*list].keys().position(|other| other == name).expect("listed");

            let mut swapped = scene.clone();
            swapped.directory.swap(at, at + 1);
            prop_assert!(swapped.rebuild().is_err(), "records in another order");

            let mut doubled = scene.clone();
            doubled.directory.insert(at, scene.directory[at].clone());
            prop_assert!(doubled.rebuild().is_err(), "a name twice");

            let mut unlisted = scene.clone();
            for (list, names) in lists.iter().enumerate() {
                let doomed = line_of(&indexed(&name.join(&b'/'), names.get(name).copied().unwrap_or(0)));
                unlisted.lists[list].retain(|line| *line != doomed);
            }
            prop_assert!(unlisted.rebuild().is_err(), "an entry without a description");

            let mut cut = scene.clone();
            cut.directory[at].pop();
            prop_assert!(cut.rebuild().is_err(), "a record that is cut short");

            for change in 0..5 {
                let mut other = entry.clone();
                match change {
                    0 => other.record.size_bytes += 1,
                    1 => other.record.header_offset += 1,
                    2 => other.record.meta.modified_ns += 1_000_000_000,
                    3 => other.record.meta.kind = EntryKind::Symlink,
                    _ => other.record.meta.name.insert(0, 'z'),
                }
                let mut changed = scene.clone();
                changed.lists[*list][line] = line_of(&other);
                prop_assert!(changed.rebuild().is_err(), "another description: {change}");
            }

            let mut broken = scene.clone();
            broken.lists[*list][line].truncate(9);
            prop_assert!(broken.rebuild().is_err(), "a line that is none");
        }
    }
}
