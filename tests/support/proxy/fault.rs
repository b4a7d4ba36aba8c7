//! What can go wrong, and which requests it happens to.

use super::step::Step;
use std::time::Duration;

/// One way in which a request fails or is hindered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// 503 with `SlowDown`; not executed.
    SlowDown,
    /// 500 with `InternalError`; not executed.
    InternalError,
    /// Status 200, blanks, then an `<Error>` with `InternalError`, as S3 answers when a long step
    /// fails late; not executed.
    ErrorInside200,
    /// 403 with `AccessDenied`; not executed.
    AccessDenied,
    /// 403 with `RequestTimeTooSkewed`; not executed.
    ClockSkewed,
    /// 404 with `NoSuchUpload`; not executed.
    NoSuchUpload,
    /// The connection is reset when half of the body has come, or of the head where there is no
    /// body; the server gets that half.
    ResetInRequest,
    /// The request is executed; the connection is reset in the middle of the answer.
    ResetInAnswer,
    /// The request is executed; the connection is closed in good order in the middle of the answer.
    CutAnswer,
    /// The request is executed; the connection is closed without an answer.
    LostAnswer,
    /// Half of the request is taken; then nothing for this long; then it goes on.
    StallInRequest(Duration),
    /// The request is executed at once; its answer comes this much later.
    StallBeforeAnswer(Duration),
    /// Half of the answer comes; then nothing for this long; then the rest.
    StallInAnswer(Duration),
    /// Body and answer crawl at this many bytes a second.
    Drip(u64),
    /// Every `ETag` of the answer is another one of the same length.
    WrongEtag,
    /// The answer has no `ETag`, neither in its head nor in its XML.
    MissingEtag,
    /// A range is asked for; the whole object comes, with status 200.
    RangeIgnored,
}

impl Fault {
    /// Every fault once; stalls last 2 s, a drip has 16 KiB/s.
    pub(crate) const ALL: [Self; 17] = [
        Self::SlowDown,
        Self::InternalError,
        Self::ErrorInside200,
        Self::AccessDenied,
        Self::ClockSkewed,
        Self::NoSuchUpload,
        Self::ResetInRequest,
        Self::ResetInAnswer,
        Self::CutAnswer,
        Self::LostAnswer,
        Self::StallInRequest(Duration::from_secs(2)),
        Self::StallBeforeAnswer(Duration::from_secs(2)),
        Self::StallInAnswer(Duration::from_secs(2)),
        Self::Drip(16 << 10),
        Self::WrongEtag,
        Self::MissingEtag,
        Self::RangeIgnored,
    ];

    /// Whether a real line or store could do this at this step; the others are safe, but prove
    /// little.
    pub(crate) fn fits(self, step: Step) -> bool {
        match self {
            Self::ErrorInside200 => matches!(step, Step::Complete | Step::CopyPart),
            Self::NoSuchUpload => matches!(
                step,
                Step::UploadPart | Step::CopyPart | Step::ListParts | Step::Complete | Step::Abort
            ),
            Self::WrongEtag | Self::MissingEtag => matches!(
                step,
                Step::Head
                    | Step::Get
                    | Step::Put
                    | Step::UploadPart
                    | Step::CopyPart
                    | Step::Complete
            ),
            Self::RangeIgnored => step == Step::Get,
            _ => true,
        }
    }

    /// Whether the server carries out the request all the same.
    pub(crate) fn lets_the_server_act(self) -> bool {
        !matches!(
            self,
            Self::SlowDown
                | Self::InternalError
                | Self::ErrorInside200
                | Self::AccessDenied
                | Self::ClockSkewed
                | Self::NoSuchUpload
                | Self::ResetInRequest
        )
    }
}

/// Which of the requests that a rule looks at are hit, counted from the moment the rule is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The first so many.
    First(u64),
    /// Only this one; 1 is the first.
    Nth(u64),
    /// This one, twice this one, and so on; 1 is the same as [`When::Always`].
    Every(u64),
    /// All that are about a part of a higher number.
    PartAfter(u32),
    /// All.
    Always,
}

/// One rule of a proxy.
#[derive(Debug)]
pub(super) struct Rule {
    steps: Vec<Step>,
    fault: Fault,
    when: When,
    looked_at: u64,
}

impl Rule {
    pub(super) fn new(steps: &[Step], fault: Fault, when: When) -> Self {
        Self {
            steps: steps.to_vec(),
            fault,
            when,
            looked_at: 0,
        }
    }

    /// Counts a request, and gives the fault if it is hit.
    pub(super) fn look_at(&mut self, step: Step, part_number: Option<u32>) -> Option<Fault> {
        if !self.steps.contains(&step) {
            return None;
        }
        self.looked_at += 1;
        let is_hit = match self.when {
            When::First(count) => self.looked_at <= count,
            When::Nth(number) => self.looked_at == number,
            When::Every(number) => self.looked_at.is_multiple_of(number.max(1)),
            When::PartAfter(number) => part_number.is_some_and(|part| part > number),
            When::Always => true,
        };
        is_hit.then_some(self.fault)
    }
}
