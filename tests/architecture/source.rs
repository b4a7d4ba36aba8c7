//! `Source`: one file of the program, and what of it is production code.

use super::lexer::{Token, behind_bracket, tokens};
use std::fs;
use std::path::Path;

/// Name of the library inside paths.
pub(crate) const LIBRARY: &str = "zipkeep";

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path from the repository's root, with `/`.
    pub(crate) path: String,
    /// Its module: the crate's name first, which is the binary's for binaries.
    pub(crate) module: Vec<String>,
    /// Its text.
    pub(crate) text: String,
    /// Its code without what is there for tests only.
    pub(crate) tokens: Vec<Token>,
    /// Its lines without those that are there for tests only.
    pub(crate) production_lines: usize,
    /// Whole files that only tests use, by the name of their module.
    test_only_children: Vec<String>,
}

/// Every file below `root/folder`, in the order of their paths.
pub(crate) fn read_sources(root: &Path, folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder))
            .unwrap_or_else(|problem| panic!("{folder} cannot be listed: {problem}"));
        for entry in entries {
            let entry = entry.expect("the folder can be listed");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "rs")
            {
                let text = fs::read_to_string(entry.path()).expect("a source file can be read");
                sources.push(Source::new(&path, &text));
            }
        }
    }
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    without_test_files(sources)
}

/// Files that only tests use are no part of the program.
fn without_test_files(mut sources: Vec<Source>) -> Vec<Source> {
    let test_only: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| {
            let children = source.test_only_children.iter();
            children.map(|child| [source.module.clone(), vec![child.clone()]].concat())
        })
        .collect();
    sources.retain(|source| {
        !test_only
            .iter()
            .any(|module| source.module.starts_with(module))
    });
    sources
}

impl Source {
    /// The file at `path` with this text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let all = tokens(text);
        let (production, test_only_children, test_lines) = split_tests(&all);
        Self {
            path: path.to_owned(),
            module: module_of(path),
            text: text.to_owned(),
            tokens: production,
            production_lines: text.lines().count().saturating_sub(test_lines),
            test_only_children,
        }
    }

    /// Whether it only joins other files: `mod.rs` and `lib.rs` hold nothing of their own.
    pub(crate) fn is_facade(&self) -> bool {
        self.path.ends_with("/mod.rs") || self.path.ends_with("/lib.rs")
    }
}

fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let mut parts: Vec<&str> = match inner {
        "lib.rs" => return vec![LIBRARY.to_owned()],
        "main.rs" => return vec!["main".to_owned()],
        _ => inner.trim_end_matches(".rs").split('/').collect(),
    };
    if parts[0] == "bin" {
        parts.remove(0);
        // A binary's own `main.rs` is the root of its crate.
        parts.pop_if(|last| *last == "main");
    } else {
        parts.insert(0, LIBRARY);
    }
    parts.pop_if(|last| *last == "mod");
    parts.into_iter().map(str::to_owned).collect()
}

/// Production tokens, names of test-only files, and the number of lines left out.
fn split_tests(all: &[Token]) -> (Vec<Token>, Vec<String>, usize) {
    let (mut production, mut children, mut lines) = (Vec::new(), Vec::new(), 0);
    let mut at = 0;
    while at < all.len() {
        if !is_test_attribute(all, at) {
            production.push(all[at].clone());
            at += 1;
            continue;
        }
        let end = behind_item(all, at);
        let item = &all[at..end];
        if let Some(place) = item.iter().position(|token| token.is("mod"))
            && item.get(place + 2).is_some_and(|token| token.is(";"))
        {
            children.push(item[place + 1].text.clone());
        }
        lines += item[item.len() - 1].line - item[0].line + 1;
        at = end;
    }
    (production, children, lines)
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`, but not `#[cfg(not(test))]`.
fn is_test_attribute(all: &[Token], at: usize) -> bool {
    if !(all[at].is("#") && all.get(at + 1).is_some_and(|token| token.is("["))) {
        return false;
    }
    let attribute = &all[at + 2..behind_bracket(all, at + 1)];
    let has = |word: &str| attribute.iter().any(|token| token.is(word));
    attribute[0].is("test") || (attribute[0].is("cfg") && has("test") && !has("not"))
}

/// The place behind the item whose first attribute is at `at`.
fn behind_item(all: &[Token], mut at: usize) -> usize {
    while all[at].is("#") {
        at = behind_bracket(all, at + 1);
    }
    while at < all.len() {
        match all[at].text.as_str() {
            "(" | "[" => at = behind_bracket(all, at),
            "{" => return behind_bracket(all, at),
            ";" => return at + 1,
            "}" => return at,
            _ => at += 1,
        }
    }
    all.len()
}

#[cfg(test)]
mod tests {
    use super::{Source, module_of, without_test_files};

    #[test]
    fn modules_follow_from_paths() {
        let module = |path| module_of(path).join("::");
        assert_eq!(module("src/lib.rs"), "zipkeep");
        assert_eq!(module("src/main.rs"), "main");
        assert_eq!(module("src/config.rs"), "zipkeep::config");
        assert_eq!(module("src/gui/view/mod.rs"), "zipkeep::gui::view");
        assert_eq!(module("src/bin/cli/main.rs"), "cli");
        assert_eq!(module("src/bin/cli/args.rs"), "cli::args");
    }

    #[test]
    fn code_for_tests_does_not_count() {
        let text = "a\n#[cfg(test)]\nuse b::c;\nd\n#[cfg(test)]\n#[x]\nmod e {\n f\n}\n";
        let source = Source::new("src/x.rs", text);
        let words: Vec<_> = source
            .tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        assert_eq!(words, ["a", "d"]);
        assert_eq!(source.production_lines, 2);
    }

    #[test]
    fn files_for_tests_do_not_count() {
        let sources = vec![
            Source::new("src/a/mod.rs", "#[cfg(test)]\nmod tests;\nmod b;"),
            Source::new("src/a/tests.rs", ""),
            Source::new("src/a/b.rs", ""),
        ];
        let left = without_test_files(sources);
        assert_eq!(
            left.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(),
            ["src/a/mod.rs", "src/a/b.rs"]
        );
    }
}
