//! Databases of programs are restored whole: what an older state of one left beside it would be taken for
//! a part of the new one.
//!
//! A `LevelDB` folder that is restored keeps no other file, because logs of the older state would be played
//! into the new one. An `SQLite` file that is restored keeps no write-ahead log or journal of the older
//! state for the same reason. Where a part of one cannot be restored, what is there stays whole.

use crate::archive::ListedEntry;
use crate::engine::in_use::AppFolder;
use crate::engine::restore::choose::Choice;
use crate::engine::restore::mirror::{Beside, Mirror, Top};
use crate::engine::restore::plan::{Plan, Role, path_of};
use crate::engine::restore::survey::{Effect, Survey};
use crate::engine::restore::whole::{DatabaseKind, Whole};
use crate::model::{EntryKind, Warning};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;

/// What `SQLite` puts beside a database.
const BESIDE_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The file that only a `LevelDB` folder has.
const LEVEL_DB: &str = "CURRENT";

/// A database of several files in an archive.
#[derive(Debug)]
struct Database {
    kind: DatabaseKind,
    /// The folder, or the file that the others stand beside.
    name: String,
    files: Vec<String>,
}

/// The databases of an archive that have several files.
fn databases_of(entries: &[ListedEntry]) -> Vec<Database> {
    let files = || entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let mut level_dbs: HashMap<&str, Vec<String>> = files()
        .filter_map(|entry| entry.name.rsplit_once('/'))
        .filter(|(_, name)| *name == LEVEL_DB)
        .map(|(folder, _)| (folder, Vec::new()))
        .collect();
    let mut beside: HashMap<&str, Vec<String>> = HashMap::new();
    for entry in files() {
        if let Some((folder, _)) = entry.name.rsplit_once('/')
            && let Some(files) = level_dbs.get_mut(folder)
        {
            files.push(entry.name.clone());
        }
        let mut ends = BESIDE_SQLITE.iter();
        if let Some(of) = ends.find_map(|end| entry.name.strip_suffix(end)) {
            beside.entry(of).or_default().push(entry.name.clone());
        }
    }
    for entry in files() {
        if let Some(files) = beside.get_mut(entry.name.as_str()) {
            files.push(entry.name.clone());
        }
    }
    // What stands beside a database that is not there is none.
    beside.retain(|of, files| files.iter().any(|file| file == of));
    let database = |kind| {
        move |(name, files): (&str, Vec<String>)| Database {
            kind,
            name: name.to_owned(),
            files,
        }
    };
    let level_dbs = level_dbs.into_iter().map(database(DatabaseKind::LevelDb));
    let sqlites = beside.into_iter().map(database(DatabaseKind::Sqlite));
    level_dbs.chain(sqlites).collect()
}

/// Adds to a plan of `entries` that what is left of older states of the databases that it restores into `folders` goes,
/// and which of them are restored whole or not at all.
pub(super) fn complete(
    plan: &mut Plan,
    folders: &[AppFolder],
    entries: &[ListedEntry],
    choice: &Choice<'_>,
) {
    let mut mirror = plan.mirror.take().unwrap_or_default();
    let mut parents: HashMap<PathBuf, HashMap<String, usize>> = HashMap::new();
    let mut planned: HashMap<&str, usize> = HashMap::new();
    for (position, item) in plan.items.iter().enumerate() {
        let path = path_of(&plan.bases, item);
        let is_wanted_file = item.kind == EntryKind::File && item.role == Role::Wanted;
        if !is_wanted_file || !folders.iter().any(|folder| path.starts_with(&folder.path)) {
            continue;
        }
        planned.insert(&item.name, position);
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let name = name.to_string_lossy().into_owned();
            let names = parents.entry(parent.to_owned()).or_default();
            names.insert(name, position);
        }
    }
    let mut wholes = Vec::new();
    // Most restores go to no program's folder.
    let databases = if planned.is_empty() {
        Vec::new()
    } else {
        databases_of(entries)
    };
    for database in &databases {
        let files = database.files.iter();
        let items = files.filter_map(|file| planned.get(file.as_str()).copied());
        let items: Vec<usize> = items.collect();
        // One of which only a part is asked for is left as the person wants it.
        if items.is_empty() || !database.files.iter().all(|file| choice.has(file)) {
            continue;
        }
        if database.kind == DatabaseKind::LevelDb && items.len() == database.files.len() {
            replace_whole(&mut mirror, plan, &items);
        }
        wholes.push(Whole {
            kind: database.kind,
            name: database.name.clone(),
            items,
            files: database.files.len(),
        });
    }
    for (parent, names) in parents {
        mirror.beside.extend(beside_sqlite(&parent, &names));
    }
    plan.mirror = (!mirror.is_empty()).then_some(mirror);
    plan.databases = wholes;
}

