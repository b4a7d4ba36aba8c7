//! Presets at the terminal: which programs' data is known here, and adding it to a profile.

use crate::failure::Failure;
use crate::output::Output;
use serde_json::json;
use std::path::{Path, PathBuf};
use zipkeep::apps::{self, Found, Preset, Surroundings};
use zipkeep::model::Profile;

/// Tells which programs are known, and where their data is.
pub(crate) fn list(output: Output) -> Result<(), Failure> {
    let here = surroundings()?;
    let known = apps::presets().iter();
    let known: Vec<(&Preset, Found)> = known
        .map(|preset| (preset, apps::find(preset, &here)))
        .collect();
    let json = known.iter().map(|(preset, found)| {
        json!({
            "id": preset.id,
            "title": preset.title,
            "folders": found.folders,
            "missing": found.missing,
            "excludes": preset.excludes,
        })
    });
    let json = json!({"presets": json.collect::<Vec<_>>()});
    output.result("profile", &json, |out| {
        for (preset, found) in &known {
            writeln!(out, "{}  {}", preset.id, preset.title)?;
            for folder in &found.folders {
                writeln!(out, "  {}", folder.display())?;
            }
            if found.folders.is_empty() {
                writeln!(
                    out,
                    "  not found here; looked in {}",
                    listed(&found.missing)
                )?;
            }
        }
        Ok(())
    })
}

/// Adds the data folders of this program to what a profile backs up, and what is to be left out of them.
///
/// Where `chosen`, the folders that were named beside it, are or hold data of the program, these are meant;
/// else all that are found.
pub(crate) fn add_to(profile: &mut Profile, id: &str, chosen: &[PathBuf]) -> Result<(), Failure> {
    let preset = named(id)?;
    let meant = chosen.iter().filter(|folder| preset.fits(folder));
    let mut folders: Vec<PathBuf> = meant.cloned().collect();
    if folders.is_empty() {
        let found = apps::find(preset, &surroundings()?);
        if found.folders.is_empty() {
            return Err(not_found(
                preset,
                &found,
                "Name its folder: add --source DIR.",
            ));
        }
        folders = found.folders;
    }
    for folder in folders {
        preset.add_to(profile, folder);
    }
    Ok(())
}

/// The one data folder of this program: that which was chosen, or the only one that is found.
pub(crate) fn folder_of(preset: &Preset, chosen: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = chosen {
        return Ok(folder.to_owned());
    }
    let found = apps::find(preset, &surroundings()?);
    match found.folders.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(not_found(
            preset,
            &found,
            "Start it once, so that it makes its folder, or name the folder: add --to DIR.",
        )),
        many => Err(Failure::usage(
            format!(
                "{} has several data folders here: {}",
                preset.title,
                listed(many)
            ),
            "Choose one: add --to DIR.",
        )),
    }
}

/// The program of this id.
pub(crate) fn named(id: &str) -> Result<&'static Preset, Failure> {
    apps::preset(id).ok_or_else(|| {
        let known = apps::presets().iter().map(|preset| preset.id.as_str());
        Failure::usage(
            format!("no program “{id}” is known"),
            format!("Known: {}.", known.collect::<Vec<_>>().join(", ")),
        )
    })
}

fn surroundings() -> Result<Surroundings, Failure> {
    Surroundings::of_this_user()
        .ok_or_else(|| Failure::usage("the system names no home folder", "Set HOME."))
}

fn not_found(preset: &Preset, found: &Found, hint: &str) -> Failure {
    Failure::usage(
        format!(
            "no data of {} was found; looked in {}",
            preset.title,
            listed(&found.missing)
        ),
        hint,
    )
}

fn listed(folders: &[PathBuf]) -> String {
    let folders = folders.iter().map(|folder| folder.display().to_string());
    folders.collect::<Vec<_>>().join(", ")
}
