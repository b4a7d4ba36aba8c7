//! The commands that work at a destination: each builds a request, calls the engine once, and shows
//! its report.

use crate::args::Command;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::profiles::absolute;
use crate::wording::{backup_lines, cherry_studio_lines, harmless, local_time, verify_lines};
use globset::GlobBuilder;
use indicatif::DecimalBytes;
use jiff::tz::TimeZone;
use serde_json::json;
use std::path::PathBuf;
use zipkeep::config::{Config, ConfigError, Places};
use zipkeep::engine::{
    self, BackupOptions, BackupRequest, Context, DeletedData, Earlier, StopSwitch, VerifyDepth,
    VerifyRequest,
};
use zipkeep::model::{Backup, Destination, EntryKind, Profile, Warning, WhenUnchanged};
use zipkeep::secrets::{self, Unlocked};
use zipkeep::storage::{self, Patience, Store};

/// Everything that a command works with.
pub(crate) struct Work {
    pub(crate) places: Places,
    pub(crate) profile: Profile,
    /// The folders of all profiles that hold backups.
    backup_folders: Vec<PathBuf>,
    pub(crate) device: String,
    pub(crate) context: Context,
    pub(crate) output: Output,
}

impl Work {
    /// `chosen` is what `--profile` says.
    pub(crate) fn new(
        command: &Command,
        chosen: Option<&str>,
        places: Places,
        output: Output,
        stop: StopSwitch,
    ) -> Result<Self, Failure> {
        let config = Config::load(&places)?;
        let name = chosen.unwrap_or(&config.active_profile);
        let profile = config.profile(name).cloned();
        let profile = profile.ok_or_else(|| ConfigError::NoSuchProfile(name.to_owned()))?;
        let reporter = output.reporter(command.name());
        Ok(Self {
            device: config.device_name(),
            backup_folders: config.backup_folders(),
            context: Context::new(reporter, stop, &places.data_dir),
            places,
            profile,
            output,
        })
    }

    /// What belongs to nobody's folders: the program's own data, and the backups themselves.
    pub(crate) fn keep_out(&self) -> Vec<PathBuf> {
        let mut keep_out = vec![self.places.data_dir.clone()];
        if let Destination::Folder(folder) = &self.profile.destination {
            keep_out.push(folder.path.clone());
        }
        keep_out
    }

    /// The same for a restore, which must not touch another profile's backups or the settings either.
    pub(crate) fn untouched(&self) -> Vec<PathBuf> {
        let mut untouched = self.keep_out();
        untouched.push(self.places.config_dir.clone());
        untouched.extend(self.backup_folders.iter().cloned());
        untouched
    }

    /// `destination` of this profile with its keys.
    pub(crate) fn unlock(&self, destination: &Destination) -> Result<Unlocked, Failure> {
        let name = &self.profile.name;
        Ok(secrets::unlock(&self.places, name, destination, None)?)
    }

    pub(crate) fn store(&self, patience: Patience) -> Result<Store, Failure> {
        let Unlocked {
            destination,
            secret,
        } = self.unlock(&self.profile.destination)?;
        Ok(storage::open(&destination, secret.as_ref(), patience)?)
    }

    pub(crate) async fn find(&self, store: &Store, wanted: &str) -> Result<Backup, Failure> {
        let backups = engine::list(store, &self.context).await?;
        let own = (self.profile.name.as_str(), self.device.as_str());
        Ok(engine::find(&backups, wanted, own)?.clone())
    }

    /// Runs one command to its end.
    pub(crate) async fn run(&self, command: Command) -> Result<Exit, Failure> {
        match command {
            Command::Profile(_) => Ok(Exit::Done),
            Command::Test(args) => self.test(&args).await,
            Command::Backup {
                folders,
                force,
                remove_deleted,
                full,
            } => {
                let mut options = self.options(force, remove_deleted);
                if full {
                    options.earlier = Earlier::NotTrusted;
                }
                self.backup(folders, options).await
            }
            Command::List { this_device } => self.list(this_device).await,
            Command::Show { backup, path } => self.show(&backup, path.as_deref()).await,
            Command::Restore(args) => self.restore(args).await,
            Command::Undo(args) => self.undo(&args),
            Command::Verify { backup, quick } => {
                let depth = if quick {
                    VerifyDepth::Quick
                } else {
                    VerifyDepth::Full
                };
                self.verify(&backup, depth).await
            }
            Command::Download { backup, file } => self.download(&backup, file).await,
            Command::Delete { backups, yes } => self.delete(backups, yes).await,
        }
    }

    /// How the profile says, but for what was asked for this once.
    fn options(&self, force: bool, remove_deleted: bool) -> BackupOptions {
        BackupOptions {
            compression: self.profile.compression,
            when_unchanged: if force {
                WhenUnchanged::BackUp
            } else {
                self.profile.when_unchanged
            },
            deleted_data: if remove_deleted {
                DeletedData::RemoveNow
            } else {
                DeletedData::UntilWorthIt
            },
            earlier: Earlier::TakenOver,
        }
    }

