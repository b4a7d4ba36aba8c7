//! Requests that `object_store` does not offer, signed and sent by its own means.

use super::answers;
use super::error::StorageError;
use super::explain::{Asked, explain, explain_answer, explain_transport};
use super::foreign::explain_foreign;
use super::transport::{LONGEST_ANSWER_BYTES, TooLong};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::HttpError;
use object_store::client::{HttpClient, HttpErrorKind, HttpRequestBody, HttpResponse};
use std::fmt::Write as _;

/// What signs and sends for one bucket.
#[derive(Debug)]
pub(super) struct Signed {
    /// The service's URL, without a slash at the end.
    pub(super) service_url: String,
    /// The bucket's own URL, without a slash at the end.
    pub(super) bucket_url: String,
    pub(super) bucket: String,
    pub(super) region: String,
    pub(super) credentials: AwsCredentialProvider,
    pub(super) http: HttpClient,
}

/// One request.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// The object; `None` asks the bucket.
    pub(super) key: Option<&'a str>,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: Bytes,
    pub(super) asked: Asked,
}

impl Signed {
    /// Sends a request and gives the body of a success. A success that holds an error is a failure.
    pub(super) async fn send(&self, ask: Ask<'_>) -> Result<String, StorageError> {
        let asked = ask.asked;
        let signing = async { self.sign(self.request(ask)?).await };
        let request = signing.await.map_err(|error| explain(error, asked))?;
        self.execute(request, asked).await
    }

    /// Sends a request and gives the version tag in the head of a success.
    pub(super) async fn send_for_tag(&self, ask: Ask<'_>) -> Result<Option<String>, StorageError> {
        let asked = ask.asked;
        let signing = async { self.sign(self.request(ask)?).await };
        let request = signing.await.map_err(|error| explain(error, asked))?;
        let (headers, _) = self.execute_for_head(request, asked).await?;
        let tag = headers.get(header::ETAG);
        Ok(tag.and_then(|tag| tag.to_str().ok()).and_then(answers::tag))
    }

    /// The same as somebody who has no keys.
    pub(super) async fn send_unsigned(&self, ask: Ask<'_>) -> Result<String, StorageError> {
        let asked = ask.asked;
        let request = self.request(ask).map_err(|error| explain(error, asked))?;
        self.execute(request, asked).await
    }

    /// The list of all buckets that these keys may see.
    pub(super) async fn buckets(&self) -> Result<String, StorageError> {
        let asked = Asked::Bucket;
        let url = format!("{}/", self.service_url);
        let building = async {
            self.sign(build(Method::GET, url, HttpRequestBody::empty())?)
                .await
        };
        let request = building.await.map_err(|error| explain(error, asked))?;
        self.execute(request, asked).await
    }

    /// Asks without a signature for the bucket's head, and takes any answer.
    pub(super) async fn knock(&self) -> Result<(StatusCode, HeaderMap), StorageError> {
        let asked = Asked::Bucket;
        let url = self.bucket_url.clone();
        let request = build(Method::HEAD, url, HttpRequestBody::empty());
        let request = request.map_err(|error| explain(error, asked))?;
        let answer = self.http.execute(request).await;
        let answer = answer.map_err(|error| explain_transport(error, asked))?;
        Ok((answer.status(), answer.headers().clone()))
    }

    async fn execute(
        &self,
        request: Request<HttpRequestBody>,
        asked: Asked,
    ) -> Result<String, StorageError> {
        let (_, body) = Box::pin(self.execute_for_head(request, asked)).await?;
        Ok(body)
    }

    async fn execute_for_head(
        &self,
        request: Request<HttpRequestBody>,
        asked: Asked,
    ) -> Result<(HeaderMap, String), StorageError> {
        let url = request.uri().clone();
        let answer = self.http.execute(request).await;
        let answer = answer.map_err(|error| explain_transport(error, asked))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = body(answer).await;
        let body = body.map_err(|error| explain_transport(error, asked))?;
        if status.is_success() && !answers::is_error(&body) {
            return Ok((headers, body));
        }
        let foreign = match asked {
            Asked::Bucket => explain_foreign(&url, status, &headers, &body),
            _ => None,
        };
        Err(foreign.unwrap_or_else(|| explain_answer(status, &body, asked)))
    }

    /// What a copy names its source by.
    pub(super) fn copy_source(&self, key: &str) -> String {
        format!("{}/{}", self.bucket, encode(key, Slash::Kept))
    }

