//! `Survey`: what a plan means for what the target has now. Looks, and changes nothing.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::request::{OnConflict, RestoreOptions, RestoreRequest};
use crate::engine::restore::change::{FolderLook, Look, Spot, join, mode_of};
use crate::engine::restore::extra::Mirrored;
use crate::engine::restore::mirror::Mirror;
use crate::engine::restore::perform::look_of;
use crate::engine::restore::plan::{Item, Plan, Role, path_of};
use crate::model::{EntryKind, Warning};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// What a plan means for the target.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Folders that are there, one for each volume and tree in which anything changes.
    pub(super) anchors: Vec<PathBuf>,
    /// Folders that are made, the outer ones first.
    pub(super) new_folders: Vec<Spot>,
    /// Folders that are there and get something in or out.
    pub(super) touched: Vec<(Spot, FolderLook)>,
    /// Folders of the plan, by position, that are there or will be.
    pub(super) folders: Vec<(usize, Spot, Option<FolderLook>)>,
    /// Files and links of the plan.
    pub(super) files: Vec<FileStep>,
    /// What the target has and the backup has not, where it is to be removed.
    pub(super) extra: Vec<Extra>,
    /// What will not be restored, and why.
    pub(super) refused: Vec<Warning>,
    /// Permission bits that are restored.
    pub(super) mode_mask: u32,
}

impl Survey {
    /// Where a spot is on the disk.
    pub(super) fn path_of(&self, spot: &Spot) -> PathBuf {
        join(&self.anchors[spot.area], &spot.relative)
    }
}

/// What only the target has, and what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) at: Spot,
    /// The item of the plan whose older state it belongs to.
    pub(super) of: Option<usize>,
}

/// What becomes of a file or link of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStep {
    /// Its position in the plan.
    pub(super) item: usize,
    pub(super) at: Spot,
    pub(super) effect: Effect,
}

/// What the restore of a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    New,
    Replaces,
    /// Something that looks just like it is there already.
    Alike,
    /// The target's stays, as was asked.
    Kept,
}

/// What is known of a folder of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    There {
        area: usize,
        volume: u64,
        look: FolderLook,
    },
    /// It will be made.
    New { area: usize },
    /// A file or link stands there, or above it: nothing is ever written through a link.
    Blocked,
}

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
            if self.folder(base, base)? == Folder::Blocked {
                return Err(EngineError::Target {
                    path: base.clone(),
                    source: io::ErrorKind::NotADirectory.into(),
                });
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
        Ok(self.survey)
    }

    fn look_for_extra(&mut self, plan: &Plan, mirror: &Mirror) -> Result<(), EngineError> {
        for top in &mirror.tops {
            let mirrored = Mirrored {
                present: &mirror.present,
                matching: top.matching,
                keep_out: self.keep_out,
                in_the_way: &self.in_the_way,
                excludes: &top.excludes,
            };
            for path in mirrored.extra_in(&top.path)? {
                self.remove(&path, top.base, top.of)?;
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
        if let Folder::There { area, .. } = self.folder(&parent, base)? {
            self.touch(&parent);
            let at = self.spot(area, path);
            self.survey.extra.push(Extra { at, of });
        }
        Ok(())
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
            Folder::Blocked => {
                self.refuse(item, IN_THE_WAY);
                return Ok(());
            }
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
            Folder::Blocked => {
                self.refuse(item, IN_THE_WAY);
                return Ok(());
            }
            Folder::New { area } | Folder::There { area, .. } => area,
        };
        let there = look_of(&path).map_err(failed(&path))?;
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
        let above = match (path.parent(), &found) {
            (Some(parent), Err(_)) => Some(self.folder(parent, base)?),
            (Some(parent), Ok(_)) if is_below => Some(self.folder(parent, base)?),
            _ => None,
        };
        let folder = match (above, found) {
            (Some(Folder::Blocked), _) => Folder::Blocked,
            (above, Ok(metadata)) if metadata.is_dir() => self.there(path, above, &metadata),
            (_, Ok(_)) => Folder::Blocked,
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
        let own = volume_of(metadata);
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
        let relative = path.strip_prefix(&self.survey.anchors[area]);
        Spot {
            area,
            relative: relative.unwrap_or(path).to_owned(),
        }
    }
}

/// What a disk says of a name that is too long for it, or has what it forbids.
const CANNOT_BE_NAMED: &str = "the disk cannot have a file of this name";
const IN_THE_WAY: &str = "a file or link of the target is in the way";

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EngineError {
    let path = path.to_owned();
    move |source| EngineError::Target { path, source }
}

/// Whether a system can have something at this path; in a folder that is there its disk tells. Folders that
/// are only going to be made tell nothing yet.
fn can_be_there(path: &Path) -> bool {
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

#[cfg(unix)]
fn volume_of(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.dev()
}

#[cfg(not(unix))]
fn volume_of(_metadata: &Metadata) -> u64 {
    0
}
