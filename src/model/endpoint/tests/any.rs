//! What holds for any text.

use super::settings;
use crate::model::{
    Addressing, Provider, S3Destination, keepable, keepable_part, normal_form, resolve_endpoint,
    understand,
};
use proptest::prelude::*;
use proptest::sample::select;
use url::Url;

fn any_provider() -> impl Strategy<Value = Provider> {
    select(Provider::all().collect::<Vec<_>>())
}

/// Pieces of which real addresses are made, put together at random: more of these are understood than of
/// random letters.
fn pieces() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "https://",
        "http://",
        "s3://",
        "oss://",
        "://",
        "/",
        "//",
        ".",
        ":",
        ":9000",
        ":9001",
        "?",
        "#",
        "&",
        "=",
        "@",
        " ",
        "%2F",
        "-",
        "photos",
        "photos.",
        "photos.photos.",
        "s3",
        "s3.",
        "eu-west-1",
        "cn-hangzhou",
        "oss-cn-hangzhou",
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".aliyuncs.com",
        ".r2.cloudflarestorage.com",
        "cos.ap-guangzhou.myqcloud.com",
        "s3.eu-west-1.amazonaws.com",
        "photos.s3.eu-west-1.amazonaws.com",
        "photos.eu-west-1.amazonaws.com",
        "https:/",
        "https//",
        "https:\\\\",
        "\\",
        "bucket.vpce-1a.s3.eu-west-1.vpce.amazonaws.com",
        "photos-1.s3-accesspoint.eu-west-1.amazonaws.com",
        "photos--x-s3.s3express-use1-az4.us-east-1.amazonaws.com",
        "f004.backblazeb2.com/file/photos/a",
        "obs.eu-west-101.myhuaweicloud.eu",
        "?X-Amz-Signature=x",
        "AKIAIOSFODNN7EXAMPLE",
        "dash.cloudflare.com/acc/r2/default/buckets/photos",
        "/browser/photos",
        "eu-west-1.console.aws.amazon.com/s3/buckets/photos?region=eu-west-1&prefix=a/",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "0x7f.1",
        "bücher.example",
        "nas.local",
        "s3.nas.local",
        "acc",
        "r2.dev",
        "pub-1.r2.dev",
        "region=",
        "bucket=photos-125",
        "arn:aws:s3:::photos/x",
        "ÿ",
        "\u{0}",
        "…",
    ]);
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => pieces(), 1 => ".{0,60}"]
}

