//! Use case: delete backups. Each is a whole archive, so no other depends on it.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::report::DeleteReport;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{Phase, Warning};
use crate::storage::Store;
use std::sync::Arc;

/// Deletes the archives of these keys, one after the other.
///
/// Fails as a whole only when not one could be deleted; else the report names those that remain.
pub async fn delete(
    store: &Store,
    keys: Vec<String>,
    context: &Context,
) -> Result<DeleteReport, EngineError> {
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin_sized(Phase::Deleting, keys.len() as u64, 0);
    let mut report = DeleteReport::default();
    let mut first_error = None;
    for key in keys {
        context.check_cancelled()?;
        let name = key.rsplit('/').next().unwrap_or(&key).to_owned();
        meter.working_on(&name);
        match context.or_cancelled(store.delete(&key)).await {
            Ok(()) => {
                report.deleted.push(name);
                meter.add_file();
            }
            Err(error @ (EngineError::Cancelled | EngineError::ProgramEnds)) => return Err(error),
            Err(error) => {
                report.failed.push(Warning {
                    path: name,
                    reason: error.to_string(),
                });
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if report.deleted.is_empty() => Err(error),
        _ => Ok(report),
    }
}
