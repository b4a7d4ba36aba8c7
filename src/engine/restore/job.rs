//! Use case: restore a backup, whole or in part. Everything is fetched and checked beside the target
//! first; only then is the target touched, and then all or nothing.

use crate::archive::ArchiveError;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, RangeReader, open};
use crate::engine::report::RestoreReport;
use crate::engine::request::{RestoreRequest, RestoreTarget};
use crate::engine::restore::fetch::{Origin, Wanted, fetch};
use crate::engine::restore::place::{Prepared, place};
use crate::engine::restore::plan::Plan;
use crate::engine::restore::survey::{Depth, Effect, Survey, Surveyor};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{EntryKind, Gap, MANIFEST_PATH, Phase};
use crate::storage::Store;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

/// Restores what `request` asks for.
///
/// Entries that are damaged or may not be written are named in the report; the rest is restored. On an
/// error or cancel the target is as it was. What was replaced is kept, so that the restore can be
/// undone.
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
    let reader = RangeReader::new(store, object.clone(), context, &meter);
    let shared = reader.shared();
    let looking = (request.clone(), context.clone());
    let looked = blocking(move || look(reader, &looking.0, &looking.1));
    let Looked {
        archive,
        failure,
        mut plan,
        survey,
    } = looked.await?;
    let origin = Origin {
        store: store.clone(),
        object,
        archive,
        failure,
        shared,
    };
    let name = request.key.rsplit('/').next().unwrap_or(&request.key);
    let (data_dir, name) = (context.data_dir().to_owned(), name.to_owned());
    plan.refused.extend(survey.refused.iter().cloned());
    let to: Vec<String> = plan
        .bases
        .iter()
        .map(|base| base.display().to_string())
        .collect();
    let preparing = {
        let to = to.clone();
        blocking(move || {
            Prepared::new(&data_dir, name, to, &survey, &plan).map(|made| (made, survey, plan))
        })
    };
    let (prepared, survey, mut plan) = preparing.await?;
    let wanted = wanted(&prepared, &survey, &plan);
    let total_bytes = wanted.iter().map(|wanted| wanted.item.size_bytes).sum();
    let files = wanted
        .iter()
        .filter(|wanted| wanted.item.kind == EntryKind::File);
    meter.begin_sized(Phase::Downloading, files.count() as u64, total_bytes);
    let fetched = fetch(&origin, wanted, context, &meter).await;
    drop(origin);
    let context = context.clone();
    let bad = match fetched {
        Ok(bad) => bad,
        Err(error) => {
            blocking(move || {
                prepared.forget();
                Ok(())
            })
            .await?;
            return Err(error);
        }
    };
    let left_out: HashSet<String> = bad.iter().map(|bad| bad.path.clone()).collect();
    plan.refused.extend(bad);
    blocking(move || {
        meter.begin(Phase::Placing);
        let placed = place(prepared, &survey, &plan, &left_out, &context)?;
        Ok(RestoreReport {
            files: placed.files,
            bytes_written: placed.bytes,
            unchanged: placed.unchanged,
            refused: plan.refused,
            undo: placed.undo,
            to,
            duration_secs: started.elapsed().as_secs_f64(),
        })
    })
    .await
}

/// What is known before anything is fetched.
struct Looked {
    archive: crate::archive::ArchiveReader<RangeReader>,
    failure: Failure,
    plan: Plan,
    survey: Survey,
}

fn look(
    reader: RangeReader,
    request: &RestoreRequest,
    context: &Context,
) -> Result<Looked, EngineError> {
    let (mut archive, failure) = open(reader)?;
    let plan = plan(&mut archive, &failure, request)?;
    let depth = Depth::Contents(context);
    let survey =
        Surveyor::new(&plan.bases, request.options, Timestamp::now(), depth).look(&plan)?;
    Ok(Looked {
        archive,
        failure,
        plan,
        survey,
    })
}

fn wanted(prepared: &Prepared, survey: &Survey, plan: &Plan) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = survey
        .files
        .iter()
        .filter(|step| matches!(step.effect, Effect::New | Effect::Replaces))
        .map(|step| Wanted {
            item: plan.items[step.item].clone(),
            path: prepared.new_path(step),
        })
        .collect();
    wanted.sort_by_key(|wanted| wanted.item.extent.start);
    wanted
}

/// Works out what to do. A damaged manifest does not keep files from a folder of their own.
fn plan(
    archive: &mut crate::archive::ArchiveReader<RangeReader>,
    failure: &Failure,
    request: &RestoreRequest,
) -> Result<Plan, EngineError> {
    let mut problem = None;
    let manifest = match archive.manifest() {
        Ok(manifest) => manifest,
        Err(error @ ArchiveError::NewerFormat { .. }) => return Err(error.into()),
        Err(error) => match (failure.take(), &request.target) {
            (Some(reason), _) => return Err(reason),
            (None, RestoreTarget::Original) => return Err(error.into()),
            (None, RestoreTarget::Folder(_) | RestoreTarget::Places(_)) => {
                problem = Some(format!("{error}, so hashes could not be compared"));
                None
            }
        },
    };
    let mut plan = Plan::new(archive.entries()?, manifest.as_ref(), request)?;
    if let Some(problem) = problem {
        plan.refuse(MANIFEST_PATH, &problem);
    }
    if archive.has_duplicate_names() {
        let reason = "some names stand in the archive twice: the last of each was taken";
        plan.refuse("(several)", reason);
    }
    let choice = crate::engine::restore::choose::Choice::of(&request.selection)?;
    let skipped = manifest.iter().flat_map(|manifest| &manifest.skipped);
    for missing in skipped.filter(|skipped| skipped.gap == Gap::Missing) {
        if choice.has(&missing.path) {
            let reason = format!("it is not in the backup: {}", missing.reason);
            plan.refuse(&missing.path, &reason);
        }
    }
    Ok(plan)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}