    async fn backup(&self, folders: Vec<PathBuf>, options: BackupOptions) -> Result<Exit, Failure> {
        let sources = if folders.is_empty() {
            self.profile.sources.clone()
        } else {
            folders
                .iter()
                .map(|folder| absolute(folder))
                .collect::<Result<_, _>>()?
        };
        let request = BackupRequest {
            profile: self.profile.name.clone(),
            device: self.device.clone(),
            sources,
            excludes: self.profile.excludes.clone(),
            keep_out: self.keep_out(),
            options,
        };
        let store = self.store(Patience::Patient)?;
        let report = engine::backup(&store, request, &self.context).await?;
        self.output
            .warnings("To know of this backup", &report.warnings);
        if report.unchanged {
            self.output
                .note("For a new backup all the same, add --force.");
        }
        let place = self.profile.destination.summary();
        self.output.result("backup", &report, |out| {
            let lines = backup_lines(&report, &place, &TimeZone::system());
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))
        })?;
        Ok(exit_of(&report.warnings))
    }

    async fn list(&self, this_device: bool) -> Result<Exit, Failure> {
        let store = self.store(Patience::Interactive)?;
        let mut backups = engine::list(&store, &self.context).await?;
        if this_device {
            backups.retain(|backup| backup.device.as_deref() == Some(&self.device));
        }
        self.output
            .result("list", &json!({"backups": backups}), |out| {
                if backups.is_empty() {
                    writeln!(
                        out,
                        "There are no backups at {} yet.",
                        self.profile.destination.summary()
                    )?;
                }
                for backup in &backups {
                    let size = DecimalBytes(backup.size_bytes).to_string();
                    let (when, origin) = (
                        local_time(backup.created, &TimeZone::system()),
                        backup.origin.title(),
                    );
                    let name = backup.name.escape_debug();
                    writeln!(out, "{when}  {size:>10}  {origin:13}  {name}")?;
                }
                Ok(())
            })?;
        Ok(Exit::Done)
    }

    async fn show(&self, wanted: &str, pattern: Option<&str>) -> Result<Exit, Failure> {
        let glob = |pattern: &str| {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| {
                Failure::usage(
                    format!("“{pattern}” is not a pattern: {error}"),
                    "Quote it, for example --path '**/*.txt'.",
                )
            })
        };
        let matcher = pattern.map(glob).transpose()?;
        let store = self.store(Patience::Interactive)?;
        let backup = self.find(&store, wanted).await?;
        let mut report = engine::show(&store, &backup.key, &self.context).await?;
        if let Some(matcher) = matcher {
            report.entries.retain(|entry| matcher.is_match(&entry.path));
        }
        self.output.result("show", &report, |out| {
            for line in report.cherry_studio.iter().flat_map(cherry_studio_lines) {
                writeln!(out, "{}", harmless(&line))?;
            }
            for entry in &report.entries {
                let size = match entry.kind {
                    EntryKind::File => DecimalBytes(entry.size_bytes).to_string(),
                    EntryKind::Directory => "folder".to_owned(),
                    EntryKind::Symlink => "link".to_owned(),
                };
                let when = entry.modified.map(|m| local_time(m, &TimeZone::system()));
                let when = when.unwrap_or_default();
                writeln!(out, "{size:>10}  {when:16}  {}", entry.path.escape_debug())?;
            }
            Ok(())
        })?;
        Ok(Exit::Done)
    }

    async fn verify(&self, wanted: &str, depth: VerifyDepth) -> Result<Exit, Failure> {
        let store = self.store(Patience::Patient)?;
        let backup = self.find(&store, wanted).await?;
        let request = VerifyRequest {
            key: backup.key,
            depth,
        };
        let report = engine::verify(&store, request, &self.context).await?;
        self.output.warnings("Damaged", &report.damaged);
        self.output.result("verify", &report, |out| {
            let lines = verify_lines(&report, depth, &backup.name);
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))
        })?;
        Ok(if report.damaged.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    async fn download(&self, wanted: &str, file: PathBuf) -> Result<Exit, Failure> {
        let store = self.store(Patience::Patient)?;
        let backup = self.find(&store, wanted).await?;
        let report =
            engine::download(&store, &backup.key, &absolute(&file)?, &self.context).await?;
        self.output.result("download", &report, |out| {
            writeln!(
                out,
                "Wrote {} ({})",
                report.file,
                DecimalBytes(report.bytes)
            )
        })?;
        Ok(Exit::Done)
    }

    async fn delete(&self, wanted: Vec<String>, yes: bool) -> Result<Exit, Failure> {
        let store = self.store(Patience::Interactive)?;
        let backups = engine::list(&store, &self.context).await?;
        let own = (self.profile.name.as_str(), self.device.as_str());
        let mut keys = Vec::new();
        // All of them are found before the first is deleted.
        for wanted in &wanted {
            let key = &engine::find(&backups, wanted, own)?.key;
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        if !yes {
            let names = keys.join(", ");
            return Err(Failure::usage(
                format!("this would delete {names} for good"),
                "Add --yes to do it.",
            ));
        }
        let report = engine::delete(&store, keys, &self.context).await?;
        self.output.warnings("Not deleted", &report.failed);
        self.output.result("delete", &report, |out| {
            report
                .deleted
                .iter()
                .try_for_each(|name| writeln!(out, "Deleted {}", name.escape_debug()))
        })?;
        Ok(if report.failed.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

pub(crate) fn exit_of(warnings: &[Warning]) -> Exit {
    if warnings.is_empty() {
        Exit::Done
    } else {
        Exit::Warnings
    }
}
