//! `Preset`: what is known of one program, read from `assets/presets.toml`, which explains each field.

use crate::model::{Os, Profile, exclude_in};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What is known of one program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What the terminal calls it.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Templates of where its data is unless somebody moved it.
    pub folders: BTreeMap<Os, Vec<String>>,
    /// What such a folder holds, one of these at least.
    pub marks: Vec<String>,
    /// Where it notes folders that somebody chose.
    #[serde(default)]
    pub relocations: Vec<Relocation>,
    /// Name of the data folder beside the executable of a portable installation.
    pub portable: Option<String>,
    /// What a backup leaves out, in the syntax of `.gitignore`, from the data folder on.
    #[serde(default)]
    pub excludes: Vec<String>,
    /// What tells that it runs.
    #[serde(default)]
    pub locks: Vec<Lock>,
    /// Its own archives.
    #[serde(default)]
    pub archives: Archives,
}

/// A JSON file in which a program notes where its data is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relocation {
    /// Template of the file.
    pub file: String,
    /// The keys that lead to the note.
    pub at: Vec<String>,
    /// Where the note is a list of objects: which field has the folder.
    pub path_field: Option<String>,
    /// Where the note is a list of objects: which field has the executable.
    pub executable_field: Option<String>,
}

/// A file or link in a data folder that tells that the program runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Its name.
    pub name: String,
    /// How it tells.
    pub kind: LockKind,
}

/// How a lock tells that a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// It is a link to `host-pid`, which stays behind when the program is killed.
    ProcessLink,
    /// It is a file that goes when the program ends, however it ends.
    OpenFile,
}

/// The archives that a program makes itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archives {
    /// What tells of one, and belongs into no data folder.
    pub marks: Vec<String>,
    /// Names in them that are those of the data folder.
    pub restored: Vec<String>,
    /// Names in them of what only the program itself can read.
    pub import_only: Vec<String>,
    /// A file of the data folder by which generations are told apart that do not read each other's data.
    pub generation_mark: Option<String>,
}

impl Preset {
    /// Whether a folder holds the data of this program, as far as its names tell.
    pub fn fits(&self, folder: &Path) -> bool {
        self.marks.iter().any(|mark| folder.join(mark).exists())
    }

    /// Adds one of its data folders to what a profile backs up, and what is to be left out of it; once,
    /// however often it is added.
    pub fn add_to(&self, profile: &mut Profile, folder: PathBuf) {
        for exclude in self.excludes_in(&folder) {
            if !profile.excludes.contains(&exclude) {
                profile.excludes.push(exclude);
            }
        }
        if !profile.sources.contains(&folder) {
            profile.sources.push(folder);
        }
    }

    /// What a profile that backs `folder` up leaves out of it, and of nothing else.
    pub fn excludes_in(&self, folder: &Path) -> Vec<String> {
        let patterns = self.excludes.iter();
        patterns
            .map(|pattern| exclude_in(folder, pattern))
            .collect()
    }
}

/// Every program that is known.
pub fn presets() -> &'static [Preset] {
    &BUILT_IN
}

/// The program of this id.
pub fn preset(id: &str) -> Option<&'static Preset> {
    presets().iter().find(|preset| preset.id == id)
}

static BUILT_IN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let text = include_str!("../../assets/presets.toml");
    // A program without presets still backs up; that the file can be read is tested.
    read(text).unwrap_or_else(|error| {
        tracing::error!(%error, "the presets cannot be read");
        Vec::new()
    })
});

fn read(text: &str) -> Result<Vec<Preset>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        preset: Vec<Preset>,
    }
    Ok(toml::from_str::<File>(text)?.preset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_presets_can_be_read_and_are_sound() {
        let read = read(include_str!("../../assets/presets.toml")).expect("readable");
        assert_eq!(read, presets());
        let ids: BTreeSet<&str> = read.iter().map(|preset| preset.id.as_str()).collect();
        assert_eq!(ids.len(), read.len(), "each id once");
        assert!(ids.contains("cherry-studio"));
        for preset in &read {
            assert!(!preset.marks.is_empty(), "{}", preset.id);
            for os in [Os::Linux, Os::Macos, Os::Windows] {
                assert!(preset.folders.contains_key(&os), "{}", preset.id);
            }
            for pattern in &preset.excludes {
                assert!(pattern.starts_with('/'), "{pattern} is not rooted");
            }
        }
    }

    #[test]
    fn another_program_needs_no_code() {
        let text = r#"
            [[preset]]
            id = "notes"
            title = "Notes"
            marks = ["notes.db"]
            folders = { linux = ["{home}/.notes"] }
        "#;
        let read = read(text).expect("readable");
        assert_eq!(read[0].title, "Notes");
        assert!(super::read(&text.replace("marks", "mark")).is_err());
    }
}
