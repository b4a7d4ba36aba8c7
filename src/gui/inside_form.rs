//! `InsideForm`: what the person does with the tree of a backup: searches, opens folders, ticks files.

use crate::engine::{Inside, NodeId, Selection, Tree};
use crate::gui::ticks::Ticks;
use crate::model::EntryKind;
use std::sync::Arc;

/// A folder of more than this shows what is in it in the archive's order: sorting it would be felt.
const MOST_SORTED: usize = 50_000;

/// What the person does with the tree of a backup.
#[derive(Debug, Clone)]
pub(crate) struct InsideForm {
    /// What is looked at.
    pub inside: Arc<Inside>,
    /// Which page of it.
    pub page: Page,
    /// What is searched for, as typed.
    pub search: String,
    /// The row that the keyboard is at.
    pub marked: Option<NodeId>,
    /// All that it holds.
    pub total: Sum,
    ticks: Ticks,
    ticked: Sum,
    is_open: Vec<bool>,
    lines: Option<Lines>,
}

/// A page of what is known of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// What it holds.
    Contents,
    /// What changed against an earlier one.
    Changes,
}

/// A visible line of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it shows.
    pub id: NodeId,
    /// How far it is indented.
    pub depth: u16,
}

#[derive(Debug, Clone)]
struct Lines {
    searched: String,
    lines: Arc<Vec<Line>>,
}

/// How much something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Files and links.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files, links and folders that stand for all of it.
    pub wholes: u64,
}

impl Sum {
    fn of(tree: &Tree, wholes: impl Iterator<Item = NodeId>) -> Self {
        wholes.fold(Self::default(), |sum, id| Self {
            files: sum.files + tree.files(id),
            bytes: sum.bytes + tree.size_bytes(id),
            wholes: sum.wholes + 1,
        })
    }
}

impl InsideForm {
    /// Nothing is ticked; the only folders that are open are those that hold nothing but one folder.
    pub(crate) fn of(inside: Arc<Inside>) -> Self {
        let tree = &inside.tree;
        let mut is_open = vec![false; tree.len()];
        let mut only = only_one(tree.tops());
        while let Some(id) = only.filter(|id| tree.kind(*id) == EntryKind::Directory) {
            is_open[id.position()] = true;
            only = only_one(tree.children(id));
        }
        Self {
            page: Page::Contents,
            search: String::new(),
            marked: None,
            total: Sum::of(tree, tree.tops()),
            ticks: Ticks::none_of(tree),
            ticked: Sum::default(),
            is_open,
            lines: None,
            inside,
        }
    }

    /// Which files are ticked.
    pub(crate) fn ticks(&self) -> &Ticks {
        &self.ticks
    }

    /// Ticks it, or takes its tick away.
    pub(crate) fn tick(&mut self, id: NodeId) {
        let tree = &self.inside.tree;
        self.ticks.turn(tree, id);
        self.ticked = Sum::of(tree, self.ticks.wholes(tree).into_iter());
    }

    /// Takes all ticks away.
    pub(crate) fn tick_nothing(&mut self) {
        self.ticks.clear();
        self.ticked = Sum::default();
    }

    /// Whether what is in the folder is shown.
    pub(crate) fn is_open(&self, id: NodeId) -> bool {
        self.is_open[id.position()]
    }

    /// Shows or hides what is in a folder.
    pub(crate) fn set_open(&mut self, id: NodeId, is_open: bool) {
        if self.inside.tree.kind(id) == EntryKind::Directory && self.is_open(id) != is_open {
            self.is_open[id.position()] = is_open;
            self.lines = None;
        }
    }

    /// The lines that are visible.
    pub(crate) fn lines(&mut self) -> Arc<Vec<Line>> {
        let searched = self.search.trim().to_lowercase();
        match &self.lines {
            Some(known) if known.searched == searched => Arc::clone(&known.lines),
            _ => {
                let lines = Arc::new(self.made_lines(&searched));
                self.lines = Some(Lines {
                    searched,
                    lines: Arc::clone(&lines),
                });
                lines
            }
        }
    }

    fn made_lines(&self, searched: &str) -> Vec<Line> {
        let tree = &self.inside.tree;
        let mut lines = Vec::new();
        if searched.is_empty() {
            self.add_lines(tree.tops().collect(), 0, &mut lines);
            return lines;
        }
        // What fits, and the folders on the way to it.
        let mut is_shown = vec![false; tree.len()];
        for id in (0..tree.len()).rev().filter_map(|at| tree.at(at)) {
            is_shown[id.position()] |= fits(tree, id, searched);
            if is_shown[id.position()]
                && let Some(above) = tree.above(id)
            {
                is_shown[above.position()] = true;
            }
        }
        let mut depths: Vec<usize> = Vec::new();
        for id in (0..tree.len()).filter_map(|at| tree.at(at)) {
            while depths.last().is_some_and(|end| *end <= id.position()) {
                depths.pop();
            }
            if is_shown[id.position()] {
                let depth = depth_of(depths.len());
                lines.push(Line { id, depth });
            }
            if tree.kind(id) == EntryKind::Directory {
                depths.push(tree.below(id).end);
            }
        }
        lines
    }

