//! What people paste, from the pages of all providers, and what it means.

use super::settings;
use crate::model::{Provider, understand};

/// What was pasted; then provider, client URL, region, bucket and root path.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = include_str!("pasted.txt").lines();
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let (pasted, meant) = line.split_once(" | ").expect("columns");
        (pasted, meant.split('|').map(str::trim).collect())
    })
    .collect()
}

#[test]
fn what_people_paste_is_understood() {
    let mut wrong = Vec::new();
    for (pasted, meant) in rows() {
        match understand(&settings(Provider::OTHER, pasted, "", "")) {
            Ok(understood) => {
                let there = understood.endpoint;
                let url = there.client_url();
                let found = [
                    there.provider.id(),
                    &url,
                    &there.region,
                    &there.bucket,
                    &there.root_path,
                ];
                if meant != found {
                    wrong.push(format!("{pasted}\n  {found:?}"));
                }
                if understood.sentences.is_empty() {
                    wrong.push(format!("{pasted}: nothing is said"));
                }
            }
            Err(error) => wrong.push(format!("{pasted}\n  {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows().len() >= 60, "{}", rows().len());
}

#[test]
fn short_forms_need_what_they_do_not_say() {
    for (provider, pasted, region, url, root) in [
        (
            Provider::AWS,
            "s3://photos/my/pc",
            "eu-west-1",
            "https://photos.s3.eu-west-1.amazonaws.com",
            "my/pc",
        ),
        (
            Provider::AWS,
            "arn:aws:s3:::photos/my",
            "eu-west-1",
            "https://photos.s3.eu-west-1.amazonaws.com",
            "my",
        ),
        (
            Provider::known("wasabi").expect("known"),
            "s3://photos",
            "eu-west-1",
            "https://s3.eu-west-1.wasabisys.com",
            "",
        ),
        (
            Provider::OTHER,
            "oss://photos/pc",
            "cn-hangzhou",
            "https://photos.s3.oss-cn-hangzhou.aliyuncs.com",
            "pc",
        ),
        (
            Provider::OTHER,
            "https://cloud.digitalocean.com/spaces/photos?i=1",
            "fra1",
            "https://fra1.digitaloceanspaces.com",
            "",
        ),
        (
            Provider::OTHER,
            "https://f004.backblazeb2.com/file/photos/a.zip",
            "us-west-004",
            "https://s3.us-west-004.backblazeb2.com",
            "",
        ),
        (
            Provider::MINIO,
            "http://localhost:9001/buckets/photos/browse",
            "",
            "http://localhost:9000",
            "",
        ),
    ] {
        let understood = understand(&settings(provider, pasted, region, "")).expect("an address");
        let there = understood.endpoint;
        assert_eq!(
            (there.client_url().as_str(), there.root_path.as_str()),
            (url, root),
            "{pasted}"
        );
        assert_eq!(there.bucket, "photos", "{pasted}");
    }
}

#[test]
fn what_is_for_browsers_says_what_is_not() {
    for (pasted, example) in [
        (
            "https://pub-0123456789abcdef.r2.dev",
            "r2.cloudflarestorage.com",
        ),
        (
            "https://dash.cloudflare.com/profile/api-tokens",
            "r2.cloudflarestorage.com",
        ),
        (
            "https://secure.backblaze.com/b2_browse_files2.htm?bznetid=1",
            "s3.us-west-004.backblazeb2.com",
        ),
        (
            "https://console.volcengine.com/tos/bucket/photos",
            "tos-s3-cn-beijing.volces.com",
        ),
        (
            "https://console.hetzner.com/projects/1/buckets",
            "fsn1.your-objectstorage.com",
        ),
        (
            "https://console.aws.amazon.com/s3/home",
            "s3.eu-west-1.amazonaws.com",
        ),
    ] {
        let error = understand(&settings(Provider::OTHER, pasted, "", "b")).expect_err("refused");
        assert!(error.to_string().contains(example), "{error}");
    }
}

#[test]
fn storage_that_is_not_used_says_the_usual_address() {
    for (pasted, what, example) in [
        (
            "https://photos-123456789012.s3-accesspoint.eu-west-1.amazonaws.com",
            "access point",
            "https://s3.eu-west-1.amazonaws.com",
        ),
        (
            "photos--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com",
            "S3 Express",
            "https://s3.us-east-1.amazonaws.com",
        ),
    ] {
        let error = understand(&settings(Provider::AWS, pasted, "", "b")).expect_err("refused");
        let told = error.to_string();
        assert!(told.contains(what) && told.contains(example), "{told}");
    }
}

#[test]
fn what_is_no_address_says_what_it_seems_to_be() {
    for (pasted, told) in [
        ("eu-west-1", "a region"),
        ("oss-cn-hangzhou", "a region"),
        ("fsn1", "a region"),
        ("AKIAIOSFODNN7EXAMPLE", "an access key id"),
        ("LTAI5tExampleExample", "an access key id"),
    ] {
        for provider in [Provider::AWS, Provider::R2, Provider::OTHER] {
            let error = understand(&settings(provider, pasted, "", "b")).expect_err("refused");
            assert!(error.to_string().contains(told), "{error}");
        }
    }
    let error = understand(&settings(Provider::OTHER, "AKIAIOSFODNN7EXAMPLE", "", "b"));
    let error = error.expect_err("refused").to_string();
    assert!(!error.contains("IOSFODNN7"), "{error}");
    for server in ["https://fsn1/b", "fsn1:9000/b", "garage/b", "my-nas-1/b"] {
        assert!(
            understand(&settings(Provider::OTHER, server, "", "")).is_ok(),
            "{server}"
        );
    }
}

#[test]
fn what_was_understood_is_said() {
    let pasted = "https://photos.s3.eu-west-1.amazonaws.com/pc";
    let understood = understand(&settings(Provider::OTHER, pasted, "", "")).expect("an address");
    assert_eq!(
        understood.sentences,
        [
            "This is an address of AWS S3, and its rules are used.",
            "The region “eu-west-1” was taken from the address.",
            "The bucket “photos” was taken from the address.",
            "The root path “pc” was taken from the address.",
        ]
    );
}
