//! `ArchiveWriter`: makes our archives, entry by entry, without ever going back.
//!
//! It takes contents that are compressed already and knows only where bytes stand, so that
//! compressing can be spread over many threads. It can begin after bytes that are elsewhere, and the
//! state of an entry that is half written is plain data ([`OpenEntry`]), so that an upload can copy
//! what a server already has and be taken up in the middle of a big file.

use super::compress::Packed;
use super::record::{EntryMeta, EntryRecord, Method, Sizes, end_records};
use super::seal::Seal;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// Above this a file's sizes are written with 64 bits: room for stored blocks within 32 bits.
const ZIP64_FROM_BYTES: u64 = 3_840 * 1024 * 1024;
/// Without zip64 no entry may grow beyond this: its stored blocks, too, must fit 32 bits.
const MOST_BYTES_32: u64 = 4_000 * 1024 * 1024;
/// How many of an archive's last bytes are remembered, to compare them with what was stored.
const REMEMBERED_BYTES: usize = 1024 * 1024;

/// Makes an archive, entry by entry.
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    sink: W,
    offset: u64,
    tail: Option<TailMemory>,
}

/// An entry that is written block by block and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEntry {
    /// Where it began and what it is; its sizes and CRC-32 are those so far.
    record: EntryRecord,
}

/// A block of an entry, compressed.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Its part of the deflate stream.
    pub compressed: &'a [u8],
    /// How many of these bytes are in the archive already, before the writer's beginning.
    pub already_there: usize,
    /// How many bytes it is of.
    pub block_bytes: u64,
    /// CRC-32 of the content to the end of this block.
    pub crc32: u32,
}

/// Writes the central directory. No entry can follow.
#[derive(Debug)]
pub struct DirectoryWriter<W> {
    writer: ArchiveWriter<W>,
    directory_offset: u64,
    entries: u64,
}

/// What became of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Size of the whole archive, bytes that are elsewhere included.
    pub archive_bytes: u64,
    /// Where the central directory begins.
    pub directory_offset: u64,
    /// Records in it.
    pub entries: u64,
    /// How many of its last bytes `last_blake3` is of.
    pub last_bytes: u64,
    /// BLAKE3 of its last bytes, to compare with what was stored.
    pub last_blake3: blake3::Hash,
}

/// The bytes since the manifest: hashed, and the last of them kept.
#[derive(Debug)]
struct TailMemory {
    hasher: blake3::Hasher,
    last: Vec<u8>,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive.
    pub fn new(sink: W) -> Self {
        Self::after(0, sink)
    }

    /// Goes on after `bytes` that are elsewhere; the sink sees only what follows them.
    pub fn after(bytes: u64, sink: W) -> Self {
        Self {
            sink,
            offset: bytes,
            tail: None,
        }
    }

    /// How long the archive is so far, what is elsewhere included.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the bytes go.
    pub fn sink_mut(&mut self) -> &mut W {
        &mut self.sink
    }

    /// Writes an entry whose content is at hand.
    pub fn add(
        &mut self,
        meta: EntryMeta,
        size_bytes: u64,
        crc32: u32,
        packed: &Packed,
    ) -> io::Result<EntryRecord> {
        let record = EntryRecord {
            meta,
            sizes: Sizes::Before,
            size_bytes,
            compressed_bytes: packed.bytes.len() as u64,
            method: packed.method,
            crc32,
            header_offset: self.offset,
        };
        self.emit(&record.local_header())?;
        self.emit(&packed.bytes)?;
        Ok(record)
    }

    /// Begins an entry of at most `size_limit_bytes` that comes in blocks.
    pub fn begin(&mut self, meta: EntryMeta, size_limit_bytes: u64) -> io::Result<OpenEntry> {
        let sizes = if size_limit_bytes >= ZIP64_FROM_BYTES {
            Sizes::After64
        } else {
            Sizes::After
        };
        let record = EntryRecord {
            meta,
            sizes,
            size_bytes: 0,
            compressed_bytes: 0,
            method: Method::Deflate,
            crc32: 0,
            header_offset: self.offset,
        };
        self.emit(&record.local_header())?;
        Ok(OpenEntry { record })
    }

