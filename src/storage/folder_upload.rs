//! Uploads to a folder: parts are written into a staging file, which becomes the object at the end.

use super::attempts::Attempts;
use super::deadline::Load;
use super::error::{Fault, StorageError};
use super::explain::{Asked, explain};
use super::folder::{failed, is_number, staging_name};
use super::line::Way;
use super::parts::{CopySource, PartPlace, StoredPart};
use bytes::Bytes;
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) client: Arc<LocalFileSystem>,
    pub(super) attempts: Attempts,
}

/// One upload to a folder.
#[derive(Debug, Clone)]
pub(super) struct FolderUpload {
    folder: Arc<Folder>,
    key: Key,
    id: String,
    staging: PathBuf,
    target: PathBuf,
}

impl FolderUpload {
    /// Makes the staging file.
    pub(super) async fn begin(folder: &Arc<Folder>, key: &Key) -> Result<Self, StorageError> {
        // Taken names are other uploads' of the same key.
        const TRIES: usize = 5;
        let mut made = Err(StorageError::new(Fault::AlreadyThere));
        for _ in 0..TRIES {
            let number = RandomState::new().hash_one(key.as_ref());
            let upload = Self::at(folder, key, number.to_string())?;
            let staging = upload.staging.clone();
            let create = move || {
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(&staging);
                file.map(drop).map_err(failed)
            };
            made = folder.blocking(Load::SMALL, create).await.map(|()| upload);
            match &made {
                Err(error) if error.fault() == Fault::AlreadyThere => {}
                _ => break,
            }
        }
        made
    }

    /// Knows an upload of an earlier run again.
    pub(super) fn take_up(folder: &Arc<Folder>, key: &Key, id: &str) -> Result<Self, StorageError> {
        if is_number(id) {
            Self::at(folder, key, id.to_owned())
        } else {
            Err(StorageError::new(Fault::NoUpload))
        }
    }

    fn at(folder: &Arc<Folder>, key: &Key, id: String) -> Result<Self, StorageError> {
        let target = folder.file_of(key)?;
        let name = key.filename().unwrap_or_default();
        Ok(Self {
            folder: Arc::clone(folder),
            key: key.clone(),
            staging: target.with_file_name(staging_name(name, &id)),
            target,
            id,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) async fn send(
        &self,
        place: PartPlace,
        bytes: Bytes,
    ) -> Result<StoredPart, StorageError> {
        let staging = self.staging.clone();
        let size = bytes.len() as u64;
        let write = move || {
            let mut file = open_at(&staging, place.offset)?;
            file.write_all(&bytes).map_err(failed)
        };
        self.folder.blocking(Load::sends(size), write).await?;
        self.folder.attempts.line().count_bytes(Way::Sent, size);
        Ok(stored(place, size))
    }

    /// Copies inside the file system: where it can share blocks, nothing is even read.
    pub(super) async fn copy(
        &self,
        place: PartPlace,
        source: &CopySource,
    ) -> Result<StoredPart, StorageError> {
        let key = Key::parse(&source.key)
            .map_err(|error| StorageError::new(Fault::NoObject).caused_by(error))?;
        if let Some(wanted) = &source.etag {
            let there = self.folder.etag(&key).await?;
            if there.as_ref() != Some(wanted) {
                return Err(StorageError::new(Fault::Changed));
            }
        }
        let size = source.range.end.saturating_sub(source.range.start);
        let start = source.range.start;
        let (staging, from) = (self.staging.clone(), self.folder.file_of(&key)?);
        let copy = move || {
            let mut source = File::open(&from).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => StorageError::new(Fault::NoObject).caused_by(error),
                _ => failed(error),
            })?;
            source.seek(SeekFrom::Start(start)).map_err(failed)?;
            let mut file = open_at(&staging, place.offset)?;
            // On Linux this is `copy_file_range` as long as both are plain files.
            let copied = io::copy(&mut source.take(size), &mut file).map_err(failed)?;
            if copied == size {
                Ok(())
            } else {
                Err(StorageError::new(Fault::Changed).about("it is shorter than it was"))
            }
        };
        self.folder.blocking(Load::works(size), copy).await?;
        Ok(stored(place, size))
    }

    /// A later run cannot tell which bytes of the staging file were written: none.
    pub(super) async fn stored_parts(&self) -> Result<Vec<StoredPart>, StorageError> {
        let staging = self.staging.clone();
        let look = move || match std::fs::metadata(&staging) {
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(gone(error)),
        };
        self.folder.blocking(Load::SMALL, look).await
    }

