//! What a restore will do, worked out before anything is fetched or touched.
//!
//! One type of plan, made from the manifest (ours) or from the central directory alone (foreign).
//! Every name is checked here: what may not be written is refused with a reason, the rest goes on.

use crate::archive::{ArchiveError, ListedEntry, PathRules, SafePath};
use crate::engine::error::EngineError;
use crate::engine::hex::from_hex;
use crate::engine::request::RestoreTarget;
use crate::model::{Entry, EntryKind, Manifest, Warning};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Component, PathBuf};

/// What a restore will do.
#[derive(Debug)]
pub(super) struct Plan {
    /// The folders that are written to.
    pub(super) bases: Vec<PathBuf>,
    /// In the order of their bytes in the archive.
    pub(super) items: Vec<Item>,
    pub(super) refused: Vec<Warning>,
}

/// One entry that will be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Position in the archive's directory.
    pub(super) index: usize,
    /// Name for people.
    pub(super) name: String,
    /// Position of its base in [`Plan::bases`].
    pub(super) base: usize,
    /// Place below the base; empty for the base itself.
    pub(super) relative: PathBuf,
    pub(super) kind: EntryKind,
    pub(super) size_bytes: u64,
    pub(super) modified_ns: Option<i64>,
    /// Permission bits, without setuid, setgid and sticky.
    pub(super) mode: Option<u32>,
    pub(super) blake3: Option<blake3::Hash>,
    pub(super) trust: Trust,
}

/// Whether an entry is vouched for by a manifest of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Ours,
    Foreign,
}

impl Plan {
    /// Plans to restore `entries` to `target`.
    pub(super) fn new(
        entries: Vec<ListedEntry>,
        manifest: Option<&Manifest>,
        target: &RestoreTarget,
    ) -> Result<Self, EngineError> {
        let mut planner = Planner::new(manifest, target)?;
        let mut checked = Vec::with_capacity(entries.len());
        for entry in entries {
            let described = match (manifest, planner.described.remove(trimmed(&entry.name))) {
                (None, _) => Described::Nowhere,
                (Some(_), None) => Described::NotInManifest,
                (Some(_), Some(known)) => Described::InManifest(known),
            };
            match planner.check(&entry, described) {
                Ok((safe, item)) => checked.push((safe, item)),
                Err(reason) => planner.refuse(&entry.name, &reason),
            }
        }
        for missing in std::mem::take(&mut planner.described).into_keys() {
            planner.refuse(missing, "the archive's directory does not have it");
        }
        let items = planner.without_conflicts(checked);
        Ok(Self {
            bases: planner.bases,
            items,
            refused: planner.refused,
        })
    }

