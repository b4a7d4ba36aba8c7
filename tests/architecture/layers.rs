//! Holds the arrows between files against the allow-list and the bans.

use super::graph::{Arrow, Graph, circles};
use super::paths::How;
use super::source::LIBRARY;
use std::collections::{BTreeMap, BTreeSet};

/// What one module may use besides itself. The longest fitting rule counts for a file.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The module; everything below it is meant too.
    pub(crate) module: &'static str,
    /// Modules or single items, each with everything below it.
    pub(crate) may_use: &'static [&'static str],
}

/// Crates and modules of other crates that only some files may name.
#[derive(Debug)]
pub(crate) struct Ban {
    /// The names, each with everything below it.
    pub(crate) names: &'static [&'static str],
    /// Beginnings of the paths of files that may name them; empty means all.
    pub(crate) only_in: &'static [&'static str],
    /// Beginnings of the paths of files that may not.
    pub(crate) never_in: &'static [&'static str],
    /// Why.
    pub(crate) reason: &'static str,
}

/// Everything that the allow-list does not allow, and every entry of it that is not needed.
pub(crate) fn check_layers(graph: &Graph<'_>, rules: &[Rule]) -> Vec<String> {
    let mut problems = unknown_modules(graph, rules);
    let mut used = BTreeSet::new();
    for arrow in graph
        .arrows
        .iter()
        .filter(|arrow| is_internal(graph, arrow))
    {
        problems.extend(check_arrow(graph, arrow, rules, &mut used));
    }
    for (at, rule) in rules.iter().enumerate() {
        if !graph
            .sources
            .iter()
            .any(|source| is_below(&spell(&source.module), rule.module))
        {
            problems.push(format!("stale rule: there is no module `{}`", rule.module));
            continue;
        }
        for entry in rule
            .may_use
            .iter()
            .filter(|entry| !used.contains(&(at, **entry)))
        {
            problems.push(format!(
                "stale entry: `{}` may use `{entry}`, but does not",
                rule.module
            ));
        }
    }
    problems.extend(circles(&rule_edges(rules)));
    problems
}

fn unknown_modules(graph: &Graph<'_>, rules: &[Rule]) -> Vec<String> {
    let unknown = graph
        .sources
        .iter()
        .filter(|source| !source.is_facade() && rule_for(rules, &spell(&source.module)).is_none());
    unknown
        .map(|source| {
            format!(
                "{}: no rule says what module `{}` may use",
                source.path,
                spell(&source.module)
            )
        })
        .collect()
}

