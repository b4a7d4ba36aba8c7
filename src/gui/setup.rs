//! `Setup`: what a window is given when it is made, and how it is read at the program's start.

use crate::config::{Config, ConfigError, Places};
use std::path::PathBuf;
use tokio::runtime::Handle;

/// What a window is given when it is made.
#[derive(Debug)]
pub struct Setup {
    /// Where settings and data are kept.
    pub places: Places,
    /// The settings to start with.
    pub config: Config,
    /// What became of settings that could not be read.
    pub damaged: Option<Damaged>,
    /// Where jobs run; multi-threaded.
    pub runtime: Handle,
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
    pub fn load(places: Places, runtime: Handle) -> Self {
        let (config, damaged) = match Config::load(&places) {
            Ok(config) => (config, None),
            Err(error) => {
                tracing::error!(%error, "the settings could not be read");
                let kept_at = Config::set_aside(&places).ok();
                let reason = reason(&error);
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

/// Everything that is known about the failure.
fn reason(error: &ConfigError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str("\ncaused by: ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
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
        let setup = Setup::load(places.clone(), runtime.handle().clone());
        assert_eq!(setup.config, Config::first(&places));
        let kept_at = setup.damaged.and_then(|damaged| damaged.kept_at);
        assert!(kept_at.is_some_and(|path| path.exists()));
        let again = Setup::load(places, runtime.handle().clone());
        assert_eq!(again.damaged, None);
    }
}