    /// Leaves something out, with the reason.
    pub(super) fn refuse(&mut self, name: &str, reason: &str) {
        self.refused.push(Warning {
            path: name.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Regular files in it.
    pub(super) fn files(&self) -> u64 {
        let files = self
            .items
            .iter()
            .filter(|item| item.kind == EntryKind::File);
        files.count() as u64
    }

    /// Bytes of regular files that will be written below the base at this position.
    pub(super) fn bytes_at(&self, base: usize) -> u64 {
        let items = self.items.iter().filter(|item| item.base == base);
        items.fold(0, |sum, item| sum.saturating_add(item.size_bytes))
    }
}

/// What a manifest says of an entry of the directory.
#[derive(Clone, Copy)]
enum Described<'a> {
    /// There is no manifest: the archive is foreign.
    Nowhere,
    NotInManifest,
    InManifest(&'a Entry),
}

struct Planner<'a> {
    /// The manifest's entries by path.
    described: HashMap<&'a str, &'a Entry>,
    bases: Vec<PathBuf>,
    /// Which base the entries of a label go to; `None` sends all entries to the one base.
    base_of_label: Option<HashMap<OsString, usize>>,
    refused: Vec<Warning>,
}

impl<'a> Planner<'a> {
    fn new(manifest: Option<&'a Manifest>, target: &RestoreTarget) -> Result<Self, EngineError> {
        let mut planner = Self {
            described: HashMap::new(),
            bases: Vec::new(),
            base_of_label: None,
            refused: Vec::new(),
        };
        if let Some(manifest) = manifest {
            let entries = manifest.entries.iter();
            planner.described = entries.map(|entry| (entry.path.as_str(), entry)).collect();
        }
        match (target, manifest) {
            (RestoreTarget::Folder(folder), _) => planner.bases.push(folder.clone()),
            (RestoreTarget::Original, None) => return Err(EngineError::NoOriginalPlace),
            (RestoreTarget::Original, Some(manifest)) => {
                let mut base_of_label = HashMap::new();
                for root in &manifest.roots {
                    let raw = root.raw_path.as_deref().and_then(from_hex);
                    let path = raw.map_or_else(|| PathBuf::from(&root.path), path_of_bytes);
                    let leads_up = path.components().any(|part| part == Component::ParentDir);
                    let label = OsString::from(&root.label);
                    let is_odd = label.is_empty() || base_of_label.contains_key(&label);
                    if !path.is_absolute() || leads_up || is_odd {
                        return Err(EngineError::NoOriginalPlace);
                    }
                    base_of_label.insert(label, planner.bases.len());
                    planner.bases.push(path);
                }
                planner.base_of_label = Some(base_of_label);
            }
        }
        Ok(planner)
    }

    fn refuse(&mut self, name: &str, reason: &str) {
        self.refused.push(Warning {
            path: name.to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn check(
        &self,
        entry: &ListedEntry,
        described: Described<'_>,
    ) -> Result<(SafePath, Item), String> {
        // Deflate cannot do better than 1032 to 1 (zlib's technical details).
        let most_bytes = entry
            .compressed_bytes
            .saturating_mul(1_100)
            .saturating_add(1_024);
        if entry.size_bytes > most_bytes {
            return Err("its size cannot be true".to_owned());
        }
        let mut item = Item {
            index: entry.index,
            name: entry.name.clone(),
            base: 0,
            relative: PathBuf::new(),
            kind: entry.kind,
            size_bytes: entry.size_bytes,
            modified_ns: entry.modified_ns,
            mode: entry.mode.map(|mode| mode & 0o777),
            blake3: None,
            trust: Trust::Foreign,
        };
        let mut raw_name = None;
        match described {
            Described::Nowhere => {}
            Described::NotInManifest => {
                return Err("the backup's manifest does not know it".to_owned());
            }
            Described::InManifest(known) => {
                if (known.kind, known.size_bytes) != (entry.kind, entry.size_bytes) {
                    return Err("the backup's manifest describes it differently".to_owned());
                }
                item.trust = Trust::Ours;
                item.modified_ns = Some(known.modified_ns);
                item.mode = known.mode.map(|mode| mode & 0o777);
                let hash = known.blake3.as_deref().map(blake3::Hash::from_hex);
                item.blake3 = hash
                    .transpose()
                    .map_err(|_| "its hash in the manifest is damaged")?;
                if let Some(hex) = &known.raw_path {
                    raw_name = Some(from_hex(hex).ok_or("its name in the manifest is damaged")?);
                }
            }
        }
        let rules = PathRules::of_this_system();
        let safe = rules
            .check(trimmed(&entry.name), raw_name.as_deref())
            .map_err(|refused| refused.to_string())?;
        item.relative = safe.to_path();
        if let Some(base_of_label) = &self.base_of_label {
            let base = base_of_label.get(safe.first());
            item.base = *base.ok_or("the backup does not say where it belongs")?;
            item.relative = safe.below_first();
        }
        Ok((safe, item))
    }

    /// Leaves out what would be written twice, or through a link or file of the archive itself.
    fn without_conflicts(&mut self, checked: Vec<(SafePath, Item)>) -> Vec<Item> {
        let mut kinds: HashMap<SafePath, EntryKind> = HashMap::with_capacity(checked.len());
        let mut unique = Vec::with_capacity(checked.len());
        for (safe, item) in checked {
            if kinds.contains_key(&safe) {
                self.refuse(&item.name, "the archive has it twice");
            } else {
                kinds.insert(safe.clone(), item.kind);
                unique.push((safe, item));
            }
        }
        let mut items = Vec::with_capacity(unique.len());
        for (safe, item) in unique {
            let through = safe.parents().find(|parent| {
                kinds
                    .get(parent)
                    .is_some_and(|kind| *kind != EntryKind::Directory)
            });
            if through.is_some() {
                self.refuse(&item.name, "it stands below a link or file of the archive");
            } else {
                items.push(item);
            }
        }
        items
    }
}

/// A folder's name without its `/`.
fn trimmed(name: &str) -> &str {
    name.strip_suffix('/').unwrap_or(name)
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

/// An entry's content was not what it should be.
pub(super) fn damaged(name: &str, reason: &str) -> ArchiveError {
    ArchiveError::Damaged {
        path: name.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: usize, name: &str, kind: EntryKind) -> ListedEntry {
        ListedEntry {
            index,
            name: name.to_owned(),
            kind,
            size_bytes: 1,
            compressed_bytes: 1,
            modified_ns: None,
            mode: Some(0o4755),
            header_offset: 0,
        }
    }

    fn plan(entries: Vec<ListedEntry>) -> Plan {
        let target = RestoreTarget::Folder(PathBuf::from("/t"));
        Plan::new(entries, None, &target).expect("a plan")
    }

    #[test]
    fn nothing_is_written_through_the_archives_own_links() {
        use EntryKind::{Directory, File, Symlink};
        let plan = plan(vec![
            entry(0, "a/", Directory),
            entry(1, "a/link", Symlink),
            entry(2, "a/link/passwd", File),
            entry(3, "a/file", File),
            entry(4, "a/file/x", File),
            entry(5, "a//file", File),
            entry(6, "../up", File),
        ]);
        let kept: Vec<&str> = plan.items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(kept, ["a/", "a/link", "a/file"]);
        let refused: Vec<&str> = plan
            .refused
            .iter()
            .map(|refused| refused.path.as_str())
            .collect();
        assert_eq!(refused, ["../up", "a//file", "a/link/passwd", "a/file/x"]);
        assert_eq!(plan.items[0].mode, Some(0o755), "setuid is not restored");
    }

    #[test]
    fn a_foreign_archive_has_no_original_place() {
        let result = Plan::new(Vec::new(), None, &RestoreTarget::Original);
        assert!(matches!(result, Err(EngineError::NoOriginalPlace)));
    }
}
