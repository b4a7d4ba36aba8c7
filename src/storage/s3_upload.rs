//! Uploads in parts to a bucket: parts that are sent, and parts that the server copies by itself.

use super::answers::{self, PartsPage, UploadsPage};
use super::attempts::Attempts;
use super::deadline::Load;
use super::error::{Fault, StorageError};
use super::explain::{Asked, explain};
use super::no_overwrite::{Condition, NoOverwrite, Step};
use super::pages::all_pages;
use super::parts::{CopySource, PartPlace, StoredPart, UnfinishedUpload};
use super::signed::{Ask, Signed};
use bytes::Bytes;
use http::Method;
use object_store::aws::AmazonS3;
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// For taking back what an upload's lost beginning left.
const LONGEST_CLEANING: Duration = Duration::from_secs(10);

/// Whether the request for a copy names the bytes that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Named,
    /// They are all of the source: AWS copies a range only of objects above 5 MiB.
    Whole,
}

/// One bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) client: AmazonS3,
    pub(super) no_overwrite: NoOverwrite,
    pub(super) signed: Signed,
    /// Connects only for seconds: a wrong address must be told at once, also by a long job.
    pub(super) first_contact: Signed,
    /// As patient as the job.
    pub(super) job: Attempts,
    /// Never patient.
    pub(super) quick: Attempts,
}

/// One upload to a bucket.
#[derive(Debug, Clone)]
pub(super) struct S3Upload {
    bucket: Arc<Bucket>,
    path: Path,
    id: String,
}

