//! The ways in that a person chooses: an own authority of certificates, keys from elsewhere, proxies.

use crate::emulator::{AWS, Access, Computer, Emulator, Key, Line, MINIO};
use crate::support::plain_tree;
use serde_json::Value;
use std::fs;
use std::process::Output;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const HIDDEN: &str = "hunter2";

/// Runs with other variables; `None` unsets one.
fn run(computer: &Computer<'_>, set: &[(&str, Option<&str>)], arguments: &[&str]) -> Output {
    let mut command = computer.command(&[&["--profile", "p"], arguments].concat());
    for (name, value) in set {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().expect("the program starts");
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains(HIDDEN), "{arguments:?}: {text}");
    }
    output
}

/// The same with `--json`: the last line.
fn json(computer: &Computer<'_>, set: &[(&str, Option<&str>)], arguments: &[&str]) -> Value {
    let output = run(computer, set, &[&["--json"], arguments].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last().unwrap_or_default()).expect("JSON")
}

fn check<'a>(tested: &'a Value, id: &str) -> &'a Value {
    let checks = tested["result"]["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}: {tested}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_with_an_authority_of_its_own_is_trusted_once_its_certificate_is_set() {
    let emulator = Emulator::start(&AWS);
    let computer = Computer::new(&emulator, Line::Https);
    plain_tree(&computer.path("docs"));
    computer.add_profile("p", &computer.right(), &["docs"]);
    // Nothing but the setting tells of the authority.
    let strange = [("SSL_CERT_FILE", None)];
    let tested = json(&computer, &strange, &["test"]);
    let tls = check(&tested, "tls");
    assert_eq!(tls["outcome"], "fail", "{tested}");
    assert!(text(tls, "hint").contains("--ca-certificate"), "{tls}");

    let edit = |file: &str| {
        computer.done(&["profile", "edit", "p", "--ca-certificate", file]);
    };
    let authority = emulator.ca_file();
    edit(authority.to_str().expect("text"));
    let tested = json(&computer, &strange, &["test"]);
    assert_eq!(check(&tested, "tls")["outcome"], "pass", "{tested}");
    for command in [&["backup"][..], &["verify", "latest"]] {
        let output = run(&computer, &strange, command);
        assert!(output.status.success(), "{output:?}");
    }
    // A file with several, and one that is not there or holds none.
    let several = computer.path("several.pem");
    let pem = fs::read_to_string(&authority).expect("read");
    fs::write(&several, format!("some words\n{pem}\n{pem}")).expect("written");
    edit("several.pem");
    assert!(run(&computer, &strange, &["list"]).status.success());
    for (content, told) in [(Some("no certificate"), "PEM"), (None, "is not there")] {
        match content {
            Some(content) => fs::write(&several, content).expect("written"),
            None => fs::remove_file(&several).expect("removed"),
        }
        let refused = json(&computer, &strange, &["list"]);
        assert_eq!(refused["error"]["kind"], "ca-certificate", "{refused}");
        assert!(
            text(&refused["error"], "message").contains(told),
            "{refused}"
        );
        assert!(text(&refused["error"], "hint").contains("BEGIN CERTIFICATE"));
    }
    edit("");
    assert!(computer.done(&["profile", "export", "p"])["destination"]["ca_certificate"].is_null());
}

/// A computer whose profile has the id of temporary keys, but no secret.
fn with_temporary_key(emulator: &Emulator, line: Line) -> (Computer<'_>, Key) {
    let key = emulator.know_key(Key {
        id: "ASIATEMPORARY".to_owned(),
        secret: format!("{HIDDEN}-secret/+="),
        access: Access::Everything,
        session_token: Some(format!("{HIDDEN}-token==")),
        is_expired: false,
    });
    let computer = Computer::new(emulator, line);
    plain_tree(&computer.path("docs"));
    let mut typed = computer.right();
    typed.key.id.clone_from(&key.id);
    computer.add_profile("p", &typed, &["docs"]);
    (computer, key)
}

