//! How requests must be made, and who may make them: the style, the region, the keys and the bucket. What
//! the server says to one small list tells all four; where it names another way, that way is tried.

use super::address::Reached;
use super::sheet::{CheckId, Learnt, Sheet};
use super::words;
use crate::model::providers::RegionRule;
use crate::model::{Endpoint, Provider, S3Destination, Secret};
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
    /// Of the settings.
    first_region: String,
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
    let mut named_region = None;
    let (was_reached, listed) = match reached {
        Reached::Somebody(region) => {
            named_region = region;
            (true, prober.list(Asker::Owner).await)
        }
        Reached::Nobody(error) => (false, Err(error)),
    };
    let first = Way {
        settings: settings.clone(),
        first_region: prober.endpoint().region.clone(),
        prober,
        learnt: Learnt::default(),
        listed,
    };
    let way = walk(first, secret, named_region.as_deref()).await;
    if !was_reached && way.learnt.is_empty() {
        // The line above says what is wrong.
        return None;
    }
    let no_bucket = way
        .listed
        .as_ref()
        .is_err_and(|error| error.fault() == Fault::NoBucket);
    // What a bucket is mistaken for is found among those that are there.
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

/// Goes on from one way to the next as long as the server says which; `named_region` is what it says to
/// anybody.
async fn walk(first: Way, secret: Option<&Secret>, named_region: Option<&str>) -> Way {
    let mut best = first;
    for _ in 1..MOST_WAYS {
        let Err(error) = &best.listed else { break };
        let Some((settings, learnt)) = next_way(&best, error, named_region) else {
            break;
        };
        let Ok(prober) = Prober::new(&settings, secret) else {
            break;
        };
        let listed = prober.list(Asker::Owner).await;
        let is_region = learnt.region != best.learnt.region;
        if let Err(now) = &listed
            && !is_better(error, now, is_region)
        {
            break;
        }
        best = Way {
            settings,
            first_region: best.first_region,
            prober,
            learnt,
            listed,
        };
    }
    best
}

/// Whether a way that fails with `now` is nevertheless the right one, after one that failed with `before`.
fn is_better(before: &StorageError, now: &StorageError, is_region: bool) -> bool {
    match now.fault() {
        // A bucket's region stays what it is, whatever else is wrong; a style that was a guess does not.
        Fault::WrongStyle => is_region,
        Fault::WrongRegion => !is_region,
        _ => is_region || !is_guess(before) || is_about_keys(now),
    }
}

/// What to try after this failure.
fn next_way(
    way: &Way,
    error: &StorageError,
    named_region: Option<&str>,
) -> Option<(S3Destination, Learnt)> {
    let mut settings = way.settings.clone();
    let mut learnt = way.learnt.clone();
    let endpoint = way.prober.endpoint();
    if learnt.region.is_none()
        && let Some(region) = region_to_try(endpoint, error, named_region)
        && region != endpoint.region
    {
        settings.move_to_region(&region);
        learnt.region = Some(region);
        return Some((settings, learnt));
    }
    if learnt.addressing.is_none()
        && endpoint.has_name()
        && (error.fault() == Fault::WrongStyle || is_guess(error))
    {
        let other = endpoint.addressing.other();
        settings.addressing = Some(other);
        learnt.addressing = Some(other);
        return Some((settings, learnt));
    }
    None
}

/// The region that the server names, or the only one that the provider has.
fn region_to_try(
    endpoint: &Endpoint,
    error: &StorageError,
    named_region: Option<&str>,
) -> Option<String> {
    let named = named_region.map(ToOwned::to_owned);
    if error.fault() != Fault::WrongRegion {
        // Whatever else is wrong. Others than AWS name regions that need not be signed for.
        return named.filter(|_| endpoint.provider == Provider::AWS);
    }
    let preset = endpoint.provider.preset();
    let is_fixed = preset.region_rule == RegionRule::Fixed;
    let only = || is_fixed.then(|| preset.region_default.clone());
    let region = error.refusal().region.clone().or(named).or_else(only);
    region.filter(|region| !region.is_empty())
}

