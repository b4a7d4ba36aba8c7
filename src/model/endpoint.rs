//! From what a person pasted to an address: scheme, host, bucket and style.
//!
//! People paste what a provider's page shows: with the bucket in the host, with the bucket in the
//! path, without a scheme, with a slash at the end. All of it means one address.

use super::{Addressing, Destination, Provider, S3Destination};
use std::net::IpAddr;
use url::{Host, Url};

/// A bucket's address, ready for the S3 client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port of the service, without the bucket and without a slash at the end.
    pub service_url: String,
    /// Bucket name.
    pub bucket: String,
    /// Region to sign for.
    pub region: String,
    /// How the bucket is named in a request.
    pub addressing: Addressing,
}

/// Why the settings do not make an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing to connect to.
    #[error("the endpoint is empty")]
    EndpointMissing,
    /// No region where the provider needs one.
    #[error("the region is empty")]
    RegionMissing,
    /// No bucket, neither in its field nor in the endpoint.
    #[error("the bucket is empty")]
    BucketMissing,
    /// Not a URL by any reading.
    #[error("the endpoint “{0}” is not an address")]
    EndpointInvalid(String),
    /// A scheme other than http and https.
    #[error("the endpoint must begin with https:// or http://, not {0}://")]
    Scheme(String),
    /// Characters that no bucket's name has.
    #[error("“{0}” cannot be a bucket's name")]
    BucketInvalid(String),
    /// The endpoint carries one bucket and the field names another.
    #[error(
        "the endpoint carries the bucket “{in_endpoint}”, but the bucket is set to “{in_field}”"
    )]
    BucketsDiffer {
        /// What the endpoint says.
        in_endpoint: String,
        /// What the field says.
        in_field: String,
    },
}

impl Endpoint {
    /// Whether the host is a name, which a bucket's can stand in front of, and not a number.
    pub fn has_name(&self) -> bool {
        let host = self.service_url.split("://").nth(1).unwrap_or_default();
        let host = match host.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => host,
        };
        !is_ip(host)
    }

    /// The URL that the S3 client is given: with the bucket in its host in virtual-hosted style.
    pub fn client_url(&self) -> String {
        match self.addressing {
            Addressing::Path => self.service_url.clone(),
            Addressing::VirtualHosted => {
                self.service_url
                    .replacen("://", &format!("://{}.", self.bucket), 1)
            }
        }
    }
}

impl Destination {
    /// A short line that tells people where this is, without any secret.
    pub fn summary(&self) -> String {
        match self {
            Self::Folder(folder) => folder.path.display().to_string(),
            Self::S3(s3) => {
                let bucket = match resolve_endpoint(s3) {
                    Ok(endpoint) => endpoint.bucket,
                    Err(_) => s3.bucket.clone(),
                };
                let root = s3.root_path.trim_matches('/');
                let separator = if root.is_empty() { "" } else { "/" };
                format!("{} · {bucket}{separator}{root}", s3.provider.title())
            }
        }
    }
}

impl S3Destination {
    /// Takes over the region that a provider names, also in an address that carries the old one.
    pub fn move_to_region(&mut self, region: &str) {
        let in_host = self
            .endpoint
            .split('/')
            .find_map(|part| region_in_host(part.split(':').next().unwrap_or(part)));
        if let Some(old) = in_host {
            self.endpoint = self.endpoint.replacen(&old, region, 1);
        }
        region.clone_into(&mut self.region);
    }
}

