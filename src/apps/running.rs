//! Whether a program is running on a data folder.
//!
//! The `LOCK` files of its databases say nothing: they stay behind. What an Electron program puts into
//! its folder while it runs does.

use super::presets::{LockKind, Preset};
use std::fs;
use std::path::Path;

/// What tells that a program is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// A process of this computer.
    Here,
    /// A process of another computer that has the same folder; nobody here can tell whether it lives.
    OnHost(String),
}

/// Whether the program runs on this data folder, as far as its locks tell. `host` is the name of this
/// computer.
pub fn running(preset: &Preset, folder: &Path, host: &str) -> Option<Sign> {
    preset.locks.iter().find_map(|lock| {
        let path = folder.join(&lock.name);
        match lock.kind {
            LockKind::OpenFile => path.is_file().then_some(Sign::Here),
            LockKind::ProcessLink => {
                let target = fs::read_link(path).ok()?;
                sign_of(&target.to_string_lossy(), host)
            }
        }
    })
}

/// What `host-pid` says; hosts may hold `-` themselves.
fn sign_of(text: &str, host: &str) -> Option<Sign> {
    let (of_host, pid) = text.rsplit_once('-')?;
    let pid: i32 = pid.parse().ok()?;
    if of_host != host {
        return Some(Sign::OnHost(of_host.to_owned()));
    }
    is_alive(pid).then_some(Sign::Here)
}

#[cfg(unix)]
fn is_alive(pid: i32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let Some(pid) = Pid::from_raw(pid).filter(|_| pid > 0) else {
        return false;
    };
    // One that may not be asked is there all the same.
    matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))
}

#[cfg(not(unix))]
fn is_alive(_pid: i32) -> bool {
    // No program leaves such links there.
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::presets::preset;
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::{Command, id};

    /// A process that has ended.
    fn ended() -> u32 {
        let mut child = Command::new("true").spawn().expect("started");
        let pid = child.id();
        child.wait().expect("ended");
        pid
    }

    #[test]
    fn only_a_living_process_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let sign = |target: &str| {
            let link = folder.path().join("SingletonLock");
            fs::remove_file(&link).ok();
            symlink(target, link).expect("made");
            running(
                preset("cherry-studio").expect("known"),
                folder.path(),
                "my-pc",
            )
        };
        assert_eq!(sign(&format!("my-pc-{}", id())), Some(Sign::Here));
        assert_eq!(sign(&format!("my-pc-{}", ended())), None);
        let elsewhere = Sign::OnHost("other".to_owned());
        assert_eq!(sign(&format!("other-{}", id())), Some(elsewhere));
        for nonsense in ["my-pc", "my-pc-", "my-pc-x", "my-pc-0"] {
            assert_eq!(sign(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn databases_locks_say_nothing_and_an_open_file_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let preset = preset("cherry-studio").expect("known");
        let store = folder.path().join("Local Storage/leveldb");
        fs::create_dir_all(&store).expect("made");
        fs::write(store.join("LOCK"), "").expect("written");
        assert_eq!(running(preset, folder.path(), "pc"), None);
        fs::write(folder.path().join("lockfile"), "").expect("written");
        assert_eq!(running(preset, folder.path(), "pc"), Some(Sign::Here));
    }
}