/// Whether this failure may come from the style without saying so: a host with the bucket's name in front
/// that nobody knows, or a bucket that is taken for a key.
fn is_guess(error: &StorageError) -> bool {
    matches!(
        error.fault(),
        Fault::Unreachable
            | Fault::Tls
            | Fault::NoBucket
            | Fault::NoObject
            | Fault::NotS3
            | Fault::Other
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
    let endpoint = way.prober.endpoint();
    let error = way.listed.as_ref().err();
    // Both belong to the way there, and nothing else is known then.
    if let Some(error) = error.filter(|error| error.fault() == Fault::Clock) {
        sheet.failed_with(CheckId::Clock, error, words::SET_CLOCK);
        return;
    }
    if let Some(error) = error.filter(|error| error.fault() == Fault::NotS3) {
        sheet.failed(CheckId::Style, error);
        return;
    }
    if let Some(error) = error.filter(|error| error.fault() == Fault::Tls) {
        if error.own_hint().is_some() {
            sheet.failed(CheckId::Tls, error);
            return;
        }
        sheet.failed_with(CheckId::Tls, error, words::WITH_TLS);
        sheet.reword(words::WANTS_TLS.to_owned());
        return;
    }
    match (way.learnt.addressing, error) {
        (Some(_), _) => sheet.refused(
            CheckId::Style,
            words::other_style(endpoint.addressing, was_reached),
            words::TAKE_WHAT_WAS_LEARNT,
        ),
        (None, Some(error)) if error.fault() == Fault::WrongStyle => {
            let hint = words::style_hint(endpoint, error);
            sheet.failed_with(CheckId::Style, error, &hint);
            return;
        }
        (None, _) => sheet.passed(CheckId::Style, words::style(endpoint.addressing)),
    }
    match (&way.learnt.region, error) {
        (Some(region), _) => sheet.refused(
            CheckId::Region,
            words::other_region(region, &way.first_region),
            words::TAKE_WHAT_WAS_LEARNT,
        ),
        (None, Some(error)) if error.fault() == Fault::WrongRegion => {
            sheet.failed(CheckId::Region, error);
            return;
        }
        (None, Some(error))
            if error.fault() == Fault::NoBucket && others.contains(&endpoint.bucket) =>
        {
            // The keys see it, but not from here.
            sheet.failed_with(CheckId::Region, error, words::ELSEWHERE);
            sheet.reword(words::elsewhere(endpoint));
            return;
        }
        (None, _) => sheet.passed(CheckId::Region, words::region(endpoint)),
    }
    let Some(error) = error else {
        sheet.passed(CheckId::Keys, words::KEYS_FIT);
        sheet.passed(CheckId::Bucket, words::bucket(endpoint));
        sheet.passed(CheckId::List, "These keys may list the bucket");
        return;
    };
    tell_refusal(way, error, others, sheet);
}

/// Writes down what is wrong though style and region are right.
fn tell_refusal(way: &Way, error: &StorageError, others: &[String], sheet: &mut Sheet) {
    match error.fault() {
        Fault::UnknownKey | Fault::WrongSecret | Fault::Account => {
            sheet.failed(CheckId::Keys, error);
        }
        Fault::NoBucket => {
            sheet.passed(CheckId::Keys, words::KEYS_FIT);
            let advice = words::other_buckets(&way.prober.endpoint().bucket, others);
            let hint = advice.as_deref().unwrap_or(words::NO_BUCKET);
            sheet.failed_with(CheckId::Bucket, error, hint);
        }
        Fault::Denied => {
            // Some servers say so of wrong keys and of missing buckets, too.
            sheet.skipped(CheckId::Keys, words::KEYS_UNSURE);
            sheet.skipped(CheckId::Bucket, words::BUCKET_UNSURE);
            if error.own_hint().is_some() {
                sheet.failed(CheckId::List, error);
            } else {
                sheet.failed_with(CheckId::List, error, words::MAY_NOT_LIST);
                sheet.reword(words::may_not_list(error));
            }
        }
        _ => sheet.failed(CheckId::List, error),
    }
}
