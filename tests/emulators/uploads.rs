//! Uploads in parts: what each provider makes of their sizes, order, number and copies.

use crate::ask::{Ask, Reply, ask};
use crate::emulator::{
    AWS, COS, EVERY, Emulator, ErrorShape, MINIO, OSS, PartCopy, R2, Rules, hex, md5,
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const TOO_SMALL: &str = "Your proposed upload is smaller than the minimum allowed size";

/// An upload that was begun.
struct Upload<'a> {
    emulator: &'a Emulator,
    id: String,
    parts: Vec<(u32, String)>,
}

impl<'a> Upload<'a> {
    fn begin(emulator: &'a Emulator) -> Self {
        let reply = ask(emulator, "POST", "big.zip", "uploads").send(emulator);
        Self {
            emulator,
            id: reply.is_done().field("UploadId").expect("an id"),
            parts: Vec::new(),
        }
    }

    fn part(&self, number: u32) -> Ask {
        let query = format!("partNumber={number}&uploadId={}", self.id);
        ask(self.emulator, "PUT", "big.zip", &query)
    }

    fn send(&mut self, number: u32, bytes: impl Into<Vec<u8>>) -> Reply {
        let reply = self.part(number).body(bytes).send(self.emulator);
        if let Some(etag) = reply.header("etag") {
            self.parts.push((number, etag.to_owned()));
        }
        reply
    }

    /// Copies a range of `source.zip`.
    fn copy(&self, number: u32, range: &str) -> Ask {
        let source = format!("/{}/source.zip", self.emulator.bucket());
        self.part(number)
            .header("x-amz-copy-source", source)
            .header("x-amz-copy-source-range", range)
    }

    fn completion(&self) -> Ask {
        let parts: String = self
            .parts
            .iter()
            .map(|(number, etag)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        let query = format!("uploadId={}", self.id);
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        ask(self.emulator, "POST", "big.zip", &query).body(body)
    }

    fn complete(&self) -> Reply {
        self.completion().send(self.emulator)
    }
}

/// Completes an upload of parts of these sizes.
fn of_sizes(rules: &Rules, sizes: &[usize]) -> Reply {
    let emulator = Emulator::start(rules);
    let mut upload = Upload::begin(&emulator);
    for (number, size) in (1..).zip(sizes) {
        upload.send(number, vec![b'x'; *size]).is_done();
    }
    upload.complete()
}

#[test]
fn parts_become_an_object_and_the_upload_is_gone() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let mut upload = Upload::begin(&emulator);
        assert_eq!(emulator.unfinished_uploads(), ["big.zip"]);
        let first = vec![b'a'; 5 * MIB];
        let reply = upload.send(1, first.clone());
        let own = reply.header("etag").expect("a tag").to_ascii_lowercase();
        assert_eq!(own, format!("\"{}\"", hex(&md5(&first))));
        upload.send(2, "end").is_done();
        assert!(emulator.object_keys().is_empty());
        let done = upload.complete();
        let etag = done.is_done().field("ETag").expect("a tag");
        assert!(etag.ends_with("-2&quot;"), "{etag}");
        let object = emulator.object("big.zip").expect("made");
        assert!(object.starts_with(&first) && object.ends_with(b"aend"));
        assert!(emulator.unfinished_uploads().is_empty());
        let again = upload.complete();
        assert_eq!(
            (again.status, again.field("Code")),
            (404, Some("NoSuchUpload".to_owned()))
        );
        assert_eq!(upload.send(3, "late").status, 404);
    }
}

#[test]
fn small_parts_are_refused_when_they_are_joined() {
    for (rules, least) in [
        (AWS, 5 * MIB),
        (R2, 5 * MIB),
        (MINIO, 5 * MIB),
        (OSS, 100 * KIB),
        (COS, MIB),
    ] {
        let reply = of_sizes(&rules, &[least - 1, 1]);
        reply.is(400, "EntityTooSmall", TOO_SMALL);
        if rules.shape == ErrorShape::Aws {
            let least_allowed = reply.field("MinSizeAllowed");
            assert_eq!(least_allowed.as_deref(), Some("5242880"));
        }
        of_sizes(&rules, &[least, 1]).is_done();
        of_sizes(&rules, &[1]).is_done();
    }
}

