//! `Config`: what is kept between runs, and where. No secrets.
//!
//! confy reads and writes the file; the write goes to a new file that then takes the old one's
//! place, so that a full disk or a crash cannot destroy the settings.

use crate::model::{
    Appearance, Compression, Destination, FolderDestination, Profile, ProfileError, WhenUnchanged,
    reduce_device,
};
use etcetera::{AppStrategy as _, AppStrategyArgs};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Where settings and data are kept on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Folder of the settings file.
    pub config_dir: PathBuf,
    /// Folder of everything else: secrets, what is remembered, logs, the default destination.
    pub data_dir: PathBuf,
}

/// Everything that is kept between runs but the secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Name of this computer in backup names; empty takes the system's.
    pub device: String,
    /// Name of the profile that the window shows and the terminal takes without `--profile`.
    pub active_profile: String,
    /// How the window looks.
    pub appearance: Appearance,
    /// For how many days what a restore replaced is kept, so that it can be undone.
    pub undo_days: u32,
    /// The profiles, in the order in which they were made.
    pub profiles: Vec<Profile>,
}

/// Why settings could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system names no home folder.
    #[error("no folder for settings: set HOME, or ZIPKEEP_CONFIG_DIR and ZIPKEEP_DATA_DIR")]
    NoHome,
    /// The file is there and cannot be read.
    #[error("the settings in {path} cannot be read; mend the file or move it away")]
    Read {
        /// The settings file.
        path: PathBuf,
        /// Why.
        #[source]
        source: confy::ConfyError,
    },
    /// The file could not be written; the old one is unharmed.
    #[error("the settings could not be saved to {path}")]
    Write {
        /// The settings file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No such profile.
    #[error("there is no profile named “{0}”")]
    NoSuchProfile(String),
    /// A profile cannot be named so.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Places {
    /// The folders that `ZIPKEEP_CONFIG_DIR` and `ZIPKEEP_DATA_DIR` name, else the system's own.
    pub fn of_this_user() -> Result<Self, ConfigError> {
        let from_env = |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let config_dir = match from_env("ZIPKEEP_CONFIG_DIR") {
            Some(dir) => dir,
            None => Self::confy_dir()?,
        };
        let data_dir = match from_env("ZIPKEEP_DATA_DIR") {
            Some(dir) => dir,
            None => etcetera::choose_app_strategy(AppStrategyArgs {
                top_level_domain: "org".to_owned(),
                author: "zipkeep".to_owned(),
                app_name: "zipkeep".to_owned(),
            })
            .map_err(|_| ConfigError::NoHome)?
            .data_dir(),
        };
        Ok(Self {
            config_dir,
            data_dir,
        })
    }

    /// The folder in which confy keeps this program's settings on this system.
    fn confy_dir() -> Result<PathBuf, ConfigError> {
        let file = confy::get_configuration_file_path("zipkeep", Some("config"))
            .map_err(|_| ConfigError::NoHome)?;
        Ok(file.parent().map(Path::to_owned).unwrap_or(file))
    }

    /// The settings file.
    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    /// The folder that holds backups when the person chose nothing else.
    pub fn default_destination(&self) -> PathBuf {
        self.data_dir.join("backups")
    }
}

impl Config {
    /// For how many days a restore can be undone unless the person says otherwise.
    pub const UNDO_DAYS: u32 = 30;

    /// The settings before the person changed any: one profile that backs up to this computer.
    pub fn first(places: &Places) -> Self {
        Self {
            device: String::new(),
            active_profile: Profile::DEFAULT_NAME.to_owned(),
            appearance: Appearance::default(),
            undo_days: Self::UNDO_DAYS,
            profiles: vec![Profile {
                name: Profile::DEFAULT_NAME.to_owned(),
                sources: Vec::new(),
                excludes: Vec::new(),
                compression: Compression::default(),
                when_unchanged: WhenUnchanged::default(),
                destination: Destination::Folder(FolderDestination {
                    path: places.default_destination(),
                }),
            }],
        }
    }

    /// Reads the settings; those of a first start where there are none. Never writes.
    pub fn load(places: &Places) -> Result<Self, ConfigError> {
        let path = places.config_file();
        if !path.exists() {
            return Ok(Self::first(places));
        }
        let mut config: Self =
            confy::load_path(&path).map_err(|source| ConfigError::Read { path, source })?;
        if config.profiles.is_empty() {
            config.profiles = Self::first(places).profiles;
        }
        if config.profile(&config.active_profile).is_none() {
            config.active_profile = config.profiles[0].name.clone();
        }
        Ok(config)
    }

