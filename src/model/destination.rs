//! `Destination`: where backups are kept. It says who signs, never with which secret.

use super::{CredentialSource, Provider};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where backups are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// A bucket that speaks the S3 protocol.
    S3(S3Destination),
    /// A folder of this computer, an external disk or a mounted share.
    Folder(FolderDestination),
}

/// A bucket that speaks the S3 protocol, as the person typed it.
///
/// [`super::resolve_endpoint`] turns these words into an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct S3Destination {
    /// Whose rules of addressing apply.
    pub provider: Provider,
    /// Host or URL; may be empty for AWS, may carry the bucket.
    pub endpoint: String,
    /// Region as the provider names it; empty where it has none.
    pub region: String,
    /// Bucket name; may be empty when the endpoint carries it.
    pub bucket: String,
    /// Prefix of every key, without slashes at its ends; may be empty.
    pub root_path: String,
    /// The public half of the key pair.
    pub access_key_id: String,
    /// How requests name the bucket, where it was found out; otherwise what the provider is known for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addressing: Option<Addressing>,
    /// Whether an endpoint of another computer may begin with `http://`. One of this computer always may.
    pub allow_plain_http: bool,
    /// A PEM file of the authorities that vouch for an own server's certificate, beside those that this
    /// computer trusts anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<PathBuf>,
    /// Where the keys come from.
    #[serde(skip_serializing_if = "CredentialSource::is_default")]
    pub credentials: CredentialSource,
}

/// How a request names the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    VirtualHosted,
}

impl Addressing {
    /// The one that it is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Path => Self::VirtualHosted,
            Self::VirtualHosted => Self::Path,
        }
    }
}

/// A folder of this computer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderDestination {
    /// Absolute path; made on first use.
    pub path: PathBuf,
}
