//! One contract for every kind of destination: in memory, a folder, and real S3 servers.

#[path = "../support/mod.rs"]
mod support;

mod pretender;
mod trouble;
mod uploads;

use bytes::Bytes;
use std::time::{Duration, Instant};
use support::{JuiceFs, SeaweedFs, Server, every_server, put_object, unfinished_uploads};
use uploads::{keeps_the_contract_of_uploads, leaves_nothing_behind};
use zipkeep::model::{Destination, FolderDestination, S3Destination, Secret};
use zipkeep::storage::{self, Fault, Patience, StorageError, Store};

fn open_server(server: &Server, root_path: &str) -> Store {
    storage::open(
        &server.destination(root_path),
        Some(&server.secret()),
        Patience::Interactive,
    )
    .expect("opened")
}

fn s3_settings(server: &Server) -> S3Destination {
    match server.destination("") {
        Destination::S3(settings) => settings,
        Destination::Folder(_) => panic!("a server is not a folder"),
    }
}

fn fault<T: std::fmt::Debug>(result: Result<T, StorageError>) -> Fault {
    result.expect_err("a failure").fault()
}

/// Everything that the engine relies on.
async fn keeps_the_contract(store: &Store) {
    assert_eq!(store.list().await.expect("listed"), []);
    let key = store.key("one.zip");
    store
        .put_new(&key, Bytes::from_static(b"0123456789"))
        .await
        .expect("written");
    let again = store.put_new(&key, Bytes::from_static(b"other")).await;
    let listed = store.list().await.expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key, key);
    if again.is_err() {
        assert_eq!(fault(again), Fault::AlreadyThere);
        assert_eq!(listed[0].size_bytes, 10, "it was not overwritten");
        let part = store.read(&key, 3..7, None).await.expect("read");
        assert_eq!(part, "3456");
    }
    let head = store.head(&key).await.expect("found");
    assert_eq!(head.size_bytes, listed[0].size_bytes);
    let etag = head.etag.as_deref();
    store
        .read(&key, 0..2, etag)
        .await
        .expect("that very version");
    assert_eq!(
        fault(store.read(&key, 0..2, Some("\"another\"")).await),
        Fault::Changed
    );
    let missing = store.key("missing.zip");
    assert!(!store.exists(&missing).await.expect("asked"));
    assert_eq!(fault(store.head(&missing).await), Fault::NoObject);
    assert_eq!(
        fault(store.read(&missing, 0..1, None).await),
        Fault::NoObject
    );
    assert_eq!(fault(store.delete(&missing).await), Fault::NoObject);
    store
        .delete_if_there(&missing)
        .await
        .expect("nothing to do");
    store.delete(&key).await.expect("deleted");
    assert_eq!(store.list().await.expect("listed"), []);
    deletes_several(store).await;
}

/// What is said to be gone is, and nothing else.
async fn deletes_several(store: &Store) {
    let keys = ["a & b.zip", "c <d> \u{fc}.zip", "stays.zip"].map(|name| store.key(name));
    for key in &keys {
        let put = store.put_new(key, Bytes::from_static(b"content"));
        put.await.expect("written");
    }
    let gone = store.delete_at_once(&[&keys[0], &keys[1]]).await;
    assert!(gone.is_empty() || store.deletes_several());
    for key in &keys {
        let is_there = store.exists(key).await.expect("asked");
        assert!(!(is_there && gone.contains(key)), "{key}");
        assert!(is_there || *key != keys[2], "nobody asked for it");
        store.delete_if_there(key).await.expect("deleted");
    }
}

