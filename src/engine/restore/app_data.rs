//! How an archive goes into the data folder of a program: which of its names are those of the folder, and
//! which can only be read by the program itself.

use crate::apps::{self, Preset};
use crate::archive::ListedEntry;
use crate::engine::error::EngineError;
use crate::engine::request::{RestoreRequest, RestoreTarget, Selection};
use crate::model::{EntryKind, Manifest, Root, Warning};
use std::collections::BTreeMap;
use std::path::Path;

/// What is restored where, once it is known what the archive is.
#[derive(Debug)]
pub(super) struct Fitted {
    /// The request with a plain target.
    pub(super) request: RestoreRequest,
    /// The entries that have a place there.
    pub(super) entries: Vec<ListedEntry>,
    /// What has none.
    pub(super) left_out: Vec<Warning>,
    /// What the person should know.
    pub(super) warnings: Vec<Warning>,
}

/// Fits an archive to what is asked for; only the data folder of a program needs any fitting.
pub(super) fn fit(
    request: &RestoreRequest,
    entries: Vec<ListedEntry>,
    manifest: Option<&Manifest>,
) -> Result<Fitted, EngineError> {
    let mut fitted = Fitted {
        request: request.clone(),
        entries,
        left_out: Vec::new(),
        warnings: Vec::new(),
    };
    let RestoreTarget::AppData { app, folder } = &request.target else {
        return Ok(fitted);
    };
    let preset = apps::preset(app).ok_or_else(|| EngineError::NotItsData(app.clone()))?;
    if let Some(manifest) = manifest {
        let root = root_of(preset, manifest, &fitted.entries)?;
        let places = BTreeMap::from([(root.label.clone(), folder.clone())]);
        fitted.request.target = RestoreTarget::Places(places);
        fitted.compare_generations(preset, folder, &format!("{}/", root.label));
    } else {
        check_own(preset, &request.selection, &fitted.entries)?;
        fitted.request.target = RestoreTarget::Folder(folder.clone());
        fitted.leave_out_others(preset);
        fitted.compare_generations(preset, folder, "");
    }
    Ok(fitted)
}

impl Fitted {
    /// Tells where what reads the folder does not read what comes into it; `prefix` is what stands before
    /// the folder's names in the archive.
    fn compare_generations(&mut self, preset: &Preset, folder: &Path, prefix: &str) {
        let Some(mark) = &preset.archives.generation_mark else {
            return;
        };
        let name = format!("{prefix}{mark}");
        let of_archive = self.entries.iter().any(|entry| entry.name == name);
        if preset.fits(folder) && folder.join(mark).exists() != of_archive {
            let title = &preset.title;
            self.warnings.push(Warning {
                path: folder.display().to_string(),
                reason: format!(
                    "this backup and this folder are of versions of {title} that do not read each other's data"
                ),
            });
        }
    }

    /// Leaves out what stands under no name of the data folder.
    fn leave_out_others(&mut self, preset: &Preset) {
        let known = |names: &[String], entry: &ListedEntry| {
            let top = entry.name.split('/').next().unwrap_or_default();
            names.iter().any(|name| name == top)
        };
        let archives = &preset.archives;
        let (placed, others) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| known(&archives.restored, entry));
        self.entries = placed;
        let others: Vec<ListedEntry> = others;
        let worth_telling = others
            .iter()
            .filter(|entry| entry.kind != EntryKind::Directory && !known(&archives.marks, entry));
        let told = worth_telling.map(|entry| Warning {
            path: entry.name.clone(),
            reason: format!("it has no place in the data folder of {}", preset.title),
        });
        self.left_out.extend(told);
    }
}

/// Checks that a foreign archive is one of the program's own, and not one that only it can read.
fn check_own(
    preset: &Preset,
    selection: &Selection,
    entries: &[ListedEntry],
) -> Result<(), EngineError> {
    let has = |names: &[String]| {
        let is_below = |entry: &ListedEntry, name: &String| {
            let rest = entry.name.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut files = entries.iter();
        files.any(|entry| {
            entry.kind != EntryKind::Directory && names.iter().any(|name| is_below(entry, name))
        })
    };
    let archives = &preset.archives;
    let (has_marks, has_data) = (has(&archives.marks), has(&archives.restored));
    if has_marks && has_data {
        return Ok(());
    }
    if !has(&archives.import_only) {
        return Err(EngineError::NotItsData(preset.title.clone()));
    }
    // Its files are as they stand in the folder, but whoever asks for all wants more than these.
    if has_data && *selection != Selection::All {
        return Ok(());
    }
    Err(EngineError::ImportOnly(preset.title.clone()))
}

/// The folder of a backup of ours that is the program's data folder.
fn root_of<'a>(
    preset: &Preset,
    manifest: &'a Manifest,
    entries: &[ListedEntry],
) -> Result<&'a Root, EngineError> {
    let holds_data = |root: &&Root| {
        preset.marks.iter().any(|mark| {
            let mark = format!("{}/{mark}", root.label);
            let mut names = entries.iter().map(|entry| entry.name.as_str());
            names.any(|name| {
                let rest = name.strip_prefix(mark.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
    };
    let fitting: Vec<&Root> = manifest.roots.iter().filter(holds_data).collect();
    let usual_names = preset.folders.values().flatten();
    let usual_names: Vec<_> = usual_names
        .filter_map(|template| Path::new(template).file_name()?.to_str())
        .collect();
    let is_usual = |root: &&&Root| {
        let name = root.path.rsplit(['/', '\\']).next().unwrap_or_default();
        usual_names.contains(&name)
    };
    let not_its_data = || EngineError::NotItsData(preset.title.clone());
    match fitting.as_slice() {
        [one] => Ok(one),
        several => {
            let usual: Vec<&&Root> = several.iter().filter(is_usual).collect();
            match usual.as_slice() {
                [one] => Ok(one),
                _ => Err(not_its_data()),
            }
        }
    }
}
