//! What can be checked of an archive that another program made: every entry is read to its end, and
//! its CRC-32 compared.

use super::findings::Findings;
use crate::archive::{ArchiveError, ArchiveReader, ListedEntry};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{Failure, RangeReader};
use crate::engine::request::VerifyDepth;
use crate::model::{EntryKind, Phase};
use std::io::Read as _;

/// One reading of a foreign archive.
pub(super) struct Foreign<'a> {
    pub(super) archive: ArchiveReader<RangeReader>,
    pub(super) failure: Failure,
    pub(super) context: &'a Context,
    pub(super) meter: &'a Meter,
    pub(super) findings: &'a mut Findings,
}

impl Foreign<'_> {
    /// Gives the number of entries, and the bytes of content that were read.
    pub(super) fn check(mut self, depth: VerifyDepth) -> Result<(u64, u64), EngineError> {
        let entries = self.archive.entries()?;
        if self.archive.has_duplicate_names() {
            let reason = "some names stand in the archive twice";
            self.findings.add("(several)", reason);
        }
        let mut content_bytes = 0;
        if depth == VerifyDepth::Full {
            let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
            let sizes = entries.iter().map(|entry| entry.size_bytes);
            let bytes = sizes.fold(0, u64::saturating_add);
            self.meter
                .begin_sized(Phase::Verifying, files.count() as u64, bytes);
            for entry in &entries {
                if let Some(problem) = self.read(entry, &mut content_bytes)? {
                    self.findings.add(&entry.name, problem);
                }
            }
        }
        Ok((entries.len() as u64, content_bytes))
    }

    /// Reads an entry to its end; gives back what is wrong with it.
    fn read(
        &mut self,
        entry: &ListedEntry,
        content_bytes: &mut u64,
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
        let mut buffer = vec![0; 128 * 1024];
        let mut size_bytes = 0;
        loop {
            self.context.check_cancelled()?;
            let count = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count as u64,
                Err(error) => return bad(error.into()),
            };
            size_bytes += count;
            *content_bytes += count;
            self.meter.add_bytes(count);
        }
        if entry.kind == EntryKind::File {
            self.meter.add_file();
        }
        let is_same = size_bytes == entry.size_bytes;
        Ok((!is_same).then(|| "its length is not what the archive says".to_owned()))
    }
}

/// The reason alone: the finding names the entry itself.
fn reason_of(error: ArchiveError) -> String {
    match error {
        ArchiveError::Damaged { reason, .. } => reason,
        ArchiveError::Io(error) => format!("it is damaged: {error}"),
        error => error.to_string(),
    }
}
