//! Removes what a restore kept for itself, whatever the permissions are that came with it.

use crate::engine::files::unlock;
use std::fs;
use std::io;
use std::path::Path;

/// Removes a folder with all that is in it, or a file; what is not there is removed already.
pub(super) fn remove_all(folder: &Path) -> io::Result<()> {
    let removed = match fs::remove_dir_all(folder) {
        // Where it was only tried whether something could be moved there.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => fs::remove_file(folder),
        // What is in it may be locked against its owner: it came from a backup, or from the target.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            unlock_all(folder)?;
            fs::remove_dir_all(folder)
        }
        result => result,
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn unlock_all(folder: &Path) -> io::Result<()> {
    unlock(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock_all(&entry.path())?;
        }
    }
    Ok(())
}
