//! "Test connection" in the window: what is offered about what it finds, done by clicks.

use super::destination::{saved, window_with};
use super::emulator::{Emulator, MINIO, Public};
use super::{Desk, has_button, press, shows, texts, wait};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::{SignedDuration, Timestamp};
use zipkeep::config::Config;
use zipkeep::gui::App;
use zipkeep::model::{CredentialSource, Destination, Profile, Provider, S3Destination};
use zipkeep::secrets;

/// The right settings for an emulator's bucket.
fn right(emulator: &Emulator) -> S3Destination {
    S3Destination {
        provider: Provider::MINIO,
        endpoint: format!("http://{}", emulator.address()),
        bucket: emulator.bucket().to_owned(),
        access_key_id: emulator.key().id,
        ..S3Destination::default()
    }
}

/// A window with these settings, after the test.
fn tested(desk: &Desk, emulator: &Emulator, settings: S3Destination) -> Harness<'static, App> {
    let secret = emulator.key().secret;
    let profile = desk.config().profiles.remove(0);
    let Profile { name, .. } = profile;
    secrets::keep(&desk.places(), &name, &zipkeep::model::Secret::new(&secret)).expect("kept");
    let mut window = window_with(desk, settings);
    press(&mut window, "Test connection");
    wait(&mut window, "the verdict", |w| shows(w, "The connection"));
    // It is scrolled to.
    window.run_ok();
    window
}