/// Has those databases stay as they are, where there are some, of which the plan or the survey refuses a
/// part. Says so of each.
pub(super) fn keep_torn(plan: &mut Plan, survey: &mut Survey) -> Vec<Warning> {
    let databases = std::mem::take(&mut plan.databases);
    let (torn, whole): (Vec<Whole>, Vec<Whole>) = databases
        .into_iter()
        .partition(|whole| is_torn(plan, survey, whole, &HashSet::new()));
    plan.databases = whole;
    for torn in &torn {
        let own: HashSet<usize> = torn.items.iter().copied().collect();
        survey.files.retain_mut(|step| {
            if !own.contains(&step.item) {
                return true;
            }
            let is_new = step.effect == Effect::New;
            step.effect = Effect::Kept;
            !is_new
        });
        let belongs = |item: usize| own.contains(&item);
        survey.extra.retain(|extra| !extra.of.is_some_and(belongs));
    }
    torn.iter().map(told).collect()
}

/// Leaves out all files of those databases that are there and of which a part is left out. Says so of each.
pub(super) fn leave_out_torn(
    plan: &Plan,
    survey: &Survey,
    left_out: &mut HashSet<String>,
) -> Vec<Warning> {
    let databases = plan.databases.iter();
    let torn = databases.filter(|whole| is_torn(plan, survey, whole, left_out));
    let torn: Vec<&Whole> = torn.collect();
    for whole in &torn {
        let names = whole
            .items
            .iter()
            .map(|item| plan.items[*item].name.clone());
        left_out.extend(names);
    }
    torn.into_iter().map(told).collect()
}

fn told(whole: &Whole) -> Warning {
    Warning {
        path: whole.name.clone(),
        reason: "a part of this database cannot be restored, so all of it stays as it is: old and new parts cannot be read together"
            .to_owned(),
    }
}

/// Whether a database is there that only a part would be put into.
fn is_torn(plan: &Plan, survey: &Survey, whole: &Whole, left_out: &HashSet<String>) -> bool {
    // The steps are in the order of the plan.
    let is_placed = |item: usize| {
        let step = survey.files.binary_search_by_key(&item, |step| step.item);
        step.is_ok() && !left_out.contains(&plan.items[item].name)
    };
    let is_all =
        whole.items.len() == whole.files && whole.items.iter().all(|item| is_placed(*item));
    !is_all && is_there(plan, whole)
}

/// Whether the target has anything of a database.
fn is_there(plan: &Plan, whole: &Whole) -> bool {
    let items = whole.items.iter();
    let mut paths = items.map(|item| path_of(&plan.bases, &plan.items[*item]));
    match whole.kind {
        DatabaseKind::LevelDb => {
            let folder = paths.find_map(|path| path.parent().map(PathBuf::from));
            let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
            entries.is_some_and(|mut entries| entries.next().is_some())
        }
        // The database itself may be what is refused.
        DatabaseKind::Sqlite => paths.any(|path| {
            let text = path.to_string_lossy().into_owned();
            let mut ends = BESIDE_SQLITE.iter();
            let of = ends.find_map(|end| text.strip_suffix(end)).unwrap_or(&text);
            PathBuf::from(of).symlink_metadata().is_ok()
        }),
    }
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
            root: path.clone(),
            path,
            base,
            excludes: Vec::new(),
            matching,
            of: Some(*first),
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
