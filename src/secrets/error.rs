//! Why keys could not be found or kept. No message repeats what stands in a file of keys.

use std::io;
use std::path::PathBuf;

/// Why keys could not be found or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file of this program's own secrets.
    #[error("the secrets in {path} cannot be {action}")]
    Kept {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The environment was chosen, and lacks something.
    #[error("the keys are to come from the environment, but {0} is not set there")]
    Environment(&'static str),
    /// Half of a pair of keys, or a token, which no request can carry.
    #[error(
        "the {field} that was found {place} holds characters that no key has, such as a line break"
    )]
    NotPlain {
        /// Which one.
        field: &'static str,
        /// Where it was found.
        place: String,
    },
    /// A file of AWS's programs is there and cannot be read.
    #[error("the AWS file {path} cannot be read")]
    AwsFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file of AWS's programs is not written as they are.
    #[error("the AWS file {path} cannot be understood at line {line}")]
    AwsSyntax {
        /// The file.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
    },
    /// No such profile.
    #[error("there is no AWS profile “{name}” in {credentials} or {config}")]
    NoAwsProfile {
        /// The profile.
        name: String,
        /// The file of credentials.
        credentials: PathBuf,
        /// The file of settings.
        config: PathBuf,
    },
    /// A profile without something.
    #[error("the AWS profile “{name}” has no {setting}")]
    AwsKeyMissing {
        /// The profile.
        name: String,
        /// What is missing.
        setting: &'static str,
    },
    /// A profile whose keys another program would have to fetch.
    #[error("the AWS profile “{name}” has no keys of its own: it gets them by {setting}")]
    AwsNotStatic {
        /// The profile.
        name: String,
        /// The setting that says so.
        setting: &'static str,
    },
}

impl SecretsError {
    /// What the person can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Kept { .. } => {
                "Check the file and its folder; moved away, the secrets are to be entered anew."
            }
            Self::Environment(_) => {
                "Set it before this program starts, or choose another source of the keys."
            }
            Self::NotPlain { .. } => {
                "Copy it anew: keys and tokens are of visible letters, digits and signs of ASCII, in one line."
            }
            Self::AwsFile { .. } => "Check that the file may be read by you.",
            Self::AwsSyntax { .. } => {
                "Mend the line: below a [section], each line is NAME = VALUE or begins with #."
            }
            Self::NoAwsProfile { .. } => {
                "Check the name (`aws configure list-profiles` shows them all), or make it with `aws configure`."
            }
            Self::AwsKeyMissing { .. } => {
                "Complete it with `aws configure`, or choose another source of the keys."
            }
            Self::AwsNotStatic { .. } => {
                "zipkeep takes no roles and asks no other program for keys. Let AWS's program fetch them: start zipkeep from a terminal after `eval \"$(aws configure export-credentials --profile NAME --format env)\"`, and choose the environment as the source of the keys. Or use a profile with an access key of its own."
            }
        }
    }
}
