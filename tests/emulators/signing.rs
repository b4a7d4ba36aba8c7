//! Who may ask: keys, signatures, clocks, regions and bodies.

use crate::ask::{Ask, Reply, ask};
use crate::emulator::{
    AWS, Access, COS, EVERY, Emulator, Key, MINIO, OSS, Public, R2, Rules, WrongRegion,
};

const MINUTE_SECS: i64 = 60;

fn put(emulator: &Emulator) -> Ask {
    ask(emulator, "PUT", "a.txt", "").body("content")
}

/// One answer from each provider to the same question, by the provider's name.
fn each(question: impl Fn(&Emulator) -> Reply) -> impl FnMut(&str) -> Reply {
    let mut replies: Vec<_> = EVERY
        .into_iter()
        .map(|rules| (rules.provider, question(&Emulator::start(&rules))))
        .collect();
    move |provider| {
        let at = replies.iter().position(|(own, _)| *own == provider);
        replies.swap_remove(at.expect("each is asked once")).1
    }
}

#[test]
fn a_good_signature_is_taken_and_every_answer_says_the_time() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        put(&emulator).send(&emulator).is_done();
        let got = ask(&emulator, "GET", "a.txt", "").send(&emulator);
        assert_eq!((got.status, got.text().as_str()), (200, "content"));
        assert!(got.header("date").is_some(), "{got}");
        let odd = "a%20%2B%25%C3%BC%26%3D%27%28.txt";
        ask(&emulator, "PUT", odd, "").send(&emulator).is_done();
        assert_eq!(emulator.object_keys(), ["a +%ü&='(.txt", "a.txt"]);
    }
}

#[test]
fn a_wrong_secret_and_an_unknown_key_are_refused() {
    const WRONG: &str = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let mut key = emulator.key();
        key.secret.pop();
        let reply = put(&emulator).key(&key).send(&emulator);
        reply.is(403, "SignatureDoesNotMatch", WRONG);
        // What is signed for one thing is not good for another.
        let stolen = put(&emulator).sign(&emulator.key()).headers;
        let other = ask(&emulator, "DELETE", "a.txt", "").send_with(&emulator, &stolen);
        other.is(403, "SignatureDoesNotMatch", WRONG);
        assert!(emulator.object_keys().is_empty());
    }
    let mut of = each(|emulator| {
        let mut key = emulator.key();
        key.id.push('X');
        put(emulator).key(&key).send(emulator)
    });
    let unknown = |whose| format!("The {whose} you provided does not exist in our records.");
    let invalid = "InvalidAccessKeyId";
    of("aws").is(403, invalid, &unknown("AWS Access Key Id"));
    of("r2").is(401, "Unauthorized", "Unauthorized");
    of("oss").is(403, invalid, &unknown("OSS Access Key Id"));
    of("cos").is(403, invalid, &unknown("Access Key Id"));
    of("minio").is(403, invalid, &unknown("Access Key Id"));
}

#[test]
fn strangers_may_do_nothing_but_what_is_public() {
    let mut of = each(|emulator| {
        ask(emulator, "GET", "", "list-type=2")
            .unsigned()
            .send(emulator)
    });
    for provider in ["aws", "oss", "cos", "minio"] {
        let reply = of(provider);
        assert_eq!(
            (reply.status, reply.field("Code")),
            (403, Some("AccessDenied".to_owned()))
        );
    }
    of("r2").is(400, "InvalidArgument", "Authorization");
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a.txt", "content");
        let status = |method, key, query| {
            ask(&emulator, method, key, query)
                .unsigned()
                .send(&emulator)
                .status
        };
        let asked = || {
            [
                status("GET", "", "list-type=2"),
                status("GET", "a.txt", ""),
                status("PUT", "b.txt", ""),
            ]
        };
        for (public, listing, reading) in [
            (Public::Nothing, false, false),
            (Public::Listing, true, false),
            (Public::Reading, false, true),
            (Public::Both, true, true),
        ] {
            emulator.conduct(|conduct| conduct.public = public);
            let may = asked().map(|status| status == 200);
            assert_eq!(may, [listing, reading, false], "{}", rules.provider);
        }
    }
}

