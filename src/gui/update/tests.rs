//! Tests of wishes and news without a window: what they change, and which jobs they start.

use super::{Core, absorb, apply, list};
use crate::apps::{self, Found};
use crate::config::{Config, Places};
use crate::engine::{BackupReport, DeleteReport, EngineError, VerifyDepth, VerifyReport};
use crate::gui::command::{BackUpManner, Command};
use crate::gui::forms::Place;
use crate::gui::job::{
    FolderPurpose, JobError, JobId, JobKind, JobUpdate, News, Outcome, Picked, Program,
    SecretStatus,
};
use crate::gui::notice::{Offer, Tone};
use crate::gui::setup::Setup;
use crate::gui::state::{ListStatus, Programs};
use crate::model::{Backup, Compression, Phase, Profile, Progress, Provider, WhenUnchanged};
use jiff::Timestamp;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A window's insides over empty folders. Its jobs run, but their news is never polled: each test
/// makes up the news it is about.
struct Bench {
    core: Core,
    folder: TempDir,
    _runtime: Runtime,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            config_dir: folder.path().join("config"),
            data_dir: folder.path().join("data"),
        };
        let runtime = Runtime::new().expect("a runtime");
        let setup = Setup {
            config: Config::first(&places),
            places,
            damaged: None,
            runtime: runtime.handle().clone().into(),
        };
        Self {
            core: Core::new(setup, egui::Context::default()),
            folder,
            _runtime: runtime,
        }
    }

    fn add_folder(&mut self) -> PathBuf {
        let path = self.folder.path().join("photos");
        let typed = path.display().to_string();
        apply(&mut self.core, Command::AddFolder(typed));
        path
    }

    fn id(&self, kind: JobKind) -> JobId {
        self.core.state.running(kind).expect("it runs").id
    }

    fn end(&mut self, kind: JobKind, result: Result<Outcome, JobError>) {
        let id = self.id(kind);
        let news = News::Ended(result);
        absorb(&mut self.core, JobUpdate { id, news });
    }

    fn titles(&self) -> Vec<&str> {
        let notices = self.core.state.notices.iter();
        notices.map(|notice| notice.title.as_str()).collect()
    }
}

fn row(name: &str) -> Backup {
    Backup::from_listing(name, 1, Timestamp::UNIX_EPOCH)
}

fn cancelled() -> JobError {
    EngineError::Cancelled.into()
}

#[test]
fn a_backup_without_folders_is_refused_with_the_reason() {
    let mut bench = Bench::new();
    apply(&mut bench.core, Command::BackUp(BackUpManner::AsSet));
    assert!(bench.core.state.running(JobKind::Backup).is_none());
    assert_eq!(bench.titles(), ["Add a folder to back up first."]);
}

#[test]
fn only_one_job_changes_backups_at_a_time() {
    let mut bench = Bench::new();
    bench.add_folder();
    apply(&mut bench.core, Command::BackUp(BackUpManner::AsSet));
    apply(&mut bench.core, Command::BackUp(BackUpManner::AsSet));
    apply(&mut bench.core, Command::Delete(row("a.zip")));
    let exclusive = bench.core.state.jobs.iter();
    let count = exclusive.filter(|job| job.kind.is_exclusive()).count();
    assert_eq!(count, 1);
    bench.end(JobKind::Backup, Err(cancelled()));
    assert!(
        bench
            .titles()
            .contains(&"Backup cancelled. Nothing was left behind.")
    );
    assert!(bench.core.state.exclusive().is_none());
}

#[test]
fn the_list_of_another_destination_is_ignored() {
    let mut bench = Bench::new();
    list(&mut bench.core);
    let old = bench.id(JobKind::List);
    bench.core.forms.profile.folder = bench.folder.path().join("other").display().to_string();
    apply(&mut bench.core, Command::FinishForm);
    assert_ne!(bench.id(JobKind::List), old);
    let news = News::Ended(Ok(Outcome::Listed(vec![row("old.zip")])));
    absorb(&mut bench.core, JobUpdate { id: old, news });
    assert!(bench.core.state.table.rows.is_empty());
    assert_eq!(bench.core.state.table.status, ListStatus::Loading);
    bench.end(JobKind::List, Ok(Outcome::Listed(vec![row("new.zip")])));
    assert_eq!(bench.core.state.table.rows[0].name, "new.zip");
}

#[test]
fn a_failed_list_is_told_in_the_table_unless_rows_are_shown() {
    let mut bench = Bench::new();
    list(&mut bench.core);
    bench.end(JobKind::List, Err(EngineError::NoSources.into()));
    assert!(matches!(
        bench.core.state.table.status,
        ListStatus::Failed(_)
    ));
    apply(&mut bench.core, Command::Refresh);
    bench.end(JobKind::List, Ok(Outcome::Listed(vec![row("a.zip")])));
    apply(&mut bench.core, Command::Refresh);
    bench.end(JobKind::List, Err(EngineError::NoSources.into()));
    assert_eq!(bench.core.state.table.rows.len(), 1);
    assert_eq!(bench.titles(), ["There is no folder to back up"]);
}

