//! What the system says of a place of the target: which volume it is on, and whether we may write there.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::path::Path;

/// What a rename does not lead out of: a volume, or the part of one that is mounted at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Volume {
    device: u64,
    /// Where the system tells: one disk may be mounted at several places.
    mount: Option<u64>,
}

impl Volume {
    /// That of a folder.
    #[cfg(target_os = "linux")]
    pub(super) fn of(folder: &Path, metadata: &Metadata) -> Self {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        use std::os::unix::fs::MetadataExt as _;
        let told = statx(CWD, folder, AtFlags::empty(), StatxFlags::MNT_ID);
        let is_told = |told: &rustix::fs::Statx| told.stx_mask & StatxFlags::MNT_ID.bits() != 0;
        Self {
            device: metadata.dev(),
            mount: told.ok().filter(is_told).map(|told| told.stx_mnt_id),
        }
    }

    /// That of a folder.
    #[cfg(all(unix, not(target_os = "linux")))]
    pub(super) fn of(_folder: &Path, metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: metadata.dev(),
            mount: None,
        }
    }

    /// That of a folder.
    #[cfg(not(unix))]
    pub(super) fn of(_folder: &Path, _metadata: &Metadata) -> Self {
        Self {
            device: 0,
            mount: None,
        }
    }
}

/// An error where nothing can be put into a folder or taken out of it, not even once it is unlocked, which
/// its owner can do.
#[cfg(unix)]
pub(super) fn check_writable(folder: &Path, metadata: &Metadata) -> io::Result<()> {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;
    use std::os::unix::fs::MetadataExt as _;
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Err(Errno::ACCESS) if metadata.uid() == rustix::process::geteuid().as_raw() => Ok(()),
        Err(denied @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => Err(denied.into()),
        // Where it cannot be asked, the writing itself tells.
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(not(unix))]
pub(super) fn check_writable(_folder: &Path, _metadata: &Metadata) -> io::Result<()> {
    // What the mark of a folder says there does not stop anybody.
    Ok(())
}

/// Whether another volume, or another part of one, begins at a folder, or a file is mounted there.
#[cfg(target_os = "linux")]
pub(super) fn is_mount_point(folder: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let told = statx(CWD, folder, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())?;
    Ok(told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn is_mount_point(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let above = folder.parent().unwrap_or(folder).symlink_metadata()?;
    Ok(folder.symlink_metadata()?.dev() != above.dev())
}

#[cfg(not(unix))]
pub(super) fn is_mount_point(_folder: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Whether a system can have something at this path; in a folder that is there its disk tells. Folders that
/// are only going to be made tell nothing yet.
pub(super) fn can_be_there(path: &Path) -> bool {
    const MOST_NAME_BYTES: usize = 255;
    const MOST_PATH_BYTES: usize = if cfg!(target_os = "macos") {
        1_024
    } else {
        4_096
    };
    let is_short = |name: &OsStr| name.as_encoded_bytes().len() <= MOST_NAME_BYTES;
    // Windows counts in other units, and long names there are rare.
    !cfg!(unix)
        || path.as_os_str().as_encoded_bytes().len() < MOST_PATH_BYTES && path.iter().all(is_short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn another_volume_is_told_from_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_mount_point(folder.path()).expect("looked"));
        assert!(is_mount_point(Path::new("/proc")).expect("looked"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_of_ours_that_is_locked_can_be_written_once_it_is_unlocked() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let locked = std::fs::Permissions::from_mode(0o500);
        std::fs::set_permissions(folder.path(), locked).expect("set");
        let metadata = folder.path().metadata().expect("there");
        check_writable(folder.path(), &metadata).expect("it is ours");
    }
}
