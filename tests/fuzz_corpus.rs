//! Replays the corpus of the fuzzers through the same cases, so that what was found once stays mended, also
//! where no fuzzer is installed. Every input is fed whole, cut off, and with each of its bytes changed.

#[path = "../fuzz/cases.rs"]
#[allow(unreachable_pub, reason = "the fuzzers' crate includes it too")]
mod cases;

use std::fs;
use std::path::Path;

fn replay(target: &str, case: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).expect("a corpus") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("readable");
        inputs += 1;
        case(&bytes);
        // The ends of archives say the most, so that near them nothing is left out.
        let step = (bytes.len() / 500).max(1);
        for at in (0..bytes.len()).filter(|at| at % step == 0 || at + 200 > bytes.len()) {
            case(&bytes[..at]);
            let mut changed = bytes.clone();
            for value in [bytes[at] ^ 1, 0, 0xff] {
                changed[at] = value;
                case(&changed);
            }
        }
    }
    assert!(inputs >= 5, "{target} has {inputs} inputs");
}

#[test]
fn directories_of_any_bytes_are_read_or_refused() {
    replay("directory", cases::directory);
}

#[test]
fn manifests_of_any_bytes_are_read_or_refused() {
    replay("manifest", cases::manifest);
}

#[test]
fn entries_of_any_bytes_are_read_or_refused() {
    replay("entry", cases::entry);
}
