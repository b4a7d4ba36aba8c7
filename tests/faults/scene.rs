//! `Place`: a profile with its own root path, behind a proxy of its own; the backups that are broken;
//! and an independent look at what they leave.

use crate::support::{Ask, Asker, Fault, Proxy, Server, Step, When, assert_same_tree, write_file};
use crate::support::{noise, plain_tree};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{
    self, BackupOptions, BackupReport, BackupRequest, Context, EngineError, RestoreRequest,
    RestoreTarget, TestReport, VerifyDepth, VerifyRequest,
};
use zipkeep::model::Reporter;
use zipkeep::storage::{self, Patience, Store};

const MIB: usize = 1 << 20;

/// A backup that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scene {
    /// The first one, which goes in one request.
    Small,
    /// The first one, in four parts.
    Parts,
    /// A second one, which copies the first.
    Increment,
    /// The same with some parts more. Not in the matrix, to which it would add nothing.
    BigIncrement,
    /// As [`Scene::Increment`], where this computer remembers nothing of the first.
    Stranger,
    /// A first one of which two parts are there.
    Resumed,
}

impl Scene {
    pub(crate) const ALL: [Self; 5] = [
        Self::Small,
        Self::Parts,
        Self::Increment,
        Self::Stranger,
        Self::Resumed,
    ];

    /// What a run of it asks for where nothing goes wrong, besides [`Step::Abort`].
    pub(crate) fn steps(self) -> &'static [Step] {
        use Step::{
            Complete, CopyPart, CreateUpload, Get, Head, List, ListParts, ListUploads, Put,
            UploadPart,
        };
        match self {
            Self::Small => &[List, ListUploads, Head, Put, Get],
            Self::Parts => &[
                List,
                ListUploads,
                CreateUpload,
                UploadPart,
                Head,
                Complete,
                Get,
            ],
            Self::Increment | Self::BigIncrement | Self::Stranger => &[
                List,
                ListUploads,
                CreateUpload,
                CopyPart,
                UploadPart,
                Head,
                Complete,
                Get,
            ],
            Self::Resumed => &[
                List,
                ListParts,
                ListUploads,
                UploadPart,
                Head,
                Complete,
                Get,
            ],
        }
    }
}

/// One profile, alone under its root path.
pub(crate) struct Place {
    pub(crate) proxy: Proxy,
    folder: tempfile::TempDir,
    server: Server,
    root: String,
    store: Store,
    direct: Store,
}

/// What is at the destination, as its own answers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) keys: Vec<String>,
    pub(crate) uploads: Vec<String>,
}

