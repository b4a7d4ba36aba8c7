//! Whole objects: conditions, digests, codings, ranges, lists and deletions.

use crate::ask::{Ask, Reply, ask};
use crate::emulator::{
    AWS, BatchDelete, COS, ChecksumHeaders, EVERY, Emulator, MINIO, OSS, R2, Refusal, Rules,
    base64, hex, hmac_sha256, sha256,
};

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

fn put(emulator: &Emulator) -> Ask {
    ask(emulator, "PUT", "a.txt", "").body("content")
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.field("Code").unwrap_or_default())
}

#[test]
fn conditions_of_a_write_hold_or_are_refused() {
    let conditional = |rules, name: &str, value: &str| {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a.txt", "old");
        let reply = put(&emulator).header(name, value).send(&emulator);
        let is_old = emulator.object("a.txt").as_deref() == Some(b"old");
        assert_eq!(is_old, reply.status >= 300, "{reply}");
        reply
    };
    let other = "\"0123456789abcdef0123456789abcdef\"";
    for rules in [AWS, R2, MINIO] {
        let words = "At least one of the pre-conditions you specified did not hold";
        conditional(rules, "if-none-match", "*").is(412, "PreconditionFailed", words);
        conditional(rules, "if-match", other).is(412, "PreconditionFailed", words);
        let etag = conditional(rules, "if-none-match", other);
        assert_eq!(code(&etag), (501, "NotImplemented".to_owned()));
        let emulator = Emulator::start(&rules);
        let missing = put(&emulator).header("if-match", other).send(&emulator);
        assert_eq!(code(&missing), (404, "NoSuchKey".to_owned()));
        let new = put(&emulator).header("if-none-match", "*").send(&emulator);
        new.is_done();
    }
    let words = "A header you provided implies functionality that is not implemented";
    conditional(OSS, "if-none-match", "*").is(501, "NotImplemented", words);
    conditional(OSS, "if-match", other).is(501, "NotImplemented", words);
    conditional(COS, "if-none-match", "*").is_done();
    for (rules, header) in [
        (OSS, "x-oss-forbid-overwrite"),
        (COS, "x-cos-forbid-overwrite"),
    ] {
        let reply = conditional(rules, header, "true");
        assert_eq!(code(&reply), (409, "FileAlreadyExists".to_owned()));
        conditional(rules, header, "false").is_done();
    }
}

#[test]
fn a_batch_of_deletions_needs_what_the_provider_wants_with_it() {
    const BODY: &str = "<Delete><Object><Key>a.txt</Key></Object></Delete>";
    let batch = |rules: Rules, change: fn(Ask) -> Ask| {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a.txt", "content");
        let reply = change(ask(&emulator, "POST", "", "delete").body(BODY)).send(&emulator);
        let is_gone = emulator.object("a.txt").is_none();
        assert_eq!(is_gone, reply.status == 200, "{reply}");
        reply
    };
    let bare = |ask| ask;
    let crc32 = |ask: Ask| ask.header("x-amz-checksum-crc32", crc32(BODY));
    let missing = "Missing required header for this request: Content-MD5";
    for rules in [OSS, COS] {
        batch(rules, bare).is(400, "InvalidRequest", missing);
        batch(rules, crc32).is(400, "InvalidRequest", missing);
    }
    let words = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
    batch(AWS, bare).is(400, "InvalidRequest", words);
    let words =
        "Missing or invalid required header for this request: Content-Md5 or Amz-Content-Checksum";
    batch(MINIO, bare).is(400, "MissingContentMD5", words);
    batch(R2, bare).is_done();
    for rules in [AWS, R2, MINIO] {
        batch(rules, crc32).is_done();
    }
    let older = "Missing required header for this request: Content-Md5.";
    let older_minio = Rules {
        batch_delete: BatchDelete::Md5(Refusal::new(400, "MissingContentMD5", older)),
        ..MINIO
    };
    batch(older_minio, crc32).is(400, "MissingContentMD5", older);
    for rules in EVERY {
        let reply = batch(rules, Ask::md5);
        assert_eq!(reply.field("Key").as_deref(), Some("a.txt"), "{reply}");
        let wrong = batch(rules, |ask| {
            ask.header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")
        });
        assert_eq!(code(&wrong), (400, "BadDigest".to_owned()));
    }
}

