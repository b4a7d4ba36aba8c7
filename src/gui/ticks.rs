//! `Ticks`: which files of a tree are ticked. A folder is ticked as far as what is in it is.

use crate::engine::{NodeId, Tree};
use std::collections::BTreeSet;

/// Which files of a tree are ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticks {
    /// Of each node, how many ends of the tree are in it: files, links and empty folders; itself, if it
    /// is one.
    ends: Vec<u32>,
    /// How many of these are ticked.
    ticked: Vec<u32>,
}

/// How much of something is ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tick {
    /// Nothing of it.
    None,
    /// Some of it.
    Some,
    /// All of it.
    All,
}

impl Ticks {
    /// Nothing is ticked.
    pub(crate) fn none_of(tree: &Tree) -> Self {
        let mut ends = vec![0_u32; tree.len()];
        // What is in a folder comes after it.
        for id in (0..tree.len()).rev().filter_map(|at| tree.at(at)) {
            let at = id.position();
            ends[at] = ends[at].max(1);
            if let Some(above) = tree.above(id) {
                ends[above.position()] += ends[at];
            }
        }
        Self {
            ticked: vec![0; tree.len()],
            ends,
        }
    }

    /// How much of it is ticked.
    pub(crate) fn of(&self, id: NodeId) -> Tick {
        match self.ticked[id.position()] {
            0 => Tick::None,
            ticked if ticked == self.ends[id.position()] => Tick::All,
            _ => Tick::Some,
        }
    }

    /// Ticks all of it, or nothing of it if all of it is ticked.
    pub(crate) fn turn(&mut self, tree: &Tree, id: NodeId) {
        let is_on = self.of(id) != Tick::All;
        let before = self.ticked[id.position()];
        for at in std::iter::once(id.position()).chain(tree.below(id)) {
            self.ticked[at] = if is_on { self.ends[at] } else { 0 };
        }
        let after = self.ticked[id.position()];
        let mut above = tree.above(id);
        while let Some(folder) = above {
            let ticked = &mut self.ticked[folder.position()];
            *ticked = *ticked + after - before;
            above = tree.above(folder);
        }
    }

    /// Takes all ticks away.
    pub(crate) fn clear(&mut self) {
        self.ticked.fill(0);
    }

    /// The fewest nodes that are all that is ticked: a folder stands for what is in it.
    pub(crate) fn wholes(&self, tree: &Tree) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(id) = tree.at(at) {
            at = match self.of(id) {
                Tick::None => tree.below(id).end,
                Tick::Some => at + 1,
                Tick::All => {
                    found.push(id);
                    tree.below(id).end
                }
            };
        }
        found
    }

    /// The paths of [`wholes`](Self::wholes).
    pub(crate) fn paths(&self, tree: &Tree) -> BTreeSet<String> {
        let wholes = self.wholes(tree).into_iter();
        wholes.map(|id| tree.path(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree() -> Tree {
        Tree::of_paths(&["a/b/x", "a/b/y", "a/z", "c", "d/e/f"])
    }

    fn at(tree: &Tree, path: &str) -> NodeId {
        let ids = (0..tree.len()).filter_map(|at| tree.at(at));
        let mut fitting = ids.filter(|id| tree.path(*id) == path);
        fitting.next().expect("there")
    }

    #[test]
    fn a_folder_is_ticked_as_far_as_what_is_in_it_is() {
        let tree = tree();
        let mut ticks = Ticks::none_of(&tree);
        ticks.turn(&tree, at(&tree, "a/b/x"));
        assert_eq!(ticks.of(at(&tree, "a")), Tick::Some);
        ticks.turn(&tree, at(&tree, "a/b"));
        ticks.turn(&tree, at(&tree, "a/z"));
        assert_eq!(ticks.of(at(&tree, "a")), Tick::All);
        ticks.turn(&tree, at(&tree, "d"));
        let paths: Vec<_> = ticks.paths(&tree).into_iter().collect();
        assert_eq!(paths, ["a", "d"]);
        ticks.turn(&tree, at(&tree, "a/b/y"));
        let paths: Vec<_> = ticks.paths(&tree).into_iter().collect();
        assert_eq!(paths, ["a/b/x", "a/z", "d"]);
        ticks.clear();
        assert_eq!(ticks.paths(&tree), BTreeSet::new());
    }

    proptest! {
        #[test]
        fn what_is_ticked_is_what_was_turned_on(turns in proptest::collection::vec(0_usize..9, 0..20)) {
            let tree = tree();
            let mut ticks = Ticks::none_of(&tree);
            let mut wanted = vec![false; tree.len()];
            for turn in turns {
                let id = tree.at(turn % tree.len()).expect("there");
                let mut range = std::iter::once(turn % tree.len()).chain(tree.below(id));
                let is_on = ticks.of(id) != Tick::All;
                for at in range.by_ref() {
                    wanted[at] = is_on;
                }
                ticks.turn(&tree, id);
            }
            for (at, wanted) in wanted.into_iter().enumerate() {
                let id = tree.at(at).expect("there");
                if tree.below(id).is_empty() {
                    prop_assert_eq!(ticks.of(id) == Tick::All, wanted);
                } else {
                    let all = tree.children(id).all(|id| ticks.of(id) == Tick::All);
                    let none = tree.children(id).all(|id| ticks.of(id) == Tick::None);
                    prop_assert_eq!(ticks.of(id) == Tick::All, all);
                    prop_assert_eq!(ticks.of(id) == Tick::None, none);
                }
            }
        }
    }
}
