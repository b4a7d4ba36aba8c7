//! `RestoreLog`: what a restore changes on this computer, written down before anything is changed, and
//! how far it is. Whoever finds it after a crash can go on or take back; until it is let go, the restore
//! can be undone.
//!
//! It is a folder of the program's own data, or of the target where that cannot be written: a lock, and one file of JSON lines, whose name says the
//! state, so that a rename passes from one state to the next at once or not at all.

use crate::engine::files::unlock;
use crate::engine::restore::change::{Area, Change, FolderLook};
use crate::engine::restore::clear::remove_all;
use crate::engine::restore::perform::set_look;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// How far a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Files are fetched and checked; nothing of the target is touched.
    Staging,
    /// The target is being changed: an interruption is gone on with.
    Forward,
    /// Everything is in place, and can be taken back.
    Done,
    /// It is being taken back: an interruption is gone on with.
    Back,
    /// It was taken back.
    Undone,
    /// Nothing of it is needed any more: what is kept for it is being cleared away. The working folders
    /// do not tell how far a change came any more, so none may be done or taken back.
    LetGo,
}

const STATES: [State; 6] = [
    State::Staging,
    State::Forward,
    State::Done,
    State::Back,
    State::Undone,
    State::LetGo,
];

impl State {
    const fn file_name(self) -> &'static str {
        match self {
            Self::Staging => "changes.staging",
            Self::Forward => "changes.forward",
            Self::Done => "changes.done",
            Self::Back => "changes.back",
            Self::Undone => "changes.undone",
            Self::LetGo => "changes.let-go",
        }
    }
}

/// What is known of a restore as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// File name of the backup.
    pub(super) backup: String,
    pub(super) created: Timestamp,
    pub(super) areas: Vec<Area>,
    /// Folders that were restored to, for people.
    pub(super) to: Vec<String>,
}

/// The first line while nothing but the areas is known, and of every log.
#[derive(Serialize, Deserialize)]
struct FirstLine {
    format: u32,
    #[serde(flatten)]
    head: Head,
}

/// The last line of a log that is whole.
#[derive(Serialize, Deserialize)]
struct LastLine {
    changes: u64,
    /// Of all lines before.
    blake3: String,
}

const FORMAT: u32 = 1;
/// A file that says that the areas stay.
const KEEP: &str = "keep";
/// A file that says which areas were not connected when it was let go of.
const AWAY: &str = "away";

/// The log of one restore; nobody else works on the restore while this is held.
#[derive(Debug)]
pub(super) struct RestoreLog {
    folder: PathBuf,
    state: State,
    refuge: Option<Refuge>,
    _lock: File,
}

/// Why a log is not with the program's own data, and where it is instead.
#[derive(Debug)]
struct Refuge {
    because: io::Error,
    area: Area,
}

/// Where all logs are.
pub(super) fn folder_of_all(data_dir: &Path) -> PathBuf {
    data_dir.join("restores")
}

/// The names of all restores that left something, the oldest first.
pub(super) fn ids(data_dir: &Path) -> io::Result<Vec<String>> {
    let folder = match fs::read_dir(folder_of_all(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        folder => folder?,
    };
    let mut ids = Vec::new();
    for entry in folder {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            ids.extend(entry.file_name().into_string().ok());
        }
    }
    ids.sort_by_cached_key(|id| place_among(id));
    Ok(ids)
}

/// The second in which a restore began, and which of that second it is: “…Z-10” comes after “…Z-9”.
fn place_among(id: &str) -> (String, u32) {
    let numbered = id.rsplit_once('-');
    let found = numbered.and_then(|(second, number)| Some((second, number.parse().ok()?)));
    let (second, number) = found.unwrap_or((id, 1));
    (second.to_owned(), number)
}

impl RestoreLog {
    /// Begins the log of a new restore under a name that is free, and names the areas it will work in:
    /// `areas_of` is told the log's folder, on whose volume an area may be.
    pub(super) fn begin(data_dir: &Path, created: Timestamp) -> io::Result<Self> {
        let all = folder_of_all(data_dir);
        fs::create_dir_all(&all)?;
        let _gate = gate(&all)?;
        Self::begin_in(&all, "", created)
    }

    /// Begins one that only this run knows of, inside an anchor: `because` is why it cannot be with the
    /// program's own data. What it is for cannot be undone later.
    pub(super) fn begin_in_target(
        anchor: &Path,
        prefix: &str,
        created: Timestamp,
        because: io::Error,
    ) -> io::Result<Self> {
        let before = FolderLook::of(&fs::metadata(anchor)?);
        unlock(anchor)?;
        let begun = Self::begin_in(anchor, prefix, created);
        set_look(anchor, before)?;
        let mut log = begun?;
        let area = Area {
            anchor: anchor.to_owned(),
            folder: log.folder.clone(),
            before,
        };
        log.refuge = Some(Refuge { because, area });
        Ok(log)
    }