#[test]
fn checksums_are_verified_ignored_or_refused() {
    let with = |rules, name: &str, value: &str| {
        let emulator = Emulator::start(&rules);
        put(&emulator).header(name, value).send(&emulator)
    };
    for rules in [AWS, R2, MINIO] {
        // Of "123456789", as the catalogues of checksums give them.
        for (name, right) in [
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (
                "x-amz-checksum-sha256",
                "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            ),
        ] {
            let reply = with(rules, name, "AAAAAA==");
            assert_eq!(code(&reply), (400, "BadDigest".to_owned()), "{name}");
            let emulator = Emulator::start(&rules);
            let nine = put(&emulator).body("123456789").header(name, right);
            nine.send(&emulator).is_done();
        }
    }
    for rules in [OSS, COS] {
        with(rules, "x-amz-checksum-crc32", "AAAAAA==").is_done();
    }
    let january_2025 = Rules {
        checksum_headers: ChecksumHeaders::NotImplemented,
        ..R2
    };
    let words = "Header 'x-amz-checksum-crc32' with value 'AAAAAA==' not implemented";
    with(january_2025, "x-amz-checksum-crc32", "AAAAAA==").is(501, "NotImplemented", words);
    let wrong = with(AWS, "content-md5", "not a digest");
    assert_eq!(code(&wrong), (400, "InvalidDigest".to_owned()));
}

fn crc32(text: &str) -> String {
    base64(&crc32fast::hash(text.as_bytes()).to_be_bytes())
}

/// "content" in chunks, each signed where the provider wants it.
fn chunked(emulator: &Emulator, hash: &str) -> Reply {
    let is_signed = hash.starts_with("STREAMING-AWS4");
    let question = ask(emulator, "PUT", "a.txt", "")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "7")
        .body_hash(hash);
    let question = if hash.ends_with("TRAILER") {
        question.header("x-amz-trailer", "x-amz-checksum-crc32")
    } else {
        question
    };
    let sign = question.sign(&emulator.key());
    let mut previous = sign.signature.clone();
    let mut body = String::new();
    for chunk in ["cont", "ent", ""] {
        let to_sign = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
            sign.stamp,
            sign.scope,
            hex(&sha256(b"")),
            hex(&sha256(chunk.as_bytes()))
        );
        previous = hex(&hmac_sha256(&sign.signing_key, to_sign.as_bytes()));
        let extension = if is_signed {
            format!(";chunk-signature={previous}")
        } else {
            String::new()
        };
        body.push_str(&format!("{:x}{extension}\r\n{chunk}", chunk.len()));
        if !chunk.is_empty() {
            body.push_str("\r\n");
        }
    }
    if hash.ends_with("TRAILER") {
        body.push_str(&format!("x-amz-checksum-crc32:{}\r\n", crc32("content")));
    }
    body.push_str("\r\n");
    question.body(body).send_with(emulator, &sign.headers)
}

#[test]
fn bodies_in_chunks_are_taken_only_where_they_are_known() {
    let send = |rules, hash| {
        let emulator = Emulator::start(&rules);
        let reply = chunked(&emulator, hash);
        if reply.status == 200 {
            assert_eq!(emulator.object("a.txt").as_deref(), Some(&b"content"[..]));
        } else {
            assert!(emulator.object_keys().is_empty());
        }
        reply
    };
    for rules in [AWS, MINIO] {
        for hash in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
            send(rules, hash).is_done();
        }
    }
    for hash in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let words = format!("{hash} not implemented");
        send(R2, hash).is(501, "NotImplemented", &words);
        let words = "A header you provided implies functionality that is not implemented.";
        send(COS, hash).is(400, "NotImplemented", words);
    }
    send(OSS, SIGNED).is_done();
    let words = "Aws MultiChunkedEncoding STREAMING-UNSIGNED-PAYLOAD-TRAILER is not supported.";
    send(OSS, UNSIGNED_TRAILER).is(400, "NotImplemented", words);
    let emulator = Emulator::start(&OSS);
    let alone = put(&emulator).header("content-encoding", "aws-chunked");
    let reply = alone.send(&emulator);
    let words =
        "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.";
    reply.is(400, "InvalidArgument", words);
    assert_eq!(reply.field("ArgumentValue").as_deref(), Some("aws-chunked"));
    assert_eq!(reply.header("x-oss-ec"), Some("0017-00000804"));
}