#[test]
fn a_deleted_row_goes_at_once_and_its_mark_with_it() {
    let mut bench = Bench::new();
    list(&mut bench.core);
    let rows = vec![row("a.zip"), row("b.zip")];
    bench.end(JobKind::List, Ok(Outcome::Listed(rows)));
    apply(&mut bench.core, Command::Select("a.zip".to_owned()));
    apply(&mut bench.core, Command::Delete(row("a.zip")));
    let report = DeleteReport {
        deleted: vec!["a.zip".to_owned()],
        failed: Vec::new(),
    };
    bench.end(JobKind::Delete, Ok(Outcome::Deleted(report)));
    assert_eq!(bench.core.state.table.rows.len(), 1);
    assert_eq!(bench.core.state.table.selected, None);
}

#[test]
fn one_save_runs_at_a_time_and_the_last_word_is_saved() {
    let mut bench = Bench::new();
    let path = bench.add_folder();
    let first = bench.id(JobKind::Save);
    apply(&mut bench.core, Command::RemoveFolder(path));
    assert_eq!(bench.id(JobKind::Save), first);
    bench.end(JobKind::Save, Ok(Outcome::Saved(Vec::new())));
    assert_ne!(bench.id(JobKind::Save), first, "what changed is saved next");
    bench.end(JobKind::Save, Ok(Outcome::Saved(Vec::new())));
    assert!(bench.core.state.running(JobKind::Save).is_none());
}

#[test]
fn a_typed_secret_counts_at_once_and_survives_a_failed_save() {
    let mut bench = Bench::new();
    let form = &mut bench.core.forms.profile;
    form.place = Place::Bucket(Provider::MINIO);
    "http://127.0.0.1:1".clone_into(&mut form.endpoint);
    "bucket".clone_into(&mut form.bucket);
    "id".clone_into(&mut form.access_key_id);
    "hunter2".clone_into(&mut form.secret);
    form.secret_edit = crate::gui::forms::SecretEdit::Typed;
    apply(&mut bench.core, Command::FinishForm);
    assert_eq!(bench.core.state.destination_problem(), None);
    assert_eq!(bench.core.state.secret, SecretStatus::Kept);
    assert!(bench.core.state.running(JobKind::List).is_some());
    bench.end(JobKind::Save, Err(EngineError::NoSources.into()));
    let kept = bench.core.state.typed_secret("default");
    assert_eq!(kept.map(crate::model::Secret::expose), Some("hunter2"));
}

#[test]
fn another_profile_has_its_own_form_and_list() {
    let mut bench = Bench::new();
    bench.add_folder();
    apply(&mut bench.core, Command::CreateProfile("music".to_owned()));
    assert_eq!(bench.core.state.profile().name, "music");
    assert!(bench.core.state.profile().sources.is_empty());
    apply(&mut bench.core, Command::ShowProfile("default".to_owned()));
    assert_eq!(bench.core.state.profile().sources.len(), 1);
    apply(&mut bench.core, Command::RemoveProfile("music".to_owned()));
    assert_eq!(bench.core.state.config.profiles.len(), 1);
    apply(
        &mut bench.core,
        Command::CreateProfile("default".to_owned()),
    );
    assert_eq!(
        bench.core.state.config.profiles.len(),
        1,
        "names are unique"
    );
}

#[test]
fn a_dialog_that_never_showed_is_told() {
    for (millis, is_told) in [(3, true), (4_000, false)] {
        let mut bench = Bench::new();
        let kind = JobKind::PickFolder(FolderPurpose::Source);
        // Not by the command, which would show a dialog on the screen of whoever runs the tests.
        super::launch::launch(&mut bench.core, kind, "", |_| std::future::pending());
        let picked = Picked {
            folder: None,
            open_for: Duration::from_millis(millis),
        };
        bench.end(kind, Ok(Outcome::FolderPicked(picked)));
        let tone = bench.core.state.notices.iter().next().map(|n| n.tone);
        assert_eq!(tone, is_told.then_some(Tone::Warning));
    }
}

#[test]
fn the_rate_starts_anew_with_each_phase() {
    let mut bench = Bench::new();
    bench.add_folder();
    apply(&mut bench.core, Command::BackUp(BackUpManner::AsSet));
    let id = bench.id(JobKind::Backup);
    for phase in [Phase::Scanning, Phase::Uploading] {
        let progress = Progress {
            phase,
            bytes_done: 10,
            ..Progress::default()
        };
        let news = News::Progress(progress);
        absorb(&mut bench.core, JobUpdate { id, news });
        let job = bench.core.state.running(JobKind::Backup).expect("it runs");
        assert_eq!(job.progress.phase, phase);
        assert_eq!(job.rate.bytes_per_sec(), None);
    }
}

