//! Asks a disk whether it tells names apart that differ only in upper and lower case.

use crate::archive::NameMatching;
use std::fs::{self, Metadata};
use std::path::Path;

/// How many names of a folder are looked at.
const MOST_NAMES: usize = 64;

/// Which names the disk takes for one at a folder that may not be there yet. Looks only: whether a name
/// that is there is also there in other letters.
pub(super) fn matching_of(folder: &Path) -> NameMatching {
    let told = folder.ancestors().find_map(tells_case_apart);
    let tells_case = told.unwrap_or(!cfg!(any(windows, target_os = "macos")));
    match (tells_case, cfg!(target_os = "macos")) {
        (true, false) => NameMatching::Exact,
        (true, true) => NameMatching::AnyForm,
        (false, false) => NameMatching::AnyCase,
        (false, true) => NameMatching::AnyCaseAndForm,
    }
}

/// `None` where no name in the folder tells.
fn tells_case_apart(folder: &Path) -> Option<bool> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().take(MOST_NAMES).find_map(|entry| {
        let name = entry.file_name();
        let other = in_other_case(name.to_str()?)?;
        let own = entry.path().symlink_metadata().ok()?;
        match folder.join(other).symlink_metadata() {
            Ok(metadata) => Some(!is_same(&own, &metadata)),
            Err(_) => Some(true),
        }
    })
}

fn in_other_case(name: &str) -> Option<String> {
    let flip = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    let other: String = name.chars().map(flip).collect();
    (other != name).then_some(other)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.created().ok() == other.created().ok() && one.len() == other.len()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_linux_tells_case_apart_also_where_the_folder_is_empty_or_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(tells_case_apart(folder.path()), None);
        for path in [folder.path().to_owned(), folder.path().join("not/there")] {
            assert_eq!(matching_of(&path), NameMatching::Exact);
        }
        for name in ["1", "readme", "README"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        assert_eq!(tells_case_apart(folder.path()), Some(true));
    }
}
