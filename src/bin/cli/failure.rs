//! `Failure`: why a command came to nothing, and the exit code that says so.

use std::path::PathBuf;
use zipkeep::config::ConfigError;
use zipkeep::engine::{self, EngineError};
use zipkeep::model::ProfileError;
use zipkeep::secrets::SecretsError;
use zipkeep::storage::{Refusal, StorageError};

/// How a command ended, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    WrongUsage,
    Warnings,
    Cancelled,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WrongUsage => 2,
            Self::Warnings => 3,
            Self::Cancelled => 130,
        }
    }
}

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{message}")]
    Usage { message: String, hint: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("{what}")]
    Local {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Engine(error.into())
    }
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. }
            | Self::Engine(
                EngineError::NoSources
                | EngineError::Pattern { .. }
                | EngineError::NoWholeFolder
                | EngineError::OwnFolder { .. },
            )
            | Self::Config(ConfigError::NoSuchProfile(_) | ConfigError::Profile(_)) => {
                Exit::WrongUsage
            }
            Self::Engine(EngineError::ProgramEnds) => Exit::Cancelled,
            Self::Engine(error) if error.is_cancelled() => Exit::Cancelled,
            Self::Engine(_) | Self::Config(_) | Self::Secrets(_) | Self::Local { .. } => {
                Exit::Failed
            }
        }
    }

    /// A word that scripts can rely on.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Engine(error) => error.kind(),
            Self::Config(ConfigError::NoSuchProfile(_)) => "no-such-profile",
            Self::Config(ConfigError::Profile(ProfileError::Taken(_))) => "profile-taken",
            Self::Config(ConfigError::Profile(_)) => "profile-name",
            Self::Config(_) => "config",
            Self::Secrets(_) => "secrets",
            Self::Local { .. } => "local",
        }
    }

    /// What the person can do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::Engine(error @ EngineError::AppRunning { .. }) => {
                format!(
                    "{} To restore all the same, add --while-running.",
                    error.hint()
                )
            }
            Self::Engine(error @ EngineError::ImportOnly(_)) => format!(
                "{} Here: `zipkeep-cli download BACKUP FILE.zip`, or add --only 'Data/**'.",
                error.hint()
            ),
            Self::Engine(error) => error.hint().to_owned(),
            Self::Config(ConfigError::NoSuchProfile(_)) => {
                "See `zipkeep-cli profile list`.".to_owned()
            }
            Self::Config(ConfigError::Profile(_)) => "Choose another name.".to_owned(),
            Self::Config(ConfigError::Read { .. }) => {
                "Mend the file, or move it away to start with new settings.".to_owned()
            }
            Self::Config(_) => "Check the folder's permissions and free space.".to_owned(),
            Self::Secrets(error) => error.hint().to_owned(),
            Self::Local { .. } => "Check the file.".to_owned(),
        }
    }

    /// What the provider said, where it was the provider that refused.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Engine(error) => error.refusal().filter(|refusal| refusal.status.is_some()),
            _ => None,
        }
    }

    /// The files that it is about, where there may be many.
    pub(crate) fn files(&self) -> &[PathBuf] {
        match self {
            Self::Engine(EngineError::ChangedSince(files)) => files,
            _ => &[],
        }
    }

    /// Every cause beneath, outermost first.
    pub(crate) fn causes(&self) -> Vec<String> {
        engine::causes(self)
    }

    /// The innermost cause, where it is short enough to help a person: a server's whole answer is not.
    pub(crate) fn root_cause(&self) -> Option<String> {
        let innermost = self.causes().pop()?;
        (self.exit() != Exit::Cancelled && !innermost.contains("<?xml") && innermost.len() < 200)
            .then_some(innermost)
    }
}
