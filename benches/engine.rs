//! How fast the parts of a backup are: walking, compressing, the directory, planning an increment.
//!
//! `cargo bench --no-default-features --features bench`

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use zipkeep::archive::{
    ArchiveWriter, BLOCK_BYTES, Compressor, ContentWriter, EntryMeta, EntryRecord, Packed,
    Position, records,
};
use zipkeep::engine::{BackupOptions, BackupRequest, Context, bench};
use zipkeep::model::{Compression, EntryKind, Reporter};

const ENTRIES: u64 = 1_000_000;

/// This crate's own sources, over and over: as compressible as code is.
fn text(bytes: usize) -> Vec<u8> {
    let sources = [
        include_bytes!("../src/archive/record.rs").as_slice(),
        include_bytes!("../src/config.rs").as_slice(),
        include_bytes!("../src/model/endpoint/resolve.rs").as_slice(),
        include_bytes!("../README.md").as_slice(),
        include_bytes!("../Cargo.lock").as_slice(),
    ];
    sources.concat().into_iter().cycle().take(bytes).collect()
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    noise
}

fn scan(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..20_000 {
        let below = folder.path().join(format!("{}", number / 100));
        std::fs::create_dir_all(&below).expect("a folder");
        std::fs::write(below.join(format!("{number}.txt")), b"x").expect("a file");
    }
    let request = BackupRequest {
        profile: "bench".to_owned(),
        device: "pc".to_owned(),
        sources: vec![folder.path().to_owned()],
        excludes: vec!["*.tmp".to_owned()],
        keep_out: Vec::new(),
        options: BackupOptions::default(),
    };
    let context = Context::new(Reporter::silent(), CancellationToken::new(), Path::new("/"));
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(20_201));
    group.bench_function("20,000 files", |bencher| {
        bencher.iter(|| bench::walk(black_box(&request), &context).expect("walked"));
    });
    group.finish();
}

fn compress(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compress");
    let (small, big, random) = (text(20_000), text(BLOCK_BYTES), noise(BLOCK_BYTES));
    for level in Compression::ALL {
        let mut compressor = Compressor::new(level);
        let name = level.title();
        group.throughput(Throughput::Bytes(small.len() as u64));
        group.bench_function(format!("whole file of 20 KB, {name}"), |bencher| {
            bencher.iter(|| compressor.whole(black_box(&small)));
        });
        group.throughput(Throughput::Bytes(big.len() as u64));
        group.bench_function(format!("block of 1 MiB, {name}"), |bencher| {
            bencher.iter(|| compressor.block(black_box(&big), &[], Position::Inner));
        });
    }
    let mut compressor = Compressor::new(Compression::Normal);
    group.bench_function("random block of 1 MiB", |bencher| {
        bencher.iter(|| compressor.block(black_box(&random), &[], Position::Inner));
    });
    group.finish();
}

fn record_of(number: u64, writer: &mut ArchiveWriter<std::io::Sink>) -> EntryRecord {
    let meta = EntryMeta {
        name: format!("home/folder-{:05}/file-{number:08}.txt", number / 200),
        raw_name: None,
        kind: EntryKind::File,
        modified_ns: 1_795_334_950_123_456_789,
        mode: 0o644,
    };
    let packed = Packed::as_it_is(b"some content");
    writer.add(meta, 12, 7, &packed).expect("written")
}

fn directory(criterion: &mut Criterion) {
    let mut writer = ArchiveWriter::new(std::io::sink());
    let made: Vec<EntryRecord> = (0..ENTRIES)
        .map(|number| record_of(number, &mut writer))
        .collect();
    let mut bytes = Vec::new();
    for record in &made {
        bytes.extend(record.central_record());
    }
    let mut group = criterion.benchmark_group("directory of 1,000,000 entries");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ENTRIES));
    group.bench_function("write", |bencher| {
        bencher.iter_batched(
            || ArchiveWriter::new(std::io::sink()).directory(),
            |mut directory| {
                for record in &made {
                    directory.add(record).expect("written");
                }
                directory.finish().expect("finished")
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let parsed = records(black_box(&bytes)).flatten();
            parsed.filter_map(|record| record.parse(None)).count()
        });
    });
    group.finish();
}

fn increment(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let increment = bench::Increment::new(ENTRIES, folder.path()).expect("made");
    let mut group = criterion.benchmark_group("plan of an increment");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ENTRIES));
    group.bench_function("1,000,000 entries, 1 % changed", |bencher| {
        bencher.iter(|| increment.plan().expect("planned"));
    });
    group.finish();
}

fn stream(criterion: &mut Criterion) {
    let content = text(8 * BLOCK_BYTES);
    let mut compressor = Compressor::new(Compression::Normal);
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Bytes(content.len() as u64));
    group.bench_function("8 MiB on one thread", |bencher| {
        bencher.iter(|| {
            let mut writer = ArchiveWriter::new(std::io::sink());
            let meta = EntryMeta {
                name: "list".to_owned(),
                raw_name: None,
                kind: EntryKind::File,
                modified_ns: 0,
                mode: 0o644,
            };
            let mut stream = ContentWriter::new(&mut writer, &mut compressor, meta, 0);
            stream.write_all(black_box(&content)).expect("written");
            stream.finish().expect("finished")
        });
    });
    group.finish();
}

criterion_group!(benches, scan, compress, stream, directory, increment);
criterion_main!(benches);
