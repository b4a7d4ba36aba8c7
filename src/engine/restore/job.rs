//! Use case: restore a whole backup. Everything is fetched and checked beside the target first; only
//! then is the target touched, and then all or nothing.

use crate::archive::{ArchiveError, ArchiveReader};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, RangeReader, open};
use crate::engine::report::RestoreReport;
use crate::engine::request::{RestoreRequest, RestoreTarget};
use crate::engine::restore::place::{PlaceError, Placed, Placing, TargetState, path_of};
use crate::engine::restore::plan::{Item, Plan};
use crate::engine::restore::stage::{Fetch, FetchError, Stage};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{EntryKind, Gap, MANIFEST_PATH, Phase};
use crate::storage::Store;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Restores the archive of `request`.
///
/// Entries that are damaged or may not be written are named in the report; the rest is restored. On an
/// error or cancel the target is as it was.
pub async fn restore(
    store: &Store,
    request: RestoreRequest,
    context: &Context,
) -> Result<RestoreReport, EngineError> {
    let started = Instant::now();
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin(Phase::Connecting);
    let object = context.or_cancelled(store.head(&request.key)).await?;
    let reader = RangeReader::new(store, object, context, &meter);
    let context = context.clone();
    let working = tokio::task::spawn_blocking(move || {
        let mut report = run(reader, &request.target, &context, &meter)?;
        report.duration_secs = started.elapsed().as_secs_f64();
        Ok(report)
    });
    working
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}

fn run(
    reader: RangeReader,
    target: &RestoreTarget,
    context: &Context,
    meter: &Meter,
) -> Result<RestoreReport, EngineError> {
    let (mut archive, failure) = open(reader)?;
    let mut plan = plan(&mut archive, &failure, target)?;
    check_room(&plan)?;
    let mut stages = Vec::with_capacity(plan.bases.len());
    for base in &plan.bases {
        stages.push(Stage::new(base)?);
    }
    let total_bytes = (0..plan.bases.len()).map(|base| plan.bytes_at(base)).sum();
    meter.begin_sized(Phase::Downloading, plan.files(), total_bytes);
    let mut fetch = Fetch {
        archive: &mut archive,
        failure,
        context,
        meter,
    };
    let mut ready = Vec::with_capacity(plan.items.len());
    for item in std::mem::take(&mut plan.items) {
        context.check_cancelled()?;
        match fetch.fetch(&item, &stages[item.base]) {
            Ok(()) => ready.push(item),
            Err(FetchError::Job(error)) => return Err(error),
            Err(FetchError::Entry(reason)) => plan.refuse(&item.name, &reason),
        }
    }
    meter.begin(Phase::Placing);
    let placed = put_in_place(&mut stages, &ready, &plan.bases, context)?;
    let in_the_way: HashSet<&str> = placed.refused.iter().map(|r| r.path.as_str()).collect();
    let files = ready
        .iter()
        .filter(|item| item.kind == EntryKind::File && !in_the_way.contains(item.name.as_str()));
    let sizes: Vec<u64> = files.map(|item| item.size_bytes).collect();
    plan.refused.extend(placed.refused.iter().cloned());
    // The old goes only now, and folders get their times when nothing moves any more.
    drop(stages);
    plan.refused.extend(placed.finish(&ready, &plan.bases));
    Ok(RestoreReport {
        files: sizes.len() as u64,
        bytes_written: sizes.iter().sum(),
        refused: plan.refused,
        undo: None,
        to: plan
            .bases
            .iter()
            .map(|base| base.display().to_string())
            .collect(),
        duration_secs: 0.0,
    })
}

/// Works out what to do. A damaged manifest does not keep files from a folder of their own.
fn plan(
    archive: &mut ArchiveReader<RangeReader>,
    failure: &Failure,
    target: &RestoreTarget,
) -> Result<Plan, EngineError> {
    let mut problem = None;
    let manifest = match archive.manifest() {
        Ok(manifest) => manifest,
        Err(error @ ArchiveError::NewerFormat { .. }) => return Err(error.into()),
        Err(error) => match (failure.take(), target) {
            (Some(reason), _) => return Err(reason),
            (None, RestoreTarget::Original) => return Err(error.into()),
            (None, RestoreTarget::Folder(_)) => {
                problem = Some(format!("{error}, so hashes could not be compared"));
                None
            }
        },
    };
    let mut plan = Plan::new(archive.entries()?, manifest.as_ref(), target)?;
    if let Some(problem) = problem {
        plan.refuse(MANIFEST_PATH, &problem);
    }
    if archive.has_duplicate_names() {
        let reason = "some names stand in the archive twice: the last of each was taken";
        plan.refuse("(several)", reason);
    }
    let skipped = manifest.iter().flat_map(|manifest| &manifest.skipped);
    for missing in skipped.filter(|skipped| skipped.gap == Gap::Missing) {
        let reason = format!("it is not in the backup: {}", missing.reason);
        plan.refuse(&missing.path, &reason);
    }
    Ok(plan)
}

/// Moves everything in, with the disk told at each side of it; on an error nothing has changed, or
/// the error says where the replaced files are.
fn put_in_place(
    stages: &mut [Stage],
    ready: &[Item],
    bases: &[PathBuf],
    context: &Context,
) -> Result<Placed, EngineError> {
    let not_written = |base: &Path| {
        let path = base.to_owned();
        move |source| EngineError::Target { path, source }
    };
    for (number, stage) in stages.iter().enumerate() {
        let own = ready.iter().filter(|item| item.base == number);
        let names = own.map(|item| (item.index, path_of(bases, item)));
        stage.seal(names).map_err(not_written(stage.base()))?;
    }
    match Placing::new(stages, context).place(ready) {
        Ok(placed) => {
            for stage in stages {
                // All is in place: that the disk is slow to say so must not undo it.
                if let Err(error) = stage.sync() {
                    tracing::warn!(%error, "the disk did not confirm the restore");
                }
                stage.keep_folders();
            }
            Ok(placed)
        }
        Err(PlaceError {
            reason,
            target: TargetState::Untouched,
        }) => Err(reason),
        Err(PlaceError {
            reason,
            target: TargetState::Mixed,
        }) => {
            let kept = stages.iter_mut().filter_map(Stage::leave_behind);
            let kept: Vec<String> = kept.map(|folder| folder.display().to_string()).collect();
            Err(EngineError::HalfRestored {
                kept: kept.join(", "),
                source: Box::new(reason),
            })
        }
    }
}

/// Says before anything is fetched that a disk cannot take it.
fn check_room(plan: &Plan) -> Result<(), EngineError> {
    let mut needed_by_volume: HashMap<u64, u64> = HashMap::new();
    for (number, base) in plan.bases.iter().enumerate() {
        let Some(existing) = base.ancestors().find(|folder| folder.is_dir()) else {
            continue;
        };
        let volume = volume_of(existing).unwrap_or(u64::MAX - number as u64);
        let needed_bytes = needed_by_volume.entry(volume).or_default();
        *needed_bytes = needed_bytes.saturating_add(plan.bytes_at(number));
        // Where the system does not tell, the writing itself will.
        match fs4::available_space(existing) {
            Ok(free_bytes) if free_bytes < *needed_bytes => {
                return Err(EngineError::NoRoom {
                    path: base.clone(),
                    needed_bytes: *needed_bytes,
                    free_bytes,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(unix)]
fn volume_of(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().ok().map(|metadata| metadata.dev())
}

#[cfg(not(unix))]
fn volume_of(_folder: &Path) -> Option<u64> {
    None
}
