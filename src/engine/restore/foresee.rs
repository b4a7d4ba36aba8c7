//! What a restore would do, for people: before it does anything.

use crate::engine::report::{Foreseen, ForeseenEffect, RestorePreview, Room};
use crate::engine::restore::place::rooms;
use crate::engine::restore::plan::Plan;
use crate::engine::restore::survey::{Effect, Survey};
use crate::model::{EntryKind, Warning, bytes_text};
use std::collections::HashSet;

/// Tells of each file and link what would become of it; what is known to be `bad` is refused.
pub(super) fn foresee(
    backup: String,
    plan: &Plan,
    survey: &Survey,
    bad: Vec<Warning>,
) -> RestorePreview {
    let left_out: HashSet<String> = bad.iter().map(|bad| bad.path.clone()).collect();
    let mut files = Vec::with_capacity(survey.files.len() + survey.extra.len());
    let mut bytes = 0;
    for step in &survey.files {
        let item = &plan.items[step.item];
        if left_out.contains(&item.name) {
            continue;
        }
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
    refused.extend(bad);
    let rooms = rooms(survey, plan);
    let warnings = rooms.iter().filter_map(lacks_room).collect();
    RestorePreview {
        backup,
        to: plan
            .bases
            .iter()
            .map(|base| base.display().to_string())
            .collect(),
        files,
        bytes,
        rooms,
        refused,
        warnings,
    }
}

fn lacks_room(room: &Room) -> Option<Warning> {
    let free_bytes = room.free_bytes?;
    (free_bytes < room.needed_bytes).then(|| Warning {
        path: room.folder.display().to_string(),
        reason: format!(
            "there is not enough room, so that nothing would be restored: {} are needed and {} are free",
            bytes_text(room.needed_bytes),
            bytes_text(free_bytes)
        ),
    })
}
