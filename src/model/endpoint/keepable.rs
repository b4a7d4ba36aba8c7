//! Settings as they may be kept on the disk and repeated: without what may be a secret in a wrong field.

use super::bucket::{check_bucket_name, check_root};
use super::clean::{clean, clean_root};
use super::error::{EndpointError, harmless_name, may_hold_login};
use super::normal::normal_form;
use super::query::without_query;
use super::scheme::with_one_scheme;
use crate::model::S3Destination;

/// Longer than any region, and shorter than the secrets that are pasted here.
const LONGEST_REGION_BYTES: usize = 32;

/// `settings` as they may be kept, without the query of a pasted address. They need not be complete.
///
/// An error is one of a field that can only be wrong; it never repeats what may be a secret.
pub fn keepable(settings: &S3Destination) -> Result<S3Destination, EndpointError> {
    check_endpoint(&settings.endpoint)?;
    check_region(settings)?;
    check_bucket(&settings.bucket)?;
    check_root_path(&settings.root_path)?;
    check_access_key_id(&settings.access_key_id)?;
    Ok(S3Destination {
        endpoint: endpoint_without_query(settings),
        ..settings.clone()
    })
}

/// What of `settings` may be kept while people are still typing: fields that cannot be kept are empty, and with
/// them the bucket, so that nothing is kept anywhere else meanwhile.
pub fn keepable_part(settings: &S3Destination) -> S3Destination {
    if let Ok(kept) = keepable(settings) {
        return kept;
    }
    if settings.bucket.contains("://")
        && let Ok(normal) = normal_form(settings)
        && let Ok(kept) = keepable(&normal)
    {
        return kept;
    }
    let mut part = settings.clone();
    part.bucket.clear();
    part.endpoint = if check_endpoint(&part.endpoint).is_ok() {
        endpoint_without_query(&part)
    } else {
        String::new()
    };
    let is_bad = [
        check_region(&part).is_err(),
        check_root_path(&part.root_path).is_err(),
        check_access_key_id(&part.access_key_id).is_err(),
    ];
    let fields = [
        &mut part.region,
        &mut part.root_path,
        &mut part.access_key_id,
    ];
    for (field, is_bad) in fields.into_iter().zip(is_bad) {
        if is_bad {
            field.clear();
        }
    }
    part
}

fn endpoint_without_query(settings: &S3Destination) -> String {
    let cleaned = with_one_scheme(&clean(&settings.endpoint));
    let bare = without_query(&cleaned, settings.provider).text;
    if bare == cleaned {
        settings.endpoint.clone()
    } else {
        bare
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), EndpointError> {
    if may_hold_login(endpoint) {
        return Err(EndpointError::Credentials);
    }
    Ok(())
}

fn check_region(settings: &S3Destination) -> Result<(), EndpointError> {
    let region = settings.region.trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !region.chars().all(is_plain) {
        return Err(EndpointError::RegionInvalid(harmless_name(region)));
    }
    if region.len() > LONGEST_REGION_BYTES {
        return Err(EndpointError::RegionInvalid("…".to_owned()));
    }
    Ok(())
}

fn check_bucket(bucket: &str) -> Result<(), EndpointError> {
    if bucket.contains("://") || bucket.contains(":\\\\") {
        return Err(EndpointError::BucketIsAddress);
    }
    check_bucket_name(bucket.trim().trim_matches('/'))
}

fn check_root_path(root_path: &str) -> Result<(), EndpointError> {
    let root = clean_root(root_path);
    check_root(root)?;
    let holds_login = |segment: &str| {
        segment
            .split_once('@')
            .is_some_and(|(login, _)| login.contains(':'))
    };
    let is_signed = root.to_ascii_lowercase().contains("x-amz-");
    if is_signed || root.split('/').any(holds_login) {
        return Err(EndpointError::RootInvalid("…".to_owned()));
    }
    Ok(())
}

fn check_access_key_id(id: &str) -> Result<(), EndpointError> {
    let is_visible = id.trim().bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible || id.contains("://") {
        return Err(EndpointError::AccessKeyInvalid);
    }
    Ok(())
}