#[test]
fn how_backups_are_made_belongs_to_the_profile_and_the_terminals_change_is_adopted() {
    let mut bench = Bench::new();
    bench.core.forms.profile.compression = Compression::Small;
    bench.core.forms.profile.when_unchanged = WhenUnchanged::BackUp;
    apply(&mut bench.core, Command::KeepForm);
    let kept = bench.core.state.profile().clone();
    assert_eq!(kept.compression, Compression::Small);
    assert_eq!(kept.when_unchanged, WhenUnchanged::BackUp);
    let by_terminal = Profile {
        compression: Compression::Fast,
        ..kept
    };
    let outcome = Outcome::Saved(vec![by_terminal]);
    bench.end(JobKind::Save, Ok(outcome));
    assert_eq!(bench.core.forms.profile.compression, Compression::Fast);
    apply(&mut bench.core, Command::KeepForm);
    let profile = bench.core.state.profile();
    assert_eq!(profile.compression, Compression::Fast, "not undone");
    assert_eq!(profile.when_unchanged, WhenUnchanged::BackUp);
}

#[test]
fn a_verification_keeps_its_backup_from_being_deleted_meanwhile() {
    let mut bench = Bench::new();
    let verify = Command::Verify(row("a.zip"), VerifyDepth::Full);
    apply(&mut bench.core, verify.clone());
    apply(&mut bench.core, Command::Delete(row("a.zip")));
    apply(&mut bench.core, verify);
    assert!(bench.core.state.running(JobKind::Delete).is_none());
    assert_eq!(bench.core.state.jobs.len(), 1);
    let report = VerifyReport {
        entries: 3,
        bytes: 9,
        ..VerifyReport::default()
    };
    let outcome = Outcome::Verified(VerifyDepth::Full, report);
    bench.end(JobKind::Verify, Ok(outcome));
    let titles = bench.titles();
    assert!(
        titles[0].starts_with("Whole: 3 files and folders"),
        "{titles:?}"
    );
    assert!(bench.core.state.exclusive().is_none());
}

#[test]
fn an_unchanged_backup_adds_no_row_and_offers_one_of_the_same_profile() {
    let mut bench = Bench::new();
    list(&mut bench.core);
    bench.end(JobKind::List, Ok(Outcome::Listed(vec![row("a.zip")])));
    bench.add_folder();
    apply(&mut bench.core, Command::BackUp(BackUpManner::AsSet));
    let report = BackupReport {
        row: row("a.zip"),
        backup: None,
        key: "a.zip".to_owned(),
        unchanged: true,
        created: Timestamp::UNIX_EPOCH,
        files: 1,
        bytes_total: 1,
        bytes_read: 0,
        full_because: None,
        bytes_uploaded: 0,
        bytes_copied: 0,
        bytes_resumed: 0,
        requests: 1,
        duration_secs: 0.1,
        warnings: Vec::new(),
    };
    let outcome = Outcome::BackedUp(Box::new(report));
    bench.end(JobKind::Backup, Ok(outcome));
    assert_eq!(bench.core.state.table.rows.len(), 1);
    let notice = bench.core.state.notices.iter().next().expect("told");
    assert!(notice.title.starts_with("Nothing changed since"));
    let offer = Offer::BackUpAllTheSame("default".to_owned());
    assert_eq!(notice.offer, Some(offer));
}

#[test]
fn programs_that_cannot_be_looked_for_are_looked_for_once() {
    let mut bench = Bench::new();
    apply(&mut bench.core, Command::FindPrograms);
    let crashed = EngineError::Crashed("it broke".to_owned());
    bench.end(JobKind::FindPrograms, Err(JobError::Engine(crashed)));
    assert!(matches!(&bench.core.state.programs, Programs::Known(none) if none.is_empty()));
    assert!(!bench.titles().is_empty(), "it is told");
}

#[test]
fn a_programs_data_is_added_once_with_what_is_left_out_of_it() {
    let mut bench = Bench::new();
    let photos = bench.add_folder();
    bench.core.forms.profile.excludes = "*.tmp".to_owned();
    apply(&mut bench.core, Command::FindPrograms);
    apply(&mut bench.core, Command::FindPrograms);
    let folder = bench.folder.path().join("CherryStudio");
    let program = Program {
        preset: apps::preset("cherry-studio").expect("known"),
        found: Found {
            folders: vec![folder.clone()],
            missing: Vec::new(),
        },
    };
    assert_eq!(bench.core.state.program_problem(&program), None);
    let found = Outcome::ProgramsFound(vec![program.clone()]);
    bench.end(JobKind::FindPrograms, Ok(found));
    assert!(bench.core.state.running(JobKind::FindPrograms).is_none());
    for _ in 0..2 {
        apply(
            &mut bench.core,
            Command::AddProgram("cherry-studio".to_owned()),
        );
        let profile = bench.core.state.profile();
        assert_eq!(profile.sources, [photos.clone(), folder.clone()]);
        let mut excludes = vec!["*.tmp".to_owned()];
        excludes.extend(program.preset.excludes_in(&folder));
        assert_eq!(profile.excludes, excludes);
        assert_eq!(bench.core.forms.profile.excludes, excludes.join("\n"));
    }
    assert_eq!(
        bench.core.state.program_problem(&program),
        Some("backed up already")
    );
    let gone = Program {
        found: Found::default(),
        ..program
    };
    assert_eq!(
        bench.core.state.program_problem(&gone),
        Some("not found on this computer")
    );
}
