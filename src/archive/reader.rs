//! `ArchiveReader`: what any ZIP holds, ours or foreign, read by the `zip` crate.
//!
//! It needs only something that reads and seeks; that this may be a bucket is not its business.

use super::directory::DirectoryReader;
use super::error::ArchiveError;
use super::format::parse_manifest;
use super::listed::{Described, ListedEntry, describe};
use super::record::Method;
use super::unreadable::Unreadable;
use crate::model::{Entry, EntryKind, MANIFEST_PATH, Manifest, OWN_PREFIX};
use jiff::{civil, tz::TimeZone};
use std::collections::{BTreeSet, HashSet};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use zip::result::ZipError;
use zip::{ExtraField, ZipArchive};

/// Any ZIP, opened.
#[derive(Debug, Clone)]
pub struct ArchiveReader<R> {
    zip: ZipArchive<R>,
    archive_bytes: u64,
}

/// The most bytes of a manifest for each entry, and besides: a bound for archives that mean harm.
const MANIFEST_BYTES_PER_ENTRY: u64 = 16 * 1024;
const MANIFEST_BYTES_BESIDES: u64 = 64 * 1024 * 1024;

impl<R: Read + Seek> ArchiveReader<R> {
    /// Reads the central directory.
    pub fn open(mut reader: R) -> Result<Self, ArchiveError> {
        let archive_bytes = reader.seek(SeekFrom::End(0))?;
        let zip = ZipArchive::new(reader).map_err(|error| of_zip("", error))?;
        Ok(Self { zip, archive_bytes })
    }

    /// Everything in it but what is zipkeep's own, in the order of the bytes.
    pub fn entries(&self) -> Result<Vec<ListedEntry>, ArchiveError> {
        let is_ours = self.is_ours();
        let bounds = self.bounds()?;
        let mut entries = Vec::with_capacity(self.zip.len());
        for index in 0..self.zip.len() {
            let entry = self
                .zip
                .by_index_data(index)
                .map_err(|error| of_zip("", error))?;
            let name = match std::str::from_utf8(entry.name_raw()) {
                Ok(name) => name.to_owned(),
                Err(_) => entry
                    .name()
                    .map_err(|error| of_zip("", error))?
                    .into_owned(),
            };
            if is_ours && name.starts_with(OWN_PREFIX) {
                continue;
            }
            let kind = kind_of(&name, entry.unix_mode());
            entries.push(ListedEntry {
                index,
                name,
                kind,
                size_bytes: entry.size(),
                compressed_bytes: entry.compressed_size(),
                method: method_of(entry.compression()),
                modified_ns: entry.last_modified().and_then(of_dos),
                mode: entry.unix_mode().map(|mode| mode & 0o7777),
                crc32: entry.crc32(),
                header_offset: entry.header_start(),
                extent: extent_of(
                    &bounds,
                    entry.header_start(),
                    (entry.name_raw().len() as u64).saturating_add(entry.compressed_size()),
                ),
                unreadable: Unreadable::of(entry.compression(), entry.encrypted()),
                described: Described::Nowhere,
            });
        }
        entries.sort_by_key(|entry| entry.header_offset);
        Ok(entries)
    }