/// Turns settings into an address.
pub fn resolve_endpoint(settings: &S3Destination) -> Result<Endpoint, EndpointError> {
    let provider = settings.provider;
    let mut bucket = settings.bucket.trim().trim_matches('/').to_owned();
    let region = region_of(provider, settings.region.trim());
    let typed = typed_endpoint(settings, region.as_deref())?;
    let url = parse_url(&typed)?;
    let mut host = match url.host() {
        Some(Host::Domain(domain)) => domain.to_ascii_lowercase(),
        Some(host) => host.to_string(),
        None => return Err(EndpointError::EndpointInvalid(typed)),
    };
    if let Some(in_path) = url.path_segments().and_then(|mut parts| parts.next()) {
        adopt_bucket(&mut bucket, in_path)?;
    }
    if let Some((in_host, service)) = split_bucket_host(&host, &bucket) {
        adopt_bucket(&mut bucket, in_host)?;
        host = service.to_owned();
    }
    if bucket.is_empty() {
        return Err(EndpointError::BucketMissing);
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !bucket.chars().all(is_plain) || bucket.len() > 255 || bucket.starts_with('.') {
        return Err(EndpointError::BucketInvalid(bucket));
    }
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let region = region
        .or_else(|| region_in_host(&host))
        .unwrap_or_else(|| "us-east-1".to_owned());
    Ok(Endpoint {
        service_url: format!("{}://{host}{port}", url.scheme()),
        addressing: settings
            .addressing
            .unwrap_or_else(|| addressing_of(provider, &host, &bucket)),
        bucket,
        region,
    })
}

/// The region to sign for, where the settings or the provider say one.
fn region_of(provider: Provider, typed: &str) -> Option<String> {
    match (provider, typed) {
        (Provider::R2, "") => Some("auto".to_owned()),
        (_, "") => None,
        (_, region) => Some(region.to_owned()),
    }
}

/// The endpoint to start from: what was typed, or what the provider's region implies.
fn typed_endpoint(settings: &S3Destination, region: Option<&str>) -> Result<String, EndpointError> {
    let typed = settings.endpoint.trim();
    if !typed.is_empty() {
        return Ok(typed.to_owned());
    }
    let Some(region) = region else {
        return Err(match settings.provider {
            Provider::Aws | Provider::Oss | Provider::Cos => EndpointError::RegionMissing,
            Provider::R2 | Provider::Minio | Provider::S3 => EndpointError::EndpointMissing,
        });
    };
    match settings.provider {
        Provider::Aws if region.starts_with("cn-") => {
            Ok(format!("https://s3.{region}.amazonaws.com.cn"))
        }
        Provider::Aws => Ok(format!("https://s3.{region}.amazonaws.com")),
        Provider::Oss => {
            let region = region.strip_prefix("oss-").unwrap_or(region);
            Ok(format!("https://s3.oss-{region}.aliyuncs.com"))
        }
        Provider::Cos => Ok(format!("https://cos.{region}.myqcloud.com")),
        Provider::R2 | Provider::Minio | Provider::S3 => Err(EndpointError::EndpointMissing),
    }
}

/// Reads the endpoint as a URL; without a scheme it is https, or http on this very computer.
fn parse_url(typed: &str) -> Result<Url, EndpointError> {
    let invalid = || EndpointError::EndpointInvalid(typed.to_owned());
    let url = if let Some((scheme, _)) = typed.split_once("://") {
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(EndpointError::Scheme(scheme.to_owned()));
        }
        Url::parse(typed).map_err(|_| invalid())?
    } else {
        let secure = Url::parse(&format!("https://{typed}")).map_err(|_| invalid())?;
        if is_this_computer(&secure) {
            Url::parse(&format!("http://{typed}")).map_err(|_| invalid())?
        } else {
            secure
        }
    };
    if url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        // Not repeated in the error: it may hold a secret.
        Err(EndpointError::EndpointInvalid("…@…".to_owned()))
    }
}

fn is_this_computer(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Takes over the bucket that the endpoint carries, unless the field names another.
fn adopt_bucket(bucket: &mut String, found: &str) -> Result<(), EndpointError> {
    if found.is_empty() || bucket == found {
        return Ok(());
    }
    if bucket.is_empty() {
        found.clone_into(bucket);
        return Ok(());
    }
    Err(EndpointError::BucketsDiffer {
        in_endpoint: found.to_owned(),
        in_field: bucket.clone(),
    })
}

/// Splits `bucket.service` where the host of a known provider, or the bucket's own name, shows it.
fn split_bucket_host<'a>(host: &'a str, bucket: &str) -> Option<(&'a str, &'a str)> {
    if !bucket.is_empty() && !is_ip(host) {
        let lower = bucket.to_ascii_lowercase();
        let service = host.strip_prefix(&lower).and_then(|s| s.strip_prefix('.'));
        // "s3" is also a word that services begin with: only believe it before a whole host.
        if let Some(service) = service.filter(|s| s.contains('.') || *s == "localhost") {
            return Some((&host[..lower.len()], service));
        }
    }
    let labels: Vec<(usize, &str)> = host
        .split('.')
        .scan(0, |at, label| {
            let start = *at;
            *at += label.len() + 1;
            Some((start, label))
        })
        .collect();
    let begins_service = |label: &str, rest: &str| {
        let aws = rest.ends_with("amazonaws.com") || rest.ends_with("amazonaws.com.cn");
        aws && (label == "s3" || label.starts_with("s3-"))
            || rest.ends_with("aliyuncs.com") && (label == "s3" || label.starts_with("oss-"))
            || rest.ends_with("myqcloud.com") && label == "cos"
    };
    let (start, _) = labels
        .iter()
        .find(|(start, label)| begins_service(label, &host[*start..]))?;
    let in_host = host[..*start].strip_suffix('.')?;
    Some((in_host, &host[*start..]))
}

