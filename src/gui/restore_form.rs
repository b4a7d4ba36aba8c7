//! `RestoreForm`: the choices of a restore, as far as they are made.

use crate::engine::{
    ExtraFiles, Inside, ListedVersion, Maker, OnConflict, RestoreOptions, RestoreRequest,
    RestoreTarget, Selection, proposed_place,
};
use crate::model::{Backup, Origin};
use std::path::{Path, PathBuf};

/// The choices of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestoreForm {
    /// What is restored.
    pub backup: Backup,
    /// Which of it.
    pub selection: Selection,
    /// Whether the backup was made here.
    pub home: Home,
    /// Which way.
    pub choice: RestoreChoice,
    /// The folder, being typed.
    pub folder: String,
    /// The data folder of the program that made it, where its archive can be put into one.
    pub app: Option<AppField>,
    /// Where each folder of the backup goes; none until it is known which these are.
    pub places: Vec<PlaceField>,
    /// What to do where a file is there already.
    pub on_conflict: OnConflict,
    /// What becomes of files that the backup does not have.
    pub extra_files: ExtraFiles,
}

/// Whether a backup was made on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// It was.
    Here,
    /// It was made on another one, or nobody knows.
    Elsewhere,
}

/// Where one folder of a backup goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaceField {
    /// The folder's name in the backup.
    pub label: String,
    /// Where it was when it was backed up.
    pub original: String,
    /// Where it goes, being typed.
    pub folder: String,
}

/// The data folder of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppField {
    /// The program's id among the presets.
    pub app: String,
    /// Its name.
    pub title: String,
    /// The folder, being typed.
    pub folder: String,
}

/// Where restored files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestoreChoice {
    /// Into the data folder of the program that made it.
    App,
    /// To where they came from; on another computer to where that would be here.
    Places,
    /// Into a folder.
    Folder,
}

impl RestoreForm {
    /// Asks where to restore `backup` to. One that is foreign does not know places and starts with a folder.
    pub(crate) fn of(backup: &Backup, device: &str) -> Self {
        let is_here = backup.device.as_deref() == Some(device);
        let knows_places = backup.origin == Origin::Zipkeep;
        Self {
            backup: backup.clone(),
            selection: Selection::All,
            home: if is_here && knows_places {
                Home::Here
            } else {
                Home::Elsewhere
            },
            choice: if knows_places {
                RestoreChoice::Places
            } else {
                RestoreChoice::Folder
            },
            folder: String::new(),
            app: None,
            places: Vec::new(),
            on_conflict: OnConflict::default(),
            extra_files: ExtraFiles::default(),
        }
    }

    /// Restores only this.
    #[must_use]
    pub(crate) fn only(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Whether something of the backup's folder of this label is restored.
    fn is_chosen(&self, label: &str) -> bool {
        match &self.selection {
            Selection::All | Selection::Matching(_) => true,
            Selection::Paths(paths) => paths
                .iter()
                .any(|path| path.split('/').next() == Some(label)),
        }
    }

    /// Takes over what the backup says of itself.
    pub(crate) fn learn(&mut self, inside: &Inside, home: &Path) {
        if inside.maker == Maker::Other || inside.roots.is_empty() {
            self.choice = RestoreChoice::Folder;
        }
        let roots = inside.roots.iter();
        self.places = roots
            .filter(|root| self.is_chosen(&root.label))
            .map(|root| {
                let folder = match self.home {
                    Home::Here => root.path.clone(),
                    Home::Elsewhere => proposed_place(&root.path, home).display().to_string(),
                };
                PlaceField {
                    label: root.label.clone(),
                    original: root.path.clone(),
                    folder,
                }
            })
            .collect();
    }

    /// Proposes the first of these folders of the program that made the backup.
    pub(crate) fn propose_app(&mut self, app: &str, title: &str, folders: &[PathBuf]) {
        let folder = folders.first().map(|folder| folder.display().to_string());
        self.app = Some(AppField {
            app: app.to_owned(),
            title: title.to_owned(),
            folder: folder.unwrap_or_default(),
        });
        self.choice = RestoreChoice::App;
    }

    /// What is asked for, or what is missing.
    pub(crate) fn request(&self) -> Result<RestoreRequest, &'static str> {
        let target = self.target()?;
        let mut request = RestoreRequest::all_of(&self.backup.key, target);
        request.listed = ListedVersion::of(&self.backup);
        request.selection = self.selection.clone();
        request.options = RestoreOptions {
            on_conflict: self.on_conflict,
            extra_files: self.extra_files,
            ..RestoreOptions::default()
        };
        Ok(request)
    }

