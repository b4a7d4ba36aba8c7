//! From `object_store`'s errors to [`StorageError`]: what an HTTP status, a provider's code or a
//! system's error means for the person.
//!
//! Codes: AWS "Error responses", R2 "Error codes", OSS and COS error pages, MinIO `api-errors.go`.

use super::codes::{Meaning, meaning_of};
use super::error::{Fault, Refusal, StorageError};
use super::proxy::ProxyFailed;
use super::transport::{TooLong, WentSilent};
use crate::model::region_of_host;
use http::StatusCode;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error;
use std::io;

/// What was asked for, which decides what "not found" and "exists" mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something about the bucket as a whole.
    Bucket,
    /// One object that should be there.
    Object,
    /// One object that should not be there yet.
    NewObject,
    /// An upload in parts that was begun.
    Upload,
    /// That an upload in parts becomes an object that is not there yet.
    Completion,
    /// A copy of an object that should be there and be the one that we know.
    Copy,
}

/// Gives an answer to a request of our own its meaning: a refusal, or a success that holds an error.
pub(super) fn explain_answer(status: StatusCode, body: &str, asked: Asked) -> StorageError {
    /// Longer ones are no error of S3, but some proxy's page.
    const LONGEST_KEPT_CHARS: usize = 4_000;
    let body: String = body.chars().take(LONGEST_KEPT_CHARS).collect();
    // The client's own words and kinds, so that both mean the same below.
    let source = format!("the server answered with status code: {status}: {body}").into();
    let path = String::new();
    let error = match status {
        StatusCode::NOT_FOUND => object_store::Error::NotFound { path, source },
        StatusCode::PRECONDITION_FAILED => object_store::Error::Precondition { path, source },
        StatusCode::CONFLICT => object_store::Error::AlreadyExists { path, source },
        StatusCode::FORBIDDEN => object_store::Error::PermissionDenied { path, source },
        StatusCode::UNAUTHORIZED => object_store::Error::Unauthenticated { path, source },
        _ => object_store::Error::Generic {
            store: "S3",
            source,
        },
    };
    explain(error, asked)
}

/// Gives the failure of a request of our own its meaning.
pub(super) fn explain_transport(error: HttpError, asked: Asked) -> StorageError {
    let source = Box::new(error);
    let store = "S3";
    explain(object_store::Error::Generic { store, source }, asked)
}

/// Gives `error` its meaning.
pub(super) fn explain(error: object_store::Error, asked: Asked) -> StorageError {
    let answer = Answer::read(&error);
    let code = answer.code.as_deref();
    let meaning = code.and_then(|code| meaning_of_code(code, &answer.text, asked));
    let fault = meaning
        .map(|meaning| meaning.fault)
        .or_else(|| answer.wants_tls().then_some(Fault::Tls))
        .or_else(|| fault_of_system(&error))
        .unwrap_or_else(|| fault_of_status(&error, &answer, asked));
    let region = match fault {
        Fault::WrongRegion => answer.expected_region(),
        _ => None,
    };
    let about = match fault {
        Fault::WrongRegion => {
            let expects = |region| format!("the provider expects “{region}”");
            region.as_ref().map(expects)
        }
        Fault::Other if matches!(error, object_store::Error::InvalidPath { .. }) => {
            Some("something there has a name that cannot be read".to_owned())
        }
        Fault::Unsupported if answer.is_untagged() => {
            Some("it answers to a part without an ETag".to_owned())
        }
        Fault::Other if is_too_long(&error) => Some(TooLong.to_string()),
        Fault::Proxy => ProxyFailed::within(&error).map(ProxyFailed::about),
        Fault::Tls if answer.wants_tls() => Some("the server wants one at this port".to_owned()),
        Fault::Tls => tls_trouble(&error).map(ToOwned::to_owned),
        Fault::Other | Fault::Unsupported => answer.message.clone(),
        Fault::Folder | Fault::Full => system_error(&error).map(ToString::to_string),
        _ => None,
    };
    let mut explained = StorageError::new(fault)
        .in_words(meaning.and_then(|meaning| meaning.words))
        .refused(Refusal {
            region,
            ..answer.refusal()
        })
        .caused_by(error);
    if let Some(about) = about {
        explained = explained.about(about);
    }
    explained
}

/// What the server said, read from the error's text because `object_store` keeps its type private.
struct Answer {
    text: String,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

impl Answer {
    fn read(error: &object_store::Error) -> Self {
        let text = error.to_string();
        let status = text
            .split_once("status code: ")
            .and_then(|(_, rest)| rest.get(..3)?.parse().ok());
        Self {
            status,
            code: element(&text, "Code"),
            message: element(&text, "Message"),
            request_id: element(&text, "RequestId"),
            text,
        }
    }

