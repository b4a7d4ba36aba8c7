//! The steps of S3, told from a request's head alone.

use super::head::RequestHead;
use std::fmt;

/// What a request asks of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Objects of a bucket, either version of the listing.
    List,
    /// Size and `ETag` of an object.
    Head,
    /// An object or a range of it.
    Get,
    /// A whole object in one request; `CopyObject` counts too.
    Put,
    /// Begins a multipart upload.
    CreateUpload,
    /// One part, sent.
    UploadPart,
    /// One part, copied from an object in the store.
    CopyPart,
    /// The parts of one upload.
    ListParts,
    /// The unfinished uploads of a bucket.
    ListUploads,
    /// Makes the object of the parts.
    Complete,
    /// Drops an upload.
    Abort,
    /// Deletes an object, or many by `POST ?delete`.
    Delete,
    /// Anything else, such as making a bucket.
    Other,
}

impl Step {
    /// Every step of a backup program; not [`Step::Other`].
    pub(crate) const ALL: [Self; 12] = [
        Self::List,
        Self::Head,
        Self::Get,
        Self::Put,
        Self::CreateUpload,
        Self::UploadPart,
        Self::CopyPart,
        Self::ListParts,
        Self::ListUploads,
        Self::Complete,
        Self::Abort,
        Self::Delete,
    ];

    /// The step of a request in path style.
    pub(super) fn of(head: &RequestHead) -> Self {
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        let asks = |name: &str| {
            query
                .split('&')
                .any(|pair| pair.split('=').next() == Some(name))
        };
        let is_object = path
            .trim_start_matches('/')
            .split_once('/')
            .is_some_and(|(_, key)| !key.is_empty());
        match (head.method.as_str(), is_object) {
            ("GET", false) if asks("uploads") => Self::ListUploads,
            ("GET", false) if query.is_empty() || is_listing(query) => Self::List,
            ("GET", true) if asks("uploadId") => Self::ListParts,
            ("GET", true) => Self::Get,
            ("HEAD", true) => Self::Head,
            ("PUT", true) if asks("partNumber") => {
                if head.header("x-amz-copy-source").is_some() {
                    Self::CopyPart
                } else {
                    Self::UploadPart
                }
            }
            ("PUT", true) => Self::Put,
            ("POST", true) if asks("uploads") => Self::CreateUpload,
            ("POST", true) if asks("uploadId") => Self::Complete,
            ("POST", false) if asks("delete") => Self::Delete,
            ("DELETE", true) if asks("uploadId") => Self::Abort,
            ("DELETE", true) => Self::Delete,
            _ => Self::Other,
        }
    }

    /// Whether requests of this step carry a body worth breaking.
    pub(crate) fn sends_a_body(self) -> bool {
        matches!(self, Self::Put | Self::UploadPart | Self::Complete)
    }

    /// Whether answers of this step carry a body where they succeed.
    pub(crate) fn answers_with_a_body(self) -> bool {
        !matches!(
            self,
            Self::Head | Self::Put | Self::UploadPart | Self::Abort | Self::Delete | Self::Other
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

/// Sub-resources such as `?location` are no listings.
fn is_listing(query: &str) -> bool {
    query.split('&').all(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name.starts_with("list-type")
            || name.starts_with("x-id")
            || matches!(
                name,
                "prefix"
                    | "delimiter"
                    | "marker"
                    | "max-keys"
                    | "encoding-type"
                    | "start-after"
                    | "continuation-token"
                    | "fetch-owner"
            )
    })
}
