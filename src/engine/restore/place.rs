//! The moment when a restore touches the target: checked files are moved in, all or none.
//!
//! What a file replaces is moved aside first. If anything fails on the way, or the job is cancelled,
//! every step is taken back in reverse order; only when all is in place does the old go.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::files::{set_mode, time_of};
use crate::engine::restore::moves::Moves;
use crate::engine::restore::plan::{Item, Trust};
use crate::engine::restore::stage::Stage;
use crate::model::{EntryKind, Warning};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Puts staged items in place.
pub(super) struct Placing<'a> {
    stages: &'a [Stage],
    context: &'a Context,
    moves: Moves,
    /// Folders looked at already, and whether one may go through them.
    passages: HashMap<PathBuf, Passage>,
    refused: Vec<Warning>,
}

/// What was placed. The old is still there until [`Moves::settle`].
pub(super) struct Placed {
    pub(super) moves: Moves,
    /// What could not be placed because something of the target is in the way.
    pub(super) refused: Vec<Warning>,
    passages: HashMap<PathBuf, Passage>,
}

/// Why nothing was placed.
pub(super) struct PlaceError {
    pub(super) reason: EngineError,
    pub(super) target: TargetState,
}

/// How a failed restore leaves its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetState {
    /// As it was.
    Untouched,
    /// Some steps could not be taken back: what they replaced is still in the stages.
    Mixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Open,
    Blocked,
}

/// A file or folder, and why it could not be changed.
type Failed = (PathBuf, io::Error);

impl<'a> Placing<'a> {
    /// `stages` are those of the plan's bases, in their order.
    pub(super) fn new(stages: &'a [Stage], context: &'a Context) -> Self {
        Self {
            stages,
            context,
            moves: Moves::default(),
            passages: HashMap::new(),
            refused: Vec::new(),
        }
    }

    /// Moves all items in, or none.
    pub(super) fn place(mut self, items: &[Item]) -> Result<Placed, PlaceError> {
        for item in items {
            let placed = self.context.check_cancelled().and_then(|()| {
                let failed = |(path, source)| EngineError::Target { path, source };
                self.place_item(item).map_err(failed)
            });
            if let Err(reason) = placed {
                let target = match self.moves.take_back() {
                    Ok(()) => TargetState::Untouched,
                    Err(_) => TargetState::Mixed,
                };
                return Err(PlaceError { reason, target });
            }
        }
        Ok(Placed {
            moves: self.moves,
            refused: self.refused,
            passages: self.passages,
        })
    }

    fn refuse(&mut self, item: &Item, reason: &str) {
        self.refused.push(Warning {
            path: item.name.clone(),
            reason: reason.to_owned(),
        });
    }

    fn place_item(&mut self, item: &Item) -> Result<(), Failed> {
        let stage = &self.stages[item.base];
        let target = stage.base().join(&item.relative);
        let way = match (item.kind, target.parent()) {
            (EntryKind::Directory, _) | (_, None) => target.clone(),
            (_, Some(parent)) => parent.to_owned(),
        };
        if self.open_way(stage.base(), &way)? == Passage::Blocked {
            self.refuse(item, "a file or link of the target is in the way");
            return Ok(());
        }
        if item.kind == EntryKind::Directory {
            return Ok(());
        }
        let failed = |error| (target.clone(), error);
        match target.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {
                self.refuse(item, "a folder of the target is in the way");
                return Ok(());
            }
            Ok(_) => {
                let aside = stage.old_path(item);
                self.moves.set_aside(&target, &aside).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let staged = stage.new_path(item);
        self.moves.put(&staged, &target).map_err(failed)
    }

    /// Makes the folders down to `folder`, unless a file or link stands there: nothing is ever
    /// written through a link.
    fn open_way(&mut self, base: &Path, folder: &Path) -> Result<Passage, Failed> {
        if folder == base {
            return Ok(Passage::Open);
        }
        if let Some(known) = self.passages.get(folder) {
            return Ok(*known);
        }
        let above = match folder.parent() {
            Some(parent) => self.open_way(base, parent)?,
            None => Passage::Open,
        };
        let failed = |error| (folder.to_owned(), error);
        let passage = match (above, folder.symlink_metadata()) {
            (Passage::Blocked, _) => Passage::Blocked,
            (_, Ok(metadata)) if metadata.is_dir() => Passage::Open,
            (_, Ok(_)) => Passage::Blocked,
            (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                self.moves.make_folder(folder).map_err(failed)?;
                Passage::Open
            }
            (_, Err(error)) => return Err(failed(error)),
        };
        self.passages.insert(folder.to_owned(), passage);
        Ok(passage)
    }
}

impl Placed {
    /// Gives folders their permissions and times, the deepest first, once nothing is put in or taken
    /// out any more. Returns those that could not get them.
    pub(super) fn finish(self, items: &[Item], bases: &[PathBuf]) -> Vec<Warning> {
        self.moves.settle();
        let mut folders: Vec<(PathBuf, &Item)> = items
            .iter()
            .filter(|item| item.kind == EntryKind::Directory)
            .filter(|item| !(item.trust == Trust::Foreign && item.relative.as_os_str().is_empty()))
            .map(|item| (path_of(bases, item), item))
            .filter(|(path, _)| self.passages.get(path) != Some(&Passage::Blocked))
            .collect();
        folders.sort_by_key(|(path, _)| std::cmp::Reverse(path.components().count()));
        let finish = |path: &Path, item: &Item| {
            if let Some(ns) = item.modified_ns {
                filetime::set_file_mtime(path, time_of(ns))?;
            }
            set_mode(path, item.mode)
        };
        let failed = folders.into_iter().filter_map(|(path, item)| {
            let error = finish(&path, item).err()?;
            Some(Warning {
                path: item.name.clone(),
                reason: format!("it is restored, but not its time and permissions: {error}"),
            })
        });
        failed.collect()
    }
}

/// Where an item goes.
pub(super) fn path_of(bases: &[PathBuf], item: &Item) -> PathBuf {
    if item.relative.as_os_str().is_empty() {
        bases[item.base].clone()
    } else {
        bases[item.base].join(&item.relative)
    }
}
