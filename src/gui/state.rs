//! `State`: everything the window shows, as plain data. Views read it, `update` alone writes it.

use crate::config::{Config, Places};
use crate::gui::job::{Job, JobKind, Program, SecretStatus};
use crate::gui::notice::{Notice, Notices};
use crate::gui::opened::{Foresight, Opened, Restores};
use crate::model::{Backup, CredentialSource, Destination, Profile, Secret, resolve_endpoint};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Everything the window shows.
#[derive(Debug)]
pub(crate) struct State {
    /// Where settings and data are kept.
    pub places: Places,
    /// The settings, as they are or are about to be saved.
    pub config: Config,
    /// Name of this computer in backup names.
    pub device: String,
    /// What runs.
    pub jobs: Vec<Job>,
    /// The backups at the shown profile's destination.
    pub table: Table,
    /// The backup that is looked into, or that a dialog asks about.
    pub opened: Option<Opened>,
    /// Key of the backup that is shown from inside, instead of the table.
    pub shows_inside: Option<String>,
    /// What the restore that the dialog asks about would do.
    pub foresight: Option<Foresight>,
    /// The restores that can be undone, once somebody asked.
    pub restores: Option<Restores>,
    /// The folder of the person's own files.
    pub home: PathBuf,
    /// What the last test of the shown destination found.
    pub test: Option<crate::engine::TestReport>,
    /// What the person is told.
    pub notices: Notices,
    /// Whether the shown profile's secret is kept.
    pub secret: SecretStatus,
    /// The programs whose data can be backed up.
    pub programs: Programs,
    /// What is not saved yet.
    pub unsaved: Unsaved,
    /// Whether the window is about to close.
    pub quit: Quit,
    /// What time it is.
    pub clock: Clock,
}

/// The backups at one destination.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The destination that the rows are of, or were asked of.
    pub of: Option<Destination>,
    /// The backups, newest first.
    pub rows: Vec<Backup>,
    /// How current the rows are.
    pub status: ListStatus,
    /// Key of the marked row.
    pub selected: Option<String>,
}

/// How current a list is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum ListStatus {
    /// Nothing was asked yet.
    #[default]
    NotAsked,
    /// The settings are not complete; says what is missing.
    Incomplete(String),
    /// It is being fetched.
    Loading,
    /// It is what the destination holds.
    Loaded,
    /// It could not be fetched.
    Failed(Notice),
}

/// The programs whose data can be backed up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Programs {
    /// Nobody has looked for their data yet.
    #[default]
    NotLooked,
    /// These, as found when somebody last looked.
    Known(Vec<Program>),
}

/// What is not saved yet.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    /// Whether settings changed since the last save began.
    pub settings: Saving,
    /// New secrets, by profile; an empty one is to be forgotten.
    pub secrets: BTreeMap<String, Secret>,
    /// The secrets that the running save takes care of.
    pub in_flight: BTreeMap<String, Secret>,
    /// The settings as they were last on the disk, as far as this window knows.
    pub base: Config,
    /// The settings that the running save writes.
    pub saving: Config,
}

/// Whether settings have to be saved.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saving {
    /// They are as saved, or as the running save will leave them.
    #[default]
    UpToDate,
    /// They changed since.
    Wanted,
}

/// Whether the window is about to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quit {
    /// It stays.
    No,
    /// The person is asked, because a job runs.
    Asking,
    /// The jobs were asked to stop; it closes once they have, or some seconds after this.
    Stopping(Instant),
}

/// What time it is, and where.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Now.
    pub now: Timestamp,
    /// The zone that people here live by.
    pub zone: TimeZone,
}

