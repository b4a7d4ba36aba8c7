//! Answers of something that is not the S3 service: web pages, and redirections that are none of S3's own.

use super::error::{Fault, Refusal, StorageError, Words};
use super::explain::{asks_for_tls, element};
use crate::model::region_of_host;
use http::{HeaderMap, StatusCode, Uri, header};

/// What a server says that takes requests only over TLS, and at another port.
const REDIRECTS_TO_TLS: Words = Words {
    sentence: "The server wants a secure connection",
    hint: "Write https:// instead of http:// at the beginning of the endpoint, with the port that the server names, if it names one, then test again.",
};

/// The meaning of an answer that no S3 service gives; `None` where it may be one. `asked` is the address that
/// was asked for something about a bucket.
pub(super) fn explain_foreign(
    asked: &Uri,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
) -> Option<StorageError> {
    let is_of_s3 = element(body, "Code").is_some() || headers.contains_key("x-amz-bucket-region");
    if is_of_s3 || asks_for_tls(body) {
        return None;
    }
    let foreign = if status.is_redirection() {
        let location = headers.get(header::LOCATION)?.to_str().ok()?;
        redirection(asked, location)?
    } else if is_page(status, body) {
        StorageError::new(Fault::NotS3)
    } else {
        return None;
    };
    Some(foreign.refused(Refusal {
        status: Some(status.as_u16()),
        ..Refusal::default()
    }))
}

fn redirection(asked: &Uri, location: &str) -> Option<StorageError> {
    let target: Uri = location.parse().ok()?;
    let host = target.host().or(asked.host())?;
    let is_same_host = asked
        .host()
        .is_some_and(|own| own.eq_ignore_ascii_case(host));
    if is_same_host && asked.scheme_str() == Some("http") && target.scheme_str() == Some("https") {
        let authority = target.authority()?;
        let told = StorageError::new(Fault::Tls).in_words(Some(REDIRECTS_TO_TLS));
        return Some(told.about(format!("it redirects to https://{authority}")));
    }
    if region_of_host(host).is_some() {
        return None;
    }
    Some(StorageError::new(Fault::NotS3).about(format!("it redirects to “{host}”")))
}

/// Whether this refusal is a page for people, or says that nothing is there in words that are not S3's.
fn is_page(status: StatusCode, body: &str) -> bool {
    /// Proxies ask for a name with it, and the others tell to come again.
    const OTHERWISE_KNOWN: [u16; 3] = [407, 408, 429];
    if !status.is_client_error() || OTHERWISE_KNOWN.contains(&status.as_u16()) {
        return false;
    }
    let start: String = body.chars().take(1_000).collect();
    let start = start.to_ascii_lowercase();
    let is_html = start.contains("<html") || start.contains("<!doctype html");
    let is_other = !body.trim().is_empty() && !body.contains("NoSuchBucket");
    is_html || status == StatusCode::NOT_FOUND && is_other && !body.contains("<Error")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(asked: &str, status: u16, location: Option<&str>, body: &str) -> Option<StorageError> {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert(header::LOCATION, location.parse().expect("a header"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        explain_foreign(&asked.parse().expect("an address"), status, &headers, body)
    }

    #[test]
    fn redirections_of_others_are_told_from_those_of_s3() {
        let of = |asked, location| {
            let told = told(asked, 301, Some(location), "<html>Moved</html>");
            told.map(|error| (error.fault(), error.to_string()))
        };
        let (fault, words) = of("http://nas.lan:9000/b", "https://nas.lan:9443/b").expect("told");
        assert_eq!(fault, Fault::Tls);
        assert!(words.contains("https://nas.lan:9443"), "{words}");
        for (location, host) in [
            ("https://login.example.com/?next=b", "login.example.com"),
            ("/login", "nas.lan"),
            ("http://nas.lan/b", "nas.lan"),
        ] {
            let (fault, words) = of("http://nas.lan/b", location).expect("told");
            assert_eq!(fault, Fault::NotS3);
            assert!(words.contains(host), "{words}");
        }
        let own = "https://b.s3.eu-west-1.amazonaws.com/";
        assert_eq!(of("https://b.s3.us-east-1.amazonaws.com/", own), None);
        let document = "<Error><Code>TemporaryRedirect</Code></Error>";
        assert!(told("http://h/b", 307, Some("http://other/"), document).is_none());
    }

    #[test]
    fn pages_are_told_from_refusals_of_s3() {
        let page = "<!DOCTYPE html><title>404</title>";
        for (status, body, is_foreign) in [
            (404, page, true),
            (403, page, true),
            (404, "404 page not found", true),
            (404, "", false),
            (403, "", false),
            (403, "no", false),
            (407, page, false),
            (429, page, false),
            (503, page, false),
            (404, "{\"code\": \"NoSuchBucket\"}", false),
            (404, "<Error><Code>NoSuchBucket</Code></Error>", false),
            (
                400,
                "<html>The plain HTTP request was sent to HTTPS port</html>",
                false,
            ),
        ] {
            let told = told("http://h/b", status, None, body);
            assert_eq!(told.is_some(), is_foreign, "{status} {body}");
        }
    }
}
