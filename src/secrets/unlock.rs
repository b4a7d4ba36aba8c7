//! A destination and the keys that open it, wherever they come from.

use super::aws_profile;
use super::error::SecretsError;
use super::kept::{find, for_this_session};
use super::pair::Keys;
use crate::config::Places;
use crate::model::{CredentialSource, Destination, Secret};

/// A destination and the keys that open it.
#[derive(Debug, Clone)]
pub struct Unlocked {
    /// With the access key id that belongs to the secret.
    pub destination: Destination,
    /// The secret; `None` where none is kept, and for folders.
    pub secret: Option<Secret>,
}

/// Finds the keys of `destination`, the one of `profile`. A secret that was just `typed` wins over the one
/// that is kept. May wait for a disk.
pub fn unlock(
    places: &Places,
    profile: &str,
    destination: &Destination,
    typed: Option<Secret>,
) -> Result<Unlocked, SecretsError> {
    let mut destination = destination.clone();
    let secret = match &mut destination {
        Destination::Folder(_) => None,
        Destination::S3(settings) => {
            let keys = match &settings.credentials {
                CredentialSource::Keys => None,
                CredentialSource::Environment => {
                    Some(of_environment(&|name| std::env::var(name).ok())?)
                }
                CredentialSource::AwsProfile { name } => Some(aws_profile::keys(name)?),
            };
            match (keys, typed) {
                (Some(keys), _) => {
                    settings.access_key_id = keys.access_key_id;
                    Some(keys.secret)
                }
                (None, Some(typed)) => Some(for_this_session(typed)),
                (None, None) => find(places, profile)?,
            }
        }
    };
    Ok(Unlocked {
        destination,
        secret,
    })
}

/// Reads the keys of the variables that AWS's programs know.
fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Keys, SecretsError> {
    let needed = |name: &'static str| {
        let value = variable(name).map(|value| value.trim().to_owned());
        value
            .filter(|value| !value.is_empty())
            .ok_or(SecretsError::Environment(name))
    };
    let token = variable("AWS_SESSION_TOKEN").unwrap_or_default();
    let keys = Keys {
        access_key_id: needed("AWS_ACCESS_KEY_ID")?,
        secret: Secret::new(&needed("AWS_SECRET_ACCESS_KEY")?).with_session_token(&token),
    };
    keys.checked("in the environment")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Keys, SecretsError> {
        of_environment(&|name| {
            let mut set = set.iter();
            set.find(|(own, _)| *own == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_gives_keys_with_and_without_a_token() {
        let pair = [
            ("AWS_ACCESS_KEY_ID", " AKIA\n"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        let keys = read(&pair).expect("keys");
        assert_eq!(keys.access_key_id, "AKIA");
        assert_eq!(keys.secret, Secret::new("hunter2"));
        let with_token = read(&[&pair[..], &[("AWS_SESSION_TOKEN", "t")]].concat());
        let with_token = with_token.expect("keys").secret;
        assert_eq!(with_token.expose_session_token(), Some("t"));
        for (left, missing) in [(1, "AWS_ACCESS_KEY_ID"), (0, "AWS_SECRET_ACCESS_KEY")] {
            let refused = read(&pair[left..=left]).expect_err("half a pair");
            assert!(refused.to_string().contains(missing), "{refused}");
            assert!(!format!("{refused:?} {refused}").contains("hunter2"));
        }
    }

    #[test]
    fn keys_that_no_request_can_carry_are_refused_by_name() {
        let sound = [
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ];
        let names = ["access key id", "secret access key", "session token"];
        for (at, name) in names.into_iter().enumerate() {
            for odd in ["hunter2\nx", "hunter2\u{1}x"] {
                let mut set = sound;
                set[at].1 = odd;
                let refused = read(&set).expect_err("refused");
                let told = format!("{refused} {refused:?}");
                assert!(told.contains(name) && !told.contains("hunter2"), "{told}");
            }
        }
    }
}