#[tokio::test]
async fn a_store_in_memory_keeps_the_contract() {
    for root in ["", "some/root"] {
        let store = storage::open_in_memory(root).expect("opened");
        keeps_the_contract(&store).await;
        keeps_the_contract_of_uploads(&store).await;
        leaves_nothing_behind(&store).await;
    }
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made on/first use");
    let destination = Destination::Folder(FolderDestination { path: path.clone() });
    let store = storage::open(&destination, None, Patience::Interactive).expect("opened");
    keeps_the_contract(&store).await;
    keeps_the_contract_of_uploads(&store).await;
    leaves_nothing_behind(&store).await;
    let left = std::fs::read_dir(path).expect("a folder").count();
    assert_eq!(left, 0, "no part of an aborted upload stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn real_servers_keep_the_contract() {
    for server in every_server() {
        for root in ["", "some/root"] {
            let server = server.with_fresh_bucket();
            let store = open_server(&server, root);
            keeps_the_contract(&store).await;
            keeps_the_contract_of_uploads(&store).await;
            leaves_nothing_behind(&store).await;
            assert_eq!(unfinished_uploads(&server), [""; 0], "{}", server.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_directly_under_the_root_path_is_listed() {
    for server in every_server() {
        for key in ["root/a.zip", "root/deeper/b.zip", "rooted.zip", "c.zip"] {
            put_object(&server, key, b"x");
        }
        let listed = open_server(&server, "/root/").list().await.expect("listed");
        let keys: Vec<&str> = listed.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["root/a.zip"], "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_told_apart() {
    for server in every_server() {
        let right = s3_settings(&server);
        let list = async |settings: S3Destination, secret: Secret| {
            let destination = Destination::S3(settings);
            let store = storage::open(&destination, Some(&secret), Patience::Interactive);
            store.expect("opened").list().await
        };
        let changed = |change: fn(&mut S3Destination)| {
            let mut settings = right.clone();
            change(&mut settings);
            settings
        };
        let name = server.name;
        let wrong_secret = list(right.clone(), Secret::new("not-the-secret")).await;
        assert_eq!(fault(wrong_secret), Fault::WrongSecret, "{name}");
        let wrong_key = changed(|s| s.access_key_id = "AKIANOTTHEREATALL".to_owned());
        assert_eq!(
            fault(list(wrong_key, server.secret()).await),
            Fault::UnknownKey,
            "{name}"
        );
        let wrong_bucket = changed(|s| s.bucket = "no-such-bucket-here".to_owned());
        assert_eq!(
            fault(list(wrong_bucket, server.secret()).await),
            Fault::NoBucket,
            "{name}"
        );
        let nobody = changed(|s| s.endpoint = "http://127.0.0.1:9".to_owned());
        let started = Instant::now();
        assert_eq!(
            fault(list(nobody, server.secret()).await),
            Fault::Unreachable,
            "{name}"
        );
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "told within seconds"
        );
        let tls = changed(|s| s.endpoint = s.endpoint.replace("http://", "https://"));
        assert_eq!(
            fault(list(tls, server.secret()).await),
            Fault::Tls,
            "{name}"
        );
        let secret = storage::open(&Destination::S3(right.clone()), None, Patience::Interactive);
        assert_eq!(fault(secret), Fault::SecretMissing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_region_names_the_right_one() {
    // SeaweedFS takes any region.
    let Some(server) = JuiceFs::shared() else {
        return;
    };
    let mut settings = s3_settings(&server);
    settings.region = "eu-nowhere-1".to_owned();
    let destination = Destination::S3(settings);
    let store = storage::open(&destination, Some(&server.secret()), Patience::Interactive);
    let error = store.expect("opened").list().await.expect_err("refused");
    assert_eq!(error.fault(), Fault::WrongRegion);
    assert!(error.to_string().contains(&server.region), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read_is_told_as_such() {
    let Some(reader) = SeaweedFs::shared().and_then(|server| server.as_reader()) else {
        return;
    };
    let store = open_server(&reader, "");
    store.list().await.expect("it may list");
    let error = store
        .put_new("x.zip", Bytes::from_static(b"x"))
        .await
        .expect_err("refused");
    assert_eq!(error.fault(), Fault::Denied);
    assert_eq!(error.code(), Some("AccessDenied"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_odd_name_in_a_folder_does_not_hide_the_rest() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        &b"good one.zip"[..],
        b"100%.zip",
        b"bad\xff.zip",
        b"new\nline.zip",
        b"half.zip#1",
    ] {
        let name = std::ffi::OsStr::from_bytes(name);
        std::fs::write(folder.path().join(name), b"x").expect("written");
    }
    std::fs::create_dir(folder.path().join("folder.zip")).expect("made");
    let destination = Destination::Folder(FolderDestination {
        path: folder.path().to_owned(),
    });
    let store = storage::open(&destination, None, Patience::Interactive).expect("opened");
    let mut listed = store.list().await.expect("listed");
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    let keys: Vec<&str> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["100%.zip", "good one.zip"]);
    for object in &listed {
        assert_eq!(store.head(&object.key).await.expect("found").size_bytes, 1);
        store.delete(&object.key).await.expect("deleted");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), b"").expect("written");
    for (path, expected) in [
        (folder.path().join("file/below"), Fault::Folder),
        ("relative".into(), Fault::Settings),
    ] {
        let destination = Destination::Folder(FolderDestination { path });
        assert_eq!(
            fault(storage::open(&destination, None, Patience::Patient)),
            expected
        );
    }
}
