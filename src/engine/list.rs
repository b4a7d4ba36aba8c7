//! Use case: the table. Every archive directly under the root path, newest first.

use crate::engine::catalog;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{Backup, recency};
use crate::storage::Store;
use jiff::Timestamp;
use std::sync::Arc;

/// Lists the backups at a destination, newest first: ours, Cherry Studio's and any other ZIP.
pub async fn list(store: &Store, context: &Context) -> Result<Vec<Backup>, EngineError> {
    // Tells only of trouble: a list is there at once or it is in trouble.
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    let objects = context.or_cancelled(store.list()).await?;
    let mut backups: Vec<Backup> = objects
        .iter()
        .map(|object| {
            let row = Backup::from_listing(&object.key, object.size_bytes, object.stored);
            let version = object.etag.clone();
            Backup { version, ..row }
        })
        .filter(|backup| is_archive(&backup.name))
        .collect();
    catalog::recall(context.data_dir(), &mut backups);
    backups.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.name.cmp(&b.name)));
    Ok(backups)
}

fn is_archive(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|e| e.eq_ignore_ascii_case("zip")) && !name.starts_with('.')
}

/// Finds the one row that `wanted` means: a file name, or a beginning that fits only one.
///
/// `latest` takes the newest of this profile and device.
pub fn find<'a>(
    backups: &'a [Backup],
    wanted: &str,
    (profile, device): (&str, &str),
) -> Result<&'a Backup, EngineError> {
    let none = || EngineError::NoSuchBackup(wanted.to_owned());
    if wanted == "latest" {
        let is_own = |backup: &&Backup| {
            backup.profile.as_deref() == Some(profile) && backup.device.as_deref() == Some(device)
        };
        let now = Timestamp::now();
        let own = backups.iter().filter(is_own);
        let latest = own.max_by_key(|backup| recency(backup.created, now));
        return latest.ok_or_else(none);
    }
    if let Some(exact) = backups.iter().find(|backup| backup.name == wanted) {
        return Ok(exact);
    }
    let fitting: Vec<&Backup> = backups
        .iter()
        .filter(|backup| !wanted.is_empty() && backup.name.starts_with(wanted))
        .collect();
    match fitting.as_slice() {
        [] => Err(none()),
        [one] => Ok(one),
        many => Err(EngineError::Ambiguous {
            wanted: wanted.to_owned(),
            names: many.iter().map(|backup| backup.name.clone()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Backup> {
        [
            "p.20261122T000002Z.other.linux.zip",
            "p.20261122T000001Z.pc.linux.zip",
            "p.20261121T000000Z.pc.linux.zip",
        ]
        .iter()
        .map(|name| Backup::from_listing(name, 1, Timestamp::UNIX_EPOCH))
        .collect()
    }

    #[test]
    fn a_row_is_found_by_name_beginning_or_latest() {
        let rows = rows();
        let own = ("p", "pc");
        assert_eq!(
            find(&rows, "latest", own).expect("found").name,
            rows[1].name
        );
        assert_eq!(
            find(&rows, &rows[2].name, own).expect("found").name,
            rows[2].name
        );
        assert_eq!(
            find(&rows, "p.20261121", own).expect("found").name,
            rows[2].name
        );
        assert!(
            matches!(find(&rows, "p.20261122", own), Err(EngineError::Ambiguous { names, .. }) if names.len() == 2)
        );
        for nothing in ["", "q"] {
            assert!(matches!(
                find(&rows, nothing, own),
                Err(EngineError::NoSuchBackup(_))
            ));
        }
        assert!(find(&rows, "latest", ("p", "third")).is_err());
    }
}
