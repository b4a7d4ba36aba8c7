//! Which bucket and root path are meant, where the address and the fields may both name them, and how
//! requests name the bucket.

use super::clean::clean_root;
use super::error::{EndpointError, harmless_name};
use super::said::is_ip;
use crate::model::Addressing;
use crate::model::providers::{AddressingRule, Preset};
use crate::model::{Provider, S3Destination};

/// A host that nobody knows without the bucket of this name before it, however often it stands there.
/// Only for hosts before which buckets are known to stand.
pub(super) fn without_bucket<'a>(host: &'a str, bucket: &str) -> Option<&'a str> {
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
pub(super) fn adopt_bucket(
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
                harmless_name(&found)
            ));
            Ok(found)
        }
        Some(found) => Err(EndpointError::BucketsDiffer {
            in_endpoint: harmless_name(&found),
            in_field: harmless_name(&field),
        }),
    }
}

/// Checks that a bucket can have this name somewhere.
pub(super) fn check_bucket_name(bucket: &str) -> Result<(), EndpointError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let ends_badly = bucket.starts_with('.') || bucket.ends_with('.') || bucket.contains("..");
    if !bucket.chars().all(is_plain) || bucket.len() > 255 || ends_badly {
        return Err(EndpointError::BucketInvalid(harmless_name(bucket)));
    }
    Ok(())
}

/// Checks that objects can be kept below this root path: the same holds for the names of folders.
pub(super) fn check_root(root: &str) -> Result<(), EndpointError> {
    let is_bad = |segment: &str| {
        matches!(segment, "" | "." | "..") || segment.chars().any(|c| c.is_ascii_control())
    };
    if !root.is_empty() && root.split('/').any(is_bad) {
        return Err(EndpointError::RootInvalid(harmless_name(root)));
    }
    Ok(())
}

/// Checks that a bucket can have this name, with this provider.
pub(super) fn check_bucket(
    bucket: &str,
    is_own_host: bool,
    provider: Provider,
) -> Result<(), EndpointError> {
    check_bucket_name(bucket)?;
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
pub(super) fn root_of(
    settings: &S3Destination,
    in_address: &str,
    sentences: &mut Vec<String>,
) -> String {
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
pub(super) fn addressing_of(
    preset: &Preset,
    host: &str,
    is_own_host: bool,
    bucket: &str,
) -> Addressing {
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
