//! What a restore will do, worked out before anything is fetched or touched.
//!
//! One type of plan, made from the manifest (ours) or from the central directory alone (foreign).
//! Every name is checked here: what may not be written is refused with a reason, the rest goes on.

use crate::archive::{Described, ListedEntry, NameMatching, PackedContent, PathRules, SafePath};
use crate::engine::error::EngineError;
use crate::engine::hex::from_hex;
use crate::engine::request::{ExtraFiles, HugeFiles, RestoreRequest, RestoreTarget};
use crate::engine::restore::bomb::Expansion;
use crate::engine::restore::change::join;
use crate::engine::restore::choose::{Choice, ways_to_chosen};
use crate::engine::restore::mirror::{Mirror, Top};
use crate::engine::restore::whole::Whole;
use crate::engine::restore::workspace::is_workspace;
use crate::model::{EntryKind, Gap, Manifest, Root, Warning, exclude_seen_from};
use std::collections::{BTreeMap, HashMap, hash_map};
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What a restore will do.
#[derive(Debug)]
pub(super) struct Plan {
    /// The folders that are written to.
    pub(super) bases: Vec<PathBuf>,
    /// Which names the disk takes for one at each of them.
    pub(super) matchings: Vec<NameMatching>,
    /// In the order of their bytes in the archive.
    pub(super) items: Vec<Arc<Item>>,
    pub(super) refused: Vec<Warning>,
    /// What is removed besides, where an exact mirror is wanted.
    pub(super) mirror: Option<Mirror>,
    /// Databases that are restored whole or not at all.
    pub(super) databases: Vec<Whole>,
}

/// One entry that will be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Position in the archive's directory.
    pub(super) index: usize,
    /// Bytes of the archive that have all of it.
    pub(super) extent: Range<u64>,
    /// Where its content stands, if it is compressed as ours are.
    pub(super) packed: Option<PackedContent>,
    /// Name for people.
    pub(super) name: String,
    /// Position of its base in [`Plan::bases`].
    pub(super) base: usize,
    /// Place below the base; empty for the base itself.
    pub(super) relative: PathBuf,
    pub(super) kind: EntryKind,
    pub(super) size_bytes: u64,
    pub(super) modified_ns: Option<i64>,
    /// Permission bits; setuid, setgid and sticky only where they are wanted.
    pub(super) mode: Option<u32>,
    pub(super) blake3: Option<blake3::Hash>,
    pub(super) trust: Trust,
    pub(super) role: Role,
}

/// Why an entry is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is wanted.
    Wanted,
    /// It is a folder that something wanted is in: made where it is missing, else left alone.
    OnTheWay,
}

/// Whether an entry is vouched for by a manifest of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Ours,
    Foreign,
}

impl Plan {
    /// Plans to restore those of `entries` that are wanted; `manifest` tells the rest. Folders that wanted
    /// ones are in come along, to be made where they are missing. `matching_of` tells of a base which names its disk takes for one.
    pub(super) fn new(
        entries: &[ListedEntry],
        manifest: Option<&Manifest>,
        request: &RestoreRequest,
        matching_of: &dyn Fn(&Path) -> NameMatching,
    ) -> Result<Self, EngineError> {
        let mut planner = Planner::new(manifest, request)?;
        let bases = planner.bases.iter();
        planner.matchings = bases.map(|base| matching_of(base)).collect();
        let choice = Choice::of(&request.selection)?;
        let mirror = match request.options.extra_files {
            ExtraFiles::Kept => None,
            ExtraFiles::Removed => Some(planner.mirror(entries, manifest, &choice)?),
        };
        let mut checked = Vec::with_capacity(entries.len());
        let chosen: Vec<bool> = entries
            .iter()
            .map(|entry| choice.has(entry.path()))
            .collect();
        let ways_to_chosen = ways_to_chosen(entries, &chosen);
        for (entry, is_chosen) in entries.iter().zip(chosen) {
            let name = entry.path();
            let role = match (is_chosen, ways_to_chosen.contains(name)) {
                (true, _) => Role::Wanted,
                (false, true) => Role::OnTheWay,
                (false, false) => continue,
            };
            if !planner.has_place_for(name) {
                continue;
            }
            match planner.check(entry) {
                Ok((safe, item)) => checked.push((safe, Item { role, ..item })),
                Err(reason) => planner.refuse(&entry.name, &reason),
            }
        }
        let items = planner.without_conflicts(checked);
        let has_top = mirror.as_ref().is_none_or(|mirror| !mirror.tops.is_empty());
        if !has_top && items.iter().any(|item| item.role == Role::Wanted) {
            return Err(EngineError::NoWholeFolder);
        }
        Ok(Self {
            bases: planner.bases,
            matchings: planner.matchings,
            items,
            refused: planner.refused,
            mirror,
            databases: Vec::new(),
        })
    }

