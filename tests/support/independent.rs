//! Opens archives with programs that know nothing of zipkeep: Python's `zipfile`, Info-ZIP's
//! `unzip`, `7z` and `bsdtar`.
//!
//! Python is always there. The others are left out where they are missing, unless
//! `ZIPKEEP_REQUIRE_TOOLS=1` is set, as it is in CI.

use super::tools::{self, PYTHON};
use std::path::Path;
use std::process::{Command, Output};

/// Makes a missing program a failure instead of a smaller test.
const REQUIRE_TOOLS: &str = "ZIPKEEP_REQUIRE_TOOLS";

/// Panics unless every program reads the whole archive and all of them extract the same files.
///
/// Gives the names of the entries, in the order of the archive's directory.
#[track_caller]
pub(crate) fn check_archive(path: &Path) -> Vec<String> {
    let listed = succeeded(python("check", &[path]), "Python");
    let names = serde_json::from_slice(&listed.stdout).expect("the script prints JSON");

    let mut unzip_test = tools::command("unzip");
    unzip_test.args(["-tqq", "--"]).arg(path);
    let mut seven_zip_test = tools::command("7z");
    seven_zip_test.args(["t", "-bd", "--"]).arg(path);
    let mut bsdtar_list = tools::command("bsdtar");
    bsdtar_list.arg("-tf").arg(path);
    for mut command in [unzip_test, seven_zip_test, bsdtar_list] {
        run_tool(&mut command);
    }

    for (program, extract) in EXTRACTORS {
        let into = tempfile::tempdir().expect("a temporary folder can be made");
        if extract(path, into.path()) {
            let compared = python("compare", &[path, into.path()]);
            succeeded(compared, &format!("comparing what {program} extracted"));
        }
    }
    names
}

/// Extracts an archive into a folder; tells whether the program is there.
type Extract = fn(&Path, &Path) -> bool;

const EXTRACTORS: [(&str, Extract); 4] = [
    ("Python", extract_with_python),
    ("unzip", extract_with_unzip),
    ("7z", extract_with_7z),
    ("bsdtar", extract_with_bsdtar),
];

/// Extracts with Python's `zipfile`, which makes a plain file of a link.
#[track_caller]
pub(crate) fn extract_with_python(path: &Path, into: &Path) -> bool {
    succeeded(python("extract", &[path, into]), "Python");
    true
}

/// Extracts with `unzip`; tells whether the program is there.
#[track_caller]
pub(crate) fn extract_with_unzip(path: &Path, into: &Path) -> bool {
    let mut command = tools::command("unzip");
    // `-^` keeps control characters in names instead of dropping them.
    command
        .args(["-q", "-o", "-^"])
        .arg(path)
        .arg("-d")
        .arg(into);
    run_tool(&mut command)
}

/// Extracts with `7z`; tells whether the program is there.
///
/// It leaves an empty file for a link that points up (`../`), and then ends with an error; that
/// error alone is no fault of the archive.
#[track_caller]
pub(crate) fn extract_with_7z(path: &Path, into: &Path) -> bool {
    let mut output_folder = std::ffi::OsString::from("-o");
    output_folder.push(into);
    let mut command = tools::command("7z");
    command
        .args(["x", "-y", "-bd"])
        .arg(output_folder)
        .arg("--")
        .arg(path);
    run_tool_unless(&mut command, |error| {
        error.starts_with("ERROR: Dangerous link path was ignored")
    })
}

/// Extracts with `bsdtar`; tells whether the program is there.
#[track_caller]
pub(crate) fn extract_with_bsdtar(path: &Path, into: &Path) -> bool {
    let mut command = tools::command("bsdtar");
    command.arg("-xf").arg(path).arg("-C").arg(into);
    run_tool(&mut command)
}

/// Runs a program that may be missing; panics with its output where it fails.
#[track_caller]
fn run_tool(command: &mut Command) -> bool {
    run_tool_unless(command, |_| false)
}

/// Like [`run_tool`], but a failure whose every error line is harmless counts as success.
#[track_caller]
fn run_tool_unless(command: &mut Command, is_harmless: fn(&str) -> bool) -> bool {
    let program = command.get_program().to_string_lossy().into_owned();
    let Some(output) = tools::run(command) else {
        tools::skip::<()>(REQUIRE_TOOLS, &format!("{program} is not installed"));
        return false;
    };
    let printed = tools::printed(&output);
    let errors: Vec<_> = printed
        .lines()
        .filter(|line| line.starts_with("ERROR"))
        .collect();
    if errors.is_empty() || !errors.into_iter().all(is_harmless) {
        succeeded(output, &program);
    }
    true
}

fn python(verb: &str, arguments: &[&Path]) -> Output {
    tools::run(
        tools::command(PYTHON)
            .arg(tools::script("inspect_zip.py"))
            .arg(verb)
            .args(arguments),
    )
    .expect("Python is needed to check archives")
}

#[track_caller]
fn succeeded(output: Output, program: &str) -> Output {
    assert!(
        output.status.success(),
        "{program} does not accept the archive ({}):\n{}",
        output.status,
        tools::printed(&output)
    );
    output
}
