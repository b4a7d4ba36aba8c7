//! A server in this process that answers what a test tells it to, or nothing at all.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use zipkeep::model::{Destination, Provider, S3Destination, Secret};
use zipkeep::storage::{self, Patience, Store};

/// What a request gets.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status line's rest, further header lines, and a body.
    Answer(&'static str, String, String),
    /// An answer whose body breaks off in the middle.
    BreaksOff,
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    pub(crate) fn answer(status: &'static str, body: impl Into<String>) -> Self {
        Self::Answer(status, String::new(), body.into())
    }

    pub(crate) fn error(status: &'static str, code: &str) -> Self {
        Self::answer(status, format!("<Error><Code>{code}</Code></Error>"))
    }
}

/// A running server; it ends with the test's runtime.
#[derive(Debug)]
pub(crate) struct Pretender {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pretender {
    /// Answers the n-th request (from 0, by its first line and headers) with what `reply` says.
    pub(crate) async fn start(
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, reply) = (Arc::clone(&asked), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                tokio::spawn(async move { serve(stream, &seen, reply.as_ref()).await });
            }
        });
        Self { port, asked }
    }

    /// The requests so far: first line and headers.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panicked in it").clone()
    }

    pub(crate) fn open(&self, patience: Patience) -> Store {
        let destination = Destination::S3(S3Destination {
            provider: Provider::MINIO,
            endpoint: format!("http://127.0.0.1:{}", self.port),
            region: "us-east-1".to_owned(),
            bucket: "bucket".to_owned(),
            root_path: String::new(),
            access_key_id: "KEY".to_owned(),
            ..S3Destination::default()
        });
        storage::open(&destination, Some(&Secret::new("secret")), patience).expect("opened")
    }
}

/// One request a connection: the answer says so.
async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    reply: &(dyn Fn(usize, &str) -> Reply + Send + Sync),
) {
    let Some(head) = read_request(&mut stream).await else {
        return;
    };
    let index = {
        let mut seen = seen.lock().expect("no test panicked in it");
        seen.push(head.clone());
        seen.len() - 1
    };
    let text = match reply(index, &head) {
        Reply::Answer(status, headers, body) => format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
        Reply::BreaksOff => {
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n<Li".to_owned()
        }
        Reply::Silence => {
            std::future::pending::<()>().await;
            return;
        }
    };
    // The client may have gone; the test sees that by itself.
    stream.write_all(text.as_bytes()).await.ok();
    stream.shutdown().await.ok();
}

/// Reads a request with its body, and gives its head.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}
