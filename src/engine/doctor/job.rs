//! One examination: everything in its order, and taken back if it is cancelled.

use super::probe::Probe;
use super::sheet::{CheckId, Sheet, TestReport};
use super::{address, entry, leftovers, rights, strangers, words};
use crate::engine::context::Context;
use crate::engine::copying::{CopyNote, memory_of};
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{Destination, S3Destination, Secret};
use crate::storage::{Patience, Prober, Store, open};
use std::sync::Arc;

/// Tests a destination. What does not work is in the report; only a cancel is an error.
///
/// What it writes there is removed in any case, where the keys allow it.
pub async fn test(
    destination: &Destination,
    secret: Option<&Secret>,
    context: &Context,
) -> Result<TestReport, EngineError> {
    let mut sheet = Sheet::default();
    match destination {
        Destination::S3(settings) => {
            Box::pin(test_bucket(settings, secret, context, &mut sheet)).await?;
        }
        Destination::Folder(_) => match open(destination, None, Patience::Interactive) {
            Ok(store) => rights_in(&store, None, context, &mut sheet).await?,
            Err(error) => sheet.failed(CheckId::List, &error),
        },
    }
    let asked = match destination {
        Destination::S3(_) => &CheckId::OF_A_BUCKET[..],
        Destination::Folder(_) => &CheckId::OF_A_FOLDER[..],
    };
    Ok(sheet.finish(asked))
}

async fn test_bucket(
    settings: &S3Destination,
    secret: Option<&Secret>,
    context: &Context,
    sheet: &mut Sheet,
) -> Result<(), EngineError> {
    let prober = match Prober::new(settings, secret) {
        Ok(prober) => prober,
        Err(error) => {
            sheet.failed(CheckId::Settings, &error);
            return Ok(());
        }
    };
    sheet.passed(CheckId::Settings, words::understood(&prober));
    let way = async { Ok::<_, EngineError>(address::look(&prober, sheet).await) };
    let reached = context.or_cancelled(way).await?;
    let entering = async {
        Ok::<_, EngineError>(entry::enter(settings, secret, prober, reached, sheet).await)
    };
    let Some(entered) = context.or_cancelled(entering).await? else {
        return Ok(());
    };
    let destination = Destination::S3(entered.settings.clone());
    match open(&destination, secret, Patience::Interactive) {
        Ok(store) => rights_in(&store, Some(&entered.prober), context, sheet).await,
        Err(error) => {
            sheet.failed(CheckId::List, &error);
            Ok(())
        }
    }
}

/// Does what a backup does, and takes all of it back.
async fn rights_in(
    store: &Store,
    prober: Option<&Prober>,
    context: &Context,
    sheet: &mut Sheet,
) -> Result<(), EngineError> {
    // Tells only of trouble: the report has all the rest.
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    let probe = Probe::new(store);
    let note = CopyNote::in_memory(&memory_of(context, &store.identity()));
    let trying = async {
        rights::try_all(&probe, &note, sheet).await;
        if let Some(prober) = prober {
            strangers::look(&probe, prober, sheet).await;
        }
        probe.remove(sheet).await;
        if prober.is_some() {
            leftovers::look(store, sheet).await;
        }
        Ok::<_, EngineError>(())
    };
    let tried = context.or_cancelled(trying).await;
    let Err(error) = tried else { return tried };
    let left = probe.take_back().await;
    Err(match error {
        EngineError::Cancelled if !left.is_empty() => {
            EngineError::TestLeft(words::quoted_in_words(&left))
        }
        error => error,
    })
}
