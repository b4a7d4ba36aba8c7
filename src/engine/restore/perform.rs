//! Does the changes of a restore and takes them back, from whatever state an interruption left.
//!
//! Nothing is noted on the way: the working folders tell how far a change came. A staged file that is
//! still in `new` is not in its place yet, and what is in `old` was set aside. A file is replaced by one
//! rename over it, so at no moment is there none, or half of one, under its name.

use crate::engine::files::{set_mode, set_modified, unlock};
use crate::engine::restore::change::{Area, Change, FolderLook, Look, Spot, mode_of};
use crate::model::EntryKind;
use filetime::FileTime;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What could not be changed, and why.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

/// Whether a walk over changes goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Stop,
}

/// How a walk over changes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walked {
    ToItsEnd,
    Stopped,
}

/// Does all changes, in order. What was done before is not done again. Where `after_failure` says so, it goes
/// on without a change that could not be done.
pub(super) fn forward(
    areas: &[Area],
    changes: &[Change],
    mut before_each: impl FnMut() -> Next,
    mut after_failure: impl FnMut(&Change, &Failed) -> Next,
) -> Result<Walked, Failed> {
    for change in changes {
        if before_each() == Next::Stop {
            return Ok(Walked::Stopped);
        }
        let (area, path) = place_of(areas, change);
        let done = match change {
            Change::MakeFolder(_) => make_folder(&path),
            Change::OpenFolder { .. } => unlock(&path).map(drop),
            Change::Put { number, .. } => put(area, *number, &path),
            Change::Remove { number, locked, .. } => remove(area, *number, &path, *locked),
            Change::FinishFolder { after, .. } => set_look(&path, *after),
        };
        if let Err(source) = done {
            let failed = Failed { path, source };
            if after_failure(change, &failed) == Next::Stop
                || take_back_one(area, change, &failed.path).is_err()
            {
                return Err(failed);
            }
        }
    }
    Ok(Walked::ToItsEnd)
}

/// Takes a change of a file back that was not done, or only in part.
fn take_back_one(area: &Area, change: &Change, path: &Path) -> io::Result<()> {
    match change {
        Change::Put { number, .. } => take_out(area, *number, path),
        Change::Remove { number, locked, .. } => bring_back(area, *number, path, *locked),
        Change::MakeFolder(_) | Change::OpenFolder { .. } | Change::FinishFolder { .. } => Ok(()),
    }
}

/// Whether a change of a file is done, and was not left out. Of one that was taken back nothing is known.
pub(super) fn is_done(area: &Area, change: &Change) -> io::Result<bool> {
    match change {
        Change::Put { number, .. } => Ok(there(&area.new_path(*number))?.is_none()),
        Change::Remove { number, .. } => Ok(there(&area.old_path(*number))?.is_some()),
        Change::MakeFolder(_) | Change::OpenFolder { .. } | Change::FinishFolder { .. } => Ok(true),
    }
}

