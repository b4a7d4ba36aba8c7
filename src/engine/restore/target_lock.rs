//! `TargetLock`: only one restore, or the undoing of one, writes to a folder at a time, and to what is in
//! it.
//!
//! Each has a file of its own that is locked as long as it runs, which the system ends with the process,
//! and beside it a list of its folders. A gate keeps those apart that look and begin.

use crate::archive::NameMatching;
use crate::engine::error::EngineError;
use crate::engine::restore::raw_path;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Held while a restore writes to its folders.
#[derive(Debug)]
pub(super) struct TargetLock {
    /// `None` where the program's own data cannot be written: to have the files back matters more.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    lock: PathBuf,
    folders: PathBuf,
    claimed: Vec<Claimed>,
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // The lock last: as long as its name is there, nobody else takes it.
        for path in [&self.folders, &self.lock] {
            if let Err(error) = fs::remove_file(path) {
                tracing::debug!(%error, "the lock of a restore stays behind; it is cleared away by the next");
            }
        }
    }
}

/// A folder that is written to, as all names of it are the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claimed(#[serde(with = "raw_path")] PathBuf);

const LOCK: &str = "lock";
const FOLDERS: &str = "folders";

impl TargetLock {
    /// Takes all of `folders`, each with how its disk takes names for one, or says that somebody else
    /// writes to one of them, to a folder in it, or to one that it is in.
    pub(super) fn take<'a>(
        data_dir: &Path,
        folders: impl IntoIterator<Item = (&'a Path, NameMatching)>,
    ) -> Result<Self, EngineError> {
        let named: Vec<(&Path, Claimed)> = folders
            .into_iter()
            .map(|(folder, matching)| (folder, Claimed(matching.fold_path(&resolved(folder)))))
            .collect();
        match take(&data_dir.join("locks").join("targets"), &named) {
            Ok(Ok(held)) => Ok(Self { held: Some(held) }),
            Ok(Err(busy)) => Err(EngineError::TargetBusy { folder: busy }),
            Err(error) => {
                tracing::warn!(%error, "a restore runs without its lock");
                Ok(Self { held: None })
            }
        }
    }

    /// Whether it keeps others from this folder, from one in it, or from one that it is in.
    pub(super) fn keeps(&self, folder: &Path, matching: NameMatching) -> bool {
        let wanted = [(folder, Claimed(matching.fold_path(&resolved(folder))))];
        let held = self.held.as_ref();
        held.is_some_and(|held| overlap(&wanted, &held.claimed).is_some())
    }
}

/// A path without links and `..`, also of what is not there yet.
pub(super) fn resolved(folder: &Path) -> PathBuf {
    for there in folder.ancestors() {
        if let Ok(real) = there.canonicalize() {
            let rest = folder.strip_prefix(there).unwrap_or(Path::new(""));
            return rest.iter().fold(real, |path, part| path.join(part));
        }
    }
    folder.to_owned()
}

/// The folder that somebody else writes to, as an inner error.
fn take(all: &Path, wanted: &[(&Path, Claimed)]) -> io::Result<Result<Held, PathBuf>> {
    fs::create_dir_all(all)?;
    let gate = open(&all.join("gate"))?;
    gate.lock()?;
    for entry in fs::read_dir(all)? {
        let lock = entry?.path();
        if lock.extension().is_some_and(|extension| extension == LOCK)
            && let Some(others) = claimed_by(&lock)?
            && let Some(busy) = overlap(wanted, &others)
        {
            return Ok(Err(busy));
        }
    }
    for number in 1_u32.. {
        let lock = all.join(format!("{number}.{LOCK}"));
        if lock.exists() {
            continue;
        }
        let file = open(&lock)?;
        file.try_lock().map_err(io::Error::from)?;
        let folders = lock.with_extension(FOLDERS);
        let own = wanted.iter().map(|(_, claimed)| claimed.clone());
        let held = Held {
            lock,
            folders,
            claimed: own.collect(),
            _file: file,
        };
        fs::write(&held.folders, serde_json::to_vec(&held.claimed)?)?;
        return Ok(Ok(held));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// What the holder of a lock writes to. What a process left that ended without a word is cleared away.
fn claimed_by(lock: &Path) -> io::Result<Option<Vec<Claimed>>> {
    let folders = lock.with_extension(FOLDERS);
    let file = match File::options().append(true).open(lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => {
            fs::remove_file(&folders).ok();
            fs::remove_file(lock).ok();
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => {
            // It may just have ended.
            let claimed = fs::read(&folders).ok();
            Ok(claimed.and_then(|claimed| serde_json::from_slice(&claimed).ok()))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The first wanted folder that is one of the others', in one of them, or has one in it.
fn overlap(wanted: &[(&Path, Claimed)], others: &[Claimed]) -> Option<PathBuf> {
    let meets = |Claimed(own): &Claimed| {
        let mut others = others.iter();
        others.any(|Claimed(other)| own.starts_with(other) || other.starts_with(own))
    };
    let busy = wanted.iter().find(|(_, claimed)| meets(claimed));
    busy.map(|(folder, _)| (*folder).to_owned())
}

fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_one(data: &Path, folder: &Path) -> Result<TargetLock, EngineError> {
        TargetLock::take(data, [(folder, NameMatching::Exact)])
    }

    #[test]
    fn folders_in_each_other_are_taken_once_and_free_when_let_go() {
        let data = tempfile::tempdir().expect("a folder");
        let at = |name: &str| data.path().join("t").join(name);
        let held = take_one(data.path(), &at("x/y")).expect("free");
        for name in ["x", "x/y", "x/y/z", "", "x/./y"] {
            assert!(take_one(data.path(), &at(name)).is_err(), "{name}");
        }
        let beside = take_one(data.path(), &at("x/yy")).expect("another folder");
        drop(held);
        assert!(
            take_one(data.path(), &at("x")).is_err(),
            "the other is still held"
        );
        drop(beside);
        take_one(data.path(), &at("x")).expect("free");
    }

    #[test]
    fn what_a_killed_process_left_keeps_nobody_out() {
        let data = tempfile::tempdir().expect("a folder");
        let all = data.path().join("locks/targets");
        fs::create_dir_all(&all).expect("made");
        fs::write(all.join("1.lock"), "").expect("written");
        fs::write(all.join("1.folders"), r#"["/x"]"#).expect("written");
        let held = take_one(data.path(), Path::new("/x")).expect("free");
        assert!(take_one(data.path(), Path::new("/x/y")).is_err());
        drop(held);
        let left = fs::read_dir(&all).expect("there").flatten();
        assert_eq!(
            left.map(|entry| entry.file_name()).collect::<Vec<_>>(),
            ["gate"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_that_a_disk_takes_for_one_are_one() {
        let data = tempfile::tempdir().expect("a folder");
        let take =
            |path: &str| TargetLock::take(data.path(), [(Path::new(path), NameMatching::AnyCase)]);
        let _held = take("/not there/A").expect("free");
        assert!(take("/not there/a/b").is_err());
    }
}
