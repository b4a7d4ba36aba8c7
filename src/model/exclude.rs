//! Patterns of what to leave out that begin with the whole path of a folder: they reach only what is in
//! that folder, whichever other folders are backed up beside it.

use std::borrow::Cow;
use std::path::Path;

/// `pattern`, which is meant from `folder` on, as one of a profile: with the whole path before it.
pub fn exclude_in(folder: &Path, pattern: &str) -> String {
    format!(
        "{}/{}",
        as_pattern(&folder.to_string_lossy()),
        pattern.trim_start_matches('/')
    )
}

/// A pattern of a profile as it is meant for what is below `source`.
///
/// One that begins with the whole path of `source` is meant from there; any other stays as it is.
pub fn exclude_seen_from<'a>(source: &str, pattern: &'a str) -> Cow<'a, str> {
    let (mark, rest) = match pattern.strip_prefix('!') {
        Some(rest) => ("!", rest),
        None => ("", pattern),
    };
    match rest.strip_prefix(as_pattern(source).as_str()) {
        Some(below) if below.starts_with('/') => Cow::Owned(format!("{mark}{below}")),
        _ => Cow::Borrowed(pattern),
    }
}

/// A path written so that a pattern means just it, without `/` at its end.
fn as_pattern(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let is_windows = path.as_bytes().get(1) == Some(&b':') || path.starts_with(r"\\");
    for letter in path.chars() {
        match letter {
            '\\' if is_windows => text.push('/'),
            '\\' | '*' | '?' | '[' | ']' | '{' | '}' | '!' | '#' | ' ' => {
                text.extend(['\\', letter]);
            }
            _ => text.push(letter),
        }
    }
    text.truncate(text.trim_end_matches('/').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_a_whole_path_is_meant_only_in_that_folder() {
        for folder in [
            "/home/me/.config/CherryStudio",
            "/home/me/[odd] {name} *!#",
            r"C:\Users\me\AppData\Roaming\CherryStudio",
            r"\\server\share\x",
        ] {
            let pattern = exclude_in(Path::new(folder), "/Code Cache/");
            assert_eq!(exclude_seen_from(folder, &pattern), "/Code Cache/");
            assert_eq!(exclude_seen_from("/home/other", &pattern), pattern);
        }
        let pattern = exclude_in(Path::new("/home/me/.config/App"), "logs/");
        assert_eq!(pattern, "/home/me/.config/App/logs/");
        assert_eq!(
            exclude_seen_from("/home/me", &pattern),
            "/.config/App/logs/"
        );
        assert_eq!(
            exclude_seen_from("/home/me/.config/App2", &pattern),
            pattern
        );
        assert_eq!(exclude_seen_from("/a", "!/a/keep"), "!/keep");
        assert_eq!(exclude_seen_from("/a", "*.tmp"), "*.tmp");
        assert_eq!(exclude_seen_from("/a", "/a"), "/a");
    }
}
