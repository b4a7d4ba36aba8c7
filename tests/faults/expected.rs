//! What must come of a backup that meets a fault.

use crate::scene::Scene;
use crate::support::{Fault, Step, When};

/// One backup that meets a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) scene: Scene,
    pub(crate) step: Step,
    pub(crate) fault: Fault,
    pub(crate) when: When,
}

/// What must come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// An archive.
    Good,
    /// An error of one of these kinds.
    Error(&'static [&'static str]),
}

impl Case {
    pub(crate) fn expected(self) -> Expected {
        let is_refused = matches!(self.fault, Fault::AccessDenied | Fault::ClockSkewed);
        if self.step == Step::ListParts && is_refused {
            // An upload that cannot be gone on with is begun anew.
            return Expected::Good;
        }
        match self.when {
            When::Always => self.expected_always(),
            _ => self.expected_once(),
        }
    }

    /// Met once.
    fn expected_once(self) -> Expected {
        // Cleaning up is nobody's business but ours.
        if self.step == Step::ListUploads {
            return Expected::Good;
        }
        match self.fault {
            // A look that is refused without a word: that nothing is there, the list tells.
            Fault::AccessDenied | Fault::ClockSkewed if self.looks_for_a_free_name() => {
                Expected::Good
            }
            // What cannot be copied or read for a copy is sent.
            Fault::AccessDenied if self.can_do_without() => Expected::Good,
            Fault::AccessDenied => Expected::Error(&["denied"]),
            Fault::ClockSkewed if self.reads_a_stranger() => Expected::Good,
            Fault::ClockSkewed => Expected::Error(self.clock_kinds()),
            Fault::NoSuchUpload if self.step == Step::ListParts => Expected::Good,
            Fault::NoSuchUpload => Expected::Error(&["no-upload"]),
            Fault::WrongEtag | Fault::MissingEtag => self.expected_of_etag(),
            _ => Expected::Good,
        }
    }

    fn can_do_without(self) -> bool {
        self.step == Step::CopyPart || self.reads_a_stranger()
    }

    /// The first bytes that are read are those of the archive that is to be continued.
    fn reads_a_stranger(self) -> bool {
        self.scene == Scene::Stranger && self.step == Step::Get
    }

    /// Where something is copied, the first look is at where it is copied from.
    fn looks_for_a_free_name(self) -> bool {
        let free_name = if self.copies() {
            When::Nth(2)
        } else {
            When::First(1)
        };
        self.step == Step::Head && self.when == free_name
    }

    fn expected_of_etag(self) -> Expected {
        match self.step {
            // Completing names each part by its tag.
            Step::UploadPart if self.fault == Fault::MissingEtag => {
                Expected::Error(&["unsupported"])
            }
            // Wherever something is copied, the copy is suspected first.
            Step::UploadPart | Step::Head if self.copies() && self.when != When::Always => {
                Expected::Good
            }
            Step::UploadPart => Expected::Error(&["damaged"]),
            Step::Head if self.fault == Fault::WrongEtag && self.when != When::First(1) => {
                Expected::Error(&["changed"])
            }
            _ => Expected::Good,
        }
    }

    fn copies(self) -> bool {
        matches!(self.scene, Scene::Increment | Scene::Stranger)
    }

    /// The answer to a HEAD has no body to say why it refuses.
    fn clock_kinds(self) -> &'static [&'static str] {
        match self.step {
            Step::Head => &["denied"],
            _ => &["clock"],
        }
    }

    /// Met again and again.
    fn expected_always(self) -> Expected {
        if self.step == Step::ListUploads {
            return Expected::Good;
        }
        match (self.fault, self.step) {
            // What cannot be copied, or not now, is sent; what is done is seen to be done, however its answer
            // is lost.
            (
                Fault::AccessDenied
                | Fault::SlowDown
                | Fault::InternalError
                | Fault::ErrorInside200
                | Fault::StallInRequest(_)
                | Fault::StallBeforeAnswer(_)
                | Fault::StallInAnswer(_),
                Step::CopyPart,
            )
            | (Fault::LostAnswer | Fault::CutAnswer, Step::Complete | Step::Put) => Expected::Good,
            (Fault::AccessDenied, _) => Expected::Error(&["denied"]),
            (Fault::ClockSkewed, _) => Expected::Error(self.clock_kinds()),
            (Fault::WrongEtag | Fault::MissingEtag, _) => self.expected_of_etag(),
            (Fault::SlowDown | Fault::InternalError | Fault::ErrorInside200, _) => {
                Expected::Error(&["busy"])
            }
            (Fault::RangeIgnored, _) => Expected::Error(&["range-ignored"]),
            _ => Expected::Error(&["unreachable", "timed-out", "stalled"]),
        }
    }
}
