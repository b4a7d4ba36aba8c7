//! `StorageError`: what went wrong at a destination, by meaning, with the provider's own words kept.

use super::proxy::{ProxyFailed, ProxyTrouble};
use jiff::SignedDuration;
use serde::Serialize;
use std::error::Error;
use std::fmt;

/// What went wrong at a destination.
#[derive(Debug)]
pub struct StorageError {
    fault: Fault,
    /// What exactly, where the meaning alone does not say it; shown to people.
    about: Option<String>,
    /// More exact than those of the fault.
    words: Option<Words>,
    /// In a box because hardly any error has one.
    refusal: Box<Refusal>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a provider said when it refused: all of it for the details, none of it needed to understand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Status of the HTTP answer.
    pub status: Option<u16>,
    /// The provider's error code, for example `SignatureDoesNotMatch`.
    pub code: Option<String>,
    /// The provider's own sentence.
    pub message: Option<String>,
    /// What its support asks for.
    pub request_id: Option<String>,
    /// The region that it names instead of ours.
    pub region: Option<String>,
    /// Parts of one upload at most, where a part was refused for its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_parts: Option<u32>,
}

impl Refusal {
    /// What it says, each with its name, for people who look for details.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let status = self.status.map(|status| status.to_string());
        let named = [
            ("HTTP status", status),
            ("provider's code", self.code.clone()),
            ("provider's words", self.message.clone()),
            ("request id", self.request_id.clone()),
        ];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// One sentence, and one thing to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// Without a full stop: more may follow.
    pub(super) sentence: &'static str,
    /// Whole sentences.
    pub(super) hint: &'static str,
}

/// The meanings that a failure can have for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The settings do not make an address.
    Settings,
    /// No secret access key is known.
    SecretMissing,
    /// The access key id is unknown there.
    UnknownKey,
    /// The secret does not fit the access key id.
    WrongSecret,
    /// The keys are known but may not do this.
    Denied,
    /// The account or the bucket is switched off at the provider.
    Account,
    /// The bucket is in another region.
    WrongRegion,
    /// The provider wants the bucket to be named in another way, or at another address.
    WrongStyle,
    /// There is no such bucket.
    NoBucket,
    /// There is no such object.
    NoObject,
    /// The object is there already and is not overwritten.
    AlreadyThere,
    /// The object changed while it was read.
    Changed,
    /// Nobody answers at the address.
    Unreachable,
    /// The proxy that the environment sets cannot be reached, or refuses.
    Proxy,
    /// TLS failed: certificate or protocol.
    Tls,
    /// The file of authorities of certificates that was set cannot be used.
    CaCertificate,
    /// It took longer than its deadline.
    TimedOut,
    /// No byte moved in either direction for too long.
    Stalled,
    /// The object is in an archive of the provider and has to be fetched from there first.
    Archived,
    /// An upload may not have as many parts there; [`Refusal::most_parts`] says how many.
    TooManyParts,
    /// The upload in parts is not known there: aborted, expired, or complete already.
    NoUpload,
    /// Some bytes of an object were asked for and all of it came.
    RangeIgnored,
    /// The destination cannot do this kind of request at all.
    Unsupported,
    /// The provider asks to slow down or is out of order.
    Busy,
    /// This computer's clock is wrong.
    Clock,
    /// The destination is full.
    Full,
    /// A folder cannot be read or written.
    Folder,
    /// What arrived at the destination is not what was sent.
    Broken,
    /// What came back is not what was stored.
    Damaged,
    /// What answers at the address is not the S3 service.
    NotS3,
    /// None of these.
    Other,
}

