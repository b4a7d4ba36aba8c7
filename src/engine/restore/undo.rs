//! Use cases after a restore: what an interrupted one left is brought to an end, a whole one is undone, and
//! what is kept for that is listed and let go.

use crate::engine::error::{EngineError, causes};
use crate::engine::report::{Ended, Forgotten, KeptRestore, SettleReport, Settled, UndoReport};
use crate::engine::restore::alike::matching_of;
use crate::engine::restore::change::{Area, Change};
use crate::engine::restore::durable::sync_places;
use crate::engine::restore::later::changed_since;
use crate::engine::restore::log::{Head, RestoreLog, State, ids};
use crate::engine::restore::perform::{Failed, Next, forward};
use crate::engine::restore::place::{sort_set_aside, take_back};
use crate::engine::restore::set_aside::{self, is_to_be_sorted};
use crate::engine::restore::target_lock::TargetLock;
use crate::model::Warning;
use jiff::{SignedDuration, Timestamp};
use std::io;
use std::path::{Path, PathBuf};

/// What undoing does with files that were changed after the restore.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LaterChanges {
    /// It refuses, and names them.
    #[default]
    Respected,
    /// It sets them aside, and says where.
    SetAside,
}

/// Brings every restore to an end that was interrupted: one whose changes had begun is finished, or taken
/// back where that cannot be. Restores that are running are left alone. To be called at a start, before
/// anything else.
pub fn settle(data_dir: &Path) -> SettleReport {
    let mut report = SettleReport::default();
    for id in ids(data_dir).unwrap_or_default() {
        match settle_one(data_dir, &id) {
            Ok(Some(one)) => report.settled.push(one),
            // Where another one is just running, a later start goes on.
            Ok(None) | Err(EngineError::TargetBusy { .. }) => {}
            Err(error) => {
                tracing::error!(%error, id, "an interrupted restore could not be brought to an end");
                let reasons = std::iter::once(error.to_string()).chain(causes(&error));
                report.failed.push(Warning {
                    path: id,
                    reason: reasons.collect::<Vec<_>>().join(": "),
                });
            }
        }
    }
    report
}

fn settle_one(data_dir: &Path, id: &str) -> Result<Option<Settled>, EngineError> {
    // Somebody may want to undo it just now.
    if RestoreLog::is_settled(data_dir, id) {
        return sort_undone(data_dir, id).map(|()| None);
    }
    let Some(mut log) = RestoreLog::open(data_dir, id).map_err(EngineError::OwnData)? else {
        return Ok(None);
    };
    if matches!(log.state(), State::Done | State::Undone) {
        return Ok(None);
    }
    let (head, changes) = match log.read() {
        Ok(read) => read,
        // It was interrupted before anything was written down, so nothing was touched.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            log.remove(&[]).map_err(EngineError::OwnData)?;
            return Ok(None);
        }
        Err(error) => return Err(EngineError::OwnData(error)),
    };
    let ended = |ended| {
        Some(Settled {
            backup: head.backup.clone(),
            to: head.to.clone(),
            ended,
        })
    };
    match log.state() {
        State::Staging | State::LetGo => {
            // A disk that is not connected now is cleared once it is.
            let was_away = log.away();
            let is_apart = |(number, area): (usize, &Area)| {
                let is_gone = !area.anchor.exists()
                    || was_away.contains(&number) && area.folder.symlink_metadata().is_err();
                is_in_anchor(area) && is_gone
            };
            if !head.areas.iter().enumerate().any(is_apart) {
                log.remove(&head.areas).map_err(EngineError::OwnData)?;
            }
            Ok(None)
        }
        State::Forward => {
            check_working_folders(&head.areas)?;
            let _held = hold(data_dir, &head)?;
            let done = forward(&head.areas, &changes, || Next::GoOn, |_, _| Next::Stop).map(drop);
            if let Err(Failed { path, source }) = done {
                tracing::error!(path = %path.display(), %source, "an interrupted restore cannot go on");
                take_back(log, &head.areas, &changes).map_err(not_put_back)?;
                return Ok(ended(Ended::TakenBack));
            }
            sync_places(&head.areas, &changes).map_err(EngineError::OwnData)?;
            log.pass_to(State::Done).map_err(EngineError::OwnData)?;
            Ok(ended(Ended::Finished))
        }
        State::Back => {
            check_working_folders(&head.areas)?;
            let _held = hold(data_dir, &head)?;
            take_back(log, &head.areas, &changes).map_err(not_put_back)?;
            Ok(ended(Ended::TakenBack))
        }
        State::Done | State::Undone => Ok(None),
    }
}

