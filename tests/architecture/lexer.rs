//! Cuts Rust source into tokens, so that words in comments and strings cannot be taken for code.
//!
//! Knows just enough of the language for the architecture test: no dependency, no macro expansion.

/// A word, a `::`, or one other character of code. Literals become the empty string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The code itself.
    pub(crate) text: String,
    /// Line, counted from 1.
    pub(crate) line: usize,
}

impl Token {
    /// Whether it is this word or character.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// Whether it is a name or a keyword.
    pub(crate) fn is_word(&self) -> bool {
        self.text
            .starts_with(|first: char| first == '_' || first.is_alphabetic())
    }
}

/// All tokens of `source`.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.skip_while(|char| char != '\n'),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (':', ':') => {
                self.push("::");
                self.advance(2);
            }
            (char, _) if char == '_' || char.is_alphabetic() => self.word(),
            (char, _) if char.is_ascii_digit() => self.number(),
            (char, _) => {
                if !char.is_whitespace() {
                    self.push(char.encode_utf8(&mut [0; 4]));
                }
                self.advance(1);
            }
        }
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == '\n' {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn push(&mut self, text: &str) {
        let line = self.line;
        self.tokens.push(Token {
            text: text.to_owned(),
            line,
        });
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.at < self.chars.len() && wanted(self.peek(0)) {
            self.advance(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.advance(1);
                    continue;
                }
            }
            self.advance(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.push("");
        self.advance(1);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            self.advance(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.advance(1);
    }

    fn raw_string(&mut self) {
        self.push("");
        let start = self.at;
        self.skip_while(|char| char == '#');
        let closing: String = std::iter::once('"')
            .chain(std::iter::repeat_n('#', self.at - start))
            .collect();
        self.advance(1);
        while self.at < self.chars.len() && !self.looks_at(&closing) {
            self.advance(1);
        }
        self.advance(closing.len());
    }

    fn looks_at(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(ahead, char)| self.peek(ahead) == char)
    }

    /// A character literal, or the lifetime that begins like one.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.push("");
            self.advance(3);
            self.skip_while(|char| char != '\'');
            self.advance(1);
        } else if self.peek(2) == '\'' {
            self.push("");
            self.advance(3);
        } else {
            self.advance(1);
            self.skip_while(|char| char == '_' || char.is_alphanumeric());
        }
    }

    fn number(&mut self) {
        self.push("");
        self.skip_while(|char| char == '_' || char.is_alphanumeric());
    }

    fn word(&mut self) {
        let start = self.at;
        self.skip_while(|char| char == '_' || char.is_alphanumeric());
        let word: String = self.chars[start..self.at].iter().collect();
        match (word.as_str(), self.peek(0), self.peek(1)) {
            ("r" | "br" | "cr", '"', _) | ("r" | "br" | "cr", '#', '"' | '#') => self.raw_string(),
            // `r#type` is the name `type`.
            ("r", '#', _) => self.advance(1),
            ("b" | "c", '"', _) => self.string(),
            ("b", '\'', _) => self.quote(),
            _ => self.push(&word),
        }
    }
}

/// The place behind the bracket that closes the one at `open`.
pub(crate) fn behind_bracket(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::tokens;

    fn words(source: &str) -> Vec<String> {
        let words = tokens(source).into_iter().filter(super::Token::is_word);
        words.map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_strings_hold_no_code() {
        assert_eq!(words("a // b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(words(r#"a "b \" c" d b"e" c"f""#), ["a", "d"]);
        assert_eq!(
            words(r###"a r#"b " c"# d br##"e"# f"## g"###),
            ["a", "d", "g"]
        );
    }

    #[test]
    fn characters_are_not_lifetimes() {
        assert_eq!(
            words("a '\"' b '\\'' c '\\u{1F}' d &'e f b'\"' g"),
            ["a", "b", "c", "d", "f", "g"]
        );
    }

    #[test]
    fn raw_names_lose_their_mark() {
        assert_eq!(words("r#type x"), ["type", "x"]);
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let last = tokens("/*\n*/ \"\n\\\"\" r\"\n\"\nend").pop().unwrap();
        assert_eq!((last.text.as_str(), last.line), ("end", 5));
    }
}
