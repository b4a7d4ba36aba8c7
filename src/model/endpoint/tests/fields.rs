//! What the fields of settings mean together, and what is wrong with them.

use super::EndpointError;
use super::settings;
use crate::model::{Addressing, Destination, Provider, normal_form, resolve_endpoint, understand};

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
    check((Provider::AWS, "", "eu-west-1", "b"), aws, "b", "eu-west-1");
    check(
        (Provider::AWS, "s3.eu-west-1.amazonaws.com", "", "b"),
        aws,
        "b",
        "eu-west-1",
    );
    check((Provider::AWS, aws, "", ""), aws, "b", "eu-west-1");
    check(
        (Provider::AWS, "", "eu-west-1", "b.dotted"),
        "https://s3.eu-west-1.amazonaws.com",
        "b.dotted",
        "eu-west-1",
    );
    let oss = "https://b.s3.oss-cn-hangzhou.aliyuncs.com";
    check(
        (Provider::OSS, "", "cn-hangzhou", "b"),
        oss,
        "b",
        "cn-hangzhou",
    );
    check((Provider::OSS, oss, "", "b"), oss, "b", "cn-hangzhou");
    let cos = "https://b-125.cos.ap-guangzhou.myqcloud.com";
    check(
        (Provider::COS, "", "ap-guangzhou", "b-125"),
        cos,
        "b-125",
        "ap-guangzhou",
    );
    check((Provider::OTHER, cos, "", ""), cos, "b-125", "ap-guangzhou");
    let minio = "http://127.0.0.1:9000";
    check(
        (Provider::MINIO, "127.0.0.1:9000", "", "b"),
        minio,
        "b",
        "us-east-1",
    );
    check(
        (Provider::MINIO, "localhost:9000/b", "", ""),
        "http://localhost:9000",
        "b",
        "us-east-1",
    );
    check(
        (Provider::OTHER, "http://[::1]:9000/", "x", "b"),
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
        (Provider::OTHER, "https://s3.example.com", "", "backups"),
        "https://s3.example.com",
        "backups",
        "us-east-1",
    );
}

#[test]
fn a_server_that_is_called_like_the_bucket_keeps_its_name() {
    let host = "https://backup.home.example:9000";
    for endpoint in [host, "https://backup.home.example:9000/backup"] {
        let mut given = settings(Provider::MINIO, endpoint, "", "backup");
        let there = resolve_endpoint(&given).expect("an address");
        assert_eq!(there.bucket_url(), format!("{host}/backup"));
        given.addressing = Some(Addressing::Path);
        let there = resolve_endpoint(&given).expect("an address");
        assert_eq!(there.bucket_url(), format!("{host}/backup"));
    }
    // Where the bucket is known to stand before the host, it is taken off, and that is said.
    let mut given = settings(Provider::MINIO, host, "", "backup");
    given.addressing = Some(Addressing::VirtualHosted);
    let virtual_only = settings(Provider::OSS, host, "", "backup");
    for given in [given, virtual_only] {
        let understood = understand(&given).expect("an address");
        assert_eq!(understood.endpoint.service_url, "https://home.example:9000");
        assert_eq!(understood.endpoint.client_url(), host);
        let said = understood.sentences.join(" ");
        assert!(said.contains("home.example"), "{said}");
    }
}

#[test]
fn bad_settings_say_what_is_wrong() {
    let error = |provider, endpoint, region, bucket| {
        resolve_endpoint(&settings(provider, endpoint, region, bucket)).expect_err("an error")
    };
    assert_eq!(
        error(Provider::AWS, "", "", "b"),
        EndpointError::RegionMissing
    );
    assert_eq!(
        error(Provider::MINIO, "", "x", "b"),
        EndpointError::EndpointMissing
    );
    assert_eq!(
        error(Provider::OTHER, "https://h.example", "", ""),
        EndpointError::BucketMissing
    );
    assert_eq!(
        error(Provider::OTHER, "ftp://h.example", "", "b"),
        EndpointError::Scheme("ftp".into())
    );
    assert!(matches!(
        error(Provider::OTHER, "ht tp", "", "b"),
        EndpointError::EndpointInvalid(_)
    ));
    assert!(matches!(
        error(Provider::OTHER, "h.example", "", "b/c"),
        EndpointError::BucketInvalid(_)
    ));
    assert!(matches!(
        error(Provider::OTHER, "https://h.example/one", "", "two"),
        EndpointError::BucketsDiffer { .. }
    ));
    let with_secret = error(Provider::OTHER, "https://id:hunter2@h.example", "", "b");
    assert!(!with_secret.to_string().contains("hunter2"));
}

#[test]
fn an_account_alone_is_an_address() {
    let account = "0123456789abcdef0123456789ABCDEF";
    let url = "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com";
    check((Provider::R2, account, "", "photos"), url, "photos", "auto");
    let error = resolve_endpoint(&settings(Provider::R2, "", "", "photos"));
    assert_eq!(error, Err(EndpointError::AccountMissing));
}

#[test]
fn plain_http_needs_a_switch_unless_it_is_this_computer() {
    for (endpoint, is_here) in [
        ("http://127.0.0.1:9000", true),
        ("http://127.8.8.8", true),
        ("http://localhost:9000", true),
        ("http://minio.localhost", true),
        ("http://[::1]:9000", true),
        ("http://192.168.1.5:9000", false),
        ("http://nas.local:9000", false),
        ("http://localhost.example.com", false),
        ("http://s3.eu-west-1.amazonaws.com", false),
    ] {
        let mut settings = settings(Provider::MINIO, endpoint, "", "b");
        let resolved = resolve_endpoint(&settings);
        let is_refused = matches!(resolved, Err(EndpointError::PlainHttp(_)));
        assert_eq!(is_refused, !is_here, "{endpoint}: {resolved:?}");
        settings.allow_plain_http = true;
        let resolved = resolve_endpoint(&settings).expect("an address");
        assert!(resolved.service_url.starts_with("http://"), "{endpoint}");
    }
    let refused = resolve_endpoint(&settings(Provider::OTHER, "http://nas.local", "", "b"));
    let message = refused.expect_err("refused").to_string();
    assert!(message.contains("Allow plain http"), "{message}");
}

