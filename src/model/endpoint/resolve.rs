//! From all fields together to one address.

use super::address::{Endpoint, Understanding};
use super::bucket::{
    addressing_of, adopt_bucket, check_bucket, check_root, root_of, without_bucket,
};
use super::clean::clean;
use super::error::{EndpointError, harmless_name};
use super::hosts::recognise;
use super::read::read;
use super::said::{Origin, Read, Service, is_ip, is_this_computer};
use crate::model::providers::{AddressingRule, Preset};
use crate::model::{Addressing, S3Destination};
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
    // Many people's own servers are called like the bucket: elsewhere it stays a part of the host.
    let is_before_host = !is_own_host
        && match settings.addressing {
            Some(known) => known == Addressing::VirtualHosted,
            None => preset.addressing == AddressingRule::VirtualOnly,
        };
    if in_address.is_none() && is_before_host && without_bucket(&origin.host, &field).is_some() {
        if path.first() == Some(&field) {
            path.remove(0);
        }
        in_address = Some(field.to_ascii_lowercase());
    }
    if in_address.is_none() && !path.is_empty() {
        in_address = Some(path.remove(0));
    }
    let bucket = adopt_bucket(field, in_address, &mut sentences)?;
    if is_before_host && let Some(service) = without_bucket(&origin.host, &bucket) {
        sentences.push(format!(
            "The bucket “{}” stands before the host, which is {service}.",
            harmless_name(&bucket)
        ));
        origin.host = service.to_owned();
    }
    check_bucket(&bucket, is_own_host, provider)?;
    let root_path = root_of(settings, &path.join("/"), &mut sentences);
    check_root(&root_path)?;
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
                // No bucket stands before a number, whatever was found out about an earlier host.
                .filter(|known| *known == Addressing::Path || !is_ip(&origin.host))
                .unwrap_or_else(|| addressing_of(preset, &origin.host, is_own_host, &bucket)),
            bucket,
            root_path,
            region,
            provider,
        },
        sentences,
    })
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
        None if path.is_empty() => return Err(EndpointError::BucketInvalid(harmless_name(field))),
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
        return Err(EndpointError::RegionInvalid(harmless_name(typed)));
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
