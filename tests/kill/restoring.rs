//! Restores over existing files, and their undoing, killed at any moment: after the next start the folder
//! is exactly the old or exactly the new one, and nothing is left over but what undoing needs.

use crate::computer::{Computer, Destination};
use crate::moments::{Chance, seed, wanted_kills};
use crate::support::{SeaweedFs, Snapshot, differences, noise, snapshot, write_file};
use filetime::FileTime;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const PROFILE: &str = "restored";
const FILES: u64 = 1_500;

#[test]
fn a_restore_killed_at_any_moment_ends_in_the_old_or_the_new() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    Scene::new(Destination::Bucket(&server), Place::Original).kill_again_and_again(6);
}

#[test]
fn a_restore_to_another_volume_killed_at_any_moment_ends_in_the_old_or_the_new() {
    // Where there is no other volume, at least to another folder.
    let other = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let place = Place::Other(other.expect("a folder"));
    Scene::new(Destination::Folder, place).kill_again_and_again(4);
}

/// Where a backup is restored to.
enum Place {
    Original,
    Other(tempfile::TempDir),
}

/// How far a restore had come when it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Nothing was written down, or not any more.
    Nothing,
    Staging,
    Forward,
    Done,
    Back,
    LetGo,
}

/// A computer with a folder that differs in every way from its backup.
struct Scene<'a> {
    computer: Computer<'a>,
    place: Place,
    old: Snapshot,
    new: Snapshot,
    restore: Cell<Course>,
    undo: Cell<Course>,
}

/// How long the parts of a run take that nobody kills.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    whole: Duration,
    /// From when the target begins to be changed until the end.
    changing: Duration,
}

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Restore,
    Undo,
}

impl Deed {
    /// The stage in which the target is changed.
    const fn changing(self) -> Stage {
        match self {
            Self::Restore => Stage::Forward,
            Self::Undo => Stage::Back,
        }
    }
}

impl<'a> Scene<'a> {
    fn new(destination: Destination<'a>, place: Place) -> Self {
        let computer = Computer::new(destination);
        make_new(&computer.source());
        computer.add_profile(PROFILE);
        computer.run(PROFILE, &["backup"], "the backup");
        let mut scene = Self {
            computer,
            place,
            old: Snapshot::new(),
            new: Snapshot::new(),
            restore: Cell::default(),
            undo: Cell::default(),
        };
        if let Place::Other(folder) = &scene.place {
            make_new(&folder.path().join("source"));
        }
        make_old(&scene.folder());
        scene.old = snapshot(&scene.folder());
        scene.run_to_its_end(Deed::Restore);
        scene.new = snapshot(&scene.folder());
        assert!(differences(&scene.old, &scene.new).len() > 1_000);
        scene.run_to_its_end(Deed::Undo);
        scene.expect_old("undone without a kill");
        scene
    }

    /// The folder that is restored.
    fn folder(&self) -> PathBuf {
        match &self.place {
            Place::Original => self.computer.source(),
            Place::Other(folder) => folder.path().join("source"),
        }
    }

    fn arguments(&self, deed: Deed) -> Vec<String> {
        let mut arguments: Vec<&str> = match deed {
            Deed::Restore => vec!["restore", "latest", "--mirror"],
            Deed::Undo => vec!["undo"],
        };
        if let (Deed::Restore, Place::Other(folder)) = (deed, &self.place) {
            arguments.extend(["--to", folder.path().to_str().expect("UTF-8")]);
        }
        arguments.into_iter().map(str::to_owned).collect()
    }

    fn start(&self, deed: Deed) -> Child {
        let arguments = self.arguments(deed);
        let mut words = vec!["--quiet", "--profile", PROFILE];
        words.extend(arguments.iter().map(String::as_str));
        let mut command = self.computer.command(&words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program starts")
    }

    fn restores(&self) -> PathBuf {
        self.computer
            .home
            .path()
            .join(".local/share/zipkeep/restores")
    }

    /// The names of what restores have left in the program's own data.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.restores()).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect()
    }

    fn stage(&self) -> Stage {
        let stages = [
            ("changes.staging", Stage::Staging),
            ("changes.forward", Stage::Forward),
            ("changes.done", Stage::Done),
            ("changes.back", Stage::Back),
            ("changes.let-go", Stage::LetGo),
        ];
        let kept = self.kept();
        let is_there = |name: &str| kept.iter().any(|folder| folder.join(name).exists());
        let stage = stages.iter().find(|(name, _)| is_there(name));
        stage.map_or(Stage::Nothing, |(_, stage)| *stage)
    }

