//! Reads what stands in one field: an address, a page's address, `s3://…`, an ARN, an account.

use super::clean::clean;
use super::console::{Page, Place, read_page, segments};
use super::error::{EndpointError, harmless};
use super::hosts::{HostKind, KnownHost, recognise};
use crate::model::Provider;
use std::net::IpAddr;
use url::{Host, Url};

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

/// Reads `text`, which may be empty. `chosen` is the provider that the person chose.
pub(super) fn read(text: &str, chosen: Provider) -> Result<Read, EndpointError> {
    let text = clean(text);
    if text.is_empty() {
        return Ok(Read::default());
    }
    if let Some(named) = text
        .strip_prefix("arn:")
        .and_then(|arn| arn.split_once(":s3:::"))
    {
        return Ok(of_uri(Some(Provider::AWS), named.1));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return match account(&text, chosen) {
            Some(url) => Ok(Read {
                sentences: vec![format!("The account “{text}” has the address {url}.")],
                ..of_url(&parse(&url)?, chosen)?
            }),
            None => of_url(&parse_without_scheme(&text)?, chosen),
        };
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "http" || scheme == "https" {
        return of_url(&parse(&text)?, chosen);
    }
    let is_of = |provider: &Provider| provider.preset().uri_schemes.contains(&scheme);
    if let Some(provider) = Provider::all().find(is_of) {
        if rest.contains('@') {
            return Err(EndpointError::Credentials);
        }
        // Everyone writes s3://, whoever keeps the bucket.
        let provider = (provider != Provider::AWS).then_some(provider);
        return Ok(of_uri(provider, rest));
    }
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(is_scheme) || text.contains('@') {
        return Err(EndpointError::EndpointInvalid(harmless(&text)));
    }
    Err(EndpointError::Scheme(scheme))
}

/// The address that an account alone stands for.
fn account(text: &str, chosen: Provider) -> Option<String> {
    let preset = chosen.preset();
    let is_account = text.len() >= 8 && text.chars().all(|c| c.is_ascii_alphanumeric());
    let template = preset.endpoint.as_deref()?;
    (is_account && preset.is_of_account())
        .then(|| template.replace("{account}", &text.to_ascii_lowercase()))
}

fn of_uri(provider: Option<Provider>, rest: &str) -> Read {
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    Read {
        provider,
        bucket: (!bucket.is_empty()).then(|| bucket.to_owned()),
        path: split_path(path),
        ..Read::default()
    }
}

fn parse(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::EndpointInvalid(harmless(text)))?;
    if url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(EndpointError::Credentials)
    }
}

/// Without a scheme it is https, or http on this very computer.
fn parse_without_scheme(text: &str) -> Result<Url, EndpointError> {
    let secure = parse(&format!("https://{text}"))?;
    if secure.host().is_some_and(|host| is_this_computer(&host)) {
        parse(&format!("http://{text}"))
    } else {
        Ok(secure)
    }
}

/// Whether nothing that is sent there leaves this computer.
pub(super) fn is_this_computer(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

fn of_url(url: &Url, chosen: Provider) -> Result<Read, EndpointError> {
    let host = match url.host() {
        Some(Host::Domain(domain)) => domain.trim_end_matches('.').to_ascii_lowercase(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = host.split('.').all(|label| !label.is_empty()) && host.chars().all(is_plain);
    if !is_name && !is_ip(&host) {
        return Err(EndpointError::EndpointInvalid(harmless(url.as_str())));
    }
    if let Some(page) = read_page(url, chosen) {
        return Ok(of_page(page?, url, host));
    }
    let mut read = Read {
        path: segments(&without_fragment(url)),
        ..Read::default()
    };
    if url.query().is_some() || url.fragment().is_some() {
        let dropped = "What stands behind the path of the address is not used.";
        read.sentences.push(dropped.to_owned());
    }
    let origin = Origin {
        scheme: url.scheme().to_owned(),
        host,
        port: url.port(),
        is_global: false,
    };
    if let Some(known) = recognise(&origin.host) {
        return of_known_host(known, origin, read);
    }
    read.service = Some(Service::At(origin));
    Ok(read)
}

/// Adds to `read` what a known host tells.
fn of_known_host(
    known: KnownHost,
    mut origin: Origin,
    mut read: Read,
) -> Result<Read, EndpointError> {
    let preset = known.provider.preset();
    read.provider = Some(known.provider);
    read.bucket = (!known.bucket.is_empty()).then_some(known.bucket);
    if read.bucket.is_some() && read.path.first() == read.bucket.as_ref() {
        // In the host and in the path, as some pages show it.
        read.path.remove(0);
    }
    match known.kind {
        HostKind::Web => {
            return Err(EndpointError::ForBrowsers {
                host: origin.host,
                title: &preset.title,
                example: &preset.endpoint_example,
            });
        }
        HostKind::Other => {
            let region = known.region.as_deref().unwrap_or("");
            let template = preset.template(region).unwrap_or("");
            read.sentences.push(format!(
                "“{}” is not for programs: {} is used instead.",
                known.service,
                template.replace("{region}", region)
            ));
            read.service = Some(Service::Template(template));
            read.region = known.region;
            return Ok(read);
        }
        HostKind::Internal => read.sentences.push(format!(
            "This address works only inside the network of {}.",
            preset.title
        )),
        HostKind::Global => origin.is_global = true,
        HostKind::Service => {}
    }
    read.region = known.region;
    origin.host = known.service;
    read.service = Some(Service::At(origin));
    Ok(read)
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

fn of_page(page: Page, url: &Url, host: String) -> Read {
    let preset = page.provider.preset();
    let (provider, service, sentence) = match page.place {
        Place::Template(template) => {
            let account = page.named.account.as_deref().unwrap_or("");
            let service = Service::of_account(template, account);
            let sentence = format!("This is a page of the console of {}.", preset.title);
            (Some(page.provider), service, sentence)
        }
        Place::SameHost => {
            let is_console = url.port().is_some() && url.port() == preset.console_port;
            let port = if is_console {
                preset.service_port
            } else {
                url.port()
            };
            let mut sentence = "This is a page of the server's console".to_owned();
            match port {
                Some(port) if is_console => {
                    sentence += &format!("; its service is expected at port {port}.");
                }
                _ => sentence.push('.'),
            }
            let service = Service::At(Origin {
                scheme: url.scheme().to_owned(),
                host,
                port,
                is_global: false,
            });
            (None, service, sentence)
        }
    };
    Read {
        provider,
        service: Some(service),
        region: page.named.region,
        bucket: page.named.bucket,
        path: split_path(page.named.prefix.as_deref().unwrap_or("")),
        sentences: vec![sentence],
    }
}

impl Service {
    /// The address of an account; the template itself where it needs none.
    fn of_account(template: &'static str, account: &str) -> Self {
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

fn split_path(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a host is a number, before which no bucket can stand.
pub(super) fn is_ip(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}
