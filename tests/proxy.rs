//! Tests of the proxy itself: a fault that never strikes, or a line that is faster than it says,
//! would let every test pass that leans on it.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use support::{
    Answer, Ask, Asker, Fault, Line, Moment, Proxy, SeaweedFs, Server, Step, When, begin_upload,
    every_server, get_object, object_keys, put_object, put_part, try_put_object,
    unfinished_uploads,
};

const SOURCE_BYTES: usize = 48 << 10;
const BODY_BYTES: usize = 32 << 10;
const STALL: Duration = Duration::from_millis(150);
const DRIP_BYTES_PER_SEC: u64 = 100_000;

/// A request of each step, made so that the server can carry it out.
struct Request {
    method: &'static str,
    key: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: String,
    body_bytes: usize,
}

impl Request {
    fn new(method: &'static str, key: &str, query: &[(&'static str, &str)]) -> Self {
        let query = query
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            method,
            key: key.to_owned(),
            query: query.collect(),
            headers: Vec::new(),
            body: String::new(),
            body_bytes: 0,
        }
    }

    /// Prepared at the server itself, past any proxy.
    fn of(step: Step, asker: &mut Asker, server: &Server, key: &str) -> Self {
        let mut upload = || {
            let begun = Self::new("POST", key, &[("uploads", "")]).send(asker, server);
            let upload_id = between(&begun.text, "<UploadId>", "</UploadId>").expect("an id");
            let part = Self {
                body_bytes: BODY_BYTES,
                ..Self::new("PUT", key, &[("partNumber", "1"), ("uploadId", upload_id)])
            };
            assert_good(&part.send(asker, server), step, "preparing");
            upload_id.to_owned()
        };
        match step {
            Step::List => Self::new("GET", "", &[("list-type", "2"), ("prefix", "s")]),
            Step::Head => Self::new("HEAD", "source", &[]),
            Step::Get => Self {
                headers: vec![("range", "bytes=4096-20479".to_owned())],
                ..Self::new("GET", "source", &[])
            },
            Step::Put => Self {
                body_bytes: BODY_BYTES,
                ..Self::new("PUT", key, &[])
            },
            Step::CreateUpload => Self::new("POST", key, &[("uploads", "")]),
            Step::UploadPart => Self {
                body_bytes: BODY_BYTES,
                ..Self::new("PUT", key, &[("partNumber", "2"), ("uploadId", &upload())])
            },
            Step::CopyPart => Self {
                headers: vec![("x-amz-copy-source", format!("/{}/source", server.bucket))],
                ..Self::new("PUT", key, &[("partNumber", "3"), ("uploadId", &upload())])
            },
            Step::ListParts => Self::new("GET", key, &[("uploadId", &upload())]),
            Step::ListUploads => Self::new("GET", "", &[("uploads", "")]),
            Step::Complete => Self {
                body: format!(
                    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>\
                     <ETag>\"{BODY_MD5}\"</ETag></Part></CompleteMultipartUpload>"
                ),
                ..Self::new("POST", key, &[("uploadId", &upload())])
            },
            Step::Abort => Self::new("DELETE", key, &[("uploadId", &upload())]),
            Step::Delete | Step::Other => Self::new("DELETE", key, &[]),
        }
    }

    fn send(&self, asker: &mut Asker, server: &Server) -> Answer {
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let ask = Ask {
            method: self.method,
            key: &self.key,
            query: &query,
            headers: &headers,
            body: &self.body,
            body_bytes: self.body_bytes,
            keeps_connection: false,
        };
        asker.ask(server, &ask)
    }

    fn sent_bytes(&self) -> usize {
        self.body.len().max(self.body_bytes)
    }
}

/// MD5 of [`BODY_BYTES`] times the letter x.
const BODY_MD5: &str = "56593bcab74581f4f560cd13723e451a";

