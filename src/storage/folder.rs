//! A folder as a destination: its listing, its staging files, and what its system's errors mean.
//!
//! A staging file is `<name>#<number>` beside its target; it is none of the objects.

use super::error::{Fault, StorageError};
use super::object::ObjectInfo;
use super::parts::UnfinishedUpload;
use jiff::Timestamp;
use object_store::path::Path;
use std::fs::{DirEntry, Metadata};
use std::io;

/// The objects of a folder. Names that no key can have are left out: nothing could be done with them.
pub(super) fn objects(folder: &std::path::Path) -> Result<Vec<ObjectInfo>, StorageError> {
    let object = |(name, metadata): (String, Metadata)| {
        if Path::parse(&name).is_err() || split_staging(&name).is_some() {
            return None;
        }
        let stored = metadata.modified().ok();
        let stored = stored.and_then(|time| Timestamp::try_from(time).ok());
        Some(ObjectInfo {
            key: name,
            size_bytes: metadata.len(),
            stored: stored.unwrap_or(Timestamp::UNIX_EPOCH),
            etag: Some(tag_of(&metadata)),
        })
    };
    Ok(files(folder)?.into_iter().filter_map(object).collect())
}

/// The version tag that the client gives the same file when it is asked for it alone, so that what a
/// listing tells of an object can be compared with what is remembered of it.
fn tag_of(metadata: &Metadata) -> String {
    let modified = metadata.modified().unwrap_or(std::time::UNIX_EPOCH);
    let since = modified.duration_since(std::time::UNIX_EPOCH);
    let micros = since.unwrap_or_default().as_micros();
    format!(
        "\"{:x}-{micros:x}-{:x}\"",
        inode_of(metadata),
        metadata.len()
    )
}

#[cfg(unix)]
fn inode_of(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode_of(_metadata: &Metadata) -> u64 {
    0
}

/// The staging files of a folder.
pub(super) fn unfinished(folder: &std::path::Path) -> Result<Vec<UnfinishedUpload>, StorageError> {
    let upload = |(name, metadata): (String, Metadata)| {
        let (key, id) = split_staging(&name)?;
        // Not every file system knows when a file was made.
        let begun = metadata.created().or_else(|_| metadata.modified()).ok();
        Some(UnfinishedUpload {
            key: key.to_owned(),
            id: id.to_owned(),
            begun: begun.and_then(|time| Timestamp::try_from(time).ok()),
        })
    };
    Ok(files(folder)?.into_iter().filter_map(upload).collect())
}

/// Name of the staging file of an upload.
pub(super) fn staging_name(key: &str, id: &str) -> String {
    format!("{key}#{id}")
}

fn split_staging(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('#')
        .filter(|(_, number)| is_number(number))
}

/// Whether a text is what we tell staging files apart by.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn files(folder: &std::path::Path) -> Result<Vec<(String, Metadata)>, StorageError> {
    let file = |entry: &DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        // Through a link, as the client reads it; one that leads nowhere holds nothing.
        let metadata = std::fs::metadata(entry.path()).ok()?;
        metadata.is_file().then_some((name, metadata))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        files.extend(file(&entry.map_err(failed)?));
    }
    Ok(files)
}

/// What an error of the file system means for a destination.
pub(super) fn failed(error: io::Error) -> StorageError {
    let fault = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full,
        io::ErrorKind::AlreadyExists => Fault::AlreadyThere,
        _ => Fault::Folder,
    };
    let about = (fault != Fault::AlreadyThere).then(|| error.to_string());
    let failed = StorageError::new(fault).caused_by(error);
    match about {
        Some(about) => failed.about(about),
        None => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staging_files_are_told_from_objects() {
        assert_eq!(split_staging("a#b.zip#12"), Some(("a#b.zip", "12")));
        for object in ["a.zip", "a#b.zip", "a.zip#", "a.zip#1x"] {
            assert_eq!(split_staging(object), None, "{object}");
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let full = failed(io::ErrorKind::StorageFull.into());
        assert_eq!(full.fault(), Fault::Full);
    }
}
