//! Reads a manifest's text, and refuses by name what a later format made.

use super::error::ArchiveError;
use crate::model::{FORMAT_MAJOR, FormatVersion, Manifest};

/// The manifest that this text is, without entries. What is not one, or was made by a later format, is
/// an error: [`ArchiveError::Manifest`] or [`ArchiveError::NewerFormat`].
pub fn parse_manifest(text: &[u8]) -> Result<Manifest, ArchiveError> {
    #[derive(serde::Deserialize)]
    struct OnlyFormat {
        format: FormatVersion,
    }
    let error = match serde_json::from_slice::<Manifest>(text) {
        Ok(manifest) if manifest.format.major > FORMAT_MAJOR => return Err(newer(manifest.format)),
        Ok(manifest) => return Ok(manifest),
        Err(error) => error,
    };
    // A later format may not even have these fields: its version is the better answer.
    match serde_json::from_slice::<OnlyFormat>(text) {
        Ok(only) if only.format.major > FORMAT_MAJOR => Err(newer(only.format)),
        _ => Err(ArchiveError::Manifest(error)),
    }
}

fn newer(format: FormatVersion) -> ArchiveError {
    ArchiveError::NewerFormat {
        found: format.major,
        known: FORMAT_MAJOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_format_is_told_from_damage() {
        for text in [
            r#"{"format": {"major": 2, "minor": 0}}"#,
            r#"{"format": {"major": 9, "minor": 1}, "x": 1}"#,
        ] {
            let refused = parse_manifest(text.as_bytes());
            assert!(
                matches!(refused, Err(ArchiveError::NewerFormat { .. })),
                "{text}"
            );
        }
        for text in ["", "{", r#"{"format": {"major": 1, "minor": 0}}"#] {
            let refused = parse_manifest(text.as_bytes());
            assert!(matches!(refused, Err(ArchiveError::Manifest(_))), "{text}");
        }
    }
}
