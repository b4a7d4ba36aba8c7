//! What there is to back up: walks the folders, leaves out what is excluded, opens no file.

use crate::archive::{EntryName, label_roots};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::request::BackupRequest;
use crate::model::{EntryKind, Gap, Root, Skipped};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use walkdir::{DirEntry, WalkDir};

/// What there is to back up.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) roots: Vec<Root>,
    /// In the order in which they are written.
    pub(super) entries: Vec<SourceEntry>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Something to back up, as the walk saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceEntry {
    pub(super) path: PathBuf,
    pub(super) name: EntryName,
    pub(super) kind: EntryKind,
    pub(super) size_bytes: u64,
    pub(super) modified_ns: i64,
    pub(super) mode: u32,
}

/// Walks all folders of a request. Fails only when not one of them can be read.
pub(super) fn scan(
    request: &BackupRequest,
    context: &Context,
    meter: &Meter,
) -> Result<Scan, EngineError> {
    let mut sources = Vec::new();
    for source in &request.sources {
        if !sources.contains(source) {
            sources.push(source.clone());
        }
    }
    if sources.is_empty() {
        return Err(EngineError::NoSources);
    }
    let labels = label_roots(&sources);
    let keep_out: Vec<PathBuf> = request
        .keep_out
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let mut scan = Scan {
        roots: Vec::new(),
        entries: Vec::new(),
        skipped: Vec::new(),
        files: 0,
        bytes: 0,
    };
    let mut first_failure = None;
    for (source, label) in sources.into_iter().zip(labels) {
        let walk = Walk {
            label: &label,
            keep_out: &keep_out,
            excludes: excludes_of(&source, &request.excludes)?,
        };
        match readable_root(&source, &keep_out) {
            Ok(canonical) => {
                scan.roots.push(root_of(&label, &source));
                walk.run(&canonical, &mut scan, context, meter)?;
            }
            Err(error) => {
                scan.skipped.push(Skipped {
                    path: source.display().to_string(),
                    reason: reason_of(&error),
                    gap: Gap::Missing,
                });
                first_failure.get_or_insert((source, error));
            }
        }
    }
    EntryName::settle(scan.entries.iter_mut().map(|entry| &mut entry.name));
    match first_failure {
        Some((path, source)) if scan.roots.is_empty() => Err(EngineError::Source { path, source }),
        _ => Ok(scan),
    }
}

/// Why a file could not be read, in plain words.
pub(super) fn reason_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        io::ErrorKind::NotFound => "it is not there any more".to_owned(),
        _ => error.to_string(),
    }
}

fn readable_root(source: &Path, keep_out: &[PathBuf]) -> io::Result<PathBuf> {
    let canonical = source.canonicalize()?;
    if !canonical.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is not a folder",
        ));
    }
    if keep_out.iter().any(|kept| canonical.starts_with(kept)) {
        return Err(io::Error::other("backups themselves are kept there"));
    }
    std::fs::read_dir(&canonical)?;
    Ok(canonical)
}

fn root_of(label: &str, source: &Path) -> Root {
    let text = source.to_str();
    Root {
        label: label.to_owned(),
        path: text.map_or_else(|| source.to_string_lossy().into_owned(), ToOwned::to_owned),
        raw_path: text
            .is_none()
            .then(|| crate::engine::plan::to_hex(source.as_os_str().as_encoded_bytes())),
    }
}

fn excludes_of(source: &Path, patterns: &[String]) -> Result<Gitignore, EngineError> {
    let mut builder = GitignoreBuilder::new(source);
    let bad = |pattern: &str, error: &ignore::Error| EngineError::Pattern {
        pattern: pattern.to_owned(),
        reason: error.to_string(),
    };
    for pattern in patterns {
        builder
            .add_line(None, pattern)
            .map_err(|error| bad(pattern, &error))?;
    }
    builder.build().map_err(|error| bad("", &error))
}

/// The walk through one folder.
struct Walk<'a> {
    label: &'a str,
    keep_out: &'a [PathBuf],
    excludes: Gitignore,
}

impl Walk<'_> {
    fn run(
        &self,
        root: &Path,
        scan: &mut Scan,
        context: &Context,
        meter: &Meter,
    ) -> Result<(), EngineError> {
        // Sorted, so that the same tree gives the same archive.
        let walk = WalkDir::new(root).sort_by_file_name().into_iter();
        for found in walk.filter_entry(|entry| self.wants(root, entry)) {
            context.check_cancelled()?;
            match found {
                Ok(entry) => self.take(root, &entry, scan, meter),
                Err(error) => {
                    let path = error.path().unwrap_or(root);
                    let name = EntryName::new(self.label, path.strip_prefix(root).unwrap_or(path));
                    let reason = error
                        .io_error()
                        .map_or_else(|| error.to_string(), reason_of);
                    scan.skipped.push(Skipped {
                        path: name.text,
                        reason,
                        gap: Gap::Missing,
                    });
                }
            }
        }
        Ok(())
    }

    fn wants(&self, root: &Path, entry: &DirEntry) -> bool {
        if entry.depth() == 0 {
            return true;
        }
        let is_dir = entry.file_type().is_dir();
        if is_dir && self.keep_out.iter().any(|kept| kept == entry.path()) {
            return false;
        }
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        !self.excludes.matched(relative, is_dir).is_ignore()
    }

    fn take(&self, root: &Path, entry: &DirEntry, scan: &mut Scan, meter: &Meter) {
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let name = EntryName::new(self.label, relative);
        let skip = |reason: String, gap| Skipped {
            path: name.text.clone(),
            reason,
            gap,
        };
        let Some(kind) = kind_of(entry.file_type()) else {
            let reason = "it is not a file, folder or link".to_owned();
            return scan.skipped.push(skip(reason, Gap::Special));
        };
        let metadata = match entry.path().symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) => return scan.skipped.push(skip(reason_of(&error), Gap::Missing)),
        };
        let size_bytes = if kind == EntryKind::File {
            metadata.len()
        } else {
            0
        };
        if kind == EntryKind::File {
            scan.files += 1;
            scan.bytes += size_bytes;
            meter.add_file();
            meter.add_bytes(size_bytes);
        }
        scan.entries.push(SourceEntry {
            path: entry.path().to_owned(),
            name,
            kind,
            size_bytes,
            modified_ns: modified_ns(&metadata),
            mode: mode_of(&metadata),
        });
    }
}

fn kind_of(file_type: FileType) -> Option<EntryKind> {
    if file_type.is_file() {
        Some(EntryKind::File)
    } else if file_type.is_dir() {
        Some(EntryKind::Directory)
    } else if file_type.is_symlink() {
        Some(EntryKind::Symlink)
    } else {
        None
    }
}

/// Last change in nanoseconds since 1970 UTC; 0 where the system does not know.
pub(super) fn modified_ns(metadata: &Metadata) -> i64 {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    ns_since_epoch(modified)
}

fn ns_since_epoch(time: SystemTime) -> i64 {
    let clamp = |ns: u128| i64::try_from(ns).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => clamp(after.as_nanos()),
        Err(before) => -clamp(before.duration().as_nanos()),
    }
}

#[cfg(unix)]
fn mode_of(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o7777
}

#[cfg(not(unix))]
fn mode_of(metadata: &Metadata) -> u32 {
    match (metadata.is_dir(), metadata.permissions().readonly()) {
        (true, _) => 0o755,
        (false, true) => 0o444,
        (false, false) => 0o644,
    }
}
