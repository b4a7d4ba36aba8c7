//! What there is to back up: walks the folders in order, leaves out what is excluded, opens no file.
//!
//! The walk is a stream, so that packing begins while it goes on and a million files need no memory.

use crate::archive::{EntryName, label_roots};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::excludes::excludes_of;
use crate::engine::hex::to_hex;
use crate::engine::meter::Meter;
use crate::engine::request::BackupRequest;
use crate::engine::restore::is_workspace;
use crate::model::{EntryKind, Gap, Root, Skipped};
use ignore::gitignore::Gitignore;
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Something that a walk found.
#[derive(Debug)]
pub(super) enum Found {
    Entry(SourceEntry),
    /// It is there and cannot be backed up.
    Skipped(Skipped),
}

/// Something to back up, as the walk saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceEntry {
    pub(super) path: PathBuf,
    pub(super) name: EntryName,
    pub(super) kind: EntryKind,
    pub(super) state: FileState,
}

/// What the file system says of a file. Two equal ones, a moment apart, mean the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    /// Of files only.
    pub(super) size_bytes: u64,
    pub(super) modified_ns: i64,
    pub(super) mode: u32,
    pub(super) identity: Option<FileIdentity>,
}

/// What changes when a file's content changes, even if its time is set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileIdentity {
    /// Last change of content or permissions, in nanoseconds since 1970 UTC.
    pub(super) changed_ns: i64,
    pub(super) inode: u64,
}

/// The folders of a request, ready to be walked.
#[derive(Debug)]
pub(super) struct Sources {
    /// Those that can be read, in the order of the walk.
    pub(super) roots: Vec<Root>,
    /// Those that cannot.
    pub(super) skipped: Vec<Skipped>,
    walks: Vec<Walk>,
}

impl Sources {
    /// Looks at the folders of a request. Fails only when not one of them can be read.
    pub(super) fn open(request: &BackupRequest) -> Result<Self, EngineError> {
        let mut folders = Vec::new();
        for source in &request.sources {
            if !folders.contains(source) {
                folders.push(source.clone());
            }
        }
        let labels = label_roots(&folders);
        let mut labelled: Vec<(String, PathBuf)> = labels.into_iter().zip(folders).collect();
        labelled.sort();
        let canonical = |path: &PathBuf| path.canonicalize().ok();
        let keep_out: Vec<PathBuf> = request.keep_out.iter().filter_map(canonical).collect();
        let mut sources = Self {
            roots: Vec::new(),
            skipped: Vec::new(),
            walks: Vec::new(),
        };
        let mut first_failure = None;
        for (label, source) in labelled {
            match readable_root(&source, &keep_out) {
                Ok(folder) => {
                    sources.roots.push(root_of(&label, &source));
                    sources.walks.push(Walk {
                        name: EntryName::root(&label),
                        folder,
                        keep_out: keep_out.clone(),
                        excludes: excludes_of(&source, &request.excludes)?,
                    });
                }
                Err(error) => {
                    let path = source.display().to_string();
                    sources
                        .skipped
                        .push(missing(&EntryName::root(&path), &error));
                    first_failure.get_or_insert((source, error));
                }
            }
        }
        match first_failure {
            _ if request.sources.is_empty() => Err(EngineError::NoSources),
            Some((path, source)) if sources.roots.is_empty() => {
                Err(EngineError::Source { path, source })
            }
            _ => Ok(sources),
        }
    }

    /// Whether the folder that is backed up under this label can be read.
    pub(super) fn has_root(&self, label: &[u8]) -> bool {
        self.roots.iter().any(|root| root.label.as_bytes() == label)
    }

    /// Where the folders are that can be read.
    pub(super) fn folders(&self) -> Vec<OsString> {
        let folder = |walk: &Walk| walk.folder.clone().into_os_string();
        self.walks.iter().map(folder).collect()
    }

    /// Whether a walk comes to this path and gives it this name, as things are now.
    pub(super) fn reach(&self, path: &Path, name: &EntryName) -> bool {
        let names = |walk: &Walk| walk.name_of(path).as_ref() == Some(name);
        self.walks.iter().any(names)
    }

    /// Walks all folders. Everything comes in [`walk_order`](crate::archive::walk_order) of its
    /// names; `take` may end the walk by an error.
    pub(super) fn walk(
        &self,
        context: &Context,
        meter: &Meter,
        take: &mut dyn FnMut(Found) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        for walk in &self.walks {
            walk.run(context, meter, take)?;
        }
        meter.found_all();
        Ok(())
    }
}

/// Something that should be in the archive and is not, because it could not be read.
pub(super) fn missing(name: &EntryName, error: &io::Error) -> Skipped {
    Skipped {
        path: name.text.clone(),
        raw_path: name.raw.as_deref().map(to_hex),
        reason: reason_of(error),
        gap: Gap::Missing,
    }
}

/// Why a file could not be read, in plain words.
fn reason_of(error: &io::Error) -> String {
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
            .then(|| to_hex(source.as_os_str().as_encoded_bytes())),
    }
}

/// The walk through one folder.
#[derive(Debug)]
struct Walk {
    name: EntryName,
    folder: PathBuf,
    keep_out: Vec<PathBuf>,
    excludes: Gitignore,
}

