//! Patterns of hosts, paths and queries, as the table of providers has them: words with `{names}`.

/// What a pattern's names stand for in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// `{region}`
    pub region: Option<String>,
    /// `{account}`
    pub account: Option<String>,
    /// `{bucket}`
    pub bucket: Option<String>,
    /// `{prefix}`
    pub prefix: Option<String>,
    /// `{variant}`
    pub variant: Option<String>,
}

impl Named {
    /// Takes in that the word `pattern`, such as `oss-{region}`, stands for `text`; `None` where it cannot.
    pub(super) fn take(&mut self, pattern: &str, text: &str) -> Option<()> {
        let Some((before, rest)) = pattern.split_once('{') else {
            return (pattern == text).then_some(());
        };
        let (name, after) = rest.split_once('}')?;
        let value = text.strip_prefix(before)?.strip_suffix(after)?;
        if value.is_empty() {
            return None;
        }
        let place = match name {
            "region" => &mut self.region,
            "account" => &mut self.account,
            "bucket" => &mut self.bucket,
            "prefix" => &mut self.prefix,
            _ => &mut self.variant,
        };
        *place = Some(value.to_owned());
        Some(())
    }
}

/// Matches the labels of `pattern` with the last labels of `host`. Gives the host from there on, and what
/// stands before it.
pub(super) fn match_host<'a>(
    pattern: &str,
    host: &'a str,
    named: &mut Named,
) -> Option<(&'a str, &'a str)> {
    let mut before = Some(host);
    let mut length = 0;
    for word in pattern.rsplit('.') {
        let left = before?;
        let (rest, label) = left
            .rsplit_once('.')
            .map_or((None, left), |(rest, label)| (Some(rest), label));
        named.take(word, label)?;
        length += label.len() + 1;
        before = rest;
    }
    let service = &host[host.len() - (length - 1)..];
    Some((before.unwrap_or(""), service))
}

/// Matches the words of `pattern` with the first segments of a path.
pub(super) fn match_path(pattern: &str, segments: &[String], named: &mut Named) -> Option<()> {
    let words: Vec<&str> = pattern.split('/').filter(|word| !word.is_empty()).collect();
    if words.len() > segments.len() {
        return None;
    }
    for (word, segment) in words.into_iter().zip(segments) {
        named.take(word, segment)?;
    }
    Some(())
}

/// Takes what a pattern such as `bucket={bucket}&region={region}` names out of a query, as far as it is there.
pub(super) fn take_query(pattern: &str, pairs: &[(String, String)], named: &mut Named) {
    for (key, word) in pattern.split('&').filter_map(|part| part.split_once('=')) {
        if let Some((_, value)) = pairs.iter().find(|(name, _)| name == key) {
            named.take(word, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match_from_their_end() {
        let mut named = Named::default();
        let found = match_host("s3.oss-{region}.com", "a.b.s3.oss-x.com", &mut named);
        assert_eq!(found, Some(("a.b", "s3.oss-x.com")));
        assert_eq!(named.region.as_deref(), Some("x"));
        for other in ["oss-x.com", "s3.x.com", "s3.oss-.com", "as3.oss-x.com", ""] {
            let found = match_host("s3.oss-{region}.com", other, &mut Named::default());
            assert_eq!(found, None, "{other}");
        }
    }

    #[test]
    fn paths_match_from_their_beginning() {
        let path = ["b".to_owned(), "x".to_owned(), "more".to_owned()];
        let mut named = Named::default();
        assert_eq!(match_path("/b/{bucket}", &path, &mut named), Some(()));
        assert_eq!(named.bucket.as_deref(), Some("x"));
        assert_eq!(match_path("/b/y", &path, &mut named), None);
        assert_eq!(match_path("b/x/more/still", &path, &mut named), None);
    }
}
