//! What a folder holds, as a value that can be compared with another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Differences that a message shows before it only counts them.
const SHOWN: usize = 40;

/// Everything below a folder, by its path relative to it, as bytes with `/` between the parts.
pub(crate) type Snapshot = BTreeMap<Vec<u8>, Node>;

/// Kinds of things in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A socket, a pipe or a device.
    Other,
}

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: Kind,
    /// Size of a file.
    pub(crate) size_bytes: u64,
    /// BLAKE3 of a file's bytes.
    pub(crate) hash: Option<blake3::Hash>,
    /// Permission bits; 0 where the system has none, and for links.
    pub(crate) mode: u32,
    /// Last change, in nanoseconds since 1970.
    pub(crate) mtime_ns: i128,
    /// Where a link points to.
    pub(crate) target: Option<Vec<u8>>,
}

/// Reads everything below `root`; links are not followed, and `root` itself is left out.
#[track_caller]
pub(crate) fn snapshot(root: &Path) -> Snapshot {
    walkdir::WalkDir::new(root)
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let entry = entry.expect("the folder can be read");
            let path = entry
                .path()
                .strip_prefix(root)
                .expect("it is below the root");
            let metadata = entry.metadata().expect("the entry can be looked at");
            (path_bytes(path), node(entry.path(), &metadata))
        })
        .collect()
}

/// Panics unless both folders hold the same, down to modes and nanoseconds.
#[track_caller]
pub(crate) fn assert_same_tree(left: &Path, right: &Path) {
    assert_no_difference(left, right, &snapshot(left), &snapshot(right));
}

/// Panics unless both folders hold the same names, bytes and link targets; modes and times may
/// differ, since not every program restores them.
#[track_caller]
pub(crate) fn assert_same_contents(left: &Path, right: &Path) {
    let bare = |root| {
        let mut nodes = snapshot(root);
        for node in nodes.values_mut() {
            (node.mode, node.mtime_ns) = (0, 0);
        }
        nodes
    };
    assert_no_difference(left, right, &bare(left), &bare(right));
}

/// One line for everything that differs, in the order of the paths.
pub(crate) fn differences(left: &Snapshot, right: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    let gone = left.keys().filter(|path| !right.contains_key(*path));
    lines.extend(gone.map(|path| format!("{}: only left", path.escape_ascii())));
    for (path, found) in right {
        let path_text = path.escape_ascii();
        match left.get(path) {
            None => lines.push(format!("{path_text}: only right")),
            Some(expected) if expected != found => {
                lines.push(format!("{path_text}:{}", node_difference(expected, found)));
            }
            Some(_) => {}
        }
    }
    lines.sort();
    lines
}

#[track_caller]
fn assert_no_difference(left: &Path, right: &Path, expected: &Snapshot, found: &Snapshot) {
    let lines = differences(expected, found);
    let more = lines.len().saturating_sub(SHOWN);
    assert!(
        lines.is_empty(),
        "{} (left) and {} (right) differ:\n  {}{}",
        left.display(),
        right.display(),
        lines[..lines.len() - more].join("\n  "),
        if more == 0 {
            String::new()
        } else {
            format!("\n  and {more} more")
        },
    );
}

fn node_difference(left: &Node, right: &Node) -> String {
    let mut text = String::new();
    let mut add = |what: &str, left: String, right: String| {
        if left != right {
            write!(text, " {what} {left} -> {right};").ok();
        }
    };
    add(
        "kind",
        format!("{:?}", left.kind),
        format!("{:?}", right.kind),
    );
    add(
        "size",
        left.size_bytes.to_string(),
        right.size_bytes.to_string(),
    );
    add("hash", hash_text(left), hash_text(right));
    add(
        "mode",
        format!("{:o}", left.mode),
        format!("{:o}", right.mode),
    );
    add(
        "mtime ns",
        left.mtime_ns.to_string(),
        right.mtime_ns.to_string(),
    );
    add("target", target_text(left), target_text(right));
    text
}

fn hash_text(node: &Node) -> String {
    node.hash
        .map_or_else(String::new, |hash| hash.to_hex()[..16].to_owned())
}

fn target_text(node: &Node) -> String {
    let target = node.target.as_deref().unwrap_or_default();
    target.escape_ascii().to_string()
}

fn node(path: &Path, metadata: &Metadata) -> Node {
    let kind = if metadata.is_symlink() {
        Kind::Link
    } else if metadata.is_dir() {
        Kind::Folder
    } else if metadata.is_file() {
        Kind::File
    } else {
        Kind::Other
    };
    let is_file = kind == Kind::File;
    Node {
        kind,
        size_bytes: if is_file { metadata.len() } else { 0 },
        hash: is_file.then(|| hash(path)),
        mode: if kind == Kind::Link {
            0
        } else {
            mode(metadata)
        },
        mtime_ns: metadata.modified().map_or(0, nanoseconds),
        target: (kind == Kind::Link)
            .then(|| path_bytes(&fs::read_link(path).expect("a link can be read"))),
    }
}

fn hash(path: &Path) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let file =
        fs::File::open(path).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
    hasher.update_reader(file).expect("the file can be read");
    hasher.finalize()
}

fn nanoseconds(time: SystemTime) -> i128 {
    let signed = |duration: std::time::Duration| i128::try_from(duration.as_nanos()).unwrap_or(0);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => signed(after),
        Err(before) => -signed(before.duration()),
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_metadata: &Metadata) -> u32 {
    0
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}