#[test]
fn a_clock_that_is_off_by_more_than_a_quarter_of_an_hour_is_refused() {
    const CURRENT: &str =
        "The difference between the request time and the current time is too large.";
    const MINIOS: &str =
        "The difference between the request time and the server's time is too large.";
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let words = if rules.provider == "minio" {
            MINIOS
        } else {
            CURRENT
        };
        for minutes in [-20, 20] {
            let reply = put(&emulator).clock(minutes * MINUTE_SECS).send(&emulator);
            reply.is(403, "RequestTimeTooSkewed", words);
            if matches!(rules.provider, "aws" | "oss") {
                let most = reply.field("MaxAllowedSkewMilliseconds");
                assert_eq!(most.as_deref(), Some("900000"), "{reply}");
            }
            if rules.provider == "oss" {
                assert_eq!(reply.header("x-oss-ec"), Some("0002-00000501"));
            }
        }
        put(&emulator)
            .clock(14 * MINUTE_SECS)
            .send(&emulator)
            .is_done();

        emulator.conduct(|conduct| conduct.clock_offset_secs = 20 * MINUTE_SECS);
        let reply = put(&emulator).send(&emulator);
        assert_eq!(reply.status, 403);
        let date = jiff::fmt::rfc2822::parse(reply.header("date").expect("a time"));
        let ahead = date.expect("a time").timestamp() - jiff::Timestamp::now();
        let ahead_secs = ahead.get_seconds() - 20 * MINUTE_SECS;
        assert!(ahead_secs.abs() < 30, "{ahead:?}");
        put(&emulator)
            .clock(20 * MINUTE_SECS)
            .send(&emulator)
            .is_done();
    }
}

#[test]
fn a_body_is_what_its_hash_says() {
    let mut of = each(|emulator| {
        let other = "0123456789abcdef".repeat(4);
        let reply = put(emulator).body_hash(&other).send(emulator);
        assert!(emulator.object_keys().is_empty());
        reply
    });
    for provider in ["aws", "oss", "cos", "minio"] {
        let reply = of(provider);
        let own = (reply.status, reply.field("Code"));
        assert_eq!(
            own,
            (400, Some("XAmzContentSHA256Mismatch".to_owned())),
            "{reply}"
        );
    }
    of("r2").is(
        400,
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
    );
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        put(&emulator)
            .body_hash("UNSIGNED-PAYLOAD")
            .send(&emulator)
            .is_done();
    }
}

#[test]
fn what_has_to_be_signed_is_signed() {
    let emulator = Emulator::start(&AWS);
    let reply = put(&emulator)
        .unsigned_header("x-amz-meta-a", "b")
        .send(&emulator);
    let words = "There were headers present in the request which were not signed";
    reply.is(403, "AccessDenied", words);
    let old = put(&emulator)
        .unsigned()
        .header("authorization", "AWS AKIA:signature")
        .send(&emulator);
    let words = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
    old.is(400, "InvalidRequest", words);
}

#[test]
fn a_wrong_region_is_refused_with_the_right_one() {
    let aws = Emulator::start(&AWS);
    let reply = put(&aws).region("us-east-1").send(&aws);
    let words = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    reply.is(400, "AuthorizationHeaderMalformed", words);
    assert_eq!(reply.field("Region").as_deref(), Some("eu-west-1"));

    let minio = Emulator::start(&MINIO);
    let reply = put(&minio).region("eu-west-1").send(&minio);
    let words =
        "The authorization header is malformed; the region is wrong; expecting 'us-east-1'.";
    reply.is(400, "AuthorizationHeaderMalformed", words);

    let r2 = Emulator::start(&R2);
    let reply = put(&r2).region("cn-north-1").send(&r2);
    let words = "The region name 'cn-north-1' is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto";
    reply.is(400, "InvalidRegionName", words);
    for region in ["auto", "us-east-1", "weur", ""] {
        put(&r2).region(region).send(&r2).is_done();
    }
    for rules in [OSS, COS] {
        let emulator = Emulator::start(&rules);
        put(&emulator).region("anywhere").send(&emulator).is_done();
    }
}

