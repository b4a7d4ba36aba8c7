//! How a bucket is asked to write an object only if it is not there yet.

use super::error::{Fault, StorageError};
use crate::model::providers::ConditionalWrite;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a bucket is asked not to overwrite, and whether it turned out not to know that.
#[derive(Debug)]
pub(super) struct NoOverwrite {
    way: Way,
    is_refused: AtomicBool,
}

/// A header and its value.
pub(super) type Condition = (&'static str, String);

/// The requests of an upload that can carry a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The beginning of an upload in parts.
    Begin,
    /// Its end, or a write in one request.
    Make,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    IfNoneMatch,
    /// A header of the provider's own, with the value `true`.
    Own(&'static str),
}

impl NoOverwrite {
    pub(super) fn of(rule: &'static ConditionalWrite) -> Self {
        Self {
            way: match rule {
                ConditionalWrite::OwnHeader(name) => Way::Own(name),
                // A store of which nothing is known may well honour it.
                ConditionalWrite::IfNoneMatch | ConditionalWrite::Unknown => Way::IfNoneMatch,
            },
            is_refused: AtomicBool::new(false),
        }
    }

    /// The header of this request, if it carries one.
    pub(super) fn header(&self, step: Step) -> Option<Condition> {
        if self.is_refused.load(Ordering::Relaxed) {
            return None;
        }
        match (self.way, step) {
            (Way::IfNoneMatch, Step::Begin) => None,
            (Way::IfNoneMatch, Step::Make) => Some(("if-none-match", "*".to_owned())),
            (Way::Own(name), _) => Some((name, "true".to_owned())),
        }
    }

    /// Whether `made` was refused because the bucket does not know such conditions. Then it is asked without
    /// from now on: names are unique and are looked for before.
    pub(super) fn was_refused<T>(
        &self,
        made: &Result<T, StorageError>,
        condition: &mut Option<Condition>,
    ) -> bool {
        let is_unknown = made
            .as_ref()
            .is_err_and(|error| error.fault() == Fault::Unsupported);
        let was_refused = is_unknown && condition.take().is_some();
        if was_refused {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        was_refused
    }
}
