//! What a folder of the target has and the backup has not: what an exact mirror removes.

use crate::archive::NameMatching;
use crate::engine::error::EngineError;
use crate::engine::excludes::excludes_of;
use crate::engine::restore::ground::is_mount_point;
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
    /// What was missing when the backup was made: it stays, with all that is in it.
    pub(super) unknown: &'a HashSet<PathBuf>,
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
    /// What is below `top` that only the target has; patterns are meant from `root`, which `top` is or is in.
    pub(super) fn extra_in(&self, top: &Path, root: &Path) -> Result<Found, EngineError> {
        let excludes = excludes_of(root, self.excludes)?;
        let mut found = Found::default();
        let mut ways = self.matching.fold_path(top);
        loop {
            if self.unknown.contains(&ways) {
                return Ok(found);
            }
            if !ways.pop() {
                break;
            }
        }
        let walk = Walk {
            mirrored: self,
            excludes: &excludes,
            root,
        };
        match walk.look_into(top, &mut found) {
            Ok(_) => Ok(found),
            // There is no folder yet, or something is in its way, which is told elsewhere.
            Err((path, error))
                if error.kind() == io::ErrorKind::NotFound
                    || error.kind() == io::ErrorKind::NotADirectory && path == top =>
            {
                Ok(Found::default())
            }
            Err((path, source)) => Err(EngineError::Target { path, source }),
        }
    }
}

/// What only the target has.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The topmost files, links and folders.
    pub(super) extra: Vec<PathBuf>,
    /// Folders that stay with all that is in them, because we may not look into them.
    pub(super) closed: Vec<PathBuf>,
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
    root: &'a Path,
}

impl Walk<'_> {
    fn look_into(&self, folder: &Path, found: &mut Found) -> Result<Content, (PathBuf, io::Error)> {
        let failed = |error| (folder.to_owned(), error);
        let mut content = Content::Extra;
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                found.closed.push(folder.to_owned());
                return Ok(Content::Kept);
            }
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            if self.stays(&path, kind) {
                content = Content::Kept;
                continue;
            }
            let known_as = self.mirrored.matching.fold_path(&path);
            if self.mirrored.unknown.contains(&known_as) {
                content = Content::Kept;
                continue;
            }
            let is_present = self.mirrored.present.contains(&known_as);
            if !kind.is_dir() {
                if is_present {
                    content = Content::Kept;
                } else {
                    found.extra.push(path);
                }
                continue;
            }
            // Another volume: what goes is cleared away later, and by then others may have written to it.
            if !is_present && is_mount_point(&path).map_err(|error| (path.clone(), error))? {
                content = Content::Kept;
                continue;
            }
            let before = found.extra.len();
            let inside = self.look_into(&path, found)?;
            if is_present || inside == Content::Kept {
                content = Content::Kept;
            } else {
                found.extra.truncate(before);
                found.extra.push(path);
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
        let relative = path.strip_prefix(self.root).unwrap_or(path);
        is_kept_out
            || self.mirrored.in_the_way.contains(path)
            || path.file_name().is_some_and(is_workspace)
            || self.excludes.matched(relative, kind.is_dir()).is_ignore()
    }
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
            "unread/was/there",
            "root/all",
            ".zipkeep-restore-1/new/1",
        ] {
            let path = top.join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "").expect("written");
        }
        let present = HashSet::from([top.join("kept"), top.join("kept/a")]);
        let mirrored = Mirrored {
            present: &present,
            unknown: &HashSet::from([top.join("unread"), top.join("root")]),
            matching: NameMatching::Exact,
            keep_out: &[top.join("own")],
            in_the_way: &HashSet::new(),
            excludes: &["cache/".to_owned()],
        };
        let mut extra = mirrored.extra_in(top, top).expect("looked").extra;
        extra.sort();
        assert_eq!(
            extra,
            ["gone", "half/w", "kept/b"].map(|name| top.join(name))
        );
        for unknown in ["root", "unread/was"] {
            let found = mirrored.extra_in(&top.join(unknown), top).expect("looked");
            assert!(found.extra.is_empty(), "{unknown}: {:?}", found.extra);
        }
        fs::write(top.join("file"), "").expect("written");
        let found = mirrored.extra_in(&top.join("file"), top).expect("looked");
        assert!(found.extra.is_empty(), "a file is in the way");
        let missing = mirrored
            .extra_in(&top.join("not there"), top)
            .expect("looked");
        assert!(missing.extra.is_empty() && missing.closed.is_empty());
    }
}
