//! Keys that may not do everything, strangers that may do something, and servers that cannot copy.

use super::{After, Case, Expected, case, fails, warns, works};
use crate::emulator::{
    Access, Conduct, Emulator, Kind, PartCopy, Public, Ranges, Refusal, Rules, Word,
};
use jiff::{SignedDuration, Timestamp};

const NOTHING_WRITTEN: [(&str, &str); 4] = [
    ("read", "skip"),
    ("copy", "skip"),
    ("condition", "skip"),
    ("delete", "skip"),
];

const NOTHING_WRITTEN_NOR_WARNED: [(&str, &str); 5] = [
    ("write", "warn"),
    ("read", "skip"),
    ("copy", "skip"),
    ("condition", "skip"),
    ("delete", "skip"),
];

/// Where the permissions are found.
const POLICY: [&str; 2] = ["Copy access policy", "zipkeep-cli profile policy NAME"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = keys();
    cases.extend(strangers());
    cases.extend(servers());
    cases.extend(words_not_kept());
    cases.extend(leftovers());
    cases
}

macro_rules! with_key {
    ($fault:literal, $access:expr, $expected:expr) => {
        Case {
            arrange: |emulator, typed| typed.key = emulator.add_key($access),
            ..case($fault, $expected)
        }
    };
}

macro_rules! conducted {
    ($fault:literal, $change:expr, $expected:expr) => {
        Case {
            arrange: |emulator, _| emulator.conduct($change),
            ..case($fault, $expected)
        }
    };
}

fn keys() -> Vec<Case> {
    fn may_not_list() -> Expected {
        Expected {
            also: &[("keys", "skip"), ("bucket", "skip")],
            ..fails(
                "list",
                &[
                    "may not list",
                    "Allow the key to list",
                    POLICY[0],
                    POLICY[1],
                ],
            )
        }
    }
    vec![
        with_key!("read-only key", Access::ReadOnly, |_| Expected {
            also: &NOTHING_WRITTEN,
            ..warns(
                "write",
                &["may only read", "restoring", POLICY[0], POLICY[1]]
            )
        }),
        with_key!("write-only key", Access::NoRead, |_| Expected {
            also: &[("copy", "skip"), ("condition", "skip")],
            ..warns("read", &["but not read", POLICY[0], POLICY[1]])
        }),
        with_key!("no-delete key", Access::NoDelete, |_| warns(
            "delete",
            &["may not delete", "protects", "on the provider's page"]
        )),
        Case {
            arrange: |emulator, typed| {
                typed.key = emulator.add_key(Access::NoDelete);
                emulator.conduct(|conduct| conduct.part_copy = PartCopy::OnlyOfMuch);
            },
            ..case("no-delete key where only large objects are copied", |_| {
                warns("delete", &["may not delete", "-large", "10.5 MB"])
            })
        },
        with_key!(
            "key for the root path alone",
            Access::OnlyBelow("my backups/pc"),
            |_| works()
        ),
        with_key!("no-list key", Access::NoList, |_| may_not_list()),
        with_key!("key without any rights", Access::Nothing, |_| may_not_list(
        )),
    ]
}

fn strangers() -> Vec<Case> {
    fn is_open(words: &'static [&'static str]) -> Expected {
        Expected {
            after: After::GoesOn,
            ..fails("public", words)
        }
    }
    vec![
        conducted!(
            "public bucket: list",
            |conduct| conduct.public = Public::Listing,
            |_| is_open(&["Anybody", "see the names", "private", "public access"])
        ),
        conducted!(
            "public bucket: read",
            |conduct| conduct.public = Public::Reading,
            |_| is_open(&["Anybody", "download", "private", "public access"])
        ),
        conducted!(
            "public bucket: list and read",
            |conduct| conduct.public = Public::Both,
            |_| is_open(&["Anybody", "see and download", "private", "public access"])
        ),
        Case {
            arrange: |emulator, typed| {
                typed.key = emulator.add_key(Access::ReadOnly);
                emulator.put_object("my backups/pc/large.zip", vec![b'l'; 9 << 20]);
                emulator.put_object("my backups/pc/small.zip", vec![0xff; 100]);
                emulator.conduct(|conduct| conduct.public = Public::Reading);
            },
            ..case("public bucket with a read-only key", |_| Expected {
                also: &NOTHING_WRITTEN_NOR_WARNED,
                ..is_open(&["Anybody", "download", "private"])
            })
        },
        conducted!(
            "strangers who are told to come again",
            |conduct| conduct.public = Public::Busy,
            |_| warns(
                "public",
                &["could not be found out", "strangers", "Test again"]
            )
        ),
    ]
}

