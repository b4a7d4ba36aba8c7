//! The connection doctor with every provider, healthy and with everything that people meet: what it says,
//! in which check, and that it leaves nothing behind.
//!
//! The faults are data ([`Case`]): `way`, `entry` and `rights` hold them. `ZIPKEEP_DOCTOR_TABLE=FILE` writes
//! what it said to each into a table.

mod afterwards;
mod entry;
mod examination;
mod rights;
mod table;
mod way;

use crate::emulator::{Computer, EVERY, Emulator, Line, MINIO, Rules, Typed};
use examination::Examination;

/// Something that is wrong, and what is to be said of it.
pub(super) struct Case {
    fault: &'static str,
    /// Where it can happen.
    at: fn(&Rules) -> bool,
    road: Road,
    /// Makes it wrong: at the provider, or in what the person types.
    arrange: fn(&Emulator, &mut Typed),
    /// The same in the settings, once they are there.
    settle: fn(&Computer<'_>),
    expected: fn(&Rules) -> Expected,
}

/// How the program gets there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Road {
    /// To the provider's real names, through a proxy; over the line that people have to it.
    Proxy,
    /// To this computer, without TLS or with it, past any proxy.
    Direct(Line),
}

/// What has to be said.
struct Expected {
    /// The check that it shows in; empty where all is well.
    check: &'static str,
    outcome: &'static str,
    exit: i32,
    /// Words that message or hint hold: what was found, and what to do.
    words: &'static [&'static str],
    after: After,
    /// Other checks that do not just pass, and how they end.
    also: &'static [(&'static str, &'static str)],
}

/// What becomes of the checks after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    NotReached,
    GoesOn,
}

fn everywhere(_: &Rules) -> bool {
    true
}

/// It does not work, and nothing after it can be tried.
fn fails(check: &'static str, words: &'static [&'static str]) -> Expected {
    Expected {
        check,
        outcome: "fail",
        exit: 1,
        words,
        after: After::NotReached,
        also: &[],
    }
}

/// It works, with something to know.
fn warns(check: &'static str, words: &'static [&'static str]) -> Expected {
    Expected {
        outcome: "warn",
        exit: 3,
        after: After::GoesOn,
        ..fails(check, words)
    }
}

fn works() -> Expected {
    Expected {
        outcome: "pass",
        exit: 0,
        after: After::GoesOn,
        ..fails("", &[])
    }
}

/// A case at every provider, with nothing wrong yet.
const fn case(fault: &'static str, expected: fn(&Rules) -> Expected) -> Case {
    Case {
        fault,
        at: everywhere,
        road: Road::Proxy,
        arrange: |_, _| {},
        settle: |_| {},
        expected,
    }
}

fn every_case() -> Vec<Case> {
    let healthy = case("nothing", |_| works());
    let mut cases = vec![healthy];
    cases.extend(way::cases());
    cases.extend(entry::cases());
    cases.extend(rights::cases());
    cases
}

/// The line that people have to a provider.
fn line_to(rules: &Rules) -> Line {
    if rules.provider == MINIO.provider {
        Line::Http
    } else {
        Line::Https
    }
}

impl Case {
    /// Has the doctor look at it, and takes back what it said.
    fn examine(&self, rules: &Rules) -> Examination {
        let emulator = Emulator::start(rules);
        let computer = match self.road {
            Road::Proxy => Computer::new(&emulator, line_to(rules)),
            Road::Direct(line) => Computer::without_proxy(&emulator, line),
        };
        let mut typed = computer.right();
        if let Road::Direct(line) = self.road {
            let scheme = if line == Line::Http { "http" } else { "https" };
            typed.endpoint = format!("{scheme}://{}", emulator.address());
        }
        (self.arrange)(&emulator, &mut typed);
        computer.add_profile("p", &typed, &[]);
        (self.settle)(&computer);
        Examination::of(&emulator, &computer, &typed, &["test"])
    }

    /// What is not as it should be.
    fn complaints(&self, rules: &Rules, found: &Examination) -> Vec<String> {
        let expected = (self.expected)(rules);
        let mut complaints = found.complaints(&expected);
        for complaint in &mut complaints {
            *complaint = format!("{} at {}: {complaint}", self.fault, rules.provider);
        }
        complaints
    }
}

/// Looks at every case at one provider.
fn look_at(rules: &Rules, cases: &[Case]) -> (Vec<table::Row>, Vec<String>) {
    let (mut rows, mut complaints) = (Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| (case.at)(rules)) {
        let found = case.examine(rules);
        complaints.extend(case.complaints(rules, &found));
        rows.push(table::Row::of(case.fault, rules.provider, &found));
    }
    (rows, complaints)
}

#[test]
fn whatever_is_wrong_is_told_in_words_that_help() {
    let cases = every_case();
    let looked: Vec<_> = std::thread::scope(|scope| {
        let looking = EVERY.map(|rules| {
            let cases = &cases;
            scope.spawn(move || look_at(&rules, cases))
        });
        let looking = looking.into_iter();
        looking.map(|at| at.join().expect("looked")).collect()
    });
    let (rows, complaints): (Vec<_>, Vec<_>) = looked.into_iter().unzip();
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    table::write(&cases, &rows);
    let complaints = complaints.concat();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
    assert!(rows.len() > 100, "{}", rows.len());
}
