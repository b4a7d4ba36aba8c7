//! Addresses of pages: the consoles in which people look at their buckets.

use super::error::EndpointError;
use super::hosts::recognise;
use super::pattern::{Named, match_host, match_path, take_query};
use crate::model::providers::{Preset, Provider};
use url::{Url, form_urlencoded};

/// A page of a console that shows a bucket or an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) provider: Provider,
    /// What its address says.
    pub(super) named: Named,
    /// Where its service is.
    pub(super) place: Place,
}

/// Where the service is to which a console belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the page's own host.
    SameHost,
    /// At the address that this template makes.
    Template(&'static str),
}

/// The page of which this is the address; `None` where it is none of a console.
///
/// A page that shows no bucket is an error. `chosen` decides whether a host of a person may have a console.
pub(super) fn read_page(url: &Url, chosen: Provider) -> Option<Result<Page, EndpointError>> {
    let host = url.host_str()?.trim_end_matches('.');
    let mut whose = None;
    for provider in Provider::all() {
        let preset = provider.preset();
        for pattern in &preset.consoles {
            let (page, query) = pattern.split_once('?').unwrap_or((pattern, ""));
            let (its_host, path) = page.split_once('/').unwrap_or((page, ""));
            if its_host.is_empty() {
                if provider.preset() != chosen.preset() || recognise(host).is_some() {
                    continue;
                }
            } else if match_host(its_host, host, &mut Named::default()).is_none() {
                continue;
            } else {
                whose = Some(preset);
            }
            let mut named = Named::default();
            if match_path(path, &segments(url), &mut named).is_none() {
                continue;
            }
            take_query(query, &pairs(url), &mut named);
            let Some(place) = place_of(preset, its_host, &named) else {
                continue;
            };
            named.prefix = named.prefix.map(folder);
            if named.bucket.is_some() || named.account.is_some() {
                return Some(Ok(Page {
                    provider,
                    named,
                    place,
                }));
            }
        }
    }
    let preset = whose?;
    Some(Err(EndpointError::ForBrowsers {
        host: host.to_owned(),
        title: &preset.title,
        example: &preset.endpoint_example,
    }))
}

/// Where the service is: for a variant that the page names, at that one's address. `None` where it is not known.
fn place_of(preset: &'static Preset, its_host: &str, named: &Named) -> Option<Place> {
    if its_host.is_empty() {
        return Some(Place::SameHost);
    }
    let template = match named.variant.as_deref() {
        None | Some("default") => preset.template(named.region.as_deref().unwrap_or(""))?,
        Some(id) => {
            let variant = preset.variants.iter().find(|variant| variant.id == id)?;
            &variant.endpoint
        }
    };
    Some(Place::Template(template))
}

/// The segments of the path, then those of a path behind “#”.
pub(super) fn segments(url: &Url) -> Vec<String> {
    let fragment = url.fragment().unwrap_or("");
    let fragment = fragment.split('?').next().unwrap_or("");
    let all = url.path().split('/').chain(fragment.split('/'));
    all.filter(|segment| !segment.is_empty())
        .map(decode)
        .collect()
}

fn pairs(url: &Url) -> Vec<(String, String)> {
    let behind_hash = url.fragment().and_then(|it| it.split_once('?'));
    let queries = [url.query(), behind_hash.map(|(_, query)| query)];
    let queries = queries.into_iter().flatten();
    queries
        .flat_map(|query| form_urlencoded::parse(query.as_bytes()).into_owned())
        .collect()
}

/// The folder that a page shows; some consoles encode it twice.
fn folder(prefix: String) -> String {
    if prefix.contains("%2F") {
        decode(&prefix)
    } else {
        prefix
    }
}

/// Text without percent signs that stand for bytes.
pub(super) fn decode(text: &str) -> String {
    let plain = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    form_urlencoded::parse(plain.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_read_and_nothing_else() {
        assert_eq!(decode("a%20b+c&d=e"), "a b+c&d=e");
        assert_eq!(decode("%E6%96%87"), "文");
        assert_eq!(decode("%"), "%");
        assert_eq!(decode(""), "");
    }

    #[test]
    fn a_page_without_a_bucket_says_whose_it_is() {
        for page in [
            "https://dash.cloudflare.com/profile",
            "https://eu-west-1.console.aws.amazon.com/s3/home",
            "https://console.cloud.tencent.com/cos/bucket",
            "https://dash.cloudflare.com/acc/r2/mars/buckets/b/",
        ] {
            let url = Url::parse(page).expect("an address");
            let read = read_page(&url, Provider::OTHER).expect("a page");
            let is_known = page.contains("/r2/");
            assert_eq!(read.is_ok(), is_known, "{page}: {read:?}");
            if let Ok(page) = read {
                assert_eq!(page.named.bucket, None, "a jurisdiction that is not known");
            }
        }
        let url = Url::parse("https://nas.example/browser/b").expect("an address");
        assert_eq!(read_page(&url, Provider::R2), None);
        assert!(read_page(&url, Provider::MINIO).is_some());
    }
}
