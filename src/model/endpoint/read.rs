//! Reads what stands in one field: an address, a page's address, `s3://…`, an ARN, an account.

use super::clean::clean;
use super::error::{EndpointError, harmless};
use super::looks::check_looks;
use super::parse::{parse, parse_without_scheme};
use super::query::without_query;
use super::said::{Read, split_path};
use super::scheme::with_one_scheme;
use super::web_address::of_url;
use crate::model::Provider;

/// Reads `text`, which may be empty. `chosen` is the provider that the person chose.
pub(super) fn read(text: &str, chosen: Provider) -> Result<Read, EndpointError> {
    let cleaned = clean(text);
    let typed = with_one_scheme(&cleaned);
    let bare = without_query(&typed, chosen);
    let mended = (typed != cleaned).then(|| format!("The address was read as {}.", bare.text));
    let mut read = read_bare(&bare.text, chosen)?;
    read.sentences.extend(mended);
    read.sentences.extend(bare.sentence.map(str::to_owned));
    Ok(read)
}

fn read_bare(text: &str, chosen: Provider) -> Result<Read, EndpointError> {
    if text.is_empty() {
        return Ok(Read::default());
    }
    if let Some(named) = text
        .strip_prefix("arn:")
        .and_then(|arn| arn.split_once(":s3:::"))
    {
        return Ok(of_uri(Some(Provider::AWS), named.1));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        check_looks(text)?;
        return match account(text, chosen) {
            Some(url) => Ok(Read {
                sentences: vec![format!("The account “{text}” has the address {url}.")],
                ..of_url(&parse(&url)?, chosen)?
            }),
            None => of_url(&parse_without_scheme(text)?, chosen),
        };
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "http" || scheme == "https" {
        return of_url(&parse(text)?, chosen);
    }
    let is_of = |provider: &Provider| provider.preset().uri_schemes.contains(&scheme);
    if let Some(provider) = Provider::all().find(is_of) {
        if rest.contains('@') {
            return Err(EndpointError::Credentials);
        }
        // Everyone writes s3://, whoever keeps the bucket.
        let provider = (provider != Provider::AWS).then_some(provider);
        return Ok(of_uri(provider, rest));
    }
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(is_scheme) || text.contains('@') {
        return Err(EndpointError::EndpointInvalid(harmless(text)));
    }
    Err(EndpointError::Scheme(scheme))
}

/// The address that an account alone stands for.
fn account(text: &str, chosen: Provider) -> Option<String> {
    let preset = chosen.preset();
    let is_account = text.len() >= 8 && text.chars().all(|c| c.is_ascii_alphanumeric());
    let template = preset.endpoint.as_deref()?;
    (is_account && preset.is_of_account())
        .then(|| template.replace("{account}", &text.to_ascii_lowercase()))
}

fn of_uri(provider: Option<Provider>, rest: &str) -> Read {
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    Read {
        provider,
        bucket: (!bucket.is_empty()).then(|| bucket.to_owned()),
        path: split_path(path),
        ..Read::default()
    }
}