    pub(super) async fn complete(
        &self,
        parts: &[StoredPart],
    ) -> Result<Option<String>, StorageError> {
        let size = parts.iter().map(|part| part.bytes).sum();
        let (staging, target) = (self.staging.clone(), self.target.clone());
        let finish = move || {
            let file = open_at(&staging, 0)?;
            let written = file.metadata().map_err(failed)?.len();
            if written != size {
                let differs = format!("{written} of {size} bytes were written");
                return Err(StorageError::new(Fault::Damaged).about(differs));
            }
            file.sync_all().map_err(failed)?;
            // Not every system renames a file that is open.
            drop(file);
            place_new(&staging, &target).map_err(failed)?;
            sync_folder_of(&target).map_err(failed)
        };
        self.folder.blocking(Load::works(size), finish).await?;
        self.folder.etag(&self.key).await
    }

    pub(super) async fn abort(&self) -> Result<(), StorageError> {
        let staging = self.staging.clone();
        let remove = move || match std::fs::remove_file(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        };
        self.folder.blocking(Load::SMALL, remove).await
    }
}

impl Folder {
    /// Runs what may wait for the disk where waiting is allowed.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        load: Load,
        work: impl FnOnce() -> Result<T, StorageError> + Clone + Send + Sync + 'static,
    ) -> Result<T, StorageError> {
        self.attempts.line().count_request();
        let run = || {
            let work = work.clone();
            async {
                let done = tokio::task::spawn_blocking(work).await;
                done.map_err(|error| StorageError::new(Fault::Other).caused_by(error))?
            }
        };
        self.attempts.run(load, run).await
    }

    /// Where the client keeps an object; never outside of the folder.
    fn file_of(&self, key: &Key) -> Result<PathBuf, StorageError> {
        let file = self.client.path_to_filesystem(key);
        file.map_err(|error| explain(error, Asked::Object))
    }

    async fn etag(&self, key: &Key) -> Result<Option<String>, StorageError> {
        let head = self.client.head(key).await;
        let head = head.map_err(|error| explain(error, Asked::Object))?;
        Ok(head.e_tag)
    }
}

fn stored(place: PartPlace, bytes: u64) -> StoredPart {
    // The file system has no tags of parts; the place tells them apart.
    let etag = format!("\"{}\"", place.offset);
    StoredPart {
        number: place.number,
        bytes,
        etag,
    }
}

fn open_at(staging: &Path, offset: u64) -> Result<File, StorageError> {
    let mut file = OpenOptions::new().write(true).open(staging).map_err(gone)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    Ok(file)
}

/// A staging file that is missing is an upload that is gone.
fn gone(error: io::Error) -> StorageError {
    if error.kind() == io::ErrorKind::NotFound {
        StorageError::new(Fault::NoUpload).caused_by(error)
    } else {
        failed(error)
    }
}

/// Moves a file to a name that is free. Fails with `AlreadyExists` when it is not.
fn place_new(staging: &Path, target: &Path) -> io::Result<()> {
    let moved = tempfile::TempPath::try_from_path(staging)?.persist_noclobber(target);
    let Err(refused) = moved else {
        return Ok(());
    };
    // The parts stay until somebody aborts the upload.
    refused.path.keep().ok();
    match refused.error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound => Err(refused.error),
        // File systems with neither such a rename nor hard links (some of FUSE, exFAT on macOS).
        _ => reserve_and_replace(staging, target),
    }
}

/// Takes the name with an empty file first, which only one can do, and then replaces that.
fn reserve_and_replace(staging: &Path, target: &Path) -> io::Result<()> {
    let reserved = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(target)?;
    drop(reserved);
    let moved = std::fs::rename(staging, target);
    if moved.is_err() {
        std::fs::remove_file(target).ok();
    }
    moved
}

/// Makes a new name last through a loss of power, where the system has a way to.
fn sync_folder_of(target: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = target.parent() {
        return match File::open(folder)?.sync_all() {
            // Network file systems that have no such thing.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        };
    }
    #[cfg(not(unix))]
    let _ = target;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_links_gets_its_object_all_the_same_and_only_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (staging, target) = (folder.path().join("a#1"), folder.path().join("a"));
        for way in [place_new, reserve_and_replace] {
            std::fs::write(&staging, b"new").expect("written");
            way(&staging, &target).expect("placed");
            assert_eq!(std::fs::read(&target).expect("read"), b"new");
            assert!(!staging.exists());
            std::fs::write(&staging, b"newer").expect("written");
            let again = way(&staging, &target).expect_err("refused");
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&target).expect("read"), b"new");
            assert_eq!(std::fs::read(&staging).expect("kept"), b"newer");
            std::fs::remove_file(&target).expect("removed");
        }
    }
}
