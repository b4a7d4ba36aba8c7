//! `Conduct`: what a test may set about a running emulator, and the keys that it knows.

use super::ledger::Kind;
use super::problem::Refusal;

/// How a server behaves. Tests change it while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Conduct {
    /// Added to this computer's clock.
    pub(crate) clock_offset_secs: i64,
    /// What those without a signature may do.
    pub(crate) public: Public,
    /// Where the bucket is.
    pub(crate) region: String,
    pub(crate) wrong_region: WrongRegion,
    pub(crate) part_copy: PartCopy,
    pub(crate) ranges: Ranges,
    pub(crate) word: Word,
    /// Not the provider answers, but this.
    pub(crate) page: Option<Page>,
    pub(crate) certificate: Certificate,
    pub(crate) speaks: Speaks,
    /// Refuses all data at the provider's own hosts, as OSS does to new accounts on the mainland.
    pub(crate) is_public_endpoint_forbidden: bool,
    /// Refuses every request of a kind.
    pub(crate) refusals: Vec<(Kind, Refusal)>,
    /// Lets so many requests of a kind through, and keeps later ones waiting.
    pub(crate) hold_after: Option<(Kind, usize)>,
    /// When those are kept waiting.
    pub(crate) held: Held,
}

/// At which moment a request is kept waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Before anything is done; later it is dropped.
    Undone,
    /// Before anything is done; later it is done, and answered.
    Late,
    /// Once it is done, so that only its answer is missing.
    Unanswered,
}

/// What those without a signature may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Public {
    Nothing,
    Listing,
    Reading,
    Both,
    /// Nobody knows: they are told to slow down.
    Busy,
}

/// How AWS answers who asks in another region than the bucket's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongRegion {
    /// 400, with the right one.
    Named,
    /// 301, with the right one in a header, but for a HEAD nothing else.
    Redirected,
    /// At the host of another region 307, with where to go for now, as for a bucket that is new.
    RedirectedForNow,
}

/// What a server does that is asked to copy a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartCopy {
    Honest,
    /// 200 and an empty part, as `rclone serve s3` does.
    Empty,
    /// 200, a tag, and other bytes than asked for.
    OtherBytes,
    /// 200, with an error in it; only once.
    ErrorInSuccess,
    NotImplemented,
    /// 400 where the source is below 5 MiB, as Garage does.
    OnlyOfMuch,
    /// 412 to a condition about a source that was made of parts: it compares with a tag of its own that
    /// it tells nobody, as `OpenStack` Swift does.
    ComparesOwnTags,
}

/// How a range of an object is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// 206, as it should be.
    Partial,
    /// 200, with the right bytes and the header that says which, as `rclone serve s3` does.
    AsIfWhole,
    /// 200, with all of the object.
    Ignored,
}

/// Whether what it says to have done is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Kept,
    /// Objects that are put are not stored.
    StoresNothing,
    /// Other bytes are stored than were put.
    StoresOtherBytes,
    DeletesNothing,
}

/// What a web server answers to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Where it redirects to; `{host}` is what it was asked for at.
    pub(crate) location: Option<&'static str>,
    pub(crate) body: &'static str,
}

/// What is shown to those who ask for TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// Signed by the authority whose certificate is in [`super::Emulator::ca_file`].
    ByAuthority,
    SelfSigned,
    Expired,
    OtherHost,
}

/// What the port understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    HttpAndTls,
    /// A TLS greeting is answered as plain web servers do.
    HttpOnly,
    /// A plain request that is not in a tunnel is answered as `MinIO` does.
    TlsOnly,
}

/// A pair of keys and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) access: Access,
    /// Must come with every request.
    pub(crate) session_token: Option<String>,
    pub(crate) is_expired: bool,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Everything,
    ReadOnly,
    NoDelete,
    /// Only to read and write objects, not to list.
    NoList,
    /// Not to read objects.
    NoRead,
    /// Everything that the program's own policy grants for this root path, and nothing beside it.
    OnlyBelow(&'static str),
    Nothing,
}

impl Conduct {
    pub(super) fn new(region: &str) -> Self {
        Self {
            clock_offset_secs: 0,
            public: Public::Nothing,
            region: region.to_owned(),
            wrong_region: WrongRegion::Named,
            part_copy: PartCopy::Honest,
            ranges: Ranges::Partial,
            word: Word::Kept,
            page: None,
            certificate: Certificate::ByAuthority,
            speaks: Speaks::HttpAndTls,
            is_public_endpoint_forbidden: false,
            refusals: Vec::new(),
            hold_after: None,
            held: Held::Undone,
        }
    }
}

impl Public {
    pub(super) fn allows(self, kind: Kind) -> bool {
        let is_listing = kind == Kind::List;
        let is_reading = matches!(kind, Kind::Get | Kind::Head);
        match self {
            Self::Nothing | Self::Busy => false,
            Self::Listing => is_listing,
            Self::Reading => is_reading,
            Self::Both => is_listing || is_reading,
        }
    }
}

impl Access {
    pub(super) fn allows(self, kind: Kind) -> bool {
        match self {
            Self::Everything => true,
            Self::ReadOnly => kind.is_read(),
            Self::NoDelete => !matches!(kind, Kind::Delete | Kind::DeleteBatch),
            Self::NoList => !matches!(
                kind,
                Kind::List | Kind::ListUploads | Kind::ListBuckets | Kind::HeadBucket
            ),
            Self::NoRead => !matches!(kind, Kind::Get | Kind::Head),
            // Which of them, the keys and the prefix tell.
            Self::OnlyBelow(_) => !matches!(
                kind,
                Kind::ListBuckets | Kind::HeadBucket | Kind::Location | Kind::Other
            ),
            Self::Nothing => false,
        }
    }
}
