//! Brings the content of an entry out of the archive into the working folder, and checks it.

use crate::archive::ArchiveError;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::files::{make_link, set_mode, time_of};
use crate::engine::inside::{EntryReader, Place};
use crate::engine::meter::Meter;
use crate::engine::range_reader::Failure;
use crate::engine::restore::plan::{Item, Trust};
use crate::model::EntryKind;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

/// One of several threads that unpack.
#[derive(Debug)]
pub(super) struct Unpacker<'a> {
    pub(super) reader: EntryReader,
    pub(super) failure: Failure,
    pub(super) context: &'a Context,
    pub(super) meter: &'a Meter,
    pub(super) buffer: Vec<u8>,
}

/// Why an entry was not unpacked.
pub(super) enum UnpackError {
    /// The entry itself is bad; others may be good.
    Entry(String),
    /// Nothing more can be fetched or written.
    Job(EngineError),
}

impl Unpacker<'_> {
    /// Writes an entry's content to `path` and checks CRC-32, length and hash. At an error nothing is
    /// there.
    pub(super) fn unpack(&mut self, item: &Item, path: &Path) -> Result<(), UnpackError> {
        self.meter.working_on(&item.name);
        let unpacked = match item.kind {
            EntryKind::Directory => Ok(()),
            EntryKind::File => self.unpack_file(item, path),
            EntryKind::Symlink => self.unpack_link(item, path),
        };
        if unpacked.is_err() {
            // Whatever is in it is not what it should be.
            std::fs::remove_file(path).ok();
        }
        unpacked
    }

    fn unpack_file(&mut self, item: &Item, path: &Path) -> Result<(), UnpackError> {
        let failed = |source| {
            UnpackError::Job(EngineError::Target {
                path: path.to_owned(),
                source,
            })
        };
        let mut file = File::create_new(path).map_err(failed)?;
        let modified_ns = self.copy(item, |bytes| file.write_all(bytes).map_err(failed))?;
        if let Some(ns) = modified_ns.or(item.modified_ns) {
            filetime::set_file_handle_times(&file, None, Some(time_of(ns))).map_err(failed)?;
        }
        // Linux brings a whole volume to the disk at once, later; others file by file.
        #[cfg(not(target_os = "linux"))]
        file.sync_all().map_err(failed)?;
        drop(file);
        set_mode(path, item.mode).map_err(failed)?;
        self.meter.add_file();
        Ok(())
    }

    fn unpack_link(&mut self, item: &Item, path: &Path) -> Result<(), UnpackError> {
        /// No system has longer links.
        const LONGEST_TARGET_BYTES: u64 = 64 * 1024;
        let bad = |reason: &str| UnpackError::Entry(reason.to_owned());
        if item.size_bytes > LONGEST_TARGET_BYTES {
            return Err(bad("the link's target is too long"));
        }
        let mut target = Vec::new();
        self.copy(item, |bytes| {
            target.extend_from_slice(bytes);
            Ok(())
        })?;
        let target = link_target(target).ok_or_else(|| bad("the link's target is not a path"))?;
        if item.trust == Trust::Foreign && may_lead_outside(&item.relative, &target) {
            return Err(bad("the link leads outside the folder, or may"));
        }
        make_link(&target, path)
            .map_err(|error| bad(&format!("the link could not be made: {error}")))?;
        if let Some(ns) = item.modified_ns {
            let time = time_of(ns);
            // Some file systems keep no times for links; the link itself is what matters.
            filetime::set_symlink_file_times(path, time, time).ok();
        }
        Ok(())
    }

    /// Passes an entry's content on; returns its time, where it is more exact than the directory's.
    fn copy(
        &mut self,
        item: &Item,
        mut take: impl FnMut(&[u8]) -> Result<(), UnpackError>,
    ) -> Result<Option<i64>, UnpackError> {
        let failure = self.failure.clone();
        let bad = |error: ArchiveError| match failure.take() {
            Some(reason) => UnpackError::Job(reason),
            None => UnpackError::Entry(reason_of(&error)),
        };
        let place = Place {
            name: &item.name,
            index: item.index,
            packed: item.packed,
        };
        let content = self.reader.content(place).map_err(&bad)?;
        let modified_ns = match item.trust {
            Trust::Ours => None,
            Trust::Foreign => content.modified_ns(),
        };
        // One byte more than it says, to notice an entry that is longer than that.
        let mut content = content.take(item.size_bytes.saturating_add(1));
        let mut hasher = blake3::Hasher::new();
        let mut size_bytes = 0;
        loop {
            self.context.check_cancelled().map_err(UnpackError::Job)?;
            let count = content
                .read(&mut self.buffer)
                .map_err(|error| bad(error.into()))?;
            if count == 0 {
                break;
            }
            let bytes = &self.buffer[..count];
            hasher.update(bytes);
            size_bytes += count as u64;
            take(bytes)?;
            self.meter.add_bytes(count as u64);
        }
        let wrong = |reason| bad(damaged(&item.name, reason));
        if size_bytes != item.size_bytes {
            return Err(wrong("its length is not what the archive says"));
        }
        match item.blake3 {
            Some(hash) if hash != hasher.finalize() => {
                Err(wrong("its content is not what was backed up"))
            }
            _ => Ok(modified_ns),
        }
    }
}

/// The reason alone: the report names the entry itself.
fn reason_of(error: &ArchiveError) -> String {
    match error {
        ArchiveError::Damaged { reason, .. } => reason.clone(),
        ArchiveError::Io(error) => format!("it is damaged: {error}"),
        error => error.to_string(),
    }
}

/// An entry's content was not what it should be.
fn damaged(name: &str, reason: &str) -> ArchiveError {
    ArchiveError::Damaged {
        path: name.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Whether a link at `relative` below a folder may point outside of it. What it passes on the way down may
/// be another link, which leads elsewhere, so it must not go up again after that.
fn may_lead_outside(relative: &Path, target: &Path) -> bool {
    use Component::{CurDir, Normal, ParentDir};
    let mut depth = relative.components().count().saturating_sub(1);
    let mut goes_down = false;
    for component in target.components() {
        match component {
            Normal(_) => goes_down = true,
            CurDir => {}
            ParentDir if depth > 0 && !goes_down => depth -= 1,
            _ => return true,
        }
    }
    false
}

#[cfg(unix)]
fn link_target(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let is_path = !bytes.is_empty() && !bytes.contains(&0);
    is_path.then(|| PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
fn link_target(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_in_mind_only() {
        for (link, target, outside) in [
            ("a/l", "b", false),
            ("a/l", "../b", false),
            ("a/l", "../../b", true),
            ("l", "..", true),
            ("a/l", "/etc", true),
            ("a/b/l", "../../x/./y", false),
            ("a/b/l", "../x/../../y", true),
            ("a/b/l", "x/..", true),
        ] {
            assert_eq!(
                may_lead_outside(Path::new(link), Path::new(target)),
                outside,
                "{link} -> {target}"
            );
        }
    }
}
