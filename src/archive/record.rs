//! The fixed records of a ZIP as bytes, and nothing else (APPNOTE 6.3.10, section 4.3).
//!
//! Every entry is Unix-made, UTF-8 named (bit 11), and carries the extended timestamp in both
//! headers; zip64 fields stand where a number does not fit. All of an entry's records follow from its
//! [`EntryRecord`], so that they can be written anew, compared with what an archive holds, and moved.

use super::numbers::{u16_at, u32_at};
use super::time::{DosTime, unix_seconds};
use crate::model::EntryKind;
use serde::{Deserialize, Serialize};

pub(super) const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
pub(super) const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
pub(super) const END_SIGNATURE: u32 = 0x0605_4b50;
pub(super) const END64_SIGNATURE: u32 = 0x0606_4b50;
pub(super) const LOCATOR64_SIGNATURE: u32 = 0x0706_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;

pub(super) const CENTRAL_FIXED_BYTES: usize = 46;
pub(super) const LOCAL_FIXED_BYTES: usize = 30;
pub(super) const END_BYTES: usize = 22;
pub(super) const END64_BYTES: usize = 56;
pub(super) const LOCATOR64_BYTES: usize = 20;

/// Extra field "zip64 extended information" (APPNOTE 4.5.3).
pub(super) const EXTRA_ZIP64: u16 = 0x0001;
/// Extra field "extended timestamp" of Info-ZIP.
pub(super) const EXTRA_TIMESTAMP: u16 = 0x5455;
/// Our own extra field: the true bytes of a name that is not UTF-8.
pub(super) const EXTRA_RAW_NAME: u16 = 0x6b7a;
/// Our own extra field, empty, in the directory only: the entry's local header has a zip64 field,
/// which nothing else in the directory tells for certain.
pub(super) const EXTRA_LOCAL_ZIP64: u16 = 0x6b7b;

pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;
const MADE_BY_UNIX: u16 = 3 << 8 | NEEDS_ZIP64;
const NEEDS_ZIP64: u16 = 45;
const NEEDS_DEFLATE: u16 = 20;
const MAX32: u64 = 0xffff_ffff;

/// How an entry is compressed: the two methods that every ZIP program reads (APPNOTE 4.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// As it is: method 0.
    Stored,
    /// Deflate: method 8.
    Deflate,
}

/// When the sizes of an entry are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sizes {
    /// Before its bytes: they stand in the local header.
    Before,
    /// After its bytes: a data descriptor follows them.
    After,
    /// After its bytes, and they may exceed 32 bits.
    After64,
}

/// What is known of an entry before its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMeta {
    /// Path with `/`, UTF-8; of a folder with a `/` at the end.
    pub name: String,
    /// True bytes of a name that had to be escaped, without the `/` at the end.
    pub raw_name: Option<Vec<u8>>,
    /// What it is.
    pub kind: EntryKind,
    /// Last change of the content, in nanoseconds since 1970 UTC.
    pub modified_ns: i64,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
}

/// Whether a local header is the one that belongs to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFit {
    /// Byte by byte.
    Same,
    /// But for its time: the entry got another one later, and its bytes were not sent again.
    OtherTime,
    /// It says something else.
    Different,
}

/// Everything that an archive's records say of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// What was known before its bytes.
    pub meta: EntryMeta,
    /// Where its sizes stand.
    pub sizes: Sizes,
    /// Bytes before compression.
    pub size_bytes: u64,
    /// Bytes after compression.
    pub compressed_bytes: u64,
    /// How it is compressed.
    pub method: Method,
    /// CRC-32 of the content.
    pub crc32: u32,
    /// Offset of the local file header.
    pub header_offset: u64,
}

