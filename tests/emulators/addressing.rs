//! Where a bucket is found: styles, hosts and regions, at the provider's own addresses.

use crate::ask::ask;
use crate::emulator::{AWS, COS, EVERY, Emulator, MINIO, OSS, R2, R2_ACCOUNT, Rules};

#[test]
fn oss_and_cos_refuse_path_style_and_the_others_take_both() {
    let list = |rules| {
        let emulator = Emulator::start(&rules);
        let question = ask(&emulator, "GET", "", "list-type=2");
        question.path_style(&emulator).send(&emulator)
    };
    list(OSS).is(
        403,
        "SecondLevelDomainForbidden",
        "Please use virtual hosted style to access.",
    );
    list(COS).is(
        403,
        "PathStyleDomainForbidden",
        "The bucket you are attempting to access must be addressed using COS virtual-styled domain.",
    );
    list(AWS).is_done();
    list(R2).is_done();
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let question = ask(&emulator, "GET", "", "list-type=2");
        question.send(&emulator).is_done();
    }
}

#[test]
fn the_bare_address_of_this_computer_is_path_style_too() {
    let emulator = Emulator::start(&OSS);
    let target = format!("/{}?list-type=2", emulator.bucket());
    let host = emulator.address().to_string();
    let question = ask(&emulator, "GET", "", "").at(&host, &target);
    let reply = question.send(&emulator);
    assert_eq!(
        reply.field("Code").as_deref(),
        Some("SecondLevelDomainForbidden")
    );
}

#[test]
fn every_host_of_a_provider_leads_to_the_bucket() {
    let hosts = [
        (AWS, "s3.dualstack.eu-west-1.amazonaws.com".to_owned()),
        (R2, format!("{R2_ACCOUNT}.eu.r2.cloudflarestorage.com")),
        (OSS, "s3.oss-cn-hangzhou-internal.aliyuncs.com".to_owned()),
        (OSS, "oss-cn-hangzhou.aliyuncs.com".to_owned()),
        (OSS, "s3.oss-accelerate.aliyuncs.com".to_owned()),
    ];
    for (rules, host) in hosts {
        let emulator = Emulator::start(&rules);
        let host = format!("{}.{host}", rules.bucket);
        let question = ask(&emulator, "GET", "", "").at(&host, "/?list-type=2");
        question.send(&emulator).is_done();
    }
}

#[test]
fn minio_knows_buckets_in_hosts_only_once_it_is_told_its_domain() {
    let at_own_host = |rules: &Rules| {
        let emulator = Emulator::start(rules);
        let host = format!("{}.localhost", emulator.bucket());
        let question = ask(&emulator, "GET", "", "").at(&host, "/?list-type=2");
        question.send(&emulator)
    };
    let untold = at_own_host(&MINIO);
    assert_ne!(untold.field("KeyCount").as_deref(), Some("0"), "{untold}");
    let told = at_own_host(&Rules {
        hosts: &["localhost"],
        ..MINIO
    });
    assert_eq!(told.is_done().field("KeyCount").as_deref(), Some("0"));
}

#[test]
fn a_missing_bucket_is_told_everywhere() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let question = ask(&emulator, "GET", "", "");
        let question = match rules.service_host {
            "" => question.at(&emulator.address().to_string(), "/missing?list-type=2"),
            host => question.at(&format!("missing.{host}"), "/?list-type=2"),
        };
        let reply = question.send(&emulator);
        reply.is(404, "NoSuchBucket", "The specified bucket does not exist");
    }
}

#[test]
fn a_bucket_is_not_at_the_host_of_another_region() {
    let at = |rules, host: &str| {
        let emulator = Emulator::start(&rules);
        let host = format!("{}.{host}", emulator.bucket());
        let question = ask(&emulator, "GET", "", "").at(&host, "/?list-type=2");
        question.send(&emulator)
    };
    let native = at(OSS, "oss-cn-beijing.aliyuncs.com");
    native.is(
        403,
        "AccessDenied",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    );
    let endpoint = native.field("Endpoint");
    assert_eq!(endpoint.as_deref(), Some("oss-cn-hangzhou.aliyuncs.com"));
    for reply in [
        at(OSS, "s3.oss-cn-beijing.aliyuncs.com"),
        at(COS, "cos.ap-beijing.myqcloud.com"),
    ] {
        assert_eq!(
            (reply.status, reply.field("Code")),
            (404, Some("NoSuchBucket".to_owned()))
        );
    }
}

#[test]
fn new_accounts_on_the_mainland_may_not_use_the_public_endpoint() {
    let emulator = Emulator::start(&OSS);
    emulator.conduct(|conduct| conduct.is_public_endpoint_forbidden = true);
    let reply = ask(&emulator, "GET", "", "list-type=2").send(&emulator);
    assert_eq!(
        reply.field("Code").as_deref(),
        Some("PublicEndpointForbidden")
    );
    assert_eq!(
        (reply.status, reply.header("x-oss-ec")),
        (400, Some("0048-00000401"))
    );
}

#[test]
fn a_proxy_finds_only_the_providers_own_hosts() {
    let emulator = Emulator::start(&MINIO);
    let stranger = ask(&emulator, "GET", "", "").at("s3.example.com", "/bucket");
    assert_eq!(stranger.send(&emulator).status, 502);
}

#[test]
fn buckets_are_listed_for_the_whole_account() {
    let emulator = Emulator::start(&AWS);
    let question = ask(&emulator, "GET", "", "").at("s3.eu-west-1.amazonaws.com", "/");
    let reply = question.send(&emulator);
    assert_eq!(
        reply.field("Name").as_deref(),
        Some("zipkeep-tests"),
        "{reply}"
    );
}

#[test]
fn aws_tells_anybody_where_a_bucket_is_and_nothing_else() {
    let emulator = Emulator::start(&AWS);
    let knock = |bucket: &str, region: &str| {
        let host = format!("{bucket}.s3.{region}.amazonaws.com");
        let question = ask(&emulator, "HEAD", "", "").unsigned();
        let reply = question.at(&host, "/").send(&emulator);
        let region = reply.header("x-amz-bucket-region").map(str::to_owned);
        (reply.status, region)
    };
    let home = Some("eu-west-1".to_owned());
    assert_eq!(knock(AWS.bucket, "eu-west-1"), (403, home.clone()));
    assert_eq!(knock(AWS.bucket, "us-west-2"), (301, home));
    assert_eq!(knock("no-such-bucket", "eu-west-1"), (404, None));
}
