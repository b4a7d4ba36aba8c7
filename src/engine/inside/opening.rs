//! Opening an archive at a destination with as few requests as possible: its end in one, its directory and
//! what stands right before it in a second, and older lists of ours side by side in a third step. What
//! was read is kept on this computer for the next time: of archives of ours what they say, of others the
//! bytes that are needed to open them.

use super::contents::Contents;
use super::entry_reader::EntryReader;
use super::kept::{Kept, What};
use crate::archive::{ArchiveReader, TAIL_BYTES, Tail};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, RangeReader, Shared, open};
use crate::storage::{ObjectInfo, Store};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the end that are fetched first: all that is needed of a small archive.
const FIRST_BYTES: u64 = 256 * 1024;
/// What is needed to open larger archives than this is read piece by piece, as it is needed.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Requests at once.
const REQUESTS_AT_ONCE: usize = 4;
/// Bytes of one request.
const REQUEST_BYTES: u64 = 16 * 1024 * 1024;

/// An archive at a destination, opened.
#[derive(Debug)]
pub(in crate::engine) struct Opened {
    /// What it is.
    pub(in crate::engine) object: ObjectInfo,
    /// What it says of all that it holds.
    pub(in crate::engine) contents: Contents,
    /// Reads what it holds.
    pub(in crate::engine) reader: EntryReader,
    /// The true reason when reading fails.
    pub(in crate::engine) failure: Failure,
    /// What all readers of it share.
    pub(in crate::engine) shared: Shared,
}

/// Some of an archive's bytes.
type Piece = (u64, Bytes);

/// Looks at the object and its last bytes.
pub(in crate::engine) async fn look_at_end(
    store: &Store,
    key: &str,
    context: &Context,
) -> Result<(ObjectInfo, Bytes), EngineError> {
    context.or_cancelled(store.read_end(key, FIRST_BYTES)).await
}

/// Opens this version of an archive with what is kept of it; `None` where nothing is.
pub(in crate::engine) async fn open_kept(
    store: &Store,
    listed: ObjectInfo,
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Option<Opened>, EngineError> {
    let opening = Opening {
        store,
        object: listed,
        context,
        meter,
    };
    if let Some(opened) = opening.by_kept_contents().await? {
        return Ok(Some(opened));
    }
    let kept = opening.kept(What::Ending);
    if !kept.is_some_and(|kept| kept.is_there()) {
        return Ok(None);
    }
    opening.by_directory(Bytes::new()).await.map(Some)
}

/// Opens the archive whose end was looked at.
pub(in crate::engine) async fn open_archive(
    store: &Store,
    (object, last): (ObjectInfo, Bytes),
    context: &Context,
    meter: &Arc<Meter>,
) -> Result<Opened, EngineError> {
    let opening = Opening {
        store,
        object,
        context,
        meter,
    };
    match opening.by_kept_contents().await? {
        Some(opened) => Ok(opened),
        None => opening.by_directory(last).await,
    }
}

struct Opening<'a> {
    store: &'a Store,
    object: ObjectInfo,
    context: &'a Context,
    meter: &'a Arc<Meter>,
}