    fn request(&self, ask: Ask<'_>) -> object_store::Result<Request<HttpRequestBody>> {
        let mut url = self.bucket_url.clone();
        if let Some(key) = ask.key {
            url.push('/');
            url.push_str(&encode(key, Slash::Kept));
        }
        for (index, (name, value)) in ask.query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            let value = encode(value, Slash::Encoded);
            // Writing to a string cannot fail.
            write!(url, "{separator}{name}={value}").ok();
        }
        let mut headers = HeaderMap::new();
        for (name, value) in ask.headers {
            let value = HeaderValue::from_str(value).map_err(|error| failed(error.into()))?;
            headers.insert(*name, value);
        }
        // The client leaves out the length of an empty body, and some servers insist on it.
        headers.insert(header::CONTENT_LENGTH, ask.body.len().into());
        let mut request = build(ask.method, url, HttpRequestBody::from(ask.body))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn sign(
        &self,
        mut request: Request<HttpRequestBody>,
    ) -> object_store::Result<Request<HttpRequestBody>> {
        let credential = self.credentials.get_credential().await?;
        AwsAuthorizer::new(&credential, "s3", &self.region).try_authorize(&mut request, None)?;
        Ok(request)
    }
}

fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    let store = "S3";
    object_store::Error::Generic { store, source }
}

fn build(
    method: Method,
    url: String,
    body: HttpRequestBody,
) -> object_store::Result<Request<HttpRequestBody>> {
    let request = Request::builder().method(method).uri(url).body(body);
    request.map_err(|error| failed(error.into()))
}

async fn body(answer: HttpResponse) -> Result<String, HttpError> {
    let mut pieces = answer.into_body().bytes_stream();
    let mut body = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        if (body.len() + piece.len()) as u64 > LONGEST_ANSWER_BYTES {
            return Err(HttpError::new(HttpErrorKind::Decode, TooLong));
        }
        body.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// What becomes of the slashes between the segments of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slash {
    Kept,
    Encoded,
}

/// Percent-encodes all but what a signature leaves as it is (AWS "Create a signed request").
fn encode(text: &str, slash: Slash) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain || (byte == b'/' && slash == Slash::Kept) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    use object_store::StaticCredentialProvider;
    use object_store::aws::AwsCredential;
    use std::sync::Arc;

    async fn address(bucket_url: &str, key: Option<&str>) -> String {
        let credential = AwsCredential {
            key_id: "KEY".to_owned(),
            secret_key: "not to be seen".to_owned(),
            token: None,
        };
        let connect = std::time::Duration::from_secs(1);
        let signed = Signed {
            service_url: "https://host".to_owned(),
            bucket_url: bucket_url.to_owned(),
            bucket: "bucket".to_owned(),
            region: "auto".to_owned(),
            credentials: Arc::new(StaticCredentialProvider::new(credential)),
            http: crate::storage::transport::http_client(
                connect,
                crate::storage::transport::Scheme::HttpsOnly,
                &crate::storage::trust::Trust::default(),
            )
            .expect("a client"),
        };
        let ask = Ask {
            method: Method::GET,
            key,
            query: &[("uploads", ""), ("prefix", "a b/")],
            headers: &[],
            body: Bytes::new(),
            asked: Asked::Bucket,
        };
        let request = signed.request(ask).expect("built");
        let request = signed.sign(request).await.expect("signed");
        let authorization = &request.headers()[header::AUTHORIZATION];
        let authorization = authorization.to_str().expect("text");
        assert!(authorization.contains("Credential=KEY/") && authorization.contains("/auto/s3/"));
        assert!(!format!("{request:?}{signed:?}").contains("not to be seen"));
        request.uri().to_string()
    }

    #[tokio::test]
    async fn buckets_and_objects_are_addressed_in_both_styles() {
        assert_eq!(
            address("https://host:9000/bucket", None).await,
            "https://host:9000/bucket?uploads=&prefix=a%20b%2F"
        );
        assert_eq!(
            address("https://bucket.host", None).await,
            "https://bucket.host/?uploads=&prefix=a%20b%2F"
        );
        assert_eq!(
            address("https://bucket.host", Some("r/ä.zip")).await,
            "https://bucket.host/r/%C3%A4.zip?uploads=&prefix=a%20b%2F"
        );
    }

    #[test]
    fn all_but_the_unreserved_is_encoded() {
        assert_eq!(encode("a/b c+é~.zip", Slash::Kept), "a/b%20c%2B%C3%A9~.zip");
        assert_eq!(encode("a/b", Slash::Encoded), "a%2Fb");
    }
}
