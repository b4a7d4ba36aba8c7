//! A direct look at a bucket, with a small client of its own (`python/s3.py`).

use super::servers::Server;
use super::tools;
use serde_json::Value;
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// The server said no, or nothing; the text begins with the HTTP status where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Keys of all objects in the bucket, sorted as the server sorts them.
pub(crate) fn object_keys(server: &Server) -> Vec<String> {
    must(try_object_keys(server))
}

/// Like [`object_keys`], for tests of refusals.
pub(crate) fn try_object_keys(server: &Server) -> Result<Vec<String>, Refused> {
    Ok(texts(&ask(server, &["keys"], b"")?, None))
}

/// Keys of all multipart uploads that were begun and neither completed nor aborted, sorted.
pub(crate) fn unfinished_uploads(server: &Server) -> Vec<String> {
    let mut keys = texts(&must(ask(server, &["uploads"], b"")), Some("key"));
    keys.sort();
    keys
}

/// Begins a multipart upload and gives its id.
pub(crate) fn begin_upload(server: &Server, key: &str) -> String {
    let answer = must(ask(server, &["begin-upload", key], b""));
    answer.as_str().expect("an upload has an id").to_owned()
}

/// Sends one part, counted from 1.
pub(crate) fn put_part(server: &Server, key: &str, upload_id: &str, number: u32, bytes: &[u8]) {
    let number = number.to_string();
    must(ask(server, &["put-part", key, upload_id, &number], bytes));
}

/// Aborts a multipart upload.
pub(crate) fn abort_upload(server: &Server, key: &str, upload_id: &str) {
    must(ask(server, &["abort-upload", key, upload_id], b""));
}

/// Stores an object.
pub(crate) fn put_object(server: &Server, key: &str, bytes: &[u8]) {
    must(try_put_object(server, key, bytes));
}

/// Stores an object under each of these keys, all of the same bytes.
pub(crate) fn put_objects(server: &Server, keys: &[String], bytes: &[u8]) {
    let keys = serde_json::to_string(keys).expect("keys are text");
    must(ask(server, &["put-all", &keys], bytes));
}

/// Like [`put_object`], for tests of refusals.
pub(crate) fn try_put_object(server: &Server, key: &str, bytes: &[u8]) -> Result<(), Refused> {
    ask(server, &["put", key], bytes).map(|_| ())
}

/// Saves an object as `file`, so that other programs can open it.
pub(crate) fn get_object(server: &Server, key: &str, file: &Path) {
    let file = file.to_str().expect("a test's own file has a UTF-8 path");
    must(ask(server, &["get", key, file], b""));
}

/// Deletes an object.
pub(crate) fn delete_object(server: &Server, key: &str) {
    must(ask(server, &["delete", key], b""));
}

/// Makes the server's bucket, waiting for the server to come up.
pub(super) fn make_bucket(server: &Server, patience: Duration) -> Result<(), Refused> {
    let patience_secs = patience.as_secs().to_string();
    ask(server, &["make-bucket", &patience_secs], b"").map(|_| ())
}

fn ask(server: &Server, arguments: &[&str], input: &[u8]) -> Result<Value, Refused> {
    let mut client = tools::command(&server.python)
        .arg(tools::script("s3.py"))
        .args(arguments)
        .env("S3_ENDPOINT", &server.endpoint_url)
        .env("S3_REGION", &server.region)
        .env("S3_KEY_ID", &server.access_key_id)
        .env("S3_SECRET", &server.secret_access_key)
        .env("S3_BUCKET", &server.bucket)
        .env("S3_PAGE", server.keys_per_page.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the Python of the test servers starts");
    if let Some(mut pipe) = client.stdin.take() {
        // A client that gives up early says why itself, below.
        pipe.write_all(input).ok();
    }
    let output = client
        .wait_with_output()
        .expect("the client's output can be read");
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).expect("the client answers in JSON")),
        Some(3 | 4) => Err(Refused(tools::printed(&output).trim().to_owned())),
        _ => panic!("{arguments:?} failed: {}", tools::printed(&output)),
    }
}

fn must<T>(answer: Result<T, Refused>) -> T {
    answer.unwrap_or_else(|refused| panic!("the test server refused: {refused}"))
}

fn texts(list: &Value, field: Option<&str>) -> Vec<String> {
    let items = list.as_array().expect("the client answers with a list");
    items
        .iter()
        .filter_map(|item| field.map_or(item, |field| &item[field]).as_str())
        .map(str::to_owned)
        .collect()
}