impl Place {
    pub(crate) fn new(server: &Server, root: &str) -> Self {
        let proxy = Proxy::in_front_of(server);
        let open = |server: &Server| {
            let destination = server.destination(root);
            let secret = server.secret();
            storage::open(&destination, Some(&secret), Patience::Interactive).expect("opened")
        };
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            root: root.to_owned(),
            store: open(&proxy.server()),
            direct: open(server),
            server: server.clone(),
            proxy,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the connection's test finds through the proxy.
    pub(crate) async fn test(&self, context: &Context) -> Result<TestReport, EngineError> {
        let server = self.proxy.server();
        let destination = server.destination(&self.root);
        engine::test(&destination, Some(&server.secret()), context).await
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Makes everything that comes before the backup that is broken.
    pub(crate) async fn prepare(&self, scene: Scene) -> Result<(), String> {
        let source = self.path("source");
        plain_tree(&source);
        match scene {
            Scene::Small => {}
            Scene::Parts => write_file(&source, "big.bin", &noise(3, 26 * MIB)),
            Scene::Increment | Scene::BigIncrement | Scene::Stranger => {
                write_file(&source, "big.bin", &noise(4, 10 * MIB));
                self.healthy_backup().await?;
                write_file(&source, "photos/notes.txt", b"changed since");
                write_file(&source, "photos/new.bin", &noise(5, MIB));
                if scene == Scene::BigIncrement {
                    write_file(&source, "photos/newer.bin", &noise(6, 25 * MIB));
                }
                if scene == Scene::Stranger {
                    std::fs::remove_dir_all(self.path("data")).map_err(|e| e.to_string())?;
                }
            }
            Scene::Resumed => {
                write_file(&source, "big.bin", &noise(6, 26 * MIB));
                for number in 3..30 {
                    let nth = When::Nth(number);
                    self.proxy
                        .break_steps(&[Step::UploadPart], Fault::SlowDown, nth);
                }
                match self.back_up(Reporter::silent()).await {
                    Err(error) if error.kind() == "busy" => {}
                    other => return Err(format!("preparing: {other:?}")),
                }
            }
        }
        self.proxy.heal();
        self.proxy.count_anew();
        Ok(())
    }

    pub(crate) async fn healthy_backup(&self) -> Result<BackupReport, String> {
        let done = self.back_up(Reporter::silent()).await;
        done.map_err(|error| format!("without a fault: {}", error.details()))
    }

    pub(crate) async fn back_up(&self, reporter: Reporter) -> Result<BackupReport, EngineError> {
        let request = BackupRequest {
            profile: "test".to_owned(),
            device: "pc".to_owned(),
            sources: vec![self.path("source")],
            excludes: Vec::new(),
            keep_out: Vec::new(),
            options: BackupOptions::default(),
        };
        let context = Context::new(reporter, CancellationToken::new(), &self.path("data"));
        engine::backup(&self.store, request, &context).await
    }

    /// Asks the server itself.
    pub(crate) fn left(&self, asker: &Mutex<Asker>) -> Left {
        let prefix = format!("{}/", self.root);
        let names = |query: &[(&str, &str)]| -> Vec<String> {
            let ask = Ask {
                method: "GET",
                query,
                ..Ask::default()
            };
            let mut asker = asker.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = asker.ask(&self.server, &ask);
            assert_eq!(answer.status, 200, "{answer:?}");
            let pieces = answer.text.split("<Key>").skip(1);
            let keys = pieces.filter_map(|piece| Some(piece.split_once("</Key>")?.0.to_owned()));
            keys.filter(|key| key.starts_with(&prefix)).collect()
        };
        Left {
            keys: names(&[("list-type", "2"), ("prefix", &prefix)]),
            uploads: names(&[("uploads", ""), ("prefix", &prefix)]),
        }
    }

    /// Whether this computer remembers an upload to go on with.
    pub(crate) fn has_journal(&self) -> bool {
        let files = walkdir::WalkDir::new(self.path("data")).into_iter();
        files.flatten().any(|file| {
            let name = file.file_name().to_string_lossy();
            file.file_type().is_file() && name.contains("journal")
        })
    }

    /// Reads an archive back past the proxy: everything verifies, and where it is `of` the source as
    /// it is now, it restores to the same.
    pub(crate) async fn check(&self, key: &str, of: Of) -> Result<(), String> {
        let data = self.path("data of the checker");
        let context = Context::new(Reporter::silent(), CancellationToken::new(), &data);
        let request = VerifyRequest {
            key: key.to_owned(),
            depth: VerifyDepth::Full,
        };
        let verified = engine::verify(&self.direct, request, &context).await;
        let verified = verified.map_err(|error| format!("{key}: {}", error.details()))?;
        if !verified.damaged.is_empty() {
            return Err(format!("{key} is damaged: {:?}", verified.damaged));
        }
        if of == Of::Before {
            return Ok(());
        }
        let target = tempfile::tempdir_in(self.folder.path()).map_err(|e| e.to_string())?;
        let to = RestoreTarget::Folder(target.path().to_owned());
        let request = RestoreRequest::all_of(key, to);
        let restored = engine::restore(&self.direct, request, &context).await;
        restored.map_err(|error| format!("{key}: {}", error.details()))?;
        assert_same_tree(&self.path("source"), &target.path().join("source"));
        Ok(())
    }
}

/// What an archive is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The source as it is.
    Now,
    /// The source before it was changed.
    Before,
}