#[test]
fn only_r2_wants_parts_of_one_size() {
    let refused = "All non-trailing parts must have the same length.";
    for sizes in [
        &[5 * MIB, 5 * MIB + 1, 1][..],
        &[6 * MIB, 5 * MIB, 1],
        // The last may not be longer either.
        &[5 * MIB, 6 * MIB],
    ] {
        of_sizes(&R2, sizes).is(400, "InvalidPart", refused);
        for rules in [AWS, OSS, COS, MINIO] {
            of_sizes(&rules, sizes).is_done();
        }
    }
    of_sizes(&R2, &[5 * MIB, 5 * MIB, MIB]).is_done();
}

#[test]
fn a_completion_names_the_parts_that_are_there_in_their_order() {
    const INVALID: &str = "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
    for rules in EVERY {
        let emulator = Emulator::start(&Rules {
            least_part_bytes: 1,
            ..rules
        });
        let mut upload = Upload::begin(&emulator);
        upload.send(1, "a").is_done();
        upload.send(2, "b").is_done();
        let right = upload.parts.clone();
        upload.parts.reverse();
        let order = upload.complete();
        assert_eq!(
            (order.status, order.field("Code")),
            (400, Some("InvalidPartOrder".to_owned()))
        );
        upload.parts = vec![right[0].clone(), (2, right[0].1.clone())];
        upload.complete().is(400, "InvalidPart", INVALID);
        upload.parts = vec![right[0].clone(), (3, right[1].1.clone())];
        upload.complete().is(400, "InvalidPart", INVALID);
        upload.parts.clear();
        assert_eq!(
            upload.complete().field("Code").as_deref(),
            Some("MalformedXML")
        );
        upload.parts = right;
        upload.complete().is_done();
    }
}

#[test]
fn a_store_of_a_thousand_parts_takes_no_more() {
    let emulator = Emulator::start(&Rules {
        most_parts: 1_000,
        ..AWS
    });
    let mut upload = Upload::begin(&emulator);
    upload.send(1_000, "x").is_done();
    let words = "Part number must be an integer between 1 and 1000, inclusive";
    upload.send(1_001, "x").is(400, "InvalidArgument", words);
    assert_eq!(upload.send(0, "x").status, 400);
}

#[test]
fn a_body_longer_than_one_request_may_have_is_refused() {
    for rules in EVERY {
        let emulator = Emulator::start(&Rules {
            most_put_bytes: 10,
            ..rules
        });
        ask(&emulator, "PUT", "a", "")
            .body([0; 10])
            .send(&emulator)
            .is_done();
        let reply = ask(&emulator, "PUT", "a", "").body([0; 11]).send(&emulator);
        assert_eq!(
            (reply.status, reply.field("Code")),
            (400, Some("EntityTooLarge".to_owned()))
        );
    }
}

#[test]
fn parts_are_copied_within_the_store() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.put_object("source.zip", "0123456789");
        let mut upload = Upload::begin(&emulator);
        let reply = upload.copy(1, "bytes=2-5").send(&emulator);
        let etag = reply.is_done().field("ETag").expect("a tag");
        upload.parts.push((1, etag));
        upload.complete().is_done();
        assert_eq!(emulator.object("big.zip").as_deref(), Some(&b"2345"[..]));
    }
}

#[test]
fn a_copy_is_of_the_version_and_the_bytes_that_were_meant() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.put_object("source.zip", "0123456789");
        let upload = Upload::begin(&emulator);
        let if_match = |etag: &str| {
            let copy = upload.copy(1, "bytes=0-9");
            let copy = copy.header("x-amz-copy-source-if-match", etag);
            copy.send(&emulator)
        };
        let other = if_match("\"0123456789abcdef0123456789abcdef\"");
        assert_eq!(
            (other.status, other.field("Code")),
            (412, Some("PreconditionFailed".to_owned()))
        );
        let head = ask(&emulator, "HEAD", "source.zip", "").send(&emulator);
        if_match(head.header("etag").expect("a tag")).is_done();
        let beyond = upload.copy(1, "bytes=5-10").send(&emulator);
        let words = "Range specified is not valid for source object of size: 10";
        beyond.is(400, "InvalidArgument", words);
        let missing = upload
            .part(1)
            .header("x-amz-copy-source", format!("{}/other", rules.bucket))
            .send(&emulator);
        assert_eq!(
            (missing.status, missing.field("Code")),
            (404, Some("NoSuchKey".to_owned()))
        );
    }
}

