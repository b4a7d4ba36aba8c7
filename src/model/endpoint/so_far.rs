//! What is said to people who are still typing.

use super::error::EndpointError;
use super::keepable::keepable;
use super::resolve::understand;
use crate::model::S3Destination;

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
    let sentences = understood?.sentences;
    if !settings.bucket.contains("://") {
        keepable(settings)?;
    }
    Ok(sentences)
}
