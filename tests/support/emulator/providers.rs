//! The rules of the five providers, as their documentation and other projects' tests state them.
//!
//! What is not documented is what the provider's nearest kin does: the words for a request without a
//! signature, for a wrong body hash at R2, OSS and COS, and conditions of writes at COS.

use super::problem::{Problem, Refusal, words};
use super::rules::{
    BatchDelete, ChecksumHeaders, Conditional, ErrorShape, Etags, PartSizes, PathStyle, Regions,
    Rules, Streamed,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const ALL_TAKEN: Streamed = Streamed {
    signed: None,
    signed_trailer: None,
    unsigned_trailer: None,
    coding_alone: None,
};

/// Every provider that is played.
pub(crate) const EVERY: [Rules; 5] = [AWS, R2, OSS, COS, MINIO];

/// Amazon S3.
pub(crate) const AWS: Rules = Rules {
    provider: "aws",
    shape: ErrorShape::Aws,
    hosts: &[
        "s3.dualstack.{region}.amazonaws.com",
        "s3.{region}.amazonaws.com",
        "s3.{region}.amazonaws.com.cn",
        "s3.amazonaws.com",
    ],
    service_host: "s3.eu-west-1.amazonaws.com",
    bucket: "zipkeep-tests",
    home_region: "eu-west-1",
    path_style: PathStyle::Allowed,
    regions: Regions::Aws,
    streamed: ALL_TAKEN,
    checksum_headers: ChecksumHeaders::Verified,
    batch_delete: BatchDelete::Md5OrChecksum(Refusal::new(
        400,
        "InvalidRequest",
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    )),
    unknown_headers: &[],
    conditional: Conditional::Honoured,
    forbid_overwrite: None,
    part_sizes: PartSizes::Any,
    least_part_bytes: 5 * MIB,
    most_parts: 10_000,
    most_put_bytes: 5 * GIB,
    most_key_bytes: 1_024,
    no_key_begins_with: &[],
    apps: None,
    etags: Etags::Lower,
    own_words: &[],
};

/// The account that the emulator of R2 knows.
pub(crate) const R2_ACCOUNT: &str = "f0e1d2c3b4a5968778695a4b3c2d1e0f";

/// Cloudflare R2, which takes checksums by now; `ChecksumHeaders::NotImplemented` is January 2025.
pub(crate) const R2: Rules = Rules {
    provider: "r2",
    shape: ErrorShape::R2,
    hosts: &[
        "f0e1d2c3b4a5968778695a4b3c2d1e0f.r2.cloudflarestorage.com",
        "f0e1d2c3b4a5968778695a4b3c2d1e0f.eu.r2.cloudflarestorage.com",
        "f0e1d2c3b4a5968778695a4b3c2d1e0f.fedramp.r2.cloudflarestorage.com",
    ],
    service_host: "f0e1d2c3b4a5968778695a4b3c2d1e0f.r2.cloudflarestorage.com",
    home_region: "auto",
    regions: Regions::OneOf(&[
        "wnam",
        "enam",
        "weur",
        "eeur",
        "apac",
        "oc",
        "auto",
        // These two stand for "auto".
        "",
        "us-east-1",
    ]),
    streamed: Streamed {
        signed: Some(Refusal::new(
            501,
            "NotImplemented",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD not implemented",
        )),
        signed_trailer: Some(Refusal::new(
            501,
            "NotImplemented",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER not implemented",
        )),
        unsigned_trailer: Some(Refusal::new(
            501,
            "NotImplemented",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER not implemented",
        )),
        coding_alone: None,
    },
    batch_delete: BatchDelete::Bare,
    unknown_headers: &[
        "x-amz-acl",
        "x-amz-tagging",
        "x-amz-object-lock-mode",
        "x-amz-object-lock-legal-hold",
    ],
    part_sizes: PartSizes::Equal(Refusal::new(
        400,
        "InvalidPart",
        "All non-trailing parts must have the same length.",
    )),
    own_words: &[
        words(Problem::Anonymous, 400, "InvalidArgument", "Authorization"),
        words(Problem::UnknownKey, 401, "Unauthorized", "Unauthorized"),
        words(
            Problem::KeyName,
            400,
            "InvalidObjectName",
            "The specified object name is not valid.",
        ),
        words(
            Problem::BodyHash,
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
        ),
    ],
    ..AWS
};

/// Alibaba Cloud OSS.
pub(crate) const OSS: Rules = Rules {
    provider: "oss",
    shape: ErrorShape::Oss,
    hosts: &[
        "s3.oss-accelerate.aliyuncs.com",
        "s3.oss-{region}-internal.aliyuncs.com",
        "s3.oss-{region}.aliyuncs.com",
        "oss-{region}-internal.aliyuncs.com",
        "oss-{region}.aliyuncs.com",
    ],
    service_host: "s3.oss-cn-hangzhou.aliyuncs.com",
    home_region: "cn-hangzhou",
    path_style: PathStyle::Forbidden(Refusal::new(
        403,
        "SecondLevelDomainForbidden",
        "Please use virtual hosted style to access.",
    )),
    regions: Regions::Any,
    streamed: Streamed {
        signed: None,
        signed_trailer: Some(OSS_CHUNKED),
        unsigned_trailer: Some(Refusal::new(
            400,
            "NotImplemented",
            "Aws MultiChunkedEncoding STREAMING-UNSIGNED-PAYLOAD-TRAILER is not supported.",
        )),
        coding_alone: Some(OSS_CHUNKED),
    },
    checksum_headers: ChecksumHeaders::Ignored,
    batch_delete: BatchDelete::Md5(NO_MD5),
    conditional: Conditional::NotImplemented,
    forbid_overwrite: Some("x-oss-forbid-overwrite"),
    least_part_bytes: 100 * KIB,
    most_key_bytes: 1_023,
    no_key_begins_with: &['/', '\\'],
    apps: Some(Refusal::new(
        400,
        "ApkDownloadForbidden",
        "Downloading APK or IPA files is not allowed by using the default domain.",
    )),
    etags: Etags::Upper,
    own_words: &[
        words(
            Problem::Anonymous,
            403,
            "AccessDenied",
            "You have no right to access this object because of bucket acl.",
        ),
        words(
            Problem::UnknownKey,
            403,
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided does not exist in our records.",
        ),
        words(
            Problem::KeyName,
            400,
            "InvalidObjectName",
            "The specified object is not valid.",
        ),
    ],
    ..AWS
};

const OSS_CHUNKED: Refusal = Refusal::new(
    400,
    "InvalidArgument",
    "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.",
);

const NO_MD5: Refusal = Refusal::new(
    400,
    "InvalidRequest",
    "Missing required header for this request: Content-MD5",
);

/// Tencent Cloud COS, with a bucket made in 2024 or later.
pub(crate) const COS: Rules = Rules {
    provider: "cos",
    shape: ErrorShape::Cos,
    hosts: &["cos.{region}.myqcloud.com"],
    service_host: "cos.ap-guangzhou.myqcloud.com",
    bucket: "zipkeep-tests-1250000000",
    home_region: "ap-guangzhou",
    path_style: PathStyle::Forbidden(Refusal::new(
        403,
        "PathStyleDomainForbidden",
        "The bucket you are attempting to access must be addressed using COS virtual-styled domain.",
    )),
    regions: Regions::Any,
    streamed: Streamed {
        signed: Some(COS_CHUNKED),
        signed_trailer: Some(COS_CHUNKED),
        unsigned_trailer: Some(COS_CHUNKED),
        coding_alone: Some(COS_CHUNKED),
    },
    checksum_headers: ChecksumHeaders::Ignored,
    batch_delete: BatchDelete::Md5(NO_MD5),
    conditional: Conditional::Ignored,
    forbid_overwrite: Some("x-cos-forbid-overwrite"),
    least_part_bytes: MIB,
    apps: Some(Refusal::new(
        403,
        "DownloadForbidden",
        "The APK/IPA file is not allowed to be distributed in a public network using COS default domain, please use custom domain instead.",
    )),
    own_words: &[words(
        Problem::UnknownKey,
        403,
        "InvalidAccessKeyId",
        "The Access Key Id you provided does not exist in our records.",
    )],
    ..AWS
};

const COS_CHUNKED: Refusal = Refusal::new(
    400,
    "NotImplemented",
    "A header you provided implies functionality that is not implemented.",
);

/// `MinIO` of today; older releases refuse a batch delete that has only a checksum.
pub(crate) const MINIO: Rules = Rules {
    provider: "minio",
    shape: ErrorShape::Minio,
    hosts: &[],
    service_host: "",
    home_region: "us-east-1",
    regions: Regions::Minio,
    batch_delete: BatchDelete::Md5OrChecksum(Refusal::new(
        400,
        "MissingContentMD5",
        "Missing or invalid required header for this request: Content-Md5 or Amz-Content-Checksum",
    )),
    own_words: &[
        words(Problem::Anonymous, 403, "AccessDenied", "Access Denied."),
        words(Problem::Denied, 403, "AccessDenied", "Access Denied."),
        words(
            Problem::UnknownKey,
            403,
            "InvalidAccessKeyId",
            "The Access Key Id you provided does not exist in our records.",
        ),
        words(
            Problem::Skew,
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the server's time is too large.",
        ),
        words(
            Problem::UnsignedHeader,
            400,
            "AccessDenied",
            "There were headers present in the request which were not signed",
        ),
    ],
    ..AWS
};
