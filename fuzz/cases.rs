//! What must hold whatever the bytes are: nothing panics, and nothing that is read reaches further than it
//! may. Fed by the fuzzer, and with the checked-in corpus by the tests.

use std::io::{Cursor, Read};
use std::path::Component;
use zipkeep::archive::{
    ArchiveReader, ArchiveWriter, ContentReader, DirectoryReader, EntryMeta, EntryRecord, Packed,
    PathRules, Tail, parse_manifest, records,
};
use zipkeep::model::{Entry, EntryKind, MANIFEST_PATH};

/// So much of an entry's content is read.
const MOST_BYTES: u64 = 1 << 20;
/// So many entries are read.
const MOST_ENTRIES: usize = 16;

/// The end and the central directory of an archive, as our own reader and as the general one see them.
pub fn directory(bytes: &[u8]) {
    let mut of_stream = DirectoryReader::new(bytes);
    for record in records(bytes) {
        let streamed = of_stream.read_next();
        let Ok(record) = record else {
            assert!(streamed.is_err(), "both readers give up at the same record");
            break;
        };
        let streamed = streamed.expect("whole").expect("one more");
        assert_eq!(streamed.bytes(), record.bytes());
        assert!(record.true_name().len() <= record.bytes());
        if let Some(parsed) = record.parse(None) {
            // What we take for ours we would write in just these bytes.
            assert_eq!(parsed.central_record().len(), record.bytes());
        }
    }
    let archive_bytes = bytes.len() as u64;
    if let Ok(tail) = Tail::find(bytes, archive_bytes) {
        assert!(tail.directory_offset + tail.directory_bytes <= archive_bytes);
    }
    let Ok(archive) = ArchiveReader::open(Cursor::new(bytes)) else {
        return;
    };
    // Whatever it finds: only that it comes back.
    archive.duplicate_names().ok();
    let Ok(entries) = archive.entries() else {
        return;
    };
    let mut end = 0;
    for entry in entries {
        check_name(&entry.name);
        if let Some(extent) = entry.extent {
            assert!(extent.start >= end, "{extent:?} begins before {end}");
            assert!(
                extent.start < extent.end && extent.end <= archive_bytes,
                "{extent:?}"
            );
            end = extent.end;
        }
    }
}

/// The text of a manifest, and of the lists that it names.
pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = parse_manifest(bytes) {
        assert!(manifest.entries.is_empty());
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
            check_name(&entry.path);
        }
    }
    // The same as the manifest of an archive, and as the list that a good manifest names.
    let of_archive = archive(&[(MANIFEST_PATH, bytes), (".zipkeep/list", bytes)]);
    read_manifest(&of_archive);
    let good =
        br#"{"format": {"major": 1, "minor": 0}, "program": "p", "profile": "p", "device": "d",
        "os": "linux", "created": "2026-11-22T00:00:00Z", "roots": [{"label": "a", "path": "/a"}],
        "totals": {"files": 0, "directories": 0, "symlinks": 0, "bytes": 0},
        "entry_lists": [".zipkeep/list"]}"#;
    read_manifest(&archive(&[(".zipkeep/list", bytes), (MANIFEST_PATH, good)]));
}

/// The content of an archive's entries.
pub fn entry(bytes: &[u8]) {
    for record in records(bytes).flatten().take(MOST_ENTRIES) {
        if let Some(record) = record.parse(None) {
            read_as_ours(record, bytes);
        }
    }
    let Ok(mut archive) = ArchiveReader::open(Cursor::new(bytes)) else {
        return;
    };
    if let Ok(tail) = Tail::find(bytes, bytes.len() as u64) {
        let start = usize::try_from(tail.directory_offset).expect("within the bytes");
        for record in records(&bytes[start..]).flatten().take(MOST_ENTRIES) {
            if let Some(record) = record.parse(None) {
                let from = usize::try_from(record.header_offset).unwrap_or(usize::MAX);
                read_as_ours(record, bytes.get(from..).unwrap_or_default());
            }
        }
    }
    let entries = archive.entries().unwrap_or_default();
    for entry in entries.into_iter().take(MOST_ENTRIES) {
        let by_place = entry.packed().filter(|_| entry.unreadable.is_none());
        let by_place =
            by_place.and_then(|at| whole(at.open(Cursor::new(bytes), &entry.name).ok()?));
        let content = archive.content(entry.index, &entry.name).ok();
        let by_directory = content.and_then(whole);
        if let (Some(one), Some(other)) = (by_place, by_directory) {
            assert!(one == other, "both ways to read an entry give one content");
        }
    }
}

/// A content that can be read to its end, or is long.
fn whole(content: impl Read) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let is_whole = content.take(MOST_BYTES).read_to_end(&mut read).is_ok();
    is_whole.then_some(read)
}

fn read_as_ours(record: EntryRecord, extent: &[u8]) {
    let size_bytes = record.size_bytes;
    let mut content = ContentReader::new(record, extent).take(MOST_BYTES);
    let mut read = Vec::new();
    if content.read_to_end(&mut read).is_ok() {
        assert_eq!(
            read.len() as u64,
            size_bytes.min(MOST_BYTES),
            "all of it or an error"
        );
    }
}

fn read_manifest(archive: &[u8]) {
    let Ok(mut archive) = ArchiveReader::open(Cursor::new(archive)) else {
        return;
    };
    if let Ok(Some(manifest)) = archive.manifest() {
        assert!(
            manifest.entries.is_empty(),
            "the directory has none of them"
        );
    }
    if let Ok(Some((_, entries))) = archive.described_entries() {
        assert!(entries.is_empty(), "all of it is the program's own");
    }
}

/// A name is refused, or cannot lead out of the folder that it is joined to.
fn check_name(name: &str) {
    if let Ok(safe) = PathRules::of_this_system().check(name, Some(name.as_bytes())) {
        let path = safe.to_path();
        assert!(
            path.components()
                .all(|part| matches!(part, Component::Normal(_)))
        );
    }
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new());
    let mut listed = Vec::new();
    for (name, content) in entries {
        let meta = EntryMeta {
            name: (*name).to_owned(),
            raw_name: None,
            kind: EntryKind::File,
            modified_ns: 0,
            mode: 0o644,
        };
        let crc32 = crc32_of(content);
        let packed = Packed::as_it_is(content);
        let record = writer.add(meta, content.len() as u64, crc32, &packed);
        listed.push(record.expect("written to memory"));
    }
    let mut directory = writer.directory();
    for record in &listed {
        directory.add(record).expect("written to memory");
    }
    directory.finish().expect("written to memory").1
}

/// The CRC-32 of ZIP, bit by bit: the inputs are small.
fn crc32_of(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let step = |crc: u32, _| {
        if crc & 1 == 1 {
            crc >> 1 ^ POLYNOMIAL
        } else {
            crc >> 1
        }
    };
    let all = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), step)
    });
    !all
}
