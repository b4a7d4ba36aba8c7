//! Asks a server single signed requests and tells all about the answers, broken ones too
//! (`python/ask.py`).

use super::servers::Server;
use super::tools;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

const TIMEOUT_SECS: f64 = 20.0;

/// A client that is ready to ask.
#[derive(Debug)]
pub(crate) struct Asker {
    child: Child,
    /// Closing it ends the client.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A request to the server's bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    /// Empty for the bucket itself.
    pub(crate) key: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Sent as body where it is not empty; otherwise `body_bytes` times the letter x.
    pub(crate) body: &'a str,
    pub(crate) body_bytes: usize,
    /// Uses one connection for all such requests.
    pub(crate) keeps_connection: bool,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// 0 where no answer came.
    pub(crate) status: u64,
    /// The header.
    pub(crate) etag: Option<String>,
    /// Beginning of the body.
    pub(crate) text: String,
    pub(crate) body_bytes: u64,
    /// How it broke: `reset`, `closed` without an answer, `cut` within it, `timeout`; else empty.
    pub(crate) problem: String,
    /// From before the connection is made to the last byte.
    pub(crate) secs: f64,
}

impl Asker {
    /// A client with the keys of this server.
    pub(crate) fn new(server: &Server) -> Self {
        let mut child = tools::command(&server.python)
            .arg(tools::script("ask.py"))
            .env("S3_REGION", &server.region)
            .env("S3_KEY_ID", &server.access_key_id)
            .env("S3_SECRET", &server.secret_access_key)
            .env("S3_BUCKET", &server.bucket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        Self {
            questions: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    /// Asks at this server's address, which may be a proxy's.
    pub(crate) fn ask(&mut self, server: &Server, ask: &Ask<'_>) -> Answer {
        let map = |pairs: &[(&str, &str)]| -> Value {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
            Value::Object(pairs.collect())
        };
        let question = json!({
            "endpoint": server.endpoint_url,
            "method": ask.method,
            "key": ask.key,
            "query": map(ask.query),
            "headers": map(ask.headers),
            "body": ask.body,
            "body_bytes": ask.body_bytes,
            "keeps_connection": ask.keeps_connection,
            "timeout_secs": TIMEOUT_SECS,
        });
        let questions = self.questions.as_mut().expect("the client is open");
        writeln!(questions, "{question}").expect("the client listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the client tells");
        let told: Value = serde_json::from_str(&line).expect("the client speaks JSON");
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Answer {
            status: told["status"].as_u64().unwrap_or_default(),
            etag: told["etag"].as_str().map(ToOwned::to_owned),
            text: text("text"),
            body_bytes: told["body_bytes"].as_u64().unwrap_or_default(),
            problem: text("problem"),
            secs: told["secs"].as_f64().unwrap_or_default(),
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        drop(self.questions.take());
        self.child.wait().ok();
    }
}
