//! What changed from one backup to another, told from what they say they hold.

use super::tree::{NodeId, Tree};
use crate::archive::walk_order;
use crate::model::EntryKind;
use std::cmp::Ordering;

/// A file or link that differs between two backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path.
    pub path: String,
    /// How it differs.
    pub kind: DifferenceKind,
    /// Its size in the older backup; none where it was not there.
    pub before_bytes: u64,
    /// Its size in the newer backup; none where it is not there any more.
    pub after_bytes: u64,
}

/// How a file or link differs between two backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// Only the newer one has it.
    Added,
    /// Both have it, with another content.
    Changed,
    /// Only the older one has it.
    Removed,
}

/// Files and links that were added, changed or removed between `before` and `after`, in the order of the
/// walk. Folders are not named: what is in them is.
pub fn differences(before: &Tree, after: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    let (mut old, mut new) = (leaves(before), leaves(after));
    let (mut one, mut other) = (old.next(), new.next());
    loop {
        let order = match (&one, &other) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((_, one)), Some((_, other))) => walk_order(one.as_bytes(), other.as_bytes()),
        };
        let (gone, came) = match order {
            Ordering::Less => (one.take(), None),
            Ordering::Greater => (None, other.take()),
            Ordering::Equal => (one.take(), other.take()),
        };
        if gone.is_some() {
            one = old.next();
        }
        if came.is_some() {
            other = new.next();
        }
        found.extend(difference((before, gone), (after, came)));
    }
}

type Found = Option<(NodeId, String)>;

fn difference((before, gone): (&Tree, Found), (after, came): (&Tree, Found)) -> Option<Difference> {
    let (kind, path) = match (&gone, &came) {
        (Some((old, _)), Some((new, _))) if before.is_alike(*old, after, *new) => return None,
        (Some((_, path)), Some(_)) => (DifferenceKind::Changed, path),
        (Some((_, path)), None) => (DifferenceKind::Removed, path),
        (None, Some((_, path))) => (DifferenceKind::Added, path),
        (None, None) => return None,
    };
    Some(Difference {
        path: path.clone(),
        kind,
        before_bytes: gone.as_ref().map_or(0, |(id, _)| before.size_bytes(*id)),
        after_bytes: came.as_ref().map_or(0, |(id, _)| after.size_bytes(*id)),
    })
}

/// Files and links with their paths, in the order of the walk.
fn leaves(tree: &Tree) -> impl Iterator<Item = (NodeId, String)> + '_ {
    (0..tree.len())
        .filter_map(|at| tree.at(at))
        .filter(|id| tree.kind(*id) != EntryKind::Directory)
        .map(|id| (id, tree.path(id)))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Leaf;
    use super::DifferenceKind::{Added, Changed, Removed};
    use super::*;

    fn tree(files: &[(&str, u64, u64)]) -> Tree {
        let leaf = |(path, size_bytes, content): &(&str, u64, u64)| Leaf {
            path: (*path).to_owned(),
            kind: EntryKind::File,
            size_bytes: *size_bytes,
            modified_secs: None,
            content: *content,
        };
        Tree::of(files.iter().map(leaf).collect())
    }

    #[test]
    fn what_was_added_changed_or_removed_is_told_with_both_sizes() {
        let before = tree(&[
            ("a/kept", 1, 5),
            ("a/gone", 2, 5),
            ("a/grown", 3, 5),
            ("z", 9, 1),
        ]);
        let after = tree(&[
            ("a/kept", 1, 5),
            ("a/grown", 4, 6),
            ("a-b", 7, 7),
            ("z", 9, 2),
        ]);
        let found = differences(&before, &after);
        let told: Vec<_> = found
            .iter()
            .map(|found| {
                (
                    found.path.as_str(),
                    found.kind,
                    found.before_bytes,
                    found.after_bytes,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a/gone", Removed, 2, 0),
                ("a/grown", Changed, 3, 4),
                ("a-b", Added, 0, 7),
                ("z", Changed, 9, 9),
            ]
        );
        assert_eq!(differences(&after, &after), []);
    }
}
