//! `Run`: one backup from its beginning to its report: what is taken over, what is tried, what is tried
//! instead.

use crate::engine::backup::attempt::{Attempt, Ended, Job};
use crate::engine::backup::base::{self, Base};
use crate::engine::backup::delivery::Order;
use crate::engine::backup::index::ArchiveId;
use crate::engine::backup::live::{self, Certainty};
use crate::engine::backup::memory::Memory;
use crate::engine::backup::pack::Purpose;
use crate::engine::backup::prefix::{DeadBytes, Prefix, has_too_many_dead};
use crate::engine::backup::resume;
use crate::engine::backup::scan::Sources;
use crate::engine::context::Context;
use crate::engine::copying::Copying;
use crate::engine::error::EngineError;
use crate::engine::in_use::{InUse, in_use_below};
use crate::engine::lock::RunLock;
use crate::engine::meter::Meter;
use crate::engine::report::{BackupReport, FullBecause};
use crate::engine::request::{BackupRequest, DeletedData, Earlier};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{BackupName, Os, Phase, WhenUnchanged};
use crate::storage::{ObjectInfo, PartLimits, PartShape, Store, plan_parts};
use jiff::{Timestamp, ToSpan as _};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// A full backup comes after so many at the latest, so that a byte that went bad at the destination is
/// not carried on for ever.
const FULL_EVERY: u32 = 30;

/// Backs the folders of `request` up into one new archive, taking over from the last one what has not
/// changed; makes none where nothing changed, unless the request wants one.
///
/// Files that cannot be read become warnings. On any error or cancel nothing is listed at the
/// destination, and nothing is left there but an upload that the next run goes on with.
pub async fn backup(
    store: &Store,
    request: BackupRequest,
    context: &Context,
) -> Result<BackupReport, EngineError> {
    if request.sources.is_empty() {
        return Err(EngineError::NoSources);
    }
    let _lock = RunLock::take(context.data_dir(), &request.profile, &request.device)?;
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Sent);
    let looking = request.clone();
    let in_use = blocking(move || in_use_below(&looking.sources, &looking.excludes)).await?;
    let memory = Memory::of(context, &store.identity(), &request);
    let mut limits = store.part_limits();
    if let Some(most_parts) = memory.most_parts() {
        limits.most_parts = limits.most_parts.min(most_parts);
    }
    let mut report = loop {
        let store = store.clone().with_part_limits(limits);
        let run = Run::begin(&store, request.clone(), context, Arc::clone(&meter)).await?;
        let ended = Box::pin(run.to_its_end()).await;
        match ended.as_ref().err().and_then(too_many_parts) {
            Some(most_parts) if most_parts < limits.most_parts => {
                tracing::warn!(most_parts, "the backup begins anew with bigger parts");
                memory.note_most_parts(most_parts);
                limits.most_parts = most_parts;
            }
            _ => break ended?,
        }
    };
    // Where nothing changed, the earlier backup was not made now.
    if !report.unchanged {
        report.warnings.extend(in_use.iter().map(InUse::of_backup));
    }
    Ok(report)
}

/// How many parts the destination takes, where that is what ended a backup.
fn too_many_parts(error: &EngineError) -> Option<u32> {
    error.refusal()?.most_parts
}

/// One backup while it runs.
pub(super) struct Run {
    pub(super) started: Instant,
    pub(super) requests_before: u64,
    pub(super) job: Job,
    pub(super) memory: Memory,
    listed: Vec<ObjectInfo>,
    name: BackupName,
}

/// How much of the last archive is taken over.
enum Plan {
    /// Nothing, for this reason if it is worth telling; it is only compared with first, if there is one.
    Full(Option<Base>, Option<FullBecause>),
    /// With the size of its parts, where they must be of one size.
    Continue(Base, Prefix, u64),
}

/// What of an archive the next one takes over.
enum TakingOver {
    /// All that stands before its directory.
    Whole,
    /// Only these bytes.
    Live(Vec<Range<u64>>, DeadBytes),
}