fn any_settings() -> impl Strategy<Value = S3Destination> {
    let bucket = prop_oneof![
        "",
        "photos",
        "s3",
        "photos-125",
        "[a-z.]{1,6}",
        ".{0,12}",
        pieces()
    ];
    let region = prop_oneof!["", "eu-west-1", "cn-hangzhou", "oss-cn-hangzhou", ".{0,8}"];
    let root = prop_oneof!["", "a/b", " /a/ ", ".{0,8}"];
    (
        any_provider(),
        any_text(),
        region,
        bucket,
        root,
        any::<bool>(),
        select(vec![
            None,
            Some(Addressing::Path),
            Some(Addressing::VirtualHosted),
        ]),
    )
        .prop_map(
            |(provider, endpoint, region, bucket, root_path, allow_plain_http, addressing)| {
                S3Destination {
                    root_path,
                    addressing,
                    allow_plain_http,
                    ..settings(provider, &endpoint, &region, &bucket)
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_is_understood_is_an_address(given in any_settings()) {
        if let Ok(there) = resolve_endpoint(&given) {
            let url = Url::parse(&there.client_url());
            prop_assert!(url.is_ok(), "{}", there.client_url());
            prop_assert!(!there.service_url.ends_with('/'));
            prop_assert!(!there.root_path.starts_with('/') && !there.root_path.ends_with('/'));
            prop_assert!(!there.bucket.is_empty() && !there.region.is_empty());
            if there.addressing == Addressing::VirtualHosted {
                let host = url.expect("an address").host_str().expect("a host").to_owned();
                prop_assert!(host.starts_with(&there.bucket.to_ascii_lowercase()), "{host}");
            }
        }
    }

    #[test]
    fn the_normal_form_means_the_same_and_is_its_own(given in any_settings()) {
        if let Ok(normal) = normal_form(&given) {
            prop_assert_eq!(resolve_endpoint(&normal), resolve_endpoint(&given), "{:?}", normal);
            prop_assert_eq!(normal_form(&normal), Ok(normal.clone()));
            // Only what goes on to hold is still said.
            let said = understand(&normal).expect("an address").sentences;
            let is_lasting = |it: &String| it.starts_with("This address works only inside");
            prop_assert!(said.iter().all(is_lasting), "{normal:?} {said:?}");
        }
    }

    #[test]
    fn no_message_repeats_a_secret(
        begin in select(vec!["https://", "http://", "s3://", "", " <https://", "ftp://", "x:", "https:", "Endpoint: "]),
        user in "[A-Za-z0-9:]{0,8}",
        rest in any_text(),
        provider in any_provider(),
    ) {
        let secret = "hunter2hunter2";
        let endpoint = format!("{begin}{user}:{secret}@{rest}");
        let both = [settings(provider, &endpoint, "", ""), settings(provider, "", "", &endpoint)];
        for given in both {
            if let Err(error) = understand(&given) {
                prop_assert!(!error.to_string().contains("hunter"), "{error}");
                prop_assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
            }
        }
    }

    #[test]
    fn no_field_that_is_kept_holds_a_login(
        before in "[A-Za-z0-9:/]{0,8}",
        rest in any_text(),
        given in any_settings(),
        field in 0..5usize,
    ) {
        let mut given = given;
        let fields = [
            &mut given.endpoint,
            &mut given.region,
            &mut given.bucket,
            &mut given.root_path,
            &mut given.access_key_id,
        ];
        let begin = if field == 4 { "https://" } else { "" };
        if let Some(chosen) = fields.into_iter().nth(field) {
            *chosen = format!("{begin}{before}AK:hunter2@{rest}");
        }
        let error = keepable(&given).expect_err("refused");
        prop_assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
        let part = format!("{:?}", keepable_part(&given));
        prop_assert!(!part.contains("hunter"), "{part}");
        if let Err(error) = understand(&given) {
            prop_assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
        }
    }

    #[test]
    fn no_query_that_is_kept_holds_a_token(given in any_settings(), name in "[A-Za-z-]{1,12}") {
        let endpoint = format!("{}?{name}=1&X-Amz-Security-Token=hunter2", given.endpoint);
        let given = S3Destination { endpoint, ..given };
        let part = format!("{:?}", keepable_part(&given));
        prop_assert!(!part.contains("hunter"), "{part}");
        let understood = format!("{:?}", understand(&given));
        prop_assert!(!understood.contains("hunter"), "{understood}");
    }

    #[test]
    fn what_is_kept_means_the_same(given in any_settings()) {
        if let Ok(kept) = keepable(&given) {
            let there = resolve_endpoint(&given);
            prop_assert!(there.is_err() || resolve_endpoint(&kept) == there, "{kept:?}");
            prop_assert_eq!(keepable(&kept), Ok(kept.clone()));
            prop_assert_eq!(keepable_part(&kept), kept);
        }
        let part = keepable_part(&given);
        prop_assert!(keepable(&part).is_ok(), "{part:?}");
    }

    #[test]
    fn a_root_path_is_one_for_the_engine_too(root in "[a./\\PC\u{1}]{0,12}") {
        let mut given = settings(Provider::OTHER, "h.example", "", "photos");
        given.root_path = root;
        let root = given.root_path.trim_matches(|c: char| c == '/' || c.is_whitespace());
        let is_one = object_store::path::Path::parse(root).is_ok();
        prop_assert_eq!(resolve_endpoint(&given).is_ok(), is_one, "{}", root);
    }

    #[test]
    fn an_address_resolves_to_itself(host in "[a-z]{1,8}\\.[a-z]{2,6}", bucket in "[a-z][a-z0-9-]{2,12}[a-z]") {
        let first = resolve_endpoint(&settings(Provider::OTHER, &host, "r", &bucket)).expect("an address");
        let again = resolve_endpoint(&settings(Provider::OTHER, &first.service_url, "r", &first.bucket));
        prop_assert_eq!(again.expect("an address"), first);
    }
}
