//! Use case: fetch a backup's ZIP as it is.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::RangeReader;
use crate::engine::report::DownloadReport;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::Phase;
use crate::storage::{Fault, StorageError, Store};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Writes the archive of this key to `file`, which appears only once it is whole.
///
/// An existing file is not overwritten.
pub async fn download(
    store: &Store,
    key: &str,
    file: &Path,
    context: &Context,
) -> Result<DownloadReport, EngineError> {
    let started = Instant::now();
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin(Phase::Connecting);
    if file.exists() {
        return Err(target_failed(file, io::ErrorKind::AlreadyExists.into()));
    }
    let object = context.or_cancelled(store.head(key)).await?;
    let bytes = object.size_bytes;
    meter.begin_sized(Phase::Downloading, 1, bytes);
    let reader = RangeReader::new(store, object, context, &meter);
    let (path, context) = (file.to_owned(), context.clone());
    tokio::task::spawn_blocking(move || copy(reader, &path, bytes, (&context, &meter)))
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))??;
    Ok(DownloadReport {
        file: file.display().to_string(),
        bytes,
        duration_secs: started.elapsed().as_secs_f64(),
    })
}

fn target_failed(path: &Path, source: io::Error) -> EngineError {
    EngineError::Target {
        path: path.to_owned(),
        source,
    }
}

fn copy(
    mut reader: RangeReader,
    path: &Path,
    expected_bytes: u64,
    (context, meter): (&Context, &Meter),
) -> Result<(), EngineError> {
    let failed = |source| target_failed(path, source);
    let failure = reader.failure();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut part = tempfile::Builder::new()
        .prefix(".zipkeep-download-")
        .tempfile_in(folder)
        .map_err(failed)?;
    let mut buffer = vec![0; 256 * 1024];
    let mut done_bytes = 0;
    loop {
        context.check_cancelled()?;
        let read = reader.read(&mut buffer);
        let count = read.map_err(|error| failure.take().unwrap_or_else(|| failed(error)))?;
        if count == 0 {
            break;
        }
        part.write_all(&buffer[..count]).map_err(failed)?;
        done_bytes += count as u64;
        meter.add_bytes(count as u64);
    }
    if done_bytes != expected_bytes {
        return Err(StorageError::new(Fault::Damaged)
            .about("bytes are missing")
            .into());
    }
    part.as_file().sync_all().map_err(failed)?;
    part.persist_noclobber(path)
        .map_err(|error| failed(error.error))?;
    Ok(())
}