#[test]
fn a_store_can_lie_about_copies() {
    let emulator = Emulator::start(&AWS);
    emulator.put_object("source.zip", "0123456789");
    let copied = |lie| {
        emulator.conduct(|conduct| conduct.part_copy = lie);
        let mut upload = Upload::begin(&emulator);
        let reply = upload.copy(1, "bytes=0-9").send(&emulator);
        let etag = reply.field("ETag");
        let etag = etag.or_else(|| reply.header("etag").map(str::to_owned));
        upload.parts.extend(etag.map(|etag| (1, etag)));
        upload.complete();
        (reply.status, emulator.object("big.zip").unwrap_or_default())
    };
    assert_eq!(copied(PartCopy::ErrorInSuccess), (200, "".into()));
    assert_eq!(copied(PartCopy::NotImplemented), (501, "".into()));
    assert_eq!(copied(PartCopy::OtherBytes), (200, "??????????".into()));
    assert_eq!(copied(PartCopy::Empty), (200, "".into()));
    assert_eq!(copied(PartCopy::Honest), (200, "0123456789".into()));
}

#[test]
fn parts_and_uploads_are_listed_in_pages() {
    let emulator = Emulator::start(&AWS);
    let mut upload = Upload::begin(&emulator);
    for number in [1, 2, 7] {
        upload.send(number, "x").is_done();
    }
    let page = |more: &str| {
        let query = format!("max-parts=2{more}&uploadId={}", upload.id);
        ask(&emulator, "GET", "big.zip", &query).send(&emulator)
    };
    let first = page("");
    assert_eq!(first.text().matches("<Part>").count(), 2, "{first}");
    assert_eq!(first.field("IsTruncated").as_deref(), Some("true"));
    assert_eq!(first.field("NextPartNumberMarker").as_deref(), Some("2"));
    let rest = page("&part-number-marker=2");
    assert_eq!(rest.field("PartNumber").as_deref(), Some("7"), "{rest}");
    assert_eq!(rest.field("IsTruncated").as_deref(), Some("false"));

    Upload::begin(&emulator);
    let list = |query: &str| ask(&emulator, "GET", "", query).send(&emulator);
    let first = list("max-uploads=1&uploads");
    let marker = first.field("NextUploadIdMarker").expect("more");
    let query = format!("key-marker=big.zip&max-uploads=1&upload-id-marker={marker}&uploads");
    let second = list(&query);
    assert_eq!(second.field("Key").as_deref(), Some("big.zip"), "{second}");
    assert_ne!(first.field("UploadId"), second.field("UploadId"));
    assert_eq!(second.field("IsTruncated").as_deref(), Some("false"));
    let none = list("prefix=other&uploads");
    assert_eq!(none.field("Key"), None);
}

#[test]
fn only_r2_looks_at_conditions_when_an_upload_is_begun() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.put_object("big.zip", "old");
        let begin = ask(&emulator, "POST", "big.zip", "uploads").header("if-none-match", "*");
        let expected = if rules.shape == ErrorShape::R2 {
            412
        } else {
            200
        };
        assert_eq!(begin.send(&emulator).status, expected, "{}", rules.provider);
    }
}

#[test]
fn an_aborted_upload_is_gone() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let upload = Upload::begin(&emulator);
        let abort = ask(
            &emulator,
            "DELETE",
            "big.zip",
            &format!("uploadId={}", upload.id),
        );
        assert_eq!(abort.send(&emulator).status, 204);
        assert!(emulator.unfinished_uploads().is_empty());
        assert_eq!(
            abort.send(&emulator).field("Code").as_deref(),
            Some("NoSuchUpload")
        );
    }
}

#[test]
fn a_completion_overwrites_only_where_it_may() {
    let conditional = |rules, name: &str, value: &str| {
        let emulator = Emulator::start(&rules);
        emulator.put_object("big.zip", "old");
        let mut upload = Upload::begin(&emulator);
        upload.send(1, "new").is_done();
        let reply = upload.completion().header(name, value).send(&emulator);
        let is_old = emulator.object("big.zip").as_deref() == Some(b"old");
        (reply.status, reply.field("Code"), is_old)
    };
    let precondition = (412, Some("PreconditionFailed".to_owned()), true);
    for rules in [AWS, R2, MINIO] {
        assert_eq!(conditional(rules, "if-none-match", "*"), precondition);
    }
    let unknown = (501, Some("NotImplemented".to_owned()), true);
    assert_eq!(conditional(OSS, "if-none-match", "*"), unknown);
    assert_eq!(conditional(COS, "if-none-match", "*"), (200, None, false));
    let exists = (409, Some("FileAlreadyExists".to_owned()), true);
    assert_eq!(conditional(OSS, "x-oss-forbid-overwrite", "true"), exists);
    assert_eq!(conditional(COS, "x-cos-forbid-overwrite", "true"), exists);
}
