//! What a folder of the target has and the backup has not: what an exact mirror removes.

use crate::archive::NameMatching;
use crate::engine::error::EngineError;
use crate::engine::excludes::excludes_of;
use crate::engine::restore::workspace::is_workspace;
use ignore::gitignore::Gitignore;
use std::collections::HashSet;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// What must stay of a folder.
#[derive(Debug)]
pub(super) struct Mirrored<'a> {
    /// Everything that the backup has, wanted or not.
    pub(super) present: &'a HashSet<PathBuf>,
    /// How the names in it are folded.
    pub(super) matching: NameMatching,
    /// What is never touched, with all that is in it.
    pub(super) keep_out: &'a [PathBuf],
    /// Folders that stay with all that is in them, because the file that the backup has there is refused.
    pub(super) in_the_way: &'a HashSet<PathBuf>,
    /// Patterns of what backups leave out.
    pub(super) excludes: &'a [String],
}

impl Mirrored<'_> {
    /// The topmost files, links and folders below `top` that only the target has.
    pub(super) fn extra_in(&self, top: &Path) -> Result<Vec<PathBuf>, EngineError> {
        let excludes = excludes_of(top, self.excludes)?;
        let mut extra = Vec::new();
        let walk = Walk {
            mirrored: self,
            excludes: &excludes,
            top,
        };
        match walk.look_into(top, &mut extra) {
            Ok(_) => Ok(extra),
            // There is no folder yet.
            Err((_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err((path, source)) => Err(EngineError::Target { path, source }),
        }
    }
}

/// Whether all that is in a folder may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Extra,
    Kept,
}

struct Walk<'a> {
    mirrored: &'a Mirrored<'a>,
    excludes: &'a Gitignore,
    top: &'a Path,
}

impl Walk<'_> {
    fn look_into(
        &self,
        folder: &Path,
        extra: &mut Vec<PathBuf>,
    ) -> Result<Content, (PathBuf, io::Error)> {
        let failed = |error| (folder.to_owned(), error);
        let mut content = Content::Extra;
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            if self.stays(&path, kind) {
                content = Content::Kept;
                continue;
            }
            let known_as = self.mirrored.matching.fold_path(&path);
            let is_present = self.mirrored.present.contains(&known_as);
            if !kind.is_dir() {
                if is_present {
                    content = Content::Kept;
                } else {
                    extra.push(path);
                }
                continue;
            }
            // Another volume: what goes is cleared away later, and by then others may have written to it.
            if !is_present && is_mount_point(&path).map_err(|error| (path.clone(), error))? {
                content = Content::Kept;
                continue;
            }
            let before = extra.len();
            let inside = self.look_into(&path, extra)?;
            if is_present || inside == Content::Kept {
                content = Content::Kept;
            } else {
                extra.truncate(before);
                extra.push(path);
            }
        }
        Ok(content)
    }

    fn stays(&self, path: &Path, kind: FileType) -> bool {
        let is_kept_out = self
            .mirrored
            .keep_out
            .iter()
            .any(|kept| path.starts_with(kept));
        let relative = path.strip_prefix(self.top).unwrap_or(path);
        is_kept_out
            || self.mirrored.in_the_way.contains(path)
            || path.file_name().is_some_and(is_workspace)
            || self.excludes.matched(relative, kind.is_dir()).is_ignore()
    }
}

/// Whether another volume, or another part of one, begins at a folder.
#[cfg(target_os = "linux")]
fn is_mount_point(folder: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let told = statx(CWD, folder, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())?;
    Ok(told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_mount_point(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let above = folder.parent().unwrap_or(folder).symlink_metadata()?;
    Ok(folder.symlink_metadata()?.dev() != above.dev())
}

#[cfg(not(unix))]
fn is_mount_point(_folder: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_backup_could_have_had_is_extra() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path();
        for file in [
            "kept/a",
            "kept/b",
            "gone/x/y",
            "gone/z",
            "half/cache/big",
            "half/w",
            "own/secret",
            ".zipkeep-restore-1/new/1",
        ] {
            let path = top.join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "").expect("written");
        }
        let present = HashSet::from([top.join("kept"), top.join("kept/a")]);
        let mirrored = Mirrored {
            present: &present,
            matching: NameMatching::Exact,
            keep_out: &[top.join("own")],
            in_the_way: &HashSet::new(),
            excludes: &["cache/".to_owned()],
        };
        let mut extra = mirrored.extra_in(top).expect("looked");
        extra.sort();
        assert_eq!(
            extra,
            ["gone", "half/w", "kept/b"].map(|name| top.join(name))
        );
        let missing = mirrored.extra_in(&top.join("not there")).expect("looked");
        assert!(missing.is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn another_volume_is_told_from_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_mount_point(folder.path()).expect("looked"));
        assert!(is_mount_point(Path::new("/proc")).expect("looked"));
    }
}