    fn target(&self) -> Result<RestoreTarget, &'static str> {
        const NOT_WHOLE: &str = "Write or choose the whole path of a folder.";
        let whole = |text: &str| {
            let path = Path::new(text.trim());
            path.is_absolute().then(|| path.to_owned())
        };
        match (self.choice, self.home) {
            (RestoreChoice::Folder, _) => {
                let folder = whole(&self.folder).ok_or(NOT_WHOLE)?;
                Ok(RestoreTarget::Folder(folder))
            }
            (RestoreChoice::App, _) => {
                let app = self.app.as_ref().ok_or(NOT_WHOLE)?;
                Ok(RestoreTarget::AppData {
                    app: app.app.clone(),
                    folder: whole(&app.folder).ok_or(NOT_WHOLE)?,
                })
            }
            (RestoreChoice::Places, _) if self.places.is_empty() => {
                Err("Which folders the backup was made of is not known yet.")
            }
            (RestoreChoice::Places, Home::Here) => Ok(RestoreTarget::Original),
            (RestoreChoice::Places, Home::Elsewhere) => {
                let places = self.places.iter();
                let places = places.map(|place| Some((place.label.clone(), whole(&place.folder)?)));
                let places: Option<_> = places.collect();
                Ok(RestoreTarget::Places(places.ok_or(NOT_WHOLE)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Tree;
    use crate::model::Root;
    use std::sync::Arc;

    fn backup() -> Backup {
        let name = "p.20261122T100000Z.desk.linux.zip";
        Backup::from_listing(name, 1, jiff::Timestamp::UNIX_EPOCH)
    }

    fn inside(path: &Path) -> Inside {
        Inside {
            tree: Tree::default(),
            roots: vec![Root {
                label: "photos".to_owned(),
                path: path.display().to_string(),
                raw_path: None,
            }],
            skipped: Vec::new(),
            maker: Maker::Zipkeep,
            cherry_studio: None,
        }
    }

    #[test]
    fn a_backup_of_this_computer_goes_back_where_it_was() {
        let folder = std::env::current_dir().expect("a folder");
        let mut form = RestoreForm::of(&backup(), "desk");
        assert!(form.request().is_err(), "the folders are not known yet");
        form.learn(&inside(&folder), Path::new("/home/bob"));
        let request = form.request().expect("complete");
        assert_eq!(request.target, RestoreTarget::Original);
    }

    #[test]
    fn a_backup_of_another_computer_goes_where_the_person_says() {
        let mut form = RestoreForm::of(&backup(), "laptop");
        let home = std::env::current_dir().expect("a folder");
        form.learn(&inside(Path::new("/home/ada/photos")), &home);
        let place = home.join("photos");
        assert_eq!(form.places[0].folder, place.display().to_string());
        let expected = [("photos".to_owned(), place)].into();
        let request = form.request().expect("complete");
        assert_eq!(request.target, RestoreTarget::Places(expected));
        form.places[0].folder = "relative".to_owned();
        assert!(form.request().is_err());
        form.choice = RestoreChoice::Folder;
        assert!(form.request().is_err());
        form.folder = home.display().to_string();
        let request = form.request().expect("complete");
        assert_eq!(request.target, RestoreTarget::Folder(home));
    }

    #[test]
    fn only_folders_of_which_something_was_chosen_are_asked_about() {
        let chosen = Selection::Paths(Arc::new(["videos/a".to_owned()].into()));
        let mut form = RestoreForm::of(&backup(), "laptop").only(chosen);
        form.learn(
            &inside(Path::new("/home/ada/photos")),
            Path::new("/home/bob"),
        );
        assert_eq!(form.places, []);
    }

    #[test]
    fn a_foreign_backup_goes_to_a_folder() {
        let foreign = Backup::from_listing("photos.zip", 1, jiff::Timestamp::UNIX_EPOCH);
        let form = RestoreForm::of(&foreign, "desk");
        assert_eq!(form.choice, RestoreChoice::Folder);
        assert_eq!(form.home, Home::Elsewhere);
    }
}