/// Everything that a backup asks, parts and copies included, is signed with the token.
#[track_caller]
fn assert_works(computer: &Computer<'_>, emulator: &Emulator, set: &[(&str, Option<&str>)]) {
    emulator.forget_seen();
    for arguments in [
        &["test"][..],
        &["--verbose", "backup", "--force"],
        &["list"],
    ] {
        let output = run(computer, set, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    let seen = emulator.seen();
    let mut signed = seen
        .iter()
        .filter(|seen| seen.header("authorization").is_some());
    assert!(signed.all(|seen| seen.header("x-amz-security-token").is_some()));
    let log = fs::read_dir(computer.path(".local/share/zipkeep/logs"));
    for file in log.into_iter().flatten().flatten() {
        let log = fs::read_to_string(file.path()).unwrap_or_default();
        assert!(!log.contains(HIDDEN), "{log}");
    }
}

#[test]
fn a_session_token_goes_with_keys_that_were_typed() {
    let emulator = Emulator::start(&AWS);
    let (computer, key) = with_temporary_key(&emulator, Line::Https);
    let secret = ("ZIPKEEP_SECRET_ACCESS_KEY", Some(key.secret.as_str()));
    let token = ("ZIPKEEP_SESSION_TOKEN", key.session_token.as_deref());
    assert_works(&computer, &emulator, &[secret, token]);
    let without = json(&computer, &[secret], &["list"]);
    assert_eq!(without["error"]["kind"], "unknown-key", "{without}");
}

#[test]
fn keys_come_from_the_environment_when_that_is_chosen() {
    let emulator = Emulator::start(&AWS);
    let (computer, key) = with_temporary_key(&emulator, Line::Https);
    let set = [
        ("AWS_ACCESS_KEY_ID", Some(key.id.as_str())),
        ("AWS_SECRET_ACCESS_KEY", Some(&key.secret)),
        ("AWS_SESSION_TOKEN", key.session_token.as_deref()),
    ];
    // Not unless it is chosen.
    assert!(!run(&computer, &set, &["list"]).status.success());
    let edit = [
        "profile",
        "edit",
        "p",
        "--access-key-id",
        "",
        "--credentials",
    ];
    computer.done(&[&edit[..], &["environment"]].concat());
    assert_works(&computer, &emulator, &set);
    let refused = json(&computer, &set[..1], &["list"]);
    let told = text(&refused["error"], "message");
    assert!(told.contains("AWS_SECRET_ACCESS_KEY"), "{refused}");
}

#[test]
fn keys_come_from_an_aws_profile_when_that_is_chosen() {
    let emulator = Emulator::start(&AWS);
    let (computer, key) = with_temporary_key(&emulator, Line::Https);
    let choose = |source: &str| {
        computer.done(&["profile", "edit", "p", "--credentials", source]);
    };
    choose("aws-profile:work");
    let refused = json(&computer, &[], &["list"]);
    assert_eq!(refused["error"]["kind"], "secrets", "{refused}");
    assert!(text(&refused["error"], "message").contains("“work”"));
    let aws = computer.path(".aws");
    fs::create_dir_all(&aws).expect("made");
    let pair = format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
        key.id,
        key.secret,
        key.session_token.as_deref().unwrap_or_default()
    );
    let credentials = aws.join("credentials");
    fs::write(
        &credentials,
        format!("[default]\nregion = x\n[work]\n{pair}"),
    )
    .expect("written");
    fs::write(aws.join("config"), "[profile sso]\nsso_session = corp\n").expect("written");
    assert_works(&computer, &emulator, &[]);
    // Wherever the variables say, and from the file of settings too.
    let elsewhere = computer.path("elsewhere");
    fs::rename(&credentials, &elsewhere).expect("moved");
    let moved = elsewhere.to_str();
    assert_works(
        &computer,
        &emulator,
        &[("AWS_SHARED_CREDENTIALS_FILE", moved)],
    );
    fs::write(&elsewhere, format!("[profile work]\n{pair}")).expect("written");
    assert_works(&computer, &emulator, &[("AWS_CONFIG_FILE", moved)]);
    choose("aws-profile:sso");
    let refused = json(&computer, &[], &["list"]);
    let told = text(&refused["error"], "message");
    assert!(
        told.contains("“sso”") && told.contains("sso_session"),
        "{refused}"
    );
    assert!(text(&refused["error"], "hint").contains("export-credentials"));
    fs::write(&elsewhere, format!("[{HIDDEN}\n")).expect("written");
    let damaged = json(&computer, &[("AWS_CONFIG_FILE", moved)], &["list"]);
    assert!(
        text(&damaged["error"], "message").contains("cannot be understood at line"),
        "{damaged}"
    );
}

/// A proxy that answers every request so, for as long as the runtime lives.
fn proxy_that_says(runtime: &Runtime, status: &'static str) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("bound");
    runtime.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = client.read_u8().await else {
                        return;
                    };
                    head.push(byte);
                }
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                client.write_all(answer.as_bytes()).await.ok();
            });
        }
    });
    address.to_string()
}

