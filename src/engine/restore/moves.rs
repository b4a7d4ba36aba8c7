//! `Moves`: steps on the file system that can all be taken back, in reverse order.

use crate::engine::files::{make_link, unlock};
use filetime::FileTime;
use std::fs::{self, File, Permissions};
use std::io;
use std::path::{Path, PathBuf};

/// Steps that were done and can be taken back.
#[derive(Debug, Default)]
pub(super) struct Moves {
    done: Vec<Step>,
    /// What was set aside outside of a staging folder, because it is on another volume.
    beside: Vec<PathBuf>,
}

#[derive(Debug)]
enum Step {
    MadeFolder(PathBuf),
    Moved {
        from: PathBuf,
        to: PathBuf,
    },
    /// A copy, because the source is on another volume.
    Copied(PathBuf),
    /// A folder that its owner may write to for the moment.
    Unlocked {
        folder: PathBuf,
        before: Permissions,
    },
}

impl Moves {
    /// Makes a folder.
    pub(super) fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.unlocking(folder, || fs::create_dir(folder))?;
        self.done.push(Step::MadeFolder(folder.to_owned()));
        Ok(())
    }

    /// Moves what stands at `target` to `aside`; to a name beside it where that is another volume.
    pub(super) fn set_aside(&mut self, target: &Path, aside: &Path) -> io::Result<()> {
        match self.rename(target, aside) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let beside = beside(target)?;
                self.rename(target, &beside)?;
                self.beside.push(beside);
                Ok(())
            }
            result => result,
        }
    }

    /// Moves a staged file or link to its place; copies it where that is another volume.
    pub(super) fn put(&mut self, staged: &Path, target: &Path) -> io::Result<()> {
        match self.rename(staged, target) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.unlocking(target, || copy(staged, target))?;
                self.done.push(Step::Copied(target.to_owned()));
                Ok(())
            }
            result => result,
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        // Either folder may be the one that is locked.
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.unlock_above(from)?;
                self.unlocking(to, || fs::rename(from, to))?;
            }
            result => result?,
        }
        self.done.push(Step::Moved {
            from: from.to_owned(),
            to: to.to_owned(),
        });
        Ok(())
    }

    /// Tries once more with the folder above `path` unlocked, where permission was denied.
    fn unlocking<T>(&mut self, path: &Path, work: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.unlock_above(path)?;
                work()
            }
            result => result,
        }
    }

    fn unlock_above(&mut self, path: &Path) -> io::Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        if let Some(before) = unlock(folder)? {
            self.done.push(Step::Unlocked {
                folder: folder.to_owned(),
                before,
            });
        }
        Ok(())
    }

    /// Takes every step back, the last one first. Goes on after a failure; tells the first one.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        let mut first_failure = None;
        for step in self.done.drain(..).rev() {
            let result = match &step {
                Step::MadeFolder(folder) => fs::remove_dir(folder),
                Step::Moved { from, to } => fs::rename(to, from),
                Step::Copied(target) => fs::remove_file(target),
                Step::Unlocked { folder, before } => fs::set_permissions(folder, before.clone()),
            };
            if let Err(error) = result {
                tracing::error!(%error, ?step, "a step of a failed restore could not be taken back");
                first_failure.get_or_insert(error);
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// All is in place: gives unlocked folders their permissions back, and lets the old go.
    pub(super) fn settle(self) {
        for beside in &self.beside {
            if let Err(error) = fs::remove_file(beside) {
                tracing::warn!(%error, path = %beside.display(), "a replaced file stays behind");
            }
        }
        for step in self.done.into_iter().rev() {
            if let Step::Unlocked { folder, before } = step {
                fs::set_permissions(folder, before).ok();
            }
        }
    }
}

/// A free name in the same folder.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let file = tempfile::Builder::new()
        .prefix(".zipkeep-old-")
        .tempfile_in(folder)?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}

/// Copies a staged file or link with its time and permissions; it appears at once or not at all.
fn copy(staged: &Path, target: &Path) -> io::Result<()> {
    let metadata = staged.symlink_metadata()?;
    if metadata.is_symlink() {
        return make_link(&fs::read_link(staged)?, target);
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut part = tempfile::Builder::new()
        .prefix(".zipkeep-new-")
        .tempfile_in(folder)?;
    io::copy(&mut File::open(staged)?, &mut part)?;
    let modified = FileTime::from_last_modification_time(&metadata);
    filetime::set_file_handle_times(part.as_file(), None, Some(modified))?;
    part.as_file().set_permissions(metadata.permissions())?;
    part.as_file().sync_all()?;
    part.persist(target).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn steps_are_taken_back_to_where_they_began() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("locked")).expect("made");
        fs::write(path("locked/a"), "old").expect("written");
        fs::write(path("staged"), "new").expect("written");
        fs::set_permissions(path("locked"), Permissions::from_mode(0o555)).expect("set");
        let mut moves = Moves::default();
        moves
            .set_aside(&path("locked/a"), &path("aside"))
            .expect("moved");
        moves
            .put(&path("staged"), &path("locked/a"))
            .expect("moved");
        moves.make_folder(&path("locked/new")).expect("made");
        assert_eq!(fs::read(path("locked/a")).expect("read"), b"new");
        moves.take_back().expect("taken back");
        assert_eq!(fs::read(path("locked/a")).expect("read"), b"old");
        assert!(path("staged").exists() && !path("locked/new").exists());
        let mode = fs::metadata(path("locked"))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o555);
        fs::set_permissions(path("locked"), Permissions::from_mode(0o755)).expect("set");
    }

    #[test]
    fn a_step_that_cannot_be_taken_back_is_told_and_the_others_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let mut moves = Moves::default();
        for name in ["a", "b", "c"] {
            fs::write(path(name), name).expect("written");
            let aside = path(&format!("aside-{name}"));
            moves.set_aside(&path(name), &aside).expect("moved");
        }
        fs::remove_file(path("aside-b")).expect("somebody removed it");
        assert!(moves.take_back().is_err());
        assert!(path("a").exists() && path("c").exists());
    }
}
