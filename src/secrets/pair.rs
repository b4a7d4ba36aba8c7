//! A pair of keys, as they were found.

use crate::model::Secret;

/// A pair of keys; the secret half holds the session token too.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret: Secret,
}
