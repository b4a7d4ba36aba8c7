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

/// What is wrong with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyTrouble {
    /// It cannot be reached.
    Away,
    /// It wants a name and a password, or others.
    WantsName,
    /// It is there, and does not get through to the destination or does not want to.
    Refuses,
}

/// The proxy could not be reached, or did not let a request through.
#[derive(Debug)]
pub(super) struct ProxyFailed {
    proxy: String,
    trouble: ProxyTrouble,
    source: reqwest::Error,
}

impl ProxyFailed {
    /// A connection to `uri` failed with `error`: the proxy's name goes with it where the failure is the
    /// proxy's own, and not that of TLS with the destination behind it.
    pub(super) fn of(uri: &Uri, error: reqwest::Error) -> Result<Self, reqwest::Error> {
        match proxy_of(uri) {
            Some(proxy) if !is_of_tls(&error) => Ok(Self {
                proxy,
                trouble: ProxyTrouble::of(&error),
                source: error,
            }),
            _ => Err(error),
        }
    }

    /// The failure of a proxy among the causes of an error.
    pub(super) fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|cause| cause.downcast_ref())
    }

    /// What is wrong.
    pub(super) const fn trouble(&self) -> ProxyTrouble {
        self.trouble
    }

    /// What to say of it after its name.
    pub(super) fn about(&self) -> String {
        let what = match self.trouble {
            ProxyTrouble::Away => "cannot be reached",
            ProxyTrouble::WantsName => "wants a name and a password, or others",
            ProxyTrouble::Refuses => "refuses to connect to the destination",
        };
        format!("{} {what}", self.proxy)
    }
}

impl ProxyTrouble {
    /// The client keeps its reasons to itself (`hyper-util`, `client::legacy::connect::proxy::Tunnel`): what
    /// they say is all there is to know them by.
    fn of(error: &reqwest::Error) -> Self {
        let said = |words: &str| causes(error).any(|cause| cause.to_string().contains(words));
        if said("proxy authorization required") {
            Self::WantsName
        } else if said("unsuccessful") {
            Self::Refuses
        } else {
            Self::Away
        }
    }
}

/// An error and all its causes.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
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
    const WORDS: [&str; 4] = ["certificate", "tls", "corrupt message", "handshake"];
    causes(error).any(|cause| {
        let text = cause.to_string().to_ascii_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    })
}
