//! The real program with providers and settings that are wrong: what it tells of each, and that nothing is
//! lost at a store that does not keep its word.

use crate::emulator::{
    AWS, Access, COS, Certificate, ChecksumHeaders, Computer, EVERY, Emulator, Kind, Line, MINIO,
    OSS, PartCopy, R2, Ranges, Rules, Speaks, Typed, WrongRegion,
};
use crate::support::{assert_same_tree, noise, plain_tree, write_file};

const MINUTE_SECS: i64 = 60;

/// What listing the backups fails with: the word for scripts, and the provider's code.
fn told(emulator: &Emulator, line: Line, change: impl FnOnce(&mut Typed)) -> (String, String) {
    let computer = Computer::new(emulator, line);
    let mut typed = computer.right();
    change(&mut typed);
    computer.add_profile("p", &typed, &[]);
    let (code, line) = computer.json(&["--profile", "p", "list"]);
    if code == Some(0) {
        return ("done".to_owned(), String::new());
    }
    let text = |name: &str| line["error"][name].as_str().unwrap_or_default().to_owned();
    let message = text("message");
    let code = message.rsplit_once('(').map_or("", |(_, code)| code);
    (text("kind"), code.trim_end_matches(')').to_owned())
}

fn pair(kind: &str, code: &str) -> (String, String) {
    (kind.to_owned(), code.to_owned())
}

#[test]
fn wrong_keys_are_told_by_every_provider() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let wrong = told(&emulator, Line::Https, |typed| {
            typed.key.secret.pop();
        });
        let secret = pair("wrong-secret", "SignatureDoesNotMatch");
        assert_eq!(wrong, secret, "{}", rules.provider);
        let unknown = told(&emulator, Line::Https, |typed| typed.key.id.push('X'));
        let code = match rules.provider {
            "r2" => "Unauthorized",
            _ => "InvalidAccessKeyId",
        };
        assert_eq!(unknown, pair("unknown-key", code), "{}", rules.provider);
        let missing = told(&emulator, Line::Https, |typed| {
            typed.bucket.insert(0, 'x');
        });
        assert_eq!(missing, pair("no-bucket", "NoSuchBucket"));
    }
}

#[test]
fn a_wrong_clock_is_told_by_every_provider() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        emulator.conduct(|conduct| conduct.clock_offset_secs = 20 * MINUTE_SECS);
        let late = told(&emulator, Line::Https, |_| {});
        assert_eq!(late, pair("clock", "RequestTimeTooSkewed"));
    }
}

