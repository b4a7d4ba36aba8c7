//! Use case: restore a whole backup. Everything is fetched and checked beside the target first; only
//! then is the target touched, and then all or nothing.

use crate::archive::ArchiveReader;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::place::Placing;
use crate::engine::plan::Plan;
use crate::engine::range_reader::{Failure, RangeReader};
use crate::engine::report::RestoreReport;
use crate::engine::request::{RestoreRequest, RestoreTarget};
use crate::engine::stage::{Fetch, FetchError, Stage};
use crate::model::{EntryKind, Phase, Warning};
use crate::storage::Store;
use std::path::Path;
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

/// Opens an archive; a failure of the destination is told as such.
pub(super) fn open(
    reader: RangeReader,
) -> Result<(ArchiveReader<RangeReader>, Failure), EngineError> {
    let failure = reader.failure();
    match ArchiveReader::open(reader) {
        Ok(archive) => Ok((archive, failure)),
        Err(error) => Err(failure.take().unwrap_or_else(|| error.into())),
    }
}

fn run(
    reader: RangeReader,
    target: &RestoreTarget,
    context: &Context,
    meter: &Meter,
) -> Result<RestoreReport, EngineError> {
    let (mut archive, failure) = open(reader)?;
    let manifest = archive
        .manifest()
        .map_err(|error| failure.take().unwrap_or_else(|| error.into()))?;
    let mut plan = Plan::new(archive.entries()?, manifest.as_ref(), target)?;
    if archive.has_duplicate_names() {
        plan.refused.push(Warning {
            path: "(several)".to_owned(),
            reason: "some names stand in the archive twice: the last of each was taken".to_owned(),
        });
    }
    drop(manifest);
    let mut stages = Vec::with_capacity(plan.bases.len());
    for (position, base) in plan.bases.iter().enumerate() {
        check_room(base, plan.bytes_at(position))?;
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
    for item in plan.items {
        context.check_cancelled()?;
        match fetch.fetch(&item, &stages[item.base]) {
            Ok(()) => ready.push(item),
            Err(FetchError::Job(error)) => return Err(error),
            Err(FetchError::Entry(reason)) => plan.refused.push(Warning {
                path: item.name,
                reason,
            }),
        }
    }
    context.check_cancelled()?;
    meter.begin(Phase::Placing);
    let in_the_way = Placing::new(&stages).place(&ready)?;
    for stage in &mut stages {
        stage.keep_folders();
    }
    let is_in_place = |name: &str| in_the_way.iter().all(|warning| warning.path != name);
    let files = ready.iter().filter(|item| item.kind == EntryKind::File);
    let placed: Vec<u64> = files
        .filter(|item| in_the_way.is_empty() || is_in_place(&item.name))
        .map(|item| item.size_bytes)
        .collect();
    plan.refused.extend(in_the_way.iter().cloned());
    Ok(RestoreReport {
        files: placed.len() as u64,
        bytes_written: placed.iter().sum(),
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

/// Says before anything is fetched that a disk cannot take it.
fn check_room(base: &Path, needed_bytes: u64) -> Result<(), EngineError> {
    let existing = base.ancestors().find(|folder| folder.is_dir());
    // Where the system does not tell, the writing itself will.
    let free_bytes = existing.and_then(|folder| fs4::available_space(folder).ok());
    match free_bytes {
        Some(free_bytes) if free_bytes < needed_bytes => Err(EngineError::NoRoom {
            path: base.to_owned(),
            needed_bytes,
            free_bytes,
        }),
        _ => Ok(()),
    }
}