/// Takes all changes back, the last one first. Goes on after a failure, and tells all of them.
pub(super) fn back(areas: &[Area], changes: &[Change]) -> Vec<Failed> {
    let mut failures = Vec::new();
    let mut note = |path: PathBuf, done: io::Result<()>| {
        if let Err(source) = done {
            failures.push(Failed { path, source });
        }
    };
    // Folders that got permissions to keep their owner out would do so now too; the outermost first.
    for change in changes.iter().rev() {
        let (_, path) = place_of(areas, change);
        if let Change::FinishFolder { at, .. } = change
            && is_own_folder(&areas[at.area], at)
        {
            note(path.clone(), if_there(unlock(&path).map(drop)));
        }
    }
    for change in changes.iter().rev() {
        let (area, path) = place_of(areas, change);
        let done = match change {
            Change::MakeFolder(at) if is_own_folder(area, at) => remove_empty(&path),
            Change::Put { number, at, .. } | Change::Remove { number, at, .. } => {
                match clear_way(area, *number, at) {
                    Ok(Way::Clear) => take_back_one(area, change, &path),
                    Ok(Way::Barred) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            Change::MakeFolder(_) | Change::OpenFolder { .. } | Change::FinishFolder { .. } => {
                Ok(())
            }
        };
        note(path, done);
    }
    // Last, because every change inside a folder gives it another time; the deepest first.
    for change in changes {
        if let Change::FinishFolder { before, at, .. } = change
            && let Some(before) = before
            && is_own_folder(&areas[at.area], at)
        {
            let (_, path) = place_of(areas, change);
            note(path.clone(), set_look(&path, *before));
        }
    }
    failures
}

/// What is at a place, by which it is known again; `None` where nothing is.
pub(super) fn look_of(path: &Path) -> io::Result<Option<Look>> {
    let Some(metadata) = there(path)? else {
        return Ok(None);
    };
    let kind = if metadata.is_dir() {
        EntryKind::Directory
    } else if metadata.is_symlink() {
        EntryKind::Symlink
    } else {
        EntryKind::File
    };
    let modified = FileTime::from_last_modification_time(&metadata);
    let size_bytes = if kind == EntryKind::Directory {
        0
    } else {
        metadata.len()
    };
    Ok(Some(Look {
        kind,
        size_bytes,
        modified_ns: modified.unix_seconds() * 1_000_000_000 + i64::from(modified.nanoseconds()),
    }))
}

fn place_of<'a>(areas: &'a [Area], change: &Change) -> (&'a Area, PathBuf) {
    let spot: &Spot = match change {
        Change::MakeFolder(at)
        | Change::OpenFolder { at, .. }
        | Change::Put { at, .. }
        | Change::Remove { at, .. }
        | Change::FinishFolder { at, .. } => at,
    };
    let area = &areas[spot.area];
    (area, area.path(spot))
}

fn there(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A place below something that is no folder is as absent as any.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn if_there(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if is_absence(&error) => Ok(()),
        // Nor is anything there whose name the disk cannot have.
        Err(error) if error.kind() == ErrorKind::InvalidFilename => Ok(()),
        result => result,
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match there(path)? {
            Some(metadata) if metadata.is_dir() => Ok(()),
            _ => Err(error),
        },
        result => result,
    }
}

fn remove_empty(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        // Somebody put something there meanwhile: it is theirs, and so is the folder.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        result => if_there(result),
    }
}

fn put(area: &Area, number: u64, path: &Path) -> io::Result<()> {
    let (new, old) = (area.new_path(number), area.old_path(number));
    if there(&new)?.is_none() {
        return Ok(());
    }
    if let Some(metadata) = there(path)? {
        if metadata.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        match there(&old)? {
            None => set_aside(path, &old)?,
            Some(aside) if is_same_file(&aside, &metadata) => {}
            // It came there after what is aside had gone: neither may be lost.
            Some(_) => fs::rename(path, free_name(&old)?)?,
        }
    }
    fs::rename(&new, path)
}

/// Keeps what is at `path` also at `aside`; where the volume has no links, only there.
fn set_aside(path: &Path, aside: &Path) -> io::Result<()> {
    match fs::hard_link(path, aside) {
        Ok(()) => Ok(()),
        Err(_) => fs::rename(path, aside),
    }
}

fn remove(area: &Area, number: u64, path: &Path, locked: Option<u32>) -> io::Result<()> {
    let old = area.old_path(number);
    if there(&old)?.is_some() {
        return Ok(());
    }
    if locked.is_some() {
        if_there(unlock(path).map(drop))?;
    }
    if_there(fs::rename(path, old))
}

fn take_out(area: &Area, number: u64, path: &Path) -> io::Result<()> {
    let (new, old) = (area.new_path(number), area.old_path(number));
    let is_placed = there(&new)?.is_none();
    if there(&old)?.is_none() {
        return if is_placed {
            if_there(fs::rename(path, new))
        } else {
            Ok(())
        };
    }
    if is_placed && there(path)?.is_some() {
        set_aside(path, &new)?;
    }
    bring_to(&old, path)?;
    // A rename of one link of a file to another leaves both (POSIX).
    if_there(fs::remove_file(old))
}

