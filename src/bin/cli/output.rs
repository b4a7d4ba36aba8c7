//! What `zipkeep-cli` writes: results to standard output, everything else to standard error; with
//! `--json`, JSON Lines to standard output and nothing else there.

use crate::failure::Failure;
use crate::progress::{bar, lines};
use crate::wording::harmless;
use serde::Serialize;
use serde_json::json;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use zipkeep::model::{Reporter, Warning, count_text};

/// Writes a line to standard error. That nobody reads it any more must not end a backup.
macro_rules! say {
    ($($argument:tt)*) => {
        writeln!(io::stderr(), $($argument)*).ok()
    };
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Writes everything that a command has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        Self { format, quiet }
    }

    /// A result: as text by `print`, or as the last JSON line.
    pub(crate) fn result<T: Serialize>(
        self,
        command: &str,
        result: &T,
        print: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let written = match self.format {
            Format::Text => print(&mut out),
            Format::Json => {
                let line =
                    json!({"event": "finished", "command": command, "ok": true, "result": result});
                writeln!(out, "{line}")
            }
        };
        match written.and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            // Whoever reads us has seen enough, for example `head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::Local {
                what: "the result could not be written".to_owned(),
                source: error.into(),
            }),
        }
    }

    /// A failure: in plain words on standard error, or as the last JSON line.
    pub(crate) fn failure(self, command: &str, failure: &Failure) {
        match self.format {
            Format::Text => {
                say!("zipkeep-cli: {}", harmless(&failure.to_string()));
                name_files(failure.files());
                if let Some(cause) = failure.root_cause() {
                    say!("  because: {}", harmless(&cause));
                }
                say!("  {}", failure.hint());
            }
            Format::Json => {
                let mut error = json!({
                    "kind": failure.kind(),
                    "message": failure.to_string(),
                    "hint": failure.hint(),
                    "causes": failure.causes(),
                    "refusal": failure.refusal(),
                });
                if !failure.files().is_empty() {
                    let files = failure.files().iter();
                    error["files"] = files.map(|file| file.display().to_string()).collect();
                }
                let line =
                    json!({"event": "failed", "command": command, "ok": false, "error": error});
                // Nobody is left to tell when standard output is gone.
                writeln!(io::stdout(), "{line}").ok();
            }
        }
    }

    /// What went wrong on the way, for people; scripts find it in the result.
    pub(crate) fn warnings(self, title: &str, warnings: &[Warning]) {
        if self.format == Format::Text {
            self.failures(title, warnings);
        }
    }

    /// What went wrong and is in no result.
    #[expect(clippy::unused_self, reason = "whoever writes has the output")]
    pub(crate) fn failures(self, title: &str, warnings: &[Warning]) {
        const SHOWN: usize = 50;
        if warnings.is_empty() {
            return;
        }
        say!("{title}:");
        for warning in warnings.iter().take(SHOWN) {
            say!(
                "  {}: {}",
                warning.path.escape_debug(),
                harmless(&warning.reason)
            );
        }
        if warnings.len() > SHOWN {
            let more = count_text((warnings.len() - SHOWN) as u64);
            say!("  … and {more} more");
        }
    }

    /// A remark for people.
    pub(crate) fn note(self, text: &str) {
        if self.format == Format::Text && !self.quiet {
            say!("{text}");
        }
    }

    /// Who is told of progress: a bar on a terminal, lines elsewhere, JSON lines, or nobody.
    pub(crate) fn reporter(self, command: &'static str) -> Reporter {
        if self.quiet {
            return Reporter::silent();
        }
        match self.format {
            Format::Json => Reporter::new(move |progress| {
                let mut line = json!(progress);
                line["event"] = json!("progress");
                line["command"] = json!(command);
                writeln!(io::stdout(), "{line}").ok();
            }),
            Format::Text if io::stderr().is_terminal() => bar(),
            Format::Text => lines(),
        }
    }
}

/// Names files that a sentence did not, as far as a terminal should be filled with them.
fn name_files(files: &[PathBuf]) {
    /// What the sentence itself names.
    const IN_SENTENCE: usize = 3;
    const SHOWN: usize = 20;
    if files.len() <= IN_SENTENCE {
        return;
    }
    for file in files.iter().take(SHOWN) {
        say!("  {}", file.display().to_string().escape_debug());
    }
    if files.len() > SHOWN {
        let more = count_text((files.len() - SHOWN) as u64);
        say!("  … and {more} more");
    }
}