#[test]
fn two_buckets_are_an_error_that_names_both() {
    for endpoint in [
        "https://one.s3.eu-west-1.amazonaws.com",
        "https://s3.example.com/one",
        "s3://one/root",
        "https://dash.cloudflare.com/acc/r2/default/buckets/one",
    ] {
        let error = resolve_endpoint(&settings(Provider::AWS, endpoint, "eu-west-1", "two"));
        let message = error.expect_err("an error").to_string();
        assert!(
            message.contains("“one”") && message.contains("“two”"),
            "{message}"
        );
    }
}

#[test]
fn a_bucket_of_cos_needs_its_number() {
    let given = |bucket| settings(Provider::COS, "", "ap-guangzhou", bucket);
    let message = resolve_endpoint(&given("photos"))
        .expect_err("refused")
        .to_string();
    assert!(message.contains("APPID"), "{message}");
    assert!(resolve_endpoint(&given("photos-")).is_err());
    assert!(resolve_endpoint(&given("photos-1250000000")).is_ok());
}

#[test]
fn the_root_path_that_was_set_goes_before_the_one_in_the_address() {
    let mut given = settings(Provider::OTHER, "https://s3.example.com/photos/old", "", "");
    let understood = understand(&given).expect("an address");
    assert_eq!(understood.endpoint.root_path, "old");
    given.root_path = "/new/".to_owned();
    let understood = understand(&given).expect("an address");
    assert_eq!(understood.endpoint.root_path, "new");
    let said = understood.sentences.join(" ");
    assert!(said.contains("“old”") && said.contains("“new”"), "{said}");
}

#[test]
fn the_bucket_field_takes_an_address_too() {
    let mut given = settings(Provider::AWS, "", "eu-west-1", "s3://photos/pc");
    let there = understand(&given).expect("an address").endpoint;
    assert_eq!(
        (there.bucket.as_str(), there.root_path.as_str()),
        ("photos", "pc")
    );
    assert_eq!(there.service_url, "https://s3.eu-west-1.amazonaws.com");
    given.endpoint = "https://acc.r2.cloudflarestorage.com".to_owned();
    let there = understand(&given).expect("an address").endpoint;
    assert_eq!(
        (there.bucket.as_str(), there.root_path.as_str()),
        ("photos", "pc")
    );
    given.endpoint = "https://acc.r2.cloudflarestorage.com/other".to_owned();
    assert!(understand(&given).is_err(), "two buckets");
}

#[test]
fn a_region_that_the_host_denies_is_not_used() {
    let given = settings(
        Provider::AWS,
        "s3.eu-west-1.amazonaws.com",
        "us-east-1",
        "b",
    );
    let understood = understand(&given).expect("an address");
    assert_eq!(understood.endpoint.region, "eu-west-1");
    assert!(understood.sentences.join(" ").contains("“us-east-1”"));
    let global = settings(Provider::AWS, "b.s3-accelerate.amazonaws.com", "", "");
    assert_eq!(resolve_endpoint(&global), Err(EndpointError::RegionMissing));
}

#[test]
fn fields_that_say_it_all_need_no_sentence() {
    for given in [
        settings(Provider::AWS, "", "eu-west-1", "b"),
        settings(
            Provider::AWS,
            "https://s3.eu-west-1.amazonaws.com",
            "eu-west-1",
            "b",
        ),
        settings(Provider::MINIO, "http://localhost:9000", "", "b"),
    ] {
        assert_eq!(understand(&given).expect("an address").sentences, [""; 0]);
    }
}

#[test]
fn the_normal_form_has_everything_in_its_own_field() {
    let pasted = "https://photos.s3.eu-west-1.amazonaws.com/my/pc/";
    let normal = normal_form(&settings(Provider::OTHER, pasted, "", "")).expect("an address");
    let mut meant = settings(Provider::AWS, "", "eu-west-1", "photos");
    meant.root_path = "my/pc".to_owned();
    assert_eq!(normal, meant);
    let pasted = "https://dash.cloudflare.com/acc/r2/eu/buckets/photos/objects";
    let normal = normal_form(&settings(Provider::OTHER, pasted, "", "")).expect("an address");
    let endpoint = "https://acc.eu.r2.cloudflarestorage.com";
    assert_eq!(normal, settings(Provider::R2, endpoint, "", "photos"));
}

#[test]
fn a_console_is_only_that_of_a_persons_own_server() {
    // Once read as MinIO's console, whose path it has.
    let pasted = "https://cos.ap-guangzhou.myqcloud.com/browser-125/photos";
    let there = resolve_endpoint(&settings(Provider::MINIO, pasted, "", "")).expect("an address");
    assert_eq!(
        (there.bucket.as_str(), there.root_path.as_str()),
        ("browser-125", "photos")
    );
    let pasted = "https://s3.eu-west-1.amazonaws.com/browser/photos";
    let there = resolve_endpoint(&settings(Provider::MINIO, pasted, "", "")).expect("an address");
    assert_eq!(
        (there.bucket.as_str(), there.root_path.as_str()),
        ("browser", "photos")
    );
}