fn not_put_back(Failed { path, source }: Failed) -> EngineError {
    EngineError::NotPutBack { path, source }
}

/// Goes on with sorting what a forced undo set aside, where that was interrupted.
fn sort_undone(data_dir: &Path, id: &str) -> Result<(), EngineError> {
    let undone = RestoreLog::peek_undone(data_dir, id).map_err(EngineError::OwnData)?;
    if undone.is_none_or(|(head, _)| !is_to_be_sorted(&head.areas)) {
        return Ok(());
    }
    let log = RestoreLog::open(data_dir, id).map_err(EngineError::OwnData)?;
    if let Some(log) = log.filter(|log| log.state() == State::Undone) {
        let (head, changes) = log.read().map_err(EngineError::OwnData)?;
        sort_set_aside(log, &head.areas, &changes);
    }
    Ok(())
}

/// Whether a working folder is on the disk that is restored to, which may not be connected.
fn is_in_anchor(area: &Area) -> bool {
    area.folder.starts_with(&area.anchor)
}

/// An error where a working folder is not there, because its disk is not connected: without it every change
/// seems to be done.
fn check_working_folders(areas: &[Area]) -> Result<(), EngineError> {
    for area in areas {
        let path = area.folder.clone();
        let there = std::fs::symlink_metadata(&path);
        there.map_err(|source| EngineError::KeptAway { path, source })?;
    }
    Ok(())
}

/// Keeps others from folders. What was interrupted there is brought to an end first: were it gone on with
/// later, it would be mixed into what comes now.
pub(super) fn hold_settled(
    data_dir: &Path,
    take: impl Fn() -> Result<TargetLock, EngineError>,
) -> Result<TargetLock, EngineError> {
    let held = take()?;
    if unfinished_in(data_dir, &held).is_none() {
        return Ok(held);
    }
    drop(held);
    settle(data_dir);
    let held = take()?;
    match unfinished_in(data_dir, &held) {
        None => Ok(held),
        Some(folder) => Err(EngineError::Unfinished { folder }),
    }
}

/// A folder of an interrupted restore that somebody else cannot be working on, because it is kept from them.
/// One whose disk is not connected changes nothing.
fn unfinished_in(data_dir: &Path, held: &TargetLock) -> Option<PathBuf> {
    let ids = ids(data_dir).unwrap_or_default().into_iter();
    let states = [State::Forward, State::Back];
    let midway = ids.filter_map(|id| RestoreLog::peek_head(data_dir, &id, &states).ok()?);
    let reachable = midway.filter(|head| check_working_folders(&head.areas).is_ok());
    let mut folders = reachable.flat_map(|head| {
        let folders = folders_of(&head).into_iter().map(Path::to_owned);
        folders.collect::<Vec<PathBuf>>()
    });
    folders.find(|folder| held.keeps(folder, matching_of(folder)))
}

/// Keeps other restores from the folders that this one wrote to.
fn hold(data_dir: &Path, head: &Head) -> Result<TargetLock, EngineError> {
    let folders = folders_of(head).into_iter();
    TargetLock::take(
        data_dir,
        folders.map(|folder| (folder, matching_of(folder))),
    )
}

fn folders_of(head: &Head) -> Vec<&Path> {
    // What is no text was not written down whole; where it began is known in any case.
    let is_whole = |folder: &String| !folder.contains(char::REPLACEMENT_CHARACTER);
    if head.to.iter().all(is_whole) {
        head.to.iter().map(Path::new).collect()
    } else {
        let anchors = head.areas.iter().map(|area| area.anchor.as_path());
        anchors.collect()
    }
}

/// The restores that can be undone, and those that were and keep something aside; the newest first.
pub fn restores(data_dir: &Path) -> Result<Vec<KeptRestore>, EngineError> {
    let mut kept = Vec::new();
    let ids = ids(data_dir).map_err(EngineError::OwnData)?;
    for id in ids.into_iter().rev() {
        match look_at(data_dir, &id) {
            Ok(found) => kept.extend(found),
            Err(error) => tracing::warn!(%error, id, "what a restore left cannot be read"),
        }
    }
    Ok(kept)
}

