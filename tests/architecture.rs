//! Keeps the architecture: who may use whom, no circles, and the house rules about files.
//!
//! Reads the source as text and links nothing of the program. The lists below are the whole of what
//! is allowed: a new module fails until it has its place, and an entry that nothing needs any more
//! fails until it goes.

mod architecture {
    //! Reads and judges source text.
    pub(crate) mod graph;
    pub(crate) mod house;
    pub(crate) mod layers;
    pub(crate) mod lexer;
    pub(crate) mod paths;
    pub(crate) mod source;
}

use architecture::graph::Graph;
use architecture::house::{check_docs, check_facades, check_sizes};
use architecture::layers::{Ban, Rule, check_bans, check_layers};
use architecture::source::{Source, read_sources};
use std::path::PathBuf;

/// Who may use whom: from the nouns up to the two fronts, and in the window from its leaves up.
const RULES: &[Rule] = &[
    Rule {
        module: "model",
        may_use: &[],
    },
    Rule {
        module: "config",
        may_use: &["model"],
    },
    Rule {
        module: "secrets",
        may_use: &["model", "config"],
    },
    Rule {
        module: "log",
        may_use: &["config"],
    },
    Rule {
        module: "apps",
        may_use: &["model"],
    },
    Rule {
        module: "archive",
        may_use: &["model"],
    },
    Rule {
        module: "storage",
        may_use: &["model"],
    },
    Rule {
        module: "engine",
        may_use: &["model", "apps", "archive", "storage"],
    },
    // The window: leaves.
    Rule {
        module: "gui::theme",
        may_use: &["model"],
    },
    Rule {
        module: "gui::icon",
        may_use: &[],
    },
    Rule {
        module: "gui::rate",
        may_use: &[],
    },
    Rule {
        module: "gui::ticks",
        may_use: &["engine"],
    },
    Rule {
        module: "gui::sums",
        may_use: &["engine"],
    },
    Rule {
        module: "gui::inside_form",
        may_use: &["model", "engine", "gui::ticks"],
    },
    Rule {
        module: "gui::restore_form",
        may_use: &["model", "engine"],
    },
    Rule {
        module: "gui::forms",
        may_use: &["model", "engine", "gui::inside_form", "gui::restore_form"],
    },
    Rule {
        module: "gui::job",
        may_use: &[
            "model",
            "config",
            "secrets",
            "apps",
            "engine",
            "gui::sums",
            "gui::rate",
        ],
    },
    Rule {
        module: "gui::rows",
        may_use: &["model", "gui::job"],
    },
    Rule {
        module: "gui::notice",
        may_use: &["model", "engine", "gui::job", "gui::rows"],
    },
    Rule {
        module: "gui::command",
        may_use: &["model", "engine", "gui::job", "gui::notice"],
    },
    // The window: what it knows and does.
    Rule {
        module: "gui::opened",
        may_use: &["model", "engine", "gui::sums", "gui::notice"],
    },
    Rule {
        module: "gui::state",
        may_use: &[
            "model",
            "config",
            "engine",
            "gui::job",
            "gui::notice",
            "gui::opened",
        ],
    },
    Rule {
        module: "gui::work",
        may_use: &[
            "model",
            "config",
            "secrets",
            "apps",
            "storage",
            "engine",
            "gui::sums",
            "gui::job",
        ],
    },
    Rule {
        module: "gui::runner",
        may_use: &["model", "engine", "gui::job"],
    },
    Rule {
        module: "gui::setup",
        may_use: &["config", "engine", "gui::runner"],
    },
    // The window: the only writer of its state, and drawing, which sees neither jobs' bodies nor storage.
    Rule {
        module: "gui::update",
        may_use: &[
            "model",
            "engine",
            "gui::sums",
            "gui::rate",
            "gui::inside_form",
            "gui::forms",
            "gui::job",
            "gui::notice",
            "gui::opened",
            "gui::command",
            "gui::state",
            "gui::work",
            "gui::runner",
            "gui::setup",
        ],
    },
    Rule {
        module: "gui::view",
        may_use: &[
            "model",
            "engine",
            "gui::sums",
            "gui::theme",
            "gui::ticks",
            "gui::inside_form",
            "gui::restore_form",
            "gui::forms",
            "gui::job",
            "gui::rows",
            "gui::notice",
            "gui::opened",
            "gui::command",
            "gui::state",
        ],
    },
    Rule {
        module: "gui::app",
        may_use: &[
            "gui::theme",
            "gui::icon",
            "gui::command",
            "gui::state",
            "gui::setup",
            "gui::update",
            "gui::view",
        ],
    },
    // The two fronts' binaries.
    Rule {
        module: "main",
        may_use: &["config", "log", "gui"],
    },
    Rule {
        module: "cli",
        may_use: &[
            "model", "config", "secrets", "log", "apps", "storage", "engine",
        ],
    },
];

