//! What a provider refuses, and the words that most of them use for it.

/// What was wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No signature at all, where nothing is public.
    Anonymous,
    /// An `Authorization` that cannot be read.
    MalformedAuthorization,
    /// Another way of signing.
    OtherSigning,
    UnknownKey,
    WrongSecret,
    /// A header that had to be signed was not.
    UnsignedHeader,
    TokenInvalid,
    TokenExpired,
    Skew,
    Denied,
    NoBucket,
    NoKey,
    NoUpload,
    KeyName,
    /// The body is not that of `x-amz-content-sha256`.
    BodyHash,
    /// No `x-amz-content-sha256`.
    BodyHashMissing,
    /// The body is not that of a digest.
    Digest,
    /// A digest that is none.
    DigestInvalid,
    ChunkSignature,
    BodyIncomplete,
    LengthMissing,
    TooLarge,
    PartNumber,
    PartTooSmall,
    PartInvalid,
    PartOrder,
    MalformedXml,
    Range,
    CopySource,
    CopyRange,
    Precondition,
    /// An object of this key is there, and was not to be overwritten.
    Exists,
    NotImplemented,
    Argument,
    Method,
}

/// A refusal in the words of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
        }
    }
}

/// What one provider says to one problem.
pub(crate) type Words = (Problem, Refusal);

/// One row of a table of words.
pub(super) const fn words(
    problem: Problem,
    status: u16,
    code: &'static str,
    message: &'static str,
) -> Words {
    (problem, Refusal::new(status, code, message))
}

/// The words of AWS, which the others use too where they have none of their own.
pub(super) const COMMON: &[Words] = &[
    words(Problem::Anonymous, 403, "AccessDenied", "Access Denied"),
    words(Problem::Denied, 403, "AccessDenied", "Access Denied"),
    words(
        Problem::MalformedAuthorization,
        400,
        "AuthorizationHeaderMalformed",
        "The authorization header that you provided is not valid.",
    ),
    words(
        Problem::OtherSigning,
        400,
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    ),
    words(
        Problem::UnknownKey,
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    words(
        Problem::WrongSecret,
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    words(
        Problem::UnsignedHeader,
        403,
        "AccessDenied",
        "There were headers present in the request which were not signed",
    ),
    words(
        Problem::TokenInvalid,
        400,
        "InvalidToken",
        "The provided token is malformed or otherwise invalid.",
    ),
    words(
        Problem::TokenExpired,
        400,
        "ExpiredToken",
        "The provided token has expired.",
    ),
    words(
        Problem::Skew,
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    words(
        Problem::NoBucket,
        404,
        "NoSuchBucket",
        "The specified bucket does not exist",
    ),
    words(
        Problem::NoKey,
        404,
        "NoSuchKey",
        "The specified key does not exist.",
    ),
    words(
        Problem::NoUpload,
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    ),
    words(
        Problem::KeyName,
        400,
        "KeyTooLongError",
        "Your key is too long",
    ),
    words(
        Problem::BodyHash,
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
    words(
        Problem::BodyHashMissing,
        400,
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
    ),
    words(
        Problem::Digest,
        400,
        "BadDigest",
        "The Content-MD5 or checksum value that you specified did not match what the server received.",
    ),
    words(
        Problem::DigestInvalid,
        400,
        "InvalidDigest",
        "The Content-MD5 or checksum value that you specified is not valid.",
    ),
    words(
        Problem::ChunkSignature,
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    words(
        Problem::BodyIncomplete,
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    ),
    words(
        Problem::LengthMissing,
        411,
        "MissingContentLength",
        "You must provide the Content-Length HTTP header.",
    ),
    words(
        Problem::TooLarge,
        400,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
    ),
    words(
        Problem::PartNumber,
        400,
        "InvalidArgument",
        "Part number must be an integer between 1 and 10000, inclusive",
    ),
    words(
        Problem::PartTooSmall,
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
    ),
    words(
        Problem::PartInvalid,
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    ),
    words(
        Problem::PartOrder,
        400,
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    words(
        Problem::MalformedXml,
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    words(
        Problem::Range,
        416,
        "InvalidRange",
        "The requested range is not satisfiable",
    ),
    words(
        Problem::CopySource,
        400,
        "InvalidArgument",
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    ),
    words(
        Problem::CopyRange,
        400,
        "InvalidArgument",
        "Range specified is not valid for source object",
    ),
    words(
        Problem::Precondition,
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    ),
    words(
        Problem::Exists,
        409,
        "FileAlreadyExists",
        "The object you specified already exists and can not be overwritten.",
    ),
    words(
        Problem::NotImplemented,
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
    ),
    words(
        Problem::Argument,
        400,
        "InvalidArgument",
        "Invalid Argument",
    ),
    words(
        Problem::Method,
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    ),
];