#[test]
fn every_fault_strikes_at_every_step_and_only_once() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    put_object(&server, "source", &vec![b'x'; SOURCE_BYTES]);
    let proxy = Proxy::in_front_of(&server);
    let through = proxy.server();
    let mut asker = Asker::new(&server);
    for step in Step::ALL {
        let key = format!("{step}/healthy");
        let healthy = Request::of(step, &mut asker, &server, &key).send(&mut asker, &through);
        assert_good(&healthy, step, "no fault");
        for fault in Fault::ALL.map(shorter) {
            if !fault.fits(step) {
                continue;
            }
            let key = format!("{step}/{fault:?}").replace(['(', ')'], "");
            let request = Request::of(step, &mut asker, &server, &key);
            proxy.count_anew();
            proxy.break_steps(&[step], fault, When::First(1));
            let struck = request.send(&mut asker, &through);
            check(&struck, &healthy, fault, step, &request);
            let seen = proxy.seen();
            assert_eq!(seen.tally(step).faults, 1, "{step} {fault:?}\n{seen}");
            check_deed(fault, step, &request, &mut asker, &server);
            let again = request.send(&mut asker, &through);
            let is_gone = step == Step::Abort && fault.lets_the_server_act();
            if !is_gone {
                assert_good(&again, step, &format!("after {fault:?}"));
            }
            assert_eq!(proxy.seen().tally(step).faults, 1, "{step} {fault:?}");
            assert_eq!(proxy.seen().count(step), 2, "{step} {fault:?}");
            proxy.heal();
        }
    }
}

/// Shorter stalls and slower drips than those of the list.
fn shorter(fault: Fault) -> Fault {
    match fault {
        Fault::StallInRequest(_) => Fault::StallInRequest(STALL),
        Fault::StallBeforeAnswer(_) => Fault::StallBeforeAnswer(STALL),
        Fault::StallInAnswer(_) => Fault::StallInAnswer(STALL),
        Fault::Drip(_) => Fault::Drip(DRIP_BYTES_PER_SEC),
        other => other,
    }
}

fn assert_good(answer: &Answer, step: Step, what: &str) {
    let is_good = answer.status / 100 == 2 && answer.problem.is_empty();
    assert!(
        is_good && !answer.text.contains("<Error>"),
        "{step}, {what}: {answer:?}"
    );
}

fn check(struck: &Answer, healthy: &Answer, fault: Fault, step: Step, request: &Request) {
    let what = format!("{step} {fault:?}: {struck:?}");
    let refused = |status, code| {
        assert_eq!(struck.status, status, "{what}");
        assert!(step == Step::Head || struck.text.contains(code), "{what}");
    };
    match fault {
        Fault::SlowDown => refused(503, "<Code>SlowDown</Code>"),
        Fault::InternalError => refused(500, "<Code>InternalError</Code>"),
        Fault::ErrorInside200 => refused(200, "<Code>InternalError</Code>"),
        Fault::AccessDenied => refused(403, "<Code>AccessDenied</Code>"),
        Fault::ClockSkewed => refused(403, "<Code>RequestTimeTooSkewed</Code>"),
        Fault::NoSuchUpload => refused(404, "<Code>NoSuchUpload</Code>"),
        Fault::ResetInRequest | Fault::ResetInAnswer => {
            assert_eq!(struck.problem, "reset", "{what}");
        }
        Fault::CutAnswer if step.answers_with_a_body() => {
            assert_eq!(struck.problem, "cut", "{what}");
            assert!(struck.body_bytes < healthy.body_bytes, "{what}");
        }
        // Python takes half a head for a whole one.
        Fault::CutAnswer => assert_eq!(struck.body_bytes, 0, "{what}"),
        Fault::LostAnswer => assert_eq!(struck.problem, "closed", "{what}"),
        Fault::StallInRequest(time)
        | Fault::StallBeforeAnswer(time)
        | Fault::StallInAnswer(time) => {
            assert_good(struck, step, &what);
            assert!(struck.secs >= time.as_secs_f64(), "{what}");
        }
        Fault::Drip(bytes_per_sec) => {
            assert_good(struck, step, &what);
            let bytes = request.sent_bytes() as u64 + struck.body_bytes;
            let secs = Duration::from_secs(bytes).as_secs_f64()
                / Duration::from_secs(bytes_per_sec).as_secs_f64();
            assert!(struck.secs >= secs * 0.95, "{what}");
        }
        Fault::WrongEtag => {
            assert_good(struck, step, &what);
            let (wrong, right) = (etag(struck), etag(healthy));
            assert!(
                wrong != right && wrong.len() == right.len(),
                "{what} {healthy:?}"
            );
        }
        Fault::MissingEtag => {
            assert_good(struck, step, &what);
            assert_eq!(etag(struck), "", "{what}");
            assert_ne!(etag(healthy), "", "{healthy:?}");
        }
        Fault::RangeIgnored => {
            assert_eq!((healthy.status, struck.status), (206, 200), "{what}");
            assert_eq!(healthy.body_bytes, 16 << 10, "{healthy:?}");
            assert_eq!(struck.body_bytes, SOURCE_BYTES as u64, "{what}");
        }
    }
}

