//! Looks at the destination whether entries that were taken over stand where the new archive says.
//!
//! What was known of the earlier archive may be wrong, by an error of ours or of a disk: the bytes that
//! were copied are then good, but not those of these entries. A few local headers tell.

use crate::archive::HeaderFit;
use crate::engine::backup::index::{Index, IndexEntry};
use crate::engine::error::EngineError;
use crate::storage::{Fault, ObjectInfo, StorageError, Store};
use futures_util::future::try_join_all;
use std::io;

/// Entries that are looked at besides the first and the last: others in every archive.
const OTHERS: usize = 2;

/// Reads some of the entries' local headers back; [`EngineError::CannotCopy`] where one is not there.
pub(super) async fn check_taken_over(
    store: &Store,
    object: &ObjectInfo,
    entries: Vec<IndexEntry>,
) -> Result<(), EngineError> {
    let looking = entries.iter().map(|entry| async move {
        let header_bytes = entry.record.local_header().len() as u64;
        let from = entry.record.header_offset;
        let range = from..from + header_bytes;
        let found = store
            .read(&object.key, range, object.etag.as_deref())
            .await?;
        match entry.record.header_fit(&found) {
            HeaderFit::Same | HeaderFit::OtherTime => Ok(()),
            HeaderFit::Different => {
                let name = &entry.record.meta.name;
                let what = format!("{name} is not where it should be");
                let fault = StorageError::new(Fault::Damaged).about(&what);
                Err(EngineError::CannotCopy(fault))
            }
        }
    });
    try_join_all(looking).await.map(drop)
}

/// Chooses what to look at of what stands before `copied_bytes`; `key` makes the choice another one for
/// every archive.
pub(super) fn choose(index: &Index, copied_bytes: u64, key: &str) -> io::Result<Vec<IndexEntry>> {
    let mut first: Option<IndexEntry> = None;
    let mut last: Option<IndexEntry> = None;
    let mut others: Vec<([u8; 32], IndexEntry)> = Vec::new();
    let seed = blake3::hash(key.as_bytes());
    for entry in index.read()? {
        let entry = entry?;
        let offset = entry.record.header_offset;
        if offset >= copied_bytes {
            continue;
        }
        let rank = *blake3::keyed_hash(seed.as_bytes(), &offset.to_le_bytes()).as_bytes();
        if others.len() < OTHERS || others.iter().any(|(other, _)| rank < *other) {
            others.push((rank, entry.clone()));
            others.sort_by_key(|(rank, _)| *rank);
            others.truncate(OTHERS);
        }
        if first
            .as_ref()
            .is_none_or(|first| offset < first.record.header_offset)
        {
            first = Some(entry.clone());
        }
        if last
            .as_ref()
            .is_none_or(|last| offset > last.record.header_offset)
        {
            last = Some(entry);
        }
    }
    let mut chosen: Vec<IndexEntry> = first.into_iter().chain(last).collect();
    chosen.extend(others.into_iter().map(|(_, entry)| entry));
    chosen.sort_by_key(|entry| entry.record.header_offset);
    chosen.dedup_by_key(|entry| entry.record.header_offset);
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backup::index::IndexWriter;
    use crate::model::{Destination, FolderDestination};
    use crate::storage::{self, Patience};
    use bytes::Bytes;

    fn entry(number: u64, header_offset: u64) -> IndexEntry {
        IndexEntry::of_empty_file(&format!("a/{number:03}"), header_offset)
    }

    #[tokio::test]
    async fn an_entry_that_is_elsewhere_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let destination = Destination::Folder(FolderDestination {
            path: folder.path().join("backups"),
        });
        let store = storage::open(&destination, None, Patience::Interactive).expect("opened");
        let mut archive = Vec::new();
        let mut writer = IndexWriter::create(folder.path()).expect("begun");
        for number in 0..50 {
            let entry = entry(number, archive.len() as u64);
            archive.extend(entry.record.local_header());
            writer.add(&entry).expect("added");
        }
        let index = writer.finish().expect("ended");
        let copied_bytes = archive.len() as u64 / 2;
        store
            .put_new("a.zip", Bytes::from(archive))
            .await
            .expect("put");
        let object = store.head("a.zip").await.expect("there");

        let chosen = choose(&index, copied_bytes, "a.zip").expect("read");
        let offsets: Vec<u64> = chosen
            .iter()
            .map(|entry| entry.record.header_offset)
            .collect();
        assert!(
            (2..=4).contains(&offsets.len()) && offsets[0] == 0,
            "{offsets:?}"
        );
        assert!(
            offsets.iter().all(|offset| *offset < copied_bytes),
            "{offsets:?}"
        );
        check_taken_over(&store, &object, chosen.clone())
            .await
            .expect("all there");
        let mut moved = chosen;
        moved[1].record.header_offset += 1;
        let error = check_taken_over(&store, &object, moved)
            .await
            .expect_err("noticed");
        assert!(matches!(error, EngineError::CannotCopy(_)), "{error:?}");
    }
}
