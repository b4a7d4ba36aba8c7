//! Reads the paths that a file names: `use` trees and paths inside code.

use super::lexer::Token;

/// A path as the source spells it, `self` and `super` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its parts.
    pub(crate) parts: Vec<String>,
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// Modules opened with `mod name { … }` around it.
    pub(crate) inline_modules: Vec<String>,
    /// How it is named.
    pub(crate) how: How,
}

/// How a path is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// By `use`, and under which name it is known from then on.
    Use { known_as: String },
    /// By `pub use`, and under which name others find it here.
    ReExport { known_as: String },
    /// By `use …::*`.
    Glob,
    /// By `pub use …::*`.
    GlobReExport,
    /// In the middle of code.
    Inline,
}

/// Every path with two parts or more, and every import.
pub(crate) fn named_paths(tokens: &[Token]) -> Vec<Named> {
    let mut reader = Reader {
        tokens,
        at: 0,
        brace_depth: 0,
        modules: Vec::new(),
        found: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.found
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    brace_depth: usize,
    /// Inline modules around here, each with the depth at which it opened.
    modules: Vec<(String, usize)>,
    found: Vec<Named>,
}

impl Reader<'_> {
    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(text))
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(Token::is_word)
    }

    fn step(&mut self) {
        let at = self.at;
        // `impl Trait + use<'a>` is no import.
        if self.is(at, "use") && !self.is(at + 1, "<") {
            let is_public = at > 0 && (self.is(at - 1, "pub") || self.is_restricted_pub(at - 1));
            self.at += 1;
            self.use_tree(&[], is_public);
        } else if self.is(at, "mod") && self.is(at + 2, "{") {
            self.modules
                .push((self.tokens[at + 1].text.clone(), self.brace_depth));
            self.at += 2;
        } else if self.is(at, "{") {
            self.brace_depth += 1;
            self.at += 1;
        } else if self.is(at, "}") {
            self.brace_depth = self.brace_depth.saturating_sub(1);
            self.modules.pop_if(|(_, depth)| *depth == self.brace_depth);
            self.at += 1;
        } else if self.is_word(at) {
            self.inline_path();
        } else {
            self.at += 1;
        }
    }

    /// Whether the `)` at `at` ends `pub(crate)` or `pub(in …)`.
    fn is_restricted_pub(&self, at: usize) -> bool {
        let open = self.tokens[..at].iter().rposition(|token| token.is("("));
        self.is(at, ")") && open.is_some_and(|open| open > 0 && self.is(open - 1, "pub"))
    }

    fn inline_path(&mut self) {
        let start = self.at;
        let mut parts = vec![self.tokens[start].text.clone()];
        self.at += 1;
        while self.is(self.at, "::") && self.is_word(self.at + 1) {
            parts.push(self.tokens[self.at + 1].text.clone());
            self.at += 2;
        }
        if parts.len() > 1 {
            self.push(parts, self.tokens[start].line, How::Inline);
        }
    }

    /// Reads one branch of a `use` tree and leaves `at` behind it.
    fn use_tree(&mut self, prefix: &[String], is_public: bool) {
        let mut parts = prefix.to_vec();
        while self.at < self.tokens.len() {
            let token = &self.tokens[self.at];
            self.at += 1;
            match token.text.as_str() {
                "::" => {}
                "{" => {
                    while self.at < self.tokens.len() && !self.is(self.at, "}") {
                        self.use_tree(&parts, is_public);
                        self.at += usize::from(self.is(self.at, ","));
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    let how = if is_public {
                        How::GlobReExport
                    } else {
                        How::Glob
                    };
                    self.push(parts, token.line, how);
                    return;
                }
                // `{self}` names the module before the braces.
                "self" if !parts.is_empty() => {}
                _ => parts.push(token.text.clone()),
            }
            let mut known_as = parts.last().cloned().unwrap_or_default();
            if self.is(self.at, "as") {
                known_as.clone_from(&self.tokens[self.at + 1].text);
                self.at += 2;
            }
            if [",", "}", ";"].iter().any(|end| self.is(self.at, end)) {
                let how = if is_public {
                    How::ReExport { known_as }
                } else {
                    How::Use { known_as }
                };
                self.push(parts, token.line, how);
                return;
            }
        }
    }

    fn push(&mut self, parts: Vec<String>, line: usize, how: How) {
        let inline_modules = self.modules.iter().map(|(name, _)| name.clone()).collect();
        self.found.push(Named {
            parts,
            line,
            inline_modules,
            how,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::{How, Named, named_paths};

    fn spelled(source: &str) -> Vec<String> {
        let spell = |named: Named| {
            let path = named.parts.join("::");
            match named.how {
                How::Use { known_as } => format!("use {path} as {known_as}"),
                How::ReExport { known_as } => format!("pub use {path} as {known_as}"),
                How::Glob => format!("use {path}::*"),
                How::GlobReExport => format!("pub use {path}::*"),
                How::Inline => path,
            }
        };
        named_paths(&tokens(source))
            .into_iter()
            .map(spell)
            .collect()
    }

    #[test]
    fn use_trees_are_read_to_their_leaves() {
        assert_eq!(
            spelled("use a::{b::{self, c as d}, e::*, f}; use g; use ::h::i as _;"),
            [
                "use a::b as b",
                "use a::b::c as d",
                "use a::e::*",
                "use a::f as f",
                "use g as g",
                "use h::i as _",
            ]
        );
    }

    #[test]
    fn re_exports_are_told_apart() {
        assert_eq!(
            spelled("pub use a::B; pub(crate) use c::{D, E as F}; pub(in crate::x) use g::*;"),
            [
                "pub use a::B as B",
                "pub use c::D as D",
                "pub use c::E as F",
                "crate::x",
                "pub use g::*",
            ]
        );
    }

    #[test]
    fn paths_in_code_are_read() {
        let code = "fn f(x: crate::a::B) -> impl T + use<'_> { super::super::c::d::<e::F>(x.g) }";
        assert_eq!(spelled(code), ["crate::a::B", "super::super::c::d", "e::F"]);
    }

    #[test]
    fn inline_modules_are_known() {
        let found = named_paths(&tokens(
            "mod a { fn f() {} mod b { use super::c; } use d; } use e;",
        ));
        let around: Vec<_> = found
            .iter()
            .map(|named| named.inline_modules.join("::"))
            .collect();
        assert_eq!(around, ["a::b", "a", ""]);
    }
}
