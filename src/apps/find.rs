//! Where a program's data is on this computer: in its usual folders, and where somebody moved it to.

use super::presets::{Preset, Relocation};
use super::surroundings::Surroundings;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A program's notes of where its data is are short.
const MOST_NOTE_BYTES: u64 = 4 * 1024 * 1024;

/// Where a program's data is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Folders that hold it, those that somebody chose first.
    pub folders: Vec<PathBuf>,
    /// Folders in which it could be and is not.
    pub missing: Vec<PathBuf>,
}

/// Looks for a program's data on a computer.
pub fn find(preset: &Preset, here: &Surroundings) -> Found {
    let mut found = Found::default();
    for folder in places(preset, here) {
        if found.folders.contains(&folder) || found.missing.contains(&folder) {
            continue;
        }
        // The same folder may be noted by a path that leads through a link.
        let is_known = |known: &PathBuf| same_folder(known, &folder);
        if !preset.fits(&folder) {
            found.missing.push(folder);
        } else if !found.folders.iter().any(is_known) {
            found.folders.push(folder);
        }
    }
    found
}

fn same_folder(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| fs::canonicalize(path).ok();
    canonical(one).is_some_and(|one| Some(one) == canonical(other))
}

/// Where the data could be.
fn places(preset: &Preset, here: &Surroundings) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for relocation in &preset.relocations {
        let Some(note) = note_of(relocation, here) else {
            continue;
        };
        let mut noted = Noted::default();
        noted.take(&note, relocation);
        let folders = noted.folders.iter().map(|folder| here.noted(folder));
        places.extend(folders.filter(|folder| folder.is_absolute()));
        if let Some(portable) = &preset.portable {
            let executables = noted.executables.iter().map(|path| here.noted(path));
            let beside = executables.filter_map(|path| Some(path.parent()?.join(portable)));
            // Most executables have none beside them.
            places.extend(beside.filter(|folder| preset.fits(folder)));
        }
    }
    let usual = preset.folders.get(&here.os);
    places.extend(usual.into_iter().flatten().map(|folder| here.fill(folder)));
    places
}

/// What a program noted; `None` where it noted nothing that can be read.
fn note_of(relocation: &Relocation, here: &Surroundings) -> Option<Value> {
    let file = File::open(here.fill(&relocation.file)).ok()?;
    let mut text = Vec::new();
    file.take(MOST_NOTE_BYTES).read_to_end(&mut text).ok()?;
    let json: Value = serde_json::from_slice(&text).ok()?;
    let keys = relocation.at.iter();
    keys.into_iter()
        .try_fold(&json, |value, key| value.get(key))
        .cloned()
}

/// What a note says.
#[derive(Default)]
struct Noted {
    folders: Vec<String>,
    executables: Vec<String>,
}

impl Noted {
    fn take(&mut self, note: &Value, relocation: &Relocation) {
        match note {
            Value::String(folder) => self.folders.push(folder.clone()),
            Value::Array(notes) => notes.iter().for_each(|note| self.take(note, relocation)),
            Value::Object(fields) => {
                let field = |name: &Option<String>| fields.get(name.as_deref()?)?.as_str();
                if let Some(folder) = field(&relocation.path_field) {
                    self.folders.push(folder.to_owned());
                    let executable = field(&relocation.executable_field);
                    self.executables.extend(executable.map(str::to_owned));
                    return;
                }
                for (executable, folder) in fields {
                    self.executables.push(executable.clone());
                    self.folders.extend(folder.as_str().map(str::to_owned));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::presets::preset;
    use super::*;
    use crate::model::Os;
    use serde_json::json;

    /// A home for Cherry Studio.
    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn data_in(&self, name: &str) -> PathBuf {
            fs::create_dir_all(self.path(name).join("Data")).expect("made");
            self.path(name)
        }

        fn note(&self, name: &str, note: &Value) {
            let file = self.path(".cherrystudio").join(name);
            fs::create_dir_all(file.parent().expect("a parent")).expect("made");
            fs::write(file, note.to_string()).expect("written");
        }

        fn find(&self) -> Found {
            let here = Surroundings {
                os: Os::Linux,
                host: "pc".to_owned(),
                home: self.path(""),
                config: self.path("xdg"),
            };
            find(preset("cherry-studio").expect("known"), &here)
        }
    }

    #[test]
    fn the_usual_folders_are_found_where_they_hold_data() {
        let home = Home::new();
        fs::create_dir_all(home.path("xdg/CherryStudio")).expect("made");
        let found = home.find();
        assert!(found.folders.is_empty(), "an empty one is none");
        let usual = ["xdg/CherryStudio", "xdg/CherryStudioDev"].map(|name| home.path(name));
        assert_eq!(found.missing, usual);
        let folders = [
            home.data_in("xdg/CherryStudio"),
            home.data_in("xdg/CherryStudioDev"),
        ];
        assert_eq!(home.find().folders, folders);
    }

    #[test]
    fn folders_that_somebody_chose_are_found_in_every_shape_of_note() {
        let home = Home::new();
        let usual = home.data_in("xdg/CherryStudio");
        let [a, b, c] = ["a", "b", "c"].map(|name| home.data_in(name));
        home.note("config/config.json", &json!({"appDataPath": a}));
        assert_eq!(home.find().folders, [a.clone(), usual.clone()]);
        let list = json!({"appDataPath": [
            {"executablePath": "/opt/cherry", "dataPath": b},
            {"executablePath": "/opt/other", "dataPath": "~/c"},
            {"executablePath": "/opt/gone", "dataPath": home.path("gone")},
            {"executablePath": "/opt/odd", "dataPath": "relative"},
        ]});
        home.note("config/config.json", &list);
        let found = home.find();
        assert_eq!(found.folders, [b, c.clone(), usual.clone()]);
        assert!(found.missing.contains(&home.path("gone")));
        home.note(
            "boot-config.json",
            &json!({"app.user_data_path": {"/opt/cherry": c}, "temp.user_data_relocation": {"status": "pending", "from": a, "to": home.path("gone")}}),
        );
        assert_eq!(home.find().folders[..2], [c, a]);
        home.note("boot-config.json", &json!({"app.user_data_path": 7}));
        assert_eq!(home.find().folders.len(), 3, "nonsense is passed over");
    }

    #[test]
    fn a_portable_installation_is_found_beside_its_executable() {
        let home = Home::new();
        let portable = home.data_in("usb/data");
        let executable = home.path("usb/cherry-studio-portable.exe");
        home.note(
            "boot-config.json",
            &json!({"app.user_data_path": {executable.display().to_string(): home.path("gone")}}),
        );
        assert_eq!(home.find().folders, [portable]);
    }
}
