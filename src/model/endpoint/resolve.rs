//! From all fields together to one address.

use super::address::{Endpoint, Understanding};
use super::clean::{clean, clean_root};
use super::error::{EndpointError, harmless};
use super::hosts::recognise;
use super::read::{Origin, Read, Service, is_ip, is_this_computer, read};
use crate::model::providers::{AddressingRule, Preset};
use crate::model::{Addressing, Provider, S3Destination};
use url::Host;

/// Turns settings into an address.
pub fn resolve_endpoint(settings: &S3Destination) -> Result<Endpoint, EndpointError> {
    understand(settings).map(|understanding| understanding.endpoint)
}

/// Turns settings into an address, and says what was taken from where.
pub fn understand(settings: &S3Destination) -> Result<Understanding, EndpointError> {
    let (mut read, field) = read_fields(settings)?;
    let provider = read.provider.unwrap_or(settings.provider);
    let preset = provider.preset();
    let mut sentences = Vec::new();
    let title = provider.title();
    let is_named = read.sentences.iter().any(|it| it.contains(title));
    if provider != settings.provider && !is_named {
        sentences.push(format!(
            "This is an address of {title}, and its rules are used."
        ));
    }
    sentences.append(&mut read.sentences);
    let region = region_of(settings, &read, preset, &mut sentences)?;
    let mut origin = origin_of(read.service, preset, region.as_deref())?;
    check_plain_http(&origin, settings)?;
    let is_own_host = recognise(&origin.host).is_some();
    if origin.is_global && region.is_none() {
        return Err(EndpointError::RegionMissing);
    }
    let mut path = read.path;
    let mut in_address = read.bucket;
    if in_address.is_none() && !is_own_host && without_bucket(&origin.host, &field).is_some() {
        if path.first() == Some(&field) {
            path.remove(0);
        }
        in_address = Some(field.to_ascii_lowercase());
    }
    if in_address.is_none() && !path.is_empty() {
        in_address = Some(path.remove(0));
    }
    let bucket = adopt_bucket(field, in_address, &mut sentences)?;
    if !is_own_host && let Some(service) = without_bucket(&origin.host, &bucket) {
        origin.host = service.to_owned();
    }
    check_bucket(&bucket, is_own_host, provider)?;
    let root_path = root_of(settings, &path.join("/"), &mut sentences);
    let port = origin.port.map_or(String::new(), |port| format!(":{port}"));
    let region = region
        .or_else(|| Some(preset.region_default.clone()).filter(|region| !region.is_empty()))
        .unwrap_or_else(|| "us-east-1".to_owned());
    Ok(Understanding {
        recognised: read.provider,
        endpoint: Endpoint {
            service_url: format!("{}://{}{port}", origin.scheme, origin.host),
            addressing: settings
                .addressing
                .unwrap_or_else(|| addressing_of(preset, &origin.host, is_own_host, &bucket)),
            bucket,
            root_path,
            region,
            provider,
        },
        sentences,
    })
}

/// What was taken from where as far as the fields are filled in, for people who are still typing.
pub fn understood_so_far(settings: &S3Destination) -> Result<Vec<String>, EndpointError> {
    let understood = match understand(settings) {
        Err(EndpointError::BucketMissing) => {
            // Any bucket: what is said of the rest does not depend on it.
            let bucket = "bucket-1".to_owned();
            understand(&S3Destination {
                bucket,
                ..settings.clone()
            })
        }
        other => other,
    };
    understood.map(|it| it.sentences)
}

/// What the address says, and the bucket's field; either may hold an address.
fn read_fields(settings: &S3Destination) -> Result<(Read, String), EndpointError> {
    let chosen = settings.provider;
    let from_endpoint = read(&settings.endpoint, chosen)?;
    let field = settings.bucket.trim().trim_matches('/');
    if !field.contains("://") {
        return Ok((from_endpoint, field.to_owned()));
    }
    let from_bucket = read(&clean(field), chosen)?;
    if from_endpoint == Read::default() {
        return Ok((from_bucket, String::new()));
    }
    let mut path = from_bucket.path;
    let bucket = match from_bucket.bucket {
        Some(bucket) => bucket,
        None if path.is_empty() => return Err(EndpointError::BucketInvalid(harmless(field))),
        None => path.remove(0),
    };
    let mut both = from_endpoint;
    if both.path.is_empty() {
        // The bucket itself comes from the field.
        both.path = path;
        both.path.insert(0, bucket.clone());
        if both.bucket.as_ref() == Some(&bucket) {
            both.path.remove(0);
        }
    }
    Ok((both, bucket))
}

/// The region to sign for, where the address or the field says one.
fn region_of(
    settings: &S3Destination,
    read: &Read,
    preset: &Preset,
    sentences: &mut Vec<String>,
) -> Result<Option<String>, EndpointError> {
    let typed = preset.bare_region(settings.region.trim());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !typed.chars().all(is_plain) {
        return Err(EndpointError::RegionInvalid(harmless(typed)));
    }
    match &read.region {
        None => Ok(Some(typed.to_owned()).filter(|region| !region.is_empty())),
        Some(region) => {
            if typed.is_empty() {
                sentences.push(format!("The region “{region}” was taken from the address."));
            } else if typed != region {
                sentences.push(format!(
                    "The address is one of the region “{region}”; “{typed}” is not used."
                ));
            }
            Ok(Some(region.clone()))
        }
    }
}