    /// Moves a settings file that cannot be read out of the way and says where it is now.
    pub fn set_aside(places: &Places) -> Result<PathBuf, ConfigError> {
        let path = places.config_file();
        let free = (1..u32::MAX)
            .map(|n| path.with_extension(format!("unreadable-{n}.toml")))
            .find(|candidate| !candidate.exists())
            .unwrap_or_else(|| path.with_extension("unreadable.toml"));
        match fs::rename(&path, &free) {
            Ok(()) => Ok(free),
            Err(source) => Err(ConfigError::Write {
                path,
                source: source.into(),
            }),
        }
    }

    /// Writes the settings beside the old file, then puts the new one in its place.
    pub fn save(&self, places: &Places) -> Result<(), ConfigError> {
        let path = places.config_file();
        self.save_to(&path)
            .map_err(|source| ConfigError::Write { path, source })
    }

    fn save_to(&self, path: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let new_file = tempfile::Builder::new()
            .prefix(".config")
            .suffix(".toml")
            .tempfile_in(folder)?
            .into_temp_path();
        confy::store_path(&new_file, self)?;
        File::open(&new_file)?.sync_all()?;
        new_file.persist(path)?;
        Ok(())
    }

    /// Takes over what another program, such as the terminal's, did to the profiles on the disk
    /// since they were `base`: those added, and those changed that were not changed here too.
    /// Returns what was taken over.
    pub fn adopt(&mut self, base: &Self, on_disk: &Self) -> Vec<Profile> {
        let mut adopted = Vec::new();
        for there in &on_disk.profiles {
            let before = base.profile(&there.name);
            match self
                .profiles
                .iter_mut()
                .find(|here| here.name == there.name)
            {
                None if before.is_none() => self.profiles.push(there.clone()),
                Some(here) if before == Some(here) && here != there => here.clone_from(there),
                _ => continue,
            }
            adopted.push(there.clone());
        }
        adopted
    }

    /// For how long what a restore replaced is kept.
    pub fn undo_kept(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.undo_days))
    }

    /// The folders of all profiles that hold backups: no restore removes anything in them.
    pub fn backup_folders(&self) -> Vec<PathBuf> {
        let folders = self.profiles.iter().filter_map(|profile| {
            let Destination::Folder(folder) = &profile.destination else {
                return None;
            };
            Some(folder.path.clone())
        });
        folders.collect()
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// The profile that is shown and taken without naming one.
    pub fn active(&self) -> Option<&Profile> {
        self.profile(&self.active_profile)
    }

    /// Adds a profile under a new name.
    pub fn add_profile(&mut self, profile: Profile) -> Result<(), ConfigError> {
        Profile::check_name(&profile.name)?;
        if self.profile(&profile.name).is_some() {
            return Err(ProfileError::Taken(profile.name).into());
        }
        self.profiles.push(profile);
        Ok(())
    }

    /// Puts `profile` in the place of the one of its name.
    pub fn replace_profile(&mut self, profile: Profile) -> Result<(), ConfigError> {
        let old = self
            .profiles
            .iter_mut()
            .find(|old| old.name == profile.name);
        match old {
            Some(old) => *old = profile,
            None => return Err(ConfigError::NoSuchProfile(profile.name)),
        }
        Ok(())
    }

    /// Forgets a profile; its backups stay where they are.
    pub fn remove_profile(&mut self, name: &str, places: &Places) -> Result<(), ConfigError> {
        let Some(at) = self
            .profiles
            .iter()
            .position(|profile| profile.name == name)
        else {
            return Err(ConfigError::NoSuchProfile(name.to_owned()));
        };
        self.profiles.remove(at);
        if self.profiles.is_empty() {
            self.profiles = Self::first(places).profiles;
        }
        if self.active_profile == name {
            self.active_profile = self.profiles[0].name.clone();
        }
        Ok(())
    }

    /// The name of this computer as it stands in backup names.
    pub fn device_name(&self) -> String {
        if self.device.is_empty() {
            reduce_device(&gethostname::gethostname().to_string_lossy())
        } else {
            reduce_device(&self.device)
        }
    }
}

