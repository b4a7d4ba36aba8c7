//! A bucket's address, and what was understood on the way to it.

use super::said::is_ip;
use crate::model::{Addressing, Provider};

/// A bucket's address, ready for the S3 client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port of the service, without the bucket and without a slash at the end.
    pub service_url: String,
    /// Bucket name.
    pub bucket: String,
    /// Prefix of every key, without slashes at its ends; may be empty.
    pub root_path: String,
    /// Region to sign for.
    pub region: String,
    /// How the bucket is named in a request.
    pub addressing: Addressing,
    /// Whose rules apply: the provider that the host tells of, else the one that was chosen.
    pub provider: Provider,
}

/// An address, and how it was come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understanding {
    /// The address.
    pub endpoint: Endpoint,
    /// The provider that the host tells of.
    pub recognised: Option<Provider>,
    /// What was taken from where, in plain sentences; none where the fields say it all themselves.
    pub sentences: Vec<String>,
}

impl Endpoint {
    /// The URL that the S3 client is given: with the bucket in its host in virtual-hosted style.
    pub fn client_url(&self) -> String {
        match self.addressing {
            Addressing::Path => self.service_url.clone(),
            Addressing::VirtualHosted => {
                self.service_url
                    .replacen("://", &format!("://{}.", self.bucket), 1)
            }
        }
    }

    /// Whether the host is a name, which a bucket's can stand in front of, and not a number.
    pub fn has_name(&self) -> bool {
        let (_, host) = self.service_url.split_once("://").unwrap_or_default();
        let is_port = |end: &str| end.chars().all(|c| c.is_ascii_digit());
        let without_port = host.rsplit_once(':').filter(|(_, end)| is_port(end));
        !is_ip(without_port.map_or(host, |(host, _)| host))
    }

    /// The URL of the bucket, in either style.
    pub fn bucket_url(&self) -> String {
        match self.addressing {
            Addressing::Path => format!("{}/{}", self.service_url, self.bucket),
            Addressing::VirtualHosted => self.client_url(),
        }
    }
}
