//! Use case: test a destination by doing what a backup does, in small: list, write, read, delete.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::report::{Check, CheckOutcome, TestReport};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::count_text;
use crate::storage::{Fault, StorageError, Store};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;

/// The checks, in the order in which they run.
const CHECKS: [&str; 4] = ["list", "write", "read", "delete"];

/// Tests a destination. What does not work is in the report; only a cancel is an error.
///
/// The probe object is removed in any case.
pub async fn test(store: &Store, context: &Context) -> Result<TestReport, EngineError> {
    // Tells only of trouble: the report has all the rest.
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    let name = format!(".zipkeep-probe-{:016x}", fresh_number());
    let probe = Probe {
        store,
        key: store.key(&name),
        content: Bytes::from(format!("zipkeep connection test {name}\n")),
    };
    let checks = context.or_cancelled(probe.run()).await;
    if checks.is_err() {
        // Cancelled: the probe may be there. Its failure to go has nobody left to tell.
        store.delete_if_there(&probe.key).await.ok();
    }
    Ok(TestReport { checks: checks? })
}

/// A number that hardly comes twice: of the time and of this process.
fn fresh_number() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond();
    let seed = format!("{now} {}", std::process::id());
    let hash = blake3::hash(seed.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

struct Probe<'a> {
    store: &'a Store,
    key: String,
    content: Bytes,
}

impl Probe<'_> {
    async fn run(&self) -> Result<Vec<Check>, StorageError> {
        let mut checks = Vec::with_capacity(CHECKS.len());
        let mut has_failed = false;
        let mut is_written = false;
        for id in CHECKS {
            // The probe is removed even when it could not be read back.
            if has_failed && !(id == "delete" && is_written) {
                checks.push(skipped(id));
                continue;
            }
            let started = Instant::now();
            let result = self.check(id).await;
            has_failed |= result.is_err();
            is_written |= id == "write" && result.is_ok();
            checks.push(finished(id, result, started));
        }
        Ok(checks)
    }

    async fn check(&self, id: &str) -> Result<String, StorageError> {
        match id {
            "list" => Ok(match self.store.list().await?.len() {
                0 => "Connected, nothing is there yet".to_owned(),
                1 => "Connected, one object is there".to_owned(),
                count => format!("Connected, {} objects are there", count_text(count as u64)),
            }),
            "write" => {
                self.store.put_new(&self.key, self.content.clone()).await?;
                Ok("A small object was written".to_owned())
            }
            "read" => {
                let size = self.content.len() as u64;
                let part = self.store.read(&self.key, 1..size, None).await?;
                if part == self.content[1..] {
                    Ok("It was read back unchanged".to_owned())
                } else {
                    Err(StorageError::new(Fault::Damaged))
                }
            }
            _ => {
                self.store.delete(&self.key).await?;
                Ok("It was deleted again".to_owned())
            }
        }
    }
}

fn finished(id: &'static str, result: Result<String, StorageError>, started: Instant) -> Check {
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(message) => Check {
            id,
            outcome: CheckOutcome::Pass,
            message,
            hint: None,
            millis,
        },
        Err(error) => {
            tracing::info!(check = id, ?error, "a connection check failed");
            Check {
                id,
                outcome: CheckOutcome::Fail,
                message: error.to_string(),
                hint: Some(error.hint().to_owned()),
                millis,
            }
        }
    }
}

fn skipped(id: &'static str) -> Check {
    Check {
        id,
        outcome: CheckOutcome::Skip,
        message: match id {
            "write" => "Writing was not tried",
            "read" => "Reading was not tried",
            "delete" => "Deleting was not tried",
            _ => "It was not tried",
        }
        .to_owned(),
        hint: None,
        millis: 0,
    }
}