#[test]
fn r2_refuses_headers_of_what_it_does_not_have() {
    let with_acl = |rules| {
        let emulator = Emulator::start(&rules);
        let put = put(&emulator).header("x-amz-acl", "private");
        put.send(&emulator)
    };
    let words = "Header 'x-amz-acl' with value 'private' not implemented";
    with_acl(R2).is(501, "NotImplemented", words);
    with_acl(AWS).is_done();
}

#[test]
fn a_deletion_of_one_version_is_known_to_aws_only() {
    let delete = |rules, tag: &str| {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a.txt", "content");
        let question = ask(&emulator, "DELETE", "a.txt", "").header("if-match", tag);
        let reply = question.send(&emulator);
        (code(&reply), emulator.object("a.txt").is_some())
    };
    let own = "\"9a0364b9e99bb480dd25e1f0284c8555\"";
    let refused = |status, code: &str| ((status, code.to_owned()), true);
    assert_eq!(delete(AWS, own), ((204, String::new()), false));
    assert_eq!(delete(AWS, "\"other\""), refused(412, "PreconditionFailed"));
    assert_eq!(delete(MINIO, own), refused(501, "NotImplemented"));
}

#[test]
fn a_chunk_that_was_changed_on_the_way_is_refused() {
    let emulator = Emulator::start(&AWS);
    let question = ask(&emulator, "PUT", "a.txt", "")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "1")
        .body_hash(SIGNED);
    let sign = question.sign(&emulator.key());
    let body = format!(
        "1;chunk-signature={0}\r\nx\r\n0;chunk-signature={0}\r\n\r\n",
        sign.signature
    );
    let reply = question.body(body).send_with(&emulator, &sign.headers);
    assert_eq!(code(&reply), (403, "SignatureDoesNotMatch".to_owned()));
}

#[test]
fn bytes_are_read_by_range_and_version() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a", "0123456789");
        let get = |name: &str, value: &str| {
            ask(&emulator, "GET", "a", "")
                .header(name, value)
                .send(&emulator)
        };
        for (range, bytes, of) in [
            ("bytes=2-4", "234", "bytes 2-4/10"),
            ("bytes=8-", "89", "bytes 8-9/10"),
            ("bytes=8-99", "89", "bytes 8-9/10"),
            ("bytes=-3", "789", "bytes 7-9/10"),
            ("bytes=-99", "0123456789", "bytes 0-9/10"),
        ] {
            let reply = get("range", range);
            assert_eq!(
                (reply.status, reply.text().as_str()),
                (206, bytes),
                "{range}"
            );
            assert_eq!(reply.header("content-range"), Some(of));
        }
        assert_eq!(
            code(&get("range", "bytes=10-")),
            (416, "InvalidRange".to_owned())
        );
        let head = ask(&emulator, "HEAD", "a", "").send(&emulator);
        assert_eq!(
            (head.header("content-length"), head.body.len()),
            (Some("10"), 0)
        );
        let etag = head.header("etag").expect("a tag");
        assert_eq!(get("if-match", etag).status, 200);
        assert_eq!(get("if-none-match", etag).status, 304);
        let other = get("if-match", "\"0123456789abcdef0123456789abcdef\"");
        assert_eq!(code(&other), (412, "PreconditionFailed".to_owned()));
    }
}

