//! What is left out of backups, and so is nobody's business in a restore.

use crate::engine::error::EngineError;
use crate::model::exclude_seen_from;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

/// Patterns in the syntax of `.gitignore`, ready to be asked of what is below `source`. One that begins
/// with the whole path of `source` is meant from there.
pub(super) fn excludes_of(source: &Path, patterns: &[String]) -> Result<Gitignore, EngineError> {
    let mut builder = GitignoreBuilder::new(source);
    let bad = |pattern: &str, error: &ignore::Error| EngineError::Pattern {
        pattern: pattern.to_owned(),
        reason: error.to_string(),
    };
    let path = source.to_string_lossy();
    for pattern in patterns {
        builder
            .add_line(None, &exclude_seen_from(&path, pattern))
            .map_err(|error| bad(pattern, &error))?;
    }
    builder.build().map_err(|error| bad("", &error))
}
