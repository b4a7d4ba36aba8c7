//! The HTTP transport under `object_store`: counts what moves, and ends a request that goes silent.
//!
//! Requests are those of the [`Operation`] in whose attempt they are made.

use super::error::{AnswerHead, Fault, StorageError};
use super::line::{Operation, Way};
use super::proxy::ProxyFailed;
use super::trust::Trust;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use jiff::{SignedDuration, Timestamp};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A body goes out in slices of this size, so that a big part shows progress.
const SLICE_BYTES: usize = 64 * 1024;

/// No byte moved in either direction for this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing moved for {} seconds", .0.as_secs())]
pub(super) struct WentSilent(pub(super) Duration);

/// A server that goes on sending would fill the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its answer is longer than what was asked for")]
pub(super) struct TooLong;

/// Longer answers than this hold no object: a page of a thousand parts has about 300 KB.
pub(super) const LONGEST_ANSWER_BYTES: u64 = 8 * 1024 * 1024;

/// Whether bytes may go over the line in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    HttpsOnly,
    AlsoHttp,
}

/// Gives every client the one transport that it was made with.
#[derive(Debug, Clone)]
pub(super) struct Connector(pub(super) HttpClient);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}

/// A transport of its own connections. Proxies are those of the environment.
pub(super) fn http_client(
    connect: Duration,
    scheme: Scheme,
    trust: &Trust,
) -> Result<HttpClient, StorageError> {
    let fault = if trust.0.is_empty() {
        Fault::Settings
    } else {
        // Nothing else of it can be wrong.
        Fault::CaCertificate
    };
    let client = reqwest::Client::builder()
        .user_agent(concat!("zipkeep/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .https_only(scheme == Scheme::HttpsOnly)
        .tls_certs_merge(trust.0.iter().cloned())
        // What is signed is signed for one host: elsewhere it is refused, and its body a stranger's.
        .redirect(reqwest::redirect::Policy::none())
        // Known to be faster for big bodies, and understood by every gateway.
        .http1_only()
        // A packed answer would not have the length of what is stored.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .build()
        .map_err(|error| StorageError::new(fault).caused_by(error))?;
    Ok(HttpClient::new(Wire(client)))
}

#[derive(Debug)]
struct Wire(reqwest::Client);

impl HttpService for Wire {
    // What `async_trait` makes of `async fn call(&self, HttpRequest)`.
    fn call<'this, 'call>(
        &'this self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'call>>
    where
        'this: 'call,
        Self: 'call,
    {
        Box::pin(self.ask(request))
    }
}

impl Wire {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(operation) = Operation::current() else {
            let misuse = std::io::Error::other("a request that belongs to no operation");
            return Err(HttpError::new(HttpErrorKind::Unknown, misuse));
        };
        let uri = request.uri().clone();
        let wants_range = request.headers().contains_key(http::header::RANGE);
        let asked_bytes = asked_bytes(&request);
        let request = to_reqwest(request, &operation)?;
        operation.asks();
        let response = tokio::select! {
            response = self.0.execute(request) => response.map_err(|error| failed(error, Part::Head(&uri)))?,
            silence = operation.gone_silent() => return Err(silent(silence)),
        };
        let way = if response.status().is_success() {
            Way::Received
        } else {
            operation.refused(head_of(response.headers()));
            Way::Refused
        };
        if let Some(wait) = retry_after(response.headers()) {
            operation.told_to_wait(wait);
        }
        operation.moved(way, 0);
        let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let says_range = parts.headers.contains_key(http::header::CONTENT_RANGE);
        if wants_range && says_range && parts.status == http::StatusCode::OK {
            // `rclone serve s3` gives the range and says which it is, but with the wrong status. Whether
            // it is the one that was asked for, the client compares.
            parts.status = http::StatusCode::PARTIAL_CONTENT;
        }
        let most_bytes = match way {
            Way::Received => asked_bytes,
            _ => LONGEST_ANSWER_BYTES,
        };
        let body = ReceivedBody::new(body, way, operation, most_bytes);
        let body = HttpResponseBody::new(body);
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// How long the answer to a request may be that is done as asked.
fn asked_bytes(request: &HttpRequest) -> u64 {
    if request.method() != http::Method::GET {
        return LONGEST_ANSWER_BYTES;
    }
    let range = request.headers().get(http::header::RANGE);
    let range = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    // A whole object, or a list: whoever asks for that sees to it.
    range.and_then(bytes_in_range).unwrap_or(u64::MAX)
}

/// The length of "first-last" or "-length" (RFC 9110 section 14.1.2).
fn bytes_in_range(range: &str) -> Option<u64> {
    let (first, last) = range.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    if first.is_empty() {
        return Some(last);
    }
    last.checked_sub(first.parse().ok()?)?.checked_add(1)
}

fn to_reqwest(
    request: HttpRequest,
    operation: &Arc<Operation>,
) -> Result<reqwest::Request, HttpError> {
    let (parts, body) = request.into_parts();
    let url = reqwest::Url::parse(&parts.uri.to_string())
        .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
    let mut request = reqwest::Request::new(parts.method, url);
    *request.headers_mut() = parts.headers;
    let length_bytes = body.content_length();
    *request.body_mut() = Some(if length_bytes == 0 {
        reqwest::Body::from(Bytes::new())
    } else {
        reqwest::Body::wrap(SentBody {
            body,
            slice: Bytes::new(),
            left_bytes: length_bytes as u64,
            operation: Arc::clone(operation),
        })
    });
    Ok(request)
}

/// The seconds of a `Retry-After`; its other form, a date, is left to our own waits.
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// What is worth knowing of the head of a refusal.
fn head_of(headers: &http::HeaderMap) -> AnswerHead {
    /// How the providers call the number that their support asks for.
    const REQUEST_IDS: [&str; 7] = [
        "x-amz-request-id",
        "x-oss-request-id",
        "x-cos-request-id",
        "x-tos-request-id",
        "x-obs-request-id",
        "x-reqid",
        "cf-ray",
    ];
    let text = |name: &str| headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
    AnswerHead {
        request_id: REQUEST_IDS.into_iter().find_map(text),
        region: text("x-amz-bucket-region"),
        skew: text("date").and_then(|date| skew_of(&date)),
    }
}

/// This computer's time less that of an answer (RFC 9110 section 5.6.7).
pub(super) fn skew_of(date: &str) -> Option<SignedDuration> {
    let server = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(Timestamp::now().duration_since(server))
}

/// A body on its way out, told of as the connection takes it.
struct SentBody {
    body: HttpRequestBody,
    /// What is left of the piece last taken from the body.
    slice: Bytes,
    left_bytes: u64,
    operation: Arc<Operation>,
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        while self.slice.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.slice = frame.into_data().unwrap_or_default(),
                other => return Poll::Ready(other),
            }
        }
        let taken_bytes = self.slice.len().min(SLICE_BYTES);
        let taken = self.slice.split_to(taken_bytes);
        self.left_bytes = self.left_bytes.saturating_sub(taken_bytes as u64);
        self.operation.moved(Way::Sent, taken_bytes as u64);
        if self.left_bytes == 0 {
            self.operation.all_taken();
        }
        Poll::Ready(Some(Ok(Frame::data(taken))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

/// A body on its way in, told of as it comes; it fails when it goes silent.
struct ReceivedBody {
    body: reqwest::Body,
    way: Way,
    operation: Arc<Operation>,
    /// What may still come.
    left_bytes: u64,
    silence: Pin<Box<dyn Future<Output = Duration> + Send + Sync>>,
}

impl ReceivedBody {
    fn new(body: reqwest::Body, way: Way, operation: Arc<Operation>, most_bytes: u64) -> Self {
        let watched = Arc::clone(&operation);
        Self {
            body,
            way,
            operation,
            left_bytes: most_bytes,
            silence: Box::pin(async move { watched.gone_silent().await }),
        }
    }
}

impl Body for ReceivedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                let Some(left_bytes) = self.left_bytes.checked_sub(bytes) else {
                    let error = HttpError::new(HttpErrorKind::Decode, TooLong);
                    return Poll::Ready(Some(Err(error)));
                };
                self.left_bytes = left_bytes;
                self.operation.moved(self.way, bytes);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(failed(error, Part::Body)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let silence = ready!(self.silence.as_mut().poll(context));
                Poll::Ready(Some(Err(silent(silence))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        // Memory is made ready for what it says.
        if hint.lower() > self.left_bytes {
            SizeHint::default()
        } else {
            hint
        }
    }
}

fn silent(time: Duration) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, WentSilent(time))
}

/// Where an answer broke off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// Of a request to this address.
    Head(&'a http::Uri),
    Body,
}

fn failed(error: reqwest::Error, part: Part<'_>) -> HttpError {
    let kind = if error.is_timeout() || is_timed_out(&error) {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if part == Part::Body {
        // Nothing is packed, so there is nothing that could be decoded wrongly: it broke off.
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Request
    };
    // The client's own words name the address.
    let is_connect = error.is_connect();
    let error = error.without_url();
    match part {
        Part::Head(uri) if is_connect => match ProxyFailed::of(uri, error) {
            Ok(failed) => HttpError::new(kind, failed),
            Err(error) => HttpError::new(kind, error),
        },
        _ => HttpError::new(kind, error),
    }
}

/// Whether the system itself gave up waiting.
fn is_timed_out(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |cause| (*cause).source());
    causes.any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
    })
}
