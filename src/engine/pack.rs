//! From a scan to the bytes of an archive: reads every file once, on a thread that may block.
//!
//! A file that cannot be read, vanishes or changes on the way is noted and the rest goes on; only
//! the receiver of the bytes or the person can stop the whole.

use crate::archive::{ArchiveWriter, EntryMeta, EntryStream, Finished, Level, Written};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::parts::PartSink;
use crate::engine::plan::to_hex;
use crate::engine::request::BackupRequest;
use crate::engine::scan::{Scan, SourceEntry, modified_ns, reason_of};
use crate::model::{
    Entry, EntryKind, FORMAT_MAJOR, FORMAT_MINOR, FormatVersion, Gap, MANIFEST_PATH, Manifest, Os,
    Skipped, Totals,
};
use jiff::Timestamp;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;

/// What came of packing.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) finished: Finished,
    pub(super) totals: Totals,
    pub(super) skipped: Vec<Skipped>,
    pub(super) bytes_read: u64,
}

/// Reads and compresses everything of `scan` into `sink`.
pub(super) fn pack(
    scan: Scan,
    request: BackupRequest,
    created: Timestamp,
    sink: PartSink,
    (context, meter): (&Context, &Meter),
) -> Result<Packed, EngineError> {
    let mut packing = Packing {
        writer: ArchiveWriter::new(sink, Level::default()),
        entries: Vec::with_capacity(scan.entries.len()),
        skipped: scan.skipped,
        totals: Totals::default(),
        bytes_read: 0,
        buffer: vec![0; 256 * 1024],
        context,
        meter,
    };
    for source in scan.entries {
        context.check_cancelled()?;
        packing.add(&source)?;
    }
    let manifest = Manifest {
        format: FormatVersion {
            major: FORMAT_MAJOR,
            minor: FORMAT_MINOR,
        },
        program: concat!("zipkeep ", env!("CARGO_PKG_VERSION")).to_owned(),
        profile: request.profile,
        device: request.device,
        os: Os::current(),
        created,
        roots: scan.roots,
        excludes: request.excludes,
        totals: packing.totals,
        skipped: packing.skipped,
        entries: packing.entries,
    };
    let mut writer = packing.writer;
    write_manifest(&mut writer, &manifest).map_err(stopped)?;
    let (finished, sink) = writer.finish().map_err(stopped)?;
    sink.finish().map_err(stopped)?;
    Ok(Packed {
        finished,
        totals: manifest.totals,
        skipped: manifest.skipped,
        bytes_read: packing.bytes_read,
    })
}

/// The bytes could not be handed on: whoever took them has the better reason.
fn stopped(error: io::Error) -> EngineError {
    EngineError::Archive(error.into())
}

fn write_manifest(writer: &mut ArchiveWriter<PartSink>, manifest: &Manifest) -> io::Result<()> {
    let meta = EntryMeta {
        name: MANIFEST_PATH.to_owned(),
        raw_name: None,
        kind: EntryKind::File,
        size_limit_bytes: 0,
        modified_ns: i64::try_from(manifest.created.as_nanosecond()).unwrap_or(0),
        mode: 0o644,
    };
    let mut stream = writer.begin(&meta);
    let mut buffered = BufWriter::with_capacity(64 * 1024, &mut stream);
    serde_json::to_writer(&mut buffered, manifest)?;
    buffered.flush()?;
    drop(buffered);
    stream.finish().map(|_| ())
}

struct Packing<'a> {
    writer: ArchiveWriter<PartSink>,
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
    totals: Totals,
    bytes_read: u64,
    buffer: Vec<u8>,
    context: &'a Context,
    meter: &'a Meter,
}

/// How reading one file ended.
enum FileEnd {
    Whole(Written),
    /// It was read, and changed meanwhile.
    Changed(Written),
    Unreadable(io::Error),
}

