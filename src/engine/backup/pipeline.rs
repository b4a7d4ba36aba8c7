//! The pipeline: walking, deciding, reading and compressing at once, each on threads of its own, with
//! everything handed on in the order of the walk and a bound on what is in memory.
//!
//! One thread walks, one decides and reads big files block by block, one for each core compresses,
//! and the caller's thread writes. The same input gives the same bytes however the threads run.

use crate::archive::{BLOCK_BYTES, EntryName, OpenEntry};
use crate::engine::backup::budget::{Budget, Permit};
use crate::engine::backup::decide::{Decision, after_comparing, decide};
use crate::engine::backup::index::{IndexEntry, Known};
use crate::engine::backup::read::{BigEnd, BigFile, READ_AGAIN, RawBlock, Stillness, hash_file};
use crate::engine::backup::scan::{Found, SourceEntry, Sources, missing};
use crate::engine::backup::work::{Change, Counted, Job, Outcome, Task, work};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::model::{Compression, EntryKind};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of files that may be in memory at once.
const BUDGET_BYTES: u64 = 32 * 1024 * 1024;
/// What one file costs besides its bytes.
const TASK_BYTES: u64 = 1024;
/// Files that are handed to a worker at once, so that small ones do not cost more to hand on than to
/// compress.
const BATCH_TASKS: usize = 64;
const BATCH_BYTES: u64 = 512 * 1024;
/// How much of what is found is handed on at once, and how far the walk may be ahead. Soon after it has
/// ended, the totals are known.
const FOUND_AT_ONCE: usize = 128;
const WALK_AHEAD: usize = 256;
/// A big file that changed while being read is read again only up to this size, because what was sent
/// of it stays as a gap.
const READ_AGAIN_BYTES: u64 = 256 * 1024 * 1024;

/// The next thing to write, in the order of the walk.
#[derive(Debug)]
pub(super) enum Item {
    /// Small things; they are ready once the worker answers.
    Batch(Receiver<Vec<Outcome>>, Permit),
    /// A big file begins, or goes on where an earlier run was interrupted.
    Big(Box<Big>),
    /// The next block of it.
    Block(PendingBlock),
    /// All of it was read.
    BigEnd(BigEnd),
    /// It cannot be used: it could not be read, or changed and will be read again.
    BigAbandoned,
    /// The walk failed.
    Failed(EngineError),
}

/// A big file on its way.
#[derive(Debug)]
pub(super) struct Big {
    pub(super) source: SourceEntry,
    pub(super) resumed: Option<OpenEntry>,
}

/// A block that a worker compresses.
#[derive(Debug)]
pub(super) struct PendingBlock {
    pub(super) compressed: Receiver<io::Result<Vec<u8>>>,
    pub(super) block_bytes: u64,
    pub(super) crc32: u32,
    _permit: Permit,
}

/// A big file of which an interrupted run has written the beginning.
#[derive(Debug)]
pub(super) struct Interrupted {
    pub(super) source: SourceEntry,
    pub(super) open: OpenEntry,
}

/// Where the pipeline begins.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) sources: &'a Sources,
    pub(super) known: Known,
    /// It is written before anything else.
    pub(super) interrupted: Option<Interrupted>,
    pub(super) level: Compression,
}

