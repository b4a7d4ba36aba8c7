//! The form of a bucket: it asks only for what its provider needs, and says what it understood.

use super::{Desk, has_button, shows, texts, wait};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use zipkeep::config::Config;
use zipkeep::gui::App;
use zipkeep::model::{Destination, Provider, S3Destination};

pub(super) fn window_with(desk: &Desk, s3: S3Destination) -> Harness<'static, App> {
    let mut config = desk.config();
    config.profiles[0].destination = Destination::S3(s3);
    let mut window = desk.window(config);
    window.run();
    window
}

fn of(provider: Provider) -> S3Destination {
    S3Destination {
        provider,
        ..S3Destination::default()
    }
}

fn asks(window: &Harness<'_, App>, name: &str) -> bool {
    window
        .query_by_role_and_label(Role::TextInput, name)
        .is_some()
}

pub(super) fn saved(desk: &Desk) -> Option<S3Destination> {
    match Config::load(&desk.places())
        .ok()?
        .profiles
        .remove(0)
        .destination
    {
        Destination::S3(s3) => Some(s3),
        Destination::Folder(_) => None,
    }
}

#[test]
fn each_provider_is_asked_only_for_what_it_needs() {
    let desk = Desk::new();
    for (id, endpoint, region) in [
        ("aws", None, true),
        ("oss", None, true),
        ("cos", None, true),
        ("b2", None, true),
        ("r2", Some("Account ID or endpoint"), false),
        ("minio", Some("Endpoint"), true),
        ("seaweedfs", Some("Endpoint"), false),
        ("s3", Some("Endpoint"), true),
    ] {
        let provider = Provider::known(id).expect("known");
        let window = window_with(&desk, of(provider));
        for name in ["Endpoint", "Account ID or endpoint"] {
            assert_eq!(asks(&window, name), endpoint == Some(name), "{id}: {name}");
        }
        assert_eq!(
            asks(&window, "Region"),
            region,
            "{id}: {:?}",
            texts(&window)
        );
        assert!(
            asks(&window, "Bucket") && asks(&window, "Access Key ID"),
            "{id}"
        );
        assert!(shows(&window, "Where to find the keys"), "{id}");
        assert!(shows(&window, &provider.preset().keys.hint), "{id}");
    }
}

#[test]
fn what_was_typed_is_asked_for_whatever_the_provider() {
    let desk = Desk::new();
    let window = window_with(
        &desk,
        S3Destination {
            endpoint: "https://s3.eu-west-1.amazonaws.com".to_owned(),
            ..of(Provider::AWS)
        },
    );
    assert!(asks(&window, "Endpoint"));
    let window = window_with(
        &desk,
        S3Destination {
            region: "weur".to_owned(),
            ..of(Provider::R2)
        },
    );
    assert!(asks(&window, "Region"));
}

#[test]
fn a_region_is_chosen_from_the_list_or_typed() {
    let desk = Desk::new();
    let mut window = window_with(&desk, of(Provider::AWS));
    window
        .get_by_role_and_label(Role::Button, "Choose: Region")
        .click();
    window.run();
    window.get_by_label_contains("Europe (Frankfurt)").click();
    window.run();
    wait(&mut window, "the region on disk", |_| {
        saved(&desk).is_some_and(|s3| s3.region == "eu-central-1")
    });
    window
        .get_by_role_and_label(Role::TextInput, "Region")
        .set_text_value_accesskit("xx-new-1");
    window.step();
    wait(&mut window, "the typed region on disk", |_| {
        saved(&desk).is_some_and(|s3| s3.region == "xx-new-1")
    });
}

#[test]
fn a_pasted_address_is_understood_and_put_into_the_fields() {
    let desk = Desk::new();
    let mut window = window_with(&desk, of(Provider::AWS));
    window
        .get_by_label("Paste an address, or use an own endpoint…")
        .click();
    window.run();
    let pasted = "https://dash.cloudflare.com/0123456789abcdef/r2/default/buckets/photos";
    window
        .get_by_role_and_label(Role::TextInput, "Endpoint")
        .set_text_value_accesskit(pasted);
    window.run();
    assert!(
        shows(&window, "This is a page of the console of Cloudflare R2."),
        "{:?}",
        texts(&window)
    );
    assert!(shows(
        &window,
        "The bucket “photos” was taken from the address."
    ));
    // What was typed stays until the person wants it otherwise.
    wait(&mut window, "what was typed on disk", |_| {
        saved(&desk).is_some_and(|s3| s3.endpoint == pasted && s3.bucket.is_empty())
    });
    window
        .get_by_role_and_label(Role::Button, "Put this into the fields")
        .click();
    window.run();
    let meant = S3Destination {
        endpoint: "https://0123456789abcdef.r2.cloudflarestorage.com".to_owned(),
        bucket: "photos".to_owned(),
        ..of(Provider::R2)
    };
    wait(&mut window, "the fields on disk", |_| {
        saved(&desk).as_ref() == Some(&meant)
    });
    assert!(!has_button(&window, "Put this into the fields"));

    // An account in another jurisdiction has another address.
    window
        .get_by_role_and_label(Role::ComboBox, "Jurisdiction")
        .click();
    window.run();
    window.get_by_label("European Union").click();
    window.run();
    wait(&mut window, "the other address on disk", |_| {
        saved(&desk)
            .is_some_and(|s3| s3.endpoint == "https://0123456789abcdef.eu.r2.cloudflarestorage.com")
    });
}

#[test]
fn plain_http_to_another_computer_has_to_be_switched_on() {
    let desk = Desk::new();
    let mut window = window_with(
        &desk,
        S3Destination {
            endpoint: "http://localhost:9000".to_owned(),
            bucket: "b".to_owned(),
            ..of(Provider::MINIO)
        },
    );
    let switch = "Allow plain http";
    assert!(
        window
            .query_by_role_and_label(Role::CheckBox, switch)
            .is_none()
    );
    window
        .get_by_role_and_label(Role::TextInput, "Endpoint")
        .set_text_value_accesskit("http://192.0.2.7:9000");
    window.run();
    assert!(
        shows(&window, "nyone on the way to"),
        "{:?}",
        texts(&window)
    );
    window.get_by_role_and_label(Role::CheckBox, switch).click();
    window.run();
    wait(&mut window, "the switch on disk", |_| {
        saved(&desk).is_some_and(|s3| s3.allow_plain_http)
    });
    assert!(!shows(&window, "nyone on the way to"));
    assert!(
        window
            .query_by_role_and_label(Role::CheckBox, switch)
            .is_some(),
        "to be undone"
    );
}

#[test]
fn the_access_policy_is_copied() {
    let desk = Desk::new();
    let mut window = window_with(
        &desk,
        S3Destination {
            region: "eu-west-1".to_owned(),
            bucket: "photos".to_owned(),
            root_path: "pc".to_owned(),
            ..of(Provider::AWS)
        },
    );
    for (name, deletes) in [
        ("Copy access policy", true),
        ("Copy one that cannot delete", false),
    ] {
        window.get_by_role_and_label(Role::Button, name).click();
        window.step();
        let commands = &window.output().platform_output.commands;
        let copied = commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text),
            _ => None,
        });
        let copied = copied.expect("copied");
        assert!(copied.contains("arn:aws:s3:::photos/pc/*"), "{copied}");
        assert_eq!(copied.contains("s3:DeleteObject"), deletes, "{copied}");
        window.step();
        assert!(shows(&window, "Copied."), "{:?}", texts(&window));
    }
}
