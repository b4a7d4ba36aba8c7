//! What is told of a stall, and that nothing waits for ever.

use crate::scene::{Place, Scene};
use crate::support::{Asker, Fault, Moment, SeaweedFs, Step, When};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{self, Context, EngineError};
use zipkeep::model::{Reporter, Trouble};

/// A person must know within this.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// Longer than that, and shorter than the engine's patience.
const STALL: Duration = Duration::from_secs(8);
/// Longer than anybody's patience.
const FOR_EVER: Duration = Duration::from_mins(30);

/// What was told of trouble, and when.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Telling>>>);

type Telling = (Instant, Option<Trouble>);

impl Told {
    fn reporter(&self) -> Reporter {
        let told = Arc::clone(&self.0);
        Reporter::new(move |progress| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.last().map(|(_, last)| last) != Some(&progress.trouble) {
                told.push((Instant::now(), progress.trouble));
            }
        })
    }

    fn all(&self) -> Vec<Telling> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }

    fn troubles(&self) -> Vec<(Instant, Trouble)> {
        let all = self.all().into_iter();
        all.filter_map(|(at, trouble)| Some((at, trouble?)))
            .collect()
    }
}

/// A place where everything of this scene is ready; `None` where there is no server.
async fn place(scene: Scene) -> Option<(Place, Mutex<Asker>)> {
    let server = SeaweedFs::shared()?;
    let place = Place::new(&server, "stalls");
    place.prepare(scene).await.expect("prepared");
    Some((place, Mutex::new(Asker::new(&server))))
}

/// A stall at this step is told in time and passes.
async fn is_told(scene: Scene, step: Step, fault: Fault) {
    let Some((place, asker)) = place(scene).await else {
        return;
    };
    let what = format!("{scene:?} {step} {fault:?}");
    place.proxy.break_steps(&[step], fault, When::First(1));
    let began = Arc::new(Mutex::new(None));
    // While other requests of the step are answered, the line is not stalled.
    for number in 1..=9 {
        for moment in [Moment::Arrives, Moment::Answered] {
            let noting = Arc::clone(&began);
            place.proxy.at(step, number, moment, move || {
                let mut began = noting.lock().unwrap_or_else(PoisonError::into_inner);
                if began.is_none_or(|began: Instant| began.elapsed() < STALL / 2) {
                    *began = Some(Instant::now());
                }
            });
        }
    }
    let told = Told::default();
    let report = place.back_up(told.reporter()).await;
    let report = report.unwrap_or_else(|error| panic!("{what}: {}", error.details()));
    let began = began.lock().unwrap_or_else(PoisonError::into_inner);
    told_in_time(&what, began.expect("the step was reached"), &told);
    assert!(place.left(&asker).keys.contains(&report.key), "{what}");
}

/// Panics unless a stall that began then was told in time, with its attempt, and to be over.
fn told_in_time(what: &str, began: Instant, told: &Told) {
    let troubles = told.troubles();
    let (first, trouble) = troubles
        .first()
        .unwrap_or_else(|| panic!("{what}: not told"));
    let after = first.duration_since(began);
    assert!(after <= TOLD_WITHIN, "{what}: told after {after:?}");
    assert_eq!((trouble.attempt, trouble.attempts), (1, Some(3)), "{what}");
    assert_eq!(trouble.next_attempt_secs, None, "{what}: one is under way");
    assert!(trouble.silent_secs >= 3, "{what}: {trouble:?}");
    let (last, _) = troubles.last().expect("some");
    let until = last.duration_since(began);
    assert!(
        until <= STALL + Duration::from_secs(1),
        "{what}: until {until:?}"
    );
    let clears = told.all().last().is_some_and(|(_, last)| last.is_none());
    assert!(clears, "{what}: it clears");
}

// All at once: they only wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_stall_within_a_backup_is_told_and_clears() {
    let parts = |step, fault| is_told(Scene::Parts, step, fault);
    tokio::join!(
        parts(Step::UploadPart, Fault::StallInRequest(STALL)),
        parts(Step::UploadPart, Fault::StallBeforeAnswer(STALL)),
        parts(Step::CreateUpload, Fault::StallInAnswer(STALL)),
        is_told(Scene::Small, Step::Get, Fault::StallInAnswer(STALL)),
    );
}