    /// Bytes that have what zipkeep wrote for itself, in order; none in foreign archives.
    pub fn own_extents(&self) -> Result<Vec<Range<u64>>, ArchiveError> {
        if !self.is_ours() {
            return Ok(Vec::new());
        }
        let bounds = self.bounds()?;
        let mut extents = Vec::new();
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index_data(index);
            let entry = entry.map_err(|error| of_zip("", error))?;
            if entry.name_raw().starts_with(OWN_PREFIX.as_bytes()) {
                let own_bytes =
                    (entry.name_raw().len() as u64).saturating_add(entry.compressed_size());
                extents.extend(extent_of(&bounds, entry.header_start(), own_bytes));
            }
        }
        extents.sort_unstable_by_key(|extent| extent.start);
        Ok(extents)
    }

    /// Where the bytes of entries begin, in order, and where the last of them ends.
    fn bounds(&self) -> Result<Vec<u64>, ArchiveError> {
        let mut bounds = Vec::with_capacity(self.zip.len() + 1);
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index_data(index);
            bounds.push(entry.map_err(|error| of_zip("", error))?.header_start());
        }
        // All by the archive's own account, which may lead far behind its end.
        let directory = self.zip.central_directory_start();
        let last = directory.min(self.archive_bytes);
        bounds.retain(|bound| *bound < last);
        bounds.push(last);
        bounds.sort_unstable();
        Ok(bounds)
    }

    /// Whether several entries have one name; only the last of them can be read.
    pub fn has_duplicate_names(&self) -> bool {
        self.zip.has_duplicate_names()
    }

    /// Whether there is a manifest of ours in it.
    fn is_ours(&self) -> bool {
        self.zip.index_for_name(MANIFEST_PATH).is_some()
    }

    /// The manifest with all entries that it describes and the directory has; `None` when the archive
    /// is not one of ours.
    pub fn manifest(&mut self) -> Result<Option<Manifest>, ArchiveError> {
        let Some(mut manifest) = self.manifest_head()? else {
            return Ok(None);
        };
        let mut described: Vec<Entry> = Vec::new();
        for list in &manifest.entry_lists {
            let newer = self.entry_list(list)?;
            if described.is_empty() {
                described = newer;
                continue;
            }
            let paths: HashSet<&str> = newer.iter().map(|e| e.path.as_str()).collect();
            described.retain(|older| !paths.contains(older.path.as_str()));
            drop(paths);
            described.extend(newer);
        }
        described.retain(|entry| self.has(entry));
        described.sort_by_key(|entry| entry.header_offset);
        manifest.entries = described;
        Ok(Some(manifest))
    }

    /// The manifest without its entries, and everything in the archive with what the manifest says of
    /// it; `None` when the archive is not one of ours.
    pub fn described_entries(
        &mut self,
    ) -> Result<Option<(Manifest, Vec<ListedEntry>)>, ArchiveError> {
        let Some(mut manifest) = self.manifest()? else {
            return Ok(None);
        };
        let mut entries = self.entries()?;
        describe(&mut entries, std::mem::take(&mut manifest.entries));
        Ok(Some((manifest, entries)))
    }

    /// The manifest without its entries.
    pub fn manifest_head(&mut self) -> Result<Option<Manifest>, ArchiveError> {
        let Some(index) = self.zip.index_for_name(MANIFEST_PATH) else {
            return Ok(None);
        };
        let mut text = Vec::new();
        let mut bounded = self.own_content(index, MANIFEST_PATH)?;
        let read = bounded.read_to_end(&mut text);
        read.map_err(|error| ArchiveError::Manifest(serde_json::Error::io(error)))?;
        parse_manifest(&text).map(Some)
    }

    fn entry_list(&mut self, name: &str) -> Result<Vec<Entry>, ArchiveError> {
        let lost = || ArchiveError::Damaged {
            path: name.to_owned(),
            reason: "it is missing".to_owned(),
        };
        let index = self.zip.index_for_name(name).ok_or_else(lost)?;
        let mut lines = self.own_content(index, name)?;
        let mut entries = Vec::new();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            entries.push(serde_json::from_slice(&line).map_err(ArchiveError::Manifest)?);
            line.clear();
        }
        Ok(entries)
    }

    /// What zipkeep wrote for itself, bounded.
    fn own_content(&mut self, index: usize, name: &str) -> Result<impl BufRead, ArchiveError> {
        let most_bytes = MANIFEST_BYTES_BESIDES + self.zip.len() as u64 * MANIFEST_BYTES_PER_ENTRY;
        let content = self.content(index, name)?;
        Ok(BufReader::with_capacity(
            256 * 1024,
            content.take(most_bytes),
        ))
    }

    /// Whether the directory has what a list describes.
    fn has(&self, entry: &Entry) -> bool {
        let index = match entry.kind {
            EntryKind::Directory => self.zip.index_for_name(&format!("{}/", entry.path)),
            EntryKind::File | EntryKind::Symlink => self.zip.index_for_name(&entry.path),
        };
        let found = index.and_then(|index| self.zip.by_index_data(index).ok());
        found.is_some_and(|found| found.header_start() == entry.header_offset)
    }

    /// The content of an entry. Reading it to its end checks its CRC-32; `name` is for errors.
    pub fn content(&mut self, index: usize, name: &str) -> Result<Content<'_, R>, ArchiveError> {
        let file = self
            .zip
            .by_index(index)
            .map_err(|error| of_zip(name, error))?;
        Ok(Content { file })
    }
}