    fn course_of(&self, deed: Deed) -> &Cell<Course> {
        match deed {
            Deed::Restore => &self.restore,
            Deed::Undo => &self.undo,
        }
    }

    fn run_to_its_end(&self, deed: Deed) {
        let started = Instant::now();
        let mut child = self.start(deed);
        let changing_after = self.wait_for(deed.changing(), &mut child, started);
        assert!(child.wait().expect("ended").success(), "{deed:?}");
        let whole = started.elapsed();
        self.course_of(deed).set(Course {
            whole,
            changing: whole.saturating_sub(changing_after),
        });
    }

    /// Waits until the target begins to be changed, or it has ended; gives the time since the start.
    fn wait_for(&self, stage: Stage, child: &mut Child, started: Instant) -> Duration {
        while self.stage() != stage && child.try_wait().expect("looked at").is_none() {
            std::thread::park_timeout(Duration::from_micros(300));
        }
        started.elapsed()
    }

    /// Kills it at any moment, mostly at one while the target is changed. Gives how far it was.
    fn kill(&self, deed: Deed, chance: &mut Chance) -> Option<Stage> {
        let mut course = self.course_of(deed).get();
        let while_changing = chance.next() % 4;
        let started = Instant::now();
        let mut child = self.start(deed);
        let mut changing_after = Duration::ZERO;
        let moment = if while_changing < 3 {
            changing_after = self.wait_for(deed.changing(), &mut child, started);
            // Its beginning, where most is done, more often than its end.
            let part = [5, 5, 1][usize::try_from(while_changing).expect("small")];
            changing_after + chance.moment(course.changing / part)
        } else {
            chance.moment(course.whole)
        };
        while started.elapsed() < moment {
            if child.try_wait().expect("looked at").is_some() {
                // The first run was slower than this one: the next moments are earlier.
                course.whole = started.elapsed();
                if changing_after > Duration::ZERO {
                    course.changing = course.whole.saturating_sub(changing_after);
                }
                self.course_of(deed).set(course);
                return None;
            }
            std::thread::park_timeout(Duration::from_micros(200));
        }
        child.kill().expect("killed");
        let was_killed = !child.wait().expect("ended").success();
        was_killed.then(|| self.stage())
    }

    fn kill_again_and_again(&self, default: u64) {
        let (seed, kills) = (seed(), wanted_kills(default));
        let mut chance = Chance(seed);
        let mut stages: BTreeMap<(&str, Stage), u64> = BTreeMap::new();
        let (mut killed, mut olds, mut news, mut missed) = (0, 0, 0, 0);
        let mut is_new = false;
        while killed < kills {
            let deed = if is_new { Deed::Undo } else { Deed::Restore };
            let about = format!("seed {seed}, kill {killed} of {kills}, {deed:?}");
            match self.kill(deed, &mut chance) {
                None => missed += 1,
                Some(stage) => {
                    killed += 1;
                    let name = if is_new { "undo" } else { "restore" };
                    *stages.entry((name, stage)).or_default() += 1;
                }
            }
            let about = format!("{about}, then {:?}", self.stage());
            if chance.next().is_multiple_of(3) {
                self.kill_next_start(&mut chance);
            }
            is_new = self.settled(&about);
            if is_new {
                news += 1;
            } else {
                olds += 1;
            }
            // Whatever it was, the next restore and the next undo work.
            if killed % 4 == 0 && !is_new {
                self.run_to_its_end(Deed::Restore);
                is_new = self.settled(&format!("{about}, restored again"));
                assert!(is_new, "{about}");
            }
        }
        if is_new {
            self.run_to_its_end(Deed::Undo);
        }
        self.expect_old(&format!("seed {seed}"));
        eprintln!(
            "seed {seed}: {killed} kills ({missed} ended before), {stages:?}, \
             afterwards {olds} times the old and {news} times the new; {:?} {:?}",
            self.restore.get(),
            self.undo.get()
        );
    }

