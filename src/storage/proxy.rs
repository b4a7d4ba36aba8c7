//! The proxy that the environment sets (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`): who it is,
//! and whether a failure is its own.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use std::error::Error;
use std::fmt;

/// The proxy that requests to `uri` go through, as host and port; never with the name and password that its
/// setting may hold.
pub(super) fn proxy_of(uri: &Uri) -> Option<String> {
    let proxy = Matcher::from_env().intercept(uri)?;
    let authority = proxy.uri().authority()?;
    let port = authority
        .port_u16()
        .map_or(String::new(), |port| format!(":{port}"));
    Some(format!("{}{port}", authority.host()))
}

/// The proxy could not be reached, or did not let a request through.
#[derive(Debug)]
pub(super) struct ProxyFailed {
    proxy: String,
    source: reqwest::Error,
}

impl ProxyFailed {
    /// A connection to `uri` failed with `error`: the proxy's name goes with it where the failure is the
    /// proxy's own, and not that of TLS with the destination behind it.
    pub(super) fn of(uri: &Uri, error: reqwest::Error) -> Result<Self, reqwest::Error> {
        match proxy_of(uri) {
            Some(proxy) if !is_of_tls(&error) => Ok(Self {
                proxy,
                source: error,
            }),
            _ => Err(error),
        }
    }

    /// What to say of it after its name.
    pub(super) fn about(&self) -> String {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&self.source);
        while let Some(error) = cause {
            let text = error.to_string();
            if text.contains("proxy authorization required") {
                return format!("{} wants a name and a password, or others", self.proxy);
            }
            if text.contains("unsuccessful") {
                return format!("{} refuses to connect to the destination", self.proxy);
            }
            cause = error.source();
        }
        format!("{} cannot be reached", self.proxy)
    }
}

impl fmt::Display for ProxyFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the proxy {} failed", self.proxy)
    }
}

impl Error for ProxyFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string().to_ascii_lowercase();
        if ["certificate", "tls", "corrupt message", "handshake"]
            .iter()
            .any(|word| text.contains(word))
        {
            return true;
        }
        cause = error.source();
    }
    false
}
