//! One attempt at a backup: the pipeline packs on threads that may block, and what comes out of it goes
//! to the destination meanwhile.

use crate::archive::ArchiveWriter;
use crate::engine::backup::arrived::Completed;
use crate::engine::backup::base::Base;
use crate::engine::backup::delivery::{Begun, Delivery, Order};
use crate::engine::backup::finish::{Title, Written, finish};
use crate::engine::backup::index::{Index, IndexReader, IndexWriter, Known};
use crate::engine::backup::pack::{ArchiveBeginning, Packed, Packing, Purpose, Tally, stopped};
use crate::engine::backup::parts::{Beginning, BegunBlock, PartSink, Shipment};
use crate::engine::backup::pipeline::{self, Input, Interrupted};
use crate::engine::backup::prefix::Prefix;
use crate::engine::backup::scan::Sources;
use crate::engine::backup::taken_over::{check_taken_over, choose};
use crate::engine::backup::taking_back::TakingBack;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::request::{BackupRequest, DeletedData};
use crate::model::{Phase, WhenUnchanged};
use crate::storage::{Fault, PartShape, StorageError, Store};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What every attempt of one backup shares.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) store: Store,
    pub(super) request: BackupRequest,
    pub(super) context: Context,
    pub(super) meter: Arc<Meter>,
    pub(super) sources: Arc<Sources>,
    /// For scratch files.
    pub(super) folder: PathBuf,
}

/// What one attempt is to do.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) purpose: Purpose,
    pub(super) order: Order,
    /// What is known of the archive that is continued or compared with.
    pub(super) base: Option<Base>,
    /// What is taken over from it; `None` where it is only compared with.
    pub(super) prefix: Option<Prefix>,
    pub(super) resumed: Option<Resumed>,
    pub(super) shape: PartShape,
}

/// What is gone on with after an interrupted run.
#[derive(Debug)]
pub(super) struct Resumed {
    pub(super) begun: Begun,
    /// Entries that it has written.
    pub(super) entries: Index,
    pub(super) interrupted: Option<Interrupted>,
    pub(super) begun_block: Option<BegunBlock>,
    pub(super) beginning: Beginning,
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) enum Ended {
    /// A new archive is there.
    Made(Box<Made>),
    /// Nothing changed; what is known may be newer all the same.
    Unchanged { index: Index, tally: Tally },
    /// Something changed, and that was all there was to find out.
    Changed,
}

/// A new archive.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) completed: Completed,
    pub(super) written: Written,
    pub(super) index: Index,
    pub(super) tally: Tally,
    pub(super) sent_bytes: u64,
    pub(super) spared_bytes: u64,
    pub(super) copied_bytes: u64,
}

/// What the packing threads give back.
enum PackEnd {
    Written(Box<(Written, Packed)>),
    Unchanged(Box<Packed>),
    Changed,
}

impl Job {
    /// Makes one attempt. On any error or cancel nothing half-made is left but what a later run can
    /// go on with.
    pub(super) async fn attempt(&self, mut attempt: Attempt) -> Result<Ended, EngineError> {
        let phase = match attempt.purpose {
            Purpose::Compare => Phase::Scanning,
            Purpose::Archive => Phase::Uploading,
        };
        self.meter.find_anew();
        self.meter.begin_found(phase);
        let mut resumed = attempt.resumed.take();
        let beginning = self.beginning(&attempt, &mut resumed).await?;
        let (begun, rest) = match resumed {
            Some(Resumed {
                begun,
                entries,
                interrupted,
                begun_block,
                ..
            }) => (Some(begun), Some((entries, interrupted, begun_block))),
            None => (None, None),
        };
        let (sender, shipments) = mpsc::channel(1);
        let uniform_bytes = attempt.order.uniform_bytes;
        let sink = PartSink::new(
            sender,
            (attempt.shape, self.store.part_limits()),
            uniform_bytes,
            beginning,
            &self.meter,
        );
        let mut delivery = Delivery::new(&self.store, attempt.order.clone(), begun);
        let job = self.clone();
        let packing = tokio::task::spawn_blocking(move || job.pack(&attempt, rest, sink));
        let delivered = self.deliver(&mut delivery, shipments, packing).await;
        match delivered {
            Ok(ended) => Ok(ended),
            Err(error) if error.leaves_progress() && delivery.can_be_left() => {
                let kept_bytes = delivery.leave().await;
                tracing::warn!(%error, kept_bytes, "the backup will be gone on with");
                Err(error)
            }
            Err(error) => {
                let left = delivery.take_back(TakingBack::after(&error)).await;
                Err(error.leaving(left))
            }
        }
    }

