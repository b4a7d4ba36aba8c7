//! Reading the person's files: each once if it holds still, and never a byte more than it had at first.

use crate::archive::{BLOCK_BYTES, Position, dictionary_of};
use crate::engine::backup::scan::{FileIdentity, FileState};
use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Take};
use std::path::Path;

/// How often a file is read again because it changed meanwhile.
pub(super) const READ_AGAIN: u32 = 2;

/// Whether a file held still while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stillness {
    Still,
    Changed,
}

/// A content that was read as a whole.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Before it was read.
    pub(super) state: FileState,
    pub(super) stillness: Stillness,
    /// What tells next time that nothing changed; `None` where that cannot be told.
    pub(super) identity: Option<FileIdentity>,
}

/// A small file's content, or the file itself where it has become too big for memory.
#[derive(Debug)]
pub(super) enum SmallFile {
    Content(Content),
    Grown,
}

/// Opens a file that the walk saw. What stands there now may be something else, such as a pipe that
/// nobody writes to or a link to elsewhere: neither is waited for or followed.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a file any more"))
    }
}

/// Reads a file of at most [`BLOCK_BYTES`], again if it changed while being read.
pub(super) fn read_small(path: &Path) -> io::Result<SmallFile> {
    let mut tries_left = READ_AGAIN;
    loop {
        let opened_ns = now_ns();
        let file = open(path)?;
        let state = FileState::of(&file.metadata()?);
        if state.size_bytes > BLOCK_BYTES as u64 {
            return Ok(SmallFile::Grown);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(state.size_bytes).unwrap_or(0) + 1);
        (&file).take(state.size_bytes).read_to_end(&mut bytes)?;
        let is_whole = bytes.len() as u64 == state.size_bytes;
        let stillness = if is_whole {
            stillness(&file, &state)
        } else {
            Stillness::Changed
        };
        if stillness == Stillness::Still || tries_left == 0 {
            return Ok(SmallFile::Content(Content {
                bytes,
                identity: settled(&state, stillness, opened_ns),
                state,
                stillness,
            }));
        }
        tries_left -= 1;
    }
}

/// Nanoseconds since 1970 UTC.
fn now_ns() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// What tells next time that a file has not changed since it was opened at this moment. `None` where a
/// change could not be told: it did not hold still, or its last change is so young that a further one
/// may bear the same time, because clocks of file systems tick slowly.
fn settled(state: &FileState, stillness: Stillness, opened_ns: i64) -> Option<FileIdentity> {
    const TICK_NS: i64 = 50_000_000;
    const WHOLE_SECONDS_TICK_NS: i64 = 2_000_000_000;
    let identity = state.identity?;
    let tick_ns = if identity.changed_ns % 1_000_000_000 == 0 {
        WHOLE_SECONDS_TICK_NS
    } else {
        TICK_NS
    };
    let is_old = identity.changed_ns.saturating_add(tick_ns) < opened_ns;
    (is_old && stillness == Stillness::Still).then_some(identity)
}

fn stillness(file: &File, before: &FileState) -> Stillness {
    match file.metadata() {
        Ok(after) if FileState::of(&after) == *before => Stillness::Still,
        _ => Stillness::Changed,
    }
}

/// Reads a link's target as bytes.
pub(super) fn read_link(path: &Path) -> io::Result<Vec<u8>> {
    let target = std::fs::read_link(path)?;
    Ok(target.into_os_string().into_encoded_bytes())
}

/// A big file, read block by block.
#[derive(Debug)]
pub(super) struct BigFile {
    file: Take<File>,
    state: FileState,
    opened_ns: i64,
    dictionary: Vec<u8>,
    crc32: crc32fast::Hasher,
    blake3: blake3::Hasher,
    read_bytes: u64,
    /// The next block; one is read ahead to know which is the last.
    next: Option<Vec<u8>>,
}

/// One block of a big file, ready to be compressed.
#[derive(Debug)]
pub(super) struct RawBlock {
    pub(super) bytes: Vec<u8>,
    pub(super) dictionary: Vec<u8>,
    pub(super) position: Position,
    /// Of the content up to the end of this block.
    pub(super) crc32: u32,
}

