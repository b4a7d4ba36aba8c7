//! What was fetched about backups and restores, and what is still coming.

use crate::engine::{Inside, KeptRestore, RestoreRequest};
use crate::gui::notice::Notice;
use crate::gui::sums::{Changes, Foreseen};
use crate::model::Backup;
use std::sync::Arc;

/// Something that was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Fetch<T> {
    /// It is on its way.
    Coming,
    /// It is here.
    Known(Arc<T>),
    /// It did not come.
    Failed(Notice),
}

/// A backup that is looked into.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// Which.
    pub backup: Backup,
    /// What it holds.
    pub inside: Fetch<Inside>,
    /// What changed against another one, if somebody asked.
    pub comparison: Option<Comparison>,
}

/// What changed against an older backup.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    /// The older one.
    pub older: Backup,
    /// What changed.
    pub found: Fetch<Changes>,
}

/// What a restore would do.
#[derive(Debug, Clone)]
pub(crate) struct Foresight {
    /// The restore.
    pub request: RestoreRequest,
    /// What it would do.
    pub found: Fetch<Foreseen>,
}

/// The restores that can be undone.
pub(crate) type Restores = Fetch<Vec<KeptRestore>>;

impl<T> Fetch<T> {
    /// What came.
    pub(crate) fn known(&self) -> Option<&Arc<T>> {
        match self {
            Self::Known(known) => Some(known),
            Self::Coming | Self::Failed(_) => None,
        }
    }
}
