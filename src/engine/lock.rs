//! `RunLock`: only one backup of a profile runs on a computer at a time.
//!
//! The system lets go of it when the process ends, however it ends.

use crate::engine::error::EngineError;
use crate::model::{reduce_device, reduce_field};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Held while a backup of one profile runs.
#[derive(Debug)]
pub(super) struct RunLock {
    /// `None` where the data folder cannot be written: a backup matters more than its lock.
    _file: Option<File>,
}

impl RunLock {
    /// Takes the lock, or says that another backup of the profile has it.
    pub(super) fn take(data_dir: &Path, profile: &str, device: &str) -> Result<Self, EngineError> {
        let name = format!(
            "{}.{}.lock",
            reduce_field(profile, "backup"),
            reduce_device(device)
        );
        let folder = data_dir.join("locks");
        let open = || -> io::Result<File> {
            fs::create_dir_all(&folder)?;
            File::options()
                .create(true)
                .append(true)
                .open(folder.join(&name))
        };
        let file = match open() {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, "a backup runs without its lock");
                return Ok(Self { _file: None });
            }
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(EngineError::AlreadyRunning(profile.to_owned())),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "a backup runs without its lock");
                Ok(Self { _file: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_locked_until_its_backup_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = RunLock::take(folder.path(), "p", "pc").expect("free");
        let second = RunLock::take(folder.path(), "p", "pc");
        assert!(matches!(second, Err(EngineError::AlreadyRunning(_))));
        RunLock::take(folder.path(), "other", "pc").expect("another profile is free");
        drop(first);
        RunLock::take(folder.path(), "p", "pc").expect("free again");
    }
}
