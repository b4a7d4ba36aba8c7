//! What a text says of a bucket's address.

use crate::model::Provider;
use std::net::IpAddr;
use url::Host;

/// What a text says of a bucket's address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// The provider that it tells of.
    pub(super) provider: Option<Provider>,
    /// Where the service is; none where the text does not say.
    pub(super) service: Option<Service>,
    pub(super) region: Option<String>,
    pub(super) bucket: Option<String>,
    /// Segments behind the host, the bucket perhaps the first of them.
    pub(super) path: Vec<String>,
    /// In plain sentences, what is not obvious.
    pub(super) sentences: Vec<String>,
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    /// A template without a region.
    Template(&'static str),
    /// An address.
    At(Origin),
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Whether it is one of every region, so that the region has to be said.
    pub(super) is_global: bool,
}

impl Service {
    /// The address of an account; the template itself where it needs none.
    pub(super) fn of_account(template: &'static str, account: &str) -> Self {
        let host = template.strip_prefix("https://").unwrap_or(template);
        let is_plain = account.chars().all(|c| c.is_ascii_alphanumeric());
        if account.is_empty() || !is_plain || !template.contains("{account}") {
            return Self::Template(template);
        }
        Self::At(Origin {
            scheme: "https".to_owned(),
            host: host.replace("{account}", &account.to_ascii_lowercase()),
            port: None,
            is_global: false,
        })
    }
}

/// The segments of a path.
pub(super) fn split_path(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether nothing that is sent there leaves this computer.
pub(super) fn is_this_computer(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

/// Whether a host is a number, before which no bucket can stand.
pub(super) fn is_ip(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}