impl Opening<'_> {
    fn kept(&self, what: What) -> Option<Kept> {
        Kept::of(self.context, self.store, &self.object, what)
    }

    fn reader(&self) -> RangeReader {
        RangeReader::new(self.store, self.object.clone(), self.context, self.meter)
    }

    /// Opens an archive of ours of which it is kept what it says.
    async fn by_kept_contents(&self) -> Result<Option<Opened>, EngineError> {
        let Some(kept) = self.kept(What::Contents).filter(Kept::is_there) else {
            return Ok(None);
        };
        let contents = blocking(move || Ok(Contents::load(&kept))).await?;
        let reader = self.reader();
        Ok(contents.map(|contents| Opened {
            object: self.object.clone(),
            contents,
            failure: reader.failure(),
            shared: reader.shared(),
            reader: EntryReader::ByPlace(reader),
        }))
    }

    /// Opens any archive, of which the last bytes may be known.
    async fn by_directory(self, last: Bytes) -> Result<Opened, EngineError> {
        let reader = self.reader();
        let shared = reader.shared();
        let kept = self.kept(What::Ending);
        let pieces: Option<Vec<Piece>> = kept.as_ref().and_then(Kept::load);
        let is_known = pieces.is_some();
        match pieces {
            Some(pieces) => {
                for (offset, bytes) in pieces {
                    shared.keep(offset, bytes);
                }
            }
            None => self.fetch_directory(last, &shared).await?,
        }
        let by_place = reader.clone();
        let (archive, failure) = blocking(move || open(reader)).await?;
        if !is_known {
            self.fetch_own_entries(&archive, &shared).await?;
        }
        // Of a small archive one request is all there is to save.
        let is_worth_keeping = !is_known && self.object.size_bytes > FIRST_BYTES;
        let keeping = Keeping {
            contents: self.kept(What::Contents).filter(|_| is_worth_keeping),
            ending: kept.filter(|_| is_worth_keeping),
        };
        let object = self.object;
        blocking(move || {
            let (contents, reader) = keeping.read(archive, by_place, &failure, &shared)?;
            Ok(Opened {
                object,
                contents,
                reader,
                failure,
                shared,
            })
        })
        .await
    }

    /// Fetches the directory and what stands right before it: in our archives the manifest and the
    /// newest list of entries, which take from one to two thirds of the bytes of the directory, the more the
    /// shorter the names are.
    async fn fetch_directory(&self, last: Bytes, shared: &Shared) -> Result<(), EngineError> {
        let size_bytes = self.object.size_bytes;
        let Some(last_offset) = size_bytes.checked_sub(last.len() as u64) else {
            return Ok(());
        };
        let end = &last[last
            .len()
            .saturating_sub(usize::try_from(TAIL_BYTES).unwrap_or(0))..];
        // Whatever is wrong with it, opening will say.
        let Ok(tail) = Tail::find(end, size_bytes) else {
            return Ok(());
        };
        let before_bytes = tail.directory_bytes / 4 * 3 + 64 * 1024;
        let from = tail.directory_offset.saturating_sub(before_bytes);
        if size_bytes - from <= MOST_BYTES {
            if from < last_offset {
                self.fetch(std::iter::once(from..last_offset).collect(), shared)
                    .await?;
            }
            shared.keep(last_offset, last);
        }
        Ok(())
    }

    /// Fetches what zipkeep wrote for itself and is not here yet.
    async fn fetch_own_entries(
        &self,
        archive: &ArchiveReader<RangeReader>,
        shared: &Shared,
    ) -> Result<(), EngineError> {
        let extents = archive.own_extents()?;
        let missing: Vec<Range<u64>> = extents
            .into_iter()
            .filter(|range| !shared.has(range))
            .collect();
        let bytes: u64 = missing.iter().map(|range| range.end - range.start).sum();
        if bytes > MOST_BYTES {
            return Ok(());
        }
        self.fetch(missing, shared).await
    }

    async fn fetch(&self, ranges: Vec<Range<u64>>, shared: &Shared) -> Result<(), EngineError> {
        let requests = ranges.into_iter().flat_map(pieces_of).map(|range| async {
            let (key, etag) = (&self.object.key, self.object.etag.as_deref());
            let offset = range.start;
            let bytes = self.store.read(key, range, etag).await?;
            self.meter.add_transferred(bytes.len() as u64);
            Ok::<_, EngineError>((offset, bytes))
        });
        let fetching = stream::iter(requests)
            .buffered(REQUESTS_AT_ONCE)
            .try_for_each(|(offset, bytes)| async move {
                shared.keep(offset, bytes);
                Ok(())
            });
        self.context.or_cancelled(fetching).await
    }
}

/// Where things go that are worth keeping.
struct Keeping {
    contents: Option<Kept>,
    ending: Option<Kept>,
}

impl Keeping {
    /// Reads what the archive says, and keeps what makes this needless the next time.
    fn read(
        self,
        mut archive: ArchiveReader<RangeReader>,
        by_place: RangeReader,
        failure: &Failure,
        shared: &Shared,
    ) -> Result<(Contents, EntryReader), EngineError> {
        let contents = Contents::read(&mut archive, failure)?;
        // Of several entries of one name the directory alone tells which one counts.
        if contents.manifest.is_some() && !archive.has_duplicate_names() {
            if let Some(kept) = self.contents {
                contents.keep(&kept);
            }
            return Ok((contents, EntryReader::ByPlace(by_place)));
        }
        let pieces: Vec<Piece> = shared.kept();
        if let Some(kept) = self.ending.filter(|_| !pieces.is_empty()) {
            kept.save(&pieces);
        }
        Ok((contents, EntryReader::ByDirectory(archive)))
    }
}

/// A range, in requests of a bounded size.
fn pieces_of(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let ends = range.end;
    std::iter::successors(Some(range.start), |start| Some(start + REQUEST_BYTES))
        .take_while(move |start| *start < ends)
        .map(move |start| start..ends.min(start + REQUEST_BYTES))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}