/// Runs the pipeline; `write` takes everything in order on this thread, and may end it early. Gives
/// also how many known entries were not found any more, unless it was ended early.
pub(super) fn run<T>(
    input: Input<'_>,
    (context, meter): (&Context, &Meter),
    write: impl FnOnce(&mut dyn Iterator<Item = Item>) -> Result<T, EngineError>,
) -> Result<(T, Option<u64>), EngineError> {
    let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
    let (found_sender, found) = bounded(WALK_AHEAD);
    let (job_sender, jobs) = bounded::<Job>(workers);
    let (item_sender, items) = bounded(256);
    let is_ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_ended = &is_ended;
        let sources = input.sources;
        scope.spawn(move || walk(sources, &found_sender, (context, meter)));
        for _ in 0..workers {
            let jobs = jobs.clone();
            scope.spawn(move || work(&jobs, input.level));
        }
        drop(jobs);
        let deciding = scope.spawn(move || {
            let mut dispatcher = Dispatcher {
                sources,
                known: input.known,
                jobs: job_sender,
                items: item_sender,
                is_ended,
                context,
                meter,
                budget: Budget::new(BUDGET_BYTES),
                batch: Vec::new(),
                batch_bytes: 0,
            };
            let all = dispatcher.run(input.interrupted, &found);
            all.map(|()| dispatcher.known.gone())
        });
        let written = write(&mut items.iter());
        // What is on its way holds a part of the budget that the other threads wait for.
        is_ended.store(true, Ordering::Relaxed);
        items.iter().for_each(drop);
        let gone = deciding.join();
        let crashed = |_| EngineError::Crashed("a thread of the backup failed".to_owned());
        Ok((written?, gone.map_err(crashed)?.ok()))
    })
}

fn walk(sources: &Sources, found: &Sender<Vec<Walked>>, job: (&Context, &Meter)) {
    let mut some = Vec::with_capacity(FOUND_AT_ONCE);
    let mut take = |next| {
        some.push(Ok(next));
        if some.len() < FOUND_AT_ONCE {
            return Ok(());
        }
        let full = std::mem::replace(&mut some, Vec::with_capacity(FOUND_AT_ONCE));
        let left = |_| EngineError::Crashed("nobody takes what the walk finds".to_owned());
        found.send(full).map_err(left)
    };
    if let Err(error) = sources.walk(job.0, job.1, &mut take) {
        some.push(Err(error));
    }
    // Nobody may be there to take it, and then nobody needs to.
    found.send(some).ok();
}

/// Something that the walk found, or why it ended early.
type Walked = Result<Found, EngineError>;

/// Nobody takes what comes out: the backup ends early for a reason that is known elsewhere.
#[derive(Debug)]
struct Left;

struct Dispatcher<'a> {
    sources: &'a Sources,
    known: Known,
    /// Set once nobody writes any more.
    is_ended: &'a AtomicBool,
    context: &'a Context,
    meter: &'a Meter,
    jobs: Sender<Job>,
    items: Sender<Item>,
    budget: Budget,
    batch: Vec<Task>,
    batch_bytes: u64,
}