impl Fault {
    /// A word that scripts can rely on.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::SecretMissing => "secret-missing",
            Self::UnknownKey => "unknown-key",
            Self::WrongSecret => "wrong-secret",
            Self::Denied => "denied",
            Self::Account => "account",
            Self::WrongRegion => "wrong-region",
            Self::WrongStyle => "wrong-style",
            Self::NoBucket => "no-bucket",
            Self::NoObject => "no-object",
            Self::AlreadyThere => "already-there",
            Self::Changed => "changed",
            Self::Unreachable => "unreachable",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::CaCertificate => "ca-certificate",
            Self::TimedOut => "timed-out",
            Self::Stalled => "stalled",
            Self::Archived => "archived",
            Self::TooManyParts => "too-many-parts",
            Self::NoUpload => "no-upload",
            Self::RangeIgnored => "range-ignored",
            Self::Unsupported => "unsupported",
            Self::Busy => "busy",
            Self::Clock => "clock",
            Self::Full => "full",
            Self::Folder => "folder",
            Self::Broken => "broken",
            Self::Damaged => "damaged",
            Self::NotS3 => "not-s3",
            Self::Other => "other",
        }
    }

    /// What to say of it where nothing is known more exactly.
    pub(super) const fn words(self) -> Words {
        Words {
            sentence: self.sentence(),
            hint: self.hint(),
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Settings => "The destination is not set up",
            Self::SecretMissing => "The secret access key is not known on this computer",
            Self::UnknownKey => "The provider does not know this access key id",
            Self::WrongSecret => "The secret access key does not fit the access key id",
            Self::Denied => "The keys are not allowed to do this",
            Self::Account => "The provider has switched this account off",
            Self::WrongRegion => "The bucket is in another region",
            Self::WrongStyle => "The provider wants the bucket's name at the front of the address",
            Self::NoBucket => "There is no such bucket",
            Self::NoObject => "There is no such backup any more",
            Self::AlreadyThere => "There is already an object of this name",
            Self::Changed => "The backup changed while it was being read",
            Self::Unreachable => "Nobody answers at the endpoint",
            Self::Proxy => "The proxy that this computer uses did not connect to the destination",
            Self::Tls => "A secure connection could not be made",
            Self::CaCertificate => "The file with the CA certificate cannot be used",
            Self::TimedOut => "The destination took too long to answer",
            Self::Stalled => "Nothing moved on the line to the destination for too long",
            Self::Archived => {
                "The provider keeps this backup in its archive, where it cannot be read"
            }
            Self::TooManyParts => {
                "The destination takes fewer parts of one backup than were needed"
            }
            Self::NoUpload => "The destination no longer knows the unfinished upload",
            Self::RangeIgnored => {
                "The server ignored the range: asked for some bytes, it sent all of the object"
            }
            Self::Unsupported => "The destination cannot do this kind of request",
            Self::Busy => "The provider is busy or out of order",
            Self::Clock => "This computer's clock is wrong",
            Self::Full => "The destination is full",
            Self::Folder => "The folder for backups cannot be used",
            Self::Broken => "What arrived at the destination was not what was sent",
            Self::Damaged => "What the destination gave back is not what was stored",
            Self::NotS3 => "What answers at this address is not the S3 service",
            Self::Other => "The destination answered with an error",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Settings => "Complete the settings of the place where backups are kept.",
            Self::SecretMissing => {
                "Enter the secret access key once more, or set ZIPKEEP_SECRET_ACCESS_KEY for one run."
            }
            Self::UnknownKey => "Copy the access key id again from the provider's page of keys.",
            Self::WrongSecret => "Paste the secret access key again; it may have lost a character.",
            Self::Denied => {
                "Give the key permission to list, read, write and delete in this bucket."
            }
            Self::Account => "Sign in on the provider's page: it says why, and what to do.",
            Self::WrongRegion => "Set the region that the provider shows for this bucket.",
            Self::WrongStyle => {
                "Test the connection: it finds the address that works, and offers to keep it."
            }
            Self::NoBucket => "Check the bucket's spelling, or make the bucket first.",
            Self::NoObject => "Refresh the list: it may have been deleted on another computer.",
            Self::AlreadyThere => "Wait a second and start the backup again.",
            Self::Changed => "Refresh the list and try again.",
            Self::Unreachable => "Check the endpoint, the internet connection and any firewall.",
            Self::Proxy => {
                "Check HTTPS_PROXY and HTTP_PROXY in the environment of this program: the proxy's address, and its name and password if it wants them. NO_PROXY names hosts that need no proxy."
            }
            Self::Tls => {
                "Check that the endpoint begins with https:// only if the server offers TLS."
            }
            Self::CaCertificate => {
                "Choose the file of the authority that signed the server's certificate again: a text file that begins with -----BEGIN CERTIFICATE-----. Or leave the setting empty, if the server's certificate is from a public authority."
            }
            Self::TimedOut | Self::Stalled => "Check the internet connection and try again.",
            Self::Archived => {
                "Restore it at the provider first (for example from Glacier), then try again."
            }
            Self::TooManyParts => "Back up again: bigger parts are sent from now on.",
            Self::NoUpload => "Back up again: what is missing is sent once more.",
            Self::RangeIgnored => {
                "Try again later. If it stays so, the server or a proxy before it does not know HTTP ranges, without which backups cannot be read."
            }
            Self::Unsupported => "Look at the details for what it refused.",
            Self::Busy => "Wait a few minutes and try again.",
            Self::Clock => "Set this computer's date and time, then try again.",
            Self::Full => "Make room at the destination, for example by deleting old backups.",
            Self::Folder => {
                "Choose a folder that exists, that you may write to, or connect its disk."
            }
            Self::Broken => {
                "Try again. If it happens again, a proxy, a security program or the computer's memory may be at fault."
            }
            Self::Damaged => "Back up again. If it happens again, do not trust this destination.",
            Self::NotS3 => {
                "Check the endpoint and its port: it must be the address of the S3 service, not that of a web page or console. If it is right, a proxy, a firewall or the sign-in page of a network is in between."
            }
            Self::Other => "Look at the details for the provider's own words.",
        }
    }
}