impl Default for Config {
    /// No profile at all; [`Config::load`] fills in what a first start has.
    fn default() -> Self {
        Self {
            device: String::new(),
            active_profile: Profile::DEFAULT_NAME.to_owned(),
            appearance: Appearance::default(),
            undo_days: Self::UNDO_DAYS,
            profiles: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> (tempfile::TempDir, Places) {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            config_dir: folder.path().join("config"),
            data_dir: folder.path().join("data"),
        };
        (folder, places)
    }

    #[test]
    fn a_first_start_has_one_profile_on_this_computer_and_writes_nothing() {
        let (folder, places) = places();
        let config = Config::load(&places).expect("defaults");
        assert_eq!(config.active().map(|p| p.name.as_str()), Some("default"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn settings_read_back_as_they_were_saved() {
        let (_folder, places) = places();
        let mut config = Config::first(&places);
        config.device = "desk".to_owned();
        let mut second = config.profiles[0].clone();
        second.name = "bucket".to_owned();
        second.sources = vec![PathBuf::from("/home/ü/文件")];
        second.destination = Destination::S3(crate::model::S3Destination {
            bucket: "b".to_owned(),
            ..Default::default()
        });
        config.add_profile(second.clone()).expect("a new name");
        assert!(config.add_profile(second).is_err(), "a name is given once");
        config.save(&places).expect("saved");
        assert_eq!(Config::load(&places).expect("read"), config);
        assert_eq!(
            fs::read_dir(&places.config_dir).expect("a folder").count(),
            1,
            "no temporary file stays"
        );
    }

    #[test]
    fn settings_of_other_versions_are_read_and_lose_nothing() {
        let (_folder, places) = places();
        fs::create_dir_all(&places.config_dir).expect("made");
        let ids = ["aws", "r2", "oss", "cos", "minio", "s3", "from-the-future"];
        let profiles = ids.map(|id| {
            format!(
                "[[profiles]]\nname = \"{id}\"\nsources = []\n[profiles.destination]\nkind = \"s3\"\n\
                 provider = \"{id}\"\nendpoint = \"https://e.example\"\nregion = \"r\"\nbucket = \"b\"\n\
                 root_path = \"\"\naccess_key_id = \"k\"\n"
            )
        });
        fs::write(places.config_file(), profiles.concat()).expect("written");
        let config = Config::load(&places).expect("read");
        config.save(&places).expect("saved");
        let again = Config::load(&places).expect("read");
        assert_eq!(again, config);
        for id in ids {
            let profile = again.profile(id).expect("kept");
            let Destination::S3(s3) = &profile.destination else {
                panic!("{profile:?}");
            };
            assert_eq!((s3.provider.id(), s3.bucket.as_str()), (id, "b"));
            assert!(!s3.allow_plain_http);
        }
    }

    #[test]
    fn damaged_settings_are_an_error_and_stay_as_they_are() {
        let (_folder, places) = places();
        fs::create_dir_all(&places.config_dir).expect("made");
        fs::write(places.config_file(), "profiles = 7 [").expect("written");
        assert!(matches!(
            Config::load(&places),
            Err(ConfigError::Read { .. })
        ));
        let kept = Config::set_aside(&places).expect("moved");
        assert_eq!(fs::read_to_string(kept).expect("read"), "profiles = 7 [");
        assert!(Config::load(&places).is_ok());
    }

    #[test]
    fn what_another_program_saved_is_taken_over() {
        let (_folder, places) = places();
        let base = Config::first(&places);
        let named = |name: &str, exclude: &str| Profile {
            name: name.to_owned(),
            excludes: vec![exclude.to_owned()],
            ..base.profiles[0].clone()
        };
        let with = |profiles: &[Profile]| Config {
            profiles: profiles.to_vec(),
            ..base.clone()
        };
        let before = with(&[named("a", "1"), named("b", "1"), named("gone", "1")]);
        let mut here = with(&[named("a", "here"), named("b", "1")]);
        let there = with(&[
            named("a", "there"),
            named("b", "there"),
            named("gone", "1"),
            named("new", "1"),
        ]);
        let adopted = here.adopt(&before, &there);
        assert_eq!(adopted, [named("b", "there"), named("new", "1")]);
        assert_eq!(
            here.profiles,
            [named("a", "here"), named("b", "there"), named("new", "1")]
        );
    }

    #[test]
    fn the_last_profile_cannot_be_lost() {
        let (_folder, places) = places();
        let mut config = Config::first(&places);
        config.remove_profile("default", &places).expect("removed");
        assert_eq!(config, Config::first(&places));
    }
}