/// The `ETag` of the XML, or else of the head.
fn etag(answer: &Answer) -> &str {
    let in_xml = between(&answer.text, "<ETag>", "</ETag>");
    in_xml.or(answer.etag.as_deref()).unwrap_or_default()
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(begin)?;
    behind.split_once(end).map(|(value, _)| value)
}

/// What the server has done, or not done.
fn check_deed(fault: Fault, step: Step, request: &Request, asker: &mut Asker, server: &Server) {
    let acted = fault.lets_the_server_act();
    let mut ask = |request: &Request| request.send(asker, server);
    let is_open = |uploads: &Answer| {
        uploads
            .text
            .contains(&format!("<Key>{}</Key>", request.key))
    };
    match step {
        Step::Put | Step::Complete => {
            let is_there = ask(&Request::new("HEAD", &request.key, &[])).status == 200;
            assert_eq!(is_there, acted, "{step} {fault:?}");
        }
        Step::CreateUpload | Step::Abort => {
            let uploads = ask(&Request::new(
                "GET",
                "",
                &[("uploads", ""), ("prefix", &request.key)],
            ));
            let is_right = is_open(&uploads) == (acted == (step == Step::CreateUpload));
            assert!(is_right, "{step} {fault:?}: {uploads:?}");
        }
        _ => {}
    }
}

#[test]
fn programs_work_through_the_proxy_and_every_byte_is_counted() {
    for server in every_server() {
        let name = server.name;
        let proxy = Proxy::in_front_of(&server);
        let through = proxy.server();
        let body = support::noise(7, 3 << 20);
        put_object(&through, "folder/big ü.bin", &body);
        let upload_id = begin_upload(&through, "parts");
        put_part(&through, "parts", &upload_id, 5, b"part");
        let file = tempfile::NamedTempFile::new().unwrap();
        get_object(&through, "folder/big ü.bin", file.path());
        assert!(std::fs::read(file.path()).unwrap() == body, "{name}");
        assert_eq!(object_keys(&through), ["folder/big ü.bin"], "{name}");
        assert_eq!(unfinished_uploads(&through), ["parts"], "{name}");

        let seen = proxy.seen();
        for step in [
            Step::Put,
            Step::CreateUpload,
            Step::UploadPart,
            Step::Get,
            Step::List,
            Step::ListUploads,
        ] {
            assert_eq!(seen.count(step), 1, "{name} {step}\n{seen}");
        }
        assert_eq!(seen.total().requests, 6, "{name}\n{seen}");
        assert_eq!(
            seen.tally(Step::Put).body_bytes_up,
            body.len() as u64,
            "{name}"
        );
        assert_eq!(seen.tally(Step::UploadPart).body_bytes_up, 4, "{name}");
        let part = seen.of(Step::UploadPart).next().unwrap();
        assert_eq!(
            (part.part_number, part.status),
            (Some(5), Some(200)),
            "{name}"
        );
        let down = seen.tally(Step::Get).bytes_down - body.len() as u64;
        assert!((50..2_000).contains(&down), "{name}: {down} bytes of head");
        assert_eq!(proxy.line_report().bytes, seen.total().bytes_up, "{name}");
        assert_eq!(
            proxy.line_report_down().bytes,
            seen.total().bytes_down,
            "{name}"
        );
    }
}

