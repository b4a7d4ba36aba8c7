//! Trouble on the line: servers that are silent, busy, odd or cut off, and what is told meanwhile.

use crate::fault;
use crate::pretender::{Pretender, Reply};
use bytes::Bytes;
use std::time::{Duration, Instant};
use zipkeep::model::Trouble;
use zipkeep::storage::{CopySource, Fault, PartPlace, Patience, Store, StoredPart};

const EMPTY_LIST: &str = "<ListBucketResult></ListBucketResult>";
const FIRST: PartPlace = PartPlace {
    number: 1,
    offset: 0,
};

/// Does `work` and gives the kinds of trouble that were told meanwhile, each with when it was first.
async fn watched<T>(store: &Store, work: impl Future<Output = T>) -> (T, Vec<(Duration, Trouble)>) {
    let began = Instant::now();
    let mut told: Vec<(Duration, Trouble)> = Vec::new();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return (done, told),
            () = tokio::time::sleep(Duration::from_millis(5)) => {
                let trouble = store.line().trouble;
                if let Some(trouble) = trouble
                    && told.last().is_none_or(|(_, last)| last.reason != trouble.reason)
                {
                    told.push((began.elapsed(), trouble));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_told_and_given_up() {
    let server = Pretender::start(|_, _| Reply::Silence).await;
    let store = server.open(Patience::Interactive);
    let began = Instant::now();
    let (listed, told) = watched(&store, store.list()).await;
    assert_eq!(fault(listed), Fault::Stalled);
    assert!(
        began.elapsed() < Duration::from_secs(13),
        "{:?}",
        began.elapsed()
    );
    let (after, trouble) = told.first().expect("trouble");
    assert!(*after < Duration::from_secs(5), "{after:?}");
    assert_eq!(trouble.reason, "No answer yet");
    assert!(trouble.silent_secs >= 3 && trouble.attempts == Some(3));
    assert_eq!(store.line().trouble, None, "it clears when nobody waits");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_told_meanwhile() {
    let server = Pretender::start(|index, _| match index {
        0 | 1 => Reply::error("503 Slow Down", "SlowDown"),
        _ => Reply::answer("200 OK", EMPTY_LIST),
    });
    let server = server.await;
    let store = server.open(Patience::Patient);
    let (listed, told) = watched(&store, store.list()).await;
    assert_eq!(listed.expect("listed"), []);
    let (_, trouble) = told.first().expect("trouble");
    assert_eq!(trouble.reason, "The provider asks to slow down (SlowDown)");
    assert!(trouble.next_attempt_secs.is_some());
    let line = store.line();
    assert_eq!((line.requests, line.trouble), (3, None));
    assert!(line.received_bytes > 0);
}

#[tokio::test]
async fn a_version_tag_is_the_same_in_every_kind_of_answer() {
    let server = Pretender::start(|_, head| {
        if head.starts_with("GET /bucket?") {
            let listed = "<ListBucketResult><Contents><Key>a.zip</Key><Size>3</Size>\
                <LastModified>2026-11-22T10:00:00.000Z</LastModified><ETag>abc-2</ETag>\
                </Contents></ListBucketResult>";
            return Reply::answer("200 OK", listed);
        }
        let date = "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n";
        let tag = if head.starts_with("PUT") {
            "ETag: abc-2\r\n"
        } else {
            "ETag: W/\"abc-2\"\r\n"
        };
        Reply::Answer("200 OK", format!("{date}{tag}"), "abc".to_owned())
    });
    let server = server.await;
    let store = server.open(Patience::Interactive);
    let listed = store.list().await.expect("listed")[0].etag.clone();
    assert_eq!(listed.as_deref(), Some("\"abc-2\""));
    assert_eq!(store.head("a.zip").await.expect("there").etag, listed);
    let made = store.put_new("a.zip", Bytes::from_static(b"abc")).await;
    assert_eq!(made.expect("made"), listed);
}

#[tokio::test]
async fn what_is_refused_is_asked_once() {
    for (status, code, expected) in [
        ("403 Forbidden", "AccessDenied", Fault::Denied),
        ("401 Unauthorized", "Unauthorized", Fault::UnknownKey),
        ("400 Bad Request", "InvalidArgument", Fault::Other),
        ("404 Not Found", "NoSuchBucket", Fault::NoBucket),
        ("409 Conflict", "OperationAborted", Fault::Busy),
        ("501 Not Implemented", "NotImplemented", Fault::Unsupported),
        ("507 Full", "XMinioStorageFull", Fault::Full),
    ] {
        let server = Pretender::start(move |_, _| Reply::error(status, code)).await;
        let store = server.open(Patience::Patient);
        let begun = store.begin_upload("a.zip").await;
        assert_eq!(fault(begun), expected, "{code}");
        assert_eq!(server.asked().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = Pretender::start(|index, _| match index {
        0 => Reply::BreaksOff,
        _ => Reply::answer("200 OK", EMPTY_LIST),
    });
    let server = server.await;
    let store = server.open(Patience::Patient);
    assert_eq!(store.list().await.expect("listed"), []);
    let parts = Pretender::start(|index, _| match index {
        0 => Reply::BreaksOff,
        _ => Reply::answer("200 OK", "<ListPartsResult/>"),
    });
    let store = parts.await.open(Patience::Patient);
    let upload = store.take_up_upload("a.zip", "id").expect("taken up");
    assert_eq!(upload.stored_parts().await.expect("listed"), []);
    assert_eq!(store.line().requests, 2);
}

#[tokio::test]
async fn a_server_that_names_a_time_is_left_alone_for_it() {
    let server = Pretender::start(|index, _| match index {
        0 => Reply::Answer("503 Busy", "Retry-After: 2\r\n".to_owned(), String::new()),
        _ => Reply::answer("200 OK", EMPTY_LIST),
    });
    let store = server.await.open(Patience::Patient);
    let began = Instant::now();
    let (listed, told) = watched(&store, store.list()).await;
    listed.expect("listed");
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_eq!(told.first().expect("trouble").1.next_attempt_secs, Some(2));
}

async fn copy_with(
    reply: Reply,
) -> (
    Result<StoredPart, zipkeep::storage::StorageError>,
    Vec<String>,
) {
    let server = Pretender::start(move |_, _| reply.clone()).await;
    let store = server.open(Patience::Interactive);
    let upload = store.take_up_upload("new ü.zip", "id+1").expect("taken up");
    let source = CopySource {
        key: "old +ü.zip".to_owned(),
        etag: Some("\"x\"".to_owned()),
        range: 10..20,
    };
    (upload.copy(FIRST, &source).await, server.asked())
}

#[tokio::test]
async fn a_copy_that_cannot_be_is_told_from_one_that_failed() {
    let tagged = "<CopyPartResult><ETag>&quot;y&quot;</ETag></CopyPartResult>";
    let (copied, asked) = copy_with(Reply::answer("200 OK", tagged)).await;
    let part = copied.expect("copied");
    assert_eq!(
        (part.number, part.bytes, part.etag.as_str()),
        (1, 10, "\"y\"")
    );
    let head = asked[0].to_ascii_lowercase();
    assert!(
        head.starts_with("put /bucket/new%20%c3%bc.zip?partnumber=1&uploadid=id%2b1 "),
        "{head}"
    );
    for line in [
        "x-amz-copy-source: bucket/old%20%2b%c3%bc.zip\r\n",
        "x-amz-copy-source-range: bytes=10-19\r\n",
        "x-amz-copy-source-if-match: \"x\"\r\n",
        "content-length: 0\r\n",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    for (reply, expected, requests) in [
        (Reply::answer("200 OK", ""), Fault::Unsupported, 1),
        (
            Reply::answer("200 OK", "<CopyPartResult/>"),
            Fault::Unsupported,
            1,
        ),
        (
            Reply::error("200 OK", "InvalidRequest"),
            Fault::Unsupported,
            1,
        ),
        (Reply::error("200 OK", "InternalError"), Fault::Busy, 3),
        (
            Reply::error("501 No", "NotImplemented"),
            Fault::Unsupported,
            1,
        ),
        (
            Reply::error("400 No", "InvalidRequest"),
            Fault::Unsupported,
            1,
        ),
        (Reply::answer("405 No", ""), Fault::Unsupported, 1),
        (
            Reply::error("403 No", "InvalidObjectState"),
            Fault::Archived,
            1,
        ),
        (Reply::error("403 No", "AccessDenied"), Fault::Denied, 1),
        // The second looks whether the source is another one indeed.
        (
            Reply::error("412 No", "PreconditionFailed"),
            Fault::Changed,
            2,
        ),
        (Reply::error("404 No", "NoSuchKey"), Fault::NoObject, 1),
        (Reply::error("404 No", "NoSuchUpload"), Fault::NoUpload, 1),
    ] {
        let text = format!("{reply:?}");
        let (copied, asked) = copy_with(reply).await;
        assert_eq!((fault(copied), asked.len()), (expected, requests), "{text}");
    }
}

async fn complete_with(
    reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
) -> (
    Result<Option<String>, zipkeep::storage::StorageError>,
    Vec<String>,
) {
    let server = Pretender::start(reply).await;
    let store = server.open(Patience::Interactive);
    let upload = store.take_up_upload("new.zip", "id").expect("taken up");
    let part = StoredPart {
        number: 1,
        bytes: 5,
        etag: "\"x\"".to_owned(),
    };
    (upload.complete(&[part]).await, server.asked())
}

#[tokio::test]
async fn completing_tells_what_happened() {
    let made =
        "<CompleteMultipartUploadResult><ETag>\"z-1\"</ETag></CompleteMultipartUploadResult>";
    let conditional = |head: &str| head.to_ascii_lowercase().contains("if-none-match: *");
    let (done, asked) = complete_with(move |_, head| {
        if conditional(head) {
            Reply::error("501 Not Implemented", "NotImplemented")
        } else {
            Reply::answer("200 OK", made)
        }
    })
    .await;
    assert_eq!(done.expect("completed").as_deref(), Some("\"z-1\""));
    assert_eq!(
        asked
            .iter()
            .map(|head| conditional(head))
            .collect::<Vec<_>>(),
        [true, false]
    );
    for (reply, expected) in [
        (
            Reply::error("412 No", "PreconditionFailed"),
            Fault::AlreadyThere,
        ),
        (
            Reply::error("200 OK", "PreconditionFailed"),
            Fault::AlreadyThere,
        ),
        (Reply::error("200 OK", "InternalError"), Fault::Busy),
        (Reply::error("400 No", "EntityTooSmall"), Fault::Other),
        (Reply::error("404 No", "NoSuchUpload"), Fault::NoUpload),
        (Reply::answer("404 No", ""), Fault::NoUpload),
    ] {
        let text = format!("{reply:?}");
        let (done, _) = complete_with(move |_, _| reply.clone()).await;
        assert_eq!(fault(done), expected, "{text}");
    }
    // The first answer gets lost after the object was made.
    let (done, _) = complete_with(|index, _| match index {
        0 => Reply::BreaksOff,
        _ => Reply::error("404 No", "NoSuchUpload"),
    })
    .await;
    assert_eq!(fault(done), Fault::NoUpload);
}

fn parts_page(marker: u32, more: bool) -> String {
    let number = marker + 1;
    format!(
        "<?xml version=\"1.0\"?><ListPartsResult><IsTruncated>{more}</IsTruncated>\
         <NextPartNumberMarker>{number}</NextPartNumberMarker><Part><PartNumber>{number}</PartNumber>\
         <ETag>\"{number}\"</ETag><Size>{number}</Size></Part></ListPartsResult>"
    )
}

fn marker_of(head: &str) -> u32 {
    let after = head.split_once("part-number-marker=");
    let digits = after.map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits
        .flatten()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn every_page_of_parts_is_read_but_not_for_ever() {
    let server = Pretender::start(|_, head| {
        let marker = marker_of(head);
        Reply::answer("200 OK", parts_page(marker, marker < 4))
    });
    let store = server.await.open(Patience::Interactive);
    let upload = store.take_up_upload("a.zip", "id").expect("taken up");
    let parts = upload.stored_parts().await.expect("listed");
    let numbers: Vec<_> = parts.iter().map(|part| (part.number, part.bytes)).collect();
    assert_eq!(numbers, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);

    let stuck = Pretender::start(|_, _| Reply::answer("200 OK", parts_page(0, true))).await;
    let store = stuck.open(Patience::Interactive);
    let upload = store.take_up_upload("a.zip", "id").expect("taken up");
    assert_eq!(fault(upload.stored_parts().await), Fault::Other);
    assert!(stuck.asked().len() <= 3);
}

#[tokio::test]
async fn every_page_of_uploads_is_read_but_not_for_ever() {
    let page = |name: &str, more: bool| {
        format!(
            "<ListMultipartUploadsResult><IsTruncated>{more}</IsTruncated><NextKeyMarker>{name}</NextKeyMarker>\
             <NextUploadIdMarker>id {name}</NextUploadIdMarker><Upload><Key>{name}</Key><UploadId>id {name}</UploadId>\
             </Upload></ListMultipartUploadsResult>"
        )
    };
    let server = Pretender::start(move |index, head| match index {
        0 => Reply::answer("200 OK", page("a", true)),
        _ if head.contains("key-marker=a&upload-id-marker=id%20a") => {
            Reply::answer("200 OK", page("b", false))
        }
        _ => Reply::error("400 No", "InvalidArgument"),
    });
    let store = server.await.open(Patience::Interactive);
    let found = store.unfinished_uploads().await.expect("listed");
    let keys: Vec<_> = found
        .iter()
        .map(|upload| (upload.key.as_str(), upload.id.as_str()))
        .collect();
    assert_eq!(keys, [("a", "id a"), ("b", "id b")]);
    let stuck = Pretender::start(move |_, _| Reply::answer("200 OK", page("a", true))).await;
    let store = stuck.open(Patience::Interactive);
    assert_eq!(fault(store.unfinished_uploads().await), Fault::Other);
}

#[tokio::test]
async fn a_part_is_told_of_as_it_goes() {
    let server = Pretender::start(|index, _| match index {
        0 => Reply::error("503 Slow Down", "SlowDown"),
        _ => Reply::Answer("200 OK", "ETag: \"p\"\r\n".to_owned(), String::new()),
    });
    let store = server.await.open(Patience::Patient);
    let upload = store.take_up_upload("a.zip", "id").expect("taken up");
    let part = upload
        .send(FIRST, Bytes::from(vec![7; 1 << 20]))
        .await
        .expect("sent");
    assert_eq!((part.bytes, part.etag.as_str()), (1 << 20, "\"p\""));
    let line = store.line();
    assert_eq!(
        (line.sent_bytes, line.requests),
        (2 << 20, 2),
        "both attempts count"
    );
}
