//! Schemes as people mistype them: `https:/host`, `https//host`, `https:\\host`, one before another.

/// The clean `text` with one scheme, and “://” behind it; as it was where it has none.
pub(super) fn with_one_scheme(text: &str) -> String {
    let mut rest = text;
    let mut found = None;
    let mut is_backwards = false;
    while let Some((scheme, joint, behind)) = split_scheme(rest) {
        is_backwards |= joint.contains('\\');
        found = Some(scheme);
        rest = behind;
    }
    match found {
        Some(scheme) if is_backwards => format!("{scheme}://{}", rest.replace('\\', "/")),
        Some(scheme) => format!("{scheme}://{rest}"),
        None => text.to_owned(),
    }
}

/// Splits into scheme, what joins it to the rest, and the rest, which is not empty.
fn split_scheme(text: &str) -> Option<(&str, &str, &str)> {
    let is_scheme = |it: &str| it.eq_ignore_ascii_case("http") || it.eq_ignore_ascii_case("https");
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (scheme, behind) = text.split_at(end);
    let slashes = behind.strip_prefix(':').unwrap_or(behind);
    let rest = slashes.trim_start_matches(['/', '\\']);
    let joint = &behind[..behind.len() - rest.len()];
    // “https:9000” and “https/photos” are of a server of this name.
    let is_joint = joint.len() >= 2 && slashes.len() > rest.len();
    (is_scheme(scheme) && is_joint && !rest.is_empty()).then_some((scheme, joint, rest))
}

#[cfg(test)]
mod tests {
    use super::with_one_scheme;

    #[test]
    fn mistyped_schemes_are_mended() {
        for typed in [
            "https://h.example/b",
            "https:/h.example/b",
            "https:///h.example/b",
            "https//h.example/b",
            "https://https://h.example/b",
            "http://https:/h.example/b",
            "https:\\\\h.example\\b",
        ] {
            assert_eq!(with_one_scheme(typed), "https://h.example/b", "{typed}");
        }
    }

    #[test]
    fn what_is_no_scheme_stays() {
        for text in [
            "https:9000/b",
            "https/b",
            "https.example/b",
            "http",
            "https://",
            "s3://b/a\\c",
            "h.example/https://x",
        ] {
            assert_eq!(with_one_scheme(text), text);
        }
    }
}
