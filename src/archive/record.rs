//! The fixed records of a ZIP as bytes, and nothing else (APPNOTE 6.3.10, section 4.3).
//!
//! Every entry is Unix-made, UTF-8 named (bit 11), and carries the extended timestamp in both
//! headers; zip64 fields stand where a number does not fit.

use super::time::{DosTime, unix_seconds};
use crate::model::{Method, Stored};

pub(super) const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
pub(super) const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
pub(super) const END_SIGNATURE: u32 = 0x0605_4b50;
pub(super) const END64_SIGNATURE: u32 = 0x0606_4b50;
pub(super) const LOCATOR64_SIGNATURE: u32 = 0x0706_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;

pub(super) const CENTRAL_FIXED_BYTES: usize = 46;
pub(super) const END_BYTES: usize = 22;
pub(super) const END64_BYTES: usize = 56;
pub(super) const LOCATOR64_BYTES: usize = 20;

/// Extra field "zip64 extended information" (APPNOTE 4.5.3).
const EXTRA_ZIP64: u16 = 0x0001;
/// Extra field "extended timestamp" of Info-ZIP.
const EXTRA_TIMESTAMP: u16 = 0x5455;
/// Our own extra field: the true bytes of a name that is not UTF-8.
const EXTRA_RAW_NAME: u16 = 0x6b7a;

const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;
const MADE_BY_UNIX: u16 = 3 << 8 | NEEDS_ZIP64;
const NEEDS_ZIP64: u16 = 45;
const NEEDS_DEFLATE: u16 = 20;
const MAX32: u64 = 0xffff_ffff;

/// What both headers of an entry say alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) raw_name: Option<&'a [u8]>,
    pub(super) modified_ns: i64,
    /// File type and permissions as in `st_mode`.
    pub(super) unix_mode: u32,
    pub(super) sizes: Sizes,
}

/// When the sizes of an entry are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// Before its bytes: they stand in the local header.
    Before,
    /// After its bytes: a data descriptor follows them.
    After,
    /// After its bytes, and they may exceed 32 bits.
    After64,
}

fn method_number(method: Method) -> u16 {
    match method {
        Method::Stored => 0,
        Method::Deflate => 8,
    }
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

/// The extra fields that both headers carry.
fn common_extra(header: &Header<'_>) -> Vec<u8> {
    let mut extra = Vec::new();
    if let Some(seconds) = unix_seconds(header.modified_ns) {
        u16s(&mut extra, &[EXTRA_TIMESTAMP, 5]);
        extra.push(1); // only the modification time follows
        extra.extend_from_slice(&seconds.to_le_bytes());
    }
    if let Some(raw) = header.raw_name {
        u16s(&mut extra, &[EXTRA_RAW_NAME, length16(raw)]);
        extra.extend_from_slice(raw);
    }
    extra
}

impl Header<'_> {
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

    /// The local file header. `size_bytes` and `stored` count only where sizes are known before.
    pub(super) fn local(&self, size_bytes: u64, stored: &Stored) -> Vec<u8> {
        let mut extra = common_extra(self);
        let (crc32, compressed, size) = match self.sizes {
            Sizes::Before => (
                stored.crc32,
                low32(stored.compressed_bytes),
                low32(size_bytes),
            ),
            Sizes::After => (0, 0, 0),
            Sizes::After64 => {
                u16s(&mut extra, &[EXTRA_ZIP64, 16]);
                extra.extend_from_slice(&[0; 16]);
                (0, u32::MAX, u32::MAX)
            }
        };
        let time = DosTime::of(self.modified_ns);
        let mut out = Vec::with_capacity(30 + self.name.len() + extra.len());
        u32s(&mut out, &[LOCAL_SIGNATURE]);
        let method = method_number(stored.method);
        u16s(
            &mut out,
            &[self.needs(), self.flags(), method, time.time, time.date],
        );
        u32s(&mut out, &[crc32, compressed, size]);
        u16s(
            &mut out,
            &[length16(self.name.as_bytes()), length16(&extra)],
        );
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&extra);
        out
    }

    /// The data descriptor; its sizes have 64 bits exactly where the local header has a zip64 field.
    pub(super) fn descriptor(&self, size_bytes: u64, stored: &Stored) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        u32s(&mut out, &[DESCRIPTOR_SIGNATURE, stored.crc32]);
        if self.sizes == Sizes::After64 {
            out.extend_from_slice(&stored.compressed_bytes.to_le_bytes());
            out.extend_from_slice(&size_bytes.to_le_bytes());
        } else {
            u32s(
                &mut out,
                &[low32(stored.compressed_bytes), low32(size_bytes)],
            );
        }
        out
    }

    /// Appends the central directory's record.
    pub(super) fn central(&self, size_bytes: u64, stored: &Stored, out: &mut Vec<u8>) {
        let mut zip64 = Vec::new();
        for value in [size_bytes, stored.compressed_bytes, stored.header_offset] {
            if value >= MAX32 {
                zip64.extend_from_slice(&value.to_le_bytes());
            }
        }
        let mut extra = common_extra(self);
        let mut needs = self.needs();
        if !zip64.is_empty() {
            needs = NEEDS_ZIP64;
            u16s(&mut extra, &[EXTRA_ZIP64, length16(&zip64)]);
            extra.extend_from_slice(&zip64);
        }
        let time = DosTime::of(self.modified_ns);
        u32s(out, &[CENTRAL_SIGNATURE]);
        let method = method_number(stored.method);
        u16s(
            out,
            &[
                MADE_BY_UNIX,
                needs,
                self.flags(),
                method,
                time.time,
                time.date,
            ],
        );
        u32s(
            out,
            &[
                stored.crc32,
                low32(stored.compressed_bytes),
                low32(size_bytes),
            ],
        );
        let lengths = [length16(self.name.as_bytes()), length16(&extra)];
        u16s(out, &[lengths[0], lengths[1], 0, 0, 0]);
        let dos_directory = u32::from(self.name.ends_with('/')) << 4;
        u32s(
            out,
            &[
                (self.unix_mode << 16) | dos_directory,
                low32(stored.header_offset),
            ],
        );
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&extra);
    }
}

/// The end of an archive whose central directory has `entries` records in `directory_bytes` from
/// `directory_offset` on; with the zip64 records where a number needs them.
pub(super) fn end_records(entries: u64, directory_bytes: u64, directory_offset: u64) -> Vec<u8> {
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
    u16s(&mut out, &[0]);
    out
}
