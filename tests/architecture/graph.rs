//! Which file uses which: resolves paths through re-exports to the file that holds the item.

use super::paths::{How, Named, named_paths};
use super::source::{LIBRARY, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Re-exports of re-exports are followed this far; no sane tree comes near.
const MOST_HOPS: usize = 16;

/// One file names something.
#[derive(Debug, Clone)]
pub(crate) struct Arrow {
    /// The file that names it.
    pub(crate) from: usize,
    /// The file that holds it; `None` for other crates, and for a bare module that only joins files.
    pub(crate) to: Option<usize>,
    /// The whole path, `self`, `super`, `use … as` and re-exports resolved.
    pub(crate) path: Vec<String>,
    /// How the path is named.
    pub(crate) how: How,
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// Whether the path ends at a module instead of an item in it.
    pub(crate) is_module: bool,
}

/// All files and what they name.
pub(crate) struct Graph<'a> {
    /// The files.
    pub(crate) sources: &'a [Source],
    /// What they name.
    pub(crate) arrows: Vec<Arrow>,
}

impl<'a> Graph<'a> {
    /// Reads what every file names.
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        let tree = Tree::new(sources);
        let mut arrows = Vec::new();
        for (from, named) in tree.named.iter().enumerate() {
            for one in named {
                let absolute = tree.absolute(from, one);
                let found = tree.resolve(&absolute, MOST_HOPS);
                let (path, holder) = found.unwrap_or((absolute, None));
                let is_module = tree.modules.contains_key(&path);
                // Through a facade the items count, each with the file that holds it.
                let to = holder.filter(|to| !(is_module && sources[*to].is_facade()));
                arrows.push(Arrow {
                    from,
                    to,
                    path,
                    how: one.how.clone(),
                    line: one.line,
                    is_module,
                });
            }
        }
        Self { sources, arrows }
    }

    /// A place in a file, for messages.
    pub(crate) fn place(&self, arrow: &Arrow) -> String {
        format!("{}:{}", self.sources[arrow.from].path, arrow.line)
    }

    /// Every circle of files, as one line each.
    pub(crate) fn circles(&self) -> Vec<String> {
        let name = |file: usize| self.sources[file].path.clone();
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for arrow in &self.arrows {
            // A facade's re-exports point down to its own files; users of them are resolved past it.
            let is_facade = self.sources[arrow.from].is_facade();
            let is_re_export = matches!(arrow.how, How::ReExport { .. } | How::GlobReExport);
            if let Some(to) = arrow.to
                && to != arrow.from
                && !(is_facade && is_re_export)
            {
                edges.entry(name(arrow.from)).or_default().insert(name(to));
            }
        }
        circles(&edges)
    }
}

/// One line for every circle that a walk along `edges` runs into.
pub(crate) fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let (mut done, mut found) = (BTreeSet::new(), BTreeSet::new());
    for start in edges.keys() {
        walk(start, edges, &mut Vec::new(), &mut done, &mut found);
    }
    found.into_iter().collect()
}

fn walk<'a>(
    here: &'a String,
    edges: &'a BTreeMap<String, BTreeSet<String>>,
    trail: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
    found: &mut BTreeSet<String>,
) {
    if let Some(start) = trail.iter().position(|seen| seen == here) {
        found.insert(format!(
            "a circle: {} -> {here}",
            trail[start..].join(" -> ")
        ));
        return;
    }
    if done.contains(here.as_str()) {
        return;
    }
    trail.push(here);
    for next in edges.get(here).into_iter().flatten() {
        walk(next, edges, trail, done, found);
    }
    trail.pop();
    done.insert(here);
}

/// The modules, and what each makes visible under another path.
struct Tree<'a> {
    sources: &'a [Source],
    modules: BTreeMap<Vec<String>, usize>,
    named: Vec<Vec<Named>>,
    /// For each file: names that `use` gives, with what they stand for.
    aliases: Vec<BTreeMap<String, Vec<String>>>,
    /// For each file: names that `pub use` gives, with what they stand for.
    re_exports: Vec<BTreeMap<String, Vec<String>>>,
    /// For each file: modules that `pub use …::*` opens.
    globs: Vec<Vec<Vec<String>>>,
}

