//! Names of entries: from paths of this computer to names in an archive, and safely back.
//!
//! An entry is named `<label of its root>/<path below it>`, with `/`, always UTF-8. On the way back a
//! name is data from somebody else: [`PathRules`] turns it into components that cannot leave the
//! folder they are joined to, or refuses it with a reason.

use super::alike::NameMatching;
use crate::model::Os;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// The name of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName {
    /// With `/`; bytes that are not UTF-8 are written as `%XX`.
    pub text: String,
    /// The true bytes, where `text` had to escape some.
    pub raw: Option<Vec<u8>>,
}

impl EntryName {
    /// Names a root.
    pub fn root(label: &str) -> Self {
        Self {
            text: label.to_owned(),
            raw: None,
        }
    }

    /// Names what is called `file_name` in this folder.
    ///
    /// Bytes that are not UTF-8 are escaped, and `%` with them, so that no two escaped names meet.
    /// `is_taken` tells which true names there are beside it: a file may really be called `a%FF`.
    #[must_use]
    pub fn child(&self, file_name: &OsStr, is_taken: impl Fn(&str) -> bool) -> Self {
        let bytes = file_name.as_encoded_bytes();
        let plain = std::str::from_utf8(bytes).ok();
        let component = match plain {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(
                (1_usize..=255)
                    .map(|marks| escaped(bytes, &"%".repeat(marks)))
                    .find(|text| !is_taken(text))
                    .unwrap_or_default(),
            ),
        };
        let raw = (self.raw.is_some() || plain.is_none()).then(|| {
            [
                self.raw.as_deref().unwrap_or(self.text.as_bytes()),
                b"/",
                bytes,
            ]
            .concat()
        });
        Self {
            text: format!("{}/{component}", self.text),
            raw,
        }
    }
}

/// `bytes` as UTF-8, with `mark` and two digits for each byte that is not and for each `%`.
fn escaped(bytes: &[u8], mark: &str) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', &format!("{mark}25")));
        for byte in chunk.invalid() {
            text.push_str(&format!("{mark}{byte:02X}"));
        }
    }
    text
}

/// The order of names in which a folder comes right before what is in it, and its content together:
/// that of a walk whose every folder is sorted by the bytes of its names.
pub fn walk_order(a: &[u8], b: &[u8]) -> Ordering {
    // No name has a zero byte, so that "/" sorts before everything else.
    let before_all = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    a.iter().map(before_all).cmp(b.iter().map(before_all))
}

/// Gives each folder a label of its own: its last component, numbered where two are alike.
///
/// Labels differ also when case is ignored, so that they do not meet on Windows or macOS.
pub fn label_roots(roots: &[PathBuf]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::with_capacity(roots.len());
    for root in roots {
        let base = base_label(root);
        let is_free = |label: &str, labels: &[String]| {
            let lower = label.to_lowercase();
            lower != ".zipkeep" && labels.iter().all(|taken| taken.to_lowercase() != lower)
        };
        let label = if is_free(&base, &labels) {
            base
        } else {
            (2..u32::MAX)
                .map(|n| format!("{base} ({n})"))
                .find(|label| is_free(label, &labels))
                .unwrap_or(base)
        };
        labels.push(label);
    }
    labels
}

fn base_label(root: &Path) -> String {
    let mut text = String::new();
    match root.components().next_back() {
        Some(Component::Normal(name)) => match name.to_str() {
            Some(name) => name.clone_into(&mut text),
            None => text = escaped(name.as_encoded_bytes(), "%"),
        },
        // A whole drive is labelled by its letter, a whole Unix system by "root".
        _ => text.extend(
            root.to_string_lossy()
                .chars()
                .filter(char::is_ascii_alphanumeric),
        ),
    }
    let unsafe_label = PathRules::strictest().components(&text).is_err() || text.contains('\\');
    if text.is_empty() || unsafe_label {
        let reduced = crate::model::reduce_field(&text, "root");
        return reduced;
    }
    text
}

/// Which names may be written to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathRules {
    system: Os,
}

/// A name taken apart into components that cannot leave the folder they are joined to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafePath(PathBuf);

/// Why a name may not be written to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedName {
    /// Nothing is left of it.
    #[error("the name is empty")]
    Empty,
    /// It begins at the root of a disk.
    #[error("the name is an absolute path")]
    Absolute,
    /// It has a `..`.
    #[error("the name leads outside the folder")]
    Outside,
    /// This system cannot have such a file.
    #[error("this system cannot have a file of this name")]
    Impossible,
}

impl PathRules {
    /// The rules of the system that this program was built for.
    pub const fn of_this_system() -> Self {
        Self {
            system: Os::current(),
        }
    }