fn check_arrow(
    graph: &Graph<'_>,
    arrow: &Arrow,
    rules: &[Rule],
    used: &mut BTreeSet<(usize, &'static str)>,
) -> Option<String> {
    let source = &graph.sources[arrow.from];
    let (module, target) = (spell(&source.module), spell(&arrow.path));
    let place = graph.place(arrow);
    if arrow.how == How::Glob && arrow.is_module {
        return Some(format!(
            "{place}: `{target}::*` hides what is used; name it"
        ));
    }
    let is_re_export = matches!(arrow.how, How::ReExport { .. } | How::GlobReExport);
    if source.is_facade() && is_re_export {
        let is_own = is_below(&target, &module);
        return (!is_own)
            .then(|| format!("{place}: `{module}` re-exports `{target}`, which is not its own"));
    }
    let own = rule_for(rules, &module)?;
    if rule_for(rules, &target) == Some(own) || is_below(&target, rules[own].module) {
        return None;
    }
    let entries = rules[own].may_use.iter().copied();
    let fitting: Vec<_> = entries.filter(|entry| is_below(&target, entry)).collect();
    used.extend(fitting.iter().map(|entry| (own, *entry)));
    fitting
        .is_empty()
        .then(|| format!("{place}: `{module}` may not use `{target}`"))
}

fn is_internal(graph: &Graph<'_>, arrow: &Arrow) -> bool {
    let name = &arrow.path[0];
    graph.sources.iter().any(|source| source.module[0] == *name)
}

/// The longest rule that fits; its place in the list.
fn rule_for(rules: &[Rule], module: &str) -> Option<usize> {
    (0..rules.len())
        .filter(|at| is_below(module, rules[*at].module))
        .max_by_key(|at| rules[*at].module.len())
}

fn rule_edges(rules: &[Rule]) -> BTreeMap<String, BTreeSet<String>> {
    let reached = |rule: &Rule, other: &Rule| {
        let mut entries = rule.may_use.iter();
        rule.module != other.module
            && entries.any(|entry| is_below(entry, other.module) || is_below(other.module, entry))
    };
    let edges = rules.iter().map(|rule| {
        let others = rules.iter().filter(|other| reached(rule, other));
        let names = others.map(|other| format!("rule `{}`", other.module));
        (format!("rule `{}`", rule.module), names.collect())
    });
    edges.collect()
}

/// Every use of a banned name, and every place that a ban names in vain.
pub(crate) fn check_bans(graph: &Graph<'_>, bans: &[Ban]) -> Vec<String> {
    let mut problems = BTreeSet::new();
    for ban in bans {
        for place in ban.only_in.iter().chain(ban.never_in) {
            if !graph
                .sources
                .iter()
                .any(|source| source.path.starts_with(place))
            {
                problems.insert(format!("stale ban: there is no `{place}`"));
            }
        }
        for arrow in &graph.arrows {
            let file = &graph.sources[arrow.from].path;
            let is_in = |places: &[&str]| places.iter().any(|place| file.starts_with(place));
            let is_fine = (ban.only_in.is_empty() || is_in(ban.only_in)) && !is_in(ban.never_in);
            let path = arrow.path.join("::");
            if let Some(name) = ban.names.iter().find(|name| is_below(&path, name))
                && !is_fine
            {
                let place = graph.place(arrow);
                problems.insert(format!(
                    "{place}: `{name}` has no place here: {}",
                    ban.reason
                ));
            }
        }
    }
    problems.into_iter().collect()
}

/// A path without the library's own name, which would only lengthen the rules.
fn spell(path: &[String]) -> String {
    let is_library = path[0] == LIBRARY && path.len() > 1;
    path[usize::from(is_library)..].join("::")
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::{Ban, Rule, check_bans, check_layers};
    use crate::architecture::graph::Graph;
    use crate::architecture::source::Source;

    fn rule(module: &'static str, may_use: &'static [&'static str]) -> Rule {
        Rule { module, may_use }
    }

    fn problems(files: &[(&str, &str)], rules: &[Rule]) -> Vec<String> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect();
        check_layers(&Graph::new(&sources), rules)
    }

    #[test]
    fn what_the_list_allows_is_fine() {
        let files = [
            ("src/low.rs", "struct X;"),
            ("src/high.rs", "use crate::low::X;"),
        ];
        assert!(problems(&files, &[rule("low", &[]), rule("high", &["low"])]).is_empty());
        let bin = [
            ("src/low.rs", "struct X;"),
            ("src/main.rs", "fn main() { zipkeep::low::X; }"),
        ];
        assert!(problems(&bin, &[rule("low", &[]), rule("main", &["low"])]).is_empty());
    }

    #[test]
    fn a_forbidden_import_is_found() {
        let files = [
            ("src/low.rs", "\nuse crate::{high::X};"),
            ("src/high.rs", "struct X;"),
        ];
        let found = problems(&files, &[rule("low", &[]), rule("high", &[])]);
        assert_eq!(found, ["src/low.rs:2: `low` may not use `high::X`"]);
    }

    #[test]
    fn the_longest_rule_counts() {
        let files = [
            ("src/gui/view/a.rs", "fn f() { crate::gui::runner::go() }"),
            ("src/gui/runner.rs", "use super::state::S;"),
            ("src/gui/state.rs", "struct S;"),
        ];
        let rules = [
            rule("gui::view", &[]),
            rule("gui::runner", &["gui::state"]),
            rule("gui::state", &[]),
        ];
        let found = problems(&files, &rules);
        assert_eq!(
            found,
            ["src/gui/view/a.rs:1: `gui::view::a` may not use `gui::runner::go`"]
        );
    }

    #[test]
    fn an_unknown_module_is_found() {
        let found = problems(&[("src/new.rs", "")], &[]);
        assert_eq!(
            found,
            ["src/new.rs: no rule says what module `new` may use"]
        );
    }

    #[test]
    fn stale_entries_are_found() {
        let files = [("src/low.rs", ""), ("src/high.rs", "")];
        let found = problems(
            &files,
            &[rule("low", &[]), rule("high", &["low"]), rule("gone", &[])],
        );
        assert_eq!(
            found,
            [
                "stale entry: `high` may use `low`, but does not",
                "stale rule: there is no module `gone`"
            ]
        );
    }

    #[test]
    fn a_circle_in_the_list_itself_is_found() {
        let files = [
            ("src/a.rs", "use crate::b::X;"),
            ("src/b.rs", "use crate::a::Y;"),
        ];
        let found = problems(&files, &[rule("a", &["b"]), rule("b", &["a"])]);
        assert_eq!(found, ["a circle: rule `a` -> rule `b` -> rule `a`"]);
    }

    #[test]
    fn a_facade_cannot_smuggle() {
        let files = [
            ("src/a/mod.rs", "pub use crate::b::X;"),
            ("src/b.rs", "pub struct X;"),
            ("src/c.rs", "use crate::a::X;"),
        ];
        let rules = [rule("a", &[]), rule("b", &[]), rule("c", &["a"])];
        assert_eq!(
            problems(&files, &rules),
            [
                "src/a/mod.rs:1: `a` re-exports `b::X`, which is not its own",
                "src/c.rs:1: `c` may not use `b::X`",
                "stale entry: `c` may use `a`, but does not",
            ]
        );
    }

    #[test]
    fn globs_of_modules_are_refused() {
        let files = [("src/a.rs", "use crate::b::*;"), ("src/b.rs", "")];
        let found = problems(&files, &[rule("a", &[]), rule("b", &[])]);
        assert_eq!(found, ["src/a.rs:1: `b::*` hides what is used; name it"]);
    }

    #[test]
    fn banned_names_are_found_under_any_spelling() {
        let ban = Ban {
            names: &["std::fs"],
            only_in: &["src/io/"],
            never_in: &[],
            reason: "slow",
        };
        let sources = [
            Source::new("src/io/a.rs", "use std::fs;"),
            Source::new(
                "src/b.rs",
                "use std::{io, fs as files};\nfn f() { files::read() }\n// std::fs",
            ),
        ];
        assert_eq!(
            check_bans(&Graph::new(&sources), &[ban]),
            [
                "src/b.rs:1: `std::fs` has no place here: slow",
                "src/b.rs:2: `std::fs` has no place here: slow",
            ]
        );
    }
}
