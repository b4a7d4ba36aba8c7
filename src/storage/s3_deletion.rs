//! Deleting many objects of a bucket in one request (`DeleteObjects`).
//!
//! Providers differ in what they want with it: most the body's MD5 (AWS takes a checksum instead, OSS, COS
//! and older `MinIO` do not), and some do not have it at all. The MD5 is sent to all of them, and whatever is
//! not confirmed is for the caller to delete by itself.

use super::answers::{self, DeletedPage};
use super::deadline::Load;
use super::error::StorageError;
use super::explain::Asked;
use super::s3_upload::Bucket;
use super::signed::Ask;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Method;
use md5::{Digest as _, Md5};
use std::collections::HashSet;

/// One request may name so many (AWS).
pub(super) const MOST_KEYS: usize = 1_000;

impl Bucket {
    /// Deletes objects, at most [`MOST_KEYS`], and gives the keys that are gone by the server's own word.
    pub(super) async fn delete_at_once(
        &self,
        keys: &[&str],
    ) -> Result<HashSet<String>, StorageError> {
        let body = Bytes::from(answers::deletion(keys));
        let headers = [
            ("content-md5", BASE64_STANDARD.encode(Md5::digest(&body))),
            ("content-type", "application/xml".to_owned()),
        ];
        let delete = || async {
            let ask = Ask {
                method: Method::POST,
                key: None,
                query: &[("delete", "")],
                headers: &headers,
                body: body.clone(),
                asked: Asked::Bucket,
            };
            self.signed.send(ask).await
        };
        let load = Load::sends(body.len() as u64);
        let answer = self.job.run(load, delete).await?;
        Ok(DeletedPage::read(&answer)?.keys().collect())
    }
}
