//! Use case: delete backups. Each is a whole archive, so no other depends on it.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::report::DeleteReport;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{Phase, Warning};
use crate::storage::{Fault, Store};
use futures_util::{StreamExt as _, stream};
use std::collections::HashMap;
use std::sync::Arc;

/// So many are deleted between two looks at whether to stop.
const AT_ONCE: usize = 100;
/// Requests at once.
const REQUESTS_AT_ONCE: usize = 8;

/// Deletes the archives of these keys, several in one request where the destination can.
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
    for keys in keys.chunks(AT_ONCE) {
        context.check_cancelled()?;
        let mut outcomes = match keys {
            [_] => HashMap::new(),
            several => {
                let deleting = async { Ok::<_, EngineError>(delete_at_once(store, several).await) };
                context.or_cancelled(deleting).await?
            }
        };
        for key in keys {
            context.check_cancelled()?;
            let name = key.rsplit('/').next().unwrap_or(key).to_owned();
            meter.working_on(&name);
            let deleted = match outcomes.remove(key.as_str()) {
                Some(Outcome::Gone) => Ok(()),
                Some(Outcome::Unsaid) => context.or_cancelled(store.delete_if_there(key)).await,
                None => context.or_cancelled(store.delete(key)).await,
            };
            match deleted {
                Ok(()) => {
                    report.deleted.push(name);
                    meter.add_file();
                }
                Err(error @ (EngineError::Cancelled | EngineError::ProgramEnds)) => {
                    return Err(error);
                }
                Err(error) => {
                    report.failed.push(Warning {
                        path: name,
                        reason: error.to_string(),
                    });
                    first_error.get_or_insert(error);
                }
            }
        }
    }
    match first_error {
        Some(error) if report.deleted.is_empty() => Err(error),
        _ => Ok(report),
    }
}

/// What became of an object that was there and was to be deleted with others.
enum Outcome {
    Gone,
    /// The destination does not say.
    Unsaid,
}

/// Deletes those that are there in one request. Of one that is not, nothing is told: it is left to be deleted
/// by itself, which says so.
async fn delete_at_once<'a>(store: &Store, keys: &'a [String]) -> HashMap<&'a str, Outcome> {
    if !store.deletes_several() {
        return HashMap::new();
    }
    let looks = keys.iter().map(|key| async move {
        match store.head(key).await {
            Ok(_) => Some(key.as_str()),
            // Keys that may not look may still delete.
            Err(error) if error.fault() == Fault::Denied => Some(key.as_str()),
            Err(_) => None,
        }
    });
    let looks: Vec<_> = looks.collect();
    let there: Vec<Option<&str>> = stream::iter(looks)
        .buffered(REQUESTS_AT_ONCE)
        .collect()
        .await;
    let there: Vec<&str> = there.into_iter().flatten().collect();
    let gone = store.delete_at_once(&there).await;
    let outcome = |key: &'a str| {
        let outcome = if gone.contains(key) {
            Outcome::Gone
        } else {
            Outcome::Unsaid
        };
        (key, outcome)
    };
    there.into_iter().map(outcome).collect()
}
