//! Databases of programs are restored whole: what an older state of one left beside it would be taken for
//! a part of the new one.
//!
//! A `LevelDB` folder that is restored keeps no other file, because logs of the older state would be played
//! into the new one. An `SQLite` file that is restored keeps no write-ahead log or journal of the older
//! state for the same reason.

use crate::archive::ListedEntry;
use crate::engine::in_use::AppFolder;
use crate::engine::restore::mirror::{Beside, Mirror, Top};
use crate::engine::restore::plan::{Plan, Role, path_of};
use crate::model::EntryKind;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;

/// What `SQLite` puts beside a database.
const BESIDE_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The file that only a `LevelDB` folder has.
const LEVEL_DB: &str = "CURRENT";

/// The `LevelDB` folders of an archive, with how many files each has.
pub(super) fn level_dbs(entries: &[ListedEntry]) -> HashMap<String, usize> {
    let files = || entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let split = |entry: &ListedEntry| {
        let (folder, name) = entry.name.rsplit_once('/')?;
        Some((folder.to_owned(), name.to_owned()))
    };
    let mut folders: HashMap<String, usize> = files()
        .filter_map(split)
        .filter(|(_, name)| name == LEVEL_DB)
        .map(|(folder, _)| (folder, 0))
        .collect();
    for entry in files() {
        if let Some((folder, _)) = entry.name.rsplit_once('/')
            && let Some(count) = folders.get_mut(folder)
        {
            *count += 1;
        }
    }
    folders
}

/// Adds to a plan that what is left of older states of the databases that it restores into `folders` goes.
pub(super) fn complete(plan: &mut Plan, folders: &[AppFolder], level_dbs: &HashMap<String, usize>) {
    let mut mirror = plan.mirror.take().unwrap_or_default();
    let mut parents: HashMap<PathBuf, HashMap<String, usize>> = HashMap::new();
    let mut planned: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, item) in plan.items.iter().enumerate() {
        let path = path_of(&plan.bases, item);
        let is_wanted_file = item.kind == EntryKind::File && item.role == Role::Wanted;
        if !is_wanted_file || !folders.iter().any(|folder| path.starts_with(&folder.path)) {
            continue;
        }
        if let Some((folder, _)) = item.name.rsplit_once('/')
            && level_dbs.contains_key(folder)
        {
            planned.entry(folder).or_default().push(position);
        }
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let name = name.to_string_lossy().into_owned();
            let names = parents.entry(parent.to_owned()).or_default();
            names.insert(name, position);
        }
    }
    for (folder, positions) in planned {
        // One that is not restored whole is left as the person wants it.
        if level_dbs.get(folder) == Some(&positions.len()) {
            replace_whole(&mut mirror, plan, &positions);
        }
    }
    for (parent, names) in parents {
        mirror.beside.extend(beside_sqlite(&parent, &names));
    }
    plan.mirror = (!mirror.is_empty()).then_some(mirror);
}

fn replace_whole(mirror: &mut Mirror, plan: &Plan, positions: &[usize]) {
    let paths = positions
        .iter()
        .map(|position| path_of(&plan.bases, &plan.items[*position]));
    let paths: HashSet<PathBuf> = paths.collect();
    let Some(first) = positions.first() else {
        return;
    };
    let base = plan.items[*first].base;
    let matching = plan.matchings[base];
    let top = paths
        .iter()
        .find_map(|path| path.parent())
        .map(PathBuf::from);
    if let Some(path) = top {
        mirror.tops.push(Top {
            path,
            base,
            excludes: Vec::new(),
            matching,
        });
    }
    let folded = paths.iter().map(|path| matching.fold_path(path));
    mirror.present.extend(folded);
}

/// What is beside databases of a folder of the target, `names` with their positions in the plan.
fn beside_sqlite(folder: &std::path::Path, names: &HashMap<String, usize>) -> Vec<Beside> {
    // A folder that is not there, or cannot be read, fails where it is written to.
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let found = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let mut ends = BESIDE_SQLITE.iter();
        let of = ends.find_map(|end| name.strip_suffix(end))?;
        let item = *names.get(of)?;
        (!names.contains_key(&name)).then(|| Beside {
            path: entry.path(),
            item,
        })
    });
    found.collect()
}
