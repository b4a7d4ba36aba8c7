//! Use case: verify a backup. Everything is read back as a restore would read it, and compared with
//! what the directory and the manifest say; nothing is written anywhere.

use crate::archive::{ArchiveError, ArchiveReader, ListedEntry};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, RangeReader};
use crate::engine::report::VerifyReport;
use crate::engine::request::{VerifyDepth, VerifyRequest};
use crate::engine::restore::open;
use crate::model::{Entry, EntryKind, MANIFEST_PATH, Manifest, Phase, Warning};
use crate::storage::Store;
use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Instant;

/// Reads the archive of `request` back.
///
/// Damage is no error but part of the report, entry by entry. An archive whose directory cannot be
/// read, or that a newer version made, is an error.
pub async fn verify(
    store: &Store,
    request: VerifyRequest,
    context: &Context,
) -> Result<VerifyReport, EngineError> {
    let started = Instant::now();
    let meter = Arc::new(Meter::new(context));
    meter.begin(Phase::Connecting);
    let object = context.or_cancelled(store.head(&request.key)).await?;
    let reader = RangeReader::new(store, object, context, &meter);
    let context = context.clone();
    let working = tokio::task::spawn_blocking(move || {
        let (archive, failure) = open(reader)?;
        let mut check = Check {
            archive,
            failure,
            context,
            meter,
            report: VerifyReport::default(),
        };
        check.run(request.depth)?;
        check.report.duration_secs = started.elapsed().as_secs_f64();
        Ok(check.report)
    });
    working
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}

struct Check {
    archive: ArchiveReader<RangeReader>,
    failure: Failure,
    context: Context,
    meter: Arc<Meter>,
    report: VerifyReport,
}

impl Check {
    fn run(&mut self, depth: VerifyDepth) -> Result<(), EngineError> {
        let manifest = self.manifest()?;
        let entries = self.archive.entries()?;
        if self.archive.has_duplicate_names() {
            self.damaged("(several)", "some names stand in the archive twice");
        }
        let described = manifest.iter().flat_map(|manifest| &manifest.entries);
        let mut described: HashMap<&str, &Entry> = described
            .map(|entry| (entry.path.as_str(), entry))
            .collect();
        self.begin(depth, &entries);
        for entry in &entries {
            self.context.check_cancelled()?;
            self.report.entries += 1;
            let known = described.remove(entry.name.trim_end_matches('/'));
            let problem = match (&manifest, known) {
                (Some(_), None) => Some("the backup's manifest does not know it".to_owned()),
                (_, Some(known)) if !agree(entry, known) => {
                    Some("the backup's manifest describes it differently".to_owned())
                }
                _ if depth == VerifyDepth::Full => self.read(entry, known)?,
                _ => None,
            };
            if let Some(problem) = problem {
                self.damaged(&entry.name, &problem);
            }
        }
        for missing in described.into_keys() {
            self.damaged(missing, "the archive's directory does not have it");
        }
        let by_name = |one: &Warning, other: &Warning| one.path.cmp(&other.path);
        self.report.damaged.sort_by(by_name);
        Ok(())
    }

    /// The manifest; that it is damaged is found damage like any other.
    fn manifest(&mut self) -> Result<Option<Manifest>, EngineError> {
        match self.archive.manifest() {
            Ok(manifest) => Ok(manifest),
            Err(error @ ArchiveError::NewerFormat { .. }) => Err(error.into()),
            Err(error) => {
                if let Some(reason) = self.failure.take() {
                    return Err(reason);
                }
                let reason = format!("{error}, so hashes could not be compared");
                self.damaged(MANIFEST_PATH, &reason);
                Ok(None)
            }
        }
    }

    fn begin(&self, depth: VerifyDepth, entries: &[ListedEntry]) {
        if depth == VerifyDepth::Quick {
            self.meter.begin(Phase::Verifying);
            return;
        }
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let sizes = entries.iter().map(|entry| entry.size_bytes);
        let bytes = sizes.fold(0, u64::saturating_add);
        let files = files.count() as u64;
        self.meter.begin_sized(Phase::Verifying, files, bytes);
    }

    /// Reads an entry to its end; gives back what is wrong with it. An error ends the job.
    fn read(
        &mut self,
        entry: &ListedEntry,
        known: Option<&Entry>,
    ) -> Result<Option<String>, EngineError> {
        if entry.kind == EntryKind::Directory {
            return Ok(None);
        }
        self.meter.working_on(&entry.name);
        let failure = self.failure.clone();
        let bad = |error: ArchiveError| match failure.take() {
            Some(reason) => Err(reason),
            None => Ok(Some(reason_of(error))),
        };
        let content = match self.archive.content(entry.index, &entry.name) {
            Ok(content) => content,
            Err(error) => return bad(error),
        };
        // One byte more than it says, to notice an entry that is longer than that.
        let mut content = content.take(entry.size_bytes.saturating_add(1));
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 128 * 1024];
        let mut size_bytes = 0;
        loop {
            self.context.check_cancelled()?;
            let count = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return bad(error.into()),
            };
            hasher.update(&buffer[..count]);
            size_bytes += count as u64;
            self.report.bytes += count as u64;
            self.meter.add_bytes(count as u64);
        }
        if size_bytes != entry.size_bytes {
            return Ok(Some("its length is not what the archive says".to_owned()));
        }
        if entry.kind == EntryKind::File {
            self.meter.add_file();
        }
        let expected = known.and_then(|known| known.blake3.as_deref());
        let is_same = expected.is_none_or(|hash| *hash == *hasher.finalize().to_hex());
        Ok((!is_same).then(|| "its content is not what was backed up".to_owned()))
    }

    fn damaged(&mut self, path: &str, reason: &str) {
        self.report.damaged.push(Warning {
            path: path.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

/// Whether the directory and the manifest say the same of an entry.
fn agree(listed: &ListedEntry, known: &Entry) -> bool {
    let stored = known.stored;
    (listed.kind, listed.size_bytes) == (known.kind, known.size_bytes)
        && (listed.header_offset, listed.compressed_bytes)
            == (stored.header_offset, stored.compressed_bytes)
}

/// The reason alone: the report names the entry itself.
fn reason_of(error: ArchiveError) -> String {
    match error {
        ArchiveError::Damaged { reason, .. } => reason,
        ArchiveError::Io(error) => format!("it is damaged: {error}"),
        error => error.to_string(),
    }
}