#[test]
fn a_failing_proxy_is_told_as_the_proxys_and_its_password_never() {
    let emulator = Emulator::start(&AWS);
    let runtime = Runtime::new().expect("a runtime");
    let refusing = proxy_that_says(&runtime, "407 Proxy Authentication Required");
    let closed = proxy_that_says(&runtime, "502 Bad Gateway");
    for line in [Line::Https, Line::Http] {
        let computer = Computer::new(&emulator, line);
        computer.add_profile("p", &computer.right(), &[]);
        let through = |proxy: &str| {
            let url = format!("http://me:{HIDDEN}@{proxy}");
            let set = [("http_proxy", Some(&*url)), ("https_proxy", Some(&url))];
            let listed = json(&computer, &set, &["list"]);
            let tested = json(&computer, &set, &["test"]);
            let checks = tested["result"]["checks"].as_array().expect("checks");
            let failed = checks.iter().find(|check| check["outcome"] == "fail");
            let failed = failed.expect("a failure").clone();
            (listed["error"].clone(), failed)
        };
        for (proxy, says) in [(refusing.as_str(), "password"), ("127.0.0.1:9", "reached")] {
            let (listed, failed) = through(proxy);
            assert_eq!(listed["kind"], "proxy", "{line:?}: {listed}");
            assert!(text(&listed, "hint").contains("NO_PROXY"));
            assert!(text(&failed, "message").contains("proxy"), "{failed}");
            if line == Line::Https {
                for said in [text(&listed, "message"), text(&failed, "message")] {
                    assert!(said.contains(proxy) && said.contains(says), "{said}");
                }
            }
        }
        if line == Line::Https {
            let (listed, _) = through(&closed);
            assert_eq!(listed["kind"], "proxy", "{listed}");
        }
    }
}

#[test]
fn hosts_of_no_proxy_are_asked_directly() {
    let emulator = Emulator::start(&MINIO);
    let computer = Computer::new(&emulator, Line::Http);
    computer.add_profile("p", &computer.right(), &[]);
    let nowhere = Some("http://127.0.0.1:9");
    let proxies = |no_proxy| [("http_proxy", nowhere), ("HTTP_PROXY", nowhere), no_proxy];
    let past = run(
        &computer,
        &proxies(("no_proxy", Some("example.com,127.0.0.1"))),
        &["list"],
    );
    assert!(past.status.success(), "{past:?}");
    let past = run(
        &computer,
        &proxies(("no_proxy", Some("127.0.0.0/8"))),
        &["list"],
    );
    assert!(past.status.success(), "{past:?}");
    let through = json(&computer, &proxies(("no_proxy", None)), &["list"]);
    assert_eq!(through["error"]["kind"], "proxy", "{through}");
}
