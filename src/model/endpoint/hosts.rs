//! Which provider a host belongs to, and what it spells out.

use super::error::EndpointError;
use super::pattern::{Named, match_host};
use crate::model::providers::{Preset, Provider};

/// A host of a known provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownHost {
    pub(super) provider: Provider,
    pub(super) kind: HostKind,
    /// The host without the bucket.
    pub(super) service: String,
    /// What stands before it; empty where nothing does.
    pub(super) bucket: String,
    pub(super) region: Option<String>,
}

/// What a provider's host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostKind {
    /// Programs.
    Service,
    /// Programs in the provider's own network.
    Internal,
    /// Programs, in every region.
    Global,
    /// Something else in the place of which another host is meant.
    Other,
    /// Browsers.
    Web,
}

/// The provider whose host this is.
pub(super) fn recognise(host: &str) -> Option<KnownHost> {
    Provider::all().find_map(|provider| {
        let preset = provider.preset();
        // An internal host fits the pattern of a usual one too, with a longer region.
        let kinds = [
            (HostKind::Internal, &preset.internal_hosts),
            (HostKind::Global, &preset.global_hosts),
            (HostKind::Service, &preset.hosts),
            (HostKind::Other, &preset.other_hosts),
            (HostKind::Web, &preset.web_hosts),
        ];
        kinds.into_iter().find_map(|(kind, patterns)| {
            patterns.iter().find_map(|pattern| {
                let mut named = Named::default();
                let (bucket, service) = match_host(pattern, host, &mut named)?;
                let is_region = |region: &String| may_be_region(preset, region);
                named
                    .region
                    .as_ref()
                    .is_none_or(is_region)
                    .then(|| KnownHost {
                        provider,
                        kind,
                        service: service.to_owned(),
                        bucket: bucket.to_owned(),
                        region: named.region,
                    })
            })
        })
    })
}

/// Why a host is not used, where it is one of a provider that is of no use here.
pub(super) fn not_used(host: &str) -> Option<EndpointError> {
    Provider::all().find_map(|provider| {
        let preset = provider.preset();
        preset.unused_hosts.iter().find_map(|unused| {
            let mut named = Named::default();
            match_host(&unused.host, host, &mut named)?;
            let region = named.region.unwrap_or_default();
            let template = preset.template(&region).unwrap_or_default();
            Some(EndpointError::HostNotUsed {
                host: host.to_owned(),
                what: &unused.what,
                example: template.replace("{region}", &region),
            })
        })
    })
}

/// The region that a provider's host carries, with or without a bucket before it.
pub fn region_of_host(host: &str) -> Option<String> {
    recognise(host)?.region
}

/// Whether a label is a region of the provider, or is named as one may be: as AWS names them, or
/// beginning like another one.
fn may_be_region(preset: &Preset, label: &str) -> bool {
    let head = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphabetic());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !label.chars().all(is_plain) || label.ends_with('-') {
        return false;
    }
    if preset.regions.iter().any(|region| region.id == label) {
        return true;
    }
    let is_numbered = label.contains('-') || label.ends_with(|c: char| c.is_ascii_digit());
    let begins_so = |region: &crate::model::providers::Region| head(&region.id) == head(label);
    let is_like_aws = head(label).len() == 2
        && label.split('-').count() >= 3
        && label.ends_with(|c: char| c.is_ascii_digit());
    is_like_aws || is_numbered && preset.regions.iter().any(begins_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, id: &str, kind: HostKind, (bucket, region): (&str, Option<&str>)) {
        let found = recognise(host).expect("known");
        assert_eq!((found.provider.id(), found.kind), (id, kind), "{host}");
        assert_eq!(found.bucket, bucket, "{host}");
        assert_eq!(found.region.as_deref(), region, "{host}");
    }

    #[test]
    fn hosts_tell_their_provider_region_and_bucket() {
        use HostKind::{Global, Internal, Other, Service, Web};
        let eu = Some("eu-west-1");
        check("s3.eu-west-1.amazonaws.com", "aws", Service, ("", eu));
        check(
            "a.b.s3-eu-west-1.amazonaws.com",
            "aws",
            Service,
            ("a.b", eu),
        );
        check(
            "b.s3.xx-new-7.amazonaws.com",
            "aws",
            Service,
            ("b", Some("xx-new-7")),
        );
        check("b.s3.amazonaws.com", "aws", Service, ("b", None));
        check(
            "b.s3-website-eu-west-1.amazonaws.com",
            "aws",
            Other,
            ("b", eu),
        );
        check("b.eu-west-1.amazonaws.com", "aws", Other, ("b", eu));
        let inside = "vpce-1a2b-3c.s3.eu-west-1.vpce.amazonaws.com";
        check(inside, "aws", Internal, ("", eu));
        check(&format!("bucket.{inside}"), "aws", Internal, ("", eu));
        check(&format!("b.bucket.{inside}"), "aws", Internal, ("b", eu));
        check("b.s3-accelerate.amazonaws.com", "aws", Global, ("b", None));
        let hangzhou = Some("cn-hangzhou");
        check(
            "b.oss-cn-hangzhou.aliyuncs.com",
            "oss",
            Service,
            ("b", hangzhou),
        );
        check(
            "oss-cn-hangzhou-internal.aliyuncs.com",
            "oss",
            Internal,
            ("", hangzhou),
        );
        check(
            "b.acc.eu.r2.cloudflarestorage.com",
            "r2",
            Service,
            ("b", None),
        );
        check("pub-1.r2.dev", "r2", Web, ("pub-1", None));
        check(
            "b.nyc3.cdn.digitaloceanspaces.com",
            "spaces",
            Other,
            ("b", Some("nyc3")),
        );
    }

    #[test]
    fn other_hosts_are_nobodys() {
        for host in [
            "example.com",
            "amazonaws.com",
            "s3.eu-west-1.amazonaws.com.example.com",
            "localhost",
            "127.0.0.1",
            "",
        ] {
            assert_eq!(recognise(host), None, "{host}");
        }
    }
}
