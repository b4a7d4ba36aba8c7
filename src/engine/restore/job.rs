//! Use case: restore a backup, whole or in part. Everything is fetched and checked beside the target
//! first; only then is the target touched, and then all or nothing.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::in_use::{AppFolder, InUse, app_folders, in_use};
use crate::engine::inside::{Contents, EntryReader, Opened, look_at_end, open_archive, open_kept};
use crate::engine::meter::Meter;
use crate::engine::report::{RestorePreview, RestoreReport};
use crate::engine::request::{
    OnConflict, PreviewDepth, RestoreRequest, RestoreTarget, RunningApps, Selection,
};
use crate::engine::restore::alike::matching_of;
use crate::engine::restore::app_data::fit;
use crate::engine::restore::choose::Choice;
use crate::engine::restore::databases::{complete, keep_torn, leave_out_torn};
use crate::engine::restore::fetch::{Origin, Wanted, fetch};
use crate::engine::restore::foresee::foresee;
use crate::engine::restore::own_folders::check_not_own;
use crate::engine::restore::place::{Prepared, place};
use crate::engine::restore::plan::{Item, Plan, Role, Trust, path_of};
use crate::engine::restore::survey::{Effect, FileStep, Survey};
use crate::engine::restore::surveyor::{Depth, Surveyor};
use crate::engine::restore::target_lock::TargetLock;
use crate::engine::restore::undo::hold_settled;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{EntryKind, Gap, MANIFEST_PATH, Phase, Warning};
use crate::storage::{ObjectInfo, Store};
use jiff::Timestamp;
use std::collections::HashSet;
use std::path::PathBuf;
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
    let looked = look(store, &request, context, &meter, Purpose::Restore).await?;
    let Looked {
        origin,
        plan,
        survey,
        warnings,
        held: _held,
    } = looked;
    let mut refused = plan.refused.clone();
    refused.extend(survey.refused.iter().cloned());
    let to = folders_of(&plan);
    let task = Arc::new(Task { plan, survey });
    let prepared = {
        let (task, context, to) = (Arc::clone(&task), context.clone(), to.clone());
        let name = name_of(&request.key);
        blocking(move || Prepared::new(context.data_dir(), name, to, &task.survey, &task.plan))
    };
    let prepared = prepared.await?;
    let fetched = match download(&origin, &prepared, &task, context, &meter).await {
        Ok(bad) => bad,
        Err(error) => {
            let forgetting = blocking(move || {
                prepared.forget();
                Ok(())
            });
            forgetting.await?;
            return Err(error);
        }
    };
    drop(origin);
    let mut left_out: HashSet<String> = fetched.iter().map(|bad| bad.path.clone()).collect();
    refused.extend(fetched);
    refused.extend(leave_out_torn(&task.plan, &task.survey, &mut left_out));
    meter.begin(Phase::Placing);
    let context = context.clone();
    let placing = blocking(move || place(prepared, &task.survey, &task.plan, &left_out, &context));
    let placed = placing.await?;
    refused.extend(placed.refused);
    Ok(RestoreReport {
        files: placed.files,
        bytes_written: placed.bytes,
        unchanged: placed.unchanged,
        removed: placed.removed,
        refused,
        warnings,
        undo: placed.undo,
        no_undo: placed.no_undo,
        to,
        duration_secs: started.elapsed().as_secs_f64(),
    })
}

/// Says what restoring what `request` asks for would do, and does nothing.
///
/// What the restore refuses is refused here, but for damage that only reading shows. Links of other
/// programs' archives are read, because where they lead decides. Files that look as they should, by their size
/// and time, are read only where `depth` asks for it.
pub async fn preview(
    store: &Store,
    request: RestoreRequest,
    depth: PreviewDepth,
    context: &Context,
) -> Result<RestorePreview, EngineError> {
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    let looked = look(store, &request, context, &meter, Purpose::Preview(depth)).await?;
    let bad = bad_links(&looked, context, &meter).await?;
    let Looked {
        plan,
        survey,
        warnings,
        ..
    } = looked;
    blocking(move || {
        let mut preview = foresee(name_of(&request.key), &plan, &survey, bad);
        preview.warnings.extend(warnings);
        Ok(preview)
    })
    .await
}