/// A folder that is being walked.
struct Level {
    path: PathBuf,
    name: EntryName,
    /// What is in it, sorted by the bytes of the names.
    children: Vec<(OsString, FileType)>,
    next: usize,
}

type Take<'a> = &'a mut dyn FnMut(Found) -> Result<(), EngineError>;

impl Walk {
    fn run(&self, context: &Context, meter: &Meter, take: Take<'_>) -> Result<(), EngineError> {
        let mut open = Vec::new();
        let root = self.name.clone();
        enter(self.folder.clone(), root, &mut open, take)?;
        while let Some(level) = open.last_mut() {
            context.check_cancelled()?;
            let Some((file_name, file_type)) = level.children.get(level.next).cloned() else {
                open.pop();
                continue;
            };
            level.next += 1;
            let path = level.path.join(&file_name);
            if !self.wants(&path, file_type) {
                continue;
            }
            let name = level.name.child(&file_name, |text| level.has(text));
            if file_type.is_dir() {
                enter(path, name, &mut open, take)?;
            } else {
                take(look_at(path, name, meter))?;
            }
        }
        Ok(())
    }

    /// What this walk calls `path`; `None` where it does not come to it.
    fn name_of(&self, path: &Path) -> Option<EntryName> {
        let below = path.strip_prefix(&self.folder).ok()?;
        let (mut folder, mut name) = (self.folder.clone(), self.name.clone());
        for component in below.components() {
            // A link to a folder is not followed.
            if !folder.symlink_metadata().ok()?.is_dir() {
                return None;
            }
            let path = folder.join(component);
            let file_type = path.symlink_metadata().ok()?.file_type();
            if !self.wants(&path, file_type) {
                return None;
            }
            let is_beside = |text: &str| folder.join(text).symlink_metadata().is_ok();
            name = name.child(component.as_os_str(), is_beside);
            folder = path;
        }
        Some(name)
    }

    fn wants(&self, path: &Path, file_type: FileType) -> bool {
        let is_dir = file_type.is_dir();
        let is_workspace = path.file_name().is_some_and(is_workspace);
        if is_dir && (is_workspace || self.keep_out.iter().any(|kept| kept == path)) {
            return false;
        }
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        !self.excludes.matched(relative, is_dir).is_ignore()
    }
}

/// Tells of a folder and goes into it.
fn enter(
    path: PathBuf,
    name: EntryName,
    open: &mut Vec<Level>,
    take: Take<'_>,
) -> Result<(), EngineError> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => metadata,
        // It became something else since its parent was read: the next backup will see it.
        Ok(_) => return Ok(()),
        Err(error) => return take(Found::Skipped(missing(&name, &error))),
    };
    take(Found::Entry(SourceEntry {
        path: path.clone(),
        name: name.clone(),
        kind: EntryKind::Directory,
        state: FileState::of(&metadata),
    }))?;
    match children_of(&path) {
        Ok(children) => open.push(Level {
            path,
            name,
            children,
            next: 0,
        }),
        Err(error) => take(Found::Skipped(missing(&name, &error)))?,
    }
    Ok(())
}

impl Level {
    fn has(&self, text: &str) -> bool {
        let by_name = |(name, _): &(OsString, FileType)| name.as_os_str().cmp(OsStr::new(text));
        self.children.binary_search_by(by_name).is_ok()
    }
}

fn children_of(folder: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        children.push((entry.file_name(), entry.file_type()?));
    }
    children.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(children)
}

fn look_at(path: PathBuf, name: EntryName, meter: &Meter) -> Found {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Found::Skipped(missing(&name, &error)),
    };
    let Some(kind) = kind_of(metadata.file_type()) else {
        return Found::Skipped(Skipped {
            raw_path: name.raw.as_deref().map(to_hex),
            path: name.text,
            reason: "it is not a file, folder or link".to_owned(),
            gap: Gap::Special,
        });
    };
    let state = FileState::of(&metadata);
    if kind == EntryKind::File {
        meter.found_file(state.size_bytes);
    }
    Found::Entry(SourceEntry {
        path,
        name,
        kind,
        state,
    })
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

impl FileState {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            size_bytes: if metadata.is_file() {
                metadata.len()
            } else {
                0
            },
            // 0 where the system does not know.
            modified_ns: ns_since_epoch(metadata.modified().unwrap_or(UNIX_EPOCH)),
            mode: mode_of(metadata),
            identity: identity_of(metadata),
        }
    }
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

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "other systems do not tell all of it"
)]
fn identity_of(metadata: &Metadata) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = metadata.ctime().saturating_mul(1_000_000_000);
    Some(FileIdentity {
        changed_ns: seconds.saturating_add(metadata.ctime_nsec()),
        inode: metadata.ino(),
    })
}

#[cfg(not(unix))]
fn mode_of(metadata: &Metadata) -> u32 {
    match (metadata.is_dir(), metadata.permissions().readonly()) {
        (true, _) => 0o755,
        (false, true) => 0o444,
        (false, false) => 0o644,
    }
}

#[cfg(not(unix))]
fn identity_of(_metadata: &Metadata) -> Option<FileIdentity> {
    None
}
