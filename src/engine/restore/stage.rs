//! `Stage`: the folder beside a restore's target where everything is written and checked first.
//!
//! It stands inside the target folder, so that it is on the same volume and a file moves in by a
//! rename. Whatever happens, dropping the stage removes it, and the folders made for it.

use crate::archive::{ArchiveError, ArchiveReader};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::files::{make_link, set_mode, time_of, unlock};
use crate::engine::meter::Meter;

use crate::engine::range_reader::{Failure, RangeReader};
use crate::engine::restore::plan::{Item, Trust, damaged};
use crate::model::EntryKind;
use filetime::FileTime;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The staging folder of one base.
#[derive(Debug)]
pub(super) struct Stage {
    base: PathBuf,
    folder: Option<tempfile::TempDir>,
    /// Folders made to hold it, the topmost first; they go again when nothing was restored.
    made: Vec<PathBuf>,
    /// How the base was before, where it was there.
    before: Option<Before>,
}

#[derive(Debug)]
struct Before {
    modified: FileTime,
    /// Where they had to change for the moment.
    permissions: Option<fs::Permissions>,
}

impl Stage {
    /// Makes the base, where it is missing, and a staging folder in it.
    pub(super) fn new(base: &Path) -> Result<Self, EngineError> {
        let mut stage = Self {
            base: base.to_owned(),
            folder: None,
            made: Vec::new(),
            before: None,
        };
        let failed = |source| EngineError::Target {
            path: base.to_owned(),
            source,
        };
        for folder in base.ancestors().collect::<Vec<_>>().into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => stage.made.push(folder.to_owned()),
                Err(_) if folder.is_dir() => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if stage.made.is_empty() {
            let metadata = fs::metadata(base).map_err(failed)?;
            stage.before = Some(Before {
                modified: FileTime::from_last_modification_time(&metadata),
                permissions: unlock(base).map_err(failed)?,
            });
        }
        let folder = tempfile::Builder::new()
            .prefix(".zipkeep-restore-")
            .tempdir_in(base)
            .map_err(failed)?;
        for part in ["new", "old"] {
            fs::create_dir(folder.path().join(part)).map_err(failed)?;
        }
        stage.folder = Some(folder);
        Ok(stage)
    }

    /// Writes down which number stands for which file, for whoever finds a stage that a power cut
    /// left behind, and brings all of it to the disk.
    pub(super) fn seal(&self, names: impl Iterator<Item = (usize, PathBuf)>) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let list = File::create_new(folder.path().join("names.txt"))?;
        let mut list = io::BufWriter::new(list);
        for (number, path) in names {
            writeln!(list, "{number}\t{}", path.display())?;
        }
        list.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        self.sync()
    }

    /// Brings what was written on its volume to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(File::open(&self.base)?)?;
        Ok(())
    }

    /// Leaves the staging folder where it is, because it holds files that are nowhere else.
    pub(super) fn leave_behind(&mut self) -> Option<PathBuf> {
        self.made.clear();
        self.before = None;
        self.folder.take().map(tempfile::TempDir::keep)
    }

    /// The folder that files are restored to.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Where the new content of this item waits.
    pub(super) fn new_path(&self, item: &Item) -> PathBuf {
        self.path("new", item)
    }

    /// Where what this item replaces is kept until all is in place.
    pub(super) fn old_path(&self, item: &Item) -> PathBuf {
        self.path("old", item)
    }

    fn path(&self, part: &str, item: &Item) -> PathBuf {
        let folder = self
            .folder
            .as_ref()
            .map_or(self.base.as_path(), |folder| folder.path());
        folder.join(part).join(item.index.to_string())
    }

    /// Something was restored: the folders made for it stay, and the base is not as it was.
    pub(super) fn keep_folders(&mut self) {
        self.made.clear();
        if let Some(before) = &mut self.before {
            before.modified = FileTime::now();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take()
            && let Err(error) = folder.close()
        {
            tracing::warn!(%error, base = %self.base.display(), "a staging folder stays behind");
        }
        if let Some(before) = self.before.take() {
            filetime::set_file_mtime(&self.base, before.modified).ok();
            if let Some(permissions) = before.permissions {
                fs::set_permissions(&self.base, permissions).ok();
            }
        }
        for made in self.made.drain(..).rev() {
            // Only an empty folder goes: whatever somebody put there meanwhile stays.
            fs::remove_dir(made).ok();
        }
    }
}

/// Fetches entries into their stages.
pub(super) struct Fetch<'a> {
    pub(super) archive: &'a mut ArchiveReader<RangeReader>,
    pub(super) failure: Failure,
    pub(super) context: &'a Context,
    pub(super) meter: &'a Meter,
}

/// Why an entry did not reach its stage.
pub(super) enum FetchError {
    /// The entry itself is bad; others may be good.
    Entry(String),
    /// Nothing more can be fetched or written.
    Job(EngineError),
}