    /// Where the archive's bytes begin.
    async fn beginning(
        &self,
        attempt: &Attempt,
        resumed: &mut Option<Resumed>,
    ) -> Result<Beginning, EngineError> {
        let mut beginning = match resumed {
            Some(resumed) => std::mem::take(&mut resumed.beginning),
            None => Beginning {
                number: 1,
                ..Beginning::default()
            },
        };
        let (Some(prefix), Some(base)) = (&attempt.prefix, &attempt.base) else {
            return Ok(beginning);
        };
        let mut spans = prefix.spans(&base.manifest.spans);
        spans.append(&mut beginning.spans);
        beginning.spans = spans;
        if beginning.offset == 0 {
            beginning.number = prefix.copies() + 1;
            beginning.offset = prefix.bytes() - prefix.carried_bytes();
            if let Some(range) = prefix.carried() {
                let key = &base.head.archive.key;
                let reading = self.store.read(key, range, base.etag.as_deref());
                let carried = self.context.or_cancelled(reading).await?;
                beginning.carried = carried.to_vec();
            }
        }
        Ok(beginning)
    }

    fn pack(
        &self,
        attempt: &Attempt,
        rest: Option<(Index, Option<Interrupted>, Option<BegunBlock>)>,
        sink: PartSink,
    ) -> Result<PackEnd, EngineError> {
        let is_resumed = rest.is_some();
        let (entries, interrupted, begun) = match rest {
            Some((entries, interrupted, begun)) => (Some(entries), interrupted, begun),
            None => (None, None, None),
        };
        let first_list = first_list_of(attempt);
        let offset = sink.offset();
        let packing = Packing {
            writer: ArchiveWriter::after(offset, sink),
            index: IndexWriter::create(&self.folder).map_err(EngineError::OwnData)?,
            generation: attempt.order.generation,
            listed: first_list.as_ref().map(|(_, listed)| *listed),
            purpose: attempt.purpose,
            level: self.request.options.compression,
            begun,
            tally: Tally {
                skipped: self.sources.skipped.clone(),
                ..Tally::default()
            },
            context: &self.context,
            meter: &self.meter,
        };
        let input = Input {
            sources: &self.sources,
            known: known_of(attempt, entries.as_ref()).map_err(EngineError::OwnData)?,
            interrupted,
            level: self.request.options.compression,
        };
        let job = (&self.context, &*self.meter);
        let (mut packed, gone) = pipeline::run(input, job, |items| packing.run(items))?;
        if attempt.purpose == Purpose::Compare && packed.tally.changes > 0 {
            return Ok(PackEnd::Changed);
        }
        // Of an interrupted run's entries nobody counts which are gone.
        let is_same = !is_resumed && gone == Some(0) && self.is_same(attempt, &packed.tally);
        let options = &self.request.options;
        let may_skip = options.when_unchanged == WhenUnchanged::Skip
            && options.deleted_data == DeletedData::UntilWorthIt;
        if is_same && may_skip {
            // Whoever waits for parts hears that none will come.
            packed.writer = None;
            return Ok(PackEnd::Unchanged(Box::new(packed)));
        }
        if attempt.purpose == Purpose::Compare {
            return Ok(PackEnd::Changed);
        }
        if packed.tally.changes == 0
            && let Some(writer) = &mut packed.writer
        {
            writer.sink_mut().begin().map_err(stopped)?;
        }
        check_beginning(&packed)?;
        let created = Timestamp::from_second(attempt.order.created_secs);
        let title = Title {
            request: &self.request,
            created: created.unwrap_or(Timestamp::UNIX_EPOCH),
            roots: self.sources.roots.clone(),
            generation: attempt.order.generation,
            first_list,
        };
        let written = finish(&mut packed, title)?;
        Ok(PackEnd::Written(Box::new((written, packed))))
    }

