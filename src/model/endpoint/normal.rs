//! The normal form of settings: every field holds what it is for.

use super::error::EndpointError;
use super::resolve::understand;
use crate::model::S3Destination;
use crate::model::providers::RegionRule;

/// `settings` with the same meaning, and with everything in its own field: no bucket in the endpoint, no
/// endpoint where the region says it. The normal form of a normal form is itself.
pub fn normal_form(settings: &S3Destination) -> Result<S3Destination, EndpointError> {
    let endpoint = understand(settings)?.endpoint;
    let preset = endpoint.provider.preset();
    let follows = preset.is_of_region()
        && preset
            .template(&endpoint.region)
            .is_some_and(|it| it.replace("{region}", &endpoint.region) == endpoint.service_url);
    let is_optional = match preset.region_rule {
        RegionRule::None | RegionRule::Fixed | RegionRule::Default => true,
        RegionRule::Required | RegionRule::InHost => false,
    };
    let is_default = is_optional && endpoint.region == preset.region_default;
    Ok(S3Destination {
        provider: endpoint.provider,
        endpoint: if follows {
            String::new()
        } else {
            endpoint.service_url
        },
        region: if is_default {
            String::new()
        } else {
            endpoint.region
        },
        bucket: endpoint.bucket,
        root_path: endpoint.root_path,
        ..settings.clone()
    })
}