    fn begin_in(all: &Path, prefix: &str, created: Timestamp) -> io::Result<Self> {
        let name = format!("{prefix}{}", created.strftime("%Y%m%dT%H%M%SZ"));
        let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
        for name in names.take(1_000) {
            let folder = all.join(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    let lock = lock(&folder)?.ok_or(io::ErrorKind::ResourceBusy)?;
                    return Ok(Self {
                        folder,
                        state: State::Staging,
                        refuge: None,
                        _lock: lock,
                    });
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Opens one; `None` where somebody works on it. One that was never written down counts as staging.
    pub(super) fn open(data_dir: &Path, id: &str) -> io::Result<Option<Self>> {
        let all = folder_of_all(data_dir);
        let folder = all.join(id);
        let found = {
            let _gate = gate(&all)?;
            lock(&folder)?
        };
        let Some(lock) = found else {
            return Ok(None);
        };
        let state = STATES
            .into_iter()
            .find(|state| folder.join(state.file_name()).exists());
        Ok(Some(Self {
            folder,
            state: state.unwrap_or(State::Staging),
            refuge: None,
            _lock: lock,
        }))
    }

    /// What a restore did that is in place; `None` where it is not, or not any more. Keeps nobody from working
    /// on it meanwhile.
    pub(super) fn peek(data_dir: &Path, id: &str) -> io::Result<Option<(Head, Vec<Change>)>> {
        let folder = folder_of_all(data_dir).join(id);
        if_there(read(&folder.join(State::Done.file_name())))
    }

    /// What a restore was about that was undone and keeps something aside, and since when; `None` where it is
    /// none. Keeps nobody from working on it either.
    pub(super) fn peek_undone(data_dir: &Path, id: &str) -> io::Result<Option<(Head, Timestamp)>> {
        let head = Self::peek_head(data_dir, id, &[State::Undone])?;
        let since = |head| Ok((head, kept_since(&folder_of_all(data_dir).join(id))?));
        head.map(since).transpose()
    }

    /// What a restore in one of these states is about, without what it changed, which may be a million lines;
    /// `None` where it is in none of them. Keeps nobody from working on it meanwhile.
    pub(super) fn peek_head(data_dir: &Path, id: &str, of: &[State]) -> io::Result<Option<Head>> {
        let folder = folder_of_all(data_dir).join(id);
        let read = |state: &State| if_there(read_head(&folder.join(state.file_name())));
        let mut found = of.iter().filter_map(|state| read(state).transpose());
        found.next().transpose()
    }

    /// Whether it was brought to an end. Keeps nobody from working on it meanwhile, either.
    pub(super) fn is_settled(data_dir: &Path, id: &str) -> bool {
        let folder = folder_of_all(data_dir).join(id);
        let ends = [State::Done, State::Undone];
        ends.iter().any(|end| folder.join(end.file_name()).exists())
    }

    pub(super) fn id(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Why nobody will find it later; `None` where it can be found.
    pub(super) fn lost_because(&self) -> Option<&io::Error> {
        self.refuge.as_ref().map(|refuge| &refuge.because)
    }

    /// Where an area on the volume of the program's own data may be.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes everything down, safely, before the first change.
    pub(super) fn write(&self, head: &Head, changes: &[Change]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut lines = Lines {
            file: BufWriter::new(file.as_file_mut()),
            hasher: blake3::Hasher::new(),
        };
        lines.add(&FirstLine {
            format: FORMAT,
            head: head.clone(),
        })?;
        for change in changes {
            lines.add(change)?;
        }
        let last = LastLine {
            changes: changes.len() as u64,
            blake3: lines.hasher.finalize().to_hex().to_string(),
        };
        lines.add(&last)?;
        lines.file.flush()?;
        drop(lines);
        file.as_file().sync_all()?;
        file.persist(self.path()).map_err(|error| error.error)?;
        sync_folder(&self.folder)
    }

    /// Reads it back; an error where it is not whole.
    pub(super) fn read(&self) -> io::Result<(Head, Vec<Change>)> {
        read(&self.path())
    }

    /// Reads only what it is about, not what it changes.
    pub(super) fn read_head(&self) -> io::Result<Head> {
        read_head(&self.path())
    }

    /// Passes to another state, safely.
    pub(super) fn pass_to(&mut self, state: State) -> io::Result<()> {
        fs::rename(self.path(), self.folder.join(state.file_name()))?;
        self.state = state;
        sync_folder(&self.folder)
    }

    /// Has the areas stay when it is taken back, because something in them is nowhere else.
    pub(super) fn keep_areas(&self, since: Timestamp) -> io::Result<()> {
        let mut keep = File::create(self.folder.join(KEEP))?;
        keep.write_all(since.to_string().as_bytes())?;
        keep.sync_all()?;
        sync_folder(&self.folder)
    }

    /// It was taken back: lets go of everything, and gives nothing; unless something in it is nowhere else.
    pub(super) fn close(mut self, areas: &[Area]) -> io::Result<Option<Self>> {
        if self.folder.join(KEEP).exists() {
            self.pass_to(State::Undone)?;
            return Ok(Some(self));
        }
        self.remove(areas)?;
        Ok(None)
    }

    /// Lets go of it as far as that can be done without the areas at these positions, whose disks are not
    /// connected: they are let go of at a start when they are.
    pub(super) fn remove_but(mut self, areas: &[Area], away: &[usize]) -> io::Result<()> {
        let was = self.state;
        fs::write(self.folder.join(AWAY), serde_json::to_vec(away)?)?;
        self.pass_to(State::LetGo)?;
        for (number, area) in areas.iter().enumerate() {
            if !away.contains(&number) {
                clear_away(area, was)?;
            }
        }
        Ok(())
    }

    /// The positions of the areas that were not connected when it was let go of.
    pub(super) fn away(&self) -> Vec<usize> {
        let away = fs::read(self.folder.join(AWAY)).ok();
        let away = away.and_then(|away| serde_json::from_slice(&away).ok());
        away.unwrap_or_default()
    }

    /// Lets go of everything that is kept for it: the areas first, so that it is known to the end.
    pub(super) fn remove(mut self, areas: &[Area]) -> io::Result<()> {
        let was = self.state;
        match self.pass_to(State::LetGo) {
            // It was never written down.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            passed => passed?,
        }
        for area in areas {
            clear_away(area, was)?;
        }
        match &self.refuge {
            None => {
                // Whoever looks at it just now would put its lock there anew.
                let _gate = self.folder.parent().map(gate).transpose()?;
                remove_all(&self.folder)
            }
            Some(refuge) => clear_away(&refuge.area, was),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.state.file_name())
    }
}

/// When a restore was undone that keeps something aside.
fn kept_since(folder: &Path) -> io::Result<Timestamp> {
    let keep = folder.join(KEEP);
    let since = fs::read_to_string(&keep)?;
    since.parse().or_else(|_| {
        // Logs of earlier versions say it only so.
        let modified = fs::metadata(&keep)?.modified()?;
        Timestamp::try_from(modified).map_err(io::Error::other)
    })
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

fn read_head(path: &Path) -> io::Result<Head> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).read_until(b'\n', &mut line)?;
    let first: FirstLine = serde_json::from_slice(&line)?;
    Ok(first.head)
}

fn read(path: &Path) -> io::Result<(Head, Vec<Change>)> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the log is damaged");
    let mut lines = BufReader::new(File::open(path)?);
    let mut hasher = blake3::Hasher::new();
    let mut line = Vec::new();
    lines.read_until(b'\n', &mut line)?;
    hasher.update(&line);
    let first: FirstLine = serde_json::from_slice(&line)?;
    if first.format != FORMAT {
        return Err(damaged());
    }
    let mut changes = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(damaged());
        }
        if let Ok(last) = serde_json::from_slice::<LastLine>(&line) {
            let blake3 = hasher.finalize().to_hex();
            let is_whole =
                (last.changes, last.blake3.as_str()) == (changes.len() as u64, blake3.as_str());
            return if is_whole {
                Ok((first.head, changes))
            } else {
                Err(damaged())
            };
        }
        hasher.update(&line);
        changes.push(serde_json::from_slice(&line)?);
    }
}

