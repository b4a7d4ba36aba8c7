//! `Surveyor`: finds out what a plan means for what the target has now. Looks, and changes nothing.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::request::{OnConflict, RestoreOptions, RestoreRequest};
use crate::engine::restore::change::{FolderLook, Look, Spot, mode_of};
use crate::engine::restore::extra::Mirrored;
use crate::engine::restore::ground::{Volume, can_be_there, check_writable, is_mount_point};
use crate::engine::restore::mirror::Mirror;
use crate::engine::restore::perform::look_of;
use crate::engine::restore::plan::{Item, Plan, Role, path_of};
use crate::engine::restore::survey::{Effect, Extra, FileStep, Survey};
use crate::model::{EntryKind, Warning};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// What is known of a folder of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    There {
        area: usize,
        volume: Volume,
        look: FolderLook,
    },
    /// Nothing can be put into it. What is in it may be written to.
    Sealed,
    /// It will be made.
    New { area: usize },
    /// Nothing can be reached there, and why. Nothing is ever written through a link.
    Blocked(&'static str),
}

/// The area of what stays as it is in a folder that belongs to none.
const NO_AREA: usize = usize::MAX;

/// How closely a survey looks at what seems to be there already.
#[derive(Debug, Clone, Copy)]
pub(super) enum Depth<'a> {
    /// Size and time are enough, to show what would happen.
    Looks,
    /// The content is compared; this may be cancelled.
    Contents(&'a Context),
}

/// Looks at the target.
pub(super) struct Surveyor<'a> {
    bases: &'a [PathBuf],
    options: RestoreOptions,
    depth: Depth<'a>,
    keep_out: &'a [PathBuf],
    now: Timestamp,
    known: HashMap<PathBuf, Folder>,
    touched: HashSet<PathBuf>,
    /// Where files and links of the plan belong, where a free name is looked for beside them.
    planned: HashSet<PathBuf>,
    /// Where files of the plan go, with their hashes.
    put: HashMap<PathBuf, Option<blake3::Hash>>,
    /// Folders that are where the backup has a file.
    in_the_way: HashSet<PathBuf>,
    /// Where something will be put.
    taken: HashSet<PathBuf>,
    survey: Survey,
}

impl<'a> Surveyor<'a> {
    pub(super) fn new(
        bases: &'a [PathBuf],
        request: &'a RestoreRequest,
        now: Timestamp,
        depth: Depth<'a>,
    ) -> Self {
        Self {
            bases,
            options: request.options,
            keep_out: &request.keep_out,
            depth,
            now,
            known: HashMap::new(),
            touched: HashSet::new(),
            planned: HashSet::new(),
            put: HashMap::new(),
            in_the_way: HashSet::new(),
            taken: HashSet::new(),
            survey: Survey {
                mode_mask: request.options.special_bits.mode_mask(),
                ..Survey::default()
            },
        }
    }

    /// Looks at the place of every item of the plan.
    pub(super) fn look(mut self, plan: &Plan) -> Result<Survey, EngineError> {
        for base in self.bases {
            if let Folder::Blocked(why) = self.folder(base, base)? {
                let kind = if why == IN_THE_WAY {
                    io::ErrorKind::NotADirectory
                } else {
                    io::ErrorKind::PermissionDenied
                };
                return Err(failed(base)(kind.into()));
            }
        }
        if self.options.on_conflict == OnConflict::KeepBoth {
            let files = plan.items.iter();
            let files = files.filter(|item| item.kind != EntryKind::Directory);
            self.planned = files.map(|item| path_of(self.bases, item)).collect();
        }
        for (position, item) in plan.items.iter().enumerate() {
            let path = path_of(self.bases, item);
            let base = &self.bases[item.base];
            if !can_be_there(&path) {
                self.refuse(item, CANNOT_BE_NAMED);
                continue;
            }
            let looked = match item.kind {
                EntryKind::Directory => self.look_at_folder(position, item, &path, base),
                EntryKind::File | EntryKind::Symlink => {
                    self.look_at_file(position, item, path, base)
                }
            };
            match looked {
                Err(EngineError::Target { source, .. })
                    if source.kind() == io::ErrorKind::InvalidFilename =>
                {
                    self.refuse(item, CANNOT_BE_NAMED);
                }
                looked => looked?,
            }
        }
        if let Some(mirror) = &plan.mirror {
            self.look_for_extra(plan, mirror)?;
        }
        self.check_anything_is_possible()?;
        Ok(self.survey)
    }