    /// The rules of the system that forbids most.
    const fn strictest() -> Self {
        Self {
            system: Os::Windows,
        }
    }

    /// Takes a name apart. `raw` are its true bytes, which count on Unix.
    pub fn check(self, text: &str, raw: Option<&[u8]>) -> Result<SafePath, RefusedName> {
        match (self.system, raw) {
            (Os::Linux | Os::Macos, Some(raw)) => self.raw_components(raw),
            _ => self.components(text),
        }
        .map(|parts: Vec<OsString>| SafePath(parts.iter().collect()))
    }

    fn components(self, text: &str) -> Result<Vec<OsString>, RefusedName> {
        let is_windows = self.system == Os::Windows;
        let is_separator = |c| c == '/' || is_windows && c == '\\';
        if text.starts_with(is_separator) {
            return Err(RefusedName::Absolute);
        }
        let mut components = Vec::new();
        for part in text.split(is_separator) {
            match part {
                "" | "." => {}
                ".." => return Err(RefusedName::Outside),
                _ if part.contains('\0') => return Err(RefusedName::Impossible),
                _ if is_windows && !windows_can_have(part) => return Err(RefusedName::Impossible),
                _ => components.push(OsString::from(part)),
            }
        }
        if components.is_empty() {
            return Err(RefusedName::Empty);
        }
        Ok(components)
    }

    #[cfg(unix)]
    fn raw_components(self, raw: &[u8]) -> Result<Vec<OsString>, RefusedName> {
        use std::os::unix::ffi::OsStringExt as _;
        // The rules look only at ASCII, which the replacement of other bytes leaves alone.
        self.components(&String::from_utf8_lossy(raw))?;
        let parts = raw.split(|byte| *byte == b'/');
        let parts = parts.filter(|part| !part.is_empty() && *part != b".");
        Ok(parts
            .map(|part| OsString::from_vec(part.to_vec()))
            .collect())
    }

    #[cfg(not(unix))]
    fn raw_components(self, raw: &[u8]) -> Result<Vec<OsString>, RefusedName> {
        self.components(&String::from_utf8_lossy(raw))
    }
}

/// Whether Windows can have a file of this name ("Naming Files, Paths, and Namespaces").
fn windows_can_have(part: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let stem = part
        .split('.')
        .next()
        .unwrap_or(part)
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|n| {
            matches!(
                n,
                "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
            )
        })
    };
    let is_device = DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT");
    let has_forbidden = part.chars().any(|c| c < ' ' || "<>:\"|?*".contains(c));
    !is_device && !has_forbidden && !part.ends_with(['.', ' '])
}

impl SafePath {
    /// The first component, which is the label of the root in our archives.
    pub fn first(&self) -> &OsStr {
        self.0.iter().next().unwrap_or_default()
    }

    /// All components joined; relative.
    pub fn to_path(&self) -> PathBuf {
        self.0.clone()
    }

    /// What it has in common with all that the disk takes for it.
    #[must_use]
    pub fn folded(&self, matching: NameMatching) -> Self {
        Self(matching.fold_path(&self.0))
    }

    /// All components.
    pub fn parts(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter()
    }

    /// All components but the first joined; empty for a root itself.
    pub fn below_first(&self) -> PathBuf {
        self.0.iter().skip(1).collect()
    }

