//! What each system calls differently when a restore writes to its disk: times, permissions, links.

use filetime::FileTime;
use std::fs::{self, Permissions};
use std::io;
use std::path::Path;

/// A time for the file system.
pub(super) fn time_of(modified_ns: i64) -> FileTime {
    let nanos = u32::try_from(modified_ns.rem_euclid(1_000_000_000)).unwrap_or(0);
    FileTime::from_unix_time(modified_ns.div_euclid(1_000_000_000), nanos)
}

/// Gives a folder its time. Unlike elsewhere it is not opened for that: its owner may not be allowed to
/// read it.
#[cfg(unix)]
pub(super) fn set_modified(folder: &Path, modified_ns: i64) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};
    let time = time_of(modified_ns);
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: time.unix_seconds(),
            tv_nsec: time.nanoseconds().into(),
        },
    };
    Ok(utimensat(CWD, folder, &times, AtFlags::empty())?)
}

#[cfg(not(unix))]
pub(super) fn set_modified(folder: &Path, modified_ns: i64) -> io::Result<()> {
    filetime::set_file_mtime(folder, time_of(modified_ns))
}

/// Gives a file or folder its permission bits, as far as the system has them.
#[cfg(unix)]
pub(super) fn set_mode(path: &Path, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    match mode {
        Some(mode) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
pub(super) fn set_mode(path: &Path, mode: Option<u32>) -> io::Result<()> {
    let is_read_only = mode.is_some_and(|mode| mode & 0o222 == 0);
    if is_read_only && path.is_file() {
        let mut permissions = fs::metadata(path)?.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(path, permissions)?;
    }
    Ok(())
}

/// Makes a symbolic link.
#[cfg(unix)]
pub(super) fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
pub(super) fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

/// Lets a folder's owner write to it; gives its permissions before, where they changed.
#[cfg(unix)]
pub(super) fn unlock(folder: &Path) -> io::Result<Option<Permissions>> {
    use std::os::unix::fs::PermissionsExt as _;
    let before = fs::symlink_metadata(folder)?.permissions();
    let mode = before.mode();
    if mode & 0o300 == 0o300 {
        return Ok(None);
    }
    fs::set_permissions(folder, Permissions::from_mode(mode | 0o700))?;
    Ok(Some(before))
}

#[cfg(not(unix))]
pub(super) fn unlock(_folder: &Path) -> io::Result<Option<Permissions>> {
    // A folder's read-only mark does not stop anybody on Windows.
    Ok(None)
}
