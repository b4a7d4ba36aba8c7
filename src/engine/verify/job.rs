//! Use case: verify a backup. Nothing is written anywhere.

use super::ending::{Ending, Maker, RawEnding};
use super::findings::{Findings, THE_END};
use super::foreign::Foreign;
use super::lists;
use super::pass::{Headers, Pass};
use super::source::Source;
use super::suspects;
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{RangeReader, open};
use crate::engine::report::{Evidence, VerifyReport};
use crate::engine::request::{VerifyDepth, VerifyRequest};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::Phase;
use crate::storage::{ObjectInfo, Store};
use std::sync::Arc;
use std::time::Instant;

/// Reads the archive of `request` back and compares it with what it says of itself.
///
/// Whatever could be read over the line and is not as it should be is damage, and part of the report:
/// also an end without which nothing else can be looked at. Errors are those of the destination, a
/// cancel, and an archive that a newer version made.
pub async fn verify(
    store: &Store,
    request: VerifyRequest,
    context: &Context,
) -> Result<VerifyReport, EngineError> {
    let started = Instant::now();
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin(Phase::Connecting);
    let object = context.or_cancelled(store.head(&request.key)).await?;
    let reader = RangeReader::new(store, object.clone(), context, &meter);
    let check = Check {
        object,
        context: context.clone(),
        meter,
        findings: Findings::default(),
        report: VerifyReport::default(),
    };
    let working = tokio::task::spawn_blocking(move || check.run(reader, request.depth));
    let report = working
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?;
    Ok(VerifyReport {
        duration_secs: started.elapsed().as_secs_f64(),
        ..report?
    })
}

struct Check {
    object: ObjectInfo,
    context: Context,
    meter: Arc<Meter>,
    findings: Findings,
    report: VerifyReport,
}

impl Check {
    fn run(mut self, reader: RangeReader, depth: VerifyDepth) -> Result<VerifyReport, EngineError> {
        self.meter.begin(Phase::Verifying);
        let mut source = Source::new(reader, &self.context);
        let size_bytes = self.object.size_bytes;
        if let Some(raw) = RawEnding::find(&mut source, size_bytes, &mut self.findings)? {
            match raw.maker(&self.object.key) {
                Maker::Ours => self.ours(&mut source, raw, depth)?,
                Maker::Foreign if raw.has_all_records() => self.foreign(source, depth)?,
                Maker::Foreign => {
                    let reason = "the archive's directory is not where it says";
                    self.findings.add(THE_END, reason);
                }
            }
        }
        self.report.damaged = self.findings.into_damaged();
        Ok(self.report)
    }

    fn ours(
        &mut self,
        source: &mut Source,
        raw: RawEnding,
        depth: VerifyDepth,
    ) -> Result<(), EngineError> {
        let findings = &mut self.findings;
        let Ending {
            mut directory,
            manifest,
            entries_end,
        } = Ending::read(source, raw, findings)?;
        self.report.entries = directory.entries();
        if let Some(manifest) = &manifest {
            lists::compare(source, &mut directory, manifest, findings)?;
        }
        if depth == VerifyDepth::Quick {
            return Ok(());
        }
        let totals = directory.totals;
        self.meter
            .begin_sized(Phase::Verifying, totals.files, totals.bytes);
        let pass = Pass {
            source,
            directory: &directory,
            meter: &self.meter,
            findings,
            headers: Headers::of(manifest.as_ref()),
        };
        let (read, standings) = pass.run(manifest.as_ref(), entries_end)?;
        self.report.bytes = read.content_bytes;
        for span in &read.bad_spans {
            suspects::name(source, &directory, &standings, span, findings)?;
        }
        Ok(())
    }

    fn foreign(&mut self, source: Source, depth: VerifyDepth) -> Result<(), EngineError> {
        self.report.evidence = Evidence::Checksums;
        let (archive, failure) = match open(source.into_reader()) {
            Ok(opened) => opened,
            Err(EngineError::Archive(error)) => {
                self.findings.add(THE_END, error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let foreign = Foreign {
            archive,
            failure,
            context: &self.context,
            meter: &self.meter,
            findings: &mut self.findings,
        };
        let (entries, bytes) = foreign.check(depth)?;
        self.report.entries = entries;
        self.report.bytes = bytes;
        Ok(())
    }
}
