//! What people do between a kill in the middle of a big file and the next run: the next archive is of
//! the tree as it is then, and nothing is sent that is not to be backed up any more.

use crate::MIB;
use crate::computer::{Computer, Destination, number};
use crate::moments::{Chance, seed, wanted_kills};
use crate::support::{
    Fault, Moment, Proxy, SeaweedFs, Step, When, assert_same_tree, check_archive, noise, write_file,
};
use filetime::FileTime;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Longer than a test.
const STALL: Duration = Duration::from_mins(5);
const PATIENCE: Duration = Duration::from_mins(1);

const FIRST_BYTES: usize = 9 << 20;
const MIDDLE_BYTES: usize = 20 << 20;
const LAST_BYTES: usize = 3 << 20;
/// What small files, lists and directory may come to.
const OTHER_BYTES: u64 = MIB / 2;

/// What is done between a kill in the middle of `middle.bin` and the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Nothing,
    Change,
    Delete,
    Rename,
    Exclude,
    /// A file is added to a folder that was written already.
    AddFile,
    /// The time of a big file that was written already is set anew.
    TouchFirst,
    /// A folder of the same name comes before, and with it takes over the label.
    AddRootBefore,
    /// The folder above comes before, so that every file has two names.
    AddRootAbove,
    RenameRoot,
}

/// Those that are tried every time.
const ALWAYS: [Deed; 3] = [Deed::Exclude, Deed::TouchFirst, Deed::AddRootBefore];
/// Of these some are tried by chance.
const SOMETIMES: [Deed; 7] = [
    Deed::Nothing,
    Deed::Change,
    Deed::Delete,
    Deed::Rename,
    Deed::AddFile,
    Deed::AddRootAbove,
    Deed::RenameRoot,
];

/// Which backup is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    First,
    Second,
}

#[test]
fn what_is_done_between_a_kill_and_the_next_run_is_in_the_archive() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let seed = seed();
    let mut chance = Chance(seed);
    let from = usize::try_from(chance.next() % 7).expect("small");
    let sometimes = SOMETIMES.into_iter().cycle().skip(from);
    let rounds = wanted_kills(5);
    for (round, deed) in (0..rounds).zip(ALWAYS.into_iter().chain(sometimes)) {
        let killed = [Killed::First, Killed::First, Killed::Second]
            [usize::try_from(chance.next() % 3).expect("small")];
        let parts = 1 + u32::try_from(chance.next() % 2).expect("small");
        let proxy = Proxy::in_front_of(&server);
        let through = proxy.server();
        let scene = Scene::new(Computer::new(Destination::Bucket(&through)), round);
        let about =
            format!("seed {seed} round {round}: {deed:?}, {killed:?} killed, {parts} parts");
        scene.kill(&proxy, killed, parts);
        let roots = scene.act(deed);
        scene.check(deed, &roots, &about);
        if !ALWAYS.contains(&deed) {
            scene.check_with_others();
        }
    }
}

/// A profile with one folder, whose middle is a big file.
struct Scene<'a> {
    computer: Computer<'a>,
    profile: String,
}