impl Run {
    pub(super) async fn begin(
        store: &Store,
        request: BackupRequest,
        context: &Context,
        meter: Arc<Meter>,
    ) -> Result<Self, EngineError> {
        let started = Instant::now();
        let requests_before = store.requests();
        meter.begin(Phase::Connecting);
        let listed = context.or_cancelled(store.list()).await?;
        let name = free_name(store, &listed, &request)?;
        let memory = Memory::of(context, &store.identity(), &request);
        let clearing = memory.clone();
        blocking(move || {
            clearing.clear_scratch();
            Ok(())
        })
        .await?;
        meter.begin(Phase::Scanning);
        let looking = request.clone();
        let sources = blocking(move || Sources::open(&looking)).await?;
        Ok(Self {
            started,
            requests_before,
            job: Job {
                store: store.clone(),
                request,
                context: context.clone(),
                meter,
                sources: Arc::new(sources),
                folder: memory.scratch(),
            },
            memory,
            listed,
            name,
        })
    }

    pub(super) async fn to_its_end(&self) -> Result<BackupReport, EngineError> {
        if let Some(report) = Box::pin(self.go_on()).await? {
            return Ok(report);
        }
        if self.job.request.options.earlier == Earlier::NotTrusted {
            let ended = self.full().await?;
            return self.report(ended, None, 0).await;
        }
        let newest = base::newest(&self.job.store, &self.listed, &self.job.request);
        let base = match newest {
            Some(object) => {
                let opening = base::open(&self.job.store, object, &self.memory);
                Box::pin(self.job.context.or_cancelled(opening)).await?
            }
            None => None,
        };
        let is_unreadable = newest.is_some() && base.is_none();
        let plan = self.plan(base).await?;
        let (base, because) = match plan {
            Plan::Full(base, because) => {
                let unreadable = is_unreadable.then_some(FullBecause::EarlierUnreadable);
                (base, because.or(unreadable))
            }
            Plan::Continue(base, prefix, uniform_bytes) => {
                let increment = self.increment(base.clone(), prefix, uniform_bytes);
                // In a box: it is by far the largest of the ways.
                match Box::pin(increment).await {
                    Err(EngineError::CannotCopy(error)) => {
                        tracing::warn!(%error, "everything is sent instead");
                        self.memory.note_failed_copy(&error);
                        // Something has changed, or nothing would have been copied.
                        (None, Some(FullBecause::CopyFailed))
                    }
                    Ok(ended) => return self.report(ended, Some(base), 0).await,
                    Err(error) => return Err(error),
                }
            }
        };
        if let Some(base) = base
            && let Ended::Unchanged { index, tally } = self.compare(base.clone()).await?
        {
            let ended = Ended::Unchanged { index, tally };
            return self.report(ended, Some(base), 0).await;
        }
        let ended = self.full().await?;
        let mut report = self.report(ended, None, 0).await?;
        report.full_because = because;
        Ok(report)
    }

    async fn or_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, EngineError> {
        let work = async { Ok::<T, EngineError>(work.await) };
        self.job.context.or_cancelled(work).await
    }

