//! Settings in a line.

use crate::model::{Provider, S3Destination};

pub(super) fn settings(
    provider: Provider,
    endpoint: &str,
    region: &str,
    bucket: &str,
) -> S3Destination {
    S3Destination {
        provider,
        endpoint: endpoint.to_owned(),
        region: region.to_owned(),
        bucket: bucket.to_owned(),
        ..S3Destination::default()
    }
}