impl Dispatcher<'_> {
    fn run(
        &mut self,
        interrupted: Option<Interrupted>,
        found: &Receiver<Vec<Walked>>,
    ) -> Result<(), Left> {
        let mut finished_early = None;
        if let Some(interrupted) = interrupted {
            finished_early = self.go_on(interrupted)?;
        }
        for found in found.iter().flatten() {
            match found {
                Ok(Found::Entry(source)) => {
                    // The same path may come under several names, and the same name from elsewhere.
                    let is_done = finished_early
                        .as_ref()
                        .is_some_and(|(path, name)| (path, name) == (&source.path, &source.name));
                    if is_done {
                        // It was written first; what is known of the name is older.
                        self.look_up(&source)?;
                        finished_early = None;
                        self.ready(Outcome::WrittenFirst)?;
                    } else {
                        self.take(source)?;
                    }
                }
                Ok(Found::Skipped(skipped)) => {
                    self.ready(Outcome::Skipped(skipped))?;
                }
                Err(error) => return self.send(Item::Failed(error)),
            }
        }
        self.flush()
    }

    fn look_up(&mut self, source: &SourceEntry) -> Result<Option<IndexEntry>, Left> {
        let name = source.name.raw.as_deref();
        let known = self.known.find(name.unwrap_or(source.name.text.as_bytes()));
        match known {
            Ok(known) => Ok(known),
            Err(error) => {
                self.send(Item::Failed(EngineError::Crashed(format!(
                    "what is known of the last backup cannot be read: {error}"
                ))))?;
                Err(Left)
            }
        }
    }

    fn take(&mut self, source: SourceEntry) -> Result<(), Left> {
        let known = self.look_up(&source)?;
        let decision = decide(&source, known);
        let is_big = source.state.size_bytes > BLOCK_BYTES as u64;
        match decision {
            Decision::New if is_big => self.read_big(&source),
            Decision::Compare(known) if is_big => self.compare_big(known, source),
            decision => {
                let is_read = matches!(decision, Decision::New | Decision::Compare(_));
                let bytes = if is_read { source.state.size_bytes } else { 0 };
                self.batch.push(Task { source, decision });
                self.batch_bytes += bytes + TASK_BYTES;
                self.flush_if_full()
            }
        }
    }

    /// Hands on what needs no work, in its turn.
    fn ready(&mut self, outcome: Outcome) -> Result<(), Left> {
        self.flush()?;
        self.hand_on(vec![outcome])
    }

    fn hand_on(&mut self, outcomes: Vec<Outcome>) -> Result<(), Left> {
        let permit = self.budget.take(TASK_BYTES * outcomes.len() as u64);
        let (reply, ready) = bounded(1);
        reply.send(outcomes).map_err(|_| Left)?;
        self.send(Item::Batch(ready, permit))
    }

    fn flush_if_full(&mut self) -> Result<(), Left> {
        if self.batch.len() >= BATCH_TASKS || self.batch_bytes >= BATCH_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Left> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let tasks = std::mem::take(&mut self.batch);
        let needs_no_work =
            |task: &Task| matches!(task.decision, Decision::Keep(_) | Decision::Touch(_));
        if tasks.iter().all(needs_no_work) {
            self.batch_bytes = 0;
            return self.hand_on(tasks.into_iter().map(Task::decided).collect());
        }
        let permit = self.budget.take(std::mem::take(&mut self.batch_bytes));
        let (reply, outcomes) = bounded(1);
        self.jobs.send(Job::Batch(tasks, reply)).map_err(|_| Left)?;
        self.send(Item::Batch(outcomes, permit))
    }

    fn send(&self, item: Item) -> Result<(), Left> {
        if self.is_ended.load(Ordering::Relaxed) {
            return Err(Left);
        }
        self.items.send(item).map_err(|_| Left)
    }

    /// Sends a big file only if its content is not what the archive has.
    fn compare_big(&mut self, known: Box<IndexEntry>, source: SourceEntry) -> Result<(), Left> {
        self.meter.working_on(&source.name.text);
        let hashed = hash_file(&source.path, &mut |bytes| self.compares(bytes));
        self.end_if_cancelled()?;
        if let Ok(Some(hashed)) = hashed
            && known.blake3 == Some(hashed.blake3)
        {
            let source = SourceEntry {
                state: hashed.state,
                ..source
            };
            match after_comparing(known, &source, hashed.identity) {
                Decision::Keep(known) => {
                    self.meter.compared();
                    let change = Change::Compared(Counted::Already);
                    return self.ready(Outcome::Kept(known, change));
                }
                Decision::Touch(known) => {
                    self.meter.compared();
                    let change = Change::Metadata(Counted::Already);
                    return self.ready(Outcome::Kept(known, change));
                }
                Decision::Compare(_) | Decision::New => {
                    self.meter.compared_in_vain();
                    return self.read_big(&source);
                }
            }
        }
        self.meter.compared_in_vain();
        self.read_big(&source)
    }

    /// Counts what was read of a big file only to compare it; an error ends the reading.
    fn compares(&self, bytes: u64) -> io::Result<()> {
        self.meter.comparing(bytes);
        if self.context.is_cancelled() || self.is_ended.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    /// Whoever writes waits for what comes next, and would not notice by itself.
    fn end_if_cancelled(&self) -> Result<(), Left> {
        if let Err(cancelled) = self.context.check_cancelled() {
            self.send(Item::Failed(cancelled))?;
            return Err(Left);
        }
        Ok(())
    }

    fn read_big(&mut self, source: &SourceEntry) -> Result<(), Left> {
        self.flush()?;
        let mut tries_left = READ_AGAIN;
        loop {
            let file = match BigFile::open(&source.path) {
                Ok(file) => file,
                Err(error) => return self.unreadable(source, &error),
            };
            let source = SourceEntry {
                state: file.state(),
                ..source.clone()
            };
            let is_retried = tries_left > 0 && source.state.size_bytes <= READ_AGAIN_BYTES;
            self.send(Item::Big(Box::new(Big {
                source: source.clone(),
                resumed: None,
            })))?;
            match self.send_blocks(file)? {
                Ok(end) if end.stillness == Stillness::Still || !is_retried => {
                    return self.send(Item::BigEnd(end));
                }
                Ok(_) => self.send(Item::BigAbandoned)?,
                Err(error) => {
                    self.send(Item::BigAbandoned)?;
                    return self.unreadable(&source, &error);
                }
            }
            tries_left -= 1;
        }
    }

    fn unreadable(&mut self, source: &SourceEntry, error: &io::Error) -> Result<(), Left> {
        self.ready(Outcome::Skipped(missing(&source.name, error)))
    }

    fn send_blocks(&mut self, mut file: BigFile) -> Result<io::Result<BigEnd>, Left> {
        loop {
            match file.next_block() {
                Ok(Some(block)) => self.send_block(block)?,
                Ok(None) => return Ok(Ok(file.end())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    fn send_block(&mut self, raw: RawBlock) -> Result<(), Left> {
        let block_bytes = raw.bytes.len() as u64;
        // The block, its compressed form and its dictionary.
        let permit = self.budget.take(block_bytes * 2);
        let crc32 = raw.crc32;
        let (reply, compressed) = bounded(1);
        self.jobs.send(Job::Block(raw, reply)).map_err(|_| Left)?;
        self.send(Item::Block(PendingBlock {
            compressed,
            block_bytes,
            crc32,
            _permit: permit,
        }))
    }

    /// Goes on with a big file where an earlier run stopped, if it is still what it was and still to be
    /// backed up under its name. Tells which it is if so; what was written of it is a gap otherwise.
    fn go_on(&mut self, interrupted: Interrupted) -> Result<Option<(PathBuf, EntryName)>, Left> {
        let Interrupted { source, open } = interrupted;
        if !self.sources.reach(&source.path, &source.name) {
            return Ok(None);
        }
        self.meter.working_on(&source.name.text);
        let file = reopen(&source, &open, &mut |bytes| self.compares(bytes));
        self.end_if_cancelled()?;
        let Some(file) = file else {
            self.meter.compared_in_vain();
            return Ok(None);
        };
        self.meter.compared();
        let named = (source.path.clone(), source.name.clone());
        self.send(Item::Big(Box::new(Big {
            source,
            resumed: Some(open),
        })))?;
        match self.send_blocks(file)? {
            Ok(end) if end.stillness == Stillness::Still => {
                self.send(Item::BigEnd(end))?;
                Ok(Some(named))
            }
            Ok(_) | Err(_) => {
                self.send(Item::BigAbandoned)?;
                Ok(None)
            }
        }
    }
}

/// The file of an interrupted entry, read up to where it goes on; `None` where it has changed.
fn reopen(
    source: &SourceEntry,
    open: &OpenEntry,
    each: &mut dyn FnMut(u64) -> io::Result<()>,
) -> Option<BigFile> {
    let mut file = BigFile::open(&source.path).ok()?;
    if source.kind != EntryKind::File || file.state() != source.state {
        return None;
    }
    let crc32 = file.skip(open.size_bytes(), each).ok()?;
    (crc32 == open.crc32()).then_some(file)
}
