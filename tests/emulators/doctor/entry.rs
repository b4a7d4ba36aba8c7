//! What can be wrong with keys, regions, buckets, and the way in which a bucket is named.

use super::{After, Case, Expected, Road, case, everywhere, fails, works};
use crate::emulator::{
    AWS, Access, COS, Computer, Emulator, Key, Kind, Line, MINIO, OSS, R2, Refusal, Rules, Typed,
};
use std::fs;

/// What is not reached where keys are wrong.
const AFTER_KEYS: [(&str, &str); 9] = [
    ("bucket", "skip"),
    ("list", "skip"),
    ("write", "skip"),
    ("read", "skip"),
    ("copy", "skip"),
    ("condition", "skip"),
    ("public", "skip"),
    ("delete", "skip"),
    ("unfinished", "skip"),
];
/// The same with the keys.
const FROM_KEYS: [(&str, &str); 10] = {
    let mut all = [("keys", "fail"); 10];
    let mut at = 0;
    while at < AFTER_KEYS.len() {
        all[at + 1] = AFTER_KEYS[at];
        at += 1;
    }
    all
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = keys();
    cases.extend(accounts());
    cases.extend(regions());
    cases.extend(buckets());
    cases.extend(styles());
    cases
}

fn with(
    fault: &'static str,
    arrange: fn(&Emulator, &mut Typed),
    expected: fn(&Rules) -> Expected,
) -> Case {
    Case {
        arrange,
        ..case(fault, expected)
    }
}

fn is_cloud(rules: &Rules) -> bool {
    !rules.service_host.is_empty()
}

fn wants_front(rules: &Rules) -> bool {
    [OSS.provider, COS.provider].contains(&rules.provider)
}

