//! Every fault at every step of a backup ends in a good archive or a clear error, with nothing
//! half-made; and the next backup succeeds and leaves nothing but archives.

use crate::expected::{Case, Expected};
use crate::scene::{Left, Of, Place, Scene};
use crate::support::{Asker, Fault, SeaweedFs, Server, Step, When};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use zipkeep::engine::{BackupReport, EngineError};
use zipkeep::model::Reporter;

/// Cases that run at the same time.
const AT_ONCE: usize = 4;
/// Each stores up to 60 MB.
const CASES_A_SERVER: usize = 60;
/// No case may take longer; the slowest faults take 1 s, and 3 attempts wait 1 s.
const MOST_SECS: u64 = 40;

/// Stalls shorter than anybody's patience.
const STALL: Duration = Duration::from_secs(1);

#[test]
fn the_selection_has_every_fault_every_scene_and_every_step() {
    let cases = once();
    if std::env::var_os("ZIPKEEP_FAULTS").is_some() {
        return;
    }
    for fault in Fault::ALL {
        let kind = std::mem::discriminant(&fault);
        let is_it = |case: &Case| std::mem::discriminant(&case.fault) == kind;
        assert!(cases.iter().any(is_it), "{fault:?}");
    }
    for scene in Scene::ALL {
        assert!(cases.iter().any(|case| case.scene == scene), "{scene:?}");
        for step in scene.steps() {
            assert!(cases.iter().any(|case| case.step == *step), "{step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_is_met_once_ends_well_or_clearly() {
    run(once()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_is_met_always_ends_clearly() {
    run(always()).await;
}

/// All cases (`ZIPKEEP_FAULTS=all`), those whose name holds a text (`ZIPKEEP_FAULTS=CopyPart`), or
/// every so many, and the first of each fault and of each step.
fn chosen(cases: Vec<Case>, one_of: usize) -> Vec<Case> {
    let wanted = std::env::var("ZIPKEEP_FAULTS").unwrap_or_default();
    let (mut faults, mut steps) = (HashSet::new(), HashSet::new());
    let chosen = cases.into_iter().enumerate().filter(|(at, case)| {
        let is_new_fault = faults.insert(std::mem::discriminant(&case.fault));
        let is_new_step = steps.insert(case.step);
        match wanted.as_str() {
            "" => at % one_of == one_of / 2 || is_new_fault || is_new_step,
            "all" => true,
            name => format!("{case:?}").contains(name),
        }
    });
    chosen.map(|(_, case)| case).collect()
}

/// All faults at all steps of all scenes.
fn once() -> Vec<Case> {
    let mut cases = Vec::new();
    for scene in Scene::ALL {
        for step in scene.steps() {
            for fault in Fault::ALL {
                // The first look is for a stranger of the same name, the second at what was made.
                let times: &[_] = match step {
                    Step::Head => &[When::First(1), When::Nth(2)],
                    _ => &[When::First(1)],
                };
                let fault = shorter(fault, *step);
                for when in times.iter().filter(|_| fault.fits(*step)) {
                    cases.push(Case {
                        scene,
                        step: *step,
                        fault,
                        when: *when,
                    });
                }
            }
        }
    }
    chosen(cases, 17)
}

fn always() -> Vec<Case> {
    let faults = [
        Fault::SlowDown,
        Fault::ErrorInside200,
        Fault::AccessDenied,
        Fault::ClockSkewed,
        Fault::ResetInRequest,
        Fault::CutAnswer,
        Fault::LostAnswer,
        Fault::WrongEtag,
        Fault::MissingEtag,
        Fault::RangeIgnored,
    ];
    let mut cases = Vec::new();
    for scene in Scene::ALL {
        for step in scene.steps() {
            for fault in faults {
                if fault.fits(*step) {
                    cases.push(Case {
                        scene,
                        step: *step,
                        fault,
                        when: When::Always,
                    });
                }
            }
        }
    }
    chosen(cases, 29)
}

/// So that bodies of megabytes do not crawl for minutes.
fn shorter(fault: Fault, step: Step) -> Fault {
    match fault {
        Fault::StallInRequest(_) => Fault::StallInRequest(STALL),
        Fault::StallBeforeAnswer(_) => Fault::StallBeforeAnswer(STALL),
        Fault::StallInAnswer(_) => Fault::StallInAnswer(STALL),
        Fault::Drip(_) if matches!(step, Step::UploadPart | Step::Put | Step::Get) => {
            Fault::Drip(4 << 20)
        }
        fault => fault,
    }
}

async fn run(cases: Vec<Case>) {
    let mut told = Told::default();
    // Deleted bytes stay on the server's disk, so no server serves many cases.
    for some in cases.chunks(CASES_A_SERVER) {
        let Some(server) = SeaweedFs::start() else {
            return;
        };
        run_at(&server, some, &mut told).await;
    }
    println!("{} cases; the slowest took {:?}", cases.len(), told.slowest);
    assert!(told.problems.is_empty(), "\n{}", told.problems);
}

#[derive(Default)]
struct Told {
    problems: String,
    slowest: (Duration, String),
}

async fn run_at(server: &Server, cases: &[Case], told: &mut Told) {
    let asker = Arc::new(Mutex::new(Asker::new(server)));
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (number, case) in cases.iter().copied().enumerate() {
        let (server, asker, room) = (server.clone(), Arc::clone(&asker), Arc::clone(&room));
        running.spawn(async move {
            let _permit = room.acquire_owned().await.expect("nobody closes it");
            let root_path = format!("{:?}/{number}", case.when).replace(['(', ')'], "-");
            let began = Instant::now();
            let judged = tokio::spawn(judge(case, server, root_path, asker)).await;
            let judged = judged.unwrap_or_else(|crash| Err(crash.to_string()));
            (case, judged, began.elapsed())
        });
    }
    while let Some(ended) = running.join_next().await {
        let (case, judged, took) = ended.expect("no case crashes the others");
        println!("{case:?} {judged:?} {took:.1?}");
        if took > told.slowest.0 {
            told.slowest = (took, format!("{case:?}"));
        }
        if let Err(problem) = judged {
            writeln!(told.problems, "{case:?}: {problem}").expect("a string takes everything");
        }
    }
}

/// Runs one case and says how the backup ended.
async fn judge(
    case: Case,
    server: Server,
    root_path: String,
    asker: Arc<Mutex<Asker>>,
) -> Result<String, String> {
    let place = Place::new(&server, &root_path);
    place.prepare(case.scene).await?;
    let before = place.left(&asker);
    place.proxy.break_steps(&[case.step], case.fault, case.when);
    let began = Instant::now();
    let ended = place.back_up(Reporter::silent()).await;
    let took = began.elapsed();
    let struck = place.proxy.seen().total().faults;
    place.proxy.heal();
    if struck == 0 {
        return Err("the fault struck nobody".to_owned());
    }
    if took.as_secs() > MOST_SECS {
        return Err(format!("took {took:?}"));
    }
    let outcome = match &ended {
        Ok(_) => "good".to_owned(),
        Err(error) => format!("{}: {error}", error.kind()),
    };
    let after = place.left(&asker);
    let about = |problem: String| format!("{problem}\n    ended {outcome}, left {after:?}");
    as_expected(case, &ended).map_err(about)?;
    match &ended {
        Ok(report) => good(&place, report, &before, &after).await.map_err(about)?,
        Err(_) => {
            clear(&place, &before, &after, &asker)
                .await
                .map_err(about)?;
        }
    }
    Ok(outcome)
}

fn as_expected(case: Case, ended: &Result<BackupReport, EngineError>) -> Result<(), String> {
    match (case.expected(), ended) {
        (Expected::Good, Ok(_)) => Ok(()),
        (Expected::Error(kinds), Err(error)) if kinds.contains(&error.kind()) => Ok(()),
        (expected, Ok(_)) => Err(format!("good, expected {expected:?}")),
        (expected, Err(error)) => Err(format!("expected {expected:?}: {}", error.details())),
    }
}

/// A good end: what was there, one archive more, and nothing else.
async fn good(
    place: &Place,
    report: &BackupReport,
    before: &Left,
    after: &Left,
) -> Result<(), String> {
    let mut expected = before.keys.clone();
    expected.push(report.key.clone());
    expected.sort();
    let mut keys = after.keys.clone();
    keys.sort();
    if keys != expected {
        return Err(format!("keys {keys:?} instead of {expected:?}"));
    }
    if !after.uploads.is_empty() {
        return Err("an upload is left".to_owned());
    }
    if place.has_journal() {
        return Err("a journal is left".to_owned());
    }
    place.check(&report.key, Of::Now).await
}

/// An error: what was there, at most an upload that the next run deals with, and that run succeeds.
async fn clear(
    place: &Place,
    before: &Left,
    after: &Left,
    asker: &Mutex<Asker>,
) -> Result<(), String> {
    let is_known = after.uploads.len() <= 1 && place.has_journal();
    if !after.uploads.is_empty() && !is_known {
        return Err("an upload is left that nobody knows".to_owned());
    }
    for key in &after.keys {
        let of = if before.keys.contains(key) {
            Of::Before
        } else {
            Of::Now
        };
        place.check(key, of).await?;
    }
    let report = place.healthy_backup().await?;
    let left = place.left(asker);
    if !left.uploads.is_empty() || place.has_journal() {
        return Err(format!("the next run leaves an upload: {left:?}"));
    }
    if !left.keys.contains(&report.key) {
        return Err(format!("the next run's archive is not there: {left:?}"));
    }
    place.check(&report.key, Of::Now).await
}