impl StorageError {
    /// A failure of this meaning.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            about: None,
            words: None,
            refusal: Box::default(),
            source: None,
        }
    }

    /// Adds what exactly, in plain words.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// Adds what the provider said.
    #[must_use]
    pub fn refused(mut self, refusal: Refusal) -> Self {
        *self.refusal = refusal;
        self
    }

    /// Says it in these words rather than in those of the fault.
    #[must_use]
    pub(super) fn in_words(mut self, words: Option<Words>) -> Self {
        self.words = words;
        self
    }

    /// Adds what only the head of the answer told.
    #[must_use]
    pub(super) fn with_head(mut self, head: AnswerHead) -> Self {
        let refusal = self.refusal.as_mut();
        refusal.request_id = refusal.request_id.take().or(head.request_id);
        refusal.region = refusal.region.take().or(head.region);
        if let Some(skew) = head.skew.filter(|skew| skew.abs() > MOST_SKEW)
            && matches!(
                self.fault,
                Fault::Clock | Fault::Denied | Fault::UnknownKey | Fault::WrongSecret
            )
        {
            // Not every provider says what it is that it refuses.
            self.fault = Fault::Clock;
            self.words = None;
            self.about = Some(skew_text(skew));
        }
        self
    }

    /// The same as the failure of the part of this number, which may be one too many.
    ///
    /// Providers say so in many ways (AWS and Swift: `InvalidArgument`); a part of a high number is hardly
    /// refused with them for anything else.
    #[must_use]
    pub(super) fn of_part(mut self, number: u32) -> Self {
        const LEAST_LIMIT: u32 = 100;
        const CODES: [&str; 4] = [
            "InvalidArgument",
            "InvalidPartNumber",
            "InvalidPart",
            "TooManyParts",
        ];
        let is_about_it = self.code().is_some_and(|code| CODES.contains(&code));
        if is_about_it && number > LEAST_LIMIT {
            let told = self.refusal.message.as_deref().and_then(most_in_words);
            // Several are on their way at once, so the first refused need not be the first too many.
            let below = (number - 1) / LEAST_LIMIT * LEAST_LIMIT;
            self.refusal.most_parts = Some(told.filter(|most| *most < number).unwrap_or(below));
            self.fault = Fault::TooManyParts;
            self.words = None;
            self.about = None;
        }
        self
    }

    /// What the person can do about it.
    pub fn hint(&self) -> &'static str {
        self.words
            .map_or(self.fault.words().hint, |words| words.hint)
    }

    /// The same, where it fits the provider's very code and not only the fault.
    pub fn own_hint(&self) -> Option<&'static str> {
        self.words.map(|words| words.hint)
    }

    /// What the provider said, as far as it said anything.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it means.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What is wrong with the proxy in between, where it is the proxy that failed.
    pub fn proxy_trouble(&self) -> Option<ProxyTrouble> {
        ProxyFailed::within(self).map(ProxyFailed::trouble)
    }

    /// The provider's error code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.refusal.code.as_deref()
    }
}