/// Where the service is: where the address says, else where the provider has it.
fn origin_of(
    service: Option<Service>,
    preset: &'static Preset,
    region: Option<&str>,
) -> Result<Origin, EndpointError> {
    let template = match service {
        Some(Service::At(origin)) => return Ok(origin),
        Some(Service::Template(template)) => template,
        None => preset
            .template(region.unwrap_or(""))
            .ok_or(EndpointError::EndpointMissing)?,
    };
    if template.contains("{account}") {
        return Err(EndpointError::AccountMissing);
    }
    let region = region.ok_or(EndpointError::RegionMissing)?;
    let url = template.replace("{region}", &region.to_ascii_lowercase());
    let (scheme, host) = url
        .split_once("://")
        .ok_or(EndpointError::EndpointMissing)?;
    Ok(Origin {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        port: None,
        is_global: false,
    })
}

fn check_plain_http(origin: &Origin, settings: &S3Destination) -> Result<(), EndpointError> {
    let host = Host::parse(&origin.host);
    let is_here = match &host {
        Ok(Host::Domain(name)) => is_this_computer(&Host::Domain(name.as_str())),
        Ok(Host::Ipv4(address)) => is_this_computer(&Host::Ipv4(*address)),
        Ok(Host::Ipv6(address)) => is_this_computer(&Host::Ipv6(*address)),
        Err(_) => false,
    };
    if origin.scheme == "http" && !is_here && !settings.allow_plain_http {
        return Err(EndpointError::PlainHttp(origin.host.clone()));
    }
    Ok(())
}

/// A host that nobody knows without the bucket of this name before it, however often it stands there.
fn without_bucket<'a>(host: &'a str, bucket: &str) -> Option<&'a str> {
    if bucket.is_empty() || is_ip(host) {
        return None;
    }
    let begin = format!("{}.", bucket.to_ascii_lowercase());
    let mut service = host;
    // "s3" is also a word that services begin with: only believe it before a whole host.
    while let Some(rest) = service.strip_prefix(&begin)
        && (rest.contains('.') || rest == "localhost")
        && !is_ip(rest)
    {
        service = rest;
    }
    (service.len() < host.len()).then_some(service)
}

/// Takes over the bucket that the address carries, unless the field names another.
fn adopt_bucket(
    field: String,
    in_address: Option<String>,
    sentences: &mut Vec<String>,
) -> Result<String, EndpointError> {
    match in_address {
        None if field.is_empty() => Err(EndpointError::BucketMissing),
        None => Ok(field),
        Some(found) if found == field => Ok(field),
        Some(found) if field.is_empty() => {
            sentences.push(format!(
                "The bucket “{}” was taken from the address.",
                harmless(&found)
            ));
            Ok(found)
        }
        Some(found) => Err(EndpointError::BucketsDiffer {
            in_endpoint: harmless(&found),
            in_field: harmless(&field),
        }),
    }
}

fn check_bucket(bucket: &str, is_own_host: bool, provider: Provider) -> Result<(), EndpointError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let ends_badly = bucket.starts_with('.') || bucket.ends_with('.') || bucket.contains("..");
    if !bucket.chars().all(is_plain) || bucket.len() > 255 || ends_badly {
        return Err(EndpointError::BucketInvalid(harmless(bucket)));
    }
    let rule = &provider.preset().bucket;
    let is_number = |end: &str| !end.is_empty() && end.chars().all(|c| c.is_ascii_digit());
    let has_number = bucket
        .rsplit_once('-')
        .is_some_and(|(_, end)| is_number(end));
    if rule.ends_in_number && is_own_host && !has_number {
        return Err(EndpointError::BucketOfProvider {
            bucket: bucket.to_owned(),
            title: provider.title(),
            hint: &rule.hint,
        });
    }
    Ok(())
}

/// The root path: that of its field, else the one behind the bucket in the address.
fn root_of(settings: &S3Destination, in_address: &str, sentences: &mut Vec<String>) -> String {
    let field = clean_root(&settings.root_path);
    let found = clean_root(in_address);
    if !found.is_empty() && field.is_empty() {
        sentences.push(format!(
            "The root path “{found}” was taken from the address."
        ));
        return found.to_owned();
    }
    if !found.is_empty() && found != field {
        sentences.push(format!(
            "The address goes on with “{found}”, which is not used: the root path is set to “{field}”."
        ));
    }
    field.to_owned()
}

/// Some providers refuse path style; a dot in the bucket breaks TLS in the other.
fn addressing_of(preset: &Preset, host: &str, is_own_host: bool, bucket: &str) -> Addressing {
    let is_virtual = match preset.addressing {
        AddressingRule::VirtualOnly => !is_ip(host),
        AddressingRule::PrefersVirtual => is_own_host && !bucket.contains('.'),
        AddressingRule::PrefersPath => false,
    };
    if is_virtual {
        Addressing::VirtualHosted
    } else {
        Addressing::Path
    }
}
