//! `Choice`: which entries of an archive are wanted.

use crate::archive::ListedEntry;
use crate::engine::error::EngineError;
use crate::engine::request::Selection;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

/// A selection, ready to be asked.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    All,
    Paths(&'a BTreeSet<String>),
    Matching(Patterns),
}

/// Patterns, and what they said of folders: entries come in the order of the walk, many of one folder
/// after each other.
#[derive(Debug)]
pub(super) struct Patterns {
    globs: GlobSet,
    /// Folders of which a pattern means all that is in them, as “a/**” and “a/*” do.
    insides: GlobSet,
    said: RefCell<HashMap<String, bool>>,
}

impl Patterns {
    /// Whether a pattern fits this name or that of a folder that it is in.
    fn fit(&self, name: &str) -> bool {
        if self.globs.is_match(name) {
            return true;
        }
        let Some((above, _)) = name.rsplit_once('/') else {
            return false;
        };
        let said = self.said.borrow().get(above).copied();
        said.unwrap_or_else(|| {
            let fits = self.fit(above);
            self.said.borrow_mut().insert(above.to_owned(), fits);
            fits
        })
    }
}

impl<'a> Choice<'a> {
    pub(super) fn of(selection: &'a Selection) -> Result<Self, EngineError> {
        match selection {
            Selection::All => Ok(Self::All),
            Selection::Paths(paths) => Ok(Self::Paths(paths)),
            Selection::Matching(patterns) => Ok(Self::Matching(Patterns {
                globs: globs(patterns)?,
                insides: globs(&insides_of(patterns))?,
                said: RefCell::default(),
            })),
        }
    }

    /// Whether all that a folder of this name has or could have is wanted.
    pub(super) fn has_all_in(&self, folder: &str) -> bool {
        let is_inside = match self {
            Self::All | Self::Paths(_) => false,
            Self::Matching(patterns) => patterns.insides.is_match(folder),
        };
        is_inside || self.has(folder)
    }

    /// Whether an entry of this name, without a `/` at its end, is wanted: itself, or a folder that it
    /// is in.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Paths(paths) => {
                let is_in = |name: &str| ways(name).any(|way| paths.contains(way));
                is_in(name) || as_in_trees(name).is_some_and(|name| is_in(&name))
            }
            Self::Matching(patterns) => patterns.fit(name),
        }
    }
}

/// The name that a tree shows for that of a foreign archive which has empty components; `None` where it has
/// none.
fn as_in_trees(name: &str) -> Option<String> {
    if !name.starts_with('/') && !name.ends_with('/') && !name.contains("//") {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    Some(parts.join("/"))
}

/// A name and the names of all folders that it is in, the innermost first.
fn ways(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |way| {
        way.rsplit_once('/').map(|(above, _)| above)
    })
}

/// The names of all folders that something chosen is in, where `chosen` tells of each entry whether it is.
pub(super) fn ways_to_chosen<'a>(entries: &'a [ListedEntry], chosen: &[bool]) -> HashSet<&'a str> {
    let mut found = HashSet::new();
    if chosen.iter().all(|is_chosen| *is_chosen) {
        return found;
    }
    for (entry, _) in entries
        .iter()
        .zip(chosen)
        .filter(|(_, is_chosen)| **is_chosen)
    {
        let mut way = entry.path();
        while let Some((above, _)) = way.rsplit_once('/') {
            if !found.insert(above) {
                break;
            }
            way = above;
        }
    }
    found
}

fn insides_of(patterns: &[String]) -> Vec<String> {
    let inside = |pattern: &String| {
        let mut ends = ["/**", "/*"].into_iter();
        ends.find_map(|end| pattern.strip_suffix(end).map(str::to_owned))
    };
    patterns.iter().filter_map(inside).collect()
}

fn globs(patterns: &[String]) -> Result<GlobSet, EngineError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern.trim_end_matches('/'))
            .literal_separator(true)
            .build();
        set.add(glob.map_err(|error| not_understood(pattern, &error))?);
    }
    set.build()
        .map_err(|error| not_understood(&patterns.join(" "), &error))
}

fn not_understood(pattern: &str, error: &globset::Error) -> EngineError {
    EngineError::Wish {
        pattern: pattern.to_owned(),
        reason: error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(patterns: &[&str], name: &str) -> bool {
        let patterns = patterns.iter().map(|text| (*text).to_owned()).collect();
        let selection = Selection::Matching(patterns);
        Choice::of(&selection).expect("understood").has(name)
    }

    #[test]
    fn a_folder_brings_all_that_is_in_it() {
        let paths = BTreeSet::from(["a/b".to_owned()]);
        let selection = Selection::Paths(paths.into());
        let choice = Choice::of(&selection).expect("understood");
        assert!(choice.has("a/b") && choice.has("a/b/c/d"));
        assert!(!choice.has("a") && !choice.has("a/bc") && !choice.has("b"));
        assert!(has(&["a/*/x"], "a/b/x/y/z") && !has(&["a/*/x"], "a/b/c/x"));
        assert!(has(&["**/*.txt"], "a/b/c.txt") && has(&["a/"], "a/b"));
    }

    #[test]
    fn a_folder_is_wanted_whole_by_its_name_or_by_all_that_is_in_it() {
        let whole = |pattern: &str, folder: &str| {
            let selection = Selection::Matching(vec![pattern.to_owned()]);
            let choice = Choice::of(&selection).expect("understood");
            choice.has_all_in(folder)
        };
        for pattern in ["a/b", "a/b/", "a/b/**", "a/b/*", "a", "a/*", "**", "*"] {
            assert!(whole(pattern, "a/b"), "{pattern}");
        }
        for pattern in ["a/b/c", "a/b/*.txt", "a/b/[!x]*", "a/b/**/c", "b"] {
            assert!(!whole(pattern, "a/b"), "{pattern}");
        }
    }

    #[test]
    fn what_is_ticked_in_a_tree_is_chosen_whatever_its_name_looks_like() {
        let paths = BTreeSet::from(["a/b".to_owned(), "abs".to_owned()]);
        let selection = Selection::Paths(paths.into());
        let choice = Choice::of(&selection).expect("understood");
        for name in ["a//b", "a/b//c", "/a/b", "//abs", "abs//x"] {
            assert!(choice.has(name), "{name}");
        }
        assert!(!choice.has("a//c") && !choice.has("/b") && !choice.has(""));
    }

    #[test]
    fn a_pattern_that_makes_no_sense_is_named() {
        let selection = Selection::Matching(vec!["a[".to_owned()]);
        let error = Choice::of(&selection).expect_err("refused");
        assert!(error.to_string().contains("a["), "{error}");
    }
}