    fn refusal(self) -> Refusal {
        Refusal {
            status: self.status,
            code: self.code,
            message: self.message,
            request_id: self.request_id,
            region: None,
            most_parts: None,
        }
    }

    /// Whether a server of TLS was spoken to without.
    fn wants_tls(&self) -> bool {
        self.status == Some(400) && asks_for_tls(&self.text)
    }

    /// Whether it is a success that lacks the tag which completing an upload needs.
    fn is_untagged(&self) -> bool {
        self.status.is_none() && self.text.contains("ETag Header missing")
    }

    /// Whether it is a success that gives the whole object where a range of it was asked for.
    fn is_whole_instead_of_range(&self) -> bool {
        self.status.is_none() && self.text.contains("non-partial response when range")
    }

    /// The region that the provider names instead of ours.
    fn expected_region(&self) -> Option<String> {
        element(&self.text, "Region")
            .or_else(|| {
                let (_, rest) = self.text.split_once("expecting ")?;
                let rest = rest.trim_start_matches(['\'', '"']);
                let end = rest.find(['\'', '"', '<', ' ', '.'])?;
                Some(rest[..end].to_owned())
            })
            .or_else(|| region_of_host(&element(&self.text, "Endpoint")?))
    }
}

/// Whether this is what a server of TLS says in the clear: in the words of nginx, of Go (`MinIO`) and of
/// Apache.
pub(super) fn asks_for_tls(answer: &str) -> bool {
    const WORDS: [&str; 3] = [
        "plain HTTP request was sent to HTTPS port",
        "HTTP request to an HTTPS server",
        "speaking plain HTTP to an SSL-enabled server",
    ];
    WORDS.iter().any(|words| answer.contains(words))
}

/// The text of the first XML element of this name.
pub(super) fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let inner = inner.trim();
    (!inner.is_empty() && inner.len() < 500).then(|| {
        let unescaped = inner.replace("&#39;", "'").replace("&#34;", "\"");
        unescaped
            .replace("&apos;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    })
}

/// What a code means, given what was asked for and what the provider says beside it.
fn meaning_of_code(code: &str, text: &str, asked: Asked) -> Option<Meaning> {
    let plain = |fault| Some(Meaning { fault, words: None });
    match code {
        "PreconditionFailed" if asked == Asked::Copy => plain(Fault::Changed),
        "PreconditionFailed" if matches!(asked, Asked::NewObject | Asked::Completion) => {
            plain(Fault::AlreadyThere)
        }
        // A tag that we were given for a part is not the part's.
        "InvalidPart" | "InvalidPartOrder" if asked == Asked::Completion => plain(Fault::Damaged),
        "AuthorizationHeaderMalformed" if text.contains("region") => plain(Fault::WrongRegion),
        // OSS says so of a bucket in another region.
        "AccessDenied" if text.contains("using the specified endpoint") => {
            plain(Fault::WrongRegion)
        }
        // What a signed address says once its time is over: our clock is ahead of theirs, or behind.
        "AccessDenied" if text.contains("Request has expired") => plain(Fault::Clock),
        _ => meaning_of(code),
    }
}

/// The first error in the chain that came from this computer's own file system.
fn system_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.raw_os_error().map(|_| error);
        }
        // Below this the system's errors are those of sockets.
        if error.downcast_ref::<HttpError>().is_some() {
            return None;
        }
        cause = error.source();
    }
    None
}

fn fault_of_system(error: &object_store::Error) -> Option<Fault> {
    match system_error(error)?.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Fault::Full),
        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists => None,
        _ => Some(Fault::Folder),
    }
}

/// What exactly is wrong with a secure connection, in plain words, as far as the library's own words tell.
fn tls_trouble(error: &object_store::Error) -> Option<&'static str> {
    /// What rustls says, in lower case, and what it means.
    const TROUBLES: [(&str, &str); 7] = [
        (
            "unknownissuer",
            "nobody that this computer trusts vouches for the server's certificate",
        ),
        ("certificateexpired", "the server's certificate has expired"),
        (
            "certificate expired",
            "the server's certificate has expired",
        ),
        (
            "notvalidyet",
            "the server's certificate is not valid yet; is this computer's clock right?",
        ),
        (
            "not valid yet",
            "the server's certificate is not valid yet; is this computer's clock right?",
        ),
        (
            "not valid for name",
            "the server's certificate is for another name",
        ),
        (
            "invalidcontenttype",
            "the server does not speak TLS at this port",
        ),
    ];
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string().to_ascii_lowercase();
        let known = TROUBLES.iter().find(|(said, _)| text.contains(said));
        if let Some((_, meaning)) = known {
            return Some(meaning);
        }
        cause = error.source();
    }
    None
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(<dyn Error>::is::<TooLong>)
}