struct Lines<W: io::Write> {
    file: W,
    hasher: blake3::Hasher,
}

impl<W: io::Write> Lines<W> {
    fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.hasher.update(&bytes);
        self.file.write_all(&bytes)
    }
}

/// Held while a log is begun or opened: between the making of its folder and the taking of its lock, it
/// would be taken for one that was interrupted.
fn gate(all: &Path) -> io::Result<File> {
    let locks = all.with_file_name("locks");
    fs::create_dir_all(&locks)?;
    let gate = File::options()
        .create(true)
        .append(true)
        .open(locks.join("restores.gate"))?;
    gate.lock()?;
    Ok(gate)
}

fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes a working folder. One inside its anchor leaves that with the time that it has, or had before a
/// restore that changed nothing.
fn clear_away(area: &Area, was: State) -> io::Result<()> {
    let is_inside = area.folder.parent() == Some(&area.anchor);
    let Ok(metadata) = fs::metadata(&area.anchor) else {
        return remove_all(&area.folder);
    };
    let now = FolderLook::of(&metadata);
    if is_inside && area.folder.symlink_metadata().is_ok() {
        unlock(&area.anchor)?;
        remove_all(&area.folder)?;
        let look = if was == State::Staging {
            area.before
        } else {
            now
        };
        return set_look(&area.anchor, look);
    }
    remove_all(&area.folder)?;
    // It was opened to make the folder, and never closed again.
    if was == State::Staging && area.before.is_locked() && now != area.before {
        set_look(&area.anchor, area.before)?;
    }
    Ok(())
}

