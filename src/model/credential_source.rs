//! `CredentialSource`: where the keys of a bucket come from. The keys themselves are elsewhere.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where the keys of a bucket come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialSource {
    /// The access key id from the settings, the secret from where this program keeps it.
    #[default]
    Keys,
    /// The variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    Environment,
    /// A profile of AWS's shared files of credentials and settings.
    AwsProfile {
        /// The profile's name there; `default` is one like any other.
        name: String,
    },
}

/// Why a text names no source of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is none of keys, environment and aws-profile:NAME")]
pub struct CredentialSourceError(String);

const PROFILE_PREFIX: &str = "aws-profile:";

impl CredentialSource {
    /// Whether it is what settings mean that say nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::Keys
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys => formatter.write_str("keys"),
            Self::Environment => formatter.write_str("environment"),
            Self::AwsProfile { name } => write!(formatter, "{PROFILE_PREFIX}{name}"),
        }
    }
}

impl FromStr for CredentialSource {
    type Err = CredentialSourceError;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keys" => Ok(Self::Keys),
            "environment" => Ok(Self::Environment),
            _ => {
                let name = text.strip_prefix(PROFILE_PREFIX).map(str::trim);
                let name = name.filter(|name| !name.is_empty());
                let name = name.ok_or_else(|| CredentialSourceError(text.to_owned()))?;
                Ok(Self::AwsProfile {
                    name: name.to_owned(),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::S3Destination;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["keys", "environment", "aws-profile:work"] {
            let source: CredentialSource = text.parse().expect("a source");
            assert_eq!(source.to_string(), text);
        }
        for bad in ["", "Keys", "aws-profile", "aws-profile: "] {
            assert!(bad.parse::<CredentialSource>().is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_that_say_nothing_of_it_stay_as_they_are() {
        let old: S3Destination = serde_json::from_str("{}").expect("read");
        assert_eq!(old.credentials, CredentialSource::Keys);
        let text = serde_json::to_string(&old).expect("written");
        assert!(!text.contains("credentials") && !text.contains("ca_certificate"));
        let named = S3Destination {
            credentials: CredentialSource::AwsProfile {
                name: "work".to_owned(),
            },
            ..old
        };
        let text = serde_json::to_string(&named).expect("written");
        assert!(
            text.contains(r#""credentials":{"aws-profile":{"name":"work"}}"#),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<S3Destination>(&text).ok(),
            Some(named)
        );
    }
}
