//! Requests signed by hand and sent as bytes, so that emulators are not judged by the code they share.

use crate::emulator::{Emulator, Key, base64, hex, hmac_sha256, md5, sha256};
use jiff::{SignedDuration, Timestamp};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// One request. What is not set is right.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    /// Path and query, encoded, the query's pairs in order.
    target: String,
    host: String,
    headers: Vec<(String, String)>,
    /// Sent, but not signed.
    unsigned_headers: Vec<(String, String)>,
    body: Vec<u8>,
    key: Option<Key>,
    region: String,
    /// What the client's clock is ahead of the true one.
    clock_secs: i64,
    /// Instead of the body's own.
    body_hash: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

/// The signature of a request, and what chunks go on from.
pub(crate) struct Sealed {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) signing_key: Vec<u8>,
    pub(crate) scope: String,
    pub(crate) stamp: String,
    pub(crate) signature: String,
}

/// A request of an object, or with an empty key of the bucket, in the style that the provider takes.
/// `query` is encoded and in order.
pub(crate) fn ask(emulator: &Emulator, method: &'static str, key: &str, query: &str) -> Ask {
    let rules = emulator.rules();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    let (host, target) = match rules.service_host {
        "" => (
            emulator.address().to_string(),
            format!("/{}/{key}{query}", rules.bucket),
        ),
        host => (format!("{}.{host}", rules.bucket), format!("/{key}{query}")),
    };
    Ask {
        method,
        target,
        host,
        headers: Vec::new(),
        unsigned_headers: Vec::new(),
        body: Vec::new(),
        key: Some(emulator.key()),
        region: rules.home_region.to_owned(),
        clock_secs: 0,
        body_hash: None,
    }
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn unsigned_header(mut self, name: &str, value: &str) -> Self {
        let header = (name.to_owned(), value.to_owned());
        self.unsigned_headers.push(header);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn key(mut self, key: &Key) -> Self {
        self.key = Some(key.clone());
        self
    }

    pub(crate) fn unsigned(mut self) -> Self {
        self.key = None;
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    pub(crate) fn clock(mut self, secs: i64) -> Self {
        self.clock_secs = secs;
        self
    }

    pub(crate) fn body_hash(mut self, hash: &str) -> Self {
        self.body_hash = Some(hash.to_owned());
        self
    }

    /// At another address: `host`, and the path with its query.
    pub(crate) fn at(mut self, host: &str, target: &str) -> Self {
        host.clone_into(&mut self.host);
        target.clone_into(&mut self.target);
        self
    }

    /// In path style at the provider's own host.
    pub(crate) fn path_style(self, emulator: &Emulator) -> Self {
        let rules = emulator.rules();
        let target = format!("/{}{}", rules.bucket, self.target);
        self.at(rules.service_host, &target)
    }

    pub(crate) fn md5(self) -> Self {
        let md5 = base64(&md5(&self.body));
        self.header("content-md5", md5)
    }

    /// Signs it as AWS's "Create a signed request" says.
    pub(crate) fn sign(&self, key: &Key) -> Sealed {
        let moment = Timestamp::now() + SignedDuration::from_secs(self.clock_secs);
        let stamp = moment.strftime("%Y%m%dT%H%M%SZ").to_string();
        let own_hash = || hex(&sha256(&self.body));
        let hash = self.body_hash.clone().unwrap_or_else(own_hash);
        let mut headers = self.headers.clone();
        headers.push(("host".to_owned(), self.host.clone()));
        headers.push(("x-amz-content-sha256".to_owned(), hash.clone()));
        headers.push(("x-amz-date".to_owned(), stamp.clone()));
        if let Some(token) = &key.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        headers.sort();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs: Vec<_> = pairs
            .map(|pair| {
                let is_whole = pair.contains('=');
                format!("{pair}{}", if is_whole { "" } else { "=" })
            })
            .collect();
        let query = pairs.join("&");
        let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{hash}", self.method);
        let day = &stamp[..8];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let digest = hex(&sha256(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}");
        let mut signing_key = hmac_sha256(format!("AWS4{}", key.secret).as_bytes(), day.as_bytes());
        for part in [self.region.as_str(), "s3", "aws4_request"] {
            signing_key = hmac_sha256(&signing_key, part.as_bytes());
        }
        let signature = hex(&hmac_sha256(&signing_key, to_sign.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            key.id
        );
        headers.push(("authorization".to_owned(), authorization));
        Sealed {
            headers,
            signing_key,
            scope,
            stamp,
            signature,
        }
    }

    pub(crate) fn send(&self, emulator: &Emulator) -> Reply {
        let host = ("host".to_owned(), self.host.clone());
        let bare = || self.headers.iter().cloned().chain([host]).collect();
        let headers = self
            .key
            .as_ref()
            .map_or_else(bare, |key| self.sign(key).headers);
        self.send_with(emulator, &headers)
    }

    /// Sends it with these headers, whatever its own signature would be.
    pub(crate) fn send_with(&self, emulator: &Emulator, headers: &[(String, String)]) -> Reply {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in headers.iter().chain(&self.unsigned_headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut stream = TcpStream::connect(emulator.address()).expect("it listens");
        stream.write_all(head.as_bytes()).expect("written");
        stream.write_all(&self.body).expect("written");
        stream.shutdown(std::net::Shutdown::Write).expect("closed");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("answered");
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.expect("an answer");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        Reply {
            status: head[9..12].parse().expect("a status"),
            head,
            body: bytes[end + 4..].to_vec(),
        }
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The content of the first element of this name, as it stands.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    }

    #[track_caller]
    pub(crate) fn is_done(&self) -> &Self {
        assert!((200..300).contains(&self.status), "{self}");
        self
    }

    /// That it is this very refusal.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str, message: &str) -> &Self {
        let own = (self.status, self.field("Code"), self.field("Message"));
        let expected = (status, Some(code.to_owned()), Some(message.to_owned()));
        assert_eq!(own, expected, "{self}");
        self
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}\n\n{}", self.head, self.text())
    }
}
