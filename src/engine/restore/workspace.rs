//! Where a restore works: for each anchor a folder on its volume, so that a rename brings things in and
//! out. That of the program's own data where it is on that volume, so that nothing shows in the target;
//! else a hidden one in the anchor.

use crate::engine::files::unlock;
use crate::engine::restore::change::{Area, FolderLook};
use crate::engine::restore::log::RestoreLog;
use crate::engine::restore::perform::set_look;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

/// What begins the names of working folders in a target; backups leave them out.
const PREFIX: &str = ".zipkeep-restore-";

/// Whether something of this name is a folder in which restores work.
pub(in crate::engine) fn is_workspace(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// The working folder of an anchor as it is where no other can be: hidden in the anchor. `number` tells
/// those of one restore apart.
pub(super) fn possible(log_folder: &Path, anchor: &Path, number: usize) -> io::Result<Area> {
    let id = log_folder.file_name().unwrap_or_default().to_string_lossy();
    let id = id.strip_prefix(PREFIX).unwrap_or(&id);
    Ok(Area {
        anchor: anchor.to_owned(),
        folder: anchor.join(format!("{PREFIX}{id}-{number}")),
        before: FolderLook::of(&fs::metadata(anchor)?),
    })
}

/// Begins the log of a restore hidden in an anchor, because the program's own data cannot be written.
pub(super) fn begin_log(
    anchor: &Path,
    created: Timestamp,
    because: io::Error,
) -> io::Result<RestoreLog> {
    RestoreLog::begin_in_target(anchor, PREFIX, created, because)
}

/// Makes a working folder: not in the anchor, where one beside the log is as good.
pub(super) fn make(log_folder: &Path, area: &mut Area, number: usize) -> io::Result<()> {
    let own = log_folder.join(format!("area-{number}"));
    make_folder(&own)?;
    if can_move_between(&own, area)? {
        area.folder = own;
        return Ok(());
    }
    remove(&own)?;
    unlock(&area.anchor)?;
    let made = make_folder(&area.folder);
    set_look(&area.anchor, area.before)?;
    made
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
fn can_move_between(own: &Path, area: &Area) -> io::Result<bool> {
    unlock(&area.anchor)?;
    let probe = own.join("probe");
    fs::File::create_new(&probe)?;
    // A name that is cleared away after a crash.
    let can = match fs::rename(&probe, &area.folder) {
        Ok(()) => fs::remove_file(&area.folder).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::remove_file(probe).map(|()| false)
        }
        Err(error) => Err(error),
    };
    set_look(&area.anchor, area.before)?;
    can
}
