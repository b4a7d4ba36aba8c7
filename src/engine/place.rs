//! The moment when a restore touches the target: checked files are renamed in, all or none.
//!
//! What a file replaces is moved aside first. If anything fails on the way, every step is taken back
//! in reverse order; only when all is in place does the old go.

use crate::engine::error::EngineError;
use crate::engine::plan::{Item, Trust};
use crate::engine::stage::{Stage, set_mode, time_of};
use crate::model::{EntryKind, Warning};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Puts staged items in place.
pub(super) struct Placing<'a> {
    stages: &'a [Stage],
    done: Vec<Step>,
    /// Folders looked at already, and whether one may go through them.
    passable: HashMap<PathBuf, Passage>,
    refused: Vec<Warning>,
}

/// Something that was done and can be taken back.
enum Step {
    MadeFolder(PathBuf),
    Moved { from: PathBuf, to: PathBuf },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    Open,
    Blocked,
}

impl<'a> Placing<'a> {
    /// `stages` are those of the plan's bases, in their order.
    pub(super) fn new(stages: &'a [Stage]) -> Self {
        Self {
            stages,
            done: Vec::new(),
            passable: HashMap::new(),
            refused: Vec::new(),
        }
    }

    /// Moves all items in. On an error the target is as it was.
    ///
    /// Returns what could not be placed because something of the target is in the way.
    pub(super) fn place(mut self, items: &[Item]) -> Result<Vec<Warning>, EngineError> {
        for item in items {
            if let Err((path, source)) = self.place_item(item) {
                self.take_back();
                return Err(EngineError::Target { path, source });
            }
        }
        self.finish_folders(items);
        Ok(self.refused)
    }

    fn refuse(&mut self, item: &Item, reason: &str) {
        self.refused.push(Warning {
            path: item.name.clone(),
            reason: reason.to_owned(),
        });
    }

    fn place_item(&mut self, item: &Item) -> Result<(), (PathBuf, io::Error)> {
        let stage = &self.stages[item.base];
        let target = stage.base().join(&item.relative);
        let parent = match (item.kind, target.parent()) {
            (EntryKind::Directory, _) | (_, None) => target.clone(),
            (_, Some(parent)) => parent.to_owned(),
        };
        if self.open_way(stage.base(), &parent)? == Passage::Blocked {
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
                fs::rename(&target, &aside).map_err(failed)?;
                self.done.push(Step::Moved {
                    from: target.clone(),
                    to: aside,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let staged = stage.new_path(item);
        fs::rename(&staged, &target).map_err(failed)?;
        self.done.push(Step::Moved {
            from: staged,
            to: target,
        });
        Ok(())
    }

    /// Makes the folders down to `folder`, unless a file or link stands there: nothing is ever
    /// written through a link.
    fn open_way(&mut self, base: &Path, folder: &Path) -> Result<Passage, (PathBuf, io::Error)> {
        if folder == base {
            return Ok(Passage::Open);
        }
        if let Some(known) = self.passable.get(folder) {
            return Ok(*known);
        }
        let above = match folder.parent() {
            Some(parent) => self.open_way(base, parent)?,
            None => Passage::Open,
        };
        let passage = match (above, folder.symlink_metadata()) {
            (Passage::Blocked, _) => Passage::Blocked,
            (_, Ok(metadata)) if metadata.is_dir() => Passage::Open,
            (_, Ok(_)) => Passage::Blocked,
            (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(folder).map_err(|error| (folder.to_owned(), error))?;
                self.done.push(Step::MadeFolder(folder.to_owned()));
                Passage::Open
            }
            (_, Err(error)) => return Err((folder.to_owned(), error)),
        };
        self.passable.insert(folder.to_owned(), passage);
        Ok(passage)
    }

    fn take_back(&mut self) {
        for step in self.done.drain(..).rev() {
            let result = match &step {
                Step::MadeFolder(folder) => fs::remove_dir(folder),
                Step::Moved { from, to } => fs::rename(to, from),
            };
            if let Err(error) = result {
                tracing::error!(%error, "a step of a failed restore could not be taken back");
            }
        }
    }

    /// Gives folders their permissions and times, the deepest first, once nothing is put in any more.
    fn finish_folders(&mut self, items: &[Item]) {
        let mut folders: Vec<(PathBuf, &Item)> = items
            .iter()
            .filter(|item| item.kind == EntryKind::Directory)
            .filter(|item| !(item.trust == Trust::Foreign && item.relative.as_os_str().is_empty()))
            .map(|item| (self.stages[item.base].base().join(&item.relative), item))
            .filter(|(path, _)| self.passable.get(path) != Some(&Passage::Blocked))
            .collect();
        folders.sort_by_key(|(path, _)| std::cmp::Reverse(path.components().count()));
        for (path, item) in folders {
            let times = match item.modified_ns {
                Some(ns) => filetime::set_file_mtime(&path, time_of(ns)),
                None => Ok(()),
            };
            if let Err(error) = times.and_then(|()| set_mode(&path, item.mode)) {
                let reason = format!("it is restored, but not its time and permissions: {error}");
                self.refuse(item, &reason);
            }
        }
    }
}