#[test]
fn lists_go_on_past_a_thousand_rows() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        for number in 0..2_100 {
            emulator.put_object(&format!("root/{number:04}"), "x");
        }
        emulator.put_object("root/folder/a", "x");
        emulator.put_object("root/folder/b", "x");
        let (mut keys, mut pages, mut token) = (Vec::new(), 0, None::<String>);
        loop {
            let more = token.map_or(String::new(), |token| {
                format!("continuation-token={token}&")
            });
            let query = format!("{more}delimiter=%2F&list-type=2&prefix=root%2F");
            let reply = ask(&emulator, "GET", "", &query).send(&emulator);
            let text = reply.is_done().text();
            keys.extend(text.split("<Key>").skip(1).map(|rest| rest[..9].to_owned()));
            pages += 1;
            token = reply.field("NextContinuationToken");
            if token.is_none() {
                let folder = "<CommonPrefixes><Prefix>root/folder/</Prefix></CommonPrefixes>";
                assert!(text.contains(folder), "{text}");
                break;
            }
        }
        assert_eq!((keys.len(), pages), (2_100, 3), "{}", rules.provider);
        assert!(keys.is_sorted() && keys[2_099] == "root/2099");
        let wrong = ask(&emulator, "GET", "", "continuation-token=root&list-type=2");
        assert_eq!(
            wrong.send(&emulator).field("Code").as_deref(),
            Some("InvalidArgument")
        );
    }
}

#[test]
fn keys_are_listed_as_they_are_or_encoded() {
    let emulator = Emulator::start(&AWS);
    emulator.put_object("a b&ü/+", "x");
    let list = |query: &str| {
        ask(&emulator, "GET", "", query)
            .send(&emulator)
            .field("Key")
    };
    assert_eq!(list("list-type=2").as_deref(), Some("a b&amp;ü/+"));
    let encoded = list("encoding-type=url&list-type=2");
    assert_eq!(encoded.as_deref(), Some("a+b%26%C3%BC/%2B"));
}

#[test]
fn names_that_a_provider_does_not_take_are_refused() {
    let status = |rules, key: &str| {
        let emulator = Emulator::start(&rules);
        code(&ask(&emulator, "PUT", key, "").send(&emulator))
    };
    let none = (200, String::new());
    for (rules, most, refused) in [
        (AWS, 1_024, "KeyTooLongError"),
        (MINIO, 1_024, "KeyTooLongError"),
        (R2, 1_024, "InvalidObjectName"),
        (OSS, 1_023, "InvalidObjectName"),
    ] {
        assert_eq!(status(rules, &"k".repeat(most)), none);
        assert_eq!(
            status(rules, &"k".repeat(most + 1)),
            (400, refused.to_owned())
        );
    }
    assert_eq!(status(OSS, "%5Ca"), (400, "InvalidObjectName".to_owned()));
    assert_eq!(status(OSS, "/a"), (400, "InvalidObjectName".to_owned()));
}

#[test]
fn programs_for_phones_are_not_given_out_at_the_default_host() {
    for (rules, refused) in [
        (OSS, (400, "ApkDownloadForbidden")),
        (COS, (403, "DownloadForbidden")),
        (AWS, (200, "")),
    ] {
        let emulator = Emulator::start(&rules);
        emulator.put_object("a.apk", "x");
        let reply = ask(&emulator, "GET", "a.apk", "").send(&emulator);
        assert_eq!(code(&reply), (refused.0, refused.1.to_owned()));
    }
    let emulator = Emulator::start(&COS);
    emulator.put_object("a.zip", "x");
    let reply = ask(&emulator, "GET", "a.zip", "").send(&emulator);
    assert_eq!(reply.header("content-disposition"), Some("attachment"));
}

#[test]
fn deleting_what_is_not_there_is_fine_and_what_is_unknown_is_not() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let missing = ask(&emulator, "DELETE", "missing", "").send(&emulator);
        assert_eq!(missing.status, 204);
        let acl = ask(&emulator, "GET", "a", "acl").send(&emulator);
        assert_eq!(code(&acl), (501, "NotImplemented".to_owned()));
    }
}
