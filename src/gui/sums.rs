//! Long lists with their sums, so that no frame adds them up again.

use crate::engine::{Difference, DifferenceKind, ForeseenEffect, RestorePreview};

/// What changed from one backup to another.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    /// Every file and link.
    pub list: Vec<Difference>,
    /// Of each kind that is there, how many and how many bytes.
    pub sums: Vec<(DifferenceKind, u64, u64)>,
}

/// What a restore would do, with its sums.
#[derive(Debug, Clone)]
pub(crate) struct Foreseen {
    /// Every file and link.
    pub preview: RestorePreview,
    /// Of each effect that is there, how many files and links have it; what matters most comes first.
    pub counts: Vec<(ForeseenEffect, u64)>,
}

impl Changes {
    /// With sums.
    pub(crate) fn of(list: Vec<Difference>) -> Self {
        let kinds = [
            DifferenceKind::Added,
            DifferenceKind::Changed,
            DifferenceKind::Removed,
        ];
        let sum = |kind| {
            let of_kind = list.iter().filter(|difference| difference.kind == kind);
            of_kind.fold((kind, 0, 0), |(kind, count, bytes), one| {
                (
                    kind,
                    count + 1,
                    bytes + one.after_bytes.max(one.before_bytes),
                )
            })
        };
        let sums = kinds.map(sum).into_iter();
        Self {
            sums: sums.filter(|(_, count, _)| *count > 0).collect(),
            list,
        }
    }
}

impl Foreseen {
    /// With sums.
    pub(crate) fn of(preview: RestorePreview) -> Self {
        let effects = [
            ForeseenEffect::Removed,
            ForeseenEffect::Replaced,
            ForeseenEffect::New,
            ForeseenEffect::Kept,
            ForeseenEffect::Unchanged,
        ];
        let counts = effects.map(|effect| (effect, preview.count(effect)));
        Self {
            counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
            preview,
        }
    }
}