fn fault_of_transport(error: &object_store::Error) -> Option<Fault> {
    if ProxyFailed::within(error).is_some() {
        return Some(Fault::Proxy);
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut kind = None;
    let mut is_silent = false;
    while let Some(error) = cause {
        is_silent |= error.is::<WentSilent>();
        if let Some(http) = error.downcast_ref::<HttpError>() {
            kind = Some(http.kind());
        }
        let text = error.to_string().to_ascii_lowercase();
        if kind.is_some()
            && ["certificate", "tls", "corrupt message", "handshake"]
                .iter()
                .any(|word| text.contains(word))
        {
            return Some(Fault::Tls);
        }
        cause = error.source();
    }
    match kind? {
        HttpErrorKind::Timeout if is_silent => Some(Fault::Stalled),
        HttpErrorKind::Timeout => Some(Fault::TimedOut),
        HttpErrorKind::Decode => None,
        _ => Some(Fault::Unreachable),
    }
}

fn fault_of_status(error: &object_store::Error, answer: &Answer, asked: Asked) -> Fault {
    use object_store::Error as E;
    if answer.text.contains("without LOCATION") {
        return Fault::WrongRegion;
    }
    if answer.is_untagged() {
        return Fault::Unsupported;
    }
    if answer.is_whole_instead_of_range() {
        return Fault::RangeIgnored;
    }
    match error {
        E::NotFound { .. } => match asked {
            Asked::Object | Asked::Copy => Fault::NoObject,
            Asked::Upload | Asked::Completion => Fault::NoUpload,
            Asked::Bucket | Asked::NewObject => Fault::NoBucket,
        },
        E::AlreadyExists { .. } | E::Precondition { .. }
            if matches!(asked, Asked::NewObject | Asked::Completion) =>
        {
            Fault::AlreadyThere
        }
        E::Precondition { .. } => Fault::Changed,
        E::PermissionDenied { .. } => Fault::Denied,
        E::Unauthenticated { .. } => Fault::UnknownKey,
        _ => match answer.status {
            // Only proxies ask so.
            Some(407) => Fault::Proxy,
            Some(301 | 307 | 308) => Fault::WrongRegion,
            Some(401) => Fault::UnknownKey,
            Some(501) => Fault::Unsupported,
            Some(507) => Fault::Full,
            Some(408 | 429 | 500..=599) => Fault::Busy,
            // A copy that is refused for itself is sent instead.
            Some(_) if asked == Asked::Copy => Fault::Unsupported,
            Some(_) => Fault::Other,
            None => fault_of_transport(error).unwrap_or(Fault::Other),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: &str, body: &str) -> object_store::Error {
        object_store::Error::Generic {
            store: "S3",
            source: format!("Error performing GET http://h/b in 3ms - Server returned non-2xx status code: {status}: {body}").into(),
        }
    }

    fn xml(code: &str, message: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        )
    }

    #[test]
    fn providers_codes_have_meanings() {
        for (status, code, fault) in [
            ("403 Forbidden", "SignatureDoesNotMatch", Fault::WrongSecret),
            ("403 Forbidden", "InvalidAccessKeyId", Fault::UnknownKey),
            ("403 Forbidden", "RequestTimeTooSkewed", Fault::Clock),
            ("404 Not Found", "NoSuchBucket", Fault::NoBucket),
            ("400 Bad Request", "InvalidRegionName", Fault::WrongRegion),
            ("503 Service Unavailable", "SlowDown", Fault::Busy),
            ("403 Forbidden", "InvalidObjectState", Fault::Archived),
            ("400 Bad Request", "SomethingNew", Fault::Other),
            ("502 Bad Gateway", "", Fault::Busy),
        ] {
            let explained = explain(answer(status, &xml(code, "words")), Asked::Bucket);
            assert_eq!(explained.fault(), fault, "{code}");
            assert_eq!(explained.code().unwrap_or(""), code);
        }
    }

    #[test]
    fn a_wrong_region_names_the_right_one() {
        let minio = xml(
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the region is wrong; expecting 'eu-west-1'.",
        );
        let text = explain(answer("400 Bad Request", &minio), Asked::Bucket).to_string();
        assert!(text.contains("“eu-west-1”"), "{text}");
    }

    #[test]
    fn not_found_means_what_was_asked_for() {
        let error = || object_store::Error::NotFound {
            path: "x".to_owned(),
            source: "404".into(),
        };
        assert_eq!(explain(error(), Asked::Bucket).fault(), Fault::NoBucket);
        assert_eq!(explain(error(), Asked::Object).fault(), Fault::NoObject);
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let error = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io::Error::from_raw_os_error(28)),
        };
        assert_eq!(explain(error, Asked::NewObject).fault(), Fault::Full);
    }
}
