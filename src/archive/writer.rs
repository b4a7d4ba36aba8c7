//! `ArchiveWriter`: makes our archives, entry by entry, without ever going back.
//!
//! Bytes go to an [`ArchiveSink`] that may be on the other side of a network. The writer can go on
//! after bytes that are elsewhere ([`Prefix`]), and tells where a part may end ([`Boundary`]), so that
//! an upload can copy what a server already has and resume at a known state.

use super::block::{BLOCK_BYTES, Deflater, Level, Position, dictionary_of};
use super::record::{Header, Sizes, end_records};
use crate::model::{EntryKind, Method, Stored};
use std::io;

/// Takes the bytes of an archive in order.
pub trait ArchiveSink {
    /// Takes the next bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Hears that the bytes so far end in a state from which the writer can go on.
    fn boundary(&mut self, boundary: Boundary) -> io::Result<()>;
}

/// Where the bytes so far end. Between two boundaries lie little more than [`BLOCK_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// At the end of an entry.
    Entry,
    /// At the end of a block within a big entry.
    Block,
    /// At the end of some of the central directory's records.
    Directory,
}

/// Bytes that stand before what is written here, and are elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Prefix {
    /// How many.
    pub bytes: u64,
    /// The central directory's records of the entries among them that are kept, byte for byte.
    pub records: Vec<u8>,
    /// How many records.
    pub entries: u64,
}

/// What is known of an entry before its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryMeta {
    /// Path with `/`, UTF-8; of a folder with a `/` at the end.
    pub name: String,
    /// True bytes of a name that had to be escaped.
    pub raw_name: Option<Vec<u8>>,
    /// What it is.
    pub kind: EntryKind,
    /// The most bytes that it can have; at least 3.75 GiB chooses zip64.
    pub size_limit_bytes: u64,
    /// Last change of the content, in nanoseconds since 1970 UTC.
    pub modified_ns: i64,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes before compression.
    pub size_bytes: u64,
    /// BLAKE3 of these bytes.
    pub blake3: blake3::Hash,
    /// Where they are.
    pub stored: Stored,
}

/// What became of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Size of the whole archive, the prefix included.
    pub archive_bytes: u64,
    /// Where the central directory begins.
    pub directory_offset: u64,
    /// Entries in it.
    pub entries: u64,
    /// BLAKE3 of everything from `directory_offset` to the end.
    pub tail_blake3: blake3::Hash,
}

/// Above this a file's sizes are written with 64 bits: room for stored blocks within 32 bits.
const ZIP64_FROM_BYTES: u64 = 3_840 * 1024 * 1024;
/// Without zip64 no entry may grow beyond this: its stored blocks, too, must fit 32 bits.
const MOST_BYTES_32: u64 = 4_000 * 1024 * 1024;

/// Makes an archive, entry by entry.
#[derive(Debug)]
pub struct ArchiveWriter<S> {
    sink: S,
    offset: u64,
    records: Vec<u8>,
    entries: u64,
    deflater: Deflater,
    /// The open entry's block; kept from entry to entry for its memory.
    block: Vec<u8>,
}

impl<S: ArchiveSink> ArchiveWriter<S> {
    /// Begins an archive.
    pub fn new(sink: S, level: Level) -> Self {
        Self::after(Prefix::default(), sink, level)
    }

    /// Goes on after bytes that are elsewhere; the sink sees only what follows them.
    pub fn after(prefix: Prefix, sink: S, level: Level) -> Self {
        Self {
            sink,
            offset: prefix.bytes,
            records: prefix.records,
            entries: prefix.entries,
            deflater: Deflater::new(level),
            block: Vec::new(),
        }
    }

    /// How long the archive is so far, the prefix included.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Begins an entry. Dropping the stream unfinished leaves no entry.
    pub fn begin<'a>(&'a mut self, meta: &'a EntryMeta) -> EntryStream<'a, S> {
        self.block.clear();
        EntryStream {
            header_offset: self.offset,
            writer: self,
            meta,
            state: StreamState::Whole,
            dictionary: Vec::new(),
            crc32: crc32fast::Hasher::new(),
            blake3: blake3::Hasher::new(),
            size_bytes: 0,
            compressed_bytes: 0,
        }
    }