    /// Whether the archive would say the same of itself.
    fn is_same(&self, attempt: &Attempt, tally: &Tally) -> bool {
        let Some(Base { manifest, .. }) = &attempt.base else {
            return false;
        };
        tally.changes == 0
            && manifest.roots == self.sources.roots
            && manifest.excludes == self.request.excludes
            && manifest.skipped == tally.skipped
    }

    /// Moves parts from the packing thread to the destination until all have arrived and are checked.
    async fn deliver(
        &self,
        delivery: &mut Delivery,
        mut shipments: mpsc::Receiver<Shipment>,
        packing: tokio::task::JoinHandle<Result<PackEnd, EngineError>>,
    ) -> Result<Ended, EngineError> {
        let moving = async {
            while let Some(shipment) = shipments.recv().await {
                match shipment {
                    Shipment::Begin => delivery.begin().await?,
                    Shipment::Part(part) => delivery.take(part).await?,
                }
            }
            Ok::<(), EngineError>(())
        };
        let moved = self.context.or_cancelled(moving).await;
        // Nobody takes parts any more: a packing thread that still runs ends at its next one.
        drop(shipments);
        let packed = packing
            .await
            .map_err(|crash| EngineError::Crashed(crash.to_string()))
            .flatten();
        moved?;
        let (written, packed) = match packed? {
            PackEnd::Written(made) => *made,
            PackEnd::Changed => return Ok(Ended::Changed),
            PackEnd::Unchanged(packed) => {
                return Ok(Ended::Unchanged {
                    index: packed.index,
                    tally: packed.tally,
                });
            }
        };
        let completing = delivery.complete(&written.finished, &self.meter);
        let completed = self.context.or_cancelled(completing).await?;
        if delivery.copied_bytes() > 0 {
            let checking =
                self.check_taken_over(&completed, &packed.index, delivery.copied_bytes());
            self.context.or_cancelled(checking).await?;
        }
        // A cancel in the last moment was missed by nobody but the poll that ended.
        self.context.check_cancelled()?;
        Ok(Ended::Made(Box::new(Made {
            completed,
            written,
            index: packed.index,
            tally: packed.tally,
            sent_bytes: delivery.sent_bytes(),
            spared_bytes: delivery.spared_bytes(),
            copied_bytes: delivery.copied_bytes(),
        })))
    }
}

impl Job {
    async fn check_taken_over(
        &self,
        completed: &Completed,
        index: &Index,
        copied_bytes: u64,
    ) -> Result<(), EngineError> {
        let object = &completed.object;
        let (index, key) = (index.again(), object.key.clone());
        let choosing = tokio::task::spawn_blocking(move || choose(&index, copied_bytes, &key));
        let chosen = choosing
            .await
            .map_err(|crash| EngineError::Crashed(crash.to_string()))?
            .map_err(EngineError::OwnData)?;
        check_taken_over(&self.store, object, chosen).await
    }
}

/// What an archive begins with must be an entry of it; where it is not any more, all must be sent.
fn check_beginning(packed: &Packed) -> Result<(), EngineError> {
    if packed.tally.beginning == ArchiveBeginning::Entry || packed.index.entries() == 0 {
        return Ok(());
    }
    let fault = StorageError::new(Fault::Changed);
    let what = "what it begins with is not wanted any more";
    Err(EngineError::CannotCopy(fault.about(what)))
}

/// The list of entries that is taken over, where everything stands where it stood.
fn first_list_of(attempt: &Attempt) -> Option<(crate::archive::EntryRecord, u32)> {
    let prefix = attempt
        .prefix
        .as_ref()
        .filter(|prefix| prefix.keeps_places())?;
    let (record, listed) = attempt.base.as_ref()?.head.lists.first()?;
    Some((prefix.record(record.clone())?, *listed))
}

fn known_of(attempt: &Attempt, entries: Option<&Index>) -> std::io::Result<Known> {
    let mut readers: Vec<(IndexReader, Option<Prefix>)> = Vec::new();
    if let Some(entries) = entries {
        readers.push((entries.read()?, None));
    }
    if let Some(base) = &attempt.base
        && (attempt.purpose == Purpose::Compare || attempt.prefix.is_some())
    {
        // Also where nothing moves, what stands after the last run may be left out.
        readers.push((base.index.read()?, attempt.prefix.clone()));
    }
    Ok(Known::new(readers))
}
