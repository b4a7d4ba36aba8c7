//! A pair of keys, as they were found.

use super::error::SecretsError;
use crate::model::{Secret, odd_key};

/// A pair of keys; the secret half holds the session token too.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret: Secret,
}

impl Keys {
    /// The same, if requests can carry each of them. `place` says where they were found, as in “in the file”.
    pub(super) fn checked(self, place: &str) -> Result<Self, SecretsError> {
        match odd_key(&self.access_key_id, &self.secret) {
            Some(field) => Err(SecretsError::NotPlain {
                field,
                place: place.to_owned(),
            }),
            None => Ok(self),
        }
    }
}
