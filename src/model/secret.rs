//! `Secret`: the secret half of a pair of keys, which no log, error or debug print can show.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A secret access key, and for temporary keys the session token that goes with it. `Debug` shows only
/// whether it is empty; there is no `Display`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret {
    key: String,
    /// Never kept: it is of no use after some hours.
    #[serde(skip)]
    session_token: Option<String>,
}

impl Secret {
    /// Wraps `text`, without the white space that pasting brings along.
    pub fn new(text: &str) -> Self {
        Self {
            key: text.trim().to_owned(),
            session_token: None,
        }
    }

    /// The same with a session token; an empty one is none.
    #[must_use]
    pub fn with_session_token(self, token: &str) -> Self {
        let token = token.trim();
        Self {
            session_token: (!token.is_empty()).then(|| token.to_owned()),
            ..self
        }
    }

    /// The secret itself, for the one place that signs requests and the one that stores it.
    pub fn expose(&self) -> &str {
        &self.key
    }

    /// The session token, where there is one, for the same place.
    pub fn expose_session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.key.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.key.is_empty() {
            "Secret(empty)"
        } else {
            "Secret(hidden)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_never_holds_the_secret() {
        let secret = Secret::new(" hunter2hunter2\n");
        assert_eq!(secret.expose(), "hunter2hunter2");
        let secret = secret.with_session_token(" hunter2-token\n");
        assert_eq!(secret.expose_session_token(), Some("hunter2-token"));
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains("hunter2"));
        let kept = serde_json::to_string(&secret).expect("written");
        assert_eq!(kept, "\"hunter2hunter2\"", "no token is kept");
    }
}
