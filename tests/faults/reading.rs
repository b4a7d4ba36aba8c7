//! What reads a backup back meets a server that ignores the range asked for, and answers with all of
//! the object.

use crate::scene::{Place, Scene};
use crate::support::{Fault, SeaweedFs, Step, When};
use std::path::Path;
use tokio_util::sync::CancellationToken;
use zipkeep::engine::{
    self, Context, EngineError, RestoreRequest, RestoreTarget, VerifyDepth, VerifyRequest,
};
use zipkeep::model::Reporter;

/// Everything that reads, one after the other, each beginning with requests that are broken.
async fn read_all(
    place: &Place,
    key: &str,
    when: When,
    to: &Path,
) -> Vec<(&'static str, Result<(), EngineError>)> {
    let context = Context::new(
        Reporter::silent(),
        CancellationToken::new(),
        &place.path("data"),
    );
    let (store, key) = (place.store(), key.to_owned());
    let broken = || {
        place.proxy.heal();
        place
            .proxy
            .break_steps(&[Step::Get], Fault::RangeIgnored, when);
    };
    broken();
    let shown = engine::show(store, &key, &context).await.map(|_| ());
    broken();
    std::fs::create_dir_all(to).expect("a folder");
    let file = to.join("copy.zip");
    let downloaded = engine::download(store, &key, &file, &context).await;
    broken();
    let request = VerifyRequest {
        key: key.clone(),
        depth: VerifyDepth::Full,
    };
    let verified = engine::verify(store, request, &context).await;
    broken();
    let target = RestoreTarget::Folder(to.join("restored"));
    let restored = engine::restore(store, RestoreRequest::all_of(&key, target), &context).await;
    place.proxy.heal();
    vec![
        ("show", shown),
        ("download", downloaded.map(|_| ())),
        (
            "verify",
            verified.map(|report| assert_eq!(report.damaged, [])),
        ),
        ("restore", restored.map(|_| ())),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_is_ignored_is_asked_for_again_and_then_told() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let place = Place::new(&server, "reading");
    place.prepare(Scene::Small).await.expect("prepared");
    let key = place.healthy_backup().await.expect("a backup").key;
    for (job, ended) in read_all(&place, &key, When::First(2), &place.path("passes")).await {
        ended.unwrap_or_else(|error| panic!("{job}: {}", error.details()));
    }
    for (job, ended) in read_all(&place, &key, When::Always, &place.path("stays")).await {
        let error = ended.expect_err(job);
        assert_eq!(error.kind(), "range-ignored", "{job}: {}", error.details());
        let text = error.to_string();
        assert!(text.contains("ignored the range"), "{job}: {text}");
    }
}
