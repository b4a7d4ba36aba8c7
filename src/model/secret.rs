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

/// Which of these no request can carry, in plain words; `None` where all is well. The id and the token stand in
/// headers; the secret stands in none, so that a password of any letters will do.
pub fn odd_key(access_key_id: &str, secret: &Secret) -> Option<&'static str> {
    let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible(access_key_id) {
        return Some("access key id");
    }
    if secret.expose().chars().any(char::is_control) {
        return Some("secret access key");
    }
    let token = secret.expose_session_token().unwrap_or_default();
    (!is_visible(token)).then_some("session token")
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
    use super::{Secret, odd_key};

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

    #[test]
    fn what_no_header_can_carry_is_named() {
        let secret = Secret::new("my wörd");
        assert_eq!(odd_key("AKIA/x", &secret), None);
        for id in ["a b", "a\u{200b}b", "a\nb", "ä"] {
            assert_eq!(odd_key(id, &secret), Some("access key id"));
        }
        assert_eq!(
            odd_key("AK", &Secret::new("a\u{1}b")),
            Some("secret access key")
        );
        for token in ["a b", "a\nb", "ä"] {
            let secret = Secret::new("s").with_session_token(token);
            assert_eq!(odd_key("AK", &secret), Some("session token"));
        }
    }
}