    /// Adds a line for each of them, folders first, and for what is in those that are open.
    fn add_lines(&self, mut ids: Vec<NodeId>, depth: u16, lines: &mut Vec<Line>) {
        let tree = &self.inside.tree;
        let is_file = |id: &NodeId| tree.kind(*id) != EntryKind::Directory;
        if ids.len() <= MOST_SORTED {
            ids.sort_by_cached_key(|id| (is_file(id), tree.name(*id).to_lowercase()));
        } else {
            ids.sort_by_key(is_file);
        }
        for id in ids {
            lines.push(Line { id, depth });
            if self.is_open(id) {
                self.add_lines(tree.children(id).collect(), depth.saturating_add(1), lines);
            }
        }
    }

    /// How much is ticked.
    pub(crate) fn ticked(&self) -> Sum {
        self.ticked
    }

    /// What a restore of what is ticked would ask for.
    pub(crate) fn selection(&self) -> Selection {
        Selection::Paths(Arc::new(self.ticks.paths(&self.inside.tree)))
    }
}

fn only_one(mut ids: impl Iterator<Item = NodeId>) -> Option<NodeId> {
    let first = ids.next();
    first.filter(|_| ids.next().is_none())
}

fn depth_of(depth: usize) -> u16 {
    u16::try_from(depth).unwrap_or(u16::MAX)
}

/// Whether the name, or with a `/` in what is searched for the path, has it in it; in small letters.
fn fits(tree: &Tree, id: NodeId, searched: &str) -> bool {
    match searched.rsplit_once('/') {
        None => has(tree.name(id), searched),
        Some((_, last)) => {
            has(tree.name(id), last) && tree.path(id).to_lowercase().contains(searched)
        }
    }
}

fn has(name: &str, searched: &str) -> bool {
    if !name.is_ascii() {
        return name.to_lowercase().contains(searched);
    }
    searched.is_empty()
        || name
            .as_bytes()
            .windows(searched.len())
            .any(|window| window.eq_ignore_ascii_case(searched.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Maker;
    use std::time::Instant;

    fn form(paths: &[&str]) -> InsideForm {
        InsideForm::of(Arc::new(Inside {
            tree: Tree::of_paths(paths),
            roots: Vec::new(),
            skipped: Vec::new(),
            maker: Maker::Zipkeep,
            cherry_studio: None,
        }))
    }

    fn shown(form: &mut InsideForm) -> Vec<String> {
        let lines = form.lines();
        let tree = &form.inside.tree;
        let line = |line: &Line| format!("{}{}", " ".repeat(line.depth.into()), tree.name(line.id));
        lines.iter().map(line).collect()
    }

    #[test]
    fn folders_open_and_come_first() {
        let mut form = form(&["docs/Zoo.txt", "docs/apes/bob", "docs/bees"]);
        assert_eq!(shown(&mut form), ["docs", " apes", " bees", " Zoo.txt"]);
        let apes = form.lines()[1].id;
        form.set_open(apes, true);
        assert_eq!(shown(&mut form)[2], "  bob");
        let docs = form.lines()[0].id;
        form.set_open(docs, false);
        assert_eq!(shown(&mut form), ["docs"]);
    }

    #[test]
    fn a_search_shows_what_fits_and_the_way_to_it() {
        let mut form = form(&["a/x/Report.pdf", "a/y/other", "Größe.txt", "reports/z"]);
        form.search = "report".to_owned();
        assert_eq!(shown(&mut form), ["a", " x", "  Report.pdf", "reports"]);
        form.search = "GRÖ".to_owned();
        assert_eq!(shown(&mut form), ["Größe.txt"]);
        form.search = "y/oth".to_owned();
        assert_eq!(shown(&mut form), ["a", " y", "  other"]);
        form.search = "nowhere".to_owned();
        assert_eq!(shown(&mut form), [""; 0]);
    }

    #[test]
    fn what_is_ticked_is_what_is_restored() {
        let mut form = form(&["a/x", "a/y", "b"]);
        let lines = form.lines();
        form.tick(lines[0].id);
        assert_eq!(form.ticked().files, 2);
        let expected = Arc::new(["a".to_owned()].into());
        assert_eq!(form.selection(), Selection::Paths(expected));
        form.tick_nothing();
        assert_eq!(form.ticked(), Sum::default());
    }

    /// How long a frame of a huge tree takes: `ZIPKEEP_HUGE=1` with `--release` and `--no-capture`.
    #[test]
    fn a_million_entries_stay_smooth() {
        let is_deep = std::env::var_os("ZIPKEEP_HUGE").is_some();
        let count = if is_deep { 1_000_000 } else { 20_000 };
        let paths: Vec<String> = (0..count)
            .map(|n| format!("root/folder-{}/sub-{}/file-{n}.txt", n % 997, n % 13))
            .collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let took = |what: &str, since: Instant| println!("{what}: {:?}", since.elapsed());
        let began = Instant::now();
        let mut form = form(&paths);
        took("tree and form", began);
        for searched in ["f", "file-777", "folder-12/sub-3"] {
            form.search = searched.to_owned();
            let began = Instant::now();
            let lines = form.lines().len();
            took(&format!("{lines} lines for {searched}"), began);
            assert!(lines > 0);
        }
        form.search.clear();
        let began = Instant::now();
        let root = form.lines()[0].id;
        form.tick(root);
        took("all ticked", began);
        assert_eq!(form.ticked().files, count);
    }
}
