//! What is told of a backup once it has ended, and what is remembered of it.

use crate::engine::backup::attempt::{Ended, Made};
use crate::engine::backup::base::{self, Base};
use crate::engine::backup::index::{ArchiveId, Index, IndexHead};
use crate::engine::backup::pack::Tally;
use crate::engine::backup::run::{Run, blocking};
use crate::engine::catalog;
use crate::engine::error::EngineError;
use crate::engine::report::BackupReport;
use crate::model::{Backup, Contents, Gap, Skipped, Warning, count_missing};

impl Run {
    /// Remembers what came of it and tells it.
    pub(super) async fn report(
        &self,
        ended: Ended,
        base: Option<Base>,
        bytes_resumed: u64,
    ) -> Result<BackupReport, EngineError> {
        match ended {
            Ended::Made(made) => Ok(self.report_made(*made, bytes_resumed).await),
            Ended::Unchanged { index, tally } => match base {
                Some(base) => self.report_unchanged(&base, index, &tally).await,
                None => Err(EngineError::Crashed("nothing to compare with".to_owned())),
            },
            Ended::Changed => Err(EngineError::Crashed("nothing was made".to_owned())),
        }
    }

    async fn report_made(&self, made: Made, bytes_resumed: u64) -> BackupReport {
        let object = &made.completed.object;
        let manifest = &made.written.manifest;
        let id = base::id_of(&self.job.store, object);
        let sizes = (
            made.written.finished.directory_offset,
            made.written.live_bytes,
        );
        let mut row = Backup::from_listing(&object.key, object.size_bytes, manifest.created);
        row.contents = Some(contents_of(&made.tally));
        catalog::remember(self.job.context.data_dir(), &row);
        let head = IndexHead::new(id, sizes, made.written.lists, manifest);
        self.keep(made.index, head).await;
        BackupReport {
            backup: Some(row.name.clone()),
            unchanged: false,
            created: row.created,
            files: made.tally.totals.files,
            bytes_total: made.tally.totals.bytes,
            bytes_read: self.job.meter.read_bytes(),
            bytes_uploaded: made.sent_bytes,
            bytes_copied: made.copied_bytes,
            bytes_resumed: bytes_resumed + made.spared_bytes,
            requests: self.job.store.requests() - self.requests_before,
            duration_secs: self.started.elapsed().as_secs_f64(),
            full_because: None,
            warnings: warnings_of(&made.tally.skipped),
            key: row.key.clone(),
            row,
        }
    }

    async fn report_unchanged(
        &self,
        base: &Base,
        index: Index,
        tally: &Tally,
    ) -> Result<BackupReport, EngineError> {
        if tally.compared > 0 || !base.is_kept {
            let (known, folder) = (base.index.clone(), self.job.folder.clone());
            let stating = blocking(move || {
                let stated = known.with_identities_of(&index, &folder);
                stated.map_err(EngineError::OwnData)
            });
            match stating.await {
                Ok(index) => self.keep(index, Ok(base.head.clone())).await,
                Err(error) => {
                    tracing::warn!(%error, "what was compared must be compared again next time");
                }
            }
        }
        let id: &ArchiveId = &base.head.archive;
        let mut row = Backup::from_listing(&id.key, id.size_bytes, base.manifest.created);
        row.contents = Some(contents_of(tally));
        Ok(BackupReport {
            backup: None,
            unchanged: true,
            created: row.created,
            files: tally.totals.files,
            bytes_total: tally.totals.bytes,
            bytes_read: self.job.meter.read_bytes(),
            bytes_uploaded: 0,
            bytes_copied: 0,
            bytes_resumed: 0,
            requests: self.job.store.requests() - self.requests_before,
            duration_secs: self.started.elapsed().as_secs_f64(),
            full_because: None,
            warnings: warnings_of(&tally.skipped),
            key: row.key.clone(),
            row,
        })
    }

    /// Keeps what is known of the archive for the next backup.
    async fn keep(&self, index: Index, head: std::io::Result<IndexHead>) {
        let path = self.memory.index();
        let keeping = blocking(move || {
            head.and_then(|head| index.keep(&head, &path))
                .map_err(EngineError::OwnData)
        });
        if let Err(error) = keeping.await {
            tracing::warn!(%error, "what the archive holds could not be remembered");
        }
    }
}

fn contents_of(tally: &Tally) -> Contents {
    Contents {
        files: tally.totals.files,
        missing: count_missing(&tally.skipped),
    }
}

/// What the person should know: all that was skipped but things that hold no data.
fn warnings_of(skipped: &[Skipped]) -> Vec<Warning> {
    let worth_telling = skipped.iter().filter(|s| s.gap != Gap::Special);
    worth_telling
        .map(|skipped| Warning {
            path: skipped.path.clone(),
            reason: skipped.reason.clone(),
        })
        .collect()
}