fn is_ip(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}

/// The region that a provider's host name carries.
pub fn region_in_host(host: &str) -> Option<String> {
    let labels: Vec<&str> = host.split('.').collect();
    let region = match labels.as_slice() {
        ["s3", "dualstack", region, "amazonaws", ..]
        | ["s3", region, "amazonaws", ..]
        | ["cos", region, "myqcloud", ..] => region,
        [.., region, "aliyuncs", "com"] => region.strip_suffix("-internal").unwrap_or(region),
        [first, "amazonaws", ..] => first.strip_prefix("s3-")?,
        _ => return None,
    };
    Some(region.to_owned())
}

/// OSS and newer COS buckets refuse path style; a dot in the bucket breaks TLS in the other.
fn addressing_of(provider: Provider, host: &str, bucket: &str) -> Addressing {
    let virtual_only = matches!(provider, Provider::Oss | Provider::Cos)
        || host.ends_with(".aliyuncs.com")
        || host.ends_with(".myqcloud.com");
    let prefers_virtual = provider == Provider::Aws && host.contains(".amazonaws.com");
    if !is_ip(host) && (virtual_only || prefers_virtual && !bucket.contains('.')) {
        Addressing::VirtualHosted
    } else {
        Addressing::Path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(provider: Provider, endpoint: &str, region: &str, bucket: &str) -> S3Destination {
        S3Destination {
            provider,
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            ..S3Destination::default()
        }
    }

    #[track_caller]
    fn check(given: (Provider, &str, &str, &str), url: &str, bucket: &str, region: &str) {
        let resolved = resolve_endpoint(&settings(given.0, given.1, given.2, given.3));
        let resolved = resolved.expect("an address");
        assert_eq!(
            (
                resolved.client_url().as_str(),
                resolved.bucket.as_str(),
                resolved.region.as_str()
            ),
            (url, bucket, region),
            "{given:?}"
        );
    }

    #[test]
    fn whatever_is_pasted_means_one_address() {
        let r2 = "https://acc.r2.cloudflarestorage.com";
        for endpoint in [
            r2,
            "acc.r2.cloudflarestorage.com",
            "acc.r2.cloudflarestorage.com/",
            "https://acc.r2.cloudflarestorage.com/photos",
            " https://ACC.r2.cloudflarestorage.com/photos/ ",
            "https://photos.acc.r2.cloudflarestorage.com",
        ] {
            check((Provider::R2, endpoint, "", "photos"), r2, "photos", "auto");
        }
        check(
            (Provider::R2, "acc.r2.cloudflarestorage.com/photos", "", ""),
            r2,
            "photos",
            "auto",
        );
    }

    #[test]
    fn each_provider_gets_its_style_and_region() {
        let aws = "https://b.s3.eu-west-1.amazonaws.com";
        check((Provider::Aws, "", "eu-west-1", "b"), aws, "b", "eu-west-1");
        check(
            (Provider::Aws, "s3.eu-west-1.amazonaws.com", "", "b"),
            aws,
            "b",
            "eu-west-1",
        );
        check((Provider::Aws, aws, "", ""), aws, "b", "eu-west-1");
        check(
            (Provider::Aws, "", "eu-west-1", "b.dotted"),
            "https://s3.eu-west-1.amazonaws.com",
            "b.dotted",
            "eu-west-1",
        );
        let oss = "https://b.s3.oss-cn-hangzhou.aliyuncs.com";
        check(
            (Provider::Oss, "", "cn-hangzhou", "b"),
            oss,
            "b",
            "cn-hangzhou",
        );
        check((Provider::Oss, oss, "", "b"), oss, "b", "oss-cn-hangzhou");
        let cos = "https://b-125.cos.ap-guangzhou.myqcloud.com";
        check(
            (Provider::Cos, "", "ap-guangzhou", "b-125"),
            cos,
            "b-125",
            "ap-guangzhou",
        );
        check((Provider::S3, cos, "", ""), cos, "b-125", "ap-guangzhou");
        let minio = "http://127.0.0.1:9000";
        check(
            (Provider::Minio, "127.0.0.1:9000", "", "b"),
            minio,
            "b",
            "us-east-1",
        );
        check(
            (Provider::Minio, "localhost:9000/b", "", ""),
            "http://localhost:9000",
            "b",
            "us-east-1",
        );
        check(
            (Provider::S3, "http://[::1]:9000/", "x", "b"),
            "http://[::1]:9000",
            "b",
            "x",
        );
    }

    #[test]
    fn a_summary_names_the_bucket_wherever_it_was_given() {
        let mut s3 = settings(Provider::R2, "acc.r2.cloudflarestorage.com/photos", "", "");
        assert_eq!(
            Destination::S3(s3.clone()).summary(),
            "Cloudflare R2 · photos"
        );
        s3.root_path = "/my/pc/".to_owned();
        assert_eq!(
            Destination::S3(s3).summary(),
            "Cloudflare R2 · photos/my/pc"
        );
    }

    #[test]
    fn a_bucket_named_s3_does_not_eat_the_service() {
        check(
            (Provider::S3, "https://s3.example.com", "", "backups"),
            "https://s3.example.com",
            "backups",
            "us-east-1",
        );
    }

    #[test]
    fn bad_settings_say_what_is_wrong() {
        let error = |provider, endpoint, region, bucket| {
            resolve_endpoint(&settings(provider, endpoint, region, bucket)).expect_err("an error")
        };
        assert_eq!(
            error(Provider::Aws, "", "", "b"),
            EndpointError::RegionMissing
        );
        assert_eq!(
            error(Provider::Minio, "", "x", "b"),
            EndpointError::EndpointMissing
        );
        assert_eq!(
            error(Provider::S3, "https://h.example", "", ""),
            EndpointError::BucketMissing
        );
        assert_eq!(
            error(Provider::S3, "ftp://h.example", "", "b"),
            EndpointError::Scheme("ftp".into())
        );
        assert!(matches!(
            error(Provider::S3, "ht tp", "", "b"),
            EndpointError::EndpointInvalid(_)
        ));
        assert!(matches!(
            error(Provider::S3, "h.example", "", "b/c"),
            EndpointError::BucketInvalid(_)
        ));
        assert!(matches!(
            error(Provider::S3, "https://h.example/one", "", "two"),
            EndpointError::BucketsDiffer { .. }
        ));
        let with_secret = error(Provider::S3, "https://id:hunter2@h.example", "", "b");
        assert!(!with_secret.to_string().contains("hunter2"));
    }

    proptest! {
        #[test]
        fn nothing_pasted_makes_it_panic(endpoint in ".{0,60}", bucket in ".{0,20}", provider in 0_usize..6) {
            let given = settings(Provider::ALL[provider], &endpoint, "", &bucket);
            if let Ok(resolved) = resolve_endpoint(&given) {
                prop_assert!(Url::parse(&resolved.client_url()).is_ok(), "{}", resolved.client_url());
                prop_assert!(!resolved.service_url.ends_with('/'));
            }
        }

        #[test]
        fn an_address_resolves_to_itself(host in "[a-z]{1,8}\\.[a-z]{2,6}", bucket in "[a-z][a-z0-9-]{2,12}[a-z]") {
            let first = resolve_endpoint(&settings(Provider::S3, &host, "r", &bucket)).expect("an address");
            let again = resolve_endpoint(&settings(Provider::S3, &first.service_url, "r", &first.bucket));
            prop_assert_eq!(again.expect("an address"), first);
        }
    }
}
