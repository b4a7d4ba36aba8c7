//! `Inspector`: checks entries of our archives against their records, while their bytes pass by.
//!
//! It sees every byte of an extent: local header, compressed bytes, data descriptor. Memory stays the
//! same whatever an entry's size.

use super::record::{EntryRecord, HeaderFit, Method};
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;

/// Content that is handed on at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Checks one entry after the other: [`begin`](Self::begin), every byte of its extent in pieces of any
/// length, [`end`](Self::end).
pub struct Inspector {
    record: Option<EntryRecord>,
    header_bytes: u64,
    header: Vec<u8>,
    descriptor: Vec<u8>,
    /// Bytes of the extent that passed.
    passed_bytes: u64,
    inflate: Decompress,
    has_stream_ended: bool,
    buffer: Vec<u8>,
    size_bytes: u64,
    crc32: crc32fast::Hasher,
    blake3: blake3::Hasher,
    flaw: Option<Flaw>,
}

/// What an inspection found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The first thing that is not as the record says.
    pub flaw: Option<Flaw>,
    /// Whether the local header has the record's time.
    pub header: HeaderFit,
    /// BLAKE3 of the content.
    pub blake3: blake3::Hash,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The local header says something else than the directory.
    Header,
    /// The stream cannot be decompressed, or ends elsewhere.
    Stream,
    /// The content is longer or shorter.
    Size,
    /// The content has another CRC-32.
    Checksum,
    /// What follows the content says something else than the directory.
    Descriptor,
}

impl Flaw {
    /// In plain words.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Header => "its header is not what the archive's directory says",
            Self::Stream => "it cannot be decompressed",
            Self::Size => "its length is not what the archive's directory says",
            Self::Checksum => "its checksum (CRC-32) differs",
            Self::Descriptor => "what follows its content is not what the archive's directory says",
        }
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Inspector");
        shown.field("record", &self.record).finish_non_exhaustive()
    }
}

impl Default for Inspector {
    fn default() -> Self {
        Self {
            record: None,
            header_bytes: 0,
            header: Vec::new(),
            descriptor: Vec::new(),
            passed_bytes: 0,
            inflate: Decompress::new(false),
            has_stream_ended: false,
            buffer: vec![0; BUFFER_BYTES],
            size_bytes: 0,
            crc32: crc32fast::Hasher::new(),
            blake3: blake3::Hasher::new(),
            flaw: None,
        }
    }
}

impl Inspector {
    /// Begins with an entry; what was begun before is forgotten.
    pub fn begin(&mut self, record: EntryRecord) {
        self.header_bytes = record.local_header().len() as u64;
        self.header.clear();
        self.descriptor.clear();
        self.passed_bytes = 0;
        if record.method == Method::Deflate {
            self.inflate.reset(false);
        }
        self.has_stream_ended = false;
        self.size_bytes = 0;
        self.crc32.reset();
        self.blake3.reset();
        self.flaw = None;
        self.record = Some(record);
    }

    /// Takes the next bytes of the extent, and hands on the content in them.
    pub fn feed(&mut self, bytes: &[u8], content: &mut dyn FnMut(&[u8])) {
        let Some((method, packed_bytes)) = self
            .record
            .as_ref()
            .map(|record| (record.method, record.compressed_bytes))
        else {
            return;
        };
        let (header, rest) = split(bytes, self.header_bytes, self.passed_bytes);
        let packed_end = self.header_bytes.saturating_add(packed_bytes);
        let at = self.passed_bytes + header.len() as u64;
        let (packed, descriptor) = split(rest, packed_end, at);
        self.header.extend_from_slice(header);
        match method {
            Method::Stored => self.take(packed, content),
            Method::Deflate => self.inflate(packed, content),
        }
        self.descriptor.extend_from_slice(descriptor);
        self.passed_bytes += bytes.len() as u64;
    }

    /// Judges the entry, whose bytes have all passed.
    pub fn end(&mut self) -> Verdict {
        let blake3 = self.blake3.finalize();
        let Some(record) = self.record.take() else {
            return Verdict {
                flaw: None,
                header: HeaderFit::Same,
                blake3,
            };
        };
        let header = record.header_fit(&self.header);
        let is_cut = record.method == Method::Deflate && !self.has_stream_ended;
        let found = [
            (header == HeaderFit::Different, Flaw::Header),
            (is_cut, Flaw::Stream),
            (self.size_bytes != record.size_bytes, Flaw::Size),
            (
                self.crc32.clone().finalize() != record.crc32,
                Flaw::Checksum,
            ),
            (self.descriptor != record.descriptor(), Flaw::Descriptor),
        ];
        let found = found.into_iter().find_map(|(is, flaw)| is.then_some(flaw));
        Verdict {
            flaw: self.flaw.or(found),
            header,
            blake3,
        }
    }

    fn take(&mut self, bytes: &[u8], content: &mut dyn FnMut(&[u8])) {
        self.size_bytes += bytes.len() as u64;
        self.crc32.update(bytes);
        self.blake3.update(bytes);
        content(bytes);
    }

    fn inflate(&mut self, mut packed: &[u8], content: &mut dyn FnMut(&[u8])) {
        let most_bytes = self.record.as_ref().map_or(0, |record| record.size_bytes);
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.flaw.is_none() && !(self.has_stream_ended && packed.is_empty()) {
            if self.has_stream_ended {
                self.flaw = Some(Flaw::Stream);
                break;
            }
            let (consumed, produced) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(packed, &mut buffer, FlushDecompress::None);
            let moved = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(0);
            let consumed = moved(self.inflate.total_in(), consumed);
            let produced = moved(self.inflate.total_out(), produced);
            packed = &packed[consumed..];
            self.take(&buffer[..produced], content);
            match status {
                Err(_) => self.flaw = Some(Flaw::Stream),
                Ok(_) if self.size_bytes > most_bytes => self.flaw = Some(Flaw::Size),
                Ok(Status::StreamEnd) => self.has_stream_ended = true,
                Ok(_) if consumed == 0 && produced == 0 => break,
                Ok(_) => {}
            }
        }
        self.buffer = buffer;
    }
}

/// The bytes before `end`, and those from there on; `bytes` begin at `at`.
fn split(bytes: &[u8], end: u64, at: u64) -> (&[u8], &[u8]) {
    let before = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
    bytes.split_at(before.min(bytes.len()))
}
