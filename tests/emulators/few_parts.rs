//! A store that takes fewer parts of one upload than others, in small: parts of some KiB.

use crate::emulator::{Emulator, Kind, MINIO, Rules};
use crate::support::{noise, write_file};
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{self, BackupOptions, BackupRequest, Context, VerifyDepth, VerifyRequest};
use zipkeep::model::{Destination, Provider, Reporter, S3Destination, Secret};
use zipkeep::storage::{self, PartLimits, Patience, Store};

const MOST_PARTS: u32 = 1_000;
const FILES: u64 = 1_400;

struct Scene {
    emulator: Emulator,
    folder: tempfile::TempDir,
}

impl Scene {
    /// Files that make more parts than the store takes, each at least one of the least size.
    fn new() -> Self {
        let scene = Self {
            emulator: Emulator::start(&Rules {
                most_parts: MOST_PARTS,
                least_part_bytes: 1,
                ..MINIO
            }),
            folder: tempfile::tempdir().expect("a folder"),
        };
        for file in 0..FILES {
            let name = format!("{file}.bin");
            write_file(
                &scene.folder.path().join("docs"),
                &name,
                &noise(file, 5_000),
            );
        }
        scene
    }

    fn store(&self, most_parts: u32) -> Store {
        let rules = self.emulator.rules();
        let key = self.emulator.key();
        let destination = Destination::S3(S3Destination {
            provider: Provider::OTHER,
            endpoint: format!("http://{}", self.emulator.address()),
            region: rules.home_region.to_owned(),
            bucket: rules.bucket.to_owned(),
            access_key_id: key.id,
            ..S3Destination::default()
        });
        let secret = Secret::new(&key.secret);
        let store = storage::open(&destination, Some(&secret), Patience::Interactive);
        let store = store.expect("opened");
        let usual = store.part_limits();
        store.with_part_limits(PartLimits {
            least_bytes: 4_096,
            most_parts,
            ..usual
        })
    }

    /// Backs up and reads all of it back; gives how many parts were refused.
    async fn back_up(&self, store: &Store) -> usize {
        self.emulator.forget_seen();
        let context = Context::new(
            Reporter::silent(),
            CancellationToken::new(),
            &self.folder.path().join("data"),
        );
        let request = BackupRequest {
            profile: "test".to_owned(),
            device: "pc".to_owned(),
            sources: vec![self.folder.path().join("docs")],
            excludes: Vec::new(),
            keep_out: Vec::new(),
            options: BackupOptions::default(),
        };
        let report = engine::backup(store, request, &context)
            .await
            .expect("made");
        assert!(
            report.warnings.is_empty() && !report.unchanged,
            "{report:?}"
        );
        assert!(self.emulator.unfinished_uploads().is_empty());
        let request = VerifyRequest {
            key: report.key,
            depth: VerifyDepth::Full,
        };
        let verified = engine::verify(store, request, &context).await;
        assert!(verified.expect("read").damaged.is_empty());
        let seen = self.emulator.seen();
        let parts = seen.iter().filter(|seen| seen.kind == Kind::UploadPart);
        parts.filter(|seen| seen.status == 400).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_limit_is_known_parts_are_big_enough_from_the_beginning() {
    let scene = Scene::new();
    assert_eq!(scene.back_up(&scene.store(MOST_PARTS)).await, 0);
    let sent = scene.emulator.count(Kind::UploadPart);
    assert!((300..=1_000).contains(&sent), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_limit_shows_by_a_refusal_it_begins_anew_and_the_limit_is_remembered() {
    let scene = Scene::new();
    let store = scene.store(10_000);
    assert!(scene.back_up(&store).await > 0);
    assert_eq!(scene.emulator.object_keys().len(), 1);
    write_file(&scene.folder.path().join("docs"), "0.bin", b"changed");
    assert_eq!(scene.back_up(&store).await, 0, "it was remembered");
    assert_eq!(scene.emulator.object_keys().len(), 2);
}
