//! `Rules`: everything in which providers differ, as data.

use super::answer::Refused;
use super::problem::{COMMON, Problem, Refusal, Words};

/// The rules of one provider. A test changes one by `Rules { most_parts: 1_000, ..AWS }`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// What `--provider` calls it.
    pub(crate) provider: &'static str,
    pub(crate) shape: ErrorShape,
    /// Hosts of the service; `{region}` is any label, and what stands before it all is the bucket.
    pub(crate) hosts: &'static [&'static str],
    /// One of the hosts, as the program is told it; empty where it is this computer.
    pub(crate) service_host: &'static str,
    /// The bucket that is there from the beginning.
    pub(crate) bucket: &'static str,
    /// The region that it is in.
    pub(crate) home_region: &'static str,
    pub(crate) path_style: PathStyle,
    pub(crate) regions: Regions,
    pub(crate) streamed: Streamed,
    pub(crate) checksum_headers: ChecksumHeaders,
    pub(crate) batch_delete: BatchDelete,
    /// Headers that stand for what it does not have.
    pub(crate) unknown_headers: &'static [&'static str],
    /// What becomes of `If-None-Match` and `If-Match` on writes.
    pub(crate) conditional: Conditional,
    /// The provider's own header against overwriting.
    pub(crate) forbid_overwrite: Option<&'static str>,
    pub(crate) part_sizes: PartSizes,
    /// Of every part but the last; looked at when the upload is completed.
    pub(crate) least_part_bytes: u64,
    pub(crate) most_parts: u32,
    /// Of one `PutObject` or `UploadPart`.
    pub(crate) most_put_bytes: u64,
    pub(crate) most_key_bytes: usize,
    /// Characters that no key begins with.
    pub(crate) no_key_begins_with: &'static [char],
    /// How reading `.apk` and `.ipa` at the provider's own hosts is refused.
    pub(crate) apps: Option<Refusal>,
    pub(crate) etags: Etags,
    /// What it says otherwise than AWS.
    pub(crate) own_words: &'static [Words],
}

/// Fields and headers of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    Aws,
    R2,
    Oss,
    Cos,
    Minio,
}

/// `https://host/bucket/key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathStyle {
    Allowed,
    Forbidden(Refusal),
}

/// The region in the scope of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Regions {
    /// Only that of the host, and the bucket's own; a host elsewhere redirects.
    Aws,
    /// Only the server's own.
    Minio,
    /// One of some names.
    OneOf(&'static [&'static str]),
    /// Any. Hosts of other regions do not know the bucket.
    Any,
}

/// How bodies in the coding `aws-chunked` are refused, by what `x-amz-content-sha256` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Streamed {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`
    pub(crate) signed: Option<Refusal>,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`
    pub(crate) signed_trailer: Option<Refusal>,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`
    pub(crate) unsigned_trailer: Option<Refusal>,
    /// Anything else, with `Content-Encoding: aws-chunked`.
    pub(crate) coding_alone: Option<Refusal>,
}

/// Headers `x-amz-checksum-*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChecksumHeaders {
    Verified,
    Ignored,
    /// As R2 did in January 2025.
    NotImplemented,
}

/// What `DeleteObjects` wants to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchDelete {
    Bare,
    Md5OrChecksum(Refusal),
    Md5(Refusal),
}

/// Conditions of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditional {
    Honoured,
    /// The write goes through, whatever is there.
    Ignored,
    NotImplemented,
}

/// Sizes of the parts of an upload, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartSizes {
    Any,
    /// All the same, and the last no longer.
    Equal(Refusal),
}

/// How version tags are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Etags {
    /// The MD5 in small letters.
    Lower,
    /// The MD5 in capitals.
    Upper,
}

impl Rules {
    /// What this provider says to a problem.
    pub(crate) fn words(&self, problem: Problem) -> Refusal {
        let tables = self.own_words.iter().chain(COMMON);
        let mut tables = tables.filter(|(of, _)| *of == problem);
        let (_, words) = tables.next().expect("every problem has words");
        *words
    }

    pub(super) fn refuse(&self, problem: Problem) -> Refused {
        self.words(problem).into()
    }
}
