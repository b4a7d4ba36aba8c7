//! `Setup`: what a window is given when it is made, and how it is read at the program's start.

use crate::config::{Config, Places};
use crate::engine::causes;
use crate::gui::runner::JobRuntime;
use std::path::PathBuf;

/// What a window is given when it is made.
#[derive(Debug)]
pub struct Setup {
    /// Where settings and data are kept.
    pub places: Places,
    /// The settings to start with.
    pub config: Config,
    /// What became of settings that could not be read.
    pub damaged: Option<Damaged>,
    /// Where jobs run.
    pub runtime: JobRuntime,
}

/// What became of settings that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Why they could not be read.
    pub reason: String,
    /// Where the old file is now; none if it could not be moved.
    pub kept_at: Option<PathBuf>,
}

impl Setup {
    /// Reads the settings; those that cannot be read are set aside and replaced by new ones.
    pub fn load(places: Places, runtime: JobRuntime) -> Self {
        let (config, damaged) = match Config::load(&places) {
            Ok(config) => (config, None),
            Err(error) => {
                tracing::error!(%error, "the settings could not be read");
                let kept_at = Config::set_aside(&places).ok();
                let mut lines = vec![error.to_string()];
                lines.extend(causes(&error));
                let reason = lines.join("\ncaused by: ");
                let damaged = Damaged { reason, kept_at };
                (Config::first(&places), Some(damaged))
            }
        };
        Self {
            places,
            config,
            damaged,
            runtime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_settings_are_kept_and_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            config_dir: folder.path().join("config"),
            data_dir: folder.path().join("data"),
        };
        std::fs::create_dir_all(&places.config_dir).expect("made");
        std::fs::write(places.config_file(), "profiles = 7 [").expect("written");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let setup = Setup::load(places.clone(), runtime.handle().clone().into());
        assert_eq!(setup.config, Config::first(&places));
        let kept_at = setup.damaged.and_then(|damaged| damaged.kept_at);
        assert!(kept_at.is_some_and(|path| path.exists()));
        let again = Setup::load(places, runtime.handle().clone().into());
        assert_eq!(again.damaged, None);
    }
}