fn bring_back(area: &Area, number: u64, path: &Path, locked: Option<u32>) -> io::Result<()> {
    let (new, old) = (area.new_path(number), area.old_path(number));
    if there(&old)?.is_none() {
        // It is there already, or was never taken away: all the same it may have been opened.
        return if_there(close(path, locked));
    }
    if there(path)?.is_some() {
        let kept = if there(&new)?.is_some() {
            free_name(&new)?
        } else {
            new
        };
        fs::rename(path, kept)?;
    }
    bring_to(&old, path)?;
    close(path, locked)
}

/// Gives a folder back what keeps its owner from writing to it.
fn close(path: &Path, locked: Option<u32>) -> io::Result<()> {
    if locked.is_some() && there(path)?.is_some_and(|metadata| metadata.is_dir()) {
        set_mode(path, locked)?;
    }
    Ok(())
}

/// Whether a folder is there, or nothing, and not something that somebody put there since.
fn is_own_folder(area: &Area, at: &Spot) -> bool {
    let is_folder = at.relative.as_os_str().is_empty()
        || !matches!(there(&area.path(at)), Ok(Some(metadata)) if !metadata.is_dir());
    is_folder && !matches!(barred_by(area, at), Ok(Some(_)))
}

/// The outermost thing on the way to a place that is no folder, though one was there: somebody put it there
/// since. Nothing is written or taken through it, also where it is a link to a folder.
pub(super) fn barred_by(area: &Area, at: &Spot) -> io::Result<Option<PathBuf>> {
    let Some(parent) = at.relative.parent() else {
        return Ok(None);
    };
    let mut path = area.anchor.clone();
    for part in parent {
        path.push(part);
        match there(&path)? {
            None => return Ok(None),
            Some(metadata) if metadata.is_dir() => {}
            Some(_) => return Ok(Some(path)),
        }
    }
    Ok(None)
}

/// Whether a place is reached through folders alone, and what is to be brought back to it can be: what bars
/// the way to that is kept under a name that tells of how far above it stood.
fn clear_way(area: &Area, number: u64, at: &Spot) -> io::Result<Way> {
    let Some(bar) = barred_by(area, at)? else {
        return Ok(Way::Clear);
    };
    if there(&area.old_path(number))?.is_none() {
        return Ok(Way::Barred);
    }
    let path = area.path(at);
    let levels = path.ancestors().position(|above| above == bar).unwrap_or(1);
    let kept = area
        .folder
        .join("new")
        .join(format!("{number}{ABOVE}{levels}"));
    let kept = if there(&kept)?.is_some() {
        free_name(&kept)?
    } else {
        kept
    };
    fs::rename(bar, kept)?;
    Ok(Way::Clear)
}

/// How the way to a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Clear,
    /// Something else stands there, and there is nothing to be brought back.
    Barred,
}

/// Between a change's number and how many levels above its place something stood that was in the way.
pub(super) const ABOVE: &str = "-above";

/// Moves what was set aside to its place. Folders on the way that went since the restore are made anew.
fn bring_to(aside: &Path, path: &Path) -> io::Result<()> {
    match (fs::rename(aside, path), path.parent()) {
        (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            fs::rename(aside, path)
        }
        (moved, _) => moved,
    }
}

