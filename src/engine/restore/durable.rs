//! Brings to the disk what a restore wrote. Few files are brought there one by one: whatever else waits for
//! the disk, of other programs too, need not be waited for. Of many, the whole volume is quicker.

use crate::engine::restore::change::{Area, Change};
use crate::model::EntryKind;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// So many changes are few.
const FEW: usize = 64;

/// Brings what is staged to the disk.
pub(super) fn sync_staged(areas: &[Area], changes: &[Change]) -> io::Result<()> {
    let mut staged = BTreeSet::new();
    for change in changes {
        if let Change::Put { number, at, look } = change {
            let path = areas[at.area].new_path(*number);
            staged.extend(path.parent().map(Path::to_owned));
            if look.kind == EntryKind::File {
                staged.insert(path);
            }
        }
    }
    sync(areas, changes, &staged)
}

/// Brings it to the disk that changes were done, or taken back.
pub(super) fn sync_places(areas: &[Area], changes: &[Change]) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for area in areas {
        folders.extend(["new", "old"].map(|inner| area.folder.join(inner)));
        folders.insert(area.anchor.clone());
    }
    for change in changes {
        let (Change::MakeFolder(at)
        | Change::OpenFolder { at, .. }
        | Change::FinishFolder { at, .. }
        | Change::Put { at, .. }
        | Change::Remove { at, .. }) = change;
        let path = areas[at.area].path(at);
        folders.extend(path.parent().map(Path::to_owned));
        if !matches!(change, Change::Put { .. } | Change::Remove { .. }) {
            folders.insert(path);
        }
    }
    sync(areas, changes, &folders)
}

fn sync(areas: &[Area], changes: &[Change], paths: &BTreeSet<PathBuf>) -> io::Result<()> {
    if changes.len() <= FEW && sync_each(paths).is_ok() {
        return Ok(());
    }
    sync_volumes(areas)
}

/// What is not there, because a change was taken back, needs nothing.
fn sync_each(paths: &BTreeSet<PathBuf>) -> io::Result<()> {
    for path in paths {
        match File::open(path) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync_volumes(areas: &[Area]) -> io::Result<()> {
    for area in areas {
        match sync_volume(area) {
            // In an anchor that went since, there is nothing that has to reach the disk.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced?,
        }
    }
    Ok(())
}

fn sync_volume(area: &Area) -> io::Result<()> {
    // Its owner may be allowed to write to it and not to read it; the working folder is on the same volume.
    let anchor = File::open(&area.anchor).or_else(|_| File::open(&area.folder))?;
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(&anchor)?;
    // Elsewhere each file was brought to the disk when it was staged.
    #[cfg(all(unix, not(target_os = "linux")))]
    anchor.sync_all()?;
    #[cfg(not(unix))]
    drop(anchor);
    Ok(())
}
