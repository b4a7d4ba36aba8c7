//! How requests must be made, and who may make them: the style, the region, the keys and the bucket. What
//! the server says to one small list tells all four; where it names another way, that way is tried.

use super::address::Reached;
use super::sheet::{CheckId, Learnt, Sheet};
use super::words;
use crate::model::{S3Destination, Secret};
use crate::storage::{Asker, Fault, Prober, StorageError};

/// Ways that are tried at most: both styles, each in the region that the server names.
const MOST_WAYS: usize = 4;

/// A way in that works.
#[derive(Debug)]
pub(super) struct Entered {
    /// As they would have to be.
    pub(super) settings: S3Destination,
    pub(super) prober: Prober,
}

/// One way to make requests, and what became of it.
struct Way {
    settings: S3Destination,
    prober: Prober,
    learnt: Learnt,
    listed: Result<(), StorageError>,
}

/// Finds the way in, and says what is wrong with the settings if it is another than theirs.
pub(super) async fn enter(
    settings: &S3Destination,
    secret: Option<&Secret>,
    prober: Prober,
    reached: Reached,
    sheet: &mut Sheet,
) -> Option<Entered> {
    let (was_reached, listed) = match reached {
        Reached::Somebody => (true, prober.list(Asker::Owner).await),
        Reached::Nobody(error) => (false, Err(error)),
    };
    let first = Way {
        settings: settings.clone(),
        prober,
        learnt: Learnt::default(),
        listed,
    };
    let way = walk(first, secret).await;
    if !was_reached && way.learnt.is_empty() {
        // The line above says what is wrong.
        return None;
    }
    let no_bucket = way
        .listed
        .as_ref()
        .is_err_and(|error| error.fault() == Fault::NoBucket);
    let others = if no_bucket {
        way.prober.buckets().await.unwrap_or_default()
    } else {
        Vec::new()
    };
    tell(&way, was_reached, &others, sheet);
    sheet.learnt = way.learnt;
    way.listed.is_ok().then_some(Entered {
        settings: way.settings,
        prober: way.prober,
    })
}

/// Goes on from one way to the next as long as the server says which.
async fn walk(first: Way, secret: Option<&Secret>) -> Way {
    let mut best = first;
    for _ in 1..MOST_WAYS {
        let Err(error) = &best.listed else { break };
        let Some((settings, learnt)) = next_way(&best, error) else {
            break;
        };
        let Ok(prober) = Prober::new(&settings, secret) else {
            break;
        };
        let is_guess = is_guess(error);
        let listed = prober.list(Asker::Owner).await;
        if is_guess && listed.as_ref().is_err_and(|error| !is_about_keys(error)) {
            // The other style was a guess, and a wrong one.
            break;
        }
        best = Way {
            settings,
            prober,
            learnt,
            listed,
        };
    }
    best
}

/// What to try after this failure.
fn next_way(way: &Way, error: &StorageError) -> Option<(S3Destination, Learnt)> {
    let mut settings = way.settings.clone();
    let mut learnt = way.learnt.clone();
    let region = error.refusal().region.clone();
    if error.fault() == Fault::WrongRegion
        && learnt.region.is_none()
        && let Some(region) = region
        && region != way.prober.endpoint().region
    {
        settings.move_to_region(&region);
        learnt.region = Some(region);
        return Some((settings, learnt));
    }
    if learnt.addressing.is_none()
        && way.prober.endpoint().has_name()
        && (error.fault() == Fault::WrongStyle || is_guess(error))
    {
        let other = way.prober.endpoint().addressing.other();
        settings.addressing = Some(other);
        learnt.addressing = Some(other);
        return Some((settings, learnt));
    }
    None
}

/// Whether this failure may come from the style without saying so: a host with the bucket's name in front
/// that nobody knows, or a bucket that is taken for a key.
fn is_guess(error: &StorageError) -> bool {
    matches!(
        error.fault(),
        Fault::Unreachable | Fault::Tls | Fault::NoBucket | Fault::NoObject | Fault::Other
    )
}

/// Whether the way was right and only the keys are not: then it is told with them.
fn is_about_keys(error: &StorageError) -> bool {
    matches!(
        error.fault(),
        Fault::UnknownKey | Fault::WrongSecret | Fault::Denied | Fault::Clock
    )
}

/// Writes down what was found about the four.
fn tell(way: &Way, was_reached: bool, others: &[String], sheet: &mut Sheet) {
    let fault = way.listed.as_ref().err().map(StorageError::fault);
    let addressing = way.prober.endpoint().addressing;
    let error = way.listed.as_ref().err();
    match (way.learnt.addressing, error) {
        (Some(_), _) => sheet.refused(
            CheckId::Style,
            words::other_style(addressing, was_reached),
            words::TAKE_WHAT_WAS_LEARNT,
        ),
        (None, Some(error)) if error.fault() == Fault::WrongStyle => {
            sheet.failed(CheckId::Style, error);
            return;
        }
        (None, _) => sheet.passed(CheckId::Style, words::style(addressing)),
    }
    match (&way.learnt.region, error) {
        (Some(region), _) => sheet.refused(
            CheckId::Region,
            words::other_region(region),
            words::TAKE_WHAT_WAS_LEARNT,
        ),
        (None, Some(error)) if error.fault() == Fault::WrongRegion => {
            sheet.failed(CheckId::Region, error);
            return;
        }
        (None, _) => sheet.passed(CheckId::Region, words::region(way.prober.endpoint())),
    }
    let Some(error) = error else {
        sheet.passed(
            CheckId::Keys,
            "The access key id and the secret belong together",
        );
        sheet.passed(CheckId::Bucket, words::bucket(way.prober.endpoint()));
        sheet.passed(CheckId::List, "These keys may list the bucket");
        return;
    };
    match fault {
        Some(Fault::UnknownKey | Fault::WrongSecret | Fault::Account) => {
            sheet.failed(CheckId::Keys, error);
        }
        Some(Fault::Clock) => sheet.failed(CheckId::Clock, error),
        Some(Fault::NoBucket) => {
            sheet.passed(
                CheckId::Keys,
                "The access key id and the secret belong together",
            );
            let advice = words::other_buckets(&way.prober.endpoint().bucket, others);
            sheet.failed_with(
                CheckId::Bucket,
                error,
                advice.as_deref().unwrap_or(error.hint()),
            );
        }
        Some(Fault::Denied) => sheet.failed_with(CheckId::List, error, words::MAY_NOT_LIST),
        _ => sheet.failed(CheckId::List, error),
    }
}
