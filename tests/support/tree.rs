//! Sample folders: an ordinary one, and one with every odd thing that people's folders hold.

use filetime::FileTime;
use std::fs;
use std::path::Path;

/// When the sample files were changed: a moment with nanoseconds, which coarse formats lose.
const MTIME_SECS: i64 = 1_700_000_000;
const MTIME_NANOS: u32 = 123_456_789;

/// A small ordinary folder whose names every system and every ZIP program can hold.
pub(crate) fn plain_tree(root: &Path) {
    write_file(root, "readme.txt", b"hello\n");
    write_file(root, "empty.txt", b"");
    write_file(root, "photos/2024/beach.jpg", &noise(1, 70_000));
    write_file(
        root,
        "photos/2024/notes.txt",
        &b"sand and sea. ".repeat(5_000),
    );
    write_file(root, "photos/cover.jpg", &noise(2, 3_000));
    make_folder(root, "photos/empty folder");
    set_times(root);
}

/// [`plain_tree`] with odd names, modes and links added, as far as this system has them.
pub(crate) fn odd_tree(root: &Path) {
    plain_tree(root);
    let long = format!("{}.txt", "l".repeat(251));
    for name in [
        "with space.txt",
        "ünïcödé Grüße.txt",
        // Letters and accents apart, as macOS writes them.
        "u\u{308}ni\u{308}.txt",
        "日本語.txt",
        "emoji 🎉👩‍👩‍👧.txt",
        "-leading-dash.txt",
        "$HOME `x` 'quoted' & 100%.txt",
        ".hidden",
        "[brackets].txt",
        &long,
    ] {
        write_file(root, &format!("odd names/{name}"), name.as_bytes());
    }
    write_file(root, &format!("{}deep.txt", "nested/".repeat(20)), b"deep");
    make_folder(root, "odd names/ünïcödé folder");
    #[cfg(unix)]
    unix::add(root);
    set_times(root);
    #[cfg(unix)]
    unix::set_modes(root);
}

/// Writes a file and the folders above it. The path uses `/`.
pub(crate) fn write_file(root: &Path, path: &str, bytes: &[u8]) {
    let file = root.join(path);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).expect("a sample folder can be made");
    }
    fs::write(&file, bytes).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
}

/// Bytes that no compression makes smaller, the same for the same seed.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn make_folder(root: &Path, path: &str) {
    fs::create_dir_all(root.join(path)).expect("a sample folder can be made");
}

/// Gives everything below `root` a time of its own; folders after what is in them.
fn set_times(root: &Path) {
    let entries = walkdir::WalkDir::new(root)
        .min_depth(1)
        .contents_first(true);
    for (step, entry) in (0..).zip(entries.sort_by_file_name()) {
        let entry = entry.expect("a sample folder can be read");
        let time = FileTime::from_unix_time(MTIME_SECS + step * 61, MTIME_NANOS);
        filetime::set_symlink_file_times(entry.path(), time, time)
            .unwrap_or_else(|problem| panic!("{}: {problem}", entry.path().display()));
    }
}

#[cfg(unix)]
mod unix {
    //! What only Unix folders hold.

    use super::write_file;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    const MODES: [(&str, u32); 4] = [
        ("modes/private.txt", 0o600),
        ("modes/program.sh", 0o755),
        ("modes/read-only.txt", 0o444),
        ("modes/private folder", 0o700),
    ];

    pub(super) fn add(root: &Path) {
        let odd = root.join("odd names");
        for name in [
            "line\nbreak.txt",
            "tab\tand\u{1b}escape.txt",
            "back\\slash.txt",
            "a:b*c?.txt",
        ] {
            write_file(&odd, name, name.as_bytes());
        }
        if cfg!(target_os = "linux") {
            // macOS refuses names that are not UTF-8.
            for name in [&b"latin1-gr\xfc\xdfe.txt"[..], b"\xff\xfe.bin"] {
                fs::write(odd.join(OsStr::from_bytes(name)), name).expect("any name goes here");
            }
            fs::create_dir_all(odd.join(OsStr::from_bytes(b"ordner-\xe4"))).expect("any name");
        }
        for (name, _) in &MODES[..3] {
            write_file(root, name, name.as_bytes());
        }
        fs::create_dir_all(root.join(MODES[3].0)).expect("a sample folder can be made");
        fs::create_dir_all(root.join("links")).expect("a sample folder can be made");
        for (name, target) in [
            ("to-file", "../readme.txt"),
            ("to-folder", "../photos"),
            ("dangling", "nowhere/at all"),
            ("ünïcödé", "../odd names/ünïcödé Grüße.txt"),
        ] {
            symlink(target, root.join("links").join(name)).expect("a link can be made");
        }
    }

    pub(super) fn set_modes(root: &Path) {
        for (name, mode) in MODES {
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode))
                .expect("a mode can be set");
        }
    }
}