impl<R: Read + Seek + Clone> ArchiveReader<R> {
    /// The names that several entries have; [`Self::entries`] has only the last of each.
    pub fn duplicate_names(&self) -> Result<BTreeSet<String>, ArchiveError> {
        if !self.zip.has_duplicate_names() {
            return Ok(BTreeSet::new());
        }
        let start = self.zip.central_directory_start();
        let mut reader = self.zip.clone().into_inner();
        reader.seek(SeekFrom::Start(start))?;
        let mut records = DirectoryReader::new(BufReader::new(reader));
        let (mut seen, mut several) = (HashSet::new(), BTreeSet::new());
        // What follows the last record is none.
        while let Ok(Some(record)) = records.read_next() {
            let name = String::from_utf8_lossy(record.raw_name()).into_owned();
            if seen.contains(&name) {
                several.insert(name);
            } else {
                seen.insert(name);
            }
        }
        Ok(several)
    }
}

/// The content of one entry.
#[derive(Debug)]
pub struct Content<'a, R: Read> {
    file: zip::read::ZipFile<'a, R>,
}

impl<R: Read> Content<'_, R> {
    /// Last change in nanoseconds since 1970 UTC, by the extended timestamp, which is exact in zone.
    pub fn modified_ns(&self) -> Option<i64> {
        let seconds = self
            .file
            .extra_data_fields()
            .find_map(|field| match field {
                ExtraField::ExtendedTimestamp(times) => times.mod_time(),
                _ => None,
            })?;
        // The field is signed (Info-ZIP), though the crate hands it out unsigned.
        Some(i64::from(seconds.cast_signed()) * 1_000_000_000)
    }
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

/// The bytes of an entry whose name and content take `own_bytes`: up to whatever follows, or as far as
/// the longest header and descriptor could reach.
fn extent_of(bounds: &[u64], start: u64, own_bytes: u64) -> Option<Range<u64>> {
    const HEADER_BYTES: u64 = 30;
    const MOST_BESIDES: u64 = 0xffff + 24;
    let least = start.checked_add(own_bytes)?.checked_add(HEADER_BYTES)?;
    let next = bounds.partition_point(|bound| *bound <= start);
    let end = (*bounds.get(next)?).min(least.saturating_add(MOST_BESIDES));
    // Two entries that begin at the same place share their bytes.
    let is_alone = next < 2 || bounds[next - 2] != start;
    (least <= end && is_alone).then_some(start..end)
}

/// What an entry is, by its file type where a Unix program wrote one, else by its name.
fn kind_of(name: &str, unix_mode: Option<u32>) -> EntryKind {
    match unix_mode.map(|mode| mode & 0o170_000) {
        _ if name.ends_with('/') => EntryKind::Directory,
        Some(0o040_000) => EntryKind::Directory,
        Some(0o120_000) => EntryKind::Symlink,
        // A file of Unix may well end in a backslash; one of other systems may not.
        Some(0o100_000) => EntryKind::File,
        _ if name.ends_with('\\') => EntryKind::Directory,
        _ => EntryKind::File,
    }
}

/// The method, where it is one of ours.
fn method_of(method: zip::CompressionMethod) -> Option<Method> {
    match method {
        zip::CompressionMethod::STORE => Some(Method::Stored),
        zip::CompressionMethod::DEFLATE => Some(Method::Deflate),
        _ => None,
    }
}

/// A DOS time is local time of nobody knows where: here, most likely.
fn of_dos(time: zip::DateTime) -> Option<i64> {
    let small = |value: u8| i8::try_from(value).ok();
    let civil = civil::DateTime::new(
        i16::try_from(time.year()).ok()?,
        small(time.month())?,
        small(time.day())?,
        small(time.hour())?,
        small(time.minute())?,
        small(time.second())?,
        0,
    )
    .ok()?;
    let moment = civil.to_zoned(TimeZone::system()).ok()?.timestamp();
    i64::try_from(moment.as_nanosecond()).ok()
}

fn of_zip(name: &str, error: ZipError) -> ArchiveError {
    match error {
        ZipError::Io(error) => ArchiveError::Io(error),
        ZipError::InvalidArchive(why) if name.is_empty() => {
            ArchiveError::NotAnArchive(why.into_owned())
        }
        error => ArchiveError::Damaged {
            path: name.to_owned(),
            reason: match error {
                ZipError::CompressionMethodNotSupported(method) => {
                    Unreadable::of_number(method).to_string()
                }
                ZipError::UnsupportedArchive(why) if why.contains("assword") => {
                    "it is encrypted".to_owned()
                }
                error => error.to_string(),
            },
        },
    }
}