    /// Writes an entry whose content is at hand.
    pub fn add(&mut self, meta: &EntryMeta, content: &[u8]) -> io::Result<Written> {
        let mut stream = self.begin(meta);
        io::Write::write_all(&mut stream, content)?;
        stream.finish()
    }

    /// Writes the central directory and the end. Returns the sink, too.
    pub fn finish(mut self) -> io::Result<(Finished, S)> {
        let directory_offset = self.offset;
        let records = std::mem::take(&mut self.records);
        let mut tail_blake3 = blake3::Hasher::new();
        for piece in records.chunks(BLOCK_BYTES) {
            tail_blake3.update(piece);
            self.emit(piece)?;
            self.sink.boundary(Boundary::Directory)?;
        }
        let end = end_records(self.entries, records.len() as u64, directory_offset);
        tail_blake3.update(&end);
        self.emit(&end)?;
        self.sink.boundary(Boundary::Directory)?;
        let finished = Finished {
            archive_bytes: self.offset,
            directory_offset,
            entries: self.entries,
            tail_blake3: tail_blake3.finalize(),
        };
        Ok((finished, self.sink))
    }

    fn emit(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// How the open entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamState {
    /// It fits one block so far: nothing of it was sent.
    Whole,
    /// Its local header and some blocks were sent.
    Blocks,
}

/// The content of one entry on its way into the archive.
///
/// An entry that ends within one block is sent as a whole, with its sizes before it. A longer one is
/// sent block by block, with a data descriptor after it.
#[derive(Debug)]
pub struct EntryStream<'a, S> {
    writer: &'a mut ArchiveWriter<S>,
    meta: &'a EntryMeta,
    state: StreamState,
    header_offset: u64,
    dictionary: Vec<u8>,
    crc32: crc32fast::Hasher,
    blake3: blake3::Hasher,
    size_bytes: u64,
    compressed_bytes: u64,
}

