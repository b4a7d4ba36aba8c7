//! `StorageError`: what went wrong at a destination, by meaning, with the provider's own words kept.

use std::error::Error;
use std::fmt;

/// What went wrong at a destination.
#[derive(Debug)]
pub struct StorageError {
    fault: Fault,
    /// What exactly, where the meaning alone does not say it; shown to people.
    about: Option<String>,
    /// The provider's error code, for example `SignatureDoesNotMatch`.
    code: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
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
    /// The bucket is in another region.
    WrongRegion,
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
    /// TLS failed: certificate or protocol.
    Tls,
    /// It took longer than its deadline.
    TimedOut,
    /// No byte moved in either direction for too long.
    Stalled,
    /// The object is in an archive of the provider and has to be fetched from there first.
    Archived,
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
    /// What came back is not what was stored.
    Damaged,
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
            Self::WrongRegion => "wrong-region",
            Self::NoBucket => "no-bucket",
            Self::NoObject => "no-object",
            Self::AlreadyThere => "already-there",
            Self::Changed => "changed",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::TimedOut => "timed-out",
            Self::Stalled => "stalled",
            Self::Archived => "archived",
            Self::NoUpload => "no-upload",
            Self::RangeIgnored => "range-ignored",
            Self::Unsupported => "unsupported",
            Self::Busy => "busy",
            Self::Clock => "clock",
            Self::Full => "full",
            Self::Folder => "folder",
            Self::Damaged => "damaged",
            Self::Other => "other",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Settings => "The destination is not set up",
            Self::SecretMissing => "The secret access key is not known on this computer",
            Self::UnknownKey => "The provider does not know this access key id",
            Self::WrongSecret => "The secret access key does not fit the access key id",
            Self::Denied => "The keys are not allowed to do this",
            Self::WrongRegion => "The bucket is in another region",
            Self::NoBucket => "There is no such bucket",
            Self::NoObject => "There is no such backup any more",
            Self::AlreadyThere => "There is already an object of this name",
            Self::Changed => "The backup changed while it was being read",
            Self::Unreachable => "Nobody answers at the endpoint",
            Self::Tls => "A secure connection could not be made",
            Self::TimedOut => "The destination took too long to answer",
            Self::Stalled => "Nothing moved on the line to the destination for too long",
            Self::Archived => {
                "The provider keeps this backup in its archive, where it cannot be read"
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
            Self::Damaged => "What the destination gave back is not what was stored",
            Self::Other => "The destination answered with an error",
        }
    }

    /// What the person can do about it.
    pub const fn hint(self) -> &'static str {
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
            Self::WrongRegion => "Set the region that the provider shows for this bucket.",
            Self::NoBucket => "Check the bucket's spelling, or make the bucket first.",
            Self::NoObject => "Refresh the list: it may have been deleted on another computer.",
            Self::AlreadyThere => "Wait a second and start the backup again.",
            Self::Changed => "Refresh the list and try again.",
            Self::Unreachable => "Check the endpoint, the internet connection and any firewall.",
            Self::Tls => {
                "Check that the endpoint begins with https:// only if the server offers TLS."
            }
            Self::TimedOut | Self::Stalled => "Check the internet connection and try again.",
            Self::Archived => {
                "Restore it at the provider first (for example from Glacier), then try again."
            }
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
            Self::Damaged => "Back up again. If it happens again, do not trust this destination.",
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
            code: None,
            source: None,
        }
    }

    /// Adds what exactly, in plain words.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// Adds the provider's error code.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.code = code;
        self
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

    /// The provider's error code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.fault.sentence())?;
        if let Some(about) = &self.about {
            write!(formatter, ": {about}")?;
        }
        if let Some(code) = &self.code {
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