impl<'a> Tree<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let count = sources.len();
        let mut tree = Self {
            sources,
            modules: (0..count)
                .map(|file| (sources[file].module.clone(), file))
                .collect(),
            named: sources
                .iter()
                .map(|source| named_paths(&source.tokens))
                .collect(),
            aliases: vec![BTreeMap::new(); count],
            re_exports: vec![BTreeMap::new(); count],
            globs: vec![Vec::new(); count],
        };
        for file in 0..count {
            for named in tree.named[file].clone() {
                let path = tree.absolute(file, &named);
                match named.how {
                    How::Use { known_as } => {
                        tree.aliases[file].insert(known_as, path);
                    }
                    How::ReExport { known_as } => {
                        tree.aliases[file].insert(known_as.clone(), path.clone());
                        tree.re_exports[file].insert(known_as, path);
                    }
                    How::GlobReExport => tree.globs[file].push(path),
                    How::Glob | How::Inline => {}
                }
            }
        }
        tree
    }

    /// The path from its crate's root, or as it stands where it names another crate.
    fn absolute(&self, file: usize, named: &Named) -> Vec<String> {
        let own = &self.sources[file].module;
        let here = [own.as_slice(), &named.inline_modules].concat();
        let (first, rest) = named.parts.split_first().expect("a path has parts");
        let mut base = match first.as_str() {
            "crate" => vec![own[0].clone()],
            "self" => here,
            "super" => here[..here.len().saturating_sub(1).max(1)].to_vec(),
            LIBRARY => return named.parts.clone(),
            _ => {
                let child = [here, vec![first.clone()]].concat();
                if self.modules.contains_key(&child) {
                    child
                } else if let Some(stands_for) = self.aliases[file].get(first) {
                    stands_for.clone()
                } else {
                    return named.parts.clone();
                }
            }
        };
        for part in rest {
            if part == "super" && base.len() > 1 {
                base.pop();
            } else {
                base.push(part.clone());
            }
        }
        base
    }

    /// Where a path really leads, and the file that holds it; `None` for other crates.
    fn resolve(&self, path: &[String], hops: usize) -> Option<(Vec<String>, Option<usize>)> {
        let is_ours = self.modules.keys().any(|module| module[0] == path[0]);
        let mut holder = self.modules.get(&path[..1]).copied();
        for known in 1..path.len() {
            if let Some(child) = self.modules.get(&path[..=known]) {
                holder = Some(*child);
                continue;
            }
            // Names of other crates end here.
            let file = holder?;
            let (name, behind) = (&path[known], &path[known + 1..]);
            let through = self.re_exports[file].get(name).cloned();
            let next = through.or_else(|| self.through_glob(file, name));
            return match next {
                Some(next) if hops > 0 && next != path[..=known] => {
                    let next = [next.as_slice(), behind].concat();
                    let found = self.resolve(&next, hops - 1);
                    Some(found.unwrap_or((next, None)))
                }
                _ => Some((path.to_vec(), Some(file))),
            };
        }
        is_ours.then(|| (path.to_vec(), holder))
    }

    fn through_glob(&self, file: usize, name: &str) -> Option<Vec<String>> {
        let holds = |module: &Vec<String>| {
            let file = self.modules.get(module).copied()?;
            let is_here = self.re_exports[file].contains_key(name) || self.defines(file, name);
            is_here.then(|| [module.as_slice(), &[name.to_owned()]].concat())
        };
        self.globs[file].iter().find_map(holds)
    }

    fn defines(&self, file: usize, name: &str) -> bool {
        const KEYWORDS: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "static"];
        let pairs = self.sources[file].tokens.windows(2);
        pairs
            .into_iter()
            .any(|pair| pair[1].is(name) && KEYWORDS.contains(&pair[0].text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;
    use crate::architecture::source::Source;

    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect();
        let graph = Graph::new(&sources);
        let show = |arrow: &super::Arrow| {
            let to = arrow.to.map_or("-", |to| sources[to].path.as_str());
            format!("{} -> {} {to}", graph.place(arrow), arrow.path.join("::"))
        };
        graph.arrows.iter().map(show).collect()
    }

    #[test]
    fn facades_are_seen_through() {
        let found = arrows(&[
            ("src/a/mod.rs", "mod x; pub use x::{One, Two as Zwei};"),
            ("src/a/x.rs", "struct One; struct Two;"),
            (
                "src/b.rs",
                "use crate::a;\nuse crate::a::One;\nfn f() { a::Zwei::new() }",
            ),
        ]);
        assert_eq!(
            found[2..],
            [
                "src/b.rs:1 -> zipkeep::a -",
                "src/b.rs:2 -> zipkeep::a::x::One src/a/x.rs",
                "src/b.rs:3 -> zipkeep::a::x::Two::new src/a/x.rs",
            ]
        );
    }

    #[test]
    fn relative_paths_are_followed() {
        let found = arrows(&[
            ("src/a/mod.rs", "mod x; mod y; pub use x::*;"),
            ("src/a/x.rs", "pub struct One;"),
            (
                "src/a/y.rs",
                "use super::One; use super::super::a::x::One as Uno; use std::fs;",
            ),
            (
                "src/bin/cli/main.rs",
                "mod args; use args::Args; use zipkeep::a::One;",
            ),
            ("src/bin/cli/args.rs", "struct Args;"),
        ]);
        assert_eq!(
            found[1..],
            [
                "src/a/y.rs:1 -> zipkeep::a::x::One src/a/x.rs",
                "src/a/y.rs:1 -> zipkeep::a::x::One src/a/x.rs",
                "src/a/y.rs:1 -> std::fs -",
                "src/bin/cli/main.rs:1 -> cli::args::Args src/bin/cli/args.rs",
                "src/bin/cli/main.rs:1 -> zipkeep::a::x::One src/a/x.rs",
            ]
        );
    }

    #[test]
    fn a_circle_of_files_is_found_through_the_facade() {
        let mut files = vec![
            Source::new(
                "src/a/mod.rs",
                "mod x; mod y; pub use x::One; pub use y::Two;",
            ),
            Source::new("src/a/x.rs", "use super::Two; pub struct One;"),
            Source::new("src/a/y.rs", "pub struct Two; fn f(_: crate::a::One) {}"),
        ];
        let circle = "a circle: src/a/x.rs -> src/a/y.rs -> src/a/x.rs";
        assert_eq!(Graph::new(&files).circles(), [circle]);
        files[1] = Source::new(
            "src/a/x.rs",
            "pub struct One; #[cfg(test)] mod tests { use super::super::Two; }",
        );
        assert!(Graph::new(&files).circles().is_empty());
    }
}