    /// Writes the next block of an entry. Fails with `InvalidInput` beyond what its header allows.
    pub fn block(&mut self, open: &mut OpenEntry, block: &Block<'_>) -> io::Result<()> {
        let Block {
            compressed,
            already_there,
            block_bytes,
            crc32,
        } = *block;
        let record = &mut open.record;
        record.size_bytes += block_bytes;
        if record.sizes != Sizes::After64 && record.size_bytes > MOST_BYTES_32 {
            let grew = format!("{} grew beyond {MOST_BYTES_32} bytes", record.meta.name);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, grew));
        }
        record.compressed_bytes += compressed.len() as u64;
        record.crc32 = crc32;
        self.emit(compressed.get(already_there..).unwrap_or_default())
    }

    /// Ends an entry; its last block ended the stream.
    pub fn end(&mut self, open: OpenEntry) -> io::Result<EntryRecord> {
        self.end_after(open, 0)
    }

    /// Ends an entry of whose end, after its last block, so many bytes are in the archive already.
    pub fn end_after(&mut self, open: OpenEntry, already_there: usize) -> io::Result<EntryRecord> {
        let descriptor = open.record.descriptor();
        self.emit(descriptor.get(already_there..).unwrap_or_default())?;
        Ok(open.record)
    }

    /// Says that what follows is sealed: the manifest comes next, then the directory.
    pub fn begin_tail(&mut self) {
        self.tail = Some(TailMemory {
            hasher: blake3::Hasher::new(),
            last: Vec::new(),
        });
    }

    /// Goes on with the central directory.
    pub fn directory(self) -> DirectoryWriter<W> {
        DirectoryWriter {
            directory_offset: self.offset,
            entries: 0,
            writer: self,
        }
    }

    fn emit(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        if let Some(tail) = &mut self.tail {
            tail.remember(bytes);
        }
        Ok(())
    }
}

impl OpenEntry {
    /// What it is.
    pub fn meta(&self) -> &EntryMeta {
        &self.record.meta
    }

    /// Bytes of the content that were written.
    pub fn size_bytes(&self) -> u64 {
        self.record.size_bytes
    }

    /// CRC-32 of these bytes.
    pub fn crc32(&self) -> u32 {
        self.record.crc32
    }

    /// Bytes that it takes in the archive so far.
    pub fn extent_bytes(&self) -> u64 {
        self.record.local_header().len() as u64 + self.record.compressed_bytes
    }
}

impl<W: Write> DirectoryWriter<W> {
    /// Where the bytes go.
    pub fn sink_mut(&mut self) -> &mut W {
        &mut self.writer.sink
    }

    /// Writes the record of an entry.
    pub fn add(&mut self, record: &EntryRecord) -> io::Result<()> {
        self.entries += 1;
        self.writer.emit(&record.central_record())
    }

    /// Writes the end with the seal. Returns the sink, too.
    pub fn finish(mut self) -> io::Result<(Finished, W)> {
        let directory_bytes = self.writer.offset - self.directory_offset;
        let is_sealed = self.writer.tail.is_some();
        let comment_bytes = if is_sealed { Seal::TEXT_BYTES } else { 0 };
        let comment_bytes = u16::try_from(comment_bytes).map_err(io::Error::other)?;
        let end = end_records(
            self.entries,
            directory_bytes,
            self.directory_offset,
            comment_bytes,
        );
        self.writer.emit(&end)?;
        if let Some(tail) = &self.writer.tail {
            let seal = Seal::of(tail.hasher.finalize()).to_text();
            self.writer.emit(seal.as_bytes())?;
        }
        let last = self
            .writer
            .tail
            .map_or_else(Vec::new, TailMemory::into_last);
        let finished = Finished {
            archive_bytes: self.writer.offset,
            directory_offset: self.directory_offset,
            entries: self.entries,
            last_bytes: last.len() as u64,
            last_blake3: blake3::hash(&last),
        };
        Ok((finished, self.writer.sink))
    }
}

