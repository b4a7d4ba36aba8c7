//! Programs that run on the folders that a job reads or writes. Their databases are only whole once they
//! have ended.

use crate::apps::{self, Preset, Sign, Surroundings};
use crate::engine::error::EngineError;
use crate::engine::excludes::excludes_of;
use crate::model::Warning;
use std::path::{Path, PathBuf};

/// A data folder of a program that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppFolder {
    pub(super) preset: &'static Preset,
    pub(super) path: PathBuf,
}

/// A program that runs on a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InUse {
    pub(super) title: String,
    pub(super) folder: PathBuf,
    sign: Sign,
}

/// The data folders that are known on this computer, and those of `others` that look like one.
pub(super) fn app_folders(others: &[PathBuf]) -> Vec<AppFolder> {
    let here = Surroundings::of_this_user();
    let mut folders: Vec<AppFolder> = Vec::new();
    for preset in apps::presets() {
        let found = here
            .iter()
            .flat_map(|here| apps::find(preset, here).folders);
        let others = others.iter().filter(|folder| preset.fits(folder)).cloned();
        for path in found.chain(others) {
            if !folders.iter().any(|known| known.path == path) {
                folders.push(AppFolder { preset, path });
            }
        }
    }
    folders
}

/// Those of the folders on which their program runs.
pub(super) fn in_use(folders: &[AppFolder]) -> Vec<InUse> {
    let Some(here) = Surroundings::of_this_user() else {
        return Vec::new();
    };
    let running = folders.iter().filter_map(|folder| {
        let sign = apps::running(folder.preset, &folder.path, &here.host)?;
        Some(InUse {
            title: folder.preset.title.clone(),
            folder: folder.path.clone(),
            sign,
        })
    });
    running.collect()
}

/// The programs that run on something that a backup of `sources` reads.
pub(super) fn in_use_below(
    sources: &[PathBuf],
    patterns: &[String],
) -> Result<Vec<InUse>, EngineError> {
    let mut read = in_use(&app_folders(sources));
    let mut excludes = Vec::with_capacity(sources.len());
    for source in sources {
        excludes.push((source, excludes_of(source, patterns)?));
    }
    read.retain(|app| {
        excludes.iter().any(|(source, excludes)| {
            if source.starts_with(&app.folder) {
                return true;
            }
            let below = app.folder.strip_prefix(source);
            below.is_ok_and(|below| {
                !excludes
                    .matched_path_or_any_parents(below, true)
                    .is_ignore()
            })
        })
    });
    Ok(read)
}

impl InUse {
    /// What a person should know of a backup that was made meanwhile.
    pub(super) fn of_backup(&self) -> Warning {
        let advice = "its databases may be copied half-written; close it and back up again";
        self.warning(advice)
    }

    /// What a person should know of a restore into it.
    pub(super) fn of_restore(&self) -> Warning {
        let advice = "it may overwrite or damage what is restored; close it first";
        self.warning(advice)
    }

    fn warning(&self, advice: &str) -> Warning {
        let is_running = match &self.sign {
            Sign::Here => format!("{} is running", self.title),
            Sign::OnHost(host) => format!("{} seems to be running on {host}", self.title),
        };
        Warning {
            path: self.folder.display().to_string(),
            reason: format!("{is_running}: {advice}"),
        }
    }

    /// Whether `path` is in its folder.
    pub(super) fn has(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }
}
