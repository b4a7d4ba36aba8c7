//! From a text to a URL, with or without a scheme.

use super::error::{EndpointError, harmless};
use super::said::is_this_computer;
use url::Url;

/// The URL of this text; an error where it holds a name or a password.
pub(super) fn parse(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::EndpointInvalid(harmless(text)))?;
    if url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(EndpointError::Credentials)
    }
}

/// What stands before “://”, but not in a query.
pub(super) fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    (!scheme.contains(['/', '?', '#'])).then_some(scheme)
}

/// The URL that an address is, with or without a scheme.
pub(super) fn parse_address(text: &str) -> Result<Url, EndpointError> {
    if scheme_of(text).is_some() {
        parse(text)
    } else {
        parse_without_scheme(text)
    }
}

/// Without a scheme it is https, or http on this very computer.
pub(super) fn parse_without_scheme(text: &str) -> Result<Url, EndpointError> {
    let secure = parse(&format!("https://{text}"))?;
    if secure.host().is_some_and(|host| is_this_computer(&host)) {
        parse(&format!("http://{text}"))
    } else {
        Ok(secure)
    }
}
