//! What somebody without keys can do at the bucket: nothing, it is to be hoped.

use super::probe::Probe;
use super::sheet::{CheckId, Sheet};
use super::words;
use crate::storage::{Asker, Fault, Prober, StorageError};

/// Of an object that is not the test's own, so much is read.
const SAMPLE_BYTES: u64 = 64;

/// What a request without a signature came to.
enum Sight {
    Shown,
    Withheld,
    /// The answer was neither; a stranger who asks at another time may get another one.
    Unknown(StorageError),
    /// There is nothing to ask for.
    NotTried,
}

/// Tries without a signature to list the bucket and to read the probe, or another object if there is none.
pub(super) async fn look(probe: &Probe<'_>, prober: &Prober, sheet: &mut Sheet) {
    let lists = Sight::of(prober.list(Asker::Stranger).await.map(|()| true));
    let reads = read(probe, prober).await;
    match (lists, reads) {
        (Sight::Shown, Sight::Shown) => {
            sheet.refused(CheckId::Public, words::STRANGERS_DO_BOTH, words::CLOSE_IT);
        }
        (Sight::Shown, _) => {
            sheet.refused(CheckId::Public, words::STRANGERS_LIST, words::CLOSE_IT);
        }
        (_, Sight::Shown) => {
            sheet.refused(CheckId::Public, words::STRANGERS_READ, words::CLOSE_IT);
        }
        (Sight::Unknown(error), _) | (_, Sight::Unknown(error)) => {
            sheet.warned(
                CheckId::Public,
                words::strangers_unsure(&error),
                words::ASK_AGAIN,
            );
            sheet.add_refusal(&error);
        }
        (_, Sight::NotTried) => sheet.passed(CheckId::Public, words::STRANGERS_LIST_NOT),
        (_, Sight::Withheld) => {
            sheet.passed(CheckId::Public, "Strangers can neither list nor read it");
        }
    }
}

async fn read(probe: &Probe<'_>, prober: &Prober) -> Sight {
    let Some(key) = probe.key_that_is_there() else {
        return Sight::NotTried;
    };
    let mut size_bytes = SAMPLE_BYTES;
    let content = if key == probe.key {
        size_bytes = probe.content.len() as u64;
        probe.content.clone()
    } else {
        match prober.read(&key, SAMPLE_BYTES, Asker::Owner).await {
            Ok(content) => content,
            // In an archive, for example.
            Err(_) => return Sight::NotTried,
        }
    };
    let read = prober.read(&key, size_bytes, Asker::Stranger).await;
    // A page that asks a stranger to sign in is an answer, too: only the content itself counts.
    Sight::of(read.map(|read| read == content))
}

impl Sight {
    fn of(shown: Result<bool, StorageError>) -> Self {
        match shown {
            Ok(true) => Self::Shown,
            Ok(false) => Self::Withheld,
            Err(error) if is_no(&error) => Self::Withheld,
            Err(error) => Self::Unknown(error),
        }
    }
}

/// Whether it is an answer that withholds, in whichever words: R2 says 400 to strangers, others redirect
/// them to a page where they can sign in. Not what breaks, is late, or asks to slow down.
fn is_no(error: &StorageError) -> bool {
    match error.refusal().status {
        Some(407 | 408 | 425 | 429) => false,
        // A success that is no list.
        Some(200..=499) => true,
        _ => error.fault() == Fault::NotS3,
    }
}