#[test]
fn rules_hit_the_requests_that_they_name() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let proxy = Proxy::in_front_of(&server);
    let through = proxy.server();
    let struck = |when, steps: &[Step]| -> Vec<usize> {
        proxy.break_steps(steps, Fault::SlowDown, when);
        let hit = (1..=6).filter(|_| {
            try_put_object(&through, "key", b"x")
                .is_err_and(|refused| refused.0.starts_with("503 SlowDown"))
        });
        let hit = hit.collect();
        proxy.heal();
        hit
    };
    assert_eq!(struck(When::First(2), &[Step::Put]), [1, 2]);
    assert_eq!(struck(When::Nth(3), &[Step::Get, Step::Put]), [3]);
    assert_eq!(struck(When::Every(2), &Step::ALL), [2, 4, 6]);
    assert_eq!(struck(When::Always, &[Step::Put]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(struck(When::Always, &[Step::Get]), [0; 0]);
}

#[test]
fn moments_are_awaited_and_acted_on_before_the_request_goes_on() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let proxy = Proxy::in_front_of(&server);
    let through = proxy.server();
    let (sender, keys) = mpsc::sync_channel(2);
    for moment in [Moment::Arrives, Moment::Answered] {
        let (sender, server) = (sender.clone(), server.clone());
        proxy.at(Step::Put, 2, moment, move || {
            sender.send(object_keys(&server)).unwrap();
        });
    }
    let is_over = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            put_object(&through, "first", b"x");
            put_object(&through, "second", b"x");
            is_over.store(true, Ordering::SeqCst);
        });
        assert!(proxy.wait_for(Step::Put, 2, Moment::Arrives, Duration::from_secs(20)));
    });
    assert!(is_over.load(Ordering::SeqCst));
    assert_eq!(keys.recv().unwrap(), ["first"]);
    assert_eq!(keys.recv().unwrap(), ["first", "second"]);
    assert!(!proxy.wait_for(Step::Put, 3, Moment::Arrives, Duration::from_millis(50)));
}

#[test]
fn a_server_that_is_gone_is_a_lost_connection() {
    let Some(server) = SeaweedFs::start() else {
        return;
    };
    let proxy = Proxy::in_front_of(&server);
    server.stop();
    let list = Request::new("GET", "", &[("list-type", "2")]);
    let answer = list.send(&mut Asker::new(&server), &proxy.server());
    assert_eq!(answer.problem, "reset", "{answer:?}");
}

#[test]
fn a_line_is_as_fast_as_it_says_for_one_connection_and_for_four() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let line = Line {
        round_trip: Duration::from_millis(30),
        bytes_per_sec: 6_000_000,
    };
    let body_bytes = 9 << 20;
    for connections in [1, 4] {
        let proxy = Proxy::behind_line(&server, line);
        let mut askers: Vec<_> = (0..connections).map(|_| Asker::new(&server)).collect();
        for method in ["HEAD", "PUT", "GET"] {
            proxy.count_anew();
            let began = Instant::now();
            std::thread::scope(|scope| {
                for (number, asker) in askers.iter_mut().enumerate() {
                    let through = proxy.server();
                    scope.spawn(move || {
                        let ask = Ask {
                            method,
                            key: &format!("line-{connections}-{number}"),
                            body_bytes: if method == "PUT" {
                                body_bytes / connections
                            } else {
                                0
                            },
                            ..Ask::default()
                        };
                        asker.ask(&through, &ask)
                    });
                }
            });
            let secs = began.elapsed().as_secs_f64();
            let report = match method {
                "PUT" => proxy.line_report(),
                "GET" => proxy.line_report_down(),
                _ => continue, // Only that Python has started.
            };
            let fullness = report.fullness(&line);
            let what = format!("{connections}, {method}: {secs} s, {fullness} full, {report:?}");
            assert!(report.bytes >= body_bytes as u64, "{what}");
            assert!((0.95..=1.001).contains(&fullness), "{what}");
            // The clock of the test, so that the report cannot confirm itself.
            let least = line.time_of(report.bytes).as_secs_f64();
            assert!(
                secs >= least && secs < least * 1.05 + 0.2,
                "{least} s, {what}"
            );
        }
    }
}

#[test]
fn a_line_is_as_long_as_it_says() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    put_object(&server, "key", b"x");
    let near = Proxy::in_front_of(&server);
    let round_trip = Duration::from_millis(80);
    let far = Proxy::behind_line(
        &server,
        Line {
            round_trip,
            bytes_per_sec: 50_000_000,
        },
    );
    let mut asker = Asker::new(&server);
    for (keeps_connection, round_trips) in [(true, 1), (false, 2)] {
        let ask = Ask {
            method: "HEAD",
            key: "key",
            keeps_connection,
            ..Ask::default()
        };
        let mut secs = |proxy: &Proxy| asker.ask(&proxy.server(), &ask).secs;
        // The first of a kept connection makes it.
        secs(&near);
        secs(&far);
        // Near and far in turn, because other work on this machine slows both.
        let pairs: Vec<_> = (0..12).map(|_| (secs(&near), secs(&far))).collect();
        let least = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).fold(f64::MAX, f64::min);
        let right = (round_trip * round_trips).as_secs_f64();
        assert!(least(|pair| pair.1) >= right, "{pairs:?}");
        assert!(
            least(|pair| pair.1) - least(|pair| pair.0) < right + 0.008,
            "{pairs:?}"
        );
    }
}

