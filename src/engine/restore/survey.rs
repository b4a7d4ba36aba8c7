//! `Survey`: what a plan means for what the target has now.

use crate::engine::restore::change::{FolderLook, Spot, join};
use crate::model::Warning;
use std::path::PathBuf;

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
        let anchor = self.anchors.get(spot.area);
        anchor.map_or_else(
            || spot.relative.clone(),
            |anchor| join(anchor, &spot.relative),
        )
    }
}

/// What only the target has, and what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) at: Spot,
    /// The item of the plan whose older state it belongs to.
    pub(super) of: Option<usize>,
    /// Permission bits of a folder that its owner may not write to: it has to be opened to be moved.
    pub(super) locked: Option<u32>,
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