/// Settings that are right but for one thing that the doctor finds out.
fn corrected(check: &'static str, words: &'static [&'static str]) -> Expected {
    Expected {
        after: After::GoesOn,
        ..fails(check, words)
    }
}

fn keys() -> Vec<Case> {
    vec![
        with(
            "wrong secret",
            |_, typed| {
                typed.key.secret.pop();
            },
            |_| fails("keys", &["secret access key does not fit", "Paste"]),
        ),
        with(
            "unknown key",
            |_, typed| typed.key.id.push('X'),
            |_| fails("keys", &["does not know this access key id", "Copy"]),
        ),
        with(
            "expired session token",
            |emulator, typed| {
                let key = emulator.add_key(Access::Everything);
                typed.key = emulator.know_key(Key {
                    id: format!("ASIA{}", &key.id[4..]),
                    is_expired: true,
                    ..key
                });
            },
            |_| fails("keys", &["expired", "Get new ones"]),
        ),
    ]
}

fn accounts() -> Vec<Case> {
    fn refuses(emulator: &Emulator, code: &'static str) {
        let refusal = Refusal::new(403, code, "Your account is not in good standing.");
        emulator.conduct(|conduct| conduct.refusals.push((Kind::List, refusal)));
    }
    vec![
        Case {
            at: |rules| rules.provider == COS.provider,
            ..with(
                "account in debt",
                |emulator, _| refuses(emulator, "InDebt"),
                |_| fails("keys", &["unpaid bill", "Pay it"]),
            )
        },
        Case {
            at: |rules| [AWS.provider, OSS.provider].contains(&rules.provider),
            ..with(
                "account switched off",
                |emulator, _| {
                    let is_oss = emulator.rules().provider == OSS.provider;
                    let code = if is_oss {
                        "UserDisable"
                    } else {
                        "AllAccessDisabled"
                    };
                    refuses(emulator, code);
                },
                |_| fails("keys", &["switched this account off", "Sign in"]),
            )
        },
        Case {
            at: |rules| rules.provider == OSS.provider,
            ..with(
                "PublicEndpointForbidden",
                |emulator, _| {
                    emulator.conduct(|conduct| conduct.is_public_endpoint_forbidden = true);
                },
                |_| fails("style", &["no longer serves", "domain name of your own"]),
            )
        },
    ]
}

fn is_elsewhere(emulator: &Emulator, typed: &mut Typed) {
    let (endpoint, region) = match emulator.rules().provider {
        "aws" => ("https://s3.us-west-2.amazonaws.com", "us-west-2"),
        "oss" => ("https://s3.oss-cn-beijing.aliyuncs.com", "cn-beijing"),
        "cos" => ("https://cos.ap-beijing.myqcloud.com", "ap-beijing"),
        "r2" => return "cn-north-1".clone_into(&mut typed.region),
        _ => return "eu-west-1".clone_into(&mut typed.region),
    };
    endpoint.clone_into(&mut typed.endpoint);
    region.clone_into(&mut typed.region);
}

fn regions() -> Vec<Case> {
    vec![
        with("wrong region", is_elsewhere, |rules| match rules.provider {
            "aws" => corrected("region", &["“eu-west-1”", "Correct the settings"]),
            "minio" => corrected("region", &["“us-east-1”", "Correct the settings"]),
            "r2" => corrected("region", &["“auto”", "Correct the settings"]),
            _ => fails(
                "region",
                &["another region", "bucket's page", "set the region"],
            ),
        }),
        Case {
            at: |rules| rules.provider == AWS.provider,
            ..with(
                "wrong region and wrong secret",
                |emulator, typed| {
                    is_elsewhere(emulator, typed);
                    typed.key.secret.pop();
                },
                |_| Expected {
                    also: &FROM_KEYS,
                    ..corrected("region", &["“eu-west-1”", "Correct the settings"])
                },
            )
        },
        Case {
            at: |rules| rules.provider == OSS.provider,
            ..with(
                "wrong region at its own protocol's host",
                |_, typed| {
                    "https://oss-cn-beijing.aliyuncs.com".clone_into(&mut typed.endpoint);
                    "cn-beijing".clone_into(&mut typed.region);
                },
                |_| corrected("region", &["“cn-hangzhou”", "Correct the settings"]),
            )
        },
    ]
}

fn buckets() -> Vec<Case> {
    vec![
        with(
            "wrong bucket",
            |_, typed| typed.bucket.insert(0, 'x'),
            |_| {
                fails(
                    "bucket",
                    &["no such bucket", "zipkeep-tests", "enter its name"],
                )
            },
        ),
        Case {
            at: is_cloud,
            ..with(
                "bucket in host",
                |emulator, typed| {
                    let rules = emulator.rules();
                    typed.endpoint = format!("https://{}.{}/", rules.bucket, rules.service_host);
                },
                |_| works(),
            )
        },
        Case {
            at: everywhere,
            ..with(
                "bucket in path",
                |emulator, typed| {
                    typed.endpoint = format!("{}/{}", typed.endpoint, emulator.bucket());
                },
                |_| works(),
            )
        },
    ]
}

/// As a settings file of another program, or of an earlier time, may have it.
pub(super) fn set_style(computer: &Computer<'_>, style: &str) {
    let file = computer.path(".config/zipkeep/config.toml");
    let settings = fs::read_to_string(&file).expect("the settings");
    let kind = "kind = \"s3\"\n";
    assert!(settings.contains(kind), "{settings}");
    let both = format!("{kind}addressing = \"{style}\"\n");
    fs::write(file, settings.replace(kind, &both)).expect("written");
}

fn styles() -> Vec<Case> {
    vec![
        Case {
            at: wants_front,
            settle: |computer| set_style(computer, "path"),
            ..case("path style where it is forbidden", |_| {
                corrected("style", &["at the front", "Correct the settings"])
            })
        },
        Case {
            at: wants_front,
            road: Road::Direct(Line::Http),
            ..case("path style at a bare address", |_| {
                fails(
                    "style",
                    &["front of the address", "bare number", "endpoint"],
                )
            })
        },
        Case {
            at: |rules| rules.provider == MINIO.provider,
            settle: |computer| set_style(computer, "virtual-hosted"),
            ..with(
                "bucket at the front where it must be in the path",
                |emulator, typed| {
                    typed.endpoint = format!("http://localhost:{}", emulator.address().port());
                },
                |_| corrected("style", &["in the path", "Correct the settings"]),
            )
        },
        Case {
            at: |rules| [R2.provider, AWS.provider].contains(&rules.provider),
            settle: |computer| set_style(computer, "path"),
            ..case("path style where both are taken", |_| works())
        },
    ]
}