fn copied(window: &Harness<'_, App>) -> Option<String> {
    let commands = &window.output().platform_output.commands;
    commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn what_the_test_learnt_is_taken_over_by_a_click_and_works_then() {
    let desk = Desk::new();
    let emulator = Emulator::start(&MINIO);
    let elsewhere = S3Destination {
        region: "eu-west-1".to_owned(),
        ..right(&emulator)
    };
    let mut window = tested(&desk, &emulator, elsewhere);
    assert!(
        shows(&window, "once the settings are corrected"),
        "{:?}",
        texts(&window)
    );
    press(&mut window, "Correct the settings");
    wait(&mut window, "the region on disk", |_| {
        saved(&desk).is_some_and(|s3| ["", "us-east-1"].contains(&s3.region.as_str()))
    });
    wait(&mut window, "a good verdict", |w| {
        shows(w, "The connection works") && !has_button(w, "Correct the settings")
    });
}

#[test]
fn old_unfinished_uploads_are_removed_by_a_click() {
    let desk = Desk::new();
    let emulator = Emulator::start(&MINIO);
    let begun = Timestamp::now() - SignedDuration::from_hours(72);
    emulator.put_upload("p.20250101T000000Z.pc.linux.zip", begun, "what was sent");
    let mut window = tested(&desk, &emulator, right(&emulator));
    assert!(
        shows(&window, "One unfinished upload"),
        "{:?}",
        texts(&window)
    );
    press(&mut window, "Clean up");
    wait(&mut window, "an empty bucket", |_| {
        emulator.unfinished_uploads().is_empty()
    });
    wait(&mut window, "the news", |w| shows(w, "removed"));
}

#[test]
fn a_failing_check_has_details_to_copy_without_the_secret() {
    let desk = Desk::new();
    let emulator = Emulator::start(&MINIO);
    let unknown = S3Destination {
        access_key_id: "AKIANOBODY".to_owned(),
        ..right(&emulator)
    };
    let mut window = tested(&desk, &emulator, unknown);
    // The list beside it failed too and offers its own.
    let buttons = window.get_all_by_role_and_label(Role::Button, "Copy details");
    let leftmost = buttons.min_by(|one, other| one.rect().left().total_cmp(&other.rect().left()));
    leftmost.expect("there").click();
    window.step();
    let copied = copied(&window).expect("copied");
    for part in [
        "keys: ",
        "HTTP status: 403",
        "provider's code: InvalidAccessKeyId",
        "request id: ",
    ] {
        assert!(copied.contains(part), "{part}: {copied}");
    }
    assert!(!copied.contains(&emulator.key().secret));
}

#[test]
fn a_public_bucket_is_a_warning_of_its_own_and_comes_first() {
    let desk = Desk::new();
    let emulator = Emulator::start(&MINIO);
    emulator.conduct(|conduct| conduct.public = Public::Both);
    let window = tested(&desk, &emulator, right(&emulator));
    let warning = "Anybody on the internet can see and download your backups";
    let place = |text: &str| window.get_by_label_contains(text).rect().top();
    assert!(place(warning) < place("Bucket “zipkeep-tests”"));
    assert!(
        shows(&window, "Make the bucket private"),
        "{:?}",
        texts(&window)
    );
}

#[test]
fn choosing_a_provider_fills_what_is_known_and_forgets_the_others_region() {
    let desk = Desk::new();
    let mut window = window_with(
        &desk,
        S3Destination {
            provider: Provider::AWS,
            region: "eu-north-1".to_owned(),
            bucket: "photos".to_owned(),
            ..S3Destination::default()
        },
    );
    window
        .get_by_role_and_label(Role::ComboBox, "Provider")
        .click();
    window.run();
    window.get_by_label("Alibaba Cloud OSS").click();
    window.run();
    wait(&mut window, "the provider on disk", |_| {
        let kept = saved(&desk);
        kept.is_some_and(|s3| s3.provider == Provider::OSS && s3.region.is_empty())
    });
    window
        .get_by_role_and_label(Role::Button, "Choose: Region")
        .click();
    window.run();
    window.get_by_label_contains("cn-hangzhou").click();
    window.run();
    wait(&mut window, "an address that nobody typed", |_| {
        saved(&desk).is_some_and(|s3| {
            let there = zipkeep::model::resolve_endpoint(&s3);
            there
                .is_ok_and(|it| it.bucket_url() == "https://photos.s3.oss-cn-hangzhou.aliyuncs.com")
        })
    });
}

#[test]
fn keys_from_elsewhere_need_no_fields_and_a_certificate_is_under_advanced() {
    let desk = Desk::new();
    let mut window = window_with(
        &desk,
        S3Destination {
            region: "eu-west-1".to_owned(),
            bucket: "photos".to_owned(),
            provider: Provider::AWS,
            ..S3Destination::default()
        },
    );
    let asks = |window: &Harness<'_, App>, name: &str| {
        window
            .query_by_role_and_label(Role::TextInput, name)
            .is_some()
    };
    let choose = |window: &mut Harness<'static, App>, source: &str| {
        window.get_by_role_and_label(Role::ComboBox, "Keys").click();
        window.run();
        window.get_by_label(source).click();
        window.run();
    };
    assert!(asks(&window, "Access Key ID"));
    window.get_by_label("Advanced…").click();
    window.run();
    choose(&mut window, "From the environment");
    assert!(!asks(&window, "Access Key ID") && shows(&window, "AWS_SESSION_TOKEN"));
    choose(&mut window, "From an AWS profile");
    assert!(!asks(&window, "Access Key ID"));
    window
        .get_by_role_and_label(Role::TextInput, "AWS profile")
        .set_text_value_accesskit("work");
    window.run();
    window
        .get_by_role_and_label(Role::TextInput, "CA certificate")
        .set_text_value_accesskit("/etc/own-ca.pem");
    window.step();
    wait(&mut window, "the settings on disk", |_| {
        let source = CredentialSource::AwsProfile {
            name: "work".to_owned(),
        };
        saved(&desk).is_some_and(|s3| {
            s3.credentials == source
                && s3.ca_certificate.as_deref() == Some("/etc/own-ca.pem".as_ref())
        })
    });
    let saved = Config::load(&desk.places()).expect("settings");
    assert!(matches!(saved.profiles[0].destination, Destination::S3(_)));
}
