//! Fetches what a restore needs and has it unpacked: requests of several neighbours at once, a bounded
//! number of them on the way, and threads that unpack what came.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::inside::EntryReader;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, Loan, Shared};
use crate::engine::restore::plan::Item;
use crate::engine::restore::ranges::{Group, REQUEST_BYTES, group};
use crate::engine::restore::unpack::{UnpackError, Unpacker};
use crate::model::Warning;
use crate::storage::{ObjectInfo, Store};
use futures_util::{StreamExt as _, stream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

/// Requests on the way at once.
const REQUESTS_AT_ONCE: usize = 8;
/// Bytes that were fetched, or are being fetched, and are not unpacked yet.
const MOST_WAITING_BYTES: u64 = 16 * 1024 * 1024;
/// What a thread that unpacks reads at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// An item and where its content goes.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) item: Arc<Item>,
    pub(super) path: PathBuf,
}

/// Where things come from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) store: Store,
    pub(super) object: ObjectInfo,
    pub(super) reader: EntryReader,
    pub(super) failure: Failure,
    pub(super) shared: Shared,
}

/// Entries that are unpacked together, and what is kept for them until they are.
struct Batch {
    wanted: Vec<Wanted>,
    _loan: Loan,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Fetches everything that is wanted, which must be in the order of the archive. Gives those that are bad,
/// by name, and why; all others are where they should be.
pub(super) async fn fetch(
    origin: &Origin,
    wanted: Vec<Wanted>,
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Vec<Warning>, EngineError> {
    let extents: Vec<_> = wanted
        .iter()
        .map(|wanted| wanted.item.extent.clone())
        .collect();
    let groups = group(&extents);
    let (sender, receiver) = mpsc::channel(1);
    let receiver = Arc::new(Mutex::new(receiver));
    let bad = Arc::new(Mutex::new(Vec::new()));
    let mut threads = JoinSet::new();
    let count = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8));
    for _ in 0..count.min(groups.len().max(1)) {
        let (origin, receiver, bad) = (origin.clone(), Arc::clone(&receiver), Arc::clone(&bad));
        let (context, meter) = (context.clone(), Arc::clone(meter));
        threads.spawn_blocking(move || unpack_all(origin, &receiver, &bad, &context, &meter));
    }
    let bringing = bring(origin, groups, wanted, meter, sender);
    let brought = context.or_cancelled(bringing).await;
    // A thread's own failure says more than that nobody took what was brought.
    drop(receiver);
    while let Some(ended) = threads.join_next().await {
        ended.map_err(|crash| EngineError::Crashed(crash.to_string()))??;
    }
    brought?;
    let mut bad = bad.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *bad))
}

/// Brings group after group to whoever unpacks them.
async fn bring(
    origin: &Origin,
    groups: Vec<Group>,
    wanted: Vec<Wanted>,
    meter: &Arc<Meter>,
    sender: mpsc::Sender<Batch>,
) -> Result<(), EngineError> {
    let room = usize::try_from(MOST_WAITING_BYTES / 1024).unwrap_or(usize::MAX);
    let room = Arc::new(Semaphore::new(room));
    let mut wanted = wanted.into_iter();
    let batches = groups.into_iter().map(|group| {
        let members: Vec<Wanted> = wanted.by_ref().take(group.members.len()).collect();
        fetch_group(origin, group, members, Arc::clone(&room), Arc::clone(meter))
    });
    let mut batches = stream::iter(batches).buffered(REQUESTS_AT_ONCE);
    while let Some(batch) = batches.next().await {
        if sender.send(batch?).await.is_err() {
            // The threads have ended, and one of them says why.
            break;
        }
    }
    Ok(())
}

async fn fetch_group(
    origin: &Origin,
    group: Group,
    wanted: Vec<Wanted>,
    room: Arc<Semaphore>,
    meter: Arc<Meter>,
) -> Result<Batch, EngineError> {
    let bytes = group.range.end - group.range.start;
    if bytes > REQUEST_BYTES {
        // The thread that unpacks it reads it as it comes.
        return Ok(Batch {
            wanted,
            _loan: origin.shared.read_in_order(group.range),
            _permit: None,
        });
    }
    let needed = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    let permit = room.acquire_many_owned(needed).await;
    let permit = permit.map_err(|_| EngineError::Cancelled)?;
    let ObjectInfo { key, etag, .. } = &origin.object;
    let offset = group.range.start;
    let fetched = origin.store.read(key, group.range, etag.as_deref()).await?;
    meter.add_transferred(fetched.len() as u64);
    Ok(Batch {
        wanted,
        _loan: origin.shared.lend(offset, fetched),
        _permit: Some(permit),
    })
}

/// Unpacks batch after batch until none comes any more.
fn unpack_all(
    origin: Origin,
    batches: &Mutex<mpsc::Receiver<Batch>>,
    bad: &Mutex<Vec<Warning>>,
    context: &Context,
    meter: &Meter,
) -> Result<(), EngineError> {
    let mut unpacker = Unpacker {
        reader: origin.reader,
        failure: origin.failure,
        context,
        meter,
        buffer: vec![0; BUFFER_BYTES],
    };
    loop {
        let next = {
            let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.blocking_recv()
        };
        let Some(batch) = next else {
            return Ok(());
        };
        for wanted in &batch.wanted {
            match unpacker.unpack(&wanted.item, &wanted.path) {
                Ok(()) => {}
                Err(UnpackError::Job(error)) => {
                    // Whoever brings more must not wait for this thread.
                    batches
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .close();
                    return Err(error);
                }
                Err(UnpackError::Entry(reason)) => {
                    let path = wanted.item.name.clone();
                    let mut bad = bad.lock().unwrap_or_else(PoisonError::into_inner);
                    bad.push(Warning { path, reason });
                }
            }
        }
    }
}