    /// The start after a kill is killed too.
    fn kill_next_start(&self, chance: &mut Chance) {
        let started = Instant::now();
        let mut command = self.computer.command(&["--profile", PROFILE, "list"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let moment = chance.moment(self.restore.get().changing);
        std::thread::park_timeout(moment.saturating_sub(started.elapsed()));
        // One that has ended by itself is no worse.
        child.kill().ok();
        child.wait().expect("ended");
    }

    /// Starts the program once and looks at what is there: whether it is the new.
    fn settled(&self, about: &str) -> bool {
        self.computer.run(PROFILE, &["list"], about);
        let now = snapshot(&self.folder());
        let (from_old, from_new) = (differences(&self.old, &now), differences(&self.new, &now));
        let is_new = from_new.is_empty();
        assert!(
            is_new || from_old.is_empty(),
            "{about}: neither the old nor the new; from the old {:#?}; from the new {:#?}",
            &from_old[..from_old.len().min(20)],
            &from_new[..from_new.len().min(20)]
        );
        assert_eq!(
            self.kept().len(),
            usize::from(is_new),
            "{about}: {:?}",
            self.kept()
        );
        assert_eq!(self.strangers(is_new), [""; 0], "{about}");
        is_new
    }

    /// Working folders beside what is restored that nothing needs.
    fn strangers(&self, is_new: bool) -> Vec<String> {
        let Place::Other(folder) = &self.place else {
            return Vec::new();
        };
        let entries = fs::read_dir(folder.path()).expect("a folder").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut strangers: Vec<String> = names.filter(|name| name != "source").collect();
        if is_new && strangers.len() == 1 && strangers[0].starts_with(".zipkeep-restore-") {
            strangers.clear();
        }
        strangers
    }

    fn expect_old(&self, about: &str) {
        let differences = differences(&self.old, &snapshot(&self.folder()));
        assert_eq!(differences, [""; 0], "{about}");
        assert!(self.kept().is_empty(), "{about}: {:?}", self.kept());
        assert_eq!(self.strangers(false), [""; 0], "{about}");
    }
}

fn name_of(number: u64) -> String {
    format!("many/{}/{number}.dat", number % 40)
}

fn len_of(number: u64) -> usize {
    usize::try_from(number % 23 * 150).expect("small")
}

/// What the backup has.
fn make_new(root: &Path) {
    for number in 0..FILES {
        write_file(root, &name_of(number), &noise(number, len_of(number)));
    }
    write_file(root, "big.bin", &noise(7_000, 12 << 20));
    write_file(root, "fixed/time.txt", b"as it is");
    let time = FileTime::from_unix_time(1_600_000_000, 5);
    filetime::set_file_mtime(root.join("fixed/time.txt"), time).expect("set");
    fs::create_dir_all(root.join("empty/of the backup")).expect("made");
    #[cfg(unix)]
    odd::make_new(root);
}

/// What the folder has when it is restored over: of every kind some.
fn make_old(root: &Path) {
    for number in 0..FILES {
        let path = root.join(name_of(number));
        match number % 5 {
            // Replaced.
            0 | 1 => write_file(root, &name_of(number), &noise(10_000 + number, 700)),
            // New.
            2 => fs::remove_file(path).expect("removed"),
            // Removed by a mirror, the one beside it kept.
            3 => write_file(root, &format!("{}.mine", name_of(number)), b"mine"),
            _ => {}
        }
    }
    write_file(root, "big.bin", &noise(8_000, 1 << 20));
    for number in 0..200 {
        write_file(
            root,
            &format!("only here/{}/{number}", number % 7),
            b"extra",
        );
    }
    fs::remove_dir(root.join("empty/of the backup")).expect("removed");
    fs::create_dir_all(root.join("empty/of the target")).expect("made");
    fs::remove_dir_all(root.join("many/9")).expect("removed");
    #[cfg(unix)]
    odd::make_old(root);
}

#[cfg(unix)]
mod odd {
    //! Links, and permissions that are in the way.

    use super::write_file;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }

    pub(super) fn make_new(root: &Path) {
        fs::create_dir_all(root.join("links")).expect("made");
        for (name, target) in [
            ("replaced", "new target"),
            ("new", "../big.bin"),
            ("was a file", "x"),
        ] {
            symlink(target, root.join("links").join(name)).expect("linked");
        }
        write_file(root, "links/was a link", b"a file in the backup");
        write_file(root, "locked/in it", b"of the backup");
        write_file(root, "modes/program", b"as it is");
        set_mode(&root.join("modes/program"), 0o755);
        set_mode(&root.join("locked"), 0o555);
    }

    pub(super) fn make_old(root: &Path) {
        let links = root.join("links");
        for name in ["replaced", "new", "was a file", "was a link"] {
            fs::remove_file(links.join(name)).expect("removed");
        }
        symlink("old target", links.join("replaced")).expect("linked");
        symlink("nowhere", links.join("was a link")).expect("linked");
        symlink("gone", links.join("only here")).expect("linked");
        write_file(root, "links/was a file", b"a file");
        set_mode(&root.join("locked"), 0o755);
        write_file(root, "locked/in it", b"of the target");
        set_mode(&root.join("locked"), 0o500);
        set_mode(&root.join("modes/program"), 0o600);
    }
}
