//! House rules about the shape of files: documented, short, and facades that hold nothing.

use super::lexer::{Token, behind_bracket};
use super::source::Source;

/// Lines of a file without its tests.
const MOST_FILE_LINES: usize = 500;
/// Lines of a function, its signature included.
const MOST_FUNCTION_LINES: usize = 70;

/// Files that do not open with `//!`: the reader's first question is what a file is for.
pub(crate) fn check_docs(sources: &[Source]) -> Vec<String> {
    let bare = sources
        .iter()
        .filter(|source| !source.text.starts_with("//! "));
    bare.map(|source| format!("{} does not open with `//!`", source.path))
        .collect()
}

/// Files and functions that have grown too long to be read in one go.
pub(crate) fn check_sizes(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        if source.production_lines > MOST_FILE_LINES {
            problems.push(format!(
                "{} has {} lines without its tests, more than {MOST_FILE_LINES}",
                source.path, source.production_lines
            ));
        }
        for (name, line, length) in functions(&source.tokens) {
            if length > MOST_FUNCTION_LINES {
                problems.push(format!(
                    "{}:{line}: `{name}` has {length} lines, more than {MOST_FUNCTION_LINES}",
                    source.path
                ));
            }
        }
    }
    problems
}

/// Facades that hold more than docs, `mod` and `pub use`: what is defined there can be reached from
/// below, which is how circles begin.
pub(crate) fn check_facades(sources: &[Source]) -> Vec<String> {
    let facades = sources.iter().filter(|source| source.is_facade());
    facades
        .filter_map(|source| {
            let token = first_other_item(&source.tokens)?;
            Some(format!(
                "{}:{}: `{}…`: a facade holds only docs, `mod` and `pub use`",
                source.path, token.line, token.text
            ))
        })
        .collect()
}

/// Name, line and length of every function with a body.
fn functions(tokens: &[Token]) -> Vec<(&str, usize, usize)> {
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        // `fn(…)` is a type.
        if !(pair[0].is("fn") && pair[1].is_word()) {
            continue;
        }
        let mut body = at;
        while body < tokens.len() && !tokens[body].is("{") && !tokens[body].is(";") {
            let is_bracket = tokens[body].is("(") || tokens[body].is("[");
            body = if is_bracket {
                behind_bracket(tokens, body)
            } else {
                body + 1
            };
        }
        if tokens.get(body).is_some_and(|token| token.is("{")) {
            let last = &tokens[behind_bracket(tokens, body) - 1];
            found.push((
                pair[1].text.as_str(),
                pair[0].line,
                last.line - pair[0].line + 1,
            ));
        }
    }
    found
}

fn first_other_item(tokens: &[Token]) -> Option<&Token> {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.is(text));
    let mut at = 0;
    while at < tokens.len() {
        let first = &tokens[at];
        while is(at, "#") {
            at = behind_bracket(tokens, at + 1 + usize::from(is(at + 1, "!")));
        }
        let is_public = is(at, "pub");
        at += usize::from(is_public);
        if is_public && is(at, "(") {
            at = behind_bracket(tokens, at);
        }
        let is_module = is(at, "mod") && is(at + 2, ";");
        if at < tokens.len() && !is_module && !(is_public && is(at, "use")) {
            return Some(first);
        }
        while at < tokens.len() && !is(at, ";") {
            at += 1;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::{check_docs, check_facades, check_sizes};

    #[test]
    fn docs_come_first() {
        let sources = [
            Source::new("src/a.rs", "//! Fine.\n"),
            Source::new("src/b.rs", "fn f() {}"),
        ];
        assert_eq!(check_docs(&sources), ["src/b.rs does not open with `//!`"]);
    }

    #[test]
    fn long_functions_and_files_are_found() {
        let function = format!(
            "fn short() {{}}\nfn long(f: fn(u8)) -> [u8; 2] {{\n{}}}\n",
            "x;\n".repeat(69)
        );
        assert_eq!(
            check_sizes(&[Source::new("src/a.rs", &function)]),
            ["src/a.rs:2: `long` has 71 lines, more than 70"]
        );
        let file = "const A: u8 = 1;\n".repeat(501);
        assert_eq!(
            check_sizes(&[Source::new("src/a.rs", &file)]),
            ["src/a.rs has 501 lines without its tests, more than 500"]
        );
        let tests = format!("#[cfg(test)]\nmod tests {{\n{file}}}\n");
        assert!(check_sizes(&[Source::new("src/a.rs", &tests)]).is_empty());
    }

    #[test]
    fn facades_hold_nothing() {
        let facade = "//! Docs.\n#![x]\nmod a;\n#[cfg(y)]\npub mod b;\npub(crate) use a::{B, C};\n";
        assert!(check_facades(&[Source::new("src/a/mod.rs", facade)]).is_empty());
        for other in [
            "use a::B;",
            "const A: u8 = 1;",
            "#[x]\npub fn f() {}",
            "mod a { }",
        ] {
            let source = Source::new("src/a/mod.rs", &format!("{facade}{other}"));
            assert_eq!(check_facades(&[source]).len(), 1, "{other}");
        }
    }
}
