//! What was read of archives, kept on this computer so that it need not be fetched again. All of it can
//! be lost at any time; none of it is ever old, because its name holds the version of the object.

use crate::engine::context::Context;
use crate::storage::{ObjectInfo, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Changes whenever something is kept in another form.
const FORM: u32 = 2;
/// No more than this is kept; what was not used for longest goes first.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
const HASH_BYTES: usize = 32;

/// Where something that was read of one version of one archive is kept.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Kept {
    folder: PathBuf,
    file: PathBuf,
}

/// What of an archive is kept.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum What {
    /// What it holds, as a tree.
    Inside,
    /// What an archive of ours says of all that it holds.
    Contents,
    /// The bytes that are needed to open it.
    Ending,
}

impl Kept {
    /// Of this version of the object; `None` where the destination has no version tags, so that nobody
    /// could tell whether it is still the same.
    pub(in crate::engine) fn of(
        context: &Context,
        store: &Store,
        object: &ObjectInfo,
        what: What,
    ) -> Option<Self> {
        let etag = object.etag.as_deref()?;
        let folder = context.data_dir().join("inside");
        let mut hasher = blake3::Hasher::new();
        let size = object.size_bytes.to_string();
        let form = FORM.to_string();
        for part in [&form, &store.identity(), &object.key, etag, &size] {
            // With its length, so that no two lists of parts are the same bytes.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let ending = match what {
            What::Inside => "tree",
            What::Contents => "list",
            What::Ending => "end",
        };
        let id = hasher.finalize().to_hex();
        let file = folder.join(format!("{}.{ending}", &id[..32]));
        Some(Self { folder, file })
    }

    /// Whether something is kept.
    pub(in crate::engine) fn is_there(&self) -> bool {
        self.file.is_file()
    }

    /// What is kept, if it is there and whole.
    pub(in crate::engine) fn load<T: DeserializeOwned>(&self) -> Option<T> {
        let bytes = fs::read(&self.file).ok()?;
        let (hash, content) = bytes.split_first_chunk::<HASH_BYTES>()?;
        let is_whole = blake3::hash(content) == blake3::Hash::from_bytes(*hash);
        let loaded = is_whole
            .then(|| postcard::from_bytes(content).ok())
            .flatten();
        if loaded.is_none() {
            tracing::warn!(file = %self.file.display(), "what was kept of an archive is damaged");
        }
        // The order in which things are let go; a failure only changes the order.
        filetime::set_file_mtime(&self.file, filetime::FileTime::now()).ok();
        loaded
    }

    /// Keeps it; a failure is only noted.
    pub(in crate::engine) fn save<T: Serialize>(&self, value: &T) {
        if let Err(error) = self.try_save(value) {
            tracing::warn!(%error, "what was read of an archive could not be kept");
        }
    }

    fn try_save<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let content = postcard::to_stdvec(value).map_err(io::Error::other)?;
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(blake3::hash(&content).as_bytes())?;
        file.write_all(&content)?;
        file.persist(&self.file)?;
        let_go(&self.folder, MOST_BYTES)
    }
}

/// Removes what was not used for longest until no more than this is left.
fn let_go(folder: &Path, most_bytes: u64) -> io::Result<()> {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        files.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    files.sort_unstable_by(|one, other| other.cmp(one));
    let mut kept_bytes = 0;
    for (_, bytes, path) in files {
        kept_bytes += bytes;
        if kept_bytes > most_bytes {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path, name: &str) -> Kept {
        Kept {
            folder: folder.to_owned(),
            file: folder.join(name),
        }
    }

    #[test]
    fn what_is_damaged_counts_as_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = kept(folder.path(), "one");
        one.save(&vec![7_u64; 9]);
        assert_eq!(one.load::<Vec<u64>>(), Some(vec![7; 9]));
        let mut bytes = fs::read(&one.file).expect("there");
        *bytes.last_mut().expect("some") ^= 1;
        fs::write(&one.file, bytes).expect("written");
        assert_eq!(one.load::<Vec<u64>>(), None);
        assert_eq!(kept(folder.path(), "other").load::<Vec<u64>>(), None);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, at) in [("old", 1), ("new", 3), ("used", 2)] {
            let path = folder.path().join(name);
            fs::write(&path, [0; 100]).expect("written");
            let at = filetime::FileTime::from_unix_time(at, 0);
            filetime::set_file_mtime(&path, at).expect("a time");
        }
        let_go(folder.path(), 250).expect("let go");
        let left = |name: &str| folder.path().join(name).exists();
        assert!(left("new") && left("used") && !left("old"));
    }
}
