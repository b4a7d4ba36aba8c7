//! `Tree`: what an archive holds, as folders in folders. Made for a million entries: all names stand in
//! one text, and all nodes in one list in the order of the walk, so that a folder and what is in it are
//! one range.

use crate::archive::walk_order;
use crate::model::EntryKind;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What an archive holds, as folders in folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    names: String,
    nodes: Vec<Node>,
}

/// Where a file, link or folder stands in its [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// What an archive says of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Path with `/`, none at the end.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file's content; of all else they count as none.
    pub size_bytes: u64,
    /// Last change in seconds since 1970 UTC, where the archive says it.
    pub modified_secs: Option<i64>,
    /// The beginning of a hash or checksum of the content, to tell whether it changed; 0 where there is none.
    pub content: u64,
}

/// A file, link or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Node {
    name_start: u32,
    name_bytes: u16,
    kind: EntryKind,
    /// One more than the position of the folder that it is in; 0 of what is in none.
    above: u32,
    /// The position after all that is in it.
    end: u32,
    /// Of a folder, of all files in it.
    size_bytes: u64,
    /// Files in it; of a file, itself.
    files: u32,
    modified_secs: Option<i64>,
    content: u64,
}

impl NodeId {
    /// Its position in the order of the walk.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

impl Tree {
    /// Makes a tree. Folders that stand only in paths are there too; of two leaves of one path the last
    /// counts. Names that are longer than any file system allows, and what is beyond four billion, is
    /// left out.
    pub fn of(mut leaves: Vec<Leaf>) -> Self {
        leaves.sort_by(|one, other| walk_order(one.path.as_bytes(), other.path.as_bytes()));
        let mut planting = Planting::default();
        let mut leaves = leaves.into_iter().peekable();
        while let Some(leaf) = leaves.next() {
            let is_said_again = leaves.peek().is_some_and(|next| next.path == leaf.path);
            if !is_said_again {
                planting.add(&leaf);
            }
        }
        planting.finish()
    }

    /// A tree of files of these paths, of no size: for tests.
    #[cfg(test)]
    pub(crate) fn of_paths(paths: &[&str]) -> Self {
        let leaf = |path: &&str| Leaf {
            path: (*path).to_owned(),
            kind: EntryKind::File,
            size_bytes: 0,
            modified_secs: None,
            content: 0,
        };
        Self::of(paths.iter().map(leaf).collect())
    }

    /// How many files, links and folders it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node at a position of the walk.
    pub fn at(&self, position: usize) -> Option<NodeId> {
        let id = u32::try_from(position).ok()?;
        (position < self.nodes.len()).then_some(NodeId(id))
    }

    /// What is in no folder, in the order of the walk.
    pub fn tops(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.siblings(0..self.nodes.len())
    }

    /// What is right in a folder, in the order of the walk.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.siblings(self.below(id))
    }

    fn siblings(&self, range: Range<usize>) -> impl Iterator<Item = NodeId> + '_ {
        let first = self.at(range.start).filter(|_| !range.is_empty());
        std::iter::successors(first, move |id| {
            let next = self.node(*id).end as usize;
            (next < range.end).then(|| self.at(next)).flatten()
        })
    }

    /// The positions of all that is in a folder, at any depth.
    pub fn below(&self, id: NodeId) -> Range<usize> {
        id.position() + 1..self.node(id).end as usize
    }

    /// The folder that it is in.
    pub fn above(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).above.checked_sub(1).map(NodeId)
    }

    /// The last component of its path.
    pub fn name(&self, id: NodeId) -> &str {
        let node = self.node(id);
        let start = node.name_start as usize;
        &self.names[start..start + usize::from(node.name_bytes)]
    }

    /// Its path with `/`.
    pub fn path(&self, id: NodeId) -> String {
        let ways = std::iter::successors(Some(id), |id| self.above(*id));
        let mut names: Vec<&str> = ways.map(|id| self.name(id)).collect();
        names.reverse();
        names.join("/")
    }

    /// How many folders it is in.
    pub fn depth(&self, id: NodeId) -> usize {
        std::iter::successors(self.above(id), |id| self.above(*id)).count()
    }

    /// What it is.
    pub fn kind(&self, id: NodeId) -> EntryKind {
        self.node(id).kind
    }

    /// Its size; of a folder, that of all files in it.
    pub fn size_bytes(&self, id: NodeId) -> u64 {
        self.node(id).size_bytes
    }

    /// Files in it; of a file, itself.
    pub fn files(&self, id: NodeId) -> u64 {
        u64::from(self.node(id).files)
    }

    /// Its last change in seconds since 1970 UTC.
    pub fn modified_secs(&self, id: NodeId) -> Option<i64> {
        self.node(id).modified_secs
    }

    /// Whether two nodes hold the same, as far as their archives say; folders always do.
    pub fn is_alike(&self, id: NodeId, other: &Self, of_other: NodeId) -> bool {
        let (one, other) = (self.node(id), other.node(of_other));
        if one.kind != other.kind {
            return false;
        }
        if one.kind == EntryKind::Directory {
            return true;
        }
        let is_known = one.content != 0 && other.content != 0;
        let times = one.modified_secs == other.modified_secs;
        one.size_bytes == other.size_bytes
            && if is_known {
                one.content == other.content
            } else {
                times
            }
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.position()]
    }
}

