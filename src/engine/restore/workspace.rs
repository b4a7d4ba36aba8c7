//! Where a restore works: for each anchor a folder on its volume, so that a rename brings things in and
//! out. That of the program's own data where it is on that volume, so that nothing shows in the target;
//! else a hidden one in the anchor.

use crate::engine::files::unlock;
use crate::engine::restore::change::Area;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What begins the names of working folders in a target; backups leave them out.
const PREFIX: &str = ".zipkeep-restore-";

/// Whether something of this name is a folder in which restores work.
pub(in crate::engine) fn is_workspace(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// Makes the working folder of an anchor; `number` tells those of one restore apart.
pub(super) fn make(log_folder: &Path, anchor: &Path, number: usize) -> io::Result<Area> {
    let own = log_folder.join(format!("area-{number}"));
    let area = |folder: PathBuf| Area {
        anchor: anchor.to_owned(),
        folder,
    };
    make_folder(&own)?;
    if can_move_between(&own, anchor)? {
        return Ok(area(own));
    }
    remove(&own)?;
    let id = log_folder.file_name().unwrap_or_default().to_string_lossy();
    let beside = anchor.join(format!("{PREFIX}{id}-{number}"));
    let locked = unlock(anchor)?;
    let made = make_folder(&beside);
    if let Some(before) = locked {
        fs::set_permissions(anchor, before)?;
    }
    made?;
    Ok(area(beside))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    close_to_others(folder)?;
    for part in ["new", "old"] {
        fs::create_dir(folder.join(part))?;
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    for part in ["new", "old"] {
        fs::remove_dir(folder.join(part))?;
    }
    fs::remove_dir(folder)
}

/// What was set aside may be secret, whatever the folder above would show.
#[cfg(unix)]
fn close_to_others(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn close_to_others(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a rename leads from one folder to the other: only trying tells for certain.
fn can_move_between(own: &Path, anchor: &Path) -> io::Result<bool> {
    let time_before = fs::metadata(anchor)
        .map(|metadata| filetime::FileTime::from_last_modification_time(&metadata))?;
    let locked = unlock(anchor)?;
    let probe = tempfile::Builder::new().prefix("probe-").tempfile_in(own)?;
    let there = tempfile::Builder::new()
        .prefix(PREFIX)
        .make_in(anchor, |path| fs::rename(probe.path(), path));
    let can = match there {
        Ok(moved) => {
            moved.close()?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Ok(false),
        Err(error) => Err(error),
    };
    filetime::set_file_mtime(anchor, time_before).ok();
    if let Some(before) = locked {
        fs::set_permissions(anchor, before)?;
    }
    can
}
