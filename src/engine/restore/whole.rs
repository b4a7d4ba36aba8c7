//! `Whole`: a database of a program that a restore brings whole or not at all.

/// A database of the plan that is wanted whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) kind: DatabaseKind,
    /// Name in the archive: of the folder, or of the file that the others stand beside.
    pub(super) name: String,
    /// Positions of its files in the plan's items, one or more.
    pub(super) items: Vec<usize>,
    /// How many files the archive has of it: more than `items` where some are refused.
    pub(super) files: usize,
}

/// How a database lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatabaseKind {
    /// A folder.
    LevelDb,
    /// A file, and files beside it.
    Sqlite,
}
