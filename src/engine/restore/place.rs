//! The moment when a restore touches the target: the changes are written down, then done; all or none.

use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::report::Room;
use crate::engine::restore::change::{Area, Change, FolderLook, Spot};
use crate::engine::restore::durable::{sync_places, sync_staged};
use crate::engine::restore::log::{Head, RestoreLog, State};
use crate::engine::restore::perform::{Failed, Next, Walked, back, forward, look_of};
use crate::engine::restore::plan::{Plan, Trust};
use crate::engine::restore::set_aside;
use crate::engine::restore::survey::{Effect, FileStep, Survey};
use crate::engine::restore::workspace;
use crate::model::{EntryKind, Warning};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

/// A restore whose working folders are made; nothing of the target is touched.
#[derive(Debug)]
pub(super) struct Prepared {
    log: RestoreLog,
    head: Head,
}

/// What was done.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Files that were there already, just as they should be.
    pub(super) unchanged: u64,
    /// Files, links and folders that only the target had.
    pub(super) removed: u64,
    /// By what it can be undone; `None` where nothing was changed.
    pub(super) undo: Option<String>,
    /// Why it cannot be undone though something was changed.
    pub(super) no_undo: Option<String>,
    /// What the disk did not let be changed, and why.
    pub(super) refused: Vec<Warning>,
}

impl Placed {
    /// The same without changes that could not be done: each with the name of what it is about, and why.
    fn without(mut self, refused: Vec<(Change, String, String)>, plan: &Plan) -> Self {
        for (change, path, reason) in refused {
            let reason = if let Change::Put { number, .. } = change {
                let item = usize::try_from(number).ok();
                let item = item.and_then(|at| plan.items.get(at));
                if let Some(item) = item.filter(|item| item.kind == EntryKind::File) {
                    self.files -= 1;
                    self.bytes -= item.size_bytes;
                }
                format!("it could not be put in its place: {reason}")
            } else {
                self.removed -= 1;
                format!("it could not be removed: {reason}")
            };
            self.refused.push(Warning { path, reason });
        }
        self
    }
}

impl Prepared {
    pub(super) fn new(
        data_dir: &Path,
        backup: String,
        to: Vec<String>,
        survey: &Survey,
        plan: &Plan,
    ) -> Result<Self, EngineError> {
        check_room(survey, plan)?;
        let created = Timestamp::now();
        let head = Head {
            backup,
            created,
            areas: Vec::new(),
            to,
        };
        let log = RestoreLog::begin(data_dir, created).map_err(EngineError::OwnData);
        let prepared = log.and_then(|log| Self::with(log, head.clone(), &survey.anchors));
        let (Err(EngineError::OwnData(because)), Some(anchor)) =
            (&prepared, survey.anchors.first())
        else {
            return prepared;
        };
        // To have the files back matters more than to be able to undo it.
        let because = io::Error::new(because.kind(), because.to_string());
        let log = workspace::begin_log(anchor, created, because).map_err(failed(anchor))?;
        Self::with(log, head, &survey.anchors)
    }

    fn with(log: RestoreLog, head: Head, anchors: &[PathBuf]) -> Result<Self, EngineError> {
        let mut prepared = Self { log, head };
        match prepared.make_areas(anchors) {
            Ok(()) => Ok(prepared),
            Err(error) => {
                prepared.forget();
                Err(error)
            }
        }
    }

    fn make_areas(&mut self, anchors: &[PathBuf]) -> Result<(), EngineError> {
        for (number, anchor) in anchors.iter().enumerate() {
            let area = workspace::possible(self.log.folder(), anchor, number);
            self.head.areas.push(area.map_err(failed(anchor))?);
        }
        // Before any is made: whoever finds it after a crash knows what to clear away.
        let written = self.log.write(&self.head, &[]);
        written.map_err(EngineError::OwnData)?;
        for (number, area) in self.head.areas.iter_mut().enumerate() {
            let made = workspace::make(self.log.folder(), area, number);
            made.map_err(failed(&area.anchor))?;
        }
        let written = self.log.write(&self.head, &[]);
        written.map_err(EngineError::OwnData)
    }