/// The label of a folder in the archive, and where it is.
type Root = (&'static str, PathBuf);

impl<'a> Scene<'a> {
    fn new(computer: Computer<'a>, round: u64) -> Self {
        let scene = Self {
            computer,
            profile: format!("between-{round}"),
        };
        let folder = scene.folder();
        for name in 0..20 {
            write_file(&folder, &format!("a/{name}.dat"), &noise(name, 900));
        }
        write_file(&folder, "a/first.bin", &noise(100, FIRST_BYTES));
        scene.computer.add_profile(&scene.profile);
        scene.set(&["--source", folder.to_str().expect("UTF-8")]);
        scene
    }

    fn folder(&self) -> PathBuf {
        self.computer.home.path().join("place/docs")
    }

    fn set(&self, settings: &[&str]) {
        let mut command = self.computer.command(&["profile", "edit", &self.profile]);
        let status = command.args(settings).status();
        assert!(status.expect("the program starts").success());
    }

    /// Kills a backup once so many parts of the big file in the middle have arrived.
    fn kill(&self, proxy: &Proxy, killed: Killed, parts: u32) {
        let (before, sent) = match killed {
            // What stands before the middle fills a part.
            Killed::First => (0, 1 + parts),
            Killed::Second => (1, parts),
        };
        if killed == Killed::Second {
            self.computer.run(&self.profile, &["backup"], "the first");
        }
        write_file(&self.folder(), "middle.bin", &noise(200, MIDDLE_BYTES));
        write_file(&self.folder(), "z.bin", &noise(300, LAST_BYTES));
        proxy.count_anew();
        let later = When::PartAfter(before + sent);
        proxy.break_steps(&[Step::UploadPart], Fault::StallInRequest(STALL), later);
        self.computer.kill_backup_when(&self.profile, || {
            let sent = u64::from(sent);
            let have = proxy.wait_for(Step::UploadPart, sent, Moment::Answered, PATIENCE);
            assert!(have, "{}", proxy.seen());
            // What was answered is noted soon after.
            std::thread::park_timeout(Duration::from_millis(200));
        });
        proxy.heal();
    }

    /// Gives the folders that are backed up afterwards.
    fn act(&self, deed: Deed) -> Vec<Root> {
        let folder = self.folder();
        let middle = folder.join("middle.bin");
        let place = self.computer.home.path().join("place");
        let roots = match deed {
            Deed::AddRootBefore => {
                let other = self.computer.home.path().join("other/docs");
                write_file(&other, "middle.bin", &noise(400, 2 << 20));
                write_file(&other, "a/0.dat", b"of the other");
                vec![("docs", other), ("docs (2)", folder)]
            }
            Deed::AddRootAbove => vec![("place", place), ("docs", folder)],
            Deed::RenameRoot => {
                let renamed = place.join("renamed");
                fs::rename(&folder, &renamed).expect("renamed");
                vec![("renamed", renamed)]
            }
            _ => {
                match deed {
                    Deed::Change => write_file(&folder, "middle.bin", &noise(201, MIDDLE_BYTES)),
                    Deed::Delete => fs::remove_file(middle).expect("removed"),
                    Deed::Rename => {
                        fs::rename(middle, folder.join("moved.bin")).expect("renamed");
                    }
                    Deed::AddFile => write_file(&folder, "a/new.dat", b"new"),
                    Deed::TouchFirst => {
                        let time = FileTime::from_unix_time(1_600_000_000, 0);
                        filetime::set_file_mtime(folder.join("a/first.bin"), time).expect("set");
                    }
                    _ => {}
                }
                vec![("docs", folder)]
            }
        };
        let mut settings = Vec::new();
        for (_, folder) in &roots {
            settings.extend(["--source", folder.to_str().expect("UTF-8")]);
        }
        if deed == Deed::Exclude {
            settings.extend(["--exclude", "middle.bin"]);
        }
        self.set(&settings);
        roots
    }

    fn check(&self, deed: Deed, roots: &[Root], about: &str) {
        let (computer, profile) = (&self.computer, self.profile.as_str());
        let report = computer.run(profile, &["backup"], about);
        let (sent, resumed) = (
            number(&report, "bytes_uploaded"),
            number(&report, "bytes_resumed"),
        );
        // What was sent of a folder that is taken out must not be in an archive any more.
        let begins_anew = deed == Deed::RenameRoot;
        assert_eq!(resumed > 0, !begins_anew, "{about}: {report}");
        let middle_is_sent = match deed {
            Deed::Delete | Deed::Exclude => Some(0),
            Deed::Nothing | Deed::AddFile | Deed::TouchFirst => Some(MIDDLE_BYTES as u64 - 7 * MIB),
            _ => None,
        };
        if let Some(middle_bytes) = middle_is_sent {
            let most = middle_bytes + LAST_BYTES as u64 + OTHER_BYTES;
            assert!(sent <= most, "{about}: {report}");
        }
        computer.verify_all(profile, about);
        assert_eq!(computer.half_made(profile), [""; 0], "{about}");
        let target = computer.home.path().join("target");
        let to = target.to_str().expect("UTF-8");
        computer.run(profile, &["restore", "latest", "--to", to], about);
        let hardly_dead = matches!(deed, Deed::Nothing | Deed::AddFile | Deed::TouchFirst);
        if hardly_dead {
            let again = computer.run(profile, &["backup"], about);
            assert_eq!(again["result"]["unchanged"], true, "{about}: {again}");
        }
        if deed == Deed::Exclude {
            fs::remove_file(self.folder().join("middle.bin")).expect("removed");
        }
        for (label, folder) in roots {
            assert_same_tree(folder, &target.join(label));
        }
    }

    fn check_with_others(&self) {
        let (computer, profile) = (&self.computer, self.profile.as_str());
        let key = computer.archives(profile).pop().expect("an archive");
        let file = computer.home.path().join("archive.zip");
        computer.save(profile, &key, &file);
        check_archive(&file);
    }
}