impl TailMemory {
    fn remember(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.last.extend_from_slice(bytes);
        if self.last.len() > 2 * REMEMBERED_BYTES {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let too_many = self.last.len().saturating_sub(REMEMBERED_BYTES);
        self.last.drain(..too_many);
    }

    fn into_last(mut self) -> Vec<u8> {
        self.forget();
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ArchiveReader, BLOCK_BYTES, Compressor, ContentWriter, Seal, Tail, records,
    };
    use super::*;
    use crate::model::{Compression, EntryKind};
    use proptest::prelude::*;
    use std::io::{Cursor, Read, Seek, SeekFrom};

    fn meta(name: &str) -> EntryMeta {
        EntryMeta {
            name: name.to_owned(),
            raw_name: None,
            kind: EntryKind::File,
            modified_ns: 1_795_334_950_123_456_789,
            mode: 0o640,
        }
    }

    /// Writes a content in blocks where it is long.
    fn put(writer: &mut ArchiveWriter<Vec<u8>>, meta: EntryMeta, content: &[u8]) -> EntryRecord {
        let mut compressor = Compressor::new(Compression::Fast);
        let limit_bytes = content.len() as u64;
        let mut stream = ContentWriter::new(writer, &mut compressor, meta, limit_bytes);
        stream.write_all(content).expect("written");
        stream.finish().expect("finished")
    }

    fn finish(writer: ArchiveWriter<Vec<u8>>, records: &[EntryRecord]) -> (Finished, Vec<u8>) {
        let mut directory = writer.directory();
        for record in records {
            directory.add(record).expect("written");
        }
        directory.finish().expect("finished")
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
    fn small_and_big_entries_read_back() {
        let mut writer = ArchiveWriter::new(Vec::new());
        let files: Vec<(&str, Vec<u8>)> = vec![
            ("empty", Vec::new()),
            ("small", b"text text text text text text".repeat(10)),
            ("random", noise(100_000)),
            ("one block", noise(BLOCK_BYTES)),
            (
                "big",
                [noise(BLOCK_BYTES + 7), vec![b'a'; 3 * BLOCK_BYTES]].concat(),
            ),
        ];
        let written: Vec<EntryRecord> = files
            .iter()
            .map(|(name, content)| put(&mut writer, meta(name), content))
            .collect();
        let extents: u64 = written.iter().map(EntryRecord::extent_bytes).sum();
        assert_eq!(extents, writer.offset());
        let (finished, bytes) = finish(writer, &written);
        assert_eq!(bytes.len() as u64, finished.archive_bytes);
        let tail = Tail::find(&bytes, finished.archive_bytes).expect("found");
        assert_eq!(tail.directory_offset, finished.directory_offset);
        let from = usize::try_from(tail.directory_offset).expect("small");
        let to = from + usize::try_from(tail.directory_bytes).expect("small");
        let time = Some(written[0].meta.modified_ns);
        let parsed: Vec<_> = records(&bytes[from..to])
            .map(|record| record.expect("whole").parse(time).expect("ours"))
            .collect();
        assert_eq!(parsed, written);
        let expected: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .map(|(name, content)| (name.to_owned(), content))
            .collect();
        assert_eq!(contents_of(Cursor::new(bytes)), expected);
    }

    #[test]
    fn the_seal_vouches_for_everything_since_the_manifest() {
        let mut writer = ArchiveWriter::new(Vec::new());
        let first = put(&mut writer, meta("file"), b"content");
        let from = usize::try_from(writer.offset()).expect("small");
        writer.begin_tail();
        let manifest = put(&mut writer, meta("manifest"), &noise(1_500_000));
        let (finished, bytes) = finish(writer, &[first, manifest]);
        let seal = Seal::read(&bytes).expect("sealed");
        let end = bytes.len() - Seal::TEXT_BYTES;
        let mut hasher = blake3::Hasher::new();
        assert!(!seal.fits(&hasher));
        hasher.update(&bytes[from..end]);
        assert!(seal.fits(&hasher));
        let last_bytes = usize::try_from(finished.last_bytes).expect("small");
        assert_eq!(last_bytes, REMEMBERED_BYTES);
        let last = &bytes[bytes.len() - last_bytes..];
        assert_eq!(finished.last_blake3, blake3::hash(last));
        assert_eq!(contents_of(Cursor::new(bytes)).len(), 2);
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
        let mut first = ArchiveWriter::new(Vec::new());
        put(&mut first, meta("gone"), b"old bytes");
        let kept = put(&mut first, meta("kept"), b"kept");
        let mut second = ArchiveWriter::after(first.offset(), Vec::new());
        let new = put(&mut second, meta("new"), b"new");
        let (finished, bytes) = finish(second, &[kept, new]);
        let whole = [first.sink, bytes].concat();
        assert_eq!(whole.len() as u64, finished.archive_bytes);
        let expected = [("kept", "kept"), ("new", "new")];
        let expected = expected.map(|(name, content)| (name.to_owned(), content.into()));
        assert_eq!(contents_of(Cursor::new(whole)), expected);
    }

    #[test]
    fn offsets_sizes_and_counts_beyond_the_old_limits_use_zip64() {
        let prefix_bytes = 5 << 30;
        let mut writer = ArchiveWriter::after(prefix_bytes, Vec::new());
        let big = noise(BLOCK_BYTES + 5);
        let mut compressor = Compressor::new(Compression::Fast);
        let mut stream =
            ContentWriter::new(&mut writer, &mut compressor, meta("zip64 header"), 6 << 30);
        stream.write_all(&big).expect("written");
        let mut records = vec![stream.finish().expect("finished")];
        for number in 0..70_000 {
            records.push(put(&mut writer, meta(&format!("n/{number}")), b""));
        }
        let extents: u64 = records.iter().map(EntryRecord::extent_bytes).sum();
        assert_eq!(extents, writer.offset() - prefix_bytes);
        let (finished, bytes) = finish(writer, &records);
        assert_eq!(finished.entries, 70_001);
        let contents = contents_of(Elsewhere {
            prefix_bytes,
            rest: bytes,
            position: 0,
        });
        assert_eq!(contents.len(), 70_001);
        assert!(contents[0].1 == big);
    }

    #[test]
    fn an_entry_cannot_outgrow_what_its_header_promised() {
        let mut writer = ArchiveWriter::new(Vec::new());
        let mut open = writer.begin(meta("log"), 1).expect("begun");
        let mut block = Block {
            compressed: b"x",
            already_there: 0,
            block_bytes: MOST_BYTES_32,
            crc32: 0,
        };
        writer.block(&mut open, &block).expect("fits");
        block.block_bytes = 1;
        let error = writer.block(&mut open, &block).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn whatever_is_written_reads_back(
            files in proptest::collection::btree_map("[^/\0]{1,20}", (proptest::collection::vec(any::<u8>(), 0..3000), 0_usize..900), 0..12),
        ) {
            prop_assume!(files.keys().all(|name| name != "." && name != ".."));
            let mut writer = ArchiveWriter::new(Vec::new());
            let mut expected = Vec::new();
            let mut records = Vec::new();
            for (name, (seed, repeat)) in files {
                let content = seed.repeat(repeat);
                records.push(put(&mut writer, meta(&name), &content));
                expected.push((name, content));
            }
            let (_, bytes) = finish(writer, &records);
            prop_assert!(contents_of(Cursor::new(bytes)) == expected);
        }
    }
}