/// A name beside this one that nothing has.
pub(super) fn free_name(path: &Path) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("-{number}"));
        let name = PathBuf::from(name);
        if there(&name)?.is_none() {
            return Ok(name);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Gives a folder its time and permissions, if it is there.
pub(super) fn set_look(path: &Path, look: FolderLook) -> io::Result<()> {
    // The time first: permissions may forbid it afterwards.
    if let Some(ns) = look.modified_ns {
        match set_modified(path, ns) {
            // It is somebody else's, who lets everybody write to it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            set => if_there(set)?,
        }
    }
    let has_mode = fs::metadata(path).is_ok_and(|metadata| mode_of(&metadata) == look.mode);
    if has_mode {
        return Ok(());
    }
    match set_mode(path, look.mode) {
        // Nor do its permissions concern anybody else.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        set => if_there(set),
    }
}

#[cfg(unix)]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len() && one.modified().ok() == other.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const NAMES: [&str; 5] = ["a", "b", "d/a", "d/b", "d/e/a"];

    /// A target with an area beside it.
    struct Ground {
        _folder: tempfile::TempDir,
        area: Area,
    }

    impl Ground {
        fn new(old: [bool; 5]) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let area = Area {
                anchor: folder.path().join("target"),
                folder: folder.path().join("area"),
                before: FolderLook::default(),
            };
            for part in ["target", "area/new", "area/old"] {
                fs::create_dir_all(folder.path().join(part)).expect("made");
            }
            for (name, is_there) in NAMES.iter().zip(old) {
                if is_there {
                    let path = area.anchor.join(name);
                    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
                    fs::write(path, format!("old {name}")).expect("written");
                }
            }
            let ground = Self {
                _folder: folder,
                area,
            };
            for folder in ["d/e", "d", ""] {
                let path = ground.area.anchor.join(folder);
                let old = FileTime::from_unix_time(1_000, 0);
                if path.exists() {
                    filetime::set_file_mtime(path, old).expect("set");
                }
            }
            ground
        }

        fn spot(name: &str) -> Spot {
            Spot {
                area: 0,
                relative: PathBuf::from(name),
            }
        }

        /// What puts or removes each name, with the folders that it needs, as a survey would say.
        fn changes(&self, wishes: [Wish; 5]) -> Vec<Change> {
            let mut changes = Vec::new();
            let mut folders = vec![""];
            for (name, wish) in NAMES.iter().zip(wishes) {
                let needed: &[&str] = match *name {
                    "d/e/a" => &["d", "d/e"],
                    "a" | "b" => &[],
                    _ => &["d"],
                };
                for folder in needed.iter().filter(|_| wish != Wish::Nothing) {
                    let is_there = self.area.anchor.join(folder).exists();
                    let make = Change::MakeFolder(Self::spot(folder));
                    if wish == Wish::Put && !is_there && !changes.contains(&make) {
                        changes.push(make.clone());
                    }
                    let will_be = is_there || changes.contains(&make);
                    if will_be && !folders.contains(folder) {
                        folders.push(folder);
                    }
                }
            }
            for (number, (name, wish)) in (0..).zip(NAMES.iter().zip(wishes)) {
                let at = Self::spot(name);
                match wish {
                    Wish::Nothing => {}
                    Wish::Remove => changes.push(Change::Remove {
                        number,
                        at,
                        locked: None,
                    }),
                    Wish::Put => {
                        let new = self.area.new_path(number);
                        fs::write(&new, format!("new {name}")).expect("staged");
                        let look = look_of(&new).expect("looked").expect("there");
                        changes.push(Change::Put { number, at, look });
                    }
                }
            }
            for folder in folders.iter().rev() {
                let path = self.area.anchor.join(folder);
                let before = path.exists().then_some(FolderLook {
                    modified_ns: Some(1_000_000_000_000),
                    mode: None,
                });
                let after = FolderLook {
                    modified_ns: Some(2_000_000_000_000),
                    mode: None,
                };
                let at = Self::spot(folder);
                changes.push(Change::FinishFolder { at, before, after });
            }
            changes
        }

        /// Everything that is there: contents of files, times of folders.
        fn picture(&self) -> BTreeMap<PathBuf, String> {
            let walk = walkdir::WalkDir::new(&self.area.anchor).into_iter();
            walk.map(|entry| {
                let entry = entry.expect("readable");
                let told = if entry.file_type().is_dir() {
                    let modified = entry.metadata().expect("there").modified();
                    format!("{:?}", modified.expect("a time"))
                } else {
                    fs::read_to_string(entry.path()).expect("text")
                };
                (entry.path().to_owned(), told)
            })
            .collect()
        }

        /// Does the first changes, and of the next one only its first half.
        fn interrupted(&self, changes: &[Change], whole: usize, half: Half) {
            let areas = std::slice::from_ref(&self.area);
            let whole = whole.min(changes.len());
            forward(areas, &changes[..whole], || Next::GoOn, |_, _| Next::Stop).expect("done");
            if let Some(Change::Put { number, at, .. }) = changes.get(whole) {
                let (path, old) = (self.area.path(at), self.area.old_path(*number));
                if path.exists() {
                    match half {
                        Half::None => {}
                        Half::Linked => fs::hard_link(path, old).expect("linked"),
                        Half::Moved => fs::rename(path, old).expect("moved"),
                    }
                }
            }
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Wish {
        Nothing,
        Put,
        Remove,
    }

    #[derive(Debug, Clone, Copy)]
    enum Half {
        None,
        Linked,
        Moved,
    }

    fn any_wish() -> impl Strategy<Value = Wish> {
        prop_oneof![Just(Wish::Nothing), Just(Wish::Put), Just(Wish::Remove)]
    }

    proptest! {
        #[test]
        fn from_any_interruption_it_ends_in_the_old_or_the_new(
            old in any::<[bool; 5]>(),
            wishes in [any_wish(), any_wish(), any_wish(), any_wish(), any_wish()],
            whole in 0_usize..12,
            half in prop_oneof![Just(Half::None), Just(Half::Linked), Just(Half::Moved)],
            backwards in 0_usize..12,
        ) {
            let ground = Ground::new(old);
            let before = ground.picture();
            let changes = ground.changes(wishes);
            let areas = std::slice::from_ref(&ground.area);

            ground.interrupted(&changes, whole, half);
            prop_assert!(back(areas, &changes).is_empty());
            prop_assert_eq!(ground.picture(), before.clone(), "taken back");

            ground.interrupted(&changes, whole, half);
            forward(areas, &changes, || Next::GoOn, |_, _| Next::Stop).expect("done");
            let after = ground.picture();
            for (name, wish) in NAMES.iter().zip(&wishes) {
                let now = after.get(&ground.area.anchor.join(name)).map(String::as_str);
                match wish {
                    Wish::Put => prop_assert_eq!(now, Some(&*format!("new {name}"))),
                    Wish::Remove => prop_assert_eq!(now, None),
                    Wish::Nothing => {}
                }
            }

            // A taking back that is interrupted goes on.
            let late = changes.len().saturating_sub(backwards);
            prop_assert!(back(areas, &changes[late..]).is_empty());
            prop_assert!(back(areas, &changes).is_empty());
            prop_assert_eq!(ground.picture(), before, "undone");

            forward(areas, &changes, || Next::GoOn, |_, _| Next::Stop).expect("done again");
            prop_assert_eq!(ground.picture(), after, "restored again");
        }
    }

    #[test]
    fn what_came_meanwhile_is_kept() {
        let ground = Ground::new([true, true, false, false, false]);
        let changes = ground.changes([
            Wish::Put,
            Wish::Remove,
            Wish::Nothing,
            Wish::Nothing,
            Wish::Put,
        ]);
        let areas = std::slice::from_ref(&ground.area);
        forward(areas, &changes, || Next::GoOn, |_, _| Next::Stop).expect("done");
        let at = |name: &str| ground.area.anchor.join(name);
        fs::write(at("a"), "mine").expect("written");
        fs::write(at("b"), "mine too").expect("written");
        fs::write(at("d/mine"), "and mine").expect("written");
        assert!(back(areas, &changes).is_empty());
        let read = |path: PathBuf| fs::read_to_string(path).expect("there");
        assert_eq!(
            (read(at("a")), read(at("b"))),
            ("old a".into(), "old b".into())
        );
        assert_eq!(read(at("d/mine")), "and mine");
        assert_eq!(read(ground.area.new_path(0)), "mine");
        assert_eq!(read(ground.area.new_path(1)), "mine too");
    }
}
