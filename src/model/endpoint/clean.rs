//! What pasting brings along: white space, quotes, a label, characters of other keyboards.

/// `text` without what pasting brings along.
pub(super) fn clean(text: &str) -> String {
    let plain: String = text.chars().filter_map(plain).collect();
    let bare = plain.trim_matches(is_wrapping).trim_end_matches('.');
    let bare = without_label(bare);
    let (scheme, rest) = bare.split_once("://").map_or(("", bare), |(scheme, rest)| {
        (scheme.trim(), rest.trim_start())
    });
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(host_end);
    let host = joined(host, is_joint);
    let path = joined(path, |c| c == '/');
    if scheme.is_empty() {
        format!("{host}{path}").trim_start_matches('/').to_owned()
    } else {
        format!("{scheme}://{host}{path}")
    }
}

/// A root path without what nobody means.
pub(super) fn clean_root(text: &str) -> &str {
    text.trim_matches(|c: char| c == '/' || c.is_whitespace())
}

/// The character that is meant; none for those that cannot be seen.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' => None,
        // As a Chinese or Japanese keyboard types them.
        '\u{ff1a}' => Some(':'),
        '\u{ff0f}' => Some('/'),
        '\u{ff0e}' | '\u{3002}' => Some('.'),
        _ if c.is_whitespace() => Some(' '),
        _ if c.is_control() => None,
        _ => Some(c),
    }
}

fn is_wrapping(c: char) -> bool {
    c.is_whitespace() || "\"'`“”„‘’«»<>,;".contains(c)
}

/// Where a space in a host can only come from a broken line.
fn is_joint(c: char) -> bool {
    matches!(c, '.' | ':' | '-' | '/')
}

/// Drops what a page prints before an address, as in “S3 API: https://…”.
fn without_label(text: &str) -> &str {
    let Some(at) = text.find("://") else {
        return text;
    };
    let begin = text[..at]
        .rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
        .map_or(0, |before| {
            before + text[before..].chars().next().map_or(0, char::len_utf8)
        });
    let label = &text[..begin];
    let is_word = |c: char| c.is_alphanumeric() || c.is_whitespace() || ":-()".contains(c);
    if label.ends_with([' ', ':']) && label.chars().all(is_word) {
        &text[begin..]
    } else {
        text
    }
}

/// Without the white space beside joints.
fn joined(text: &str, is_joint: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut spaces = 0;
    for c in text.chars() {
        if c == ' ' {
            spaces += 1;
            continue;
        }
        let after_joint = out.chars().next_back().is_none_or(&is_joint);
        if !after_joint && !is_joint(c) {
            out.extend(std::iter::repeat_n(' ', spaces));
        }
        spaces = 0;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_pasting_brings_along_is_dropped() {
        let address = "https://s3.example.com/photos";
        for pasted in [
            " https://s3.example.com/photos\n",
            "\u{feff}https://s3.example.com/photos\u{200b}",
            "“https://s3.example.com/photos”",
            "<https://s3.example.com/photos>,",
            "https:// s3.example.com / photos",
            "https://s3.\n  example.com/photos.",
            "Endpoint: https://s3.example.com/photos",
            "S3 API https://s3.example.com/photos",
            "https\u{ff1a}\u{ff0f}\u{ff0f}s3\u{3002}example.com/photos",
        ] {
            assert_eq!(clean(pasted), address, "{pasted:?}");
        }
    }

    #[test]
    fn what_may_be_meant_stays() {
        for meant in [
            "ht tp",
            "s3://bucket/my folder/x",
            "https://h/a - b",
            "[::1]:9000",
            "a@b://c",
        ] {
            assert_eq!(clean(meant), meant);
        }
        assert_eq!(clean("//host/bucket"), "host/bucket");
        assert_eq!(clean(" \t\n"), "");
    }
}
