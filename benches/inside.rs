//! Times what a person waits for who opens a row: an archive of 66,000 entries in a folder destination,
//! looked into for the first time, and again once what was read is kept.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{self, BackupOptions, BackupRequest, Context, Inside};
use zipkeep::model::{Backup, Destination, FolderDestination, Reporter};
use zipkeep::storage::{self, Patience, Store};

const FILES: usize = 66_000;

fn context(data_dir: &Path) -> Context {
    Context::new(Reporter::silent(), CancellationToken::new(), data_dir)
}

/// A folder destination with one backup of many small files.
fn backed_up(runtime: &Runtime, folder: &Path) -> (Store, Backup) {
    let source = folder.join("source");
    for number in 0..FILES {
        let inner = source.join(format!("folder {}", number % 700));
        if number < 700 {
            fs::create_dir_all(&inner).expect("a folder");
        }
        let file = inner.join(format!("a file of usual name {number}.txt"));
        fs::write(file, number.to_string()).expect("written");
    }
    let destination = Destination::Folder(FolderDestination {
        path: folder.join("backups"),
    });
    let store = storage::open(&destination, None, Patience::Patient).expect("opened");
    let request = BackupRequest {
        profile: "bench".to_owned(),
        device: "pc".to_owned(),
        sources: vec![source],
        excludes: Vec::new(),
        keep_out: Vec::new(),
        options: BackupOptions::default(),
    };
    let row = runtime.block_on(async {
        let context = context(&folder.join("data"));
        let made = engine::backup(&store, request, &context).await;
        made.expect("made");
        let rows = engine::list(&store, &context).await.expect("listed");
        rows.into_iter().next().expect("a row")
    });
    (store, row)
}

fn look(runtime: &Runtime, store: &Store, row: &Backup, data_dir: &Path) -> Inside {
    let context = context(data_dir);
    let looking = engine::look_inside(store, row, &context);
    black_box(runtime.block_on(looking).expect("looked"))
}

fn open_a_row(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new().expect("a runtime");
    let (store, row) = backed_up(&runtime, folder.path());
    let data_dir = folder.path().join("looked");
    let mut group = criterion.benchmark_group("open a row of 66,000 files");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(10));
    let forget = || {
        fs::remove_dir_all(&data_dir).ok();
    };
    group.bench_function("for the first time", |bencher| {
        bencher.iter_batched(
            forget,
            |()| look(&runtime, &store, &row, &data_dir),
            BatchSize::PerIteration,
        );
    });
    assert!(look(&runtime, &store, &row, &data_dir).tree.len() > FILES);
    group.bench_function("again", |bencher| {
        bencher.iter(|| look(&runtime, &store, &row, &data_dir));
    });
    group.finish();
}

criterion_group!(benches, open_a_row);
criterion_main!(benches);