#[test]
fn aws_sends_to_the_region_of_the_bucket() {
    let emulator = Emulator::start(&AWS);
    let head = || ask(&emulator, "HEAD", "", "");
    let reply = head().send(&emulator);
    assert_eq!(
        (reply.status, reply.header("x-amz-bucket-region")),
        (200, Some("eu-west-1"))
    );
    let elsewhere = head()
        .at("zipkeep-tests.s3.us-west-2.amazonaws.com", "/")
        .region("us-west-2")
        .send(&emulator);
    let region = elsewhere.header("x-amz-bucket-region");
    assert_eq!((elsewhere.status, region), (301, Some("eu-west-1")));
    let get = ask(&emulator, "GET", "a", "")
        .at("s3.us-west-2.amazonaws.com", "/zipkeep-tests/a")
        .region("us-west-2")
        .send(&emulator);
    assert_eq!(get.field("Code").as_deref(), Some("PermanentRedirect"));
    assert_eq!(
        get.field("Endpoint").as_deref(),
        Some("s3.eu-west-1.amazonaws.com")
    );
    assert_eq!(get.field("Bucket").as_deref(), Some("zipkeep-tests"));
    emulator.conduct(|conduct| conduct.wrong_region = WrongRegion::RedirectedForNow);
    let new = head()
        .at("zipkeep-tests.s3.us-west-2.amazonaws.com", "/")
        .region("us-west-2")
        .send(&emulator);
    let location = new.header("location");
    let right = "https://zipkeep-tests.s3.eu-west-1.amazonaws.com/";
    assert_eq!((new.status, location), (307, Some(right)));
    emulator.conduct(|conduct| conduct.wrong_region = WrongRegion::Redirected);
    assert_eq!(head().region("us-east-1").send(&emulator).status, 301);
}

#[test]
fn keys_may_do_what_they_may() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a.txt", "content");
        let statuses = |access| {
            let key = emulator.add_key(access);
            let status = |method, name: &str, query| {
                ask(&emulator, method, name, query)
                    .key(&key)
                    .send(&emulator)
                    .status
            };
            [
                status("GET", "", "list-type=2"),
                status("GET", "a.txt", ""),
                status("PUT", "b.txt", ""),
                status("DELETE", "b.txt", ""),
            ]
        };
        assert_eq!(statuses(Access::ReadOnly), [200, 200, 403, 403]);
        assert_eq!(statuses(Access::NoDelete), [200, 200, 200, 403]);
        assert_eq!(statuses(Access::NoList), [403, 200, 200, 204]);
        assert_eq!(statuses(Access::Nothing), [403; 4]);
        assert_eq!(statuses(Access::Everything), [200, 200, 200, 204]);
    }
}

#[test]
fn temporary_keys_need_their_token() {
    let emulator = Emulator::start(&AWS);
    let key = emulator.know_key(Key {
        id: "ASIATEMPORARY".to_owned(),
        secret: "secret".to_owned(),
        access: Access::Everything,
        session_token: Some("token".to_owned()),
        is_expired: false,
    });
    put(&emulator).key(&key).send(&emulator).is_done();
    let with = |token: Option<&str>| Key {
        session_token: token.map(str::to_owned),
        ..key.clone()
    };
    let code = |key: &Key| put(&emulator).key(key).send(&emulator).field("Code");
    assert_eq!(code(&with(Some("other"))).as_deref(), Some("InvalidToken"));
    assert_eq!(code(&with(None)).as_deref(), Some("InvalidAccessKeyId"));
    let late = emulator.know_key(Key {
        id: "ASIALATE".to_owned(),
        is_expired: true,
        ..key
    });
    let reply = put(&emulator).key(&late).send(&emulator);
    reply.is(400, "ExpiredToken", "The provided token has expired.");
}

/// The refusals of each provider look like its own.
#[test]
fn errors_have_the_shape_of_their_provider() {
    let refused = |rules: Rules| {
        let emulator = Emulator::start(&rules);
        let reply = ask(&emulator, "GET", "missing", "").send(&emulator);
        assert_eq!(reply.field("Code").as_deref(), Some("NoSuchKey"));
        let has = |names: &[&str]| {
            for name in names {
                assert!(reply.field(name).is_some(), "{name}: {reply}");
            }
        };
        match rules.provider {
            "aws" => has(&["RequestId", "HostId"]),
            "r2" => assert_eq!(reply.text().matches("</").count(), 3, "{reply}"),
            "oss" => has(&["RequestId", "HostId", "BucketName"]),
            "cos" => has(&["Resource", "RequestId", "TraceId"]),
            _ => has(&["Key", "BucketName", "Resource", "RequestId", "HostId"]),
        }
        let id = match rules.provider {
            "r2" => "cf-ray",
            "oss" => "x-oss-request-id",
            "cos" => "x-cos-request-id",
            _ => "x-amz-request-id",
        };
        assert!(reply.header(id).is_some(), "{reply}");
        if rules.provider == "oss" {
            assert!(reply.header("x-oss-server-time").is_some(), "{reply}");
        }
    };
    EVERY.into_iter().for_each(refused);
}
