//! What the benchmarks need of the engine's insides; only with the feature "bench".

use crate::archive::{EntryMeta, EntryName, EntryRecord, Method, Sizes};
use crate::engine::backup::decide::{Decision, decide};
use crate::engine::backup::index::{Index, IndexEntry, IndexWriter, Known};
use crate::engine::backup::scan::{FileIdentity, FileState, SourceEntry, Sources};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::request::BackupRequest;
use crate::model::EntryKind;
use std::io;
use std::path::{Path, PathBuf};

/// Walks the folders of a request and gives how many things there are.
pub fn walk(request: &BackupRequest, context: &Context) -> Result<u64, EngineError> {
    let meter = Meter::new(context);
    let mut found = 0;
    Sources::open(request)?.walk(context, &meter, &mut |_| {
        found += 1;
        Ok(())
    })?;
    Ok(found)
}

/// An index of so many entries, and the walk of a tree in which every hundredth file has changed.
#[derive(Debug)]
pub struct Increment {
    index: Index,
    walked: Vec<SourceEntry>,
}

impl Increment {
    /// Makes the index in a scratch file of this folder.
    pub fn new(entries: u64, folder: &Path) -> io::Result<Self> {
        let mut writer = IndexWriter::create(folder)?;
        let mut walked = Vec::new();
        for number in 0..entries {
            let name = format!("home/folder-{:05}/file-{number:08}.txt", number / 200);
            let mut state = FileState {
                size_bytes: number % 50_000,
                modified_ns: 1_795_334_950_123_456_789,
                mode: 0o644,
                identity: Some(FileIdentity {
                    changed_ns: 1_795_334_950_123_456_789,
                    inode: number,
                }),
            };
            writer.add(&entry_of(&name, &state, number))?;
            if number % 100 == 0 {
                state.size_bytes += 1;
            }
            walked.push(SourceEntry {
                path: PathBuf::new(),
                name: EntryName {
                    text: name,
                    raw: None,
                },
                kind: EntryKind::File,
                state,
            });
        }
        let index = writer.finish()?;
        Ok(Self { index, walked })
    }

    /// Decides what is unchanged; gives how many entries are.
    pub fn plan(&self) -> io::Result<u64> {
        let mut known = Known::new(vec![(self.index.read()?, None)]);
        let mut kept = 0;
        for source in &self.walked {
            let entry = known.find(source.name.text.as_bytes())?;
            kept += u64::from(matches!(decide(source, entry), Decision::Keep(_)));
        }
        Ok(kept)
    }
}

fn entry_of(name: &str, state: &FileState, number: u64) -> IndexEntry {
    IndexEntry {
        record: EntryRecord {
            meta: EntryMeta {
                name: name.to_owned(),
                raw_name: None,
                kind: EntryKind::File,
                modified_ns: state.modified_ns,
                mode: state.mode,
            },
            sizes: Sizes::Before,
            size_bytes: state.size_bytes,
            compressed_bytes: state.size_bytes / 4,
            method: Method::Deflate,
            crc32: 7,
            header_offset: number * 10_000,
        },
        blake3: Some([7; 32]),
        identity: state.identity,
        described: 0,
    }
}
