//! `Prober`: looks at a bucket step by step, from the address up: who answers at it, how, and what they say
//! to requests with and without a signature. For whoever explains why a destination does not work.

use super::answers::BucketsPage;
use super::attempts::Attempts;
use super::deadline::{Load, Patience, Times};
use super::error::{Fault, StorageError};
use super::explain::{Asked, asks_for_tls};
use super::line::Line;
use super::open::{access, scheme_of, signed};
use super::proxy::proxy_of;
use super::signed::{Ask, Signed};
use super::transport::http_client;
use super::trust::Trust;
use crate::model::{Addressing, Endpoint, S3Destination, Secret, resolve_endpoint};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// For one look at a name, a port or a first byte.
const LONGEST_LOOK: Duration = Duration::from_secs(8);

/// Looks at one bucket.
#[derive(Debug)]
pub struct Prober {
    endpoint: Endpoint,
    signed: Signed,
    attempts: Attempts,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The person, with a signature.
    Owner,
    /// Anybody: no signature.
    Stranger,
}

/// What a server says to somebody who only knocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// This computer's time less the server's, where it tells its own.
    pub skew: Option<SignedDuration>,
    /// The region that the bucket is in, where it tells that to anybody, as AWS does.
    pub region: Option<String>,
}

impl Prober {
    /// Makes no request yet.
    pub fn new(settings: &S3Destination, secret: Option<&Secret>) -> Result<Self, StorageError> {
        let endpoint = resolve_endpoint(settings)
            .map_err(|error| StorageError::new(Fault::Settings).about(error.to_string()))?;
        let trust = Trust::read(settings.ca_certificate.as_deref())?;
        let times = Times::from(Patience::Interactive);
        let http = http_client(times.connect, scheme_of(&endpoint), &trust)?;
        let client = access(settings, &endpoint, secret, http.clone())?;
        let times = Times {
            // Each step is told by itself, and the next one asks again anyway.
            attempts: Some(2),
            ..times
        };
        Ok(Self {
            signed: signed(&endpoint, &client, http),
            attempts: Attempts::new(times, Arc::<Line>::default()),
            endpoint,
        })
    }

    /// Where it looks.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The host that requests go to, with the bucket in front of it in virtual-hosted style, and its port.
    pub fn host_and_port(&self) -> (String, u16) {
        let (scheme, rest) = split_scheme(&self.endpoint.service_url);
        let default = if scheme == "http" { 80 } else { 443 };
        let (host, port) = split_port(rest, default);
        match self.endpoint.addressing {
            Addressing::Path => (host.to_owned(), port),
            Addressing::VirtualHosted => (format!("{}.{host}", self.endpoint.bucket), port),
        }
    }

    /// The proxy of the environment that requests go through, as host and port; its own name and port are
    /// looked up then, and not those of the destination.
    pub fn proxy(&self) -> Option<String> {
        let (scheme, _) = split_scheme(&self.endpoint.service_url);
        let (host, port) = self.host_and_port();
        proxy_of(&format!("{scheme}://{host}:{port}/").parse().ok()?)
    }

    /// The addresses of the host's name.
    pub async fn look_up(&self) -> Result<Vec<SocketAddr>, StorageError> {
        let (host, port) = self.host_and_port();
        let name = host.trim_matches(['[', ']']).to_owned();
        let unknown = |source: std::io::Error| {
            StorageError::new(Fault::Unreachable)
                .about(format!("the name “{host}” is not known"))
                .caused_by(source)
        };
        let looking = tokio::net::lookup_host((name, port));
        match tokio::time::timeout(LONGEST_LOOK, looking).await {
            Ok(Ok(found)) => {
                let found: Vec<SocketAddr> = found.collect();
                if found.is_empty() {
                    Err(unknown(std::io::ErrorKind::NotFound.into()))
                } else {
                    Ok(found)
                }
            }
            Ok(Err(error)) => Err(unknown(error)),
            Err(_) => Err(unknown(std::io::ErrorKind::TimedOut.into())),
        }
    }