    /// To name all files of a backup helps nobody where a folder that is restored to takes none of them.
    fn check_anything_is_possible(&self) -> Result<(), EngineError> {
        if !self.survey.anchors.is_empty() || !self.survey.files.is_empty() {
            return Ok(());
        }
        for base in self.bases {
            let metadata = base.metadata().map_err(failed(base))?;
            check_writable(base, &metadata).map_err(failed(base))?;
        }
        Ok(())
    }

    fn look_for_extra(&mut self, plan: &Plan, mirror: &Mirror) -> Result<(), EngineError> {
        for top in &mirror.tops {
            let mirrored = Mirrored {
                present: &mirror.present,
                unknown: &mirror.unknown,
                matching: top.matching,
                keep_out: self.keep_out,
                in_the_way: &self.in_the_way,
                excludes: &top.excludes,
            };
            let found = mirrored.extra_in(&top.path, &top.root)?;
            for path in found.extra {
                self.remove(&path, top.base, top.of)?;
            }
            for path in found.closed {
                self.keep(&path, NOT_LOOKED_INTO);
            }
        }
        for beside in &mirror.beside {
            let is_file = look_of(&beside.path).map_err(failed(&beside.path))?;
            if is_file.is_some_and(|look| look.kind == EntryKind::File) {
                let base = plan.items[beside.item].base;
                self.remove(&beside.path, base, Some(beside.item))?;
            }
        }
        Ok(())
    }

    /// Notes that something goes that only the target has; once, however often it is found.
    fn remove(&mut self, path: &Path, base: usize, of: Option<usize>) -> Result<(), EngineError> {
        if !self.taken.insert(path.to_owned()) {
            return Ok(());
        }
        let base = &self.bases[base];
        let parent = path.parent().unwrap_or(base).to_owned();
        let area = match self.folder(&parent, base)? {
            Folder::There { area, .. } => area,
            Folder::Sealed => {
                self.keep(path, NOT_REMOVED);
                return Ok(());
            }
            Folder::New { .. } | Folder::Blocked(_) => return Ok(()),
        };
        let metadata = path.symlink_metadata().map_err(failed(path))?;
        if is_mount_point(path).unwrap_or(false) {
            self.keep(path, NOT_REMOVED);
            return Ok(());
        }
        let mut locked = None;
        if metadata.is_dir() {
            // It holds the name of the folder above it, so to move it is to write to it.
            if check_writable(path, &metadata).is_err() {
                self.keep(path, NOT_REMOVED);
                return Ok(());
            }
            let look = FolderLook::of(&metadata);
            locked = look.mode.filter(|_| look.is_locked());
        }
        self.touch(&parent);
        let at = self.spot(area, path);
        self.survey.extra.push(Extra { at, of, locked });
        Ok(())
    }

    /// Says that something stays that only the target has.
    fn keep(&mut self, path: &Path, reason: &str) {
        self.survey.refused.push(Warning {
            path: path.display().to_string(),
            reason: reason.to_owned(),
        });
    }

    fn refuse(&mut self, item: &Item, reason: &str) {
        self.survey.refused.push(Warning {
            path: item.name.clone(),
            reason: reason.to_owned(),
        });
    }

    fn look_at_folder(
        &mut self,
        position: usize,
        item: &Item,
        path: &Path,
        base: &Path,
    ) -> Result<(), EngineError> {
        let (area, before) = match self.folder(path, base)? {
            Folder::Blocked(why) => {
                self.refuse(item, why);
                return Ok(());
            }
            // Somebody else's: it stays as it is.
            Folder::Sealed => return Ok(()),
            Folder::New { area } => (area, None),
            Folder::There { area, look, .. } => (area, Some(look)),
        };
        if item.role == Role::OnTheWay && before.is_some() {
            return Ok(());
        }
        let at = self.spot(area, path);
        self.survey.folders.push((position, at, before));
        Ok(())
    }