/// A name is on the disk only when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::restore::change::Spot;

    fn head() -> Head {
        Head {
            backup: "p.zip".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            areas: vec![Area {
                anchor: PathBuf::from("/a"),
                folder: PathBuf::from("/w"),
                before: FolderLook::default(),
            }],
            to: vec!["/a".to_owned()],
        }
    }

    fn changes() -> Vec<Change> {
        let spot = |text: &str| Spot {
            area: 0,
            relative: PathBuf::from(text),
        };
        vec![
            Change::MakeFolder(spot("x")),
            Change::Remove {
                number: 3,
                at: spot("x/y\nz"),
                locked: Some(0o555),
            },
        ]
    }

    #[test]
    fn a_log_reads_back_in_every_state_and_is_nobody_elses_meanwhile() {
        let data = tempfile::tempdir().expect("a folder");
        let mut log = RestoreLog::begin(data.path(), Timestamp::UNIX_EPOCH).expect("begun");
        let id = log.id();
        assert_eq!(id, "19700101T000000Z");
        log.write(&head(), &changes()).expect("written");
        let busy = RestoreLog::open(data.path(), &id).expect("looked");
        assert!(busy.is_none(), "somebody works on it");
        let second = RestoreLog::begin(data.path(), Timestamp::UNIX_EPOCH).expect("begun");
        assert_eq!(second.id(), "19700101T000000Z-2");
        for state in [
            State::Forward,
            State::Done,
            State::Back,
            State::Undone,
            State::LetGo,
        ] {
            log.pass_to(state).expect("passed");
            drop(log);
            let found = RestoreLog::open(data.path(), &id).expect("looked");
            log = found.expect("free");
            assert_eq!(log.state(), state);
            assert_eq!(log.read().expect("whole"), (head(), changes()));
        }
        log.remove(&[]).expect("removed");
        assert_eq!(ids(data.path()).expect("listed"), ["19700101T000000Z-2"]);
    }

    #[test]
    fn a_log_that_is_just_begun_is_nobody_elses() {
        let data = tempfile::tempdir().expect("a folder");
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    for id in ids(data.path()).unwrap_or_default() {
                        // What another start does with one that was never written down.
                        if let Ok(Some(log)) = RestoreLog::open(data.path(), &id)
                            && log.read_head().is_err()
                        {
                            log.remove(&[]).ok();
                        }
                    }
                }
            });
            let begun: io::Result<()> = (0..300).try_for_each(|second| {
                let created = Timestamp::from_second(second).map_err(io::Error::other)?;
                let log = RestoreLog::begin(data.path(), created)?;
                log.write(&head(), &changes())?;
                log.remove(&[])
            });
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            begun.expect("all are begun");
        });
    }

    #[test]
    fn restores_of_one_second_are_listed_in_their_order() {
        let data = tempfile::tempdir().expect("a folder");
        let mut begun = Vec::new();
        for second in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1] {
            let created = Timestamp::from_second(second).expect("a time");
            begun.push(RestoreLog::begin(data.path(), created).expect("begun").id());
        }
        assert_eq!(ids(data.path()).expect("listed"), begun);
    }

    #[test]
    fn a_log_that_is_cut_or_changed_is_noticed() {
        let data = tempfile::tempdir().expect("a folder");
        let log = RestoreLog::begin(data.path(), Timestamp::UNIX_EPOCH).expect("begun");
        log.write(&head(), &changes()).expect("written");
        let whole = fs::read(log.path()).expect("there");
        for length in 0..whole.len() - 1 {
            fs::write(log.path(), &whole[..length]).expect("cut");
            assert!(log.read().is_err(), "cut to {length}");
        }
        for at in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(log.path(), &changed).expect("changed");
            let read = log.read();
            assert!(read.is_err() || read.is_ok_and(|read| read == (head(), changes())));
        }
    }
}
