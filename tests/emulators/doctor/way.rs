//! What can be wrong on the way to a bucket: names, ports, TLS and clocks.

use super::{After, Case, Expected, Road, case, fails};
use crate::emulator::{Certificate, Conduct, Emulator, Line, Page, Rules, Speaks, Typed};

/// Makes it wrong.
type Arrange = fn(&Emulator, &mut Typed);

const MINUTE_SECS: i64 = 60;

const fn direct(fault: &'static str, line: Line, expected: fn(&super::Rules) -> Expected) -> Case {
    Case {
        road: Road::Direct(line),
        ..case(fault, expected)
    }
}

fn shows(emulator: &Emulator, certificate: Certificate) {
    emulator.conduct(|conduct| conduct.certificate = certificate);
}

fn is_off(emulator: &Emulator, minutes: i64) {
    let set = |conduct: &mut Conduct| conduct.clock_offset_secs = minutes * MINUTE_SECS;
    emulator.conduct(set);
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = addresses();
    if cfg!(target_os = "linux") {
        cases.extend(lines());
    }
    cases.extend(clocks());
    cases.extend(web_servers());
    cases
}

/// Something else than the S3 service answers.
fn web_servers() -> Vec<Case> {
    const HTML: &str = "<!DOCTYPE html><html><title>A page</title></html>";
    fn answers(emulator: &Emulator, status: u16, location: Option<&'static str>) {
        let body = if status == 404 { "not here" } else { HTML };
        let page = Page {
            status,
            location,
            body,
        };
        emulator.conduct(|conduct| conduct.page = Some(page));
    }
    let page = |fault, arrange: fn(&Emulator, &mut Typed), expected| Case {
        arrange,
        ..direct(fault, Line::Http, expected)
    };
    let redirected = page(
        "http:// to a server that redirects to https://",
        |emulator, _| answers(emulator, 301, Some("https://{host}/b")),
        |_| Expected {
            also: &[("clock", "skip")],
            ..fails("tls", &["wants a secure connection", "Write https://"])
        },
    );
    let signed_in = page(
        "a page to sign in on",
        |emulator, _| answers(emulator, 302, Some("https://login.example.com/")),
        |_| {
            fails(
                "style",
                &["not the S3 service", "login.example.com", "sign-in"],
            )
        },
    );
    let around = page(
        "redirections in a circle",
        |emulator, _| answers(emulator, 307, Some("http://{host}/b")),
        |_| fails("style", &["not the S3 service", "redirects"]),
    );
    let mut cases = vec![redirected, signed_in, around];
    let pages: [(&str, Arrange); 3] = [
        ("a web server that has nothing", |emulator, _| {
            answers(emulator, 404, None);
        }),
        ("a page that blocks", |emulator, _| {
            answers(emulator, 403, None);
        }),
        ("a web page", |emulator, _| answers(emulator, 200, None)),
    ];
    let told = |_: &Rules| fails("style", &["not the S3 service", "web page", "in between"]);
    cases.extend(pages.map(|(fault, arrange)| page(fault, arrange, told)));
    cases
}

fn addresses() -> Vec<Case> {
    vec![
        Case {
            arrange: |_, typed| "https://s3.no-such-host.invalid".clone_into(&mut typed.endpoint),
            ..direct("DNS failure", Line::Https, |_| {
                fails("address", &["not known", "spelling", "internet connection"])
            })
        },
        Case {
            arrange: |_, typed| "https://s3.no-such-host.invalid".clone_into(&mut typed.endpoint),
            ..case("DNS failure behind a proxy", |_| {
                fails(
                    "port",
                    &["The proxy 127.0.0.1", "spelling", "whoever runs it"],
                )
            })
        },
        Case {
            arrange: |_, typed| typed.endpoint = refused(),
            ..direct("refused port", Line::Https, |_| {
                fails("port", &["nothing listens", "port number", "firewall"])
            })
        },
    ]
}

/// An address at which nobody listens: the port was free a moment ago.
fn refused() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let address = listener.local_addr().expect("it has an address");
    format!("https://{address}")
}

fn lines() -> Vec<Case> {
    let tls = |fault, arrange: fn(&Emulator, &mut Typed), expected| Case {
        arrange,
        ..case(fault, expected)
    };
    let mut cases = Vec::new();
    for road in [Road::Direct(Line::Https), Road::Proxy] {
        let is_direct = road != Road::Proxy;
        let name = |direct, proxied| if is_direct { direct } else { proxied };
        let faults = [
            tls(
                name("self-signed TLS", "self-signed TLS behind a proxy"),
                |emulator, _| shows(emulator, Certificate::SelfSigned),
                |_| {
                    fails(
                        "tls",
                        &["nobody that this computer trusts", "your own server", "CA"],
                    )
                },
            ),
            tls(
                name("expired TLS", "expired TLS behind a proxy"),
                |emulator, _| shows(emulator, Certificate::Expired),
                |_| fails("tls", &["expired", "date", "renew"]),
            ),
            tls(
                name(
                    "certificate of another name",
                    "certificate of another name behind a proxy",
                ),
                |emulator, _| shows(emulator, Certificate::OtherHost),
                |_| fails("tls", &["another name", "Check the endpoint"]),
            ),
        ];
        cases.extend(faults.map(|fault| Case {
            road,
            // Behind a proxy only where the provider has a name, and TLS.
            at: if is_direct {
                super::everywhere
            } else {
                |rules| !rules.service_host.is_empty()
            },
            ..fault
        }));
    }
    cases.push(Case {
        arrange: |emulator, _| emulator.conduct(|conduct| conduct.speaks = Speaks::HttpOnly),
        ..direct("https:// to a port without TLS", Line::Https, |_| {
            fails("tls", &["does not offer a secure connection", "http://"])
        })
    });
    cases.push(Case {
        arrange: |emulator, _| emulator.conduct(|conduct| conduct.speaks = Speaks::TlsOnly),
        ..direct("http:// to a port of TLS", Line::Http, |_| Expected {
            // What such servers say in the clear has no date.
            also: &[("clock", "skip")],
            ..fails("tls", &["wants a secure connection", "https://"])
        })
    });
    cases
}

fn clocks() -> Vec<Case> {
    let clock = |fault, arrange, expected| Case {
        arrange,
        ..case(fault, expected)
    };
    vec![
        clock(
            "clock 20 minutes behind",
            |emulator: &Emulator, _: &mut Typed| is_off(emulator, 20),
            |_| fails("clock", &["20 minutes behind", "Set time automatically"]),
        ),
        clock(
            "clock 20 minutes ahead",
            |emulator, _| is_off(emulator, -20),
            |_| fails("clock", &["ahead", "Set time automatically"]),
        ),
        clock(
            "clock 7 minutes behind",
            |emulator, _| is_off(emulator, 7),
            |_| Expected {
                outcome: "warn",
                exit: 3,
                after: After::GoesOn,
                ..fails("clock", &["7 minutes behind", "Set time automatically"])
            },
        ),
    ]
}
