//! A backup whose last step, making the object of its parts, does not come to an end that it sees.

use crate::scene::{Left, Of, Place, Scene};
use crate::support::{Asker, Fault, SeaweedFs, Step, When};
use std::sync::Mutex;
use zipkeep::model::Reporter;

fn sent_bytes(place: &Place) -> u64 {
    place.proxy.seen().tally(Step::UploadPart).body_bytes_up
}

/// Completing fails for good; the next run neither loses nor doubles anything.
async fn fails_for_good(scene: Scene, fault: Fault) {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let place = Place::new(&server, "completion");
    let asker = Mutex::new(Asker::new(&server));
    let what = format!("{scene:?} {fault:?}");
    place.prepare(scene).await.expect("prepared");
    let before = place.left(&asker).keys;
    place
        .proxy
        .break_steps(&[Step::Complete], fault, When::Always);
    let broken = place.back_up(Reporter::silent()).await;
    let error = broken.expect_err("nothing can be made");
    assert!(
        matches!(error.kind(), "busy" | "unreachable"),
        "{what}: {}",
        error.details()
    );
    let left = place.left(&asker);
    assert_eq!(
        (left.keys, left.uploads.len()),
        (before.clone(), 1),
        "{what}"
    );
    let first_bytes = sent_bytes(&place);
    place.proxy.heal();
    place.proxy.count_anew();
    let report = place.healthy_backup().await.expect("the next one succeeds");
    let again_bytes = sent_bytes(&place);
    assert!(
        again_bytes * 4 < first_bytes,
        "{what}: {again_bytes} of {first_bytes} sent again"
    );
    assert_eq!(
        place.proxy.seen().count(Step::CopyPart),
        0,
        "{what}: copied again"
    );
    let mut keys = before;
    keys.push(report.key.clone());
    let uploads = Vec::new();
    assert_eq!(place.left(&asker), Left { keys, uploads }, "{what}");
    assert!(!place.has_journal(), "{what}");
    place
        .check(&report.key, Of::Now)
        .await
        .expect("it is whole");
    let again = place.healthy_backup().await.expect("one more");
    assert!(again.unchanged, "{what}: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_backup_that_cannot_be_completed_is_gone_on_with() {
    fails_for_good(Scene::Parts, Fault::SlowDown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_increment_that_cannot_be_completed_is_gone_on_with() {
    fails_for_good(Scene::BigIncrement, Fault::ResetInRequest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_nobody_saw_completed_is_the_last_one_for_the_next_run() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let place = Place::new(&server, "completion");
    let asker = Mutex::new(Asker::new(&server));
    place.prepare(Scene::Parts).await.expect("prepared");
    let proxy = &place.proxy;
    proxy.break_steps(&[Step::Complete], Fault::LostAnswer, When::First(1));
    // The server goes on with what it was asked, and then nobody reaches it any more.
    proxy.break_steps(&[Step::Complete], Fault::ResetInRequest, When::Always);
    for number in 2..20 {
        let nth = When::Nth(number);
        proxy.break_steps(&[Step::Head], Fault::ResetInRequest, nth);
    }
    let broken = place.back_up(Reporter::silent()).await;
    let error = broken.expect_err("nobody saw it");
    assert_eq!(error.kind(), "unreachable", "{}", error.details());
    let made = place.left(&asker).keys;
    assert_eq!(made.len(), 1, "it was made");
    proxy.heal();
    proxy.count_anew();
    let report = place.healthy_backup().await.expect("the next one succeeds");
    assert!(report.unchanged, "{report:?}");
    assert_eq!(report.key, made[0]);
    assert_eq!(sent_bytes(&place), 0);
    let left = place.left(&asker);
    assert_eq!((left.keys, left.uploads), (made, vec![]));
    assert!(!place.has_journal());
    place
        .check(&report.key, Of::Now)
        .await
        .expect("it is whole");
}