    /// Whether anybody listens at one of the addresses.
    pub async fn connect(&self, addresses: &[SocketAddr]) -> Result<(), StorageError> {
        let connecting = TcpStream::connect(addresses);
        let failed = match tokio::time::timeout(LONGEST_LOOK, connecting).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => std::io::ErrorKind::TimedOut.into(),
        };
        let (host, port) = self.host_and_port();
        let what = match failed.kind() {
            std::io::ErrorKind::ConnectionRefused => "nothing listens at",
            _ => "no answer from",
        };
        Err(StorageError::new(Fault::Unreachable)
            .about(format!("{what} port {port} of “{host}”"))
            .caused_by(failed))
    }

    /// Whether what listens speaks HTTP without TLS: asked only where TLS failed.
    pub async fn speaks_plainly(&self, addresses: &[SocketAddr]) -> bool {
        /// The words that matter stand at the beginning.
        const MOST_READ_BYTES: u64 = 4096;
        const LONGEST_PAUSE: Duration = Duration::from_secs(2);
        let (host, _) = self.host_and_port();
        let asking = async {
            let mut stream = TcpStream::connect(addresses).await?;
            let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut stream = stream.take(MOST_READ_BYTES);
            let mut answer = Vec::new();
            // Not every server closes the line as it was asked to.
            while let Ok(Ok(1..)) =
                tokio::time::timeout(LONGEST_PAUSE, stream.read_buf(&mut answer)).await
            {
            }
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
        };
        match tokio::time::timeout(LONGEST_LOOK, asking).await {
            // A server with TLS that is spoken to without may say in plain HTTP that it means the opposite.
            Ok(Ok(answer)) => answer.starts_with("HTTP/") && !asks_for_tls(&answer),
            _ => false,
        }
    }

    /// Knocks: what comes back does not matter, only that something does, over TLS where the address says so.
    pub async fn greet(&self) -> Result<Greeting, StorageError> {
        let proxy = self.proxy();
        let greet = || async {
            let (status, headers) = self.signed.knock().await?;
            let is_of_proxy = matches!(
                status,
                StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
            );
            match &proxy {
                Some(proxy) if is_of_proxy => Err(StorageError::new(Fault::Unreachable)
                    .about(format!("the proxy {proxy} does not get through to it"))),
                _ => Ok(greeting(&headers)),
            }
        };
        self.attempts.run(Load::SMALL, greet).await
    }

    /// Asks for the first name directly under the root path, as itself or as a stranger: keys may be limited
    /// to what is there.
    pub async fn list(&self, asker: Asker) -> Result<(), StorageError> {
        let root = self.endpoint.root_path.trim_matches('/');
        let prefix = format!("{root}/");
        let mut query = vec![("list-type", "2"), ("max-keys", "1"), ("delimiter", "/")];
        if !root.is_empty() {
            query.push(("prefix", &prefix));
        }
        let list = || async {
            let ask = Ask {
                query: &query,
                ..ask(None, Asked::Bucket)
            };
            let answer = self.send(ask, asker).await.map_err(|error| {
                // An answer that cannot be read to its end, for example because it has none.
                let has_said_nothing = error.refusal().status.is_none();
                if error.fault() == Fault::Other && has_said_nothing {
                    StorageError::new(Fault::NotS3).caused_by(error)
                } else {
                    error
                }
            })?;
            if answer.contains("<ListBucketResult") {
                Ok(())
            } else {
                Err(StorageError::new(Fault::NotS3))
            }
        };
        self.attempts.run(Load::SMALL, list).await
    }

    /// Reads what an object begins with, as itself or as a stranger, for comparing the two: what is no text
    /// is changed in either.
    pub async fn read(
        &self,
        key: &str,
        most_bytes: u64,
        asker: Asker,
    ) -> Result<Bytes, StorageError> {
        let range = format!("bytes=0-{}", most_bytes.max(1) - 1);
        let headers = [("range", range)];
        let read = || async {
            let ask = Ask {
                headers: &headers,
                ..ask(Some(key), Asked::Object)
            };
            Ok(Bytes::from(self.send(ask, asker).await?))
        };
        self.attempts.run(Load::SMALL, read).await
    }

    /// The buckets that these keys can see, to find a misspelt one.
    pub async fn buckets(&self) -> Result<Vec<String>, StorageError> {
        let list = || async { BucketsPage::read(&self.signed.buckets().await?) };
        self.attempts.run(Load::SMALL, list).await
    }

    async fn send(&self, ask: Ask<'_>, who: Asker) -> Result<String, StorageError> {
        match who {
            Asker::Owner => self.signed.send(ask).await,
            Asker::Stranger => self.signed.send_unsigned(ask).await,
        }
    }
}

/// Reading the bucket or an object.
fn ask(key: Option<&str>, asked: Asked) -> Ask<'_> {
    Ask {
        method: Method::GET,
        key,
        query: &[],
        headers: &[],
        body: Bytes::new(),
        asked,
    }
}

fn greeting(headers: &HeaderMap) -> Greeting {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    Greeting {
        skew: text("date").and_then(super::transport::skew_of),
        region: text("x-amz-bucket-region").map(ToOwned::to_owned),
    }
}

fn split_scheme(url: &str) -> (&str, &str) {
    url.split_once("://").unwrap_or(("https", url))
}

/// A host, which may be an IPv6 address in brackets, and its port.
fn split_port(host: &str, default: u16) -> (&str, u16) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse().unwrap_or(default)),
        _ => (host, default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_ports() {
        for (host, expected) in [
            ("example.com", ("example.com", 443)),
            ("example.com:9000", ("example.com", 9000)),
            ("[::1]", ("[::1]", 443)),
            ("[::1]:9000", ("[::1]", 9000)),
        ] {
            assert_eq!(split_port(host, 443), expected);
        }
    }
}
