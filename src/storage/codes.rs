//! What the error codes of the providers mean: for each a fault and, where the fault's own words are too
//! general, one sentence and one thing to do about it. Data only.
//!
//! Codes: AWS "Error responses", R2 "Error codes", the error pages of OSS, COS and OBS, MinIO
//! `api-errors.go`.

use super::error::{Fault, Words};

/// What a code means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) fault: Fault,
    /// More exact than those of the fault.
    pub(super) words: Option<Words>,
}

/// What this code of a provider means; `None` where it is not known.
pub(super) fn meaning_of(code: &str) -> Option<Meaning> {
    let row = CODES.iter().find(|row| row.codes.contains(&code))?;
    Some(row.meaning)
}

/// Codes that mean the same.
struct Row {
    codes: &'static [&'static str],
    meaning: Meaning,
}

const fn plain(codes: &'static [&'static str], fault: Fault) -> Row {
    let words = None;
    let meaning = Meaning { fault, words };
    Row { codes, meaning }
}

const fn worded(
    codes: &'static [&'static str],
    fault: Fault,
    sentence: &'static str,
    hint: &'static str,
) -> Row {
    let words = Some(Words { sentence, hint });
    let meaning = Meaning { fault, words };
    Row { codes, meaning }
}

const CODES: &[Row] = &[
    // Who asks
    plain(
        &["InvalidAccessKeyId", "NotSignedUp", "Unauthorized"],
        Fault::UnknownKey,
    ),
    plain(&["SignatureDoesNotMatch"], Fault::WrongSecret),
    worded(
        &["ExpiredToken", "TokenRefreshRequired"],
        Fault::UnknownKey,
        "The temporary keys have expired",
        "Get new ones where these came from, with their session token, or use keys that last.",
    ),
    worded(
        &["InvalidToken", "InvalidSecurity", "InvalidSecurityToken"],
        Fault::UnknownKey,
        "The session token does not belong to these keys",
        "Take the key id, the secret and the session token from one and the same place.",
    ),
    worded(
        &["UserDisable", "AccountProblem", "AllAccessDisabled"],
        Fault::Account,
        "The provider has switched this account off",
        "Sign in on the provider's page: it says why, and what to do.",
    ),
    worded(
        &["InDebt", "InDebtOverdue"],
        Fault::Account,
        "The account at the provider has an unpaid bill",
        "Pay it on the provider's page; access usually comes back within minutes.",
    ),
    worded(
        &["NotEntitled"],
        Fault::Account,
        "This service is not switched on for the account",
        "Switch on object storage (for Cloudflare: R2) on the provider's page.",
    ),
    worded(
        &["BucketDisable"],
        Fault::Account,
        "The provider has switched this bucket off",
        "Sign in on the provider's page: the bucket's own page says why.",
    ),
    plain(&["AccessDenied", "Forbidden"], Fault::Denied),
    worded(
        &["ObjectLockedByBucketPolicy", "ObjectLocked"],
        Fault::Denied,
        "A rule of the bucket keeps this object from being changed or deleted",
        "Wait until its time is over, or change the lock rule on the provider's page.",
    ),
    worded(
        &["UnsupportedAlgorithm"],
        Fault::Denied,
        "The server does not accept requests that are not signed",
        "Enter the access key id and the secret access key.",
    ),
    // When
    plain(
        &[
            "RequestTimeTooSkewed",
            "RequestExpired",
            "ExpiredRequest",
            "AccessForbiddenTimeSkew",
        ],
        Fault::Clock,
    ),
    // Where
    plain(
        &[
            "SecondLevelDomainForbidden",
            "PathStyleDomainForbidden",
            "VirtualHostDomainRequired",
            "InvalidPathAccess",
        ],
        Fault::WrongStyle,
    ),
    worded(
        &["PublicEndpointForbidden"],
        Fault::WrongStyle,
        "The provider no longer serves this bucket at its default address",
        "Bind a domain name of your own to the bucket on the provider's page, and enter that name as the endpoint.",
    ),
    worded(
        &["NonStandardHostForbidden"],
        Fault::WrongStyle,
        "The provider does not know this host name",
        "Copy the endpoint from the bucket's page at the provider, without a domain of your own.",
    ),
    plain(
        &[
            "PermanentRedirect",
            "TemporaryRedirect",
            "IllegalLocationConstraintException",
            "IncorrectRegion",
            "InvalidRegionName",
            "InvalidRegion",
            "IncorrectEndpoint",
        ],
        Fault::WrongRegion,
    ),
    plain(&["NoSuchBucket"], Fault::NoBucket),
    worded(
        &["InvalidBucketName"],
        Fault::NoBucket,
        "The provider does not allow a bucket of this name",
        "Copy the bucket's name from the provider's page; at Tencent COS it ends in “-” and a number.",
    ),
    plain(&["NoSuchKey"], Fault::NoObject),
    worded(
        &[
            "InvalidObjectName",
            "KeyTooLongError",
            "XMinioInvalidObjectName",
        ],
        Fault::Settings,
        "The provider does not allow an object of this name",
        "Choose a shorter root path of plain letters and digits.",
    ),
    // Whether it may
    plain(&["InvalidObjectState"], Fault::Archived),
    plain(&["NotImplemented"], Fault::Unsupported),
    worded(
        &["MethodNotAllowed"],
        Fault::Unsupported,
        "This address does not take requests of this kind",
        "Check that the endpoint is that of the S3 service, not that of a website or console.",
    ),
    worded(
        &["MissingContentMD5"],
        Fault::Unsupported,
        "The server wants a check sum that was not sent",
        "Look at the details; a newer version of the server may not ask for it.",
    ),
    plain(&["NoSuchUpload"], Fault::NoUpload),
    worded(
        &["ApkDownloadForbidden", "DownloadForbidden"],
        Fault::Denied,
        "The provider does not hand out app packages at its default address",
        "Bind a domain name of your own to the bucket on the provider's page, and enter that name as the endpoint.",
    ),
    plain(
        &["FileAlreadyExists", "ObjectAlreadyExists"],
        Fault::AlreadyThere,
    ),
    // How much
    plain(
        &[
            "XMinioStorageFull",
            "QuotaExceeded",
            "InsufficientStorage",
            "InsufficientQuota",
        ],
        Fault::Full,
    ),
    worded(
        &["EntityTooLarge", "MaxMessageLengthExceeded"],
        Fault::Full,
        "The provider does not take objects of this size",
        "Divide the folders among several profiles, so that each backup is smaller.",
    ),
    worded(
        &[
            "SlowDown",
            "SlowDownRead",
            "SlowDownWrite",
            "TooManyRequests",
            "RequestLimitExceeded",
        ],
        Fault::Busy,
        "The provider asks to slow down",
        "Wait a few minutes and try again.",
    ),
    plain(
        &[
            "ServiceUnavailable",
            "InternalError",
            "RequestTimeout",
            "ServerBusy",
            "Busy",
        ],
        Fault::Busy,
    ),
    worded(
        &["OperationAborted", "ConditionalRequestConflict"],
        Fault::Busy,
        "Another program writes the same object at this moment",
        "Wait a minute and try again.",
    ),
    // What arrived
    plain(
        &[
            "BadDigest",
            "InvalidDigest",
            "XAmzContentSHA256Mismatch",
            "IncompleteBody",
            "EntitySizeNotMatch",
            "ClientDisconnect",
        ],
        Fault::Broken,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code that the facts about the providers name.
    const KNOWN: [&str; 58] = [
        "AccessDenied",
        "AllAccessDisabled",
        "ApkDownloadForbidden",
        "BadDigest",
        "BucketDisable",
        "ClientDisconnect",
        "ConditionalRequestConflict",
        "DownloadForbidden",
        "EntitySizeNotMatch",
        "EntityTooLarge",
        "ExpiredRequest",
        "ExpiredToken",
        "FileAlreadyExists",
        "InDebt",
        "InDebtOverdue",
        "IncompleteBody",
        "IncorrectRegion",
        "InternalError",
        "InvalidAccessKeyId",
        "InvalidBucketName",
        "InvalidDigest",
        "InvalidObjectName",
        "InvalidObjectState",
        "InvalidRegionName",
        "InvalidToken",
        "KeyTooLongError",
        "MissingContentMD5",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchUpload",
        "NonStandardHostForbidden",
        "NotEntitled",
        "NotImplemented",
        "NotSignedUp",
        "ObjectLockedByBucketPolicy",
        "OperationAborted",
        "PathStyleDomainForbidden",
        "PermanentRedirect",
        "PublicEndpointForbidden",
        "QuotaExceeded",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SecondLevelDomainForbidden",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "TemporaryRedirect",
        "TooManyRequests",
        "Unauthorized",
        "UnsupportedAlgorithm",
        "UserDisable",
        "VirtualHostDomainRequired",
        "XAmzContentSHA256Mismatch",
        "XMinioStorageFull",
        "MethodNotAllowed",
        "IllegalLocationConstraintException",
    ];

    #[test]
    fn every_known_code_has_one_meaning_and_words_for_a_layperson() {
        for code in KNOWN {
            let rows = CODES.iter().filter(|row| row.codes.contains(&code));
            assert_eq!(rows.count(), 1, "{code}");
            let Meaning { fault, words } = meaning_of(code).expect("known");
            let words = words.unwrap_or(fault.words());
            assert!(
                !words.sentence.ends_with('.') && words.hint.ends_with('.'),
                "{code}"
            );
            assert!(
                !words.sentence.contains(code) && !words.hint.contains(code),
                "{code}"
            );
            assert_ne!(fault, Fault::Other, "{code}");
        }
    }

    #[test]
    fn no_two_rows_say_the_same_of_different_things() {
        let mut sentences: Vec<&str> = CODES
            .iter()
            .map(|row| row.meaning)
            .map(|meaning| meaning.words.unwrap_or(meaning.fault.words()).sentence)
            .collect();
        let count = sentences.len();
        sentences.sort_unstable();
        sentences.dedup();
        assert_eq!(sentences.len(), count);
    }
}