fn look_at(data_dir: &Path, id: &str) -> io::Result<Option<KeptRestore>> {
    if let Some((head, changes)) = RestoreLog::peek(data_dir, id)? {
        return Ok(Some(describe(id.to_owned(), head, &changes)));
    }
    let undone = RestoreLog::peek_undone(data_dir, id)?;
    Ok(undone.map(|(head, since)| {
        let folders = set_aside::folders(&head.areas);
        KeptRestore {
            kept_bytes: folders.iter().map(|folder| bytes_in(folder)).sum(),
            undone: Some(since),
            set_aside: texts(&folders),
            ..describe(id.to_owned(), head, &[])
        }
    }))
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

fn describe(id: String, head: Head, changes: &[Change]) -> KeptRestore {
    let (mut put, mut removed) = (0, 0);
    for change in changes {
        match change {
            Change::Put { .. } => put += 1,
            Change::Remove { .. } => removed += 1,
            _ => {}
        }
    }
    KeptRestore {
        id,
        backup: head.backup,
        created: head.created,
        to: head.to,
        put,
        removed,
        kept_bytes: {
            let areas = head.areas.iter();
            areas.map(|area| bytes_in(&area.folder.join("old"))).sum()
        },
        undone: None,
        set_aside: Vec::new(),
    }
}

fn bytes_in(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let sizes = files.filter_map(|file| {
        let metadata = file.metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    });
    sizes.sum()
}

/// Puts back what the restore of this id replaced or removed, and takes away what it put; of the newest
/// restore where none is named.
pub fn undo(
    data_dir: &Path,
    id: Option<&str>,
    later: LaterChanges,
) -> Result<UndoReport, EngineError> {
    let id = if let Some(id) = id {
        id.to_owned()
    } else {
        let mut all = restores(data_dir)?.into_iter();
        let newest = all.find(|restore| restore.undone.is_none());
        newest.ok_or(EngineError::NothingToUndo)?.id
    };
    let known = ids(data_dir).map_err(EngineError::OwnData)?;
    if !known.contains(&id) {
        return Err(EngineError::NothingToUndo);
    }
    let log = RestoreLog::open(data_dir, &id).map_err(EngineError::OwnData)?;
    let mut log = log.ok_or(EngineError::RestoreRunning)?;
    if log.state() != State::Done {
        return Err(EngineError::NothingToUndo);
    }
    let (head, changes) = log.read().map_err(EngineError::OwnData)?;
    check_working_folders(&head.areas)?;
    let _held = hold_settled(data_dir, || hold(data_dir, &head))?;
    let later_work = changed_since(&head.areas, &changes)?;
    if !later_work.is_empty() && later == LaterChanges::Respected {
        return Err(EngineError::ChangedSince(later_work));
    }
    let described = describe(id, head.clone(), &changes);
    // First: whoever goes on after a crash must know that what changed since is nowhere else.
    if !later_work.is_empty() {
        log.keep_areas(Timestamp::now())
            .map_err(EngineError::OwnData)?;
    }
    log.pass_to(State::Back).map_err(EngineError::OwnData)?;
    take_back(log, &head.areas, &changes).map_err(not_put_back)?;
    let kept = if later_work.is_empty() {
        Vec::new()
    } else {
        set_aside::folders(&head.areas)
    };
    Ok(UndoReport {
        backup: described.backup,
        taken_away: described.put,
        put_back: described.removed,
        to: described.to,
        set_aside: (!kept.is_empty()).then(|| texts(&kept).join(", ")),
        set_aside_files: kept
            .iter()
            .flat_map(|folder| texts(&set_aside::files_in(folder)))
            .collect(),
    })
}

/// Lets go of what is kept of a restore: it cannot be undone any more. What is kept on a disk that is not
/// connected goes at a start when it is.
pub fn forget_restore(data_dir: &Path, id: &str) -> Result<Forgotten, EngineError> {
    let known = ids(data_dir).map_err(EngineError::OwnData)?;
    if !known.iter().any(|known| known == id) {
        return Err(EngineError::NothingToUndo);
    }
    let log = RestoreLog::open(data_dir, id).map_err(EngineError::OwnData)?;
    let log = log.ok_or(EngineError::RestoreRunning)?;
    if !matches!(log.state(), State::Done | State::Undone) {
        return Err(EngineError::RestoreRunning);
    }
    let (head, _) = log.read().map_err(EngineError::OwnData)?;
    let areas = head.areas.iter().enumerate();
    let away = areas
        .filter(|(_, area)| is_in_anchor(area) && std::fs::symlink_metadata(&area.folder).is_err());
    let away: Vec<usize> = away.map(|(number, _)| number).collect();
    if away.is_empty() {
        log.remove(&head.areas).map_err(EngineError::OwnData)?;
        return Ok(Forgotten::Now);
    }
    log.remove_but(&head.areas, &away)
        .map_err(EngineError::OwnData)?;
    Ok(Forgotten::OnceConnected)
}

/// Lets go of all restores that are older than this, and of what forced undoings set aside longer ago, and
/// gives their number.
pub fn forget_old_restores(
    data_dir: &Path,
    older_than: SignedDuration,
) -> Result<u64, EngineError> {
    let now = Timestamp::now();
    let is_old = |since: Timestamp| now.duration_since(since) > older_than;
    let mut forgotten = 0;
    for id in ids(data_dir).map_err(EngineError::OwnData)? {
        // Read at each start, also of a restore of a million files: no more than the head.
        if let Ok(Some(head)) = RestoreLog::peek_head(data_dir, &id, &[State::Done])
            && !is_old(head.created)
        {
            continue;
        }
        if let Ok(Some((_, since))) = RestoreLog::peek_undone(data_dir, &id)
            && !is_old(since)
        {
            continue;
        }
        let log = RestoreLog::open(data_dir, &id).map_err(EngineError::OwnData)?;
        let is_midway = |log: &RestoreLog| matches!(log.state(), State::Forward | State::Back);
        let Some(log) = log.filter(|log| !is_midway(log)) else {
            continue;
        };
        let Ok(head) = log.read_head() else {
            continue;
        };
        // What is kept on a disk that is not connected now is let go once it is.
        if check_working_folders(&head.areas).is_err() {
            continue;
        }
        if is_old(head.created) {
            log.remove(&head.areas).map_err(EngineError::OwnData)?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::restore::change::Spot;
    use crate::engine::restore::perform::look_of;
    use crate::engine::restore::workspace;
    use std::fs;

    /// A target with `a` and `b`, and a restore that put another `a` and removed `b`.
    struct Restored {
        folder: tempfile::TempDir,
        head: Head,
        changes: Vec<Change>,
        id: String,
    }

    impl Restored {
        fn up_to(state: State, changes_done: usize) -> Self {
            Self::up_to_below("", state, changes_done)
        }

        /// The same in a folder of the target.
        fn up_to_below(below: &str, state: State, changes_done: usize) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let (data, target) = (folder.path().join("data"), folder.path().join("target"));
            let inner = target.join(below);
            fs::create_dir_all(&inner).expect("made");
            fs::write(inner.join("a"), "old a").expect("written");
            fs::write(inner.join("b"), "old b").expect("written");
            let mut log = RestoreLog::begin(&data, Timestamp::now()).expect("begun");
            let mut area = workspace::possible(log.folder(), &target, 0).expect("an area");
            workspace::make(log.folder(), &mut area, 0).expect("made");
            fs::write(area.new_path(1), "new a").expect("staged");
            let look = look_of(&area.new_path(1)).expect("looked").expect("there");
            let at = |name: &str| Spot {
                area: 0,
                relative: Path::new(below).join(name),
            };
            let changes = vec![
                Change::Put {
                    number: 1,
                    at: at("a"),
                    look,
                },
                Change::Remove {
                    number: 2,
                    at: at("b"),
                    locked: None,
                },
            ];
            let head = Head {
                backup: "p.zip".to_owned(),
                created: Timestamp::now(),
                areas: vec![area],
                to: vec![target.display().to_string()],
            };
            log.write(&head, &changes).expect("written");
            log.pass_to(state).expect("passed");
            forward(
                &head.areas,
                &changes[..changes_done],
                || Next::GoOn,
                |_, _| Next::Stop,
            )
            .expect("done");
            let id = log.id();
            Self {
                folder,
                head,
                changes,
                id,
            }
        }

        fn data(&self) -> PathBuf {
            self.folder.path().join("data")
        }

        fn target(&self) -> Vec<String> {
            let read =
                |name: &str| fs::read_to_string(self.folder.path().join("target").join(name));
            ["a", "b"]
                .map(|name| read(name).unwrap_or_default())
                .to_vec()
        }
    }

    #[test]
    fn an_interruption_is_brought_to_its_end_at_the_next_start() {
        for changes_done in 0..=2 {
            let restored = Restored::up_to(State::Forward, changes_done);
            let settled = settle(&restored.data());
            assert_eq!(settled.settled[0].ended, Ended::Finished);
            assert_eq!(restored.target(), ["new a", ""]);
            assert_eq!(restores(&restored.data()).expect("listed").len(), 1);
            assert!(settle(&restored.data()).settled.is_empty(), "only once");
        }
        let restored = Restored::up_to(State::Back, 1);
        assert_eq!(settle(&restored.data()).settled[0].ended, Ended::TakenBack);
        assert_eq!(restored.target(), ["old a", "old b"]);
        let restored = Restored::up_to(State::Staging, 0);
        assert!(settle(&restored.data()).settled.is_empty());
        assert_eq!(ids(&restored.data()).expect("listed"), Vec::<String>::new());
        assert!(!restored.head.areas[0].folder.exists());
    }

    #[test]
    fn what_is_half_cleared_away_is_neither_done_nor_taken_back_again() {
        for (state, changes_done, target) in [
            (State::LetGo, 2, ["new a", ""]),
            (State::LetGo, 0, ["old a", "old b"]),
        ] {
            let restored = Restored::up_to(state, changes_done);
            let area = &restored.head.areas[0];
            for path in [area.new_path(1), area.old_path(1), area.old_path(2)] {
                fs::remove_file(path).ok();
            }
            assert!(restores(&restored.data()).expect("listed").is_empty());
            let again = undo(
                &restored.data(),
                Some(&restored.id),
                LaterChanges::Respected,
            );
            assert!(matches!(again, Err(EngineError::NothingToUndo)));
            assert!(settle(&restored.data()).settled.is_empty());
            assert_eq!(restored.target(), target);
            assert_eq!(ids(&restored.data()).expect("listed"), Vec::<String>::new());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_working_folder_inside_the_target_goes_also_when_it_was_just_being_made() {
        use crate::engine::restore::change::FolderLook;
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (data, target) = (folder.path().join("data"), folder.path().join("target"));
        fs::create_dir_all(&target).expect("made");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o500)).expect("set");
        let look = || FolderLook::of(&fs::metadata(&target).expect("there"));
        let before = look();
        for is_probe in [true, false] {
            let log = RestoreLog::begin(&data, Timestamp::now()).expect("begun");
            let area = workspace::possible(log.folder(), &target, 0).expect("an area");
            let head = Head {
                backup: "p.zip".to_owned(),
                created: Timestamp::now(),
                areas: vec![area.clone()],
                to: Vec::new(),
            };
            log.write(&head, &[]).expect("written");
            drop(log);
            fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).expect("opened");
            if is_probe {
                fs::write(&area.folder, "").expect("moved there");
            } else {
                fs::create_dir_all(area.folder.join("new")).expect("made");
            }
            assert!(settle(&data).settled.is_empty());
            assert!(!area.folder.exists());
            assert_eq!(look(), before);
        }
    }

    #[test]
    fn clearing_away_that_fails_in_the_middle_of_an_undo_harms_nothing() {
        let restored = Restored::up_to(State::Done, 2);
        let log = RestoreLog::open(&restored.data(), &restored.id).expect("looked");
        let (mut head, changes) = log.as_ref().expect("free").read().expect("whole");
        // A second working folder, whose name no system takes, so that it cannot be removed.
        let mut stuck = head.areas[0].clone();
        stuck.folder = PathBuf::from("\0");
        head.areas.push(stuck);
        let log = log.expect("free");
        assert!(take_back(log, &head.areas, &changes).is_err());
        assert_eq!(restored.target(), ["old a", "old b"]);
        assert!(settle(&restored.data()).settled.is_empty());
        assert_eq!(restored.target(), ["old a", "old b"]);
        assert_eq!(ids(&restored.data()).expect("listed"), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_done_or_taken_back_while_a_disk_is_not_connected() {
        for (state, changes_done, target) in [
            (State::Forward, 1, ["new a", ""]),
            (State::Back, 2, ["old a", "old b"]),
            (State::Done, 2, ["old a", "old b"]),
        ] {
            let restored = Restored::up_to(state, changes_done);
            let connected = restored.head.areas[0].folder.clone();
            let apart = restored.folder.path().join("not connected");
            fs::rename(&connected, &apart).expect("moved");
            let before = restored.target();
            assert!(settle(&restored.data()).settled.is_empty(), "{state:?}");
            let refused = undo(&restored.data(), None, LaterChanges::SetAside);
            assert!(refused.is_err(), "{state:?}");
            assert_eq!(restored.target(), before, "{state:?}");
            fs::rename(&apart, &connected).expect("moved");
            if state == State::Done {
                undo(&restored.data(), None, LaterChanges::Respected).expect("undone");
            } else {
                assert_eq!(settle(&restored.data()).settled.len(), 1, "{state:?}");
            }
            assert_eq!(restored.target(), target, "{state:?}");
        }
    }

    #[test]
    fn work_that_came_between_an_interrupted_undo_and_the_next_start_is_kept() {
        let restored = Restored::up_to(State::Back, 2);
        let target = restored.folder.path().join("target");
        for name in ["a", "b"] {
            fs::write(target.join(name), format!("my {name}")).expect("written");
        }
        assert_eq!(settle(&restored.data()).settled[0].ended, Ended::TakenBack);
        assert_eq!(restored.target(), ["old a", "old b"]);
        let listed = restores(&restored.data()).expect("listed");
        let kept = PathBuf::from(&listed[0].set_aside[0]);
        for name in ["a", "b"] {
            let read = fs::read_to_string(kept.join(name)).expect("kept");
            assert_eq!(read, format!("my {name}"));
        }
    }

    #[test]
    fn what_was_interrupted_in_a_folder_ends_before_anything_else_begins_there() {
        let restored = Restored::up_to(State::Forward, 1);
        let (data, target) = (restored.data(), restored.folder.path().join("target"));
        let take = |folder: &Path| {
            let matching = matching_of(folder);
            hold_settled(&data, || TargetLock::take(&data, [(folder, matching)]))
        };
        let held = take(&restored.folder.path().join("elsewhere")).expect("free");
        assert_eq!(restored.target(), ["new a", "old b"], "no business of it");
        drop(held);
        let held = take(&target.join("below")).expect("settled");
        assert_eq!(restored.target(), ["new a", ""]);
        drop(held);

        let stuck = Restored::up_to(State::Back, 2);
        let (data, target) = (stuck.data(), stuck.folder.path().join("target"));
        // Nothing can be put back below a file, and a working folder's own name is none.
        fs::remove_file(target.join("a")).expect("removed");
        fs::remove_dir_all(&target).expect("removed");
        fs::write(&target, "in the way").expect("written");
        let refused = hold_settled(&data, || {
            TargetLock::take(&data, [(target.as_path(), matching_of(&target))])
        });
        assert!(matches!(refused, Err(EngineError::Unfinished { folder }) if folder == target));
    }

    #[test]
    fn what_stands_where_a_folder_was_is_named_and_set_aside() {
        let restored = Restored::up_to_below("d", State::Done, 2);
        let (data, target) = (restored.data(), restored.folder.path().join("target"));
        fs::remove_dir_all(target.join("d")).expect("removed");
        fs::write(target.join("d"), "mine").expect("written");
        match undo(&data, None, LaterChanges::Respected) {
            Err(EngineError::ChangedSince(paths)) => assert_eq!(paths, [target.join("d")]),
            other => panic!("{other:?}"),
        }
        let report = undo(&data, None, LaterChanges::SetAside).expect("undone");
        for name in ["a", "b"] {
            let read = fs::read_to_string(target.join("d").join(name)).expect("put back");
            assert_eq!(read, format!("old {name}"));
        }
        let aside = PathBuf::from(report.set_aside.expect("told")).join("d");
        assert_eq!(fs::read_to_string(aside).expect("kept"), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_taken_or_written_through_a_link_that_came_since() {
        let restored = Restored::up_to_below("d", State::Done, 2);
        let (data, target) = (restored.data(), restored.folder.path().join("target"));
        let elsewhere = restored.folder.path().join("elsewhere");
        fs::rename(target.join("d"), &elsewhere).expect("moved");
        std::os::unix::fs::symlink(&elsewhere, target.join("d")).expect("linked");
        assert!(undo(&data, None, LaterChanges::Respected).is_err());
        undo(&data, None, LaterChanges::SetAside).expect("undone");
        let read = |path: PathBuf| fs::read_to_string(path).expect("there");
        assert_eq!(read(elsewhere.join("a")), "new a");
        assert_eq!(read(target.join("d/a")), "old a");
        assert!(!elsewhere.join("b").exists());
    }

    #[test]
    fn a_restore_is_undone_once() {
        let restored = Restored::up_to(State::Done, 2);
        let kept = restores(&restored.data()).expect("listed");
        assert_eq!(
            (kept[0].put, kept[0].removed, kept[0].kept_bytes),
            (1, 1, 10)
        );
        assert_eq!(kept[0].id, restored.id);
        let report = undo(&restored.data(), None, LaterChanges::Respected).expect("undone");
        assert_eq!(
            (report.taken_away, report.put_back, report.set_aside),
            (1, 1, None)
        );
        assert_eq!(restored.target(), ["old a", "old b"]);
        let again = undo(
            &restored.data(),
            Some(&restored.id),
            LaterChanges::Respected,
        );
        assert!(matches!(again, Err(EngineError::NothingToUndo)));
        assert!(
            !restored.head.areas[0].folder.exists(),
            "{:?}",
            restored.changes
        );
    }

    #[test]
    fn what_changed_since_is_named_and_never_lost() {
        let restored = Restored::up_to(State::Done, 2);
        let a = restored.folder.path().join("target/a");
        fs::write(&a, "my later work").expect("written");
        let refused = undo(&restored.data(), None, LaterChanges::Respected);
        match refused {
            Err(EngineError::ChangedSince(paths)) => assert_eq!(paths, [a]),
            other => panic!("{other:?}"),
        }
        assert_eq!(restored.target(), ["my later work", ""]);
        let report = undo(&restored.data(), None, LaterChanges::SetAside).expect("undone");
        assert_eq!(restored.target(), ["old a", "old b"]);
        let folder = PathBuf::from(report.set_aside.expect("told"));
        assert!(folder.starts_with(&restored.head.areas[0].folder));
        // Under the name that it had, and nothing else: all other files are in the backup.
        let aside = folder.join("a");
        assert_eq!(report.set_aside_files, [aside.display().to_string()]);
        assert_eq!(fs::read_to_string(aside).expect("kept"), "my later work");
        let listed = restores(&restored.data()).expect("listed");
        assert_eq!(listed[0].set_aside, [folder.display().to_string()]);
        assert_eq!(listed[0].kept_bytes, 13);
        assert!(listed[0].undone.is_some());
        let again = undo(&restored.data(), None, LaterChanges::SetAside);
        assert!(matches!(again, Err(EngineError::NothingToUndo)));
        assert!(settle(&restored.data()).failed.is_empty());
        forget_restore(&restored.data(), &restored.id).expect("let go");
        assert!(!restored.head.areas[0].folder.exists());
        assert_eq!(ids(&restored.data()).expect("listed"), Vec::<String>::new());
    }

    #[test]
    fn the_old_state_comes_back_by_force_also_where_its_folder_went_since() {
        let restored = Restored::up_to(State::Done, 2);
        fs::remove_dir_all(restored.folder.path().join("target")).expect("removed");
        let refused = undo(&restored.data(), None, LaterChanges::Respected);
        assert!(matches!(refused, Err(EngineError::ChangedSince(_))));
        undo(&restored.data(), None, LaterChanges::SetAside).expect("undone");
        assert_eq!(restored.target(), ["old a", "old b"]);
    }

    #[test]
    fn what_is_set_aside_is_kept_as_long_from_the_undo_on() {
        let restored = Restored::up_to(State::Done, 2);
        let a = restored.folder.path().join("target/a");
        fs::write(&a, "my later work").expect("written");
        undo(&restored.data(), None, LaterChanges::SetAside).expect("undone");
        // As if the restore were of long ago.
        let log = RestoreLog::open(&restored.data(), &restored.id).expect("looked");
        let log = log.expect("free");
        let (mut head, changes) = log.read().expect("whole");
        head.created = Timestamp::UNIX_EPOCH;
        log.write(&head, &changes).expect("written");
        drop(log);
        let forget = |secs| {
            let older_than = SignedDuration::from_secs(secs);
            forget_old_restores(&restored.data(), older_than).expect("looked")
        };
        assert_eq!(forget(60), 0);
        assert_eq!(restores(&restored.data()).expect("listed").len(), 1);
        assert_eq!(forget(-1), 1);
        assert!(restores(&restored.data()).expect("listed").is_empty());
    }

    #[test]
    fn what_a_killed_undo_set_aside_is_sorted_at_the_next_start() {
        let restored = Restored::up_to(State::Done, 2);
        fs::write(restored.folder.path().join("target/a"), "my later work").expect("written");
        let log = RestoreLog::open(&restored.data(), &restored.id).expect("looked");
        let mut log = log.expect("free");
        log.keep_areas(Timestamp::now()).expect("noted");
        log.pass_to(State::Back).expect("passed");
        drop(log);
        assert_eq!(settle(&restored.data()).settled[0].ended, Ended::TakenBack);
        // Or killed just before it was sorted.
        let area = &restored.head.areas[0];
        fs::create_dir(area.folder.join("new")).expect("made");
        fs::rename(area.folder.join("set-aside/a"), area.new_path(1)).expect("moved");
        assert!(settle(&restored.data()).settled.is_empty());
        let kept = fs::read_to_string(area.folder.join("set-aside/a"));
        assert_eq!(kept.expect("kept"), "my later work");
        assert_eq!(restored.target(), ["old a", "old b"]);
    }

    #[test]
    fn what_is_let_go_of_while_its_disk_is_away_goes_when_the_disk_is_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, disk) = (folder.path().join("data"), folder.path().join("disk"));
        fs::create_dir_all(&disk).expect("made");
        let mut log = RestoreLog::begin(&data, Timestamp::now()).expect("begun");
        let id = log.id();
        let area = workspace::possible(log.folder(), &disk, 0).expect("an area");
        for part in ["new", "old"] {
            fs::create_dir_all(area.folder.join(part)).expect("made");
        }
        let head = Head {
            backup: "p.zip".to_owned(),
            created: Timestamp::now(),
            areas: vec![area.clone()],
            to: vec![disk.display().to_string()],
        };
        log.write(&head, &[]).expect("written");
        log.pass_to(State::Done).expect("passed");
        drop(log);
        // The folder that it is mounted at stays, empty.
        let apart = folder.path().join("apart");
        fs::rename(&area.folder, &apart).expect("moved");
        let forgotten = forget_restore(&data, &id).expect("let go");
        assert_eq!(forgotten, Forgotten::OnceConnected);
        assert!(restores(&data).expect("listed").is_empty());
        let waits = settle(&data);
        assert!(waits.settled.is_empty() && waits.failed.is_empty());
        fs::rename(&apart, &area.folder).expect("moved");
        settle(&data);
        assert!(!area.folder.exists());
        assert_eq!(ids(&data).expect("listed"), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_brought_to_an_end_is_told() {
        let restored = Restored::up_to(State::Forward, 1);
        let connected = restored.head.areas[0].folder.clone();
        fs::rename(&connected, restored.folder.path().join("apart")).expect("moved");
        let failed = settle(&restored.data()).failed;
        assert_eq!(failed.len(), 1);
        let place = connected.display().to_string();
        assert!(failed[0].reason.contains(&place), "{failed:?}");
    }

    #[test]
    fn what_can_be_undone_is_told_also_while_somebody_works_on_it() {
        let restored = Restored::up_to(State::Done, 2);
        let _busy = RestoreLog::open(&restored.data(), &restored.id).expect("looked");
        assert_eq!(restores(&restored.data()).expect("listed").len(), 1);
        let undone = undo(&restored.data(), None, LaterChanges::Respected);
        assert!(matches!(undone, Err(EngineError::RestoreRunning)));
    }

    #[test]
    fn what_is_kept_on_a_disk_that_is_away_waits_until_it_is_back() {
        let restored = Restored::up_to(State::Done, 2);
        let connected = restored.head.areas[0].folder.clone();
        let apart = restored.folder.path().join("not connected");
        fs::rename(&connected, &apart).expect("moved");
        let now = SignedDuration::from_secs(-1);
        let forget = || forget_old_restores(&restored.data(), now).expect("looked");
        assert_eq!(forget(), 0);
        fs::rename(&apart, &connected).expect("moved");
        assert_eq!(forget(), 1);
        assert!(!connected.exists());
    }

    #[test]
    fn old_ones_are_let_go() {
        let restored = Restored::up_to(State::Done, 2);
        let day = SignedDuration::from_hours(24);
        assert_eq!(
            forget_old_restores(&restored.data(), day).expect("looked"),
            0
        );
        let now = SignedDuration::from_secs(-1);
        assert_eq!(
            forget_old_restores(&restored.data(), now).expect("looked"),
            1
        );
        assert_eq!(restored.target(), ["new a", ""]);
    }
}