/// Providers refuse requests whose clock differs by more from theirs (AWS: 15 minutes).
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What the head of an answer tells, which the client above it does not pass on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AnswerHead {
    pub(super) request_id: Option<String>,
    pub(super) region: Option<String>,
    /// This computer's time less the server's.
    pub(super) skew: Option<SignedDuration>,
}

/// The limit in words like "Part number must be an integer between 1 and 1000, inclusive".
fn most_in_words(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("between 1 and ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let most: u32 = rest[..end.unwrap_or(rest.len())].parse().ok()?;
    (most > 0).then_some(most)
}

/// How much this computer's clock differs from the server's, in words.
pub(super) fn skew_text(skew: SignedDuration) -> String {
    let direction = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let secs = skew.as_secs().unsigned_abs();
    let (count, unit) = match secs {
        0..120 => (secs, "second"),
        // To the nearest: while it is asked, a second passes.
        120..7_200 => ((secs + 30) / 60, "minute"),
        7_200..172_800 => (secs / 3_600, "hour"),
        _ => (secs / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("it is {count} {unit}{plural} {direction} the provider's")
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words.unwrap_or(self.fault.words());
        formatter.write_str(words.sentence)?;
        if let Some(about) = &self.about {
            write!(formatter, ": {about}")?;
        }
        if let Some(code) = &self.refusal.code {
            write!(formatter, " ({code})")?;
        }
        Ok(())
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_under_a_wrong_clock_is_blamed_on_the_clock() {
        let head = |minutes| AnswerHead {
            skew: Some(SignedDuration::from_mins(minutes)),
            ..AnswerHead::default()
        };
        let denied = || StorageError::new(Fault::Denied);
        let behind = denied().with_head(head(-20));
        assert_eq!(behind.fault(), Fault::Clock);
        assert_eq!(
            behind.to_string(),
            "This computer's clock is wrong: it is 20 minutes behind the provider's"
        );
        assert_eq!(denied().with_head(head(10)).fault(), Fault::Denied);
        let missing = StorageError::new(Fault::NoObject).with_head(head(90));
        assert_eq!(missing.fault(), Fault::NoObject);
    }

    #[test]
    fn a_part_of_a_high_number_that_is_refused_tells_how_many_there_may_be() {
        let refused = |code: &str, message: &str, number| {
            let refusal = Refusal {
                code: Some(code.to_owned()),
                message: Some(message.to_owned()),
                ..Refusal::default()
            };
            let error = StorageError::new(Fault::Other).refused(refusal);
            let error = error.of_part(number);
            (error.fault(), error.refusal().most_parts)
        };
        let words = "Part number must be an integer between 1 and 1000, inclusive";
        let found = |most| (Fault::TooManyParts, Some(most));
        assert_eq!(refused("InvalidArgument", words, 1_003), found(1_000));
        assert_eq!(refused("InvalidPart", "no", 1_003), found(1_000));
        // Words that do not fit what was refused.
        assert_eq!(refused("InvalidArgument", words, 640), found(600));
        let other = (Fault::Other, None);
        assert_eq!(refused("InvalidArgument", "of another thing", 7), other);
        assert_eq!(refused("SomethingElse", words, 1_003), other);
    }

    #[test]
    fn a_difference_is_told_in_the_unit_that_people_would_choose() {
        for (secs, text) in [
            (1, "it is 1 second ahead of the provider's"),
            (-1_200, "it is 20 minutes behind the provider's"),
            (7_200, "it is 2 hours ahead of the provider's"),
            (-400_000, "it is 4 days behind the provider's"),
        ] {
            assert_eq!(skew_text(SignedDuration::from_secs(secs)), text);
        }
    }
}
