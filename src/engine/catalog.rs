//! What this computer remembers of the archives it made: how many files they hold.
//!
//! A listing does not tell that. The memory is a convenience: losing it, or its file, loses no data,
//! so its failures are only logged.

use crate::model::{Backup, Contents};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Archives remembered, so that the file stays small; beyond it, those first by name are forgotten.
const MOST_REMEMBERED: usize = 5_000;
/// What the names of half-written files begin with: this one's, that of secrets, and those of earlier
/// versions.
const HALF_WRITTEN: [&str; 3] = [".known-backups-", ".secrets-", ".tmp"];
/// One that is younger may be about to be locked by whoever made it.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

type Known = BTreeMap<String, Contents>;

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("known-backups.json")
}

/// The size is part of the identity, so that another archive under the same key is not mistaken.
fn id(backup: &Backup) -> String {
    format!("{}#{}", backup.key, backup.size_bytes)
}

fn load(data_dir: &Path) -> io::Result<Known> {
    match fs::read(file(data_dir)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Known::new()),
        Err(error) => Err(error),
    }
}

/// Remembers what `backup` holds.
pub(super) fn remember(data_dir: &Path, backup: &Backup) {
    let Some(contents) = backup.contents else {
        return;
    };
    let remembered = load(data_dir).and_then(|mut known| {
        known.insert(id(backup), contents);
        while known.len() > MOST_REMEMBERED {
            known.pop_first();
        }
        save(data_dir, &known)
    });
    if let Err(error) = remembered {
        tracing::warn!(%error, "the number of files could not be remembered");
    }
}

fn save(data_dir: &Path, known: &Known) -> io::Result<()> {
    fs::create_dir_all(data_dir)?;
    remove_abandoned(data_dir)?;
    let mut new_file = tempfile::Builder::new()
        .prefix(HALF_WRITTEN[0])
        .tempfile_in(data_dir)?;
    // Says to other processes that somebody is at it; the system lets go of it if we are killed.
    new_file.as_file().try_lock()?;
    new_file.write_all(&serde_json::to_vec(known)?)?;
    new_file.persist(file(data_dir))?;
    Ok(())
}

/// Removes what a process that was killed left half-written: old, and locked by nobody.
fn remove_abandoned(data_dir: &Path) -> io::Result<()> {
    let now = SystemTime::now();
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let (name, metadata) = (entry.file_name(), entry.metadata()?);
        let is_half_written = metadata.is_file()
            && HALF_WRITTEN
                .iter()
                .any(|prefix| name.to_string_lossy().starts_with(prefix));
        let age = metadata.modified().ok();
        let age = age.and_then(|modified| now.duration_since(modified).ok());
        if !is_half_written || age.is_none_or(|age| age < ABANDONED_AFTER) {
            continue;
        }
        // Writable, because some systems lock nothing else.
        let file = File::options().append(true).open(entry.path())?;
        if file.try_lock().is_ok() {
            tracing::info!(?name, "a half-written file of a killed run is removed");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Fills in what is remembered of these rows.
pub(super) fn recall(data_dir: &Path, backups: &mut [Backup]) {
    let known = load(data_dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "the number of files is not known");
        Known::new()
    });
    for backup in backups {
        backup.contents = known.get(&id(backup)).copied();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use filetime::FileTime;
    use jiff::Timestamp;

    fn row(files: u64) -> Backup {
        let mut row = Backup::from_listing("p.zip", 7, Timestamp::UNIX_EPOCH);
        row.contents = Some(Contents { files, missing: 0 });
        row
    }

    #[test]
    fn what_is_remembered_is_recalled_for_the_same_size_only() {
        let folder = tempfile::tempdir().expect("a folder");
        remember(folder.path(), &row(3));
        let other = Backup::from_listing("p.zip", 8, Timestamp::UNIX_EPOCH);
        let same = Backup::from_listing("p.zip", 7, Timestamp::UNIX_EPOCH);
        let mut rows = [same, other];
        recall(folder.path(), &mut rows);
        assert_eq!(rows[0].contents.map(|contents| contents.files), Some(3));
        assert_eq!(rows[1].contents, None);
    }

    #[test]
    fn what_a_killed_run_left_is_removed_but_nothing_that_is_in_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |name: &str| {
            let path = folder.path().join(name);
            let file = File::create(&path).expect("a file");
            filetime::set_file_mtime(&path, FileTime::from_unix_time(1_700_000_000, 0))
                .expect("a time");
            file
        };
        for name in [
            ".known-backups-a1",
            ".tmpB2c3D4",
            "settings.toml",
            ".hidden",
        ] {
            drop(make(name));
        }
        let in_use = make(".known-backups-z9");
        in_use.lock().expect("locked");
        File::create(folder.path().join(".tmpYoung1")).expect("a file");
        remember(folder.path(), &row(3));
        let entries = fs::read_dir(folder.path()).expect("readable");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.into_string().expect("text"))
            .collect();
        names.sort();
        let left = [
            ".hidden",
            ".known-backups-z9",
            ".tmpYoung1",
            "known-backups.json",
            "settings.toml",
        ];
        assert_eq!(names, left);
    }
}
