//! What became of a restore's files since: whatever is not as the restore left it is somebody's work.

use crate::engine::error::EngineError;
use crate::engine::files::{set_mode, unlock};
use crate::engine::restore::change::{Area, Change, mode_of};
use crate::engine::restore::perform::{barred_by, is_done, look_of};
use std::path::{Path, PathBuf};

/// What is not any more as the restore left it.
pub(super) fn changed_since(
    areas: &[Area],
    changes: &[Change],
) -> Result<Vec<PathBuf>, EngineError> {
    let _opened = Opened::by(areas, changes);
    let mut found = Vec::new();
    for change in changes {
        let (at, wanted) = match change {
            Change::Put { at, look, .. } => (at, Some(*look)),
            Change::Remove { at, .. } => (at, None),
            _ => continue,
        };
        let area = &areas[at.area];
        let path = area.path(at);
        // One that is not done was left out, because the disk did not let it be done.
        let barred = barred_by(area, at).map_err(|source| EngineError::NotUndone {
            path: path.clone(),
            source,
        })?;
        if let Some(bar) = barred {
            if !found.contains(&bar) {
                found.push(bar);
            }
            continue;
        }
        let is_changed =
            is_done(area, change).and_then(|is_done| Ok(is_done && look_of(&path)? != wanted));
        match is_changed {
            Ok(true) => found.push(path),
            Ok(false) => {}
            Err(source) => return Err(EngineError::NotUndone { path, source }),
        }
    }
    Ok(found)
}

/// Folders that keep their owner out, as the restore left them, opened to be looked into as long as this
/// lives; the outermost first, with their permissions.
struct Opened(Vec<(PathBuf, u32)>);

impl Opened {
    /// What cannot be opened is told by whoever looks into it.
    fn by(areas: &[Area], changes: &[Change]) -> Self {
        let mut opened = Self(Vec::new());
        // Folders are finished from the innermost on.
        for change in changes.iter().rev() {
            let Change::FinishFolder { at, after, .. } = change else {
                continue;
            };
            let Some(mode) = after.mode.filter(|mode| keeps_out(*mode)) else {
                continue;
            };
            let area = &areas[at.area];
            let path = area.path(at);
            let is_ours = matches!(barred_by(area, at), Ok(None)) && has_mode(&path, mode);
            if is_ours && unlock(&path).is_ok() {
                opened.0.push((path, mode));
            }
        }
        opened
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        for (path, mode) in self.0.iter().rev() {
            if let Err(error) = set_mode(path, Some(*mode)) {
                tracing::warn!(path = %path.display(), %error, "a folder could not be closed again");
            }
        }
    }
}

/// Whether not even the owner of a folder with these permission bits reaches what is in it.
const fn keeps_out(mode: u32) -> bool {
    mode & 0o100 == 0
}

/// Whether a folder has these permission bits.
fn has_mode(path: &Path, mode: u32) -> bool {
    let metadata = path.symlink_metadata();
    metadata.is_ok_and(|metadata| metadata.is_dir() && mode_of(&metadata) == Some(mode))
}
