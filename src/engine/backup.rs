//! Use case: back folders up. Scan, pack, send, complete, read back; only then it counts.

use crate::engine::catalog;
use crate::engine::context::Context;
use crate::engine::delivery::Delivery;
use crate::engine::error::EngineError;
use crate::engine::lock::RunLock;
use crate::engine::meter::Meter;
use crate::engine::pack::{Packed, pack};
use crate::engine::parts::PartSink;
use crate::engine::report::BackupReport;
use crate::engine::request::BackupRequest;
use crate::engine::scan::{Scan, scan};
use crate::model::{Backup, BackupName, Contents, Gap, Os, Phase, Warning, count_missing};
use crate::storage::{Store, plan_parts};
use jiff::{Timestamp, ToSpan as _};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Backs the folders of `request` up into one new archive.
///
/// Files that cannot be read become warnings. On any error or cancel nothing is left at the
/// destination: no object and no unfinished upload.
pub async fn backup(
    store: &Store,
    request: BackupRequest,
    context: &Context,
) -> Result<BackupReport, EngineError> {
    let started = Instant::now();
    let requests_before = store.requests();
    let meter = Arc::new(Meter::new(context));
    if request.sources.is_empty() {
        return Err(EngineError::NoSources);
    }
    let _lock = RunLock::take(context.data_dir(), &request.profile, &request.device)?;
    meter.begin(Phase::Connecting);
    let name = context.or_cancelled(free_name(store, &request)).await?;
    let key = store.key(&name.to_string());
    meter.begin(Phase::Scanning);
    let scan = scan_in_background(&request, context, &meter).await?;
    meter.begin_sized(Phase::Uploading, scan.files, scan.bytes);

    // Headers, directory and manifest come on top of the files.
    let expected_bytes = scan.bytes + scan.entries.len() as u64 * 400;
    let (part_bytes, in_flight) = plan_parts(expected_bytes);
    let (sender, parts) = mpsc::channel(1);
    let sink = PartSink::new(sender, store.part_shape(), part_bytes);
    let packing = spawn_packing(scan, request, name.created, sink, context, &meter);
    let mut delivery = Delivery::new(store, &key, in_flight);
    let delivered = deliver(&mut delivery, parts, packing, context, &meter).await;
    let packed = match delivered {
        Ok(packed) => packed,
        Err(error) => {
            delivery.take_back().await;
            return Err(error);
        }
    };
    let report = BackupReport {
        row: row_of(&key, &packed, name.created),
        backup: Some(name.to_string()),
        unchanged: false,
        created: name.created,
        files: packed.totals.files,
        bytes_total: packed.totals.bytes,
        bytes_read: packed.bytes_read,
        bytes_uploaded: delivery.sent_bytes(),
        bytes_copied: 0,
        bytes_resumed: 0,
        requests: store.requests() - requests_before,
        duration_secs: started.elapsed().as_secs_f64(),
        warnings: warnings_of(&packed),
        key,
    };
    catalog::remember(context.data_dir(), &report.row);
    Ok(report)
}

/// A name that no object has: of this second, or of the next free one.
async fn free_name(store: &Store, request: &BackupRequest) -> Result<BackupName, EngineError> {
    let taken = store.list().await?;
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

async fn scan_in_background(
    request: &BackupRequest,
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Scan, EngineError> {
    let (request, context, meter) = (request.clone(), context.clone(), Arc::clone(meter));
    tokio::task::spawn_blocking(move || scan(&request, &context, &meter))
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}

fn spawn_packing(
    scan: Scan,
    request: BackupRequest,
    created: Timestamp,
    sink: PartSink,
    context: &Context,
    meter: &Arc<Meter>,
) -> JoinHandle<Result<Packed, EngineError>> {
    let (context, meter) = (context.clone(), Arc::clone(meter));
    tokio::task::spawn_blocking(move || pack(scan, request, created, sink, (&context, &meter)))
}

/// Moves parts from the packing thread to the destination until all have arrived and are checked.
async fn deliver(
    delivery: &mut Delivery,
    mut parts: mpsc::Receiver<bytes::Bytes>,
    packing: JoinHandle<Result<Packed, EngineError>>,
    context: &Context,
    meter: &Meter,
) -> Result<Packed, EngineError> {
    let moving = async {
        while let Some(part) = parts.recv().await {
            delivery.take(part, meter).await?;
        }
        Ok::<(), EngineError>(())
    };
    let moved = context.or_cancelled(moving).await;
    // Nobody takes parts any more: a packing thread that still runs ends at its next one.
    drop(parts);
    let packed = packing
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))
        .flatten();
    moved?;
    let packed = packed?;
    meter.begin(Phase::Finishing);
    context
        .or_cancelled(delivery.complete(&packed.finished, meter))
        .await?;
    Ok(packed)
}

fn row_of(key: &str, packed: &Packed, created: Timestamp) -> Backup {
    let mut row = Backup::from_listing(key, packed.finished.archive_bytes, created);
    row.contents = Some(Contents {
        files: packed.totals.files,
        missing: count_missing(&packed.skipped),
    });
    row
}

/// What the person should know: all that was skipped but things that hold no data.
fn warnings_of(packed: &Packed) -> Vec<Warning> {
    let worth_telling = packed.skipped.iter().filter(|s| s.gap != Gap::Special);
    worth_telling
        .map(|skipped| Warning {
            path: skipped.path.clone(),
            reason: skipped.reason.clone(),
        })
        .collect()
}