/// What is known of a big file's content once all of it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct BigEnd {
    pub(super) blake3: [u8; 32],
    pub(super) stillness: Stillness,
    /// What tells next time that nothing changed; `None` where that cannot be told.
    pub(super) identity: Option<FileIdentity>,
}

impl BigFile {
    /// Opens a file at its beginning. What it grows by later is left out: a log that grows without
    /// end must not make its entry grow without end.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let opened_ns = now_ns();
        let file = open(path)?;
        let state = FileState::of(&file.metadata()?);
        let mut big = Self {
            file: file.take(state.size_bytes),
            state,
            opened_ns,
            dictionary: Vec::new(),
            crc32: crc32fast::Hasher::new(),
            blake3: blake3::Hasher::new(),
            read_bytes: 0,
            next: None,
        };
        big.next = Some(big.read_block(BLOCK_BYTES)?);
        Ok(big)
    }

    /// What the file was when it was opened.
    pub(super) fn state(&self) -> FileState {
        self.state
    }

    /// Goes past the first `bytes`, which must be whole blocks; gives their CRC-32. `each` is told the
    /// bytes of each block and may end it.
    pub(super) fn skip(
        &mut self,
        bytes: u64,
        each: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> io::Result<u32> {
        while self.read_bytes < bytes {
            match self.next_block()? {
                Some(block) => each(block.bytes.len() as u64)?,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        if self.read_bytes == bytes {
            Ok(self.crc32.clone().finalize())
        } else {
            Err(io::Error::other("it does not end at a block"))
        }
    }

    /// The next block; `None` after the last.
    pub(super) fn next_block(&mut self) -> io::Result<Option<RawBlock>> {
        let Some(bytes) = self.next.take() else {
            return Ok(None);
        };
        let following = if bytes.len() == BLOCK_BYTES && self.file.limit() > 0 {
            Some(self.read_block(BLOCK_BYTES)?).filter(|block| !block.is_empty())
        } else {
            None
        };
        let position = if following.is_some() {
            Position::Inner
        } else {
            Position::Last
        };
        self.next = following;
        self.crc32.update(&bytes);
        self.blake3.update(&bytes);
        self.read_bytes += bytes.len() as u64;
        let before = dictionary_of(&bytes).to_vec();
        Ok(Some(RawBlock {
            dictionary: std::mem::replace(&mut self.dictionary, before),
            bytes,
            position,
            crc32: self.crc32.clone().finalize(),
        }))
    }

    fn read_block(&mut self, most_bytes: usize) -> io::Result<Vec<u8>> {
        let mut block = Vec::with_capacity(most_bytes);
        (&mut self.file)
            .take(most_bytes as u64)
            .read_to_end(&mut block)?;
        Ok(block)
    }

    /// Ends reading.
    pub(super) fn end(&self) -> BigEnd {
        let is_whole = self.read_bytes == self.state.size_bytes;
        let stillness = if is_whole {
            stillness(self.file.get_ref(), &self.state)
        } else {
            Stillness::Changed
        };
        BigEnd {
            blake3: *self.blake3.finalize().as_bytes(),
            stillness,
            identity: settled(&self.state, stillness, self.opened_ns),
        }
    }
}

/// A file that was read only for its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashed {
    pub(super) blake3: [u8; 32],
    pub(super) state: FileState,
    pub(super) identity: Option<FileIdentity>,
}

/// Reads a file for its hash; `None` where it did not hold still. `each` is told the bytes of each block
/// and may end it.
pub(super) fn hash_file(
    path: &Path,
    each: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<Option<Hashed>> {
    let opened_ns = now_ns();
    let file = open(path)?;
    let state = FileState::of(&file.metadata()?);
    let mut hasher = blake3::Hasher::new();
    let mut content = (&file).take(state.size_bytes);
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match content.read(&mut block) {
            Ok(0) => break,
            Ok(bytes) => {
                hasher.update(&block[..bytes]);
                each(bytes as u64)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let stillness = stillness(&file, &state);
    let is_whole = hasher.count() == state.size_bytes && stillness == Stillness::Still;
    Ok(is_whole.then(|| Hashed {
        blake3: *hasher.finalize().as_bytes(),
        state,
        identity: settled(&state, stillness, opened_ns),
    }))
}
