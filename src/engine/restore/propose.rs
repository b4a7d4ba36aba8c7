//! Where the folders of a backup of another computer could go on this one.

use std::path::{Component, Path, PathBuf};

/// The place on this computer that most likely means the same as `original` does on the computer of a
/// backup, whose system may be another: what was in somebody's home comes into `home`, and so does what
/// can have no such path here; all else keeps its path. Only a proposal for a person to look at.
pub fn proposed_place(original: &str, home: &Path) -> PathBuf {
    let parts: Vec<&str> = original
        .split(['/', '\\'])
        .filter(|part| !part.is_empty() && *part != "." && *part != "..")
        .collect();
    let (drive, parts) = match parts.split_first() {
        Some((first, rest)) if is_drive(first) => (Some(*first), rest),
        _ => (None, parts.as_slice()),
    };
    if let Some(below) = below_home(parts) {
        return below
            .iter()
            .fold(home.to_owned(), |path, part| path.join(part));
    }
    let is_of_this_kind = drive.is_some() == cfg!(windows);
    let path = Path::new(original);
    let leads_up = path.components().any(|part| part == Component::ParentDir);
    if is_of_this_kind && path.is_absolute() && !leads_up {
        return path.to_owned();
    }
    parts
        .last()
        .map_or_else(|| home.to_owned(), |last| home.join(last))
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// What is below somebody's home, on any system.
fn below_home<'a>(parts: &'a [&'a str]) -> Option<&'a [&'a str]> {
    match parts {
        ["home" | "Users", _, below @ ..] | ["root", below @ ..] => Some(below),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[cfg(unix)]
    #[test]
    fn homes_become_this_home_on_any_system() {
        let home = Path::new("/home/bob");
        for (original, proposed) in [
            ("/home/ada/photos/2026", "/home/bob/photos/2026"),
            ("/Users/ada/Documents", "/home/bob/Documents"),
            (r"C:\Users\ada\Documents\a b", "/home/bob/Documents/a b"),
            ("/root/notes", "/home/bob/notes"),
            ("/home/ada", "/home/bob"),
            ("/srv/data", "/srv/data"),
            (r"D:\data\photos", "/home/bob/photos"),
            (r"D:\", "/home/bob"),
        ] {
            assert_eq!(
                proposed_place(original, home),
                Path::new(proposed),
                "{original}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_proposal_is_a_whole_path_that_leads_nowhere_else(original in "[a-z./\\\\:]{0,20}") {
            let home = std::env::current_dir().expect("a folder");
            let proposed = proposed_place(&original, &home);
            prop_assert!(proposed.is_absolute());
            prop_assert!(proposed.components().all(|part| part != Component::ParentDir));
        }
    }
}
