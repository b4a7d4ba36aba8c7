//! What stands behind the path of an address: queries and fragments, which may hold a signature or a token.

use super::clean::clean;
use super::console::read_page;
use super::hosts::recognise;
use super::parse::{parse_address, scheme_of};
use super::said::split_path;
use crate::model::Provider;
use url::Url;

/// An address without its query, and what is to be said of that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bare {
    pub(super) text: String,
    pub(super) sentence: Option<&'static str>,
}

const NOT_USED: &str = "What stands behind the path of the address is not used.";
const OF_ONE_OBJECT: &str =
    "This is a signed address of one object: its name and the signature are not used.";

/// The clean `text` without what stands behind its path; of a console's page, what the page is read by stays.
pub(super) fn without_query(text: &str, chosen: Provider) -> Bare {
    let is_web = match scheme_of(text) {
        None => !text.starts_with("arn:"),
        Some(scheme) => ["http", "https"]
            .iter()
            .any(|it| scheme.eq_ignore_ascii_case(it)),
    };
    // In the name of an object, “#” stands for itself.
    let ends: &[char] = if is_web { &['?', '#'] } else { &['?'] };
    let Some((head, behind)) = text.find(ends).map(|at| text.split_at(at)) else {
        return Bare {
            text: text.to_owned(),
            sentence: None,
        };
    };
    let url = parse_address(text).ok().filter(|_| is_web);
    if let Some(url) = &url
        && read_page(url, chosen).is_some()
    {
        return Bare {
            text: clean(&format!("{head}{}", of_page(behind))),
            sentence: None,
        };
    }
    let object = url
        .filter(|_| is_signature(behind))
        .and_then(|url| without_object(head, &url));
    match object {
        Some(folder) => Bare {
            text: clean(folder),
            sentence: Some(OF_ONE_OBJECT),
        },
        None => Bare {
            text: clean(head),
            sentence: Some(NOT_USED),
        },
    }
}

/// The address without the name of the object that it is of; `None` where it may be of a bucket.
fn without_object<'a>(address: &'a str, url: &Url) -> Option<&'a str> {
    let known = recognise(url.host_str()?);
    let is_in_host = known.is_some_and(|known| !known.bucket.is_empty());
    let buckets = usize::from(!is_in_host);
    if split_path(url.path()).len() <= buckets {
        return None;
    }
    let (folder, _) = address.trim_end_matches('/').rsplit_once('/')?;
    Some(folder)
}

/// Whether a query is that of a signed address, as one of the providers makes them.
fn is_signature(query: &str) -> bool {
    const SIGNED: [&str; 4] = [
        "x-amz-signature",
        "signature",
        "q-signature",
        "x-tos-signature",
    ];
    let mut pairs = query.trim_start_matches('?').split('&');
    pairs.any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        SIGNED.iter().any(|it| name.eq_ignore_ascii_case(it))
    })
}

/// What the table's patterns read of the query and the fragment of a console's page.
fn of_page(behind: &str) -> String {
    let (query, fragment) = behind.split_once('#').unwrap_or((behind, ""));
    let (path, path_query) = fragment.split_once('?').unwrap_or((fragment, ""));
    let mut kept = read_pairs(query.trim_start_matches('?'));
    let path_pairs = read_pairs(path_query);
    if !path.is_empty() || !path_pairs.is_empty() {
        kept.extend(["#", path, &path_pairs]);
    }
    kept
}

/// The pairs of a query that patterns name, with “?” before them; empty where there are none.
fn read_pairs(query: &str) -> String {
    let is_read = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        Provider::all().any(|provider| {
            let patterns = provider.preset().consoles.iter();
            let mut queries = patterns.filter_map(|it| Some(it.split_once('?')?.1));
            queries.any(|it| it.split('&').any(|own| own.split('=').next() == Some(name)))
        })
    };
    let pairs: Vec<&str> = query.split('&').filter(is_read).collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kept: &str) {
        let bare = without_query(text, Provider::OTHER);
        assert_eq!(bare.text, kept);
        assert_eq!(without_query(kept, Provider::OTHER).text, kept);
    }

    #[test]
    fn queries_go_and_pages_keep_what_they_are_read_by() {
        check(
            "https://h.example/b?X-Amz-Security-Token=t",
            "https://h.example/b",
        );
        check("h.example/b/c#x", "h.example/b/c");
        check(
            "f004.backblazeb2.com/file/b/a#?t=1",
            "f004.backblazeb2.com/file/b/a",
        );
        check("s3://b/c#1?x=y", "s3://b/c#1");
        check(
            "https://s3.console.aws.amazon.com/s3/buckets/b?token=t&region=eu-west-1&prefix=a/&x",
            "https://s3.console.aws.amazon.com/s3/buckets/b?region=eu-west-1&prefix=a/",
        );
        check(
            "https://console.wasabisys.com/?t=1#/file_manager/b?region=eu-west-2&t=1",
            "https://console.wasabisys.com/#/file_manager/b?region=eu-west-2",
        );
    }

    #[test]
    fn the_name_of_a_signed_object_is_no_folder() {
        let signed = "?X-Amz-Algorithm=x&X-Amz-Signature=y";
        let host = "https://b.s3.eu-west-1.amazonaws.com";
        check(&format!("{host}/a.zip{signed}"), host);
        check(&format!("{host}/pc/a.zip{signed}"), &format!("{host}/pc"));
        check(
            &format!("https://h.example/b/a{signed}"),
            "https://h.example/b",
        );
        check(
            &format!("https://h.example/b{signed}"),
            "https://h.example/b",
        );
        check(
            "https://b-1.cos.ap-guangzhou.myqcloud.com/a?q-sign-algorithm=sha1&q-signature=y",
            "https://b-1.cos.ap-guangzhou.myqcloud.com",
        );
    }
}