impl Packing<'_> {
    fn add(&mut self, source: &SourceEntry) -> Result<(), EngineError> {
        self.meter.working_on(&source.name.text);
        match source.kind {
            EntryKind::Directory => {
                let written = self
                    .writer
                    .add(&meta_of(source, source.mode), &[])
                    .map_err(stopped)?;
                self.totals.directories += 1;
                self.record(source, written, source.mode);
            }
            EntryKind::Symlink => match std::fs::read_link(&source.path) {
                Ok(target) => {
                    let target = target.as_os_str().as_encoded_bytes();
                    let meta = meta_of(source, source.mode);
                    let written = self.writer.add(&meta, target).map_err(stopped)?;
                    self.totals.symlinks += 1;
                    self.record(source, written, source.mode);
                }
                Err(error) => self.skip(source, &error),
            },
            EntryKind::File => self.add_file(source)?,
        }
        Ok(())
    }

    fn add_file(&mut self, source: &SourceEntry) -> Result<(), EngineError> {
        let opened = open(&source.path).and_then(|file| Ok((file.metadata()?, file)));
        let (before, file) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.skip(source, &error);
                return Ok(());
            }
        };
        let now = SourceEntry {
            size_bytes: before.len(),
            modified_ns: modified_ns(&before),
            ..source.clone()
        };
        match self.copy(&now, &file, &before)? {
            FileEnd::Unreadable(error) => self.skip(source, &error),
            FileEnd::Whole(written) => self.keep(&now, written),
            FileEnd::Changed(written) => {
                self.keep(&now, written);
                self.skipped.push(Skipped {
                    path: now.name.text,
                    reason: "it changed while it was being read".to_owned(),
                    gap: Gap::Changed,
                });
            }
        }
        Ok(())
    }

    fn keep(&mut self, source: &SourceEntry, written: Written) {
        self.totals.files += 1;
        self.totals.bytes += written.size_bytes;
        self.meter.add_file();
        self.record(source, written, source.mode);
    }

    fn copy(
        &mut self,
        source: &SourceEntry,
        file: &File,
        before: &Metadata,
    ) -> Result<FileEnd, EngineError> {
        let meta = meta_of(source, source.mode);
        let mut stream = self.writer.begin(&meta);
        // Never more than the file had when its header was decided: a log that grows without end
        // must not make the entry grow without end.
        let mut bounded = file.take(before.len());
        loop {
            self.context.check_cancelled()?;
            let count = match bounded.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    stream.abandon().map_err(stopped)?;
                    return Ok(FileEnd::Unreadable(error));
                }
            };
            stream.write_all(&self.buffer[..count]).map_err(stopped)?;
            self.bytes_read += count as u64;
            self.meter.add_bytes(count as u64);
        }
        Self::end(stream, file, before)
    }

    fn end(
        stream: EntryStream<'_, PartSink>,
        file: &File,
        before: &Metadata,
    ) -> Result<FileEnd, EngineError> {
        let written = stream.finish().map_err(stopped)?;
        let is_same = file.metadata().is_ok_and(|after| {
            after.len() == before.len() && modified_ns(&after) == modified_ns(before)
        });
        Ok(if is_same && written.size_bytes == before.len() {
            FileEnd::Whole(written)
        } else {
            FileEnd::Changed(written)
        })
    }

    fn skip(&mut self, source: &SourceEntry, error: &io::Error) {
        self.skipped.push(Skipped {
            path: source.name.text.clone(),
            reason: reason_of(error),
            gap: Gap::Missing,
        });
    }

    fn record(&mut self, source: &SourceEntry, written: Written, mode: u32) {
        let has_content = source.kind != EntryKind::Directory;
        self.entries.push(Entry {
            path: source.name.text.clone(),
            raw_path: source.name.raw.as_deref().map(to_hex),
            kind: source.kind,
            size_bytes: written.size_bytes,
            modified_ns: source.modified_ns,
            mode: Some(mode),
            blake3: has_content.then(|| written.blake3.to_hex().to_string()),
            stored: written.stored,
        });
    }
}

/// Opens a file that the scan saw. What stands there now may be something else, such as a pipe that
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

fn meta_of(source: &SourceEntry, mode: u32) -> EntryMeta {
    let mut name = source.name.text.clone();
    if source.kind == EntryKind::Directory {
        name.push('/');
    }
    EntryMeta {
        name,
        raw_name: source.name.raw.clone(),
        kind: source.kind,
        size_limit_bytes: source.size_bytes,
        modified_ns: source.modified_ns,
        mode,
    }
}
