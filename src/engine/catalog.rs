//! What this computer remembers of the archives it made: how many files they hold.
//!
//! A listing does not tell that. The memory is a convenience: losing it, or its file, loses no data,
//! so its failures are only logged.

use crate::model::{Backup, Contents};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Archives remembered, so that the file stays small; beyond it, those first by name are forgotten.
const MOST_REMEMBERED: usize = 5_000;

type Known = BTreeMap<String, Contents>;

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("known-backups.json")
}

/// The size is part of the identity, so that another archive under the same key is not mistaken.
fn id(backup: &Backup) -> String {
    format!("{}#{}", backup.key, backup.size_bytes)
}

fn load(data_dir: &Path) -> Known {
    let Ok(bytes) = fs::read(file(data_dir)) else {
        return Known::new();
    };
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Remembers what `backup` holds.
pub(super) fn remember(data_dir: &Path, backup: &Backup) {
    let Some(contents) = backup.contents else {
        return;
    };
    let mut known = load(data_dir);
    known.insert(id(backup), contents);
    while known.len() > MOST_REMEMBERED {
        known.pop_first();
    }
    if let Err(error) = save(data_dir, &known) {
        tracing::warn!(%error, "the number of files could not be remembered");
    }
}

fn save(data_dir: &Path, known: &Known) -> io::Result<()> {
    fs::create_dir_all(data_dir)?;
    let mut new_file = tempfile::NamedTempFile::new_in(data_dir)?;
    new_file.write_all(&serde_json::to_vec(known)?)?;
    new_file.persist(file(data_dir))?;
    Ok(())
}

/// Fills in what is remembered of these rows.
pub(super) fn recall(data_dir: &Path, backups: &mut [Backup]) {
    let known = load(data_dir);
    for backup in backups {
        backup.contents = known.get(&id(backup)).copied();
    }
}