/// The links that a restore would refuse for where they lead.
async fn bad_links(
    looked: &Looked,
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Vec<Warning>, EngineError> {
    let trial = tempfile::tempdir().map_err(EngineError::OwnData)?;
    let wanted = wanted(&looked.survey, &looked.plan, |step| {
        trial.path().join(step.item.to_string())
    });
    let is_in_doubt = |item: &Item| item.kind == EntryKind::Symlink && item.trust == Trust::Foreign;
    let links: Vec<Wanted> = wanted
        .into_iter()
        .filter(|wanted| is_in_doubt(&wanted.item))
        .collect();
    if links.is_empty() {
        return Ok(Vec::new());
    }
    fetch(&looked.origin, links, context, meter).await
}

/// What is to be done, shared with the threads that do it.
struct Task {
    plan: Plan,
    survey: Survey,
}

/// What is known before anything is fetched.
struct Looked {
    origin: Origin,
    plan: Plan,
    survey: Survey,
    /// What the person should know before and after.
    warnings: Vec<Warning>,
    /// Keeps others from the folders, where they are to be written to.
    held: Option<TargetLock>,
}

/// What it is looked for.
#[derive(Clone, Copy)]
enum Purpose {
    Preview(PreviewDepth),
    Restore,
}

async fn open(
    store: &Store,
    request: &RestoreRequest,
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Opened, EngineError> {
    if let Some(listed) = &request.listed {
        let listed = ObjectInfo {
            key: request.key.clone(),
            size_bytes: listed.size_bytes,
            stored: Timestamp::now(),
            etag: Some(listed.etag.clone()),
        };
        if let Some(opened) = open_kept(store, listed, context, meter).await? {
            return Ok(opened);
        }
    }
    let end = look_at_end(store, &request.key, context).await?;
    open_archive(store, end, context, meter).await
}

async fn look(
    store: &Store,
    request: &RestoreRequest,
    context: &Context,
    meter: &Arc<Meter>,
    purpose: Purpose,
) -> Result<Looked, EngineError> {
    check_not_own(request)?;
    meter.begin(Phase::Connecting);
    let opened = open(store, request, context, meter).await?;
    let (store, request, context) = (store.clone(), request.clone(), context.clone());
    blocking(move || {
        let Opened {
            object,
            contents,
            reader,
            failure,
            shared,
        } = opened;
        let folders = app_folders_of(&request);
        let (mut plan, mut warnings) = plan(contents, &reader, &request, &folders)?;
        shared.let_go();
        let in_use = in_use_of(&plan, &folders);
        let is_respected = request.options.running_apps == RunningApps::Respected;
        if let (Purpose::Restore, true, Some(app)) = (purpose, is_respected, in_use.first()) {
            return Err(EngineError::AppRunning {
                title: app.title.clone(),
                folder: app.folder.clone(),
            });
        }
        warnings.extend(in_use.iter().map(InUse::of_restore));
        let (depth, held) = match purpose {
            Purpose::Preview(PreviewDepth::Looks) => (Depth::Looks, None),
            Purpose::Preview(PreviewDepth::Contents) => (Depth::Contents(&context), None),
            Purpose::Restore => (Depth::Contents(&context), Some(hold(&plan, &context)?)),
        };
        let surveyor = Surveyor::new(&plan.bases, &request, Timestamp::now(), depth);
        let mut survey = surveyor.look(&plan)?;
        let torn = keep_torn(&mut plan, &mut survey);
        survey.refused.extend(torn);
        let origin = Origin {
            store,
            object,
            reader,
            failure,
            shared,
        };
        Ok(Looked {
            origin,
            plan,
            survey,
            warnings,
            held,
        })
    })
    .await
}

/// Keeps others from the folders of a plan; before they are looked at, or what was seen would not hold.
fn hold(plan: &Plan, context: &Context) -> Result<TargetLock, EngineError> {
    hold_settled(context.data_dir(), || {
        let bases = plan.bases.iter().map(PathBuf::as_path);
        let folders = bases.zip(plan.matchings.iter().copied());
        TargetLock::take(context.data_dir(), folders)
    })
}

/// The data folders of programs that a restore may come to.
fn app_folders_of(request: &RestoreRequest) -> Vec<AppFolder> {
    let others = match &request.target {
        RestoreTarget::Original => Vec::new(),
        RestoreTarget::Folder(folder) | RestoreTarget::AppData { folder, .. } => {
            vec![folder.clone()]
        }
        RestoreTarget::Places(places) => places.values().cloned().collect(),
    };
    app_folders(&others)
}

/// The programs that run on something that a plan replaces.
fn in_use_of(plan: &Plan, folders: &[AppFolder]) -> Vec<InUse> {
    let mut in_use = in_use(folders);
    in_use.retain(|app| {
        let mut items = plan.items.iter();
        items.any(|item| app.has(&path_of(&plan.bases, item)))
    });
    in_use
}

async fn download(
    origin: &Origin,
    prepared: &Prepared,
    task: &Task,
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Vec<Warning>, EngineError> {
    let wanted = wanted(&task.survey, &task.plan, |step| prepared.new_path(step));
    let bytes = wanted.iter().map(|wanted| wanted.item.size_bytes).sum();
    let files = wanted
        .iter()
        .filter(|wanted| wanted.item.kind == EntryKind::File);
    meter.begin_sized(Phase::Downloading, files.count() as u64, bytes);
    fetch(origin, wanted, context, meter).await
}

fn name_of(key: &str) -> String {
    key.rsplit('/').next().unwrap_or(key).to_owned()
}

fn folders_of(plan: &Plan) -> Vec<String> {
    plan.bases
        .iter()
        .map(|base| base.display().to_string())
        .collect()
}

/// What is to be fetched, in the order of the archive, and where `path_of_step` has it go.
fn wanted(
    survey: &Survey,
    plan: &Plan,
    path_of_step: impl Fn(&FileStep) -> PathBuf,
) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = survey
        .files
        .iter()
        .filter(|step| matches!(step.effect, Effect::New | Effect::Replaces))
        .map(|step| Wanted {
            item: Arc::clone(&plan.items[step.item]),
            path: path_of_step(step),
        })
        .collect();
    wanted.sort_by_key(|wanted| wanted.item.extent.start);
    wanted
}

/// Works out what to do. A damaged manifest does not keep files from a folder of their own.
fn plan(
    contents: Contents,
    reader: &EntryReader,
    request: &RestoreRequest,
    folders: &[AppFolder],
) -> Result<(Plan, Vec<Warning>), EngineError> {
    let Contents {
        manifest,
        entries,
        damage,
    } = contents;
    let problem = match (damage, &request.target) {
        (None, _) => None,
        (Some(error), RestoreTarget::Original) => return Err(error.into()),
        (
            Some(error),
            RestoreTarget::Folder(_) | RestoreTarget::Places(_) | RestoreTarget::AppData { .. },
        ) => Some(format!("{error}, so hashes could not be compared")),
    };
    let fitted = fit(request, entries, manifest.as_ref())?;
    let choice = Choice::of(&request.selection)?;
    let (entries, manifest) = (&fitted.entries, manifest.as_ref());
    let mut plan = Plan::new(entries, manifest, &fitted.request, &matching_of)?;
    if request.options.on_conflict == OnConflict::Replace {
        complete(&mut plan, folders, entries, &choice);
    }
    let left_out = fitted.left_out.into_iter();
    plan.refused
        .extend(left_out.filter(|left_out| choice.has(&left_out.path)));
    if let Some(problem) = problem {
        plan.refuse(MANIFEST_PATH, &problem);
    }
    for name in reader.duplicate_names()? {
        if choice.has(name.trim_end_matches('/')) {
            plan.refuse(
                &name,
                "the archive has it several times: the last was taken",
            );
        }
    }
    let skipped = manifest.into_iter().flat_map(|manifest| &manifest.skipped);
    for missing in skipped.filter(|skipped| skipped.gap == Gap::Missing) {
        if choice.has(&missing.path) {
            let reason = format!("it is not in the backup: {}", missing.reason);
            plan.refuse(&missing.path, &reason);
        }
    }
    let is_all = request.selection == Selection::All;
    let has_wanted = plan.items.iter().any(|item| item.role == Role::Wanted);
    if !is_all && !has_wanted && plan.refused.is_empty() {
        return Err(EngineError::NothingChosen);
    }
    Ok((plan, fitted.warnings))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}