/// Names of other crates that only some files may use.
const BANS: &[Ban] = &[
    Ban {
        names: &["object_store"],
        only_in: &["src/storage/"],
        never_in: &[],
        reason: "everything else speaks of the Store, so that the client can be replaced",
    },
    Ban {
        names: &["reqwest", "quick_xml", "http_body"],
        only_in: &["src/storage/"],
        never_in: &[],
        reason: "only destinations are asked for anything over the network",
    },
    Ban {
        names: &["flate2", "zip"],
        only_in: &["src/archive/"],
        never_in: &[],
        reason: "the ZIP format is known in one place",
    },
    Ban {
        names: &["confy"],
        only_in: &["src/config.rs"],
        never_in: &[],
        reason: "settings are read and written in one place",
    },
    Ban {
        names: &["ini"],
        only_in: &["src/secrets/"],
        never_in: &[],
        reason: "files of keys are read in one place",
    },
    Ban {
        names: &["toml"],
        only_in: &["src/apps/", "src/model/providers/"],
        never_in: &[],
        reason: "settings are confy's business; only the presets are read as they are",
    },
    Ban {
        names: &["egui", "eframe", "egui_extras", "rfd"],
        only_in: &["src/gui/", "src/main.rs"],
        never_in: &[],
        reason: "the core runs without a window",
    },
    Ban {
        names: &["poll_promise"],
        only_in: &["src/gui/runner.rs"],
        never_in: &[],
        reason: "one place starts jobs and takes their results in",
    },
    Ban {
        names: &[
            "tokio::runtime::Runtime",
            "tokio::runtime::Builder",
            "tokio::main",
        ],
        only_in: &["src/gui/runner.rs", "src/main.rs", "src/bin/cli/"],
        never_in: &[],
        reason: "a front owns the runtime; the rest is given one",
    },
    Ban {
        names: &["std::fs", "tokio", "rfd"],
        only_in: &[],
        never_in: &["src/gui/view/"],
        reason: "drawing must never wait",
    },
];

#[test]
fn every_module_uses_only_what_it_may() {
    let sources = program();
    assert_none(&check_layers(&Graph::new(&sources), RULES));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let sources = program();
    assert_none(&Graph::new(&sources).circles());
}

#[test]
fn other_crates_stay_in_their_place() {
    let sources = program();
    assert_none(&check_bans(&Graph::new(&sources), BANS));
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_none(&check_docs(&program()));
    assert_none(&check_docs(&read_sources(&root(), "tests")));
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&check_sizes(&program()));
    assert_none(&check_sizes(&read_sources(&root(), "tests")));
}

#[test]
fn facades_hold_nothing_of_their_own() {
    assert_none(&check_facades(&program()));
}

fn program() -> Vec<Source> {
    let sources = read_sources(&root(), "src");
    assert!(
        !sources.is_empty(),
        "a test that reads nothing proves nothing"
    );
    sources
}

/// Asked at run time, so that the test can be pointed at another checkout.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} against the architecture:\n  {}",
        problems.len(),
        problems.join("\n  ")
    );
}