    /// The folders above it, from the innermost, itself left out.
    pub fn parents(&self) -> impl Iterator<Item = Self> {
        let above = self.0.ancestors().skip(1);
        above
            .take_while(|path| !path.as_os_str().is_empty())
            .map(|path| Self(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNIX: PathRules = PathRules { system: Os::Linux };
    const WINDOWS: PathRules = PathRules {
        system: Os::Windows,
    };

    #[test]
    fn labels_are_unique_whatever_the_case() {
        let roots = ["/a/Docs", "/b/docs", "/c/Docs", "/", "/x/.zipkeep"].map(PathBuf::from);
        assert_eq!(
            label_roots(&roots),
            ["Docs", "docs (2)", "Docs (3)", "root", ".zipkeep (2)"]
        );
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for (name, unix, windows) in [
            (
                "../x",
                Some(RefusedName::Outside),
                Some(RefusedName::Outside),
            ),
            (
                "a/../../x",
                Some(RefusedName::Outside),
                Some(RefusedName::Outside),
            ),
            (
                "/etc/passwd",
                Some(RefusedName::Absolute),
                Some(RefusedName::Absolute),
            ),
            ("\\\\host\\share", None, Some(RefusedName::Absolute)),
            ("..\\x", None, Some(RefusedName::Outside)),
            ("C:\\x", None, Some(RefusedName::Impossible)),
            ("C:x", None, Some(RefusedName::Impossible)),
            ("a/nul.txt", None, Some(RefusedName::Impossible)),
            ("a/COM1", None, Some(RefusedName::Impossible)),
            ("a/b.", None, Some(RefusedName::Impossible)),
            ("a/b ", None, Some(RefusedName::Impossible)),
            ("CON/b", None, Some(RefusedName::Impossible)),
            ("conin$", None, Some(RefusedName::Impossible)),
            ("a/lpt9.tar.gz", None, Some(RefusedName::Impossible)),
            ("a/file:stream", None, Some(RefusedName::Impossible)),
            (
                "//host/share/x",
                Some(RefusedName::Absolute),
                Some(RefusedName::Absolute),
            ),
            ("a\\..\\..\\x", None, Some(RefusedName::Outside)),
            ("console", None, None),
            (
                "a\0b",
                Some(RefusedName::Impossible),
                Some(RefusedName::Impossible),
            ),
            ("./", Some(RefusedName::Empty), Some(RefusedName::Empty)),
            ("a/./b//c", None, None),
        ] {
            assert_eq!(UNIX.check(name, None).err(), unix, "unix {name:?}");
            assert_eq!(WINDOWS.check(name, None).err(), windows, "windows {name:?}");
        }
    }

    /// Names a path below a root, with nothing else there.
    fn name_of(label: &str, relative: &Path) -> EntryName {
        let parts = relative.components();
        parts.fold(EntryName::root(label), |parent, part| {
            parent.child(part.as_os_str(), |_| false)
        })
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf8_keeps_its_bytes() {
        use std::os::unix::ffi::OsStringExt as _;
        let relative = PathBuf::from(OsString::from_vec(b"caf\xe9/x".to_vec()));
        let name = name_of("docs", &relative);
        assert_eq!(name.text, "docs/caf%E9/x");
        let safe = UNIX.check(&name.text, name.raw.as_deref()).expect("safe");
        assert_eq!(safe.below_first(), relative);
        assert!(UNIX.check("a/b", Some(b"a/../\xff")).is_err());
    }

    #[cfg(unix)]
    proptest! {
        #[test]
        fn escaped_names_meet_neither_true_ones_nor_each_other(
            siblings in proptest::collection::btree_set("[%2F5a!]{1,5}", 1..12),
        ) {
            use std::os::unix::ffi::OsStrExt as _;
            // "!" stands for a byte that is not UTF-8.
            let raw: Vec<Vec<u8>> = siblings
                .iter()
                .map(|name| name.bytes().map(|b| if b == b'!' { 0xff } else { b }).collect())
                .collect();
            let is_taken = |text: &str| raw.iter().any(|name| name == text.as_bytes());
            let root = EntryName::root("l");
            let names: Vec<EntryName> = raw
                .iter()
                .map(|bytes| root.child(OsStr::from_bytes(bytes), is_taken))
                .collect();
            let texts: std::collections::HashSet<&str> =
                names.iter().map(|name| name.text.as_str()).collect();
            prop_assert_eq!(texts.len(), names.len(), "{:?}", texts);
            for (name, bytes) in names.iter().zip(&raw) {
                let safe = UNIX.check(&name.text, name.raw.as_deref()).expect("safe");
                let below = safe.below_first();
                prop_assert_eq!(below.as_os_str().as_bytes(), &bytes[..]);
            }
        }
    }

    proptest! {
        #[test]
        fn walk_order_is_that_of_components(a in "[a./\u{1}-]{0,8}", b in "[a./\u{1}-]{0,8}") {
            let parts = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(walk_order(a.as_bytes(), b.as_bytes()), parts(&a).cmp(&parts(&b)));
        }

        #[test]
        fn whatever_the_name_it_stays_below(text in ".{0,40}", pieces in proptest::collection::vec("[./\\\\:a-c]{1,6}", 0..6)) {
            for name in [text, pieces.concat()] {
                for rules in [UNIX, WINDOWS] {
                    if let Ok(path) = rules.check(&name, None) {
                        let joined = path.to_path();
                        prop_assert!(joined.is_relative());
                        prop_assert!(joined.components().all(|c| matches!(c, Component::Normal(_))), "{joined:?}");
                    }
                }
            }
        }

        #[test]
        fn an_ordinary_path_comes_back(parts in proptest::collection::vec("[^/\0]{1,12}", 1..5)) {
            prop_assume!(parts.iter().all(|p| p != "." && p != ".."));
            let relative: PathBuf = parts.iter().collect();
            let name = name_of("label", &relative);
            let safe = UNIX.check(&name.text, name.raw.as_deref()).expect("safe");
            prop_assert_eq!(safe.below_first(), relative);
        }
    }
}