impl Fetch<'_> {
    /// Writes an entry's content to its stage and checks CRC-32, length and hash.
    pub(super) fn fetch(&mut self, item: &Item, stage: &Stage) -> Result<(), FetchError> {
        self.meter.working_on(&item.name);
        match item.kind {
            EntryKind::Directory => Ok(()),
            EntryKind::File => self.fetch_file(item, &stage.new_path(item)),
            EntryKind::Symlink => self.fetch_link(item, &stage.new_path(item)),
        }
    }

    fn fetch_file(&mut self, item: &Item, path: &Path) -> Result<(), FetchError> {
        let target_failed = |source| {
            FetchError::Job(EngineError::Target {
                path: path.to_owned(),
                source,
            })
        };
        let mut file = File::create_new(path).map_err(target_failed)?;
        let modified_ns = self.copy(item, |bytes| file.write_all(bytes).map_err(target_failed))?;
        if let Some(ns) = modified_ns.or(item.modified_ns) {
            filetime::set_file_handle_times(&file, None, Some(time_of(ns)))
                .map_err(target_failed)?;
        }
        // Linux brings a whole volume to the disk at once, later; others file by file.
        #[cfg(not(target_os = "linux"))]
        file.sync_all().map_err(target_failed)?;
        drop(file);
        set_mode(path, item.mode).map_err(target_failed)?;
        self.meter.add_file();
        Ok(())
    }

    fn fetch_link(&mut self, item: &Item, path: &Path) -> Result<(), FetchError> {
        /// No system has longer links.
        const LONGEST_TARGET_BYTES: u64 = 64 * 1024;
        if item.size_bytes > LONGEST_TARGET_BYTES {
            return Err(FetchError::Entry(
                "the link's target is too long".to_owned(),
            ));
        }
        let mut target = Vec::new();
        self.copy(item, |bytes| {
            target.extend_from_slice(bytes);
            Ok(())
        })?;
        let target = link_target(target)
            .ok_or_else(|| FetchError::Entry("the link's target is not a path".to_owned()))?;
        if item.trust == Trust::Foreign && leads_outside(&item.relative, &target) {
            return Err(FetchError::Entry(
                "the link leads outside the folder".to_owned(),
            ));
        }
        make_link(&target, path)
            .map_err(|error| FetchError::Entry(format!("the link could not be made: {error}")))?;
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
        mut take: impl FnMut(&[u8]) -> Result<(), FetchError>,
    ) -> Result<Option<i64>, FetchError> {
        let failure = self.failure.clone();
        let bad = |error: ArchiveError| match failure.take() {
            Some(reason) => FetchError::Job(reason),
            None => FetchError::Entry(reason_of(&error)),
        };
        let content = self.archive.content(item.index, &item.name).map_err(&bad)?;
        let modified_ns = match item.trust {
            Trust::Ours => None,
            Trust::Foreign => content.modified_ns(),
        };
        // One byte more than it says, to notice an entry that is longer than that.
        let mut content = content.take(item.size_bytes.saturating_add(1));
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 128 * 1024];
        let mut size_bytes = 0;
        loop {
            self.context.check_cancelled().map_err(FetchError::Job)?;
            let count = content
                .read(&mut buffer)
                .map_err(|error| bad(error.into()))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            size_bytes += count as u64;
            take(&buffer[..count])?;
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

/// Whether a link at `relative` below a folder points outside of it.
fn leads_outside(relative: &Path, target: &Path) -> bool {
    use std::path::Component::{CurDir, Normal, ParentDir};
    let mut depth = relative.components().count().saturating_sub(1);
    for component in target.components() {
        match component {
            Normal(_) => depth += 1,
            CurDir => {}
            ParentDir if depth > 0 => depth -= 1,
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
            ("a/b/l", "../x/../../y", false),
        ] {
            assert_eq!(
                leads_outside(Path::new(link), Path::new(target)),
                outside,
                "{link} -> {target}"
            );
        }
    }

    #[test]
    fn a_stage_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path().join("not/there/yet");
        drop(Stage::new(&base).expect("a stage"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_stage_that_is_left_behind_keeps_the_old_files_and_says_where_they_belong() {
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path().join("base");
        let mut stage = Stage::new(&base).expect("a stage");
        let target = base.join("letter.txt");
        stage
            .seal(std::iter::once((7, target.clone())))
            .expect("written down");
        let inside = stage.folder.as_ref().expect("a folder").path().to_owned();
        fs::write(inside.join("old/7"), "the only copy").expect("set aside");
        let kept = stage.leave_behind().expect("a folder");
        drop(stage);
        assert_eq!(
            fs::read(kept.join("old/7")).expect("kept"),
            b"the only copy"
        );
        let names = fs::read_to_string(kept.join("names.txt")).expect("kept");
        assert_eq!(names, format!("7\t{}\n", target.display()));
    }
}