    /// Where the new content of a file waits.
    pub(super) fn new_path(&self, step: &FileStep) -> PathBuf {
        self.head.areas[step.at.area].new_path(step.item as u64)
    }

    /// Lets it go: the target is as it was.
    pub(super) fn forget(self) {
        if let Err(error) = self.log.remove(&self.head.areas) {
            tracing::warn!(%error, "a working folder of a restore stays behind");
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EngineError {
    let path = path.to_owned();
    move |source| EngineError::Target { path, source }
}

/// Puts everything in place but what is `left_out`, by name.
pub(super) fn place(
    prepared: Prepared,
    survey: &Survey,
    plan: &Plan,
    left_out: &HashSet<String>,
    context: &Context,
) -> Result<Placed, EngineError> {
    let (changes, placed) = match changes(&prepared, survey, plan, left_out) {
        Ok(changes) => changes,
        Err(error) => {
            prepared.forget();
            return Err(error);
        }
    };
    if changes.is_empty() {
        prepared.forget();
        return Ok(placed);
    }
    let Prepared { mut log, head } = prepared;
    let ready = sync_staged(&head.areas, &changes)
        .and_then(|()| log.write(&head, &changes))
        .map_err(EngineError::OwnData)
        .and_then(|()| context.check_cancelled())
        .and_then(|()| log.pass_to(State::Forward).map_err(EngineError::OwnData));
    if let Err(error) = ready {
        Prepared { log, head }.forget();
        return Err(error);
    }
    let before_each = || {
        if context.is_cancelled() {
            Next::Stop
        } else {
            Next::GoOn
        }
    };
    let mut refused = Vec::new();
    let after_failure = |change: &Change, failed: &Failed| {
        let Some(name) = may_be_left_out(change, failed, survey, plan) else {
            return Next::Stop;
        };
        refused.push((change.clone(), name, failed.source.to_string()));
        Next::GoOn
    };
    let walked = forward(&head.areas, &changes, before_each, after_failure);
    let placed = placed.without(refused, plan);
    let reason = match walked {
        Ok(Walked::ToItsEnd) => {
            // All is in place: that the disk is slow to say so must not undo it.
            let confirmed =
                sync_places(&head.areas, &changes).and_then(|()| log.pass_to(State::Done));
            if let Err(error) = confirmed {
                tracing::warn!(%error, "the disk did not confirm the restore");
            }
            return Ok(kept_for_undo(log, &head.areas, placed));
        }
        Ok(Walked::Stopped) => EngineError::Cancelled,
        Err(Failed { path, source }) => EngineError::Target { path, source },
    };
    take_back(log, &head.areas, &changes).map_err(|failed| EngineError::HalfRestored {
        kept: failed.path.display().to_string(),
        source: Box::new(EngineError::Target {
            path: failed.path,
            source: failed.source,
        }),
    })?;
    Err(reason)
}

/// The name of what a change is about, where the rest is worth restoring without it: the disk does not let
/// it be put there, or taken away. Nothing else depends on it.
fn may_be_left_out(
    change: &Change,
    failed: &Failed,
    survey: &Survey,
    plan: &Plan,
) -> Option<String> {
    let is_refusal = matches!(
        failed.source.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::ResourceBusy
    );
    let items = plan.items.len();
    let position = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    match change {
        Change::Put { number, .. } if is_refusal => {
            let item = position(*number);
            let is_part = plan
                .databases
                .iter()
                .any(|whole| whole.items.contains(&item));
            (!is_part).then(|| plan.items[item].name.clone())
        }
        Change::Remove { number, .. } if is_refusal => {
            let extra = survey.extra.get(position(*number).checked_sub(items)?)?;
            let is_on_its_own = extra.of.is_none();
            is_on_its_own.then(|| failed.path.display().to_string())
        }
        _ => None,
    }
}

/// Says how a restore that is in place can be undone. Where nobody would find the log later, what it
/// replaced is let go of.
fn kept_for_undo(log: RestoreLog, areas: &[Area], placed: Placed) -> Placed {
    let Some(because) = log.lost_because() else {
        let undo = Some(log.id());
        return Placed { undo, ..placed };
    };
    let no_undo = Some(format!(
        "the program's own data could not be written: {because}"
    ));
    if let Err(error) = log.remove(areas) {
        tracing::warn!(%error, "what a restore replaced stays beside it");
    }
    Placed { no_undo, ..placed }
}

/// Brings the target back to where it was and lets the restore go. Where that cannot be done now, the
/// next start tries again.
pub(super) fn take_back(
    mut log: RestoreLog,
    areas: &[Area],
    changes: &[Change],
) -> Result<(), Failed> {
    let own = |log: &RestoreLog| {
        let path = log.folder().to_owned();
        move |source: io::Error| Failed { path, source }
    };
    if log.state() != State::Back {
        log.pass_to(State::Back).map_err(own(&log))?;
    }
    let failures = back(areas, changes);
    for Failed { path, source } in &failures {
        tracing::error!(path = %path.display(), %source, "a change of a restore could not be taken back");
    }
    if let Some(first) = failures.into_iter().next() {
        return Err(first);
    }
    sync_places(areas, changes).map_err(own(&log))?;
    // Somebody may have worked on it between an interruption and now.
    if set_aside::is_any(areas, changes).map_err(own(&log))? {
        log.keep_areas(Timestamp::now()).map_err(own(&log))?;
    }
    let failed = own(&log);
    let Some(log) = log.close(areas).map_err(failed)? else {
        return Ok(());
    };
    sort_set_aside(log, areas, changes);
    Ok(())
}

/// Puts in order what a forced undo set aside. It is found by its folder also where that fails.
pub(super) fn sort_set_aside(log: RestoreLog, areas: &[Area], changes: &[Change]) {
    let sorted = set_aside::sort(areas, changes).and_then(|()| {
        if set_aside::folders(areas).is_empty() {
            log.remove(areas)
        } else {
            Ok(())
        }
    });
    if let Err(error) = sorted {
        tracing::warn!(%error, "what an undo set aside could not be put in order");
    }
}

/// All changes, in the order in which they are done.
fn changes(
    prepared: &Prepared,
    survey: &Survey,
    plan: &Plan,
    left_out: &HashSet<String>,
) -> Result<(Vec<Change>, Placed), EngineError> {
    let mut placed = Placed {
        files: 0,
        bytes: 0,
        unchanged: 0,
        removed: 0,
        undo: None,
        no_undo: None,
        refused: Vec::new(),
    };
    let mut changes: Vec<Change> = Vec::new();
    for (at, look) in &survey.touched {
        if let Some(mode) = look.mode.filter(|_| look.is_locked()) {
            let at = at.clone();
            changes.push(Change::OpenFolder { at, mode });
        }
    }
    changes.extend(survey.new_folders.iter().cloned().map(Change::MakeFolder));
    for step in &survey.files {
        let item = &plan.items[step.item];
        if left_out.contains(&item.name) {
            continue;
        }
        match step.effect {
            Effect::Kept => {}
            Effect::Alike => placed.unchanged += 1,
            Effect::New | Effect::Replaces => {
                let path = prepared.new_path(step);
                let look = look_of(&path)
                    .and_then(|look| look.ok_or(io::ErrorKind::NotFound.into()))
                    .map_err(|source| EngineError::Target { path, source })?;
                if item.kind == EntryKind::File {
                    placed.files += 1;
                    placed.bytes += item.size_bytes;
                }
                changes.push(Change::Put {
                    number: step.item as u64,
                    at: step.at.clone(),
                    look,
                });
            }
        }
    }
    // Numbers after those of the plan's items.
    for (number, extra) in (plan.items.len() as u64..).zip(&survey.extra) {
        // What belongs to a file that stays as it is stays too.
        let is_left_out = |item: usize| left_out.contains(&plan.items[item].name);
        if extra.of.is_some_and(is_left_out) {
            continue;
        }
        let at = extra.at.clone();
        placed.removed += 1;
        let locked = extra.locked;
        changes.push(Change::Remove { number, at, locked });
    }
    changes.extend(finished_folders(survey, plan));
    Ok((changes, placed))
}

/// Folders get their times and permissions when nothing is put into them any more, the deepest first.
fn finished_folders(survey: &Survey, plan: &Plan) -> Vec<Change> {
    let mut looks: HashMap<&Spot, (Option<FolderLook>, FolderLook)> = HashMap::new();
    let nothing = FolderLook {
        modified_ns: None,
        mode: None,
    };
    for (at, before) in &survey.touched {
        // One that was opened is closed again.
        let mode = before.mode.filter(|_| before.is_locked());
        let after = FolderLook { mode, ..nothing };
        looks.insert(at, (Some(*before), after));
    }
    for (position, at, before) in &survey.folders {
        let item = &plan.items[*position];
        if item.trust == Trust::Foreign && item.relative.as_os_str().is_empty() {
            continue;
        }
        let stays = before.and_then(|look| look.mode).unwrap_or(0) & !survey.mode_mask;
        let own = FolderLook {
            modified_ns: item.modified_ns,
            mode: item.mode.map(|mode| mode | stays),
        };
        if *before == Some(own) && !looks.contains_key(at) {
            continue;
        }
        looks.insert(at, (*before, own));
    }
    let mut folders: Vec<_> = looks.into_iter().collect();
    folders.sort_by_cached_key(|(at, _)| {
        let depth = at.relative.components().count();
        (std::cmp::Reverse(depth), at.area, at.relative.clone())
    });
    let change = |(at, (before, after)): (&Spot, _)| Change::FinishFolder {
        at: at.clone(),
        before,
        after,
    };
    folders.into_iter().map(change).collect()
}

/// What each volume needs, and what it has.
pub(super) fn rooms(survey: &Survey, plan: &Plan) -> Vec<Room> {
    let mut needed_bytes = vec![0_u64; survey.anchors.len()];
    for step in &survey.files {
        if matches!(step.effect, Effect::New | Effect::Replaces) {
            let needed = &mut needed_bytes[step.at.area];
            *needed = needed.saturating_add(plan.items[step.item].size_bytes);
        }
    }
    let mut rooms: BTreeMap<u64, Room> = BTreeMap::new();
    for (number, (anchor, needed)) in survey.anchors.iter().zip(needed_bytes).enumerate() {
        let volume = volume_of(anchor).unwrap_or(u64::MAX - number as u64);
        let room = rooms.entry(volume).or_insert_with(|| Room {
            folder: anchor.clone(),
            needed_bytes: 0,
            free_bytes: fs4::available_space(anchor).ok(),
        });
        room.needed_bytes = room.needed_bytes.saturating_add(needed);
    }
    rooms.into_values().collect()
}

/// Says before anything is fetched that a disk cannot take it.
fn check_room(survey: &Survey, plan: &Plan) -> Result<(), EngineError> {
    for room in rooms(survey, plan) {
        // Where the system does not tell, the writing itself will.
        if let Some(free_bytes) = room.free_bytes
            && free_bytes < room.needed_bytes
        {
            return Err(EngineError::NoRoom {
                path: room.folder,
                needed_bytes: room.needed_bytes,
                free_bytes,
            });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn volume_of(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().ok().map(|metadata| metadata.dev())
}

#[cfg(not(unix))]
fn volume_of(_folder: &Path) -> Option<u64> {
    None
}