impl<S: ArchiveSink> io::Write for EntryStream<'_, S> {
    /// Errors are those of the sink, or `InvalidInput` beyond the entry's size limit.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let limit = self.meta.size_limit_bytes.max(MOST_BYTES_32);
        if self.size_bytes + bytes.len() as u64 > limit {
            let grew = format!("{} grew beyond {limit} bytes", self.meta.name);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, grew));
        }
        if self.writer.block.len() == BLOCK_BYTES {
            self.send_block()?;
        }
        let take = bytes.len().min(BLOCK_BYTES - self.writer.block.len());
        self.writer.block.extend_from_slice(&bytes[..take]);
        self.size_bytes += take as u64;
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: ArchiveSink> EntryStream<'_, S> {
    /// Ends the entry and records it in the directory.
    pub fn finish(mut self) -> io::Result<Written> {
        let (stored, sizes) = match self.state {
            StreamState::Whole => (self.send_whole()?, Sizes::Before),
            StreamState::Blocks => (self.send_last_block()?, self.late_sizes()),
        };
        let header = header_of(self.meta, sizes);
        header.central(self.size_bytes, &stored, &mut self.writer.records);
        self.writer.entries += 1;
        self.writer.sink.boundary(Boundary::Entry)?;
        Ok(Written {
            size_bytes: self.size_bytes,
            blake3: self.blake3.finalize(),
            stored,
        })
    }

    /// Gives the entry up. What was sent of it stays as a gap, which no directory names.
    pub fn abandon(self) -> io::Result<()> {
        match self.state {
            StreamState::Whole => Ok(()),
            StreamState::Blocks => self.writer.sink.boundary(Boundary::Entry),
        }
    }

    fn late_sizes(&self) -> Sizes {
        if self.meta.size_limit_bytes >= ZIP64_FROM_BYTES {
            Sizes::After64
        } else {
            Sizes::After
        }
    }

    fn send_whole(&mut self) -> io::Result<Stored> {
        self.hash_pending();
        let ArchiveWriter {
            sink,
            offset,
            deflater,
            block,
            ..
        } = &mut *self.writer;
        let deflated = if self.meta.kind == EntryKind::File && !block.is_empty() {
            deflater.block(block, &[], Position::Last)?
        } else {
            &[]
        };
        // Storing what hardly shrinks saves readers the work.
        let shrinks = !deflated.is_empty() && deflated.len() < block.len() / 64 * 63;
        let (method, content) = if shrinks {
            (Method::Deflate, deflated)
        } else {
            (Method::Stored, block.as_slice())
        };
        let stored = Stored {
            header_offset: self.header_offset,
            compressed_bytes: content.len() as u64,
            method,
            crc32: self.crc32.clone().finalize(),
        };
        let header = header_of(self.meta, Sizes::Before).local(self.size_bytes, &stored);
        sink.write(&header)?;
        sink.write(content)?;
        *offset += header.len() as u64 + stored.compressed_bytes;
        Ok(stored)
    }

    fn send_block(&mut self) -> io::Result<()> {
        if self.state == StreamState::Whole {
            let local = header_of(self.meta, self.late_sizes()).local(0, &self.streamed());
            self.writer.emit(&local)?;
            self.state = StreamState::Blocks;
        }
        self.deflate_pending(Position::Inner)?;
        self.dictionary = dictionary_of(&self.writer.block).to_vec();
        self.writer.block.clear();
        self.writer.sink.boundary(Boundary::Block)
    }

    fn send_last_block(&mut self) -> io::Result<Stored> {
        self.deflate_pending(Position::Last)?;
        let stored = self.streamed();
        let descriptor =
            header_of(self.meta, self.late_sizes()).descriptor(self.size_bytes, &stored);
        self.writer.emit(&descriptor)?;
        Ok(stored)
    }

    fn deflate_pending(&mut self, position: Position) -> io::Result<()> {
        self.hash_pending();
        let ArchiveWriter {
            sink,
            offset,
            deflater,
            block,
            ..
        } = &mut *self.writer;
        let deflated = deflater.block(block, &self.dictionary, position)?;
        sink.write(deflated)?;
        *offset += deflated.len() as u64;
        self.compressed_bytes += deflated.len() as u64;
        Ok(())
    }

    fn hash_pending(&mut self) {
        self.crc32.update(&self.writer.block);
        self.blake3.update(&self.writer.block);
    }

    /// What is known of a streamed entry so far.
    fn streamed(&self) -> Stored {
        Stored {
            header_offset: self.header_offset,
            compressed_bytes: self.compressed_bytes,
            method: Method::Deflate,
            crc32: self.crc32.clone().finalize(),
        }
    }
}

