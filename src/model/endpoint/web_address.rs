//! Reads an address with a host: of a service, of something else of a provider, or of a console's page.

use super::console::{Page, Place, read_page, segments};
use super::error::{EndpointError, harmless};
use super::hosts::{HostKind, KnownHost, not_used, recognise};
use super::said::{Origin, Read, Service, is_ip, split_path};
use crate::model::Provider;
use url::{Host, Url};

/// What a URL says. `chosen` is the provider that the person chose.
pub(super) fn of_url(url: &Url, chosen: Provider) -> Result<Read, EndpointError> {
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
    if let Some(error) = not_used(&host) {
        return Err(error);
    }
    if let Some(page) = read_page(url, chosen) {
        return Ok(of_page(page?, url, host));
    }
    let read = Read {
        path: segments(&without_fragment(url)),
        ..Read::default()
    };
    let origin = Origin {
        scheme: url.scheme().to_owned(),
        host,
        port: url.port(),
        is_global: false,
    };
    if let Some(known) = recognise(&origin.host) {
        return of_known_host(known, origin, read);
    }
    Ok(Read {
        service: Some(Service::At(origin)),
        ..read
    })
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
