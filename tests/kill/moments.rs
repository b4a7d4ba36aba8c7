//! When the program is killed, how often, and over which trees.

use crate::support::{noise, write_file};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        let hash = blake3::hash(&self.0.to_le_bytes());
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"))
    }

    /// Some moment of a run that takes so long.
    pub(crate) fn moment(&mut self, of: Duration) -> Duration {
        let permille = u32::try_from(self.next() % 1_000).expect("small");
        of * permille / 1_000
    }
}

pub(crate) fn make_tree(root: &Path) {
    for name in 0..4 {
        write_file(root, &format!("big/{name}.bin"), &noise(name, 18 << 20));
    }
    for name in 0_u64..2_000 {
        let len = usize::try_from(name % 23 * 150).expect("small");
        write_file(
            root,
            &format!("many/{}/{name}.dat", name % 40),
            &noise(100 + name, len),
        );
    }
}

/// Enough changes for a second backup of a while.
pub(crate) fn change_tree(root: &Path, round: u64) {
    let seed = 10_000 * (round + 1);
    write_file(
        root,
        &format!("big/{}.bin", round % 4),
        &noise(seed, 18 << 20),
    );
    write_file(root, "big/9.bin", &noise(seed + 1, 12 << 20));
    for name in 0..50 {
        write_file(
            root,
            &format!("many/1/new-{name}.dat"),
            &noise(seed + 2 + name, 900),
        );
    }
    fs::remove_file(root.join(format!("many/2/{}.dat", 2 + 40 * (round % 50)))).ok();
}

/// How many kills are wanted, or so many where nobody says.
pub(crate) fn wanted_kills(default: u64) -> u64 {
    let wanted = std::env::var("ZIPKEEP_KILLS").ok();
    wanted
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(default)
}

pub(crate) fn seed() -> u64 {
    let wanted = std::env::var("ZIPKEEP_KILL_SEED").ok();
    let now = || u64::from(std::process::id()) * 1_000_003;
    wanted
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(now)
}
