//! `Destination`: where backups are kept. It says who signs, never with which secret.

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

/// A storage provider, as far as its rules differ for us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Amazon S3.
    Aws,
    /// Cloudflare R2.
    R2,
    /// Alibaba Cloud OSS.
    Oss,
    /// Tencent Cloud COS.
    Cos,
    /// The MinIO server.
    Minio,
    /// Any other store that speaks the S3 protocol.
    #[default]
    S3,
}

impl Provider {
    /// Every provider, in the order in which people choose.
    pub const ALL: [Self; 6] = [
        Self::Aws,
        Self::R2,
        Self::Oss,
        Self::Cos,
        Self::Minio,
        Self::S3,
    ];

    /// The name that people know it by.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Aws => "AWS S3",
            Self::R2 => "Cloudflare R2",
            Self::Oss => "Alibaba Cloud OSS",
            Self::Cos => "Tencent Cloud COS",
            Self::Minio => "MinIO",
            Self::S3 => "Other S3-compatible",
        }
    }

    /// What an endpoint of this provider looks like, to show in an empty field.
    pub const fn endpoint_example(self) -> &'static str {
        match self {
            Self::Aws => "leave empty, or https://s3.eu-west-1.amazonaws.com",
            Self::R2 => "https://ACCOUNT.r2.cloudflarestorage.com",
            Self::Oss => "https://s3.oss-cn-hangzhou.aliyuncs.com",
            Self::Cos => "https://cos.ap-guangzhou.myqcloud.com",
            Self::Minio => "http://localhost:9000",
            Self::S3 => "https://s3.example.com",
        }
    }

    /// What a region of this provider looks like, to show in an empty field.
    pub const fn region_example(self) -> &'static str {
        match self {
            Self::Aws => "eu-west-1",
            Self::R2 => "auto",
            Self::Oss => "oss-cn-hangzhou",
            Self::Cos => "ap-guangzhou",
            Self::Minio | Self::S3 => "us-east-1",
        }
    }

    /// Whether all parts of a multipart upload but the last must have one size.
    ///
    /// R2 refuses others with `InvalidPart`, "All non-trailing parts must have the same length".
    pub const fn wants_uniform_parts(self) -> bool {
        matches!(self, Self::R2)
    }
}