impl State {
    /// What the window shows at its start.
    pub(crate) fn new(places: Places, config: Config, clock: Clock) -> Self {
        let unsaved = Unsaved {
            base: config.clone(),
            saving: config.clone(),
            ..Unsaved::default()
        };
        Self {
            device: config.device_name(),
            places,
            config,
            jobs: Vec::new(),
            table: Table::default(),
            opened: None,
            shows_inside: None,
            foresight: None,
            restores: None,
            home: std::env::home_dir().unwrap_or_default(),
            test: None,
            notices: Notices::default(),
            secret: SecretStatus::Unknown,
            programs: Programs::default(),
            unsaved,
            quit: Quit::No,
            clock,
        }
    }

    /// The profile that is shown.
    ///
    /// [`Config::load`] and [`Config::remove_profile`] see to it that there is always one.
    pub(crate) fn profile(&self) -> &Profile {
        self.config
            .active()
            .or_else(|| self.config.profiles.first())
            .expect("settings always hold a profile")
    }

    /// The running job of this kind.
    pub(crate) fn running(&self, kind: JobKind) -> Option<&Job> {
        self.jobs.iter().find(|job| job.kind == kind)
    }

    /// The running job beside which no other may change backups or files.
    pub(crate) fn exclusive(&self) -> Option<&Job> {
        self.jobs.iter().find(|job| job.kind.is_exclusive())
    }

    /// Why the data of a program cannot be added to the shown profile.
    pub(crate) fn program_problem(&self, program: &Program) -> Option<&'static str> {
        let sources = &self.profile().sources;
        if program.found.folders.is_empty() {
            return Some("not found on this computer");
        }
        let mut folders = program.found.folders.iter();
        let is_there = folders.all(|folder| sources.contains(folder));
        is_there.then_some("backed up already")
    }

    /// Why backups cannot be changed or restored now.
    pub(crate) fn busy_reason(&self) -> Option<String> {
        self.exclusive()
            .map(|job| format!("{}. Wait for it to end, or cancel it.", job.kind.sentence()))
    }

    /// Why no backup can be made now.
    pub(crate) fn backup_problem(&self) -> Option<String> {
        if let Some(reason) = self.busy_reason() {
            return Some(reason);
        }
        if self.profile().sources.is_empty() {
            return Some("Add a folder to back up first.".to_owned());
        }
        self.destination_problem()
    }

    /// What the settings of the shown destination lack.
    pub(crate) fn destination_problem(&self) -> Option<String> {
        match &self.profile().destination {
            Destination::Folder(folder) if folder.path.as_os_str().is_empty() => {
                Some("Choose a folder to keep backups in.".to_owned())
            }
            Destination::Folder(folder) if !folder.path.is_absolute() => {
                Some("Write the whole path of the folder to keep backups in.".to_owned())
            }
            Destination::Folder(_) => None,
            Destination::S3(s3) => {
                if let Err(error) = resolve_endpoint(s3) {
                    return Some(sentence(&error.to_string()));
                }
                if s3.credentials != CredentialSource::Keys {
                    return None;
                }
                if s3.access_key_id.is_empty() {
                    return Some("The access key ID is empty.".to_owned());
                }
                let is_typed = self
                    .typed_secret(&self.profile().name)
                    .is_some_and(|secret| !secret.is_empty());
                (self.secret == SecretStatus::Missing && !is_typed)
                    .then(|| "The secret access key is empty.".to_owned())
            }
        }
    }

    /// A secret of this profile that was typed and is not known to be saved.
    pub(crate) fn typed_secret(&self, profile: &str) -> Option<&Secret> {
        let unsaved = &self.unsaved;
        unsaved
            .secrets
            .get(profile)
            .or_else(|| unsaved.in_flight.get(profile))
    }

    /// The backup of this key, if it is the one that is looked into.
    pub(crate) fn opened(&self, key: &str) -> Option<&Opened> {
        self.opened
            .as_ref()
            .filter(|opened| opened.backup.key == key)
    }

    /// Backups of the same profile and computer that are older than this one, the newest first.
    pub(crate) fn older_than(&self, backup: &Backup) -> impl Iterator<Item = &Backup> {
        let is_of_same_series = |row: &&Backup| {
            (row.origin, &row.profile, &row.device)
                == (backup.origin, &backup.profile, &backup.device)
        };
        let rows = self.table.rows.iter().filter(is_of_same_series);
        rows.filter(|row| row.key != backup.key && row.created <= backup.created)
    }

    /// The row that is marked.
    pub(crate) fn selected_row(&self) -> Option<&Backup> {
        let key = self.table.selected.as_deref()?;
        self.table.rows.iter().find(|row| row.key == key)
    }
}