fn servers() -> Vec<Case> {
    fn cannot(_: &Rules) -> Expected {
        warns("copy", &["cop", "sends everything"])
    }
    fn fails_inside(conduct: &mut Conduct) {
        let refusal = Refusal::new(500, "InternalError", "We encountered an internal error.");
        conduct.refusals.push((Kind::CopyPart, refusal));
    }
    vec![
        conducted!(
            "part copy that is missing",
            |conduct| conduct.part_copy = PartCopy::NotImplemented,
            cannot
        ),
        conducted!(
            "part copy that stores nothing",
            |conduct| conduct.part_copy = PartCopy::Empty,
            cannot
        ),
        conducted!(
            "part copy that lies",
            |conduct| conduct.part_copy = PartCopy::OtherBytes,
            cannot
        ),
        conducted!(
            "part copy of large objects alone",
            |conduct| conduct.part_copy = PartCopy::OnlyOfMuch,
            |_| works()
        ),
        conducted!("part copy that breaks", fails_inside, |_| warns(
            "copy",
            &["Copying", "out of order", "Test again later"]
        )),
        conducted!(
            "ranges that are ignored",
            |conduct| conduct.ranges = Ranges::Ignored,
            |_| Expected {
                after: After::GoesOn,
                also: &[("copy", "skip"), ("condition", "skip")],
                ..fails("read", &["ignored the range", "proxy"])
            }
        ),
    ]
}

/// Servers that do not keep their word.
fn words_not_kept() -> Vec<Case> {
    fn not_kept(words: &'static [&'static str]) -> Expected {
        Expected {
            after: After::GoesOn,
            also: &[("copy", "skip"), ("condition", "skip")],
            ..fails("read", words)
        }
    }
    vec![
        conducted!(
            "deletions that break",
            |conduct| {
                let refusal = Refusal::new(500, "InternalError", "We encountered an error.");
                conduct.refusals.push((Kind::Delete, refusal));
            },
            |_| Expected {
                after: After::GoesOn,
                ..fails(
                    "delete",
                    &["out of order", ".zipkeep-probe-", "may still be there"]
                )
            }
        ),
        conducted!(
            "deletions that are only said to be done",
            |conduct| conduct.word = Word::DeletesNothing,
            |_| Expected {
                after: After::GoesOn,
                ..fails(
                    "delete",
                    &["does not", ".zipkeep-probe-", "are still there"]
                )
            }
        ),
        conducted!(
            "writes that are only said to be done",
            |conduct| conduct.word = Word::StoresNothing,
            |_| not_kept(&["says that it wrote", "Do not back up there"])
        ),
        conducted!(
            "writes of other bytes",
            |conduct| conduct.word = Word::StoresOtherBytes,
            |_| not_kept(&["not what was written", "Do not back up there"])
        ),
    ]
}

/// Uploads of backups that never ended, begun so many hours ago.
pub(super) fn leave_uploads(emulator: &Emulator, hours_ago: &[i64]) {
    for (number, hours) in (1..).zip(hours_ago) {
        let begun = Timestamp::now() - SignedDuration::from_hours(*hours);
        let key = format!("my backups/pc/p.2025010{number}T000000Z.pc.linux.zip");
        emulator.put_upload(&key, begun, vec![0; 1 << 20]);
    }
}

fn leftovers() -> Vec<Case> {
    vec![
        Case {
            arrange: |emulator, _| leave_uploads(emulator, &[48, 30, 2]),
            ..case("unfinished uploads, some old", |_| {
                warns(
                    "unfinished",
                    &["3 unfinished", "2 of them", "paid", "--clean-up"],
                )
            })
        },
        Case {
            arrange: |emulator, _| leave_uploads(emulator, &[2]),
            ..case("an unfinished upload of today", |_| works())
        },
    ]
}
