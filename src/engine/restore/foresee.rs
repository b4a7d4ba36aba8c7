//! What a restore would do, for people: before it does anything.

use crate::engine::report::{Foreseen, ForeseenEffect, RestorePreview};
use crate::engine::restore::place::rooms;
use crate::engine::restore::plan::Plan;
use crate::engine::restore::survey::{Effect, Survey};
use crate::model::EntryKind;

/// Tells of each file and link what would become of it.
pub(super) fn foresee(backup: String, plan: &Plan, survey: &Survey) -> RestorePreview {
    let mut files = Vec::with_capacity(survey.files.len() + survey.extra.len());
    let mut bytes = 0;
    for step in &survey.files {
        let item = &plan.items[step.item];
        let effect = match step.effect {
            Effect::New => ForeseenEffect::New,
            Effect::Replaces => ForeseenEffect::Replaced,
            Effect::Alike => ForeseenEffect::Unchanged,
            Effect::Kept => ForeseenEffect::Kept,
        };
        let is_written = matches!(step.effect, Effect::New | Effect::Replaces);
        if is_written && item.kind == EntryKind::File {
            bytes += item.size_bytes;
        }
        files.push(Foreseen {
            path: survey.path_of(&step.at).display().to_string(),
            entry: Some(item.name.clone()),
            effect,
            size_bytes: item.size_bytes,
        });
    }
    for extra in &survey.extra {
        files.push(Foreseen {
            path: survey.path_of(&extra.at).display().to_string(),
            entry: None,
            effect: ForeseenEffect::Removed,
            size_bytes: 0,
        });
    }
    let mut refused = plan.refused.clone();
    refused.extend(survey.refused.iter().cloned());
    RestorePreview {
        backup,
        to: plan
            .bases
            .iter()
            .map(|base| base.display().to_string())
            .collect(),
        files,
        bytes,
        rooms: rooms(survey, plan),
        refused,
    }
}
