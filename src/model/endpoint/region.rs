//! Settings that move to the region that a provider names.

use super::hosts::region_of_host;
use super::normal::normal_form;
use super::resolve::resolve_endpoint;
use crate::model::S3Destination;

impl S3Destination {
    /// Takes over the region that a provider names, also in an address that carries the old one.
    pub fn move_to_region(&mut self, region: &str) {
        if let Ok(normal) = normal_form(self) {
            *self = normal;
        }
        let url = resolve_endpoint(self).map(|endpoint| endpoint.service_url);
        let in_host = url.ok().and_then(|url| {
            let (_, host) = url.split_once("://")?;
            region_of_host(host)
        });
        if let Some(old) = in_host.filter(|_| !self.endpoint.is_empty()) {
            self.endpoint = self.endpoint.replacen(&old, region, 1);
        }
        region.clone_into(&mut self.region);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;

    #[track_caller]
    fn check(id: &str, endpoint: &str, region: &str, moved_to: &str, service: &str) {
        let mut settings = S3Destination {
            provider: Provider::known(id).expect("known"),
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            bucket: "photos".to_owned(),
            ..S3Destination::default()
        };
        settings.move_to_region(moved_to);
        let resolved = resolve_endpoint(&settings).expect("an address");
        assert_eq!(resolved.service_url, service);
        assert_eq!(resolved.region, moved_to);
    }

    #[test]
    fn the_address_moves_along() {
        let ireland = "https://s3.eu-west-1.amazonaws.com";
        check("aws", "", "us-east-1", "eu-west-1", ireland);
        let pasted = "https://photos.s3.us-east-1.amazonaws.com";
        check("aws", pasted, "", "eu-west-1", ireland);
        let dual = "https://s3.dualstack.us-east-1.amazonaws.com";
        let moved = "https://s3.dualstack.eu-west-1.amazonaws.com";
        check("aws", dual, "", "eu-west-1", moved);
        let own = "https://nas.example:9000";
        check("minio", own, "us-east-1", "home", own);
    }
}
