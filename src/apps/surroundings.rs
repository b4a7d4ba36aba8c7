//! `Surroundings`: what of this computer says where programs keep their data.

use crate::model::Os;
use std::env;
use std::path::{Path, PathBuf};

/// What of a computer says where programs keep their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Its system.
    pub os: Os,
    /// Its name, as locks have it.
    pub host: String,
    /// The person's home.
    pub home: PathBuf,
    /// The folder of programs' settings: `$XDG_CONFIG_HOME` or `~/.config`,
    /// `~/Library/Application Support`, `%APPDATA%`.
    pub config: PathBuf,
}

impl Surroundings {
    /// This computer and this person; `None` where the system names no home.
    pub fn of_this_user() -> Option<Self> {
        let home = etcetera::home_dir().ok()?;
        let from_env = |name| {
            let value = env::var_os(name).map(PathBuf::from);
            // What is not absolute is to be ignored (XDG Base Directory Specification).
            value.filter(|path| path.is_absolute())
        };
        let os = Os::current();
        let config = match os {
            Os::Linux => from_env("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            Os::Macos => home.join("Library/Application Support"),
            Os::Windows => from_env("APPDATA").unwrap_or_else(|| home.join(r"AppData\Roaming")),
        };
        Some(Self {
            os,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            home,
            config,
        })
    }

    /// The path that a template means here.
    pub(super) fn fill(&self, template: &str) -> PathBuf {
        let known = [("{home}", &self.home), ("{config}", &self.config)];
        let filled = known.iter().find_map(|(name, folder)| {
            let rest = template.strip_prefix(name)?;
            let parts = rest.split('/').filter(|part| !part.is_empty());
            Some(parts.fold((*folder).clone(), |path, part| path.join(part)))
        });
        filled.unwrap_or_else(|| PathBuf::from(template))
    }

    /// A path that somebody noted; `~` is the home.
    pub(super) fn noted(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/").or_else(|| path.strip_prefix(r"~\")) {
            Some(rest) => self.home.join(rest),
            None => Path::new(path).to_owned(),
        }
    }
}