impl S3Upload {
    pub(super) async fn begin(bucket: &Arc<Bucket>, path: Path) -> Result<Self, StorageError> {
        let asked = AtomicU32::new(0);
        let begin = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            bucket.begin_upload(&path).await
        };
        let id = bucket.job.run(Load::SMALL, begin).await;
        let was_lost = match &id {
            Ok(_) => asked.into_inner() > 1,
            Err(error) => matches!(
                error.fault(),
                Fault::Unreachable | Fault::Proxy | Fault::TimedOut | Fault::Stalled
            ),
        };
        if was_lost {
            let cleaning = Self::drop_unknown(bucket, &path, id.as_ref().ok());
            // A line that is dead by now must not hold anybody up: the next run finds them too.
            if tokio::time::timeout(LONGEST_CLEANING, cleaning)
                .await
                .is_err()
            {
                tracing::warn!("an upload that was begun unseen may be left");
            }
        }
        Ok(Self::take_up(bucket, path, id?))
    }

    /// An attempt whose answer was lost has begun an upload that nobody knows of: it would be paid
    /// for until the next run finds it. The key is ours alone, so all of it but `kept` go.
    async fn drop_unknown(bucket: &Arc<Bucket>, path: &Path, kept: Option<&String>) {
        let found = match bucket.unfinished_uploads(path.as_ref()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "unfinished uploads cannot be listed");
                return;
            }
        };
        let is_unknown =
            |upload: &UnfinishedUpload| upload.key == path.as_ref() && Some(&upload.id) != kept;
        for upload in found.into_iter().filter(is_unknown) {
            let upload = Self::take_up(bucket, path.clone(), upload.id);
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "an upload that was begun unseen could not be taken back");
            }
        }
    }

    pub(super) fn take_up(bucket: &Arc<Bucket>, path: Path, id: String) -> Self {
        Self {
            bucket: Arc::clone(bucket),
            path,
            id,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) async fn send(
        &self,
        place: PartPlace,
        bytes: Bytes,
    ) -> Result<StoredPart, StorageError> {
        let size = bytes.len() as u64;
        let index = (place.number as usize).saturating_sub(1);
        let put = || async {
            let payload = PutPayload::from_bytes(bytes.clone());
            let client = &self.bucket.client;
            let put = client.put_part(&self.path, &self.id, index, payload).await;
            put.map_err(|error| explain(error, Asked::Upload))
        };
        let sent = self.bucket.job.run(Load::sends(size), put).await;
        let part = sent.map_err(|error| error.of_part(place.number))?;
        Ok(StoredPart {
            number: place.number,
            bytes: size,
            etag: answers::tag(&part.content_id).unwrap_or_default(),
        })
    }

    /// `UploadPartCopy`. Anything that means "cannot" is [`Fault::Unsupported`].
    pub(super) async fn copy(
        &self,
        place: PartPlace,
        source: &CopySource,
        extent: Extent,
    ) -> Result<StoredPart, StorageError> {
        let size = source.range.end.saturating_sub(source.range.start);
        if size == 0 {
            let nothing = StorageError::new(Fault::Unsupported);
            return Err(nothing.about("there is nothing to copy"));
        }
        let copied = self
            .copy_if(source.etag.as_ref(), place, source, extent)
            .await;
        let Err(error) = copied else {
            return copied;
        };
        // `OpenStack` Swift compares with a tag that it tells nobody, if the source was made of parts.
        if error.fault() != Fault::Changed || !self.bucket.is_unchanged(source).await? {
            return Err(error);
        }
        let part = self.copy_if(None, place, source, extent).await?;
        if self.bucket.is_unchanged(source).await? {
            Ok(part)
        } else {
            Err(error)
        }
    }

    /// A copy on condition that the source has this tag.
    async fn copy_if(
        &self,
        etag: Option<&String>,
        place: PartPlace,
        source: &CopySource,
        extent: Extent,
    ) -> Result<StoredPart, StorageError> {
        let size = source.range.end - source.range.start;
        let signed = &self.bucket.signed;
        let (first, last) = (source.range.start, source.range.end - 1);
        let mut headers = vec![("x-amz-copy-source", signed.copy_source(&source.key))];
        if extent == Extent::Named {
            headers.push(("x-amz-copy-source-range", format!("bytes={first}-{last}")));
        }
        if let Some(etag) = etag {
            headers.push(("x-amz-copy-source-if-match", etag.clone()));
        }
        let number = place.number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", &self.id)];
        let copy = || self.ask(Method::PUT, &query, &headers, Bytes::new(), Asked::Copy);
        let copied = self.bucket.job.run_copy(Load::works(size), copy).await;
        let answer = copied.map_err(|error| error.of_part(place.number))?;
        // `rclone serve s3` answers without one, and stores an empty part.
        let etag = answers::tag_in(&answer).ok_or_else(|| {
            StorageError::new(Fault::Unsupported).about("it answers to a copy, but does not copy")
        })?;
        Ok(StoredPart {
            number: place.number,
            bytes: size,
            etag,
        })
    }

    pub(super) async fn stored_parts(&self) -> Result<Vec<StoredPart>, StorageError> {
        let pages = all_pages("parts", |marker: Option<String>| async move {
            let mut query = vec![("uploadId", self.id.as_str())];
            if let Some(marker) = &marker {
                query.push(("part-number-marker", marker));
            }
            let list = || self.ask(Method::GET, &query, &[], Bytes::new(), Asked::Upload);
            let page = PartsPage::read(&self.bucket.job.run(Load::SMALL, list).await?)?;
            let next = page.next();
            Ok((page.parts(), next))
        });
        Ok(pages.await?.into_iter().flatten().collect())
    }

    /// Makes the object, unless there is one of this key, where the server can tell.
    pub(super) async fn complete(
        &self,
        parts: &[StoredPart],
    ) -> Result<Option<String>, StorageError> {
        let body = Bytes::from(answers::completion(parts));
        let size = parts.iter().map(|part| part.bytes).sum();
        let query = [("uploadId", self.id.as_str())];
        let mut condition = self.bucket.no_overwrite.header(Step::Make);
        let answer = loop {
            let xml = ("content-type", "application/xml".to_owned());
            let headers: Vec<_> = std::iter::once(xml).chain(condition.clone()).collect();
            let complete = || {
                let body = body.clone();
                self.ask(Method::POST, &query, &headers, body, Asked::Completion)
            };
            let made = self.bucket.job.run(Load::works(size), complete).await;
            if !self.bucket.no_overwrite.was_refused(&made, &mut condition) {
                break made?;
            }
        };
        Ok(answers::tag_in(&answer))
    }

    pub(super) async fn abort(&self) -> Result<(), StorageError> {
        let abort = || async {
            let aborted = self
                .bucket
                .client
                .abort_multipart(&self.path, &self.id)
                .await;
            aborted.map_err(|error| explain(error, Asked::Upload))
        };
        match self.bucket.quick.run(Load::SMALL, abort).await {
            Err(error) if matches!(error.fault(), Fault::NoUpload | Fault::NoObject) => Ok(()),
            result => result,
        }
    }

    async fn ask(
        &self,
        method: Method,
        query: &[(&str, &str)],
        headers: &[(&'static str, String)],
        body: Bytes,
        asked: Asked,
    ) -> Result<String, StorageError> {
        let ask = Ask {
            method,
            key: Some(self.path.as_ref()),
            query,
            headers,
            body,
            asked,
        };
        self.bucket.signed.send(ask).await
    }
}

impl Bucket {
    /// Whether the source of a copy is still the version that is meant, by its own word.
    async fn is_unchanged(&self, source: &CopySource) -> Result<bool, StorageError> {
        let path = Path::parse(&source.key)
            .map_err(|error| StorageError::new(Fault::NoObject).caused_by(error))?;
        let head = || async {
            let head = self.client.head(&path).await;
            head.map_err(|error| explain(error, Asked::Object))
        };
        let found = self.job.run(Load::SMALL, head).await?.e_tag;
        let [found, meant] = [found, source.etag.clone()].map(|tag| answers::tag(&tag?));
        Ok(found.is_some() && found == meant)
    }

    /// Begins an upload in parts and gives its id.
    async fn begin_upload(&self, path: &Path) -> Result<String, StorageError> {
        let mut condition = self.no_overwrite.header(Step::Begin);
        loop {
            let begun = self.ask_for_upload(path, condition.clone()).await;
            if !self.no_overwrite.was_refused(&begun, &mut condition) {
                return begun;
            }
        }
    }

    async fn ask_for_upload(
        &self,
        path: &Path,
        condition: Option<Condition>,
    ) -> Result<String, StorageError> {
        let Some(condition) = condition else {
            let begun = self.client.create_multipart(path).await;
            return begun.map_err(|error| explain(error, Asked::Bucket));
        };
        let ask = Ask {
            method: Method::POST,
            key: Some(path.as_ref()),
            query: &[("uploads", "")],
            headers: &[condition],
            body: Bytes::new(),
            asked: Asked::Bucket,
        };
        answers::upload_id(&self.signed.send(ask).await?)
    }

    /// Writes a small object, unless there is one of this key; gives its version tag.
    pub(super) async fn put_new(
        &self,
        path: &Path,
        bytes: Bytes,
    ) -> Result<Option<String>, StorageError> {
        let mut condition = self.no_overwrite.header(Step::Make);
        loop {
            let headers: Vec<_> = condition.clone().into_iter().collect();
            let put = || async {
                let ask = Ask {
                    method: Method::PUT,
                    key: Some(path.as_ref()),
                    query: &[],
                    headers: &headers,
                    body: bytes.clone(),
                    asked: Asked::NewObject,
                };
                self.signed.send_for_tag(ask).await
            };
            let made = self.job.run(Load::sends(bytes.len() as u64), put).await;
            if !self.no_overwrite.was_refused(&made, &mut condition) {
                return made;
            }
        }
    }

    /// Uploads of all keys that begin with `prefix`.
    pub(super) async fn unfinished_uploads(
        &self,
        prefix: &str,
    ) -> Result<Vec<UnfinishedUpload>, StorageError> {
        let pages = all_pages(
            "unfinished uploads",
            |marker: Option<(String, String)>| async move {
                let mut query = vec![("uploads", "")];
                if !prefix.is_empty() {
                    query.push(("prefix", prefix));
                }
                if let Some((key, id)) = &marker {
                    query.extend([("key-marker", key.as_str()), ("upload-id-marker", id)]);
                }
                let list = || async {
                    let ask = Ask {
                        method: Method::GET,
                        key: None,
                        query: &query,
                        headers: &[],
                        body: Bytes::new(),
                        asked: Asked::Bucket,
                    };
                    self.signed.send(ask).await
                };
                let page = UploadsPage::read(&self.job.run(Load::SMALL, list).await?)?;
                let next = page.next();
                Ok((page.uploads, next))
            },
        );
        let uploads = pages.await?.into_iter().flatten();
        let found = uploads.map(|upload| UnfinishedUpload {
            begun: upload.begun(),
            key: upload.key,
            id: upload.upload_id,
        });
        Ok(found.collect())
    }
}