/// A stall at this step of something short is told in time and passes.
async fn is_told_of<T>(
    place: &Place,
    step: Step,
    job: impl AsyncFnOnce(Context) -> Result<T, EngineError>,
) {
    let fault = Fault::StallBeforeAnswer(STALL);
    place.proxy.break_steps(&[step], fault, When::First(1));
    let began = Arc::new(Mutex::new(None));
    let noting = Arc::clone(&began);
    place.proxy.at(step, 1, Moment::Answered, move || {
        let mut began = noting.lock().unwrap_or_else(PoisonError::into_inner);
        *began = Some(Instant::now());
    });
    let told = Told::default();
    let context = Context::new(
        told.reporter(),
        CancellationToken::new(),
        &place.path("data"),
    );
    let done = job(context).await;
    done.unwrap_or_else(|error| panic!("{step}: {}", error.details()));
    let began = began.lock().unwrap_or_else(PoisonError::into_inner);
    told_in_time(
        &step.to_string(),
        began.expect("the step was reached"),
        &told,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_while_testing_listing_or_deleting_is_told_and_clears() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let places = ["testing", "listing", "deleting"].map(|root| Place::new(&server, root));
    let [testing, listing, deleting] = &places;
    deleting.prepare(Scene::Small).await.expect("prepared");
    let made = deleting.healthy_backup().await.expect("one to delete");
    tokio::join!(
        is_told_of(testing, Step::Put, async |context| {
            testing.test(&context).await
        }),
        is_told_of(listing, Step::List, async |context| {
            engine::list(listing.store(), &context).await
        }),
        is_told_of(deleting, Step::Delete, async |context| {
            engine::delete(deleting.store(), vec![made.key], &context).await
        }),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_the_next_attempt_is_told_with_its_time() {
    let Some((place, _)) = place(Scene::Parts).await else {
        return;
    };
    let steps = [Step::CreateUpload];
    place
        .proxy
        .break_steps(&steps, Fault::SlowDown, When::First(2));
    let told = Told::default();
    place.back_up(told.reporter()).await.expect("it passes");
    let troubles = told.troubles();
    let waits = |trouble: &Trouble| {
        trouble.next_attempt_secs == Some(1)
            && trouble.reason.contains("SlowDown")
            && (1..=2).contains(&trouble.attempt)
    };
    let is_told = troubles.iter().any(|(_, trouble)| waits(trouble));
    assert!(is_told, "{troubles:?}");
    assert_eq!(told.all().last().expect("something").1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_ever_for_a_dead_line() {
    let Some((place, _)) = place(Scene::Small).await else {
        return;
    };
    let fault = Fault::StallBeforeAnswer(FOR_EVER);
    place.proxy.break_steps(&Step::ALL, fault, When::Always);
    let context = || {
        let data = place.path("data");
        Context::new(Reporter::silent(), CancellationToken::new(), &data)
    };
    let (testing, listing, backup) = (context(), context(), place.back_up(Reporter::silent()));
    let timed = |began: Instant| began.elapsed() < Duration::from_secs(30);
    let began = Instant::now();
    let (tested, listed, backed_up) = tokio::join!(
        async { (place.test(&testing).await, timed(began)) },
        async { (engine::list(place.store(), &listing).await, timed(began)) },
        async { (backup.await, timed(began)) },
    );
    let report = tested.0.expect("a report");
    let failed = report.first_failure().expect("the line is dead");
    assert!(failed.message.contains("Nothing moved"), "{failed:?}");
    assert_eq!(listed.0.expect_err("dead").kind(), "stalled");
    assert_eq!(backed_up.0.expect_err("dead").kind(), "stalled");
    assert!(tested.1 && listed.1 && backed_up.1, "{:?}", began.elapsed());
}

/// A line that dies within a backup ends it, and what was sent is not lost.
async fn dies_at(step: Step, fault: Fault, within: Duration) {
    let Some((place, asker)) = place(Scene::Parts).await else {
        return;
    };
    place.proxy.break_steps(&[step], fault, When::Always);
    let began = Instant::now();
    let error = place.back_up(Reporter::silent()).await.expect_err("dead");
    let took = began.elapsed();
    // The system gives up a connection that takes nothing for 30 s before we do.
    let is_clear = matches!(error.kind(), "stalled" | "timed-out");
    assert!(is_clear, "{step}: {}", error.details());
    assert!(took < within, "{step}: {took:?}");
    place.proxy.heal();
    let uploads = place.left(&asker).uploads.len();
    assert_eq!(uploads > 0, place.has_journal(), "{step}: {uploads}");
    let report = place.healthy_backup().await.expect("the next one succeeds");
    let left = place.left(&asker);
    assert_eq!(
        (left.keys, left.uploads),
        (vec![report.key], vec![]),
        "{step}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_dies_ends_the_backup() {
    let (part, end) = (
        Fault::StallBeforeAnswer(FOR_EVER),
        Fault::StallInRequest(FOR_EVER),
    );
    tokio::join!(
        // 10 s of silence, and 32 s for what the system may hold of a part.
        dies_at(Step::UploadPart, part, Duration::from_mins(1)),
        // 10 s of silence, and 6 s for joining 26 MiB.
        dies_at(Step::Complete, end, Duration::from_secs(45)),
    );
}
