//! `Mirror`: what goes from the target besides what a restore puts there.

use crate::archive::NameMatching;
use std::collections::HashSet;
use std::path::PathBuf;

/// What an exact mirror needs to know.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// The folders that are restored whole.
    pub(super) tops: Vec<Top>,
    /// Where everything belongs that the backup has or should have, also what is refused; folded as the
    /// disk takes names for one.
    pub(super) present: HashSet<PathBuf>,
    /// Where that belongs of which nobody knows what the backup should have, because it could not be read:
    /// all that is in it stays. Folded too.
    pub(super) unknown: HashSet<PathBuf>,
    /// What goes with files that are replaced.
    pub(super) beside: Vec<Beside>,
}

impl Mirror {
    /// Whether nothing is removed.
    pub(super) fn is_empty(&self) -> bool {
        self.tops.is_empty() && self.beside.is_empty()
    }
}

/// A file of the target that belongs to the older state of one that is restored.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) path: PathBuf,
    /// Position of the restored one in the plan's items.
    pub(super) item: usize,
}

/// A folder that is restored whole.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) path: PathBuf,
    /// The folder of the backup that it is in, or is: from where `excludes` are meant.
    pub(super) root: PathBuf,
    /// Position of its base in the plan's bases.
    pub(super) base: usize,
    /// Patterns of what backups of it leave out.
    pub(super) excludes: Vec<String>,
    /// Which names its disk takes for one.
    pub(super) matching: NameMatching,
    /// Position in the plan's items of one that what is extra belongs to the older state of; what a person
    /// wants mirrored belongs to none.
    pub(super) of: Option<usize>,
}
