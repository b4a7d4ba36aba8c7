//! One destination with a folder to back up to it, and what every test looks at afterwards.

use crate::support::{
    Proxy, SeaweedFs, Server, Snapshot, delete_object, differences, every_server, get_object,
    noise, object_keys, odd_tree, put_object, snapshot, unfinished_uploads, write_file,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{
    self, BackupReport, BackupRequest, Context, EngineError, RestoreRequest, RestoreTarget,
    VerifyDepth, VerifyRequest,
};
use zipkeep::model::{Destination, FolderDestination, Provider, Reporter};
use zipkeep::storage::{self, Patience, Store};

pub(crate) const MIB: usize = 1 << 20;
/// What lists, manifest and directory may weigh: so much, and this much for each entry.
const TAIL_BYTES: u64 = 64 * 1024;
const ENTRY_BYTES: u64 = 130;
/// Where in a bucket.
const ROOT_PATH: &str = "my backups";
/// No backup of a test takes so long.
const HANGS_AFTER: Duration = Duration::from_mins(1);

/// A destination, a folder to back up, and a computer's memory.
pub(crate) struct Place {
    /// Of the destination, for messages.
    pub(crate) name: &'static str,
    pub(crate) store: Store,
    server: Option<Server>,
    folder: tempfile::TempDir,
}

/// A backup that was made, and the tree as it was then.
pub(crate) struct Kept {
    pub(crate) report: BackupReport,
    pub(crate) tree: Snapshot,
}

impl Place {
    pub(crate) fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let destination = Destination::Folder(FolderDestination {
            path: folder.path().join("backups"),
        });
        let store = storage::open(&destination, None, Patience::Patient).expect("opened");
        Self {
            name: "folder",
            store,
            server: None,
            folder,
        }
    }

    pub(crate) fn at(server: Server) -> Self {
        let destination = server.destination(ROOT_PATH);
        Self::with(server, &destination, Patience::Patient)
    }

    /// A bucket as Cloudflare R2 has them: parts of unequal size are refused.
    pub(crate) fn wanting_uniform_parts() -> Option<(Self, Proxy)> {
        let server = SeaweedFs::shared()?;
        let proxy = Proxy::in_front_of(&server);
        proxy.refuse_unequal_parts();
        let mut destination = proxy.server().destination(ROOT_PATH);
        if let Destination::S3(settings) = &mut destination {
            settings.provider = Provider::R2;
        }
        // Its tests break the line for good, and wait for every attempt.
        let place = Self::with(server, &destination, Patience::Interactive);
        Some((place, proxy))
    }

    fn with(server: Server, destination: &Destination, patience: Patience) -> Self {
        let secret = server.secret();
        let store = storage::open(destination, Some(&secret), patience);
        Self {
            name: server.name,
            store: store.expect("opened"),
            server: Some(server),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A folder and every server, each with nothing in it.
    pub(crate) fn everywhere() -> Vec<Self> {
        let servers = every_server().into_iter().map(Self::at);
        std::iter::once(Self::folder()).chain(servers).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.path("source")
    }

    pub(crate) fn context(&self) -> Context {
        Context::new(
            Reporter::silent(),
            CancellationToken::new(),
            &self.path("data"),
        )
    }

    pub(crate) fn request(&self) -> BackupRequest {
        BackupRequest {
            profile: "test".to_owned(),
            device: "pc".to_owned(),
            sources: vec![self.source()],
            excludes: Vec::new(),
            keep_out: Vec::new(),
            options: engine::BackupOptions::default(),
        }
    }

    pub(crate) async fn try_back_up(
        &self,
        request: BackupRequest,
    ) -> Result<BackupReport, EngineError> {
        let context = self.context();
        let backing_up = engine::backup(&self.store, request, &context);
        let ended = tokio::time::timeout(HANGS_AFTER, backing_up).await;
        ended.unwrap_or_else(|_| panic!("{}: the backup hangs", self.name))
    }

    pub(crate) async fn back_up_as(&self, request: BackupRequest) -> Kept {
        let tree = snapshot(&self.source());
        let report = self.try_back_up(request).await;
        let report = report.unwrap_or_else(|error| panic!("{}: {}", self.name, error.details()));
        Kept { report, tree }
    }

    pub(crate) async fn back_up(&self) -> Kept {
        self.back_up_as(self.request()).await
    }

    /// Panics unless this backup is whole, restores to the tree as it was, and nothing half-made is
    /// left at the destination.
    #[track_caller]
    pub(crate) fn check(&self, kept: &Kept) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let about = format!("{} {} ({caller})", self.name, kept.report.key);
            let context = self.context();
            let verified = engine::verify(
                &self.store,
                VerifyRequest {
                    key: kept.report.key.clone(),
                    depth: VerifyDepth::Full,
                },
                &context,
            );
            let verified = verified.await.unwrap_or_else(|error| {
                panic!("{about}: {}", error.details());
            });
            assert_eq!(verified.damaged, [], "{about}");
            let target = tempfile::tempdir().expect("a folder");
            let to = RestoreTarget::Folder(target.path().to_owned());
            let request = RestoreRequest::all_of(&kept.report.key, to);
            let restored = engine::restore(&self.store, request, &context).await;
            let restored = restored.unwrap_or_else(|error| {
                panic!("{about}: {}", error.details());
            });
            assert_eq!(restored.refused, [], "{about}");
            assert_eq!(restored.files, kept.report.files, "{about}");
            let found = snapshot(&target.path().join("source"));
            let wrong = differences(&kept.tree, &found);
            assert!(wrong.is_empty(), "{about}:\n  {}", wrong.join("\n  "));
            assert_eq!(self.half_made(), [""; 0], "{about}");
        }
    }

    /// Panics unless only so many bytes were sent, beside the archive's own tail, and the rest copied.
    #[track_caller]
    pub(crate) fn assert_small(&self, kept: &Kept, changed_bytes: usize) {
        let report = &kept.report;
        let entries = kept.tree.len() as u64;
        let most_bytes = changed_bytes as u64 + entries * ENTRY_BYTES + TAIL_BYTES;
        assert!(
            report.bytes_uploaded <= most_bytes,
            "{}: sent {} of at most {most_bytes}: {report:?}",
            self.name,
            report.bytes_uploaded
        );
        assert!(
            report.bytes_copied >= 5 * MIB as u64,
            "{}: {report:?}",
            self.name
        );
    }

    /// Names of all objects that are there, without the root path.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = match &self.server {
            Some(server) => object_keys(server),
            None => file_names(&self.path("backups")),
        };
        names.retain(|name| !name.ends_with('/'));
        for name in &mut names {
            *name = name.trim_start_matches("my backups/").to_owned();
        }
        names.sort();
        names
    }

    /// What an upload left behind: nothing, as it should be.
    pub(crate) fn half_made(&self) -> Vec<String> {
        if let Some(server) = &self.server {
            return unfinished_uploads(server);
        }
        // A staging file is beside its target.
        let mut names = file_names(&self.path("backups"));
        names.retain(|name| name.contains('#'));
        names
    }

    /// The archive as a file, for other programs to look at.
    pub(crate) fn file_of(&self, key: &str) -> PathBuf {
        match &self.server {
            Some(server) => {
                let file = self.path("downloaded.zip");
                get_object(server, key, &file);
                file
            }
            None => self.path("backups").join(key),
        }
    }

    pub(crate) fn bytes_of(&self, key: &str) -> Vec<u8> {
        fs::read(self.file_of(key)).expect("an archive")
    }

    /// Deletes an object behind the program's back.
    pub(crate) fn remove(&self, key: &str) {
        match &self.server {
            Some(server) => delete_object(server, key),
            None => fs::remove_file(self.path("backups").join(key)).expect("removed"),
        }
    }

    /// Writes an object behind the program's back.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        match &self.server {
            Some(server) => put_object(server, key, bytes),
            None => fs::write(self.path("backups").join(key), bytes).expect("written"),
        }
    }

    /// Forgets all that this computer knows of the destination.
    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.path("data")).expect("the engine remembered something");
    }

    /// What this computer remembers of the last archive.
    pub(crate) fn index_file(&self) -> PathBuf {
        let entries = walkdir::WalkDir::new(self.path("data"));
        let mut files = entries.into_iter().filter_map(Result::ok);
        files
            .find(|entry| entry.path().ends_with("test.pc.index"))
            .expect("an index")
            .into_path()
    }
}

fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect()
}

/// A tree that is big enough for copying: odd names, a file of several blocks, noise, many small files.
pub(crate) fn big_tree(root: &Path) {
    odd_tree(root);
    write_file(root, "big/noise-a.bin", &noise(11, 7 * MIB + 123));
    write_file(root, "big/noise-b.bin", &noise(12, 3 * MIB + 1));
    write_file(
        root,
        "big/text.log",
        &b"the same line again\n".repeat(200_000),
    );
    for number in 0_u64..100 {
        let len = 200 + usize::try_from(number % 37 * 90).expect("small");
        let path = format!("many/{}/{number}.dat", number % 10);
        write_file(root, &path, &noise(1_000 + number, len));
    }
}
