//! Backup, then restore, gives back the same tree: for odd names, for every size, and for what
//! independent programs see in the archive.

mod support;

use jiff::Timestamp;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use support::{assert_same_tree, check_archive, noise, odd_tree, plain_tree, write_file};
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{
    self, BackupOptions, BackupRequest, Context, RestoreRequest, RestoreTarget, VerifyDepth,
    VerifyRequest,
};
use zipkeep::model::{Destination, FolderDestination, Reporter, WhenUnchanged};
use zipkeep::storage::{self, Patience, Store};

/// A place for one test: a folder destination, room for trees, and what the engine is given.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
    context: Context,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let destination = Destination::Folder(FolderDestination {
            path: folder.path().join("backups"),
        });
        Self {
            store: storage::open(&destination, None, Patience::Patient).expect("opened"),
            context: Context::new(
                Reporter::silent(),
                CancellationToken::new(),
                &folder.path().join("data"),
            ),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn request(&self, sources: &[PathBuf]) -> BackupRequest {
        BackupRequest {
            profile: "test".to_owned(),
            device: "pc".to_owned(),
            sources: sources.to_vec(),
            excludes: Vec::new(),
            keep_out: vec![self.path("backups"), self.path("data")],
            options: BackupOptions::default(),
        }
    }

    async fn back_up(&self, sources: &[PathBuf]) -> engine::BackupReport {
        engine::backup(&self.store, self.request(sources), &self.context)
            .await
            .expect("backed up")
    }

    /// Verifies the backup, too: what was just made is whole.
    async fn restore(&self, key: &str, target: RestoreTarget) -> engine::RestoreReport {
        let whole = VerifyRequest {
            key: key.to_owned(),
            depth: VerifyDepth::Full,
        };
        let whole = engine::verify(&self.store, whole, &self.context).await;
        assert_eq!(whole.expect("verified").damaged, []);
        let request = RestoreRequest::all_of(key, target);
        engine::restore(&self.store, request, &self.context)
            .await
            .expect("restored")
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_tree_comes_back_as_it_was() {
    let place = Place::new();
    let source = place.path("source");
    odd_tree(&source);
    let report = place.back_up(std::slice::from_ref(&source)).await;
    assert_eq!(report.warnings, []);
    let target = place.path("target");
    let restored = place
        .restore(&report.key, RestoreTarget::Folder(target.clone()))
        .await;
    assert_eq!(restored.refused, []);
    assert_eq!(restored.files, report.files);
    assert_same_tree(&source, &target.join("source"));
    assert_eq!(names_in(&target), ["source"], "no staging folder stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn independent_programs_open_and_extract_what_we_write() {
    let place = Place::new();
    let source = place.path("source");
    plain_tree(&source);
    write_file(&source, "big/noise.bin", &noise(9, 3_500_000));
    write_file(
        &source,
        "big/text.txt",
        &b"the same line again\n".repeat(200_000),
    );
    let report = place.back_up(&[source]).await;
    let names = check_archive(&place.path("backups").join(&report.row.name));
    assert_eq!(
        names.last().map(String::as_str),
        Some(".zipkeep/manifest.json")
    );
    assert!(
        names
            .iter()
            .any(|name| name == "source/photos/empty folder/")
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn independent_programs_open_odd_names_too() {
    let place = Place::new();
    let source = place.path("source");
    odd_tree(&source);
    let report = place.back_up(&[source]).await;
    check_archive(&place.path("backups").join(&report.row.name));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_to_the_original_place_replaces_and_adds_and_keeps_the_rest() {
    let place = Place::new();
    let source = place.path("source");
    plain_tree(&source);
    let copy = place.path("copy");
    plain_tree(&copy);
    let report = place.back_up(std::slice::from_ref(&source)).await;
    write_file(&source, "readme.txt", b"changed since");
    fs::remove_dir_all(source.join("photos")).expect("removed");
    place.restore(&report.key, RestoreTarget::Original).await;
    assert_same_tree(&source, &copy);
    write_file(&source, "new.txt", b"made after the backup");
    place.restore(&report.key, RestoreTarget::Original).await;
    assert_eq!(
        fs::read(source.join("new.txt")).expect("kept"),
        b"made after the backup"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_folders_of_one_name_keep_apart() {
    let place = Place::new();
    let sources = ["a/docs", "b/docs"].map(|name| place.path(name));
    for source in &sources {
        write_file(source, "who.txt", source.display().to_string().as_bytes());
    }
    let report = place.back_up(&sources).await;
    for source in &sources {
        fs::remove_dir_all(source).expect("removed");
    }
    place.restore(&report.key, RestoreTarget::Original).await;
    for source in &sources {
        let content = fs::read_to_string(source.join("who.txt")).expect("restored");
        assert_eq!(content, source.display().to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn excludes_and_the_backups_themselves_stay_out() {
    let place = Place::new();
    let home = place.folder.path().to_owned();
    write_file(&home, "keep.txt", b"1");
    write_file(&home, "skip.tmp", b"2");
    write_file(&home, "node_modules/x/y.js", b"3");
    write_file(&home, "backups/earlier.zip", b"4");
    let mut request = place.request(std::slice::from_ref(&home));
    request.excludes = vec!["*.tmp".to_owned(), "node_modules/".to_owned()];
    let report = engine::backup(&place.store, request, &place.context)
        .await
        .expect("backed up");
    assert_eq!(report.files, 1);
    let shown = engine::show(&place.store, &report.key, &place.context)
        .await
        .expect("shown");
    let label = home.file_name().expect("a name").to_string_lossy();
    let paths: Vec<&str> = shown
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(paths, [label.as_ref(), &format!("{label}/keep.txt")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_tree_gives_the_same_entries() {
    let place = Place::new();
    let source = place.path("source");
    odd_tree(&source);
    let mut shown = Vec::new();
    for _ in 0..2 {
        let mut request = place.request(std::slice::from_ref(&source));
        request.options.when_unchanged = WhenUnchanged::BackUp;
        let report = engine::backup(&place.store, request, &place.context)
            .await
            .expect("backed up");
        shown.push(
            engine::show(&place.store, &report.key, &place.context)
                .await
                .expect("shown")
                .entries,
        );
    }
    assert_eq!(shown[0], shown[1]);
    let rows = engine::list(&place.store, &place.context)
        .await
        .expect("listed");
    assert_eq!(
        rows.len(),
        2,
        "a second backup in the same second has a name of its own"
    );
    assert!(rows[0].created > rows[1].created && rows[1].created <= Timestamp::now());
    assert_eq!(rows[0].contents.map(|contents| contents.missing), Some(0));
}

/// A file of a generated tree.
#[derive(Debug, Clone)]
struct Sample {
    folders: Vec<String>,
    name: String,
    size: usize,
    mode: u32,
    link_to: Option<String>,
}

fn name() -> impl Strategy<Value = String> {
    // Anything that Unix takes as a name.
    "[^/\0]{1,24}".prop_filter("means a folder", |name| name != "." && name != "..")
}

fn sample() -> impl Strategy<Value = Sample> {
    let size = prop_oneof![
        4 => 0_usize..2_000,
        2 => 1_048_570_usize..1_048_590,
        1 => 0_usize..20_000_000,
    ];
    let mode = prop_oneof![Just(0o644_u32), Just(0o600), Just(0o755), Just(0o400)];
    let folders = proptest::collection::vec(name(), 0..3);
    (
        folders,
        name(),
        size,
        mode,
        proptest::option::weighted(0.15, name()),
    )
        .prop_map(|(folders, name, size, mode, link_to)| Sample {
            folders,
            name,
            size,
            mode,
            link_to,
        })
}

#[cfg(unix)]
fn make(root: &Path, seed: u64, sample: &Sample) {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder: PathBuf = sample
        .folders
        .iter()
        .fold(root.to_owned(), |path, part| path.join(part));
    let path = folder.join(&sample.name);
    // Two samples may want one name for a file and a folder: the first one has it.
    if fs::create_dir_all(&folder).is_err() || path.symlink_metadata().is_ok() {
        return;
    }
    if let Some(target) = &sample.link_to {
        symlink(target, path).expect("a link");
        return;
    }
    let mut content = noise(seed, sample.size / 2);
    content.resize(sample.size, b' ');
    fs::write(&path, content).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(sample.mode)).expect("a mode");
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("ZIPKEEP_PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_tree_comes_back(samples in proptest::collection::vec(sample(), 0..14)) {
        let place = Place::new();
        let source = place.path("source");
        fs::create_dir(&source).expect("a folder");
        for (seed, sample) in (0..).zip(&samples) {
            make(&source, seed, sample);
        }
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let target = place.path("target");
        runtime.block_on(async {
            let report = place.back_up(std::slice::from_ref(&source)).await;
            let restored = place.restore(&report.key, RestoreTarget::Folder(target.clone())).await;
            assert_eq!(restored.refused, []);
        });
        assert_same_tree(&source, &target.join("source"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_zip_cannot_hold_come_back_too() {
    let place = Place::new();
    let source = place.path("source");
    for (number, secs) in (0..).zip([-3_000_000_000, -1, 0, 2_147_483_648, 4_500_000_000]) {
        let name = format!("{number}.txt");
        write_file(&source, &name, name.as_bytes());
        let time = filetime::FileTime::from_unix_time(secs, 5);
        filetime::set_file_mtime(source.join(name), time).expect("set");
    }
    let made = place.back_up(std::slice::from_ref(&source)).await;
    let to = place.path("restored");
    place
        .restore(&made.key, RestoreTarget::Folder(to.clone()))
        .await;
    assert_same_tree(&source, &to.join("source"));
}