#[test]
fn a_client_that_is_not_served_stops_sending_and_holds_nobody_up() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let line = Line {
        round_trip: Duration::from_millis(20),
        bytes_per_sec: 20_000_000,
    };
    let proxy = Proxy::behind_line(&server, line);
    let through = proxy.server();
    proxy.break_steps(
        &[Step::Put],
        Fault::StallInRequest(Duration::from_secs(3)),
        When::First(1),
    );
    let put = |key: &str, body_bytes| {
        let ask = Ask {
            method: "PUT",
            key,
            body_bytes,
            ..Ask::default()
        };
        Asker::new(&server).ask(&through, &ask)
    };
    std::thread::scope(|scope| {
        let stalled = scope.spawn(|| put("stalled", 8 << 20));
        assert!(proxy.wait_for(Step::Put, 1, Moment::Arrives, Duration::from_secs(20)));
        assert!(!proxy.wait_for(Step::Put, 2, Moment::Arrives, Duration::from_millis(1_500)));
        // Half of the body, a window, and nothing more.
        let half_way = proxy.line_report().bytes;
        assert!((4 << 20..6 << 20).contains(&half_way), "{half_way}");
        let free = put("free", 1 << 20);
        assert!(free.status == 200 && free.secs < 1.0, "{free:?}");
        let stalled = stalled.join().unwrap();
        assert!(stalled.status == 200 && stalled.secs > 3.0, "{stalled:?}");
    });
}

/// What a client and a server say on one connection: a chunked body, a go-ahead, and an answer that
/// only the end of the connection ends.
const TALK: [(&str, &str); 4] = [
    (
        "PUT /b/chunked HTTP/1.1\r\nHost: signed.example\r\nTransfer-Encoding: chunked\r\n\r\n\
         A;chunk-signature=0\r\n0123456789\r\n3\r\n\r\n\n\r\n0\r\nx-amz-trailer: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\nHTTP/1.1 200 OK\r\n\r\n1234567\r\n0\r\n\r\n",
    ),
    (
        "PUT /b/asks HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ),
    (
        "body",
        "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 2\r\n\r\nok",
    ),
    (
        "HEAD /b/key HTTP/1.1\r\nHost: signed.example\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    ),
];
const LAST: (&str, &str) = (
    "GET /b/key HTTP/1.1\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
);

#[test]
fn every_framing_passes_byte_for_byte() {
    let Some(mut server) = SeaweedFs::shared() else {
        return;
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    server.endpoint_url = format!("http://{}", listener.local_addr().unwrap());
    let proxy = Proxy::in_front_of(&server);
    let address = proxy.server().endpoint_url.replace("http://", "");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut kept = listener.accept().unwrap().0;
            for (question, answer) in TALK {
                assert_eq!(heard(&mut kept, question.len()), question);
                for byte in answer.as_bytes().chunks(7) {
                    kept.write_all(byte).unwrap();
                }
            }
            // Like a server whose patience with idle connections is over.
            drop(kept);
            let mut new = listener.accept().unwrap().0;
            assert_eq!(heard(&mut new, LAST.0.len()), LAST.0);
            new.write_all(LAST.1.as_bytes()).unwrap();
        });
        let mut client = TcpStream::connect(&address).unwrap();
        for (question, answer) in TALK {
            for byte in question.as_bytes().chunks(5) {
                client.write_all(byte).unwrap();
            }
            assert_eq!(heard(&mut client, answer.len()), answer);
        }
        client.write_all(LAST.0.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, LAST.1);
    });
    let seen = proxy.seen();
    assert_eq!(seen.total().requests, 4, "{seen}");
    let sent: usize = TALK
        .iter()
        .chain([&LAST])
        .map(|(question, _)| question.len())
        .sum();
    assert_eq!(seen.total().bytes_up, sent as u64, "{seen}");
}