    /// Leaves something out, with the reason.
    pub(super) fn refuse(&mut self, name: &str, reason: &str) {
        self.refused.push(Warning {
            path: name.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

struct Planner<'a> {
    bases: Vec<PathBuf>,
    /// Which names the disk of each base takes for one.
    matchings: Vec<NameMatching>,
    /// What may still be restored of what unpacks to very much; `None` where all may.
    expansion: Option<Expansion>,
    /// Which base the entries of a label go to; `None` sends all entries to the one base.
    base_of_label: Option<HashMap<OsString, usize>>,
    refused: Vec<Warning>,
    /// Permission bits that are restored.
    mode_mask: u32,
    /// Where each label goes, if somebody chose.
    chosen: Option<&'a BTreeMap<String, PathBuf>>,
}

impl<'a> Planner<'a> {
    fn new(
        manifest: Option<&'a Manifest>,
        request: &'a RestoreRequest,
    ) -> Result<Self, EngineError> {
        let mut planner = Self {
            bases: Vec::new(),
            matchings: Vec::new(),
            expansion: match request.options.huge_files {
                HugeFiles::Refused => Some(Expansion::default()),
                HugeFiles::Restored => None,
            },
            base_of_label: None,
            refused: Vec::new(),
            mode_mask: request.options.special_bits.mode_mask(),
            chosen: match &request.target {
                RestoreTarget::Places(places) => Some(places),
                _ => None,
            },
        };
        match (&request.target, manifest) {
            // What is to go into a data folder was fitted to it before.
            (RestoreTarget::Folder(folder) | RestoreTarget::AppData { folder, .. }, _) => {
                planner.bases.push(folder.clone());
            }
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
            (RestoreTarget::Places(places), _) => {
                let mut base_of_label = HashMap::new();
                for (label, folder) in places {
                    base_of_label.insert(OsString::from(label), planner.bases.len());
                    planner.bases.push(folder.clone());
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

    /// Whether the request says where this goes; what it leaves out is not refused.
    fn has_place_for(&self, name: &str) -> bool {
        let label = name.split('/').next().unwrap_or(name);
        match &self.chosen {
            Some(places) => places.contains_key(label),
            None => true,
        }
    }

    fn mirror(
        &self,
        entries: &[ListedEntry],
        manifest: Option<&Manifest>,
        choice: &Choice<'_>,
    ) -> Result<Mirror, EngineError> {
        // Only our own archives say which folders they hold whole, and what was left out of them.
        let manifest = manifest.ok_or(EngineError::NoMirror)?;
        let mut mirror = Mirror::default();
        for root in &manifest.roots {
            let Some((folder, base)) = self.place_of(&root.label, None) else {
                continue;
            };
            if !self.has_place_for(&root.label) {
                continue;
            }
            for path in self.whole_folders(root, entries, choice) {
                let patterns = manifest.excludes.iter();
                // Whole paths in patterns are those of where it was backed up.
                let excludes =
                    patterns.map(|pattern| exclude_seen_from(&root.path, pattern).into_owned());
                mirror.tops.push(Top {
                    path,
                    root: folder.clone(),
                    base,
                    excludes: excludes.collect(),
                    matching: self.matchings[base],
                    of: None,
                });
            }
        }
        let described = entries.iter().filter_map(|entry| {
            let raw_path = entry.description()?.raw_path.as_deref();
            raw_path.map(|raw_path| (entry.path(), Some(raw_path)))
        });
        let listed = entries.iter().map(|entry| (entry.path(), None));
        let skipped = manifest.skipped.iter();
        let skipped = skipped.map(|skipped| (skipped.path.as_str(), skipped.raw_path.as_deref()));
        for (name, raw) in described.chain(listed).chain(skipped) {
            let place = self.place_of(name, raw.and_then(from_hex).as_deref());
            let folded = place.map(|(path, base)| self.matchings[base].fold_path(&path));
            mirror.present.extend(folded);
        }
        let missing = manifest.skipped.iter();
        for skipped in missing.filter(|skipped| matches!(skipped.gap, Gap::Missing | Gap::Other)) {
            let raw = skipped.raw_path.as_deref().and_then(from_hex);
            let place = self.place_of(&skipped.path, raw.as_deref());
            let folded = place.map(|(path, base)| self.matchings[base].fold_path(&path));
            mirror.unknown.extend(folded);
        }
        Ok(mirror)
    }

    /// Where those folders of a root belong of which all is wanted, without those that are in one of them.
    fn whole_folders(
        &self,
        root: &Root,
        entries: &[ListedEntry],
        choice: &Choice<'_>,
    ) -> Vec<PathBuf> {
        let is_in_root = |path: &str| {
            let rest = path.strip_prefix(root.label.as_str());
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let mut whole: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        if choice.has_all_in(&root.label) {
            whole.insert(&root.label, None);
        } else {
            let folders = entries.iter().filter_map(|entry| {
                let description = entry.description()?;
                let is_whole = description.kind == EntryKind::Directory
                    && is_in_root(entry.path())
                    && choice.has_all_in(entry.path());
                is_whole.then_some((entry.path(), description.raw_path.as_deref()))
            });
            whole.extend(folders);
        }
        let is_topmost = |name: &&str| {
            let above =
                std::iter::successors(name.rsplit_once('/'), |(above, _)| above.rsplit_once('/'));
            !above
                .map(|(above, _)| above)
                .any(|above| whole.contains_key(above))
        };
        let topmost = whole.keys().copied().filter(is_topmost);
        let places = topmost.filter_map(|name| {
            let raw = whole[name].and_then(from_hex);
            self.place_of(name, raw.as_deref())
        });
        places.map(|(path, _)| path).collect()
    }

    /// Where something of this name belongs, and the position of its base.
    fn place_of(&self, name: &str, raw: Option<&[u8]>) -> Option<(PathBuf, usize)> {
        let safe = PathRules::of_this_system().check(name, raw).ok()?;
        let (base, relative) = match &self.base_of_label {
            Some(base_of_label) => (*base_of_label.get(safe.first())?, safe.below_first()),
            None => (0, safe.to_path()),
        };
        let folder = self.bases.get(base)?;
        Some((join(folder, &relative), base))
    }

    fn check(&mut self, entry: &ListedEntry) -> Result<(SafePath, Item), String> {
        check_content(entry)?;
        let extent = entry.extent.clone();
        let mut item = Item {
            index: entry.index,
            extent: extent.ok_or("its bytes are also those of another entry")?,
            packed: entry.packed(),
            name: entry.name.clone(),
            base: 0,
            relative: PathBuf::new(),
            kind: entry.kind,
            size_bytes: entry.size_bytes,
            modified_ns: entry.modified_ns,
            mode: entry.mode.map(|mode| mode & self.mode_mask),
            blake3: None,
            trust: Trust::Foreign,
            role: Role::Wanted,
        };
        let mut raw_name = None;
        match &entry.described {
            Described::Nowhere => {
                if let Some(expansion) = &mut self.expansion {
                    expansion.count(entry)?;
                }
            }
            Described::NotInManifest => {
                return Err("the backup's manifest does not know it".to_owned());
            }
            Described::Wrongly(reason) => return Err(reason.clone()),
            Described::InManifest(known) => {
                if (known.kind, known.size_bytes) != (entry.kind, entry.size_bytes) {
                    return Err("the backup's manifest describes it differently".to_owned());
                }
                item.trust = Trust::Ours;
                item.modified_ns = Some(known.modified_ns);
                item.mode = known.mode.map(|mode| mode & self.mode_mask);
                item.blake3 = known.blake3.map(blake3::Hash::from);
                if let Some(hex) = &known.raw_path {
                    raw_name = Some(from_hex(hex).ok_or("its name in the manifest is damaged")?);
                }
            }
        }
        let rules = PathRules::of_this_system();
        let safe = rules
            .check(entry.path(), raw_name.as_deref())
            .map_err(|refused| refused.to_string())?;
        if safe.parts().any(is_workspace) {
            return Err("names like this are those of restores that are running".to_owned());
        }
        item.relative = safe.to_path();
        if let Some(base_of_label) = &self.base_of_label {
            let base = base_of_label.get(safe.first());
            item.base = *base.ok_or("the backup does not say where it belongs")?;
            item.relative = safe.below_first();
        }
        Ok((safe, item))
    }

    /// Leaves out what would be written twice, or through a link or file of the archive itself, by the
    /// names that the disk tells apart.
    fn without_conflicts(&mut self, checked: Vec<(SafePath, Item)>) -> Vec<Arc<Item>> {
        let mut known: HashMap<(usize, SafePath), (SafePath, EntryKind)> =
            HashMap::with_capacity(checked.len());
        let mut unique = Vec::with_capacity(checked.len());
        for (safe, item) in checked {
            let folded = safe.folded(self.matchings[item.base]);
            match known.entry((item.base, folded.clone())) {
                hash_map::Entry::Occupied(other) => {
                    let (other, kind) = other.get();
                    let reason = twice(&safe, other, (item.kind, *kind));
                    self.refuse(&item.name, &reason);
                }
                hash_map::Entry::Vacant(free) => {
                    free.insert((safe, item.kind));
                    unique.push((folded, item));
                }
            }
        }
        let mut items = Vec::with_capacity(unique.len());
        for (folded, item) in unique {
            let through = folded.parents().find(|parent| {
                known
                    .get(&(item.base, parent.clone()))
                    .is_some_and(|(_, kind)| *kind != EntryKind::Directory)
            });
            if through.is_some() {
                self.refuse(&item.name, "it stands below a link or file of the archive");
            } else {
                items.push(Arc::new(item));
            }
        }
        items
    }
}

/// An error where what the directory says of a content tells that it cannot be restored.
fn check_content(entry: &ListedEntry) -> Result<(), String> {
    // Deflate cannot do better than 1032 to 1 (zlib's technical details).
    let most_bytes = entry
        .compressed_bytes
        .saturating_mul(1_100)
        .saturating_add(1_024);
    match entry.unreadable {
        // A folder has none.
        Some(unreadable) if entry.kind != EntryKind::Directory => Err(unreadable.to_string()),
        _ if entry.size_bytes > most_bytes => Err("its size cannot be true".to_owned()),
        _ => Ok(()),
    }
}

/// Why one of two entries is not restored that have one name for the disk.
fn twice(own: &SafePath, other: &SafePath, kinds: (EntryKind, EntryKind)) -> String {
    if own == other {
        return "the archive has it twice".to_owned();
    }
    let other = other.to_path();
    let alike = format!(
        "the disk does not tell its name from that of “{}”",
        other.display()
    );
    match kinds {
        (EntryKind::Directory, EntryKind::Directory) => {
            format!("{alike}: what is in it goes there")
        }
        _ => alike,
    }
}

/// Where an item goes.
pub(super) fn path_of(bases: &[PathBuf], item: &Item) -> PathBuf {
    join(&bases[item.base], &item.relative)
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
            method: None,
            modified_ns: None,
            mode: Some(0o4755),
            crc32: 0,
            header_offset: 0,
            extent: Some(0..1),
            unreadable: None,
            described: Described::Nowhere,
        }
    }

    fn plan(entries: &[ListedEntry]) -> Plan {
        let target = RestoreTarget::Folder(PathBuf::from("/t"));
        let request = RestoreRequest::all_of("k", target);
        Plan::new(entries, None, &request, &|_| NameMatching::Exact).expect("a plan")
    }

    /// Names of what is kept and of what is refused, on a disk that is forced to take names so.
    fn on_a_disk(
        matching: NameMatching,
        entries: &[(&str, EntryKind)],
    ) -> (Vec<String>, Vec<String>) {
        let entries = (0..).zip(entries);
        let entries = entries.map(|(index, (name, kind))| entry(index, name, *kind));
        let entries: Vec<ListedEntry> = entries.collect();
        let target = RestoreTarget::Folder(PathBuf::from("/t"));
        let request = RestoreRequest::all_of("k", target);
        let plan = Plan::new(&entries, None, &request, &|_| matching).expect("a plan");
        let kept = plan.items.into_iter().map(|item| item.name.clone());
        let refused = plan.refused.into_iter();
        let refused = refused.map(|refused| format!("{}: {}", refused.path, refused.reason));
        (kept.collect(), refused.collect())
    }

    #[test]
    fn names_that_the_disk_takes_for_one_are_refused_and_the_rest_is_kept() {
        use EntryKind::{Directory, File, Symlink};
        let entries = [
            ("README", File),
            ("readme", File),
            ("docs/", Directory),
            ("Docs/", Directory),
            ("Docs/a", File),
            ("docs/A", File),
            ("docs/b", File),
            ("LINK", Symlink),
            ("link/through", File),
            ("gr\u{fc}n", File),
            ("gru\u{308}n", File),
        ];
        let (kept, refused) = on_a_disk(NameMatching::Exact, &entries);
        assert_eq!(
            (kept.len(), refused.len()),
            (entries.len(), 0),
            "{refused:?}"
        );
        let (kept, refused) = on_a_disk(NameMatching::AnyCaseAndForm, &entries);
        assert_eq!(
            kept,
            ["README", "docs/", "Docs/a", "docs/b", "LINK", "gr\u{fc}n"]
        );
        assert_eq!(refused.len(), 5);
        for (refused, told) in refused.iter().zip([
            "readme: the disk does not tell its name from that of “README”",
            "Docs/: the disk does not tell its name from that of “docs”: what is in it goes there",
            "docs/A: the disk does not tell its name from that of “Docs/a”",
            "gru\u{308}n: the disk",
            "link/through: it stands below a link",
        ]) {
            assert!(refused.starts_with(told), "{refused}");
        }
        let (kept, _) = on_a_disk(NameMatching::AnyCase, &entries);
        assert!(kept.contains(&"gru\u{308}n".to_owned()));
    }

    #[test]
    fn what_unpacks_to_far_too_much_is_refused_unless_it_is_allowed() {
        let zeros = |index: usize, size_bytes: u64| ListedEntry {
            size_bytes,
            compressed_bytes: size_bytes / 1_000,
            ..entry(index, &format!("{index}"), EntryKind::File)
        };
        let gib = 1 << 30;
        let entries = vec![
            zeros(0, 4 * gib),
            zeros(1, gib / 2),
            zeros(2, gib / 2),
            zeros(3, 10_000),
            ListedEntry {
                compressed_bytes: gib,
                ..zeros(4, 50 * gib)
            },
        ];
        let target = RestoreTarget::Folder(PathBuf::from("/t"));
        let mut request = RestoreRequest::all_of("k", target);
        let mut kept = |huge_files| {
            request.options.huge_files = huge_files;
            let exact = |_: &Path| NameMatching::Exact;
            let plan = Plan::new(&entries, None, &request, &exact).expect("a plan");
            let names = plan.items.into_iter().map(|item| item.name.clone());
            names.collect::<Vec<_>>().concat()
        };
        assert_eq!(kept(HugeFiles::Refused), "124");
        assert_eq!(kept(HugeFiles::Restored), "01234");
    }

    #[test]
    fn nothing_is_written_through_the_archives_own_links() {
        use EntryKind::{Directory, File, Symlink};
        let plan = plan(&[
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
        let result = Plan::new(
            &[],
            None,
            &RestoreRequest::all_of("k", RestoreTarget::Original),
            &|_| NameMatching::Exact,
        );
        assert!(matches!(result, Err(EngineError::NoOriginalPlace)));
    }
}