fn header_of(meta: &EntryMeta, sizes: Sizes) -> Header<'_> {
    let file_type = match meta.kind {
        EntryKind::File => 0o100_000,
        EntryKind::Directory => 0o040_000,
        EntryKind::Symlink => 0o120_000,
    };
    Header {
        name: &meta.name,
        raw_name: meta.raw_name.as_deref(),
        modified_ns: meta.modified_ns,
        unix_mode: file_type | (meta.mode & 0o7777),
        sizes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ArchiveReader, Tail};
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Read, Seek, SeekFrom, Write as _};

    /// Keeps everything, and where it could be cut.
    #[derive(Debug, Default)]
    struct Memory {
        bytes: Vec<u8>,
        cuts: Vec<usize>,
    }

    impl ArchiveSink for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.bytes.extend_from_slice(bytes);
            Ok(())
        }

        fn boundary(&mut self, _boundary: Boundary) -> io::Result<()> {
            self.cuts.push(self.bytes.len());
            Ok(())
        }
    }

    fn meta(name: &str, kind: EntryKind, size_limit_bytes: u64) -> EntryMeta {
        EntryMeta {
            name: name.to_owned(),
            raw_name: None,
            kind,
            size_limit_bytes,
            modified_ns: 1_795_334_950_123_456_789,
            mode: 0o640,
        }
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn contents_of<R: Read + Seek>(reader: R) -> Vec<(String, Vec<u8>)> {
        let mut archive = ArchiveReader::open(reader).expect("opened");
        let entries = archive.entries().expect("listed");
        let read = |archive: &mut ArchiveReader<R>, index| {
            let mut content = Vec::new();
            let mut stream = archive.content(index, "x").expect("found");
            stream.read_to_end(&mut content).expect("its CRC fits");
            content
        };
        entries
            .into_iter()
            .map(|entry| (entry.name, read(&mut archive, entry.index)))
            .collect()
    }

    #[test]
    fn small_and_big_entries_read_back_and_parts_can_be_cut_everywhere() {
        let text = b"all work and no play makes jack a dull boy ".repeat(100_000);
        let files = [
            ("dir/", EntryKind::Directory, Vec::new()),
            ("dir/empty", EntryKind::File, Vec::new()),
            ("dir/link", EntryKind::Symlink, b"../else".to_vec()),
            ("dir/text", EntryKind::File, text.clone()),
            ("dir/one block", EntryKind::File, noise(BLOCK_BYTES)),
            ("dir/one more", EntryKind::File, noise(BLOCK_BYTES + 1)),
            (
                "dir/many",
                EntryKind::File,
                [noise(3 * BLOCK_BYTES), text].concat(),
            ),
        ];
        let mut writer = ArchiveWriter::new(Memory::default(), Level::Normal);
        for (name, kind, content) in &files {
            let limit = content.len() as u64;
            let written = writer
                .add(&meta(name, *kind, limit), content)
                .expect("written");
            assert_eq!(written.size_bytes, limit);
            assert_eq!(written.blake3, blake3::hash(content));
            assert_eq!(written.stored.crc32, crc32fast::hash(content));
        }
        let (finished, memory) = writer.finish().expect("finished");
        let tail = Tail::find(&memory.bytes, finished.archive_bytes).expect("an end");
        assert_eq!(
            (tail.directory_offset, tail.entries),
            (finished.directory_offset, 7)
        );
        let directory_offset = usize::try_from(finished.directory_offset).expect("small");
        let directory_end =
            directory_offset + usize::try_from(tail.directory_bytes).expect("small");
        tail.check_directory(&memory.bytes[directory_offset..directory_end])
            .expect("whole records");
        assert_eq!(
            finished.tail_blake3,
            blake3::hash(&memory.bytes[directory_offset..])
        );
        let longest = memory.cuts.windows(2).map(|cuts| cuts[1] - cuts[0]).max();
        assert!(longest.expect("cuts") < BLOCK_BYTES + BLOCK_BYTES / 64);
        let expected: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .map(|(name, _, content)| (name.to_owned(), content))
            .collect();
        assert_eq!(contents_of(Cursor::new(memory.bytes)), expected);
    }

    /// An archive whose first bytes are elsewhere: zeros, which nothing may need to read.
    struct Elsewhere {
        prefix_bytes: u64,
        rest: Vec<u8>,
        position: u64,
    }

    impl Read for Elsewhere {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(at) = self.position.checked_sub(self.prefix_bytes) else {
                let count = buffer
                    .len()
                    .min(usize::try_from(self.prefix_bytes - self.position).unwrap_or(usize::MAX));
                buffer[..count].fill(0);
                self.position += count as u64;
                return Ok(count);
            };
            let rest = self
                .rest
                .get(usize::try_from(at).expect("small")..)
                .unwrap_or_default();
            let count = buffer.len().min(rest.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.position += count as u64;
            Ok(count)
        }
    }

    impl Seek for Elsewhere {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let end = self.prefix_bytes + self.rest.len() as u64;
            self.position = match to {
                SeekFrom::Start(position) => position,
                SeekFrom::End(delta) => end.checked_add_signed(delta).expect("in range"),
                SeekFrom::Current(delta) => {
                    self.position.checked_add_signed(delta).expect("in range")
                }
            };
            Ok(self.position)
        }
    }

    #[test]
    fn an_archive_goes_on_after_bytes_that_are_elsewhere() {
        let mut first = ArchiveWriter::new(Memory::default(), Level::Normal);
        first
            .add(&meta("gone", EntryKind::File, 9), b"old bytes")
            .expect("written");
        first.records.clear();
        first.entries = 0;
        first
            .add(&meta("kept", EntryKind::File, 4), b"kept")
            .expect("written");
        let prefix = Prefix {
            bytes: first.offset(),
            records: first.records.clone(),
            entries: 1,
        };
        let mut second = ArchiveWriter::after(prefix, Memory::default(), Level::Normal);
        second
            .add(&meta("new", EntryKind::File, 3), b"new")
            .expect("written");
        let (finished, memory) = second.finish().expect("finished");
        let whole = [first.sink.bytes, memory.bytes].concat();
        assert_eq!(whole.len() as u64, finished.archive_bytes);
        let expected = [("kept", "kept"), ("new", "new")];
        let expected = expected.map(|(name, content)| (name.to_owned(), content.into()));
        assert_eq!(contents_of(Cursor::new(whole)), expected);
    }

    #[test]
    fn offsets_sizes_and_counts_beyond_the_old_limits_use_zip64() {
        let prefix = Prefix {
            bytes: 5 << 30,
            ..Prefix::default()
        };
        let mut writer = ArchiveWriter::after(prefix.clone(), Memory::default(), Level::Fast);
        let big = noise(BLOCK_BYTES + 5);
        writer
            .add(&meta("zip64 header", EntryKind::File, 6 << 30), &big)
            .expect("written");
        for number in 0..70_000 {
            writer
                .add(&meta(&format!("n/{number}"), EntryKind::File, 0), b"")
                .expect("written");
        }
        let (finished, memory) = writer.finish().expect("finished");
        assert_eq!(finished.entries, 70_001);
        let contents = contents_of(Elsewhere {
            prefix_bytes: prefix.bytes,
            rest: memory.bytes,
            position: 0,
        });
        assert_eq!(contents.len(), 70_001);
        assert!(contents[0].1 == big);
    }

    #[test]
    fn an_abandoned_entry_leaves_no_name() {
        let mut writer = ArchiveWriter::new(Memory::default(), Level::Normal);
        let meta_of_bad = meta("bad", EntryKind::File, 3 << 20);
        let mut stream = writer.begin(&meta_of_bad);
        stream.write_all(&noise(2 * BLOCK_BYTES)).expect("written");
        stream.abandon().expect("given up");
        writer
            .add(&meta("good", EntryKind::File, 4), b"good")
            .expect("written");
        let (_, memory) = writer.finish().expect("finished");
        assert_eq!(
            contents_of(Cursor::new(memory.bytes)),
            [("good".to_owned(), b"good".to_vec())]
        );
    }

    #[test]
    fn an_entry_cannot_outgrow_what_its_header_promised() {
        let mut writer = ArchiveWriter::new(Memory::default(), Level::Fast);
        let meta_of_log = meta("log", EntryKind::File, 1);
        let mut stream = writer.begin(&meta_of_log);
        stream.size_bytes = MOST_BYTES_32 - 3;
        assert!(stream.write_all(b"abc").is_ok());
        let error = stream.write_all(b"d").expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn whatever_is_written_reads_back(
            files in proptest::collection::btree_map("[^/\0]{1,20}", (proptest::collection::vec(any::<u8>(), 0..3000), 0_usize..900), 0..12),
        ) {
            prop_assume!(files.keys().all(|name| name != "." && name != ".."));
            let mut writer = ArchiveWriter::new(Memory::default(), Level::Fast);
            let mut expected = Vec::new();
            for (name, (seed, repeat)) in files {
                let content = seed.repeat(repeat);
                writer.add(&meta(&name, EntryKind::File, content.len() as u64), &content).expect("written");
                expected.push((name, content));
            }
            let (_, memory) = writer.finish().expect("finished");
            prop_assert!(contents_of(Cursor::new(memory.bytes)) == expected);
        }
    }
}
