//! What somebody without keys can do at the bucket: nothing, it is to be hoped.

use super::probe::Probe;
use super::sheet::{CheckId, Sheet};
use super::words;
use crate::storage::{Asker, Prober};

/// Tries to list the bucket and to read the probe without a signature.
pub(super) async fn look(probe: &Probe<'_>, prober: &Prober, sheet: &mut Sheet) {
    let lists = prober.list(Asker::Stranger).await.is_ok();
    // A page that asks a stranger to sign in is an answer, too: only the content itself counts.
    let reads = probe.may_be(&probe.key)
        && prober
            .read(&probe.key, Asker::Stranger)
            .await
            .is_ok_and(|content| content == probe.content);
    match (lists, reads) {
        (false, false) => sheet.passed(CheckId::Public, "Strangers can neither list nor read it"),
        (true, false) => sheet.refused(CheckId::Public, words::STRANGERS_LIST, words::CLOSE_IT),
        (false, true) => sheet.refused(CheckId::Public, words::STRANGERS_READ, words::CLOSE_IT),
        (true, true) => sheet.refused(CheckId::Public, words::STRANGERS_DO_BOTH, words::CLOSE_IT),
    }
}