fn heard(stream: &mut TcpStream, length: usize) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("set");
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("as many bytes");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn the_program_backs_up_over_a_line_and_can_be_killed_at_a_part() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let line = Line {
        round_trip: Duration::from_millis(40),
        bytes_per_sec: 12_000_000,
    };
    let proxy = Proxy::behind_line(&server, line);
    let through = proxy.server();
    let home = tempfile::tempdir().unwrap();
    support::write_file(home.path(), "docs/big.bin", &support::noise(3, 24 << 20));
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(home.path())
            .env("ZIPKEEP_CONFIG_DIR", home.path().join("config"))
            .env("ZIPKEEP_DATA_DIR", home.path().join("data"))
            .env("ZIPKEEP_SECRET_ACCESS_KEY", &through.secret_access_key)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let endpoint = through.endpoint_url.as_str();
    let mut add = command(&["profile", "add", "far", "--provider", "s3"]);
    add.args(["--endpoint", endpoint, "--region", &through.region])
        .args([
            "--bucket",
            &through.bucket,
            "--root",
            "r",
            "--source",
            "docs",
        ])
        .args(["--access-key-id", &through.access_key_id]);
    assert!(add.status().unwrap().success());

    let mut program = command(&["backup", "--profile", "far"]).spawn().unwrap();
    let (sender, ended) = mpsc::sync_channel(1);
    proxy.at(Step::UploadPart, 2, Moment::Arrives, move || {
        program.kill().unwrap();
        sender.send(program.wait().unwrap()).unwrap();
    });
    let ended = ended.recv_timeout(Duration::from_mins(1));
    assert!(!ended.expect("it got so far").success());
    assert_eq!(proxy.seen().count(Step::Complete), 0, "{}", proxy.seen());
    assert!(object_keys(&server).is_empty());

    proxy.count_anew();
    assert!(
        command(&["backup", "--profile", "far"])
            .status()
            .unwrap()
            .success(),
        "{}",
        proxy.seen()
    );
    let seen = proxy.seen();
    assert_eq!(
        (seen.count(Step::CreateUpload), seen.count(Step::Complete)),
        (1, 1),
        "{seen}"
    );
    assert!(
        seen.tally(Step::UploadPart).body_bytes_up >= 24 << 20,
        "{seen}"
    );
    let fullness = proxy.line_report().fullness(&line);
    assert!(fullness > 0.3 && fullness <= 1.001, "{fullness}\n{seen}");
}

#[test]
fn a_store_that_wants_parts_of_one_size_refuses_others() {
    const PART: usize = 5 << 20;
    let cases: [(&[usize], bool); 5] = [
        (&[100], true),
        (&[PART, PART, 100], true),
        (&[PART, PART], true),
        (&[PART, PART + 1, 100], false),
        (&[PART, PART, PART + 1], false),
    ];
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let proxy = Proxy::in_front_of(&server);
    proxy.refuse_unequal_parts();
    let through = proxy.server();
    let mut asker = Asker::new(&server);
    for (at, (sizes, is_good)) in cases.into_iter().enumerate() {
        let key = format!("uniform-{at}");
        let upload_id = begin_upload(&through, &key);
        let mut body = String::new();
        for (number, size) in (1..).zip(sizes) {
            let number = format!("{number}");
            let query = [("partNumber", number.as_str()), ("uploadId", &upload_id)];
            let part = Request {
                body_bytes: *size,
                ..Request::new("PUT", &key, &query)
            };
            let etag = part.send(&mut asker, &through).etag.expect("a tag");
            let (open, close) = ("<Part><PartNumber>", "</PartNumber>");
            body += &format!("{open}{number}{close}<ETag>{etag}</ETag></Part>");
        }
        let complete = Request {
            body: format!("<CompleteMultipartUpload>{body}</CompleteMultipartUpload>"),
            ..Request::new("POST", &key, &[("uploadId", &upload_id)])
        };
        let answer = complete.send(&mut asker, &through);
        let is_there = object_keys(&server).contains(&key);
        assert_eq!(is_there, is_good, "{sizes:?}: {answer:?}");
        let is_said = answer.status == 400 && answer.text.contains("InvalidPart");
        assert_eq!(is_said, !is_good, "{sizes:?}: {answer:?}");
    }
}