#[test]
fn a_wrong_region_is_told_where_it_matters() {
    let malformed = pair("wrong-region", "AuthorizationHeaderMalformed");
    let region = |rules: &Rules, region: &str| {
        let emulator = Emulator::start(rules);
        told(&emulator, Line::Https, |typed| {
            region.clone_into(&mut typed.region);
        })
    };
    // The address spells the right one.
    assert_eq!(region(&AWS, "us-east-1"), pair("done", ""));
    assert_eq!(region(&MINIO, "eu-west-1"), malformed);
    assert_eq!(
        region(&R2, "cn-north-1"),
        pair("wrong-region", "InvalidRegionName")
    );
    assert_eq!(region(&OSS, "anywhere"), pair("done", ""));
    assert_eq!(region(&COS, "anywhere"), pair("done", ""));
    let emulator = Emulator::start(&AWS);
    let elsewhere = told(&emulator, Line::Https, |typed| {
        typed.endpoint = "https://s3.us-west-2.amazonaws.com".to_owned();
        typed.region = "us-west-2".to_owned();
    });
    assert_eq!(elsewhere.0, "wrong-region");
    for redirect in [WrongRegion::Redirected, WrongRegion::RedirectedForNow] {
        emulator.conduct(|conduct| conduct.wrong_region = redirect);
        let (kind, _) = told(&emulator, Line::Https, |typed| {
            typed.endpoint = "https://s3.us-west-2.amazonaws.com".to_owned();
            typed.region = "us-west-2".to_owned();
        });
        assert_eq!(kind, "wrong-region", "{redirect:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let emulator = Emulator::start(&OSS);
    for certificate in [
        Certificate::SelfSigned,
        Certificate::Expired,
        Certificate::OtherHost,
    ] {
        emulator.conduct(|conduct| conduct.certificate = certificate);
        let refused = told(&emulator, Line::Https, |_| {});
        assert_eq!(refused, pair("tls", ""), "{certificate:?}");
    }
    emulator.conduct(|conduct| conduct.certificate = Certificate::ByAuthority);
    assert_eq!(told(&emulator, Line::Https, |_| {}), pair("done", ""));
    emulator.conduct(|conduct| conduct.speaks = Speaks::HttpOnly);
    assert_eq!(told(&emulator, Line::Https, |_| {}).0, "tls");
    assert_eq!(told(&emulator, Line::Http, |_| {}), pair("done", ""));
}

#[test]
fn addresses_as_people_paste_them_lead_to_the_bucket() {
    for rules in [AWS, R2, OSS, COS] {
        let emulator = Emulator::start(&rules);
        let (host, bucket) = (rules.service_host, rules.bucket);
        for endpoint in [
            format!("https://{host}/{bucket}"),
            format!("https://{bucket}.{host}/"),
            host.to_owned(),
        ] {
            let reached = told(&emulator, Line::Https, |typed| {
                typed.endpoint = endpoint.clone();
            });
            assert_eq!(reached, pair("done", ""), "{endpoint}");
        }
    }
}

#[test]
fn path_style_where_it_is_forbidden_is_told() {
    for (rules, code) in [
        (OSS, "SecondLevelDomainForbidden"),
        (COS, "PathStyleDomainForbidden"),
    ] {
        let emulator = Emulator::start(&rules);
        // At a bare address there is no other style.
        let refused = told(&emulator, Line::Http, |typed| {
            typed.endpoint = format!("http://{}", emulator.address());
        });
        assert_eq!(refused, pair("wrong-style", code));
    }
}

#[test]
fn keys_that_may_not_do_everything_do_what_they_may() {
    for rules in EVERY {
        let emulator = Emulator::start(&rules);
        let computer = Computer::new(&emulator, Line::Https);
        plain_tree(&computer.path("docs"));
        let with_key = |access| Typed {
            key: emulator.add_key(access),
            ..computer.right()
        };
        computer.add_profile("writer", &with_key(Access::NoDelete), &["docs"]);
        computer.add_profile("reader", &with_key(Access::ReadOnly), &["docs"]);
        let made = computer.done(&["--profile", "writer", "backup"]);
        let name = made["backup"].as_str().expect("a name");
        let denied = |arguments: &[&str]| {
            let (code, line) = computer.json(arguments);
            let kind = (code, line["error"]["kind"].clone());
            assert_eq!(kind, (Some(1), "denied".into()), "{arguments:?}: {line}");
        };
        denied(&["--profile", "writer", "delete", "latest", "--yes"]);
        denied(&["--profile", "reader", "backup", "--force"]);
        computer.done(&["--profile", "reader", "list"]);
        let restore = ["restore", name, "--to", "all"];
        computer.done(&[&["--profile", "reader"][..], &restore].concat());
        assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
        assert_eq!(emulator.object_keys().len(), 1);
    }
}

/// A first and a second backup of some MiB. Gives whether each was made; what was made is whole.
fn two_backups(emulator: &Emulator, before_second: impl FnOnce(&Emulator)) -> [bool; 2] {
    let computer = Computer::new(emulator, Line::Http);
    computer.add_profile("p", &computer.right(), &["docs"]);
    for name in 0..3 {
        let path = format!("{name}.bin");
        write_file(&computer.path("docs"), &path, &noise(name, 9 << 20));
    }
    let backup = || computer.json(&["--profile", "p", "backup"]);
    let first = backup().0 == Some(0);
    before_second(emulator);
    write_file(&computer.path("docs"), "new.txt", b"new");
    let second = backup().0 == Some(0);
    assert!(emulator.unfinished_uploads().is_empty());
    let made = usize::from(first) + usize::from(second);
    assert_eq!(emulator.object_keys().len(), made);
    if second {
        computer.done(&["--profile", "p", "verify", "latest"]);
        computer.done(&["--profile", "p", "restore", "latest", "--to", "all"]);
        assert_same_tree(&computer.path("docs"), &computer.path("all/docs"));
    }
    [first, second]
}

#[test]
fn at_a_store_that_lies_about_copies_nothing_is_lost() {
    for lie in [
        PartCopy::NotImplemented,
        PartCopy::Empty,
        PartCopy::OtherBytes,
        PartCopy::ErrorInSuccess,
    ] {
        let emulator = Emulator::start(&MINIO);
        let lies = |emulator: &Emulator| emulator.conduct(|conduct| conduct.part_copy = lie);
        let made = two_backups(&emulator, lies);
        assert_eq!(made, [true; 2], "{lie:?}");
        assert!(emulator.count(Kind::CopyPart) > 0, "{lie:?}");
    }
}

#[test]
fn a_store_that_compares_copies_with_tags_of_its_own_copies_all_the_same() {
    let emulator = Emulator::start(&MINIO);
    let made = two_backups(&emulator, |emulator| {
        emulator.conduct(|conduct| conduct.part_copy = PartCopy::ComparesOwnTags);
        emulator.forget_seen();
    });
    assert_eq!(made, [true; 2]);
    let sent: usize = emulator.seen().iter().map(|seen| seen.body_bytes).sum();
    assert!(sent < 1 << 20, "{sent} bytes were sent");
}

#[test]
fn a_range_that_is_answered_as_if_it_were_all_is_taken_and_all_of_an_object_is_not() {
    let emulator = Emulator::start(&MINIO);
    emulator.conduct(|conduct| conduct.ranges = Ranges::AsIfWhole);
    assert_eq!(two_backups(&emulator, |_| {}), [true; 2]);

    let computer = Computer::new(&emulator, Line::Http);
    computer.add_profile("p", &computer.right(), &[]);
    emulator.conduct(|conduct| conduct.ranges = Ranges::Ignored);
    let (_, tested) = computer.json(&["--profile", "p", "test"]);
    let checks = tested["result"]["checks"].as_array().expect("checks");
    let read = checks.iter().find(|check| check["id"] == "read");
    assert_eq!(read.expect("tried")["outcome"], "fail", "{tested}");
}

#[test]
fn r2_of_january_2025_is_sent_no_checksums() {
    let emulator = Emulator::start(&Rules {
        checksum_headers: ChecksumHeaders::NotImplemented,
        ..R2
    });
    assert_eq!(two_backups(&emulator, |_| {}), [true; 2]);
}

#[test]
fn at_a_store_of_few_parts_a_backup_that_needs_more_leaves_nothing() {
    let emulator = Emulator::start(&Rules {
        most_parts: 3,
        ..MINIO
    });
    assert_eq!(two_backups(&emulator, |_| {}), [false; 2]);
    assert!(emulator.object_keys().is_empty());
}