impl Table {
    /// Takes over a fresh list.
    pub(crate) fn fill(&mut self, mut rows: Vec<Backup>) {
        rows.sort_by(newest_first);
        self.rows = rows;
        self.status = ListStatus::Loaded;
        self.forget_lost_selection();
    }

    /// Adds a row at its place, instead of an older one of its key.
    pub(crate) fn insert(&mut self, row: Backup) {
        self.rows.retain(|old| old.key != row.key);
        let at = self
            .rows
            .partition_point(|old| newest_first(old, &row).is_lt());
        self.rows.insert(at, row);
    }

    /// Takes away the rows of these names.
    pub(crate) fn remove(&mut self, names: &[String]) {
        self.rows
            .retain(|row| !names.contains(&row.name) && !names.contains(&row.key));
        self.forget_lost_selection();
    }

    fn forget_lost_selection(&mut self) {
        let rows = &self.rows;
        self.selected
            .take_if(|key| !rows.iter().any(|row| row.key == *key));
    }
}

fn newest_first(one: &Backup, other: &Backup) -> std::cmp::Ordering {
    other
        .created
        .cmp(&one.created)
        .then_with(|| one.key.cmp(&other.key))
}

/// Makes a sentence of an error's words.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let end = if words.ends_with('.') { "" } else { "." };
    letters.next().map_or(String::new(), |first| {
        format!("{}{}{end}", first.to_uppercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::S3Destination;

    fn state() -> State {
        let places = Places {
            config_dir: PathBuf::from("/nowhere/config"),
            data_dir: PathBuf::from("/nowhere/data"),
        };
        let config = Config::first(&places);
        let clock = Clock {
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
        };
        State::new(places, config, clock)
    }

    fn row(second: i64) -> Backup {
        let created = Timestamp::from_second(second).expect("a moment");
        Backup::from_listing(&format!("root/{second}.zip"), 1, created)
    }

    #[test]
    fn rows_stand_newest_first_and_once() {
        let mut table = Table::default();
        table.fill(vec![row(1), row(5), row(3)]);
        table.insert(row(4));
        table.insert(row(5));
        let names: Vec<_> = table.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["5.zip", "4.zip", "3.zip", "1.zip"]);
        table.selected = Some("root/4.zip".to_owned());
        table.remove(&["4.zip".to_owned()]);
        assert_eq!((table.rows.len(), table.selected), (3, None));
    }

    #[test]
    fn a_backup_needs_folders_and_a_complete_destination() {
        let mut state = state();
        assert_eq!(state.destination_problem(), None);
        assert_eq!(
            state.backup_problem().as_deref(),
            Some("Add a folder to back up first.")
        );
        let profile = &mut state.config.profiles[0];
        profile.sources.push(PathBuf::from("/a"));
        profile.destination = Destination::S3(S3Destination::default());
        assert_eq!(
            state.backup_problem().as_deref(),
            Some("The endpoint is empty.")
        );
        state.config.profiles[0].destination = Destination::S3(S3Destination {
            endpoint: "https://e.example".to_owned(),
            bucket: "b".to_owned(),
            access_key_id: "id".to_owned(),
            ..S3Destination::default()
        });
        state.secret = SecretStatus::Missing;
        assert_eq!(
            state.backup_problem().as_deref(),
            Some("The secret access key is empty.")
        );
        let typed = ("default".to_owned(), Secret::new("s"));
        state.unsaved.secrets.extend([typed]);
        assert_eq!(state.backup_problem(), None);
    }
}
