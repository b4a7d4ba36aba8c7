//! Keeps restores out of the folders that are the program's own, and of those where backups are kept.

use crate::engine::error::EngineError;
use crate::engine::request::{RestoreRequest, RestoreTarget};
use crate::engine::restore::alike::matching_of;
use crate::engine::restore::target_lock::resolved;
use std::path::PathBuf;

/// An error where somebody chose a folder to restore to that is one of those that are never touched, or is
/// in one of them. What was backed up from there goes back all the same.
pub(super) fn check_not_own(request: &RestoreRequest) -> Result<(), EngineError> {
    let chosen: Vec<&PathBuf> = match &request.target {
        RestoreTarget::Original => Vec::new(),
        RestoreTarget::Folder(folder) | RestoreTarget::AppData { folder, .. } => vec![folder],
        RestoreTarget::Places(places) => places.values().collect(),
    };
    for folder in chosen {
        let matching = matching_of(folder);
        let real = matching.fold_path(&resolved(folder));
        for own in &request.keep_out {
            if real.starts_with(matching.fold_path(&resolved(own))) {
                return Err(EngineError::OwnFolder {
                    folder: folder.clone(),
                    own: own.clone(),
                });
            }
        }
    }
    Ok(())
}