fn u16s(out: &mut Vec<u8>, values: &[u16]) {
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn u32s(out: &mut Vec<u8>, values: &[u32]) {
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// The low 32 bits, or the mark that says "look into the zip64 field".
fn low32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn low16(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn length16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

impl Method {
    fn number(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflate => 8,
        }
    }
}

impl EntryMeta {
    /// File type and permissions as in `st_mode`.
    fn unix_mode(&self) -> u32 {
        let file_type = match self.kind {
            EntryKind::File => 0o100_000,
            EntryKind::Directory => 0o040_000,
            EntryKind::Symlink => 0o120_000,
        };
        file_type | (self.mode & 0o7777)
    }

    /// The extra fields that both headers carry.
    fn common_extra(&self) -> Vec<u8> {
        let mut extra = Vec::new();
        if let Some(seconds) = unix_seconds(self.modified_ns) {
            u16s(&mut extra, &[EXTRA_TIMESTAMP, 5]);
            extra.push(1); // only the modification time follows
            extra.extend_from_slice(&seconds.to_le_bytes());
        }
        if let Some(raw) = &self.raw_name {
            u16s(&mut extra, &[EXTRA_RAW_NAME, length16(raw)]);
            extra.extend_from_slice(raw);
        }
        extra
    }
}

impl EntryRecord {
    fn flags(&self) -> u16 {
        match self.sizes {
            Sizes::Before => FLAG_UTF8,
            Sizes::After | Sizes::After64 => FLAG_UTF8 | FLAG_DESCRIPTOR,
        }
    }

    fn needs(&self) -> u16 {
        match self.sizes {
            Sizes::After64 => NEEDS_ZIP64,
            Sizes::Before | Sizes::After => NEEDS_DEFLATE,
        }
    }

    /// The local file header, which stands before the bytes.
    pub fn local_header(&self) -> Vec<u8> {
        let mut extra = self.meta.common_extra();
        let (crc32, compressed, size) = match self.sizes {
            Sizes::Before => (
                self.crc32,
                low32(self.compressed_bytes),
                low32(self.size_bytes),
            ),
            Sizes::After => (0, 0, 0),
            Sizes::After64 => {
                u16s(&mut extra, &[EXTRA_ZIP64, 16]);
                extra.extend_from_slice(&[0; 16]);
                (0, u32::MAX, u32::MAX)
            }
        };
        let name = self.meta.name.as_bytes();
        let time = DosTime::of(self.meta.modified_ns);
        let mut out = Vec::with_capacity(LOCAL_FIXED_BYTES + name.len() + extra.len());
        u32s(&mut out, &[LOCAL_SIGNATURE]);
        let method = self.method.number();
        u16s(
            &mut out,
            &[self.needs(), self.flags(), method, time.time, time.date],
        );
        u32s(&mut out, &[crc32, compressed, size]);
        u16s(&mut out, &[length16(name), length16(&extra)]);
        out.extend_from_slice(name);
        out.extend_from_slice(&extra);
        out
    }

    /// Whether `found`, of the length of ours, is this entry's local header.
    pub fn header_fit(&self, found: &[u8]) -> HeaderFit {
        let own = self.local_header();
        if found == own {
            return HeaderFit::Same;
        }
        let timestamp_at = LOCAL_FIXED_BYTES + self.meta.name.len() + 5;
        if found.len() != own.len() {
            return HeaderFit::Different;
        }
        // Its two times must be of one moment, and all the rest as it should.
        let modified_ns = if unix_seconds(self.meta.modified_ns).is_some() {
            let seconds = u32_at(found, timestamp_at).cast_signed();
            Some(i64::from(seconds) * 1_000_000_000)
        } else {
            let [time, date] = [10, 12].map(|at| u16_at(found, at));
            DosTime { date, time }.moment_ns()
        };
        let other = modified_ns.map(|modified_ns| {
            let mut other = self.clone();
            other.meta.modified_ns = modified_ns;
            other.local_header()
        });
        if other.is_some_and(|other| found == other) {
            HeaderFit::OtherTime
        } else {
            HeaderFit::Different
        }
    }

    /// What stands after the bytes: a data descriptor or nothing. Its sizes have 64 bits exactly
    /// where the local header has a zip64 field.
    pub fn descriptor(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        match self.sizes {
            Sizes::Before => {}
            Sizes::After => {
                u32s(&mut out, &[DESCRIPTOR_SIGNATURE, self.crc32]);
                let sizes = [low32(self.compressed_bytes), low32(self.size_bytes)];
                u32s(&mut out, &sizes);
            }
            Sizes::After64 => {
                u32s(&mut out, &[DESCRIPTOR_SIGNATURE, self.crc32]);
                out.extend_from_slice(&self.compressed_bytes.to_le_bytes());
                out.extend_from_slice(&self.size_bytes.to_le_bytes());
            }
        }
        out
    }

    /// The central directory's record.
    pub fn central_record(&self) -> Vec<u8> {
        let mut zip64 = Vec::new();
        for value in [self.size_bytes, self.compressed_bytes, self.header_offset] {
            if value >= MAX32 {
                zip64.extend_from_slice(&value.to_le_bytes());
            }
        }
        let mut extra = self.meta.common_extra();
        let mut needs = self.needs();
        if !zip64.is_empty() {
            needs = NEEDS_ZIP64;
            u16s(&mut extra, &[EXTRA_ZIP64, length16(&zip64)]);
            extra.extend_from_slice(&zip64);
        }
        if self.sizes == Sizes::After64 {
            u16s(&mut extra, &[EXTRA_LOCAL_ZIP64, 0]);
        }
        let name = self.meta.name.as_bytes();
        let time = DosTime::of(self.meta.modified_ns);
        let mut out = Vec::with_capacity(CENTRAL_FIXED_BYTES + name.len() + extra.len());
        u32s(&mut out, &[CENTRAL_SIGNATURE]);
        u16s(&mut out, &[MADE_BY_UNIX, needs, self.flags()]);
        u16s(&mut out, &[self.method.number(), time.time, time.date]);
        let sizes = [low32(self.compressed_bytes), low32(self.size_bytes)];
        u32s(&mut out, &[self.crc32, sizes[0], sizes[1]]);
        u16s(&mut out, &[length16(name), length16(&extra), 0, 0, 0]);
        let dos_directory = u32::from(self.meta.name.ends_with('/')) << 4;
        let attributes = (self.meta.unix_mode() << 16) | dos_directory;
        u32s(&mut out, &[attributes, low32(self.header_offset)]);
        out.extend_from_slice(name);
        out.extend_from_slice(&extra);
        out
    }

    /// Bytes from its local header to the end of its data descriptor.
    pub fn extent_bytes(&self) -> u64 {
        let around = self.local_header().len() + self.descriptor().len();
        (around as u64).saturating_add(self.compressed_bytes)
    }
}

/// The end of an archive whose central directory has `entries` records in `directory_bytes` from
/// `directory_offset` on; with the zip64 records where a number needs them, and room for a comment.
pub(super) fn end_records(
    entries: u64,
    directory_bytes: u64,
    directory_offset: u64,
    comment_bytes: u16,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(END64_BYTES + LOCATOR64_BYTES + END_BYTES);
    if entries >= 0xffff || directory_bytes >= MAX32 || directory_offset >= MAX32 {
        let end64_offset = directory_offset + directory_bytes;
        u32s(&mut out, &[END64_SIGNATURE]);
        out.extend_from_slice(&44_u64.to_le_bytes());
        u16s(&mut out, &[MADE_BY_UNIX, NEEDS_ZIP64]);
        u32s(&mut out, &[0, 0]);
        for value in [entries, entries, directory_bytes, directory_offset] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        u32s(&mut out, &[LOCATOR64_SIGNATURE, 0]);
        out.extend_from_slice(&end64_offset.to_le_bytes());
        u32s(&mut out, &[1]);
    }
    u32s(&mut out, &[END_SIGNATURE]);
    u16s(&mut out, &[0, 0, low16(entries), low16(entries)]);
    u32s(&mut out, &[low32(directory_bytes), low32(directory_offset)]);
    u16s(&mut out, &[comment_bytes]);
    out
}
