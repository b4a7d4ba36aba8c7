//! Why settings do not make an address. No message repeats what stands before an “@”.

/// Why the settings do not make an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing to connect to.
    #[error("the endpoint is empty")]
    EndpointMissing,
    /// No account, where the address is made of one.
    #[error("the account ID is empty")]
    AccountMissing,
    /// No region where the provider needs one.
    #[error("the region is empty")]
    RegionMissing,
    /// Characters that no region has.
    #[error("“{0}” cannot be a region")]
    RegionInvalid(String),
    /// No bucket, neither in its field nor in the endpoint.
    #[error("the bucket is empty")]
    BucketMissing,
    /// Not a URL by any reading.
    #[error("the endpoint “{0}” is not an address")]
    EndpointInvalid(String),
    /// A region in the endpoint's field.
    #[error("“{0}” seems to be a region, not an address: it belongs into the region (--region)")]
    EndpointIsRegion(String),
    /// An access key id in the endpoint's field.
    #[error(
        "the endpoint seems to be an access key id, not an address: it belongs into its own field (--access-key-id)"
    )]
    EndpointIsKeyId,
    /// A host of a kind of storage that is not used.
    #[error(
        "“{host}” is {what}, which zipkeep does not use: the usual address of a bucket there is {example}"
    )]
    HostNotUsed {
        /// What was pasted.
        host: String,
        /// What it is.
        what: &'static str,
        /// The usual address.
        example: String,
    },
    /// A scheme other than http and https.
    #[error("the endpoint must begin with https:// or http://, not {0}://")]
    Scheme(String),
    /// A name or password in the address.
    #[error("the endpoint holds a name or password before an “@”; the keys have their own fields")]
    Credentials,
    /// Plain http to another computer, which nobody allowed.
    #[error(
        "anyone on the way to {0} could read what is sent by http://: use https://, or switch on “Allow plain http” \
         (--allow-plain-http)"
    )]
    PlainHttp(String),
    /// A page for people, which does not tell of a bucket.
    #[error(
        "“{host}” is an address of {title} for browsers, not for programs: those look like {example}"
    )]
    ForBrowsers {
        /// What was pasted.
        host: String,
        /// Whose page it is.
        title: &'static str,
        /// An address for programs.
        example: &'static str,
    },
    /// Characters that no bucket's name has.
    #[error("“{0}” cannot be a bucket's name")]
    BucketInvalid(String),
    /// A whole address in the bucket's field.
    #[error(
        "the bucket's field holds a whole address, which belongs into the endpoint (--endpoint)"
    )]
    BucketIsAddress,
    /// Nothing below which objects can be kept: with “.”, “..” or nothing between two slashes, or with
    /// characters that cannot be seen.
    #[error("“{0}” cannot be a root path")]
    RootInvalid(String),
    /// A root path whose signs stand for other folders too in the provider's access policies.
    #[error(
        "the root path “{root}” holds “*” or “?”, which in an access policy of {title} would reach other folders too: \
         choose one without, or limit the key to the bucket by hand"
    )]
    RootNotInPolicy {
        /// The root path.
        root: String,
        /// Whose policies.
        title: &'static str,
    },
    /// An access key id that no request can carry.
    #[error(
        "this cannot be an access key id: those are of visible letters, digits and signs of ASCII"
    )]
    AccessKeyInvalid,
    /// A name that this provider does not give.
    #[error("“{bucket}” cannot be a bucket of {title}. {hint}")]
    BucketOfProvider {
        /// The name.
        bucket: String,
        /// Whose buckets are named differently.
        title: &'static str,
        /// How they are named.
        hint: &'static str,
    },
    /// The endpoint carries one bucket and the field names another.
    #[error(
        "the endpoint carries the bucket “{in_endpoint}”, but the bucket is set to “{in_field}”"
    )]
    BucketsDiffer {
        /// What the endpoint says.
        in_endpoint: String,
        /// What the field says.
        in_field: String,
    },
}

impl EndpointError {
    /// Whether something is only not filled in yet.
    pub const fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::EndpointMissing
                | Self::AccountMissing
                | Self::RegionMissing
                | Self::BucketMissing
        )
    }
}

/// An address as messages may repeat it: what stands before an “@” or in a query may be a secret.
pub(super) fn harmless(text: &str) -> String {
    if may_hold_login(text) {
        return "…@…".to_owned();
    }
    match text.split_once('?') {
        Some((address, _)) => format!("{address}?…"),
        None => text.to_owned(),
    }
}

/// Whether there may be a name or a password in it, before an “@” in any spelling.
pub(super) fn may_hold_login(text: &str) -> bool {
    let (_, behind_scheme) = text.split_once("://").unwrap_or(("", text));
    let authority = behind_scheme.split('/').next().unwrap_or_default();
    text.contains(['@', '\u{ff20}', '\u{fe6b}']) || authority.contains("%40")
}

/// A name as messages may repeat it: what is too long or too odd to be one may be a secret.
pub(super) fn harmless_name(text: &str) -> String {
    let is_odd = |c: char| c.is_control() || "@:?=%+\u{ff20}\u{fe6b}\u{ff1a}".contains(c);
    if text.chars().any(is_odd) || text.len() >= LONGEST_TOLD_BYTES {
        "…".to_owned()
    } else {
        text.to_owned()
    }
}

/// As long as the secrets of AWS.
const LONGEST_TOLD_BYTES: usize = 40;