    fn look_at_file(
        &mut self,
        position: usize,
        item: &Item,
        path: PathBuf,
        base: &Path,
    ) -> Result<(), EngineError> {
        let parent = path.parent().unwrap_or(base);
        let area = match self.folder(parent, base)? {
            Folder::Blocked(why) => {
                self.refuse(item, why);
                return Ok(());
            }
            Folder::New { area } | Folder::There { area, .. } => area,
            Folder::Sealed => NO_AREA,
        };
        let there = match look_of(&path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.refuse(item, NOT_ENTERED);
                return Ok(());
            }
            there => there.map_err(failed(&path))?,
        };
        let (path, effect) = match there {
            None => (path, Effect::New),
            Some(look) if look.kind == EntryKind::Directory => {
                self.refuse(item, "a folder of the target is in the way");
                self.in_the_way.insert(path);
                return Ok(());
            }
            Some(look) if self.is_alike(item, look, &path)? => (path, Effect::Alike),
            Some(look) => self.in_conflict(item, look, path)?,
        };
        if area == NO_AREA && matches!(effect, Effect::New | Effect::Replaces) {
            self.refuse(item, NOT_WRITTEN);
            return Ok(());
        }
        if effect == Effect::Replaces && is_mount_point(&path).unwrap_or(false) {
            self.refuse(item, MOUNTED);
            return Ok(());
        }
        // Folders that are restored may lie in each other, or go to one place.
        match self.put.get(&path) {
            None => {}
            Some(other) if other.is_some() && *other == item.blake3 => return Ok(()),
            Some(_) => {
                self.refuse(item, "another file of the backup goes to the same place");
                return Ok(());
            }
        }
        if effect != Effect::Kept {
            self.put.insert(path.clone(), item.blake3);
        }
        if matches!(effect, Effect::New | Effect::Replaces) {
            let parent = path.parent().unwrap_or(base).to_owned();
            self.touch(&parent);
        }
        self.taken.insert(path.clone());
        let at = self.spot(area, &path);
        self.survey.files.push(FileStep {
            item: position,
            at,
            effect,
        });
        Ok(())
    }

    /// Whether what is there is all that this item would be.
    fn is_alike(&self, item: &Item, there: Look, path: &Path) -> Result<bool, EngineError> {
        let looks_alike = item.kind == EntryKind::File
            && there.kind == EntryKind::File
            && item.blake3.is_some()
            && there.size_bytes == item.size_bytes
            && item.modified_ns == Some(there.modified_ns);
        if !looks_alike {
            return Ok(false);
        }
        let metadata = path.symlink_metadata().map_err(failed(path))?;
        // To read a pipe is to wait for somebody who writes, for ever.
        if !metadata.is_file() {
            return Ok(false);
        }
        let mode = mode_of(&metadata).map(|mode| mode & self.survey.mode_mask);
        if item.mode.is_some() && mode.is_some() && item.mode != mode {
            return Ok(false);
        }
        let Depth::Contents(context) = self.depth else {
            return Ok(true);
        };
        context.check_cancelled()?;
        let mut hasher = blake3::Hasher::new();
        // One that cannot be read is replaced.
        let read = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
        Ok(read.is_ok() && item.blake3 == Some(hasher.finalize()))
    }

    fn in_conflict(
        &self,
        item: &Item,
        there: Look,
        path: PathBuf,
    ) -> Result<(PathBuf, Effect), EngineError> {
        Ok(match self.options.on_conflict {
            OnConflict::Replace => (path, Effect::Replaces),
            OnConflict::Skip => (path, Effect::Kept),
            OnConflict::KeepNewer => {
                let is_newer = item.modified_ns.is_none_or(|own| there.modified_ns > own);
                let effect = if is_newer {
                    Effect::Kept
                } else {
                    Effect::Replaces
                };
                (path, effect)
            }
            OnConflict::KeepBoth => (self.free_name(&path)?, Effect::New),
        })
    }

    /// “letter (restored 2026-11-22).txt”, numbered where that is taken too.
    fn free_name(&self, path: &Path) -> Result<PathBuf, EngineError> {
        let day = self.now.strftime("%Y-%m-%d").to_string();
        for number in 1_u32.. {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            if number == 1 {
                name.push(format!(" (restored {day})"));
            } else {
                name.push(format!(" (restored {day}, {number})"));
            }
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            let free = path.with_file_name(name);
            let is_there = look_of(&free).map_err(failed(&free))?.is_some();
            let is_wanted = self.planned.contains(&free) || self.taken.contains(&free);
            if !is_there && !is_wanted {
                return Ok(free);
            }
        }
        Err(failed(path)(io::ErrorKind::AlreadyExists.into()))
    }

    /// What is known of a folder; one that is missing is made on the way to what comes into it.
    fn folder(&mut self, path: &Path, base: &Path) -> Result<Folder, EngineError> {
        if let Some(known) = self.known.get(path) {
            return Ok(*known);
        }
        // A base may be reached through links; what is below it may not.
        let is_below = path != base && path.starts_with(base);
        let found = if is_below {
            path.symlink_metadata()
        } else {
            path.metadata()
        };
        let is_missing = matches!(&found, Err(error) if error.kind() == io::ErrorKind::NotFound);
        // A link that leads nowhere: nothing can be made under its name.
        if is_missing && path.is_symlink() {
            let blocked = Folder::Blocked(IN_THE_WAY);
            self.known.insert(path.to_owned(), blocked);
            return Ok(blocked);
        }
        let above = match (path.parent(), &found) {
            (Some(parent), Err(_)) => Some(self.folder(parent, base)?),
            (Some(parent), Ok(_)) if is_below => Some(self.folder(parent, base)?),
            _ => None,
        };
        let folder = match (above, found) {
            (Some(blocked @ Folder::Blocked(_)), _) => blocked,
            (above, Ok(metadata)) if metadata.is_dir() => self.there(path, above, &metadata),
            (_, Ok(_)) => Folder::Blocked(IN_THE_WAY),
            (Some(Folder::Sealed), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Folder::Blocked(NOT_WRITTEN)
            }
            (_, Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                Folder::Blocked(NOT_ENTERED)
            }
            (Some(Folder::There { area, .. } | Folder::New { area }), Err(error))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                if let Some(parent) = path.parent() {
                    self.touch(&parent.to_owned());
                }
                let at = self.spot(area, path);
                self.survey.new_folders.push(at);
                Folder::New { area }
            }
            (_, Err(error)) => return Err(failed(path)(error)),
        };
        self.known.insert(path.to_owned(), folder);
        Ok(folder)
    }

    fn there(&mut self, path: &Path, above: Option<Folder>, metadata: &Metadata) -> Folder {
        if check_writable(path, metadata).is_err() {
            return Folder::Sealed;
        }
        let own = Volume::of(path, metadata);
        let area = match above {
            Some(Folder::There { area, volume, .. }) if volume == own => area,
            // Another volume begins here, or this is where a base begins.
            _ => {
                self.survey.anchors.push(path.to_owned());
                self.survey.anchors.len() - 1
            }
        };
        Folder::There {
            area,
            volume: own,
            look: FolderLook::of(metadata),
        }
    }

    fn touch(&mut self, folder: &PathBuf) {
        if let Some(Folder::There { area, look, .. }) = self.known.get(folder).copied()
            && self.touched.insert(folder.clone())
        {
            let at = self.spot(area, folder);
            self.survey.touched.push((at, look));
        }
    }

    fn spot(&self, area: usize, path: &Path) -> Spot {
        let anchor = self.survey.anchors.get(area);
        let relative = anchor.and_then(|anchor| path.strip_prefix(anchor).ok());
        Spot {
            area,
            relative: relative.unwrap_or(path).to_owned(),
        }
    }
}

/// What a disk says of a name that is too long for it, or has what it forbids.
const CANNOT_BE_NAMED: &str = "the disk cannot have a file of this name";
const IN_THE_WAY: &str = "a file or link of the target is in the way";
const NOT_ENTERED: &str = "there is no permission to look into its folder";
const NOT_LOOKED_INTO: &str = "it is not removed: there is no permission to look into it";
const NOT_REMOVED: &str = "it is not removed: there is no permission to";
const MOUNTED: &str = "something is mounted in its place";
const NOT_WRITTEN: &str = "its folder cannot be written to";

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EngineError {
    let path = path.to_owned();
    move |source| EngineError::Target { path, source }
}
