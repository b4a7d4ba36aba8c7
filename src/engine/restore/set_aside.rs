//! What a forced undo sets aside: files that were changed after the restore, under the paths that they had.

use crate::engine::restore::change::{Area, Change};
use crate::engine::restore::perform::{ABOVE, free_name, look_of};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where it is in a working folder.
const SET_ASIDE: &str = "set-aside";

/// What else a working folder has, as long as nothing is in order.
const PARTS: [&str; 2] = ["new", "old"];

/// Whether the working folders of a restore that was undone are still as the undoing left them.
pub(super) fn is_to_be_sorted(areas: &[Area]) -> bool {
    let mut folders = areas.iter().map(|area| area.folder.join("new"));
    folders.any(|folder| folder.symlink_metadata().is_ok())
}

/// Whether the working folders of a restore that was just taken back have anything that the restore did not
/// bring there: somebody wrote it since, and it is nowhere else.
pub(super) fn is_any(areas: &[Area], changes: &[Change]) -> io::Result<bool> {
    let mut own = vec![0_usize; areas.len()];
    for change in changes {
        if let Change::Put { number, at, look } = change
            && look_of(&areas[at.area].new_path(*number))? == Some(*look)
        {
            own[at.area] += 1;
        }
    }
    for (area, own) in areas.iter().zip(own) {
        let count = |part: &str| {
            let entries = fs::read_dir(area.folder.join(part));
            entries.map_or(0, Iterator::count)
        };
        if count("new") > own || count("old") > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts what changed since the restore under the path that it had, and lets go of what is as the backup
/// has it. The restore must be undone; may be called again after an interruption.
pub(super) fn sort(areas: &[Area], changes: &[Change]) -> io::Result<()> {
    let mut places: HashMap<(usize, u64), &Path> = HashMap::new();
    for change in changes {
        match change {
            Change::Put { number, at, look } => {
                places.insert((at.area, *number), &at.relative);
                let path = areas[at.area].new_path(*number);
                if look_of(&path)? == Some(*look) {
                    fs::remove_file(path)?;
                }
            }
            Change::Remove { number, at, .. } => {
                places.insert((at.area, *number), &at.relative);
            }
            Change::MakeFolder(_) | Change::OpenFolder { .. } | Change::FinishFolder { .. } => {}
        }
    }
    for (number, area) in areas.iter().enumerate() {
        for part in PARTS {
            let folder = area.folder.join(part);
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                // What came to a place twice has “-1” behind its number.
                let own = name.split('-').next().unwrap_or_default().parse().ok();
                let place = own.and_then(|own| places.get(&(number, own)).copied());
                let place = place.and_then(|place| place.ancestors().nth(levels_above(&name)));
                let to = area.folder.join(SET_ASIDE);
                move_to(&entry.path(), &to.join(place.unwrap_or(Path::new(&name))))?;
            }
            fs::remove_dir(folder)?;
        }
    }
    Ok(())
}

/// How far above the place of its change something stood that was in the way.
fn levels_above(name: &str) -> usize {
    let levels = name.split_once(ABOVE).map(|(_, levels)| levels);
    let digits = levels.and_then(|levels| levels.split('-').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let to = if look_of(to)?.is_some() {
        free_name(to)?
    } else {
        to.to_owned()
    };
    fs::rename(from, to)
}

/// The folders in which something is set aside.
pub(super) fn folders(areas: &[Area]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for area in areas {
        let own = [SET_ASIDE, "new"].map(|part| area.folder.join(part));
        found.extend(own.into_iter().find(|folder| !files_in(folder).is_empty()));
    }
    found
}

/// Files and links in a folder.
pub(super) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    let files = entries
        .flatten()
        .filter(|entry| !entry.file_type().is_dir());
    files.map(walkdir::DirEntry::into_path).collect()
}