    /// Goes on with what an interrupted run left, if it left something that can be used.
    async fn go_on(&self) -> Result<Option<BackupReport>, EngineError> {
        let (store, memory) = (&self.job.store, &self.memory);
        let looking = resume::take_up(store, &self.listed, memory, &self.job);
        let taken_up = self.job.context.or_cancelled(looking).await?;
        let kept = taken_up.as_ref().map(|up| up.start.upload_id.as_str());
        self.or_cancelled(resume::clean_up(store, kept)).await?;
        let Some(taken_up) = taken_up else {
            return Ok(None);
        };
        let start = taken_up.start;
        tracing::info!(
            key = start.key,
            bytes = taken_up.bytes,
            "going on with a backup"
        );
        let (base, prefix) = taken_up.base.unzip();
        let order_base = base.as_ref().zip(prefix.as_ref());
        let attempt = Attempt {
            purpose: Purpose::Archive,
            order: Order {
                key: start.key,
                created_secs: start.created_secs,
                generation: start.generation,
                base: order_base.map(|(base, prefix)| order_of(base, prefix)),
                uniform_bytes: start.uniform_bytes,
                folders: start.folders,
                journal: self.memory.journal(),
            },
            base: base.clone(),
            prefix,
            resumed: Some(taken_up.resumed),
            shape: self.job.store.part_shape(),
        };
        match self.job.attempt(attempt).await {
            Ok(ended) => self.report(ended, base, taken_up.bytes).await.map(Some),
            Err(error @ (EngineError::CannotGoOn | EngineError::CannotCopy(_))) => {
                tracing::warn!(%error, "the backup begins anew");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Decides how much of the last archive is taken over.
    async fn plan(&self, base: Option<Base>) -> Result<Plan, EngineError> {
        let Some(base) = base else {
            return Ok(Plan::Full(None, None));
        };
        let is_due = base.manifest.generation + 1 >= FULL_EVERY;
        if is_due {
            return Ok(Plan::Full(Some(base), Some(FullBecause::ItWasTime)));
        }
        if self.memory.copying() == Copying::Impossible {
            return Ok(Plan::Full(Some(base), Some(FullBecause::CannotCopy)));
        }
        let most_pieces = Prefix::most_pieces(self.job.store.part_limits().most_parts);
        let directory_offset = base.head.directory_offset;
        let is_uniform = self.job.store.part_shape() == PartShape::Uniform;
        let mut uniform_bytes = 0;
        let taking_over = self.taking_over(&base).await?;
        // A short archive is sent in full whatever it holds.
        let leaves_out = matches!(taking_over, TakingOver::Live(..))
            && Prefix::whole(directory_offset, most_pieces).is_some();
        let prefix = match taking_over {
            // Runs of any length do not fit parts of one size.
            TakingOver::Live(..) if is_uniform => None,
            TakingOver::Live(live, dead) => Prefix::live(live, dead, most_pieces),
            TakingOver::Whole if is_uniform => {
                uniform_bytes = self.size_of_parts(base.head.archive.size_bytes).await?;
                Prefix::uniform(directory_offset, uniform_bytes)
            }
            TakingOver::Whole => Prefix::whole(directory_offset, most_pieces),
        };
        let Some(prefix) = prefix else {
            let because = leaves_out.then_some(FullBecause::DeletedData);
            return Ok(Plan::Full(Some(base), because));
        };
        Ok(Plan::Continue(base, prefix, uniform_bytes))
    }

    /// Decides how much of an archive that can be copied is worth copying, and may be.
    async fn taking_over(&self, base: &Base) -> Result<TakingOver, EngineError> {
        let directory_offset = base.head.directory_offset;
        let is_worth_it = |live_bytes: u64| has_too_many_dead(directory_offset, live_bytes);
        if self.job.request.options.deleted_data == DeletedData::RemoveNow {
            let live = self.unchanged(base, Certainty::Sure).await?;
            return Ok(TakingOver::Live(live, DeadBytes::LeftOut));
        }
        let manifest = &base.manifest;
        let has_root = |root| self.job.sources.roots.contains(root);
        let lost_roots = !manifest.roots.iter().all(has_root);
        if lost_roots || manifest.excludes != self.job.request.excludes {
            let live = self.unchanged(base, Certainty::Likely).await?;
            let live_bytes = live.iter().map(|extent| extent.end - extent.start).sum();
            // Whoever takes a folder out of a backup does not expect its data in the next one.
            if lost_roots {
                return Ok(TakingOver::Live(live, DeadBytes::LeftOut));
            }
            if is_worth_it(live_bytes) {
                return Ok(TakingOver::Live(live, DeadBytes::Bridged));
            }
        }
        if !is_worth_it(base.head.live_bytes) {
            return Ok(TakingOver::Whole);
        }
        let known = base.clone();
        let live = blocking(move || live::all(&known)).await?;
        Ok(TakingOver::Live(live, DeadBytes::Bridged))
    }

    async fn unchanged(
        &self,
        base: &Base,
        certainty: Certainty,
    ) -> Result<Vec<Range<u64>>, EngineError> {
        let (job, known) = (self.job.clone(), base.clone());
        blocking(move || live::unchanged(&job, &known, certainty)).await
    }

    fn order(&self, generation: u32, base: Option<(&Base, &Prefix)>) -> Order {
        Order {
            key: self.job.store.key(&self.name.to_string()),
            created_secs: self.name.created.as_second(),
            generation,
            base: base.map(|(base, prefix)| order_of(base, prefix)),
            uniform_bytes: 0,
            folders: self.job.sources.folders(),
            journal: self.memory.journal(),
        }
    }

    async fn increment(
        &self,
        base: Base,
        prefix: Prefix,
        uniform_bytes: u64,
    ) -> Result<Ended, EngineError> {
        let generation = base.manifest.generation + 1;
        let attempt = Attempt {
            purpose: Purpose::Archive,
            order: Order {
                uniform_bytes,
                ..self.order(generation, Some((&base, &prefix)))
            },
            base: Some(base),
            prefix: Some(prefix),
            resumed: None,
            shape: self.job.store.part_shape(),
        };
        self.job.attempt(attempt).await
    }

    /// Finds out whether anything changed since the last archive, where only a full one could follow.
    async fn compare(&self, base: Base) -> Result<Ended, EngineError> {
        let options = &self.job.request.options;
        if options.when_unchanged == WhenUnchanged::BackUp
            || options.deleted_data == DeletedData::RemoveNow
        {
            return Ok(Ended::Changed);
        }
        let attempt = Attempt {
            purpose: Purpose::Compare,
            order: self.order(0, None),
            base: Some(base),
            prefix: None,
            resumed: None,
            shape: self.job.store.part_shape(),
        };
        self.job.attempt(attempt).await
    }

    async fn full(&self) -> Result<Ended, EngineError> {
        let mut order = self.order(0, None);
        if self.job.store.part_shape() == PartShape::Uniform {
            order.uniform_bytes = self.size_of_parts(0).await?;
        }
        let attempt = Attempt {
            purpose: Purpose::Archive,
            order,
            base: None,
            prefix: None,
            resumed: None,
            shape: self.job.store.part_shape(),
        };
        self.job.attempt(attempt).await
    }

    /// Parts of one size must be known before the first: so the folders are walked once more. `least_bytes`
    /// is how long the archive will be at least.
    async fn size_of_parts(&self, least_bytes: u64) -> Result<u64, EngineError> {
        let job = self.job.clone();
        blocking(move || {
            job.meter.find_anew();
            job.sources
                .walk(&job.context, &job.meter, &mut |_| Ok(()))?;
            let (found_bytes, _) = job.meter.found_bytes();
            let limits = job.store.part_limits();
            Ok(uniform_bytes(found_bytes.max(least_bytes), limits))
        })
        .await
    }
}

/// The size of parts of one size, for an archive of about so many bytes; it may well grow on the way.
fn uniform_bytes(expected_bytes: u64, limits: PartLimits) -> u64 {
    plan_parts(
        expected_bytes.saturating_mul(2),
        limits.planned_parts(),
        limits,
    )
}

fn order_of(base: &Base, prefix: &Prefix) -> (ArchiveId, Option<String>, Prefix) {
    let id = base.head.archive.clone();
    (id, base.etag.clone(), prefix.clone())
}

/// A name that no object has: of this second, or of the next free one.
fn free_name(
    store: &Store,
    taken: &[ObjectInfo],
    request: &BackupRequest,
) -> Result<BackupName, EngineError> {
    let mut created = Timestamp::now();
    loop {
        let name = BackupName::new(&request.profile, created, &request.device, Os::current());
        let key = store.key(&name.to_string());
        if taken.iter().all(|object| object.key != key) {
            return Ok(name);
        }
        created = created
            .checked_add(1.second())
            .map_err(|error| EngineError::Crashed(error.to_string()))?;
    }
}

/// Runs what may wait for a disk where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}