/// A tree that is being made.
#[derive(Debug, Default)]
struct Planting {
    tree: Tree,
    /// The folders that the last leaf is in, and itself.
    open: Vec<NodeId>,
}

impl Planting {
    fn add(&mut self, leaf: &Leaf) {
        let parts: Vec<&str> = leaf
            .path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let shared = self.shared_with(&parts);
        if parts.iter().any(|part| u16::try_from(part.len()).is_err()) {
            return;
        }
        self.close_down_to(shared);
        let missing = parts.len() - shared;
        for (ahead, part) in parts[shared..].iter().enumerate() {
            if ahead + 1 < missing {
                self.open(part, EntryKind::Directory);
            } else if let Some(id) = self.open(part, leaf.kind) {
                let node = &mut self.tree.nodes[id.position()];
                node.modified_secs = leaf.modified_secs;
                node.content = leaf.content;
                if leaf.kind != EntryKind::Directory {
                    node.files = 1;
                }
                if leaf.kind == EntryKind::File {
                    node.size_bytes = leaf.size_bytes;
                }
            }
        }
    }

    /// How many of these parts are open already.
    fn shared_with(&self, parts: &[&str]) -> usize {
        let pairs = self.open.iter().zip(parts);
        pairs
            .take_while(|(id, part)| {
                let is_folder = self.tree.kind(**id) == EntryKind::Directory;
                is_folder && self.tree.name(**id) == **part
            })
            .count()
    }

    fn open(&mut self, name: &str, kind: EntryKind) -> Option<NodeId> {
        let at = u32::try_from(self.tree.nodes.len()).ok()?;
        let node = Node {
            name_start: u32::try_from(self.tree.names.len()).ok()?,
            name_bytes: u16::try_from(name.len()).ok()?,
            kind,
            above: self.open.last().map_or(0, |above| above.0 + 1),
            end: at + 1,
            size_bytes: 0,
            files: 0,
            modified_secs: None,
            content: 0,
        };
        self.tree.names.push_str(name);
        self.tree.nodes.push(node);
        self.open.push(NodeId(at));
        Some(NodeId(at))
    }

    /// Closes what is open beyond this depth, and adds it up in what it is in.
    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(closed) = self.open.pop() else {
                return;
            };
            let end = u32::try_from(self.tree.nodes.len()).unwrap_or(u32::MAX);
            let node = &mut self.tree.nodes[closed.position()];
            node.end = end;
            let (size_bytes, files) = (node.size_bytes, node.files);
            if let Some(above) = self.open.last() {
                let above = &mut self.tree.nodes[above.position()];
                above.size_bytes += size_bytes;
                above.files += files;
            }
        }
    }

    fn finish(mut self) -> Tree {
        self.close_down_to(0);
        self.tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn file(path: &str, size_bytes: u64) -> Leaf {
        Leaf {
            path: path.to_owned(),
            kind: EntryKind::File,
            size_bytes,
            modified_secs: Some(7),
            content: 0,
        }
    }

    #[test]
    fn folders_hold_what_is_in_them_and_are_made_where_no_entry_is() {
        let tree = Tree::of(vec![file("a/x", 1), file("a-b", 10), file("a/b/y", 2)]);
        let names: Vec<_> = tree.tops().map(|id| tree.name(id)).collect();
        assert_eq!(names, ["a", "a-b"]);
        let a = tree.tops().next().expect("a");
        assert_eq!((tree.size_bytes(a), tree.files(a)), (3, 2));
        let inner: Vec<_> = tree.children(a).map(|id| tree.path(id)).collect();
        assert_eq!(inner, ["a/b", "a/x"]);
        assert_eq!(tree.below(a).len(), 3);
        let b = tree.children(a).next().expect("b");
        assert_eq!((tree.above(b), tree.depth(b)), (Some(a), 1));
        assert_eq!(tree.kind(b), EntryKind::Directory);
    }

    #[test]
    fn what_is_said_twice_counts_as_said_last() {
        let tree = Tree::of(vec![file("x", 1), file("x", 2)]);
        let x = tree.tops().next().expect("x");
        assert_eq!((tree.len(), tree.size_bytes(x)), (1, 2));
    }

    proptest! {
        #[test]
        fn every_leaf_is_found_under_its_path(paths in proptest::collection::btree_map("[ab.-]{1,2}(/[ab.-]{1,2}){0,3}", 0_u64..99, 0..40)) {
            // A file cannot be a folder too.
            let paths: BTreeMap<_, _> = paths
                .iter()
                .filter(|(path, _)| !paths.keys().any(|other| other.starts_with(&format!("{path}/"))))
                .collect();
            let leaves = paths.iter().rev().map(|(path, size)| file(path, **size)).collect();
            let tree = Tree::of(leaves);
            let mut found = BTreeMap::new();
            for at in 0..tree.len() {
                let id = tree.at(at).expect("there");
                let inner: u64 = tree.children(id).map(|id| tree.size_bytes(id)).sum();
                match tree.kind(id) {
                    EntryKind::Directory => prop_assert_eq!(inner, tree.size_bytes(id)),
                    _ => { found.insert(tree.path(id), tree.size_bytes(id)); }
                }
                for child in tree.children(id) {
                    prop_assert_eq!(tree.above(child), Some(id));
                }
            }
            let wanted: BTreeMap<String, u64> = paths.into_iter().map(|(path, size)| (path.clone(), *size)).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
