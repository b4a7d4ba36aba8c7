//! The contract of uploads: parts that are sent and parts that are copied, taken up and taken back.

use crate::support::{JuiceFs, SeaweedFs, every_server, noise, object_keys};
use crate::{fault, open_server};
use bytes::Bytes;
use std::fs;
use zipkeep::model::{Destination, FolderDestination};
use zipkeep::storage::{self, CopySource, Fault, PartPlace, Patience, Store, StoredPart, Upload};

const MIB: usize = 1 << 20;

fn place(number: u32, offset: usize) -> PartPlace {
    PartPlace {
        number,
        offset: offset as u64,
    }
}

fn some_bytes(seed: u64, size: usize) -> Bytes {
    Bytes::from(noise(seed, size))
}

async fn whole(store: &Store, key: &str) -> Bytes {
    let size_bytes = store.head(key).await.expect("found").size_bytes;
    store.read(key, 0..size_bytes, None).await.expect("read")
}

/// An object of several MiB in one part after the other.
async fn upload_of(store: &Store, key: &str, parts: &[Bytes]) {
    let upload = store.begin_upload(key).await.expect("begun");
    let (mut offset, mut stored) = (0, Vec::new());
    for (part, number) in parts.iter().zip(1..) {
        let sent = upload.send(place(number, offset), part.clone()).await;
        stored.push(sent.expect("sent"));
        offset += part.len();
    }
    upload.complete(&stored).await.expect("completed");
}

/// Sent in any order, the parts stand in theirs; copied ones among them.
pub(crate) async fn keeps_the_contract_of_uploads(store: &Store) {
    let old = [
        some_bytes(1, 8 * MIB),
        some_bytes(2, 9 * MIB),
        some_bytes(3, 5),
    ];
    let old_key = store.key("old.zip");
    upload_of(store, &old_key, &old).await;
    let old = old.concat();
    assert!(
        whole(store, &old_key).await == old,
        "the parts stand in their order"
    );

    let key = store.key("new.zip");
    let upload = store.begin_upload(&key).await.expect("begun");
    assert_eq!(upload.key(), key);
    let source = CopySource {
        etag: store.head(&old_key).await.expect("found").etag,
        key: old_key.clone(),
        range: 3..6 * MIB as u64 + 1,
    };
    let copied_bytes = 6 * MIB - 2;
    let (middle, last) = (some_bytes(4, 5 * MIB + 1), some_bytes(5, 7));
    let after_middle = copied_bytes + middle.len();
    let sent_before = store.line().sent_bytes;
    let mut parts = vec![
        upload
            .send(place(3, after_middle), last.clone())
            .await
            .expect("sent"),
        upload.copy(place(1, 0), &source).await.expect("copied"),
        upload
            .send(place(2, copied_bytes), middle.clone())
            .await
            .expect("sent"),
    ];
    let sent_bytes = store.line().sent_bytes - sent_before;
    let body_bytes = (middle.len() + last.len()) as u64;
    assert_eq!(
        sent_bytes, body_bytes,
        "copied bytes do not go over the line"
    );
    assert!(
        !store.exists(&key).await.expect("asked"),
        "it is not there yet"
    );
    parts.sort_by_key(|part| part.number);
    if store.keeps_parts() {
        let taken_up = store.take_up_upload(&key, upload.id()).expect("taken up");
        assert_eq!(taken_up.stored_parts().await.expect("listed"), parts);
    }
    upload.complete(&parts).await.expect("completed");
    let expected = [&old[3..=6 * MIB], &middle, &last].concat();
    assert!(
        whole(store, &key).await == expected,
        "sent and copied bytes stand in their order"
    );
    for key in [&old_key, &key] {
        store.delete(key).await.expect("deleted");
    }
}

/// An unfinished upload is found, is no object, and goes when it is aborted; twice is fine.
pub(crate) async fn leaves_nothing_behind(store: &Store) {
    let key = store.key("unfinished.zip");
    let upload = store.begin_upload(&key).await.expect("begun");
    upload
        .send(place(1, 0), some_bytes(6, 5 * MIB))
        .await
        .expect("sent");
    let found = store.unfinished_uploads().await.expect("listed");
    let found: Vec<_> = found
        .into_iter()
        .map(|found| (found.key, found.id))
        .collect();
    assert_eq!(found, [(key.clone(), upload.id().to_owned())]);
    assert_eq!(store.list().await.expect("listed"), []);
    drop(upload);
    let upload = store.take_up_upload(&key, &found[0].1).expect("taken up");
    upload.abort().await.expect("aborted");
    upload.abort().await.expect("there is nothing to take back");
    assert_eq!(store.unfinished_uploads().await.expect("listed"), []);
    assert!(!store.exists(&key).await.expect("asked"));
    assert_eq!(fault(upload.stored_parts().await), Fault::NoUpload);
    let part = StoredPart {
        number: 1,
        bytes: 1,
        etag: "\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned(),
    };
    assert_eq!(fault(upload.complete(&[part]).await), Fault::NoUpload);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_gone_on_with_by_a_later_run() {
    for server in every_server() {
        let (first, second) = (some_bytes(1, 6 * MIB), some_bytes(2, 9));
        let earlier = open_server(&server, "root");
        let key = earlier.key("a name with & and ü.zip");
        let upload = earlier.begin_upload(&key).await.expect("begun");
        let sent = upload.send(place(1, 0), first.clone()).await.expect("sent");
        drop((upload, earlier));

        let later = open_server(&server, "root");
        let found = later.unfinished_uploads().await.expect("listed");
        assert_eq!(found.len(), 1, "{}", server.name);
        assert!(found[0].begun.is_some(), "{}", server.name);
        let upload = later
            .take_up_upload(&found[0].key, &found[0].id)
            .expect("taken up");
        let mut parts = upload.stored_parts().await.expect("listed");
        assert_eq!(parts, [sent], "{}", server.name);
        let rest = upload.send(place(2, first.len()), second.clone()).await;
        parts.push(rest.expect("sent"));
        upload.complete(&parts).await.expect("completed");
        assert!(whole(&later, &key).await == [first, second].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_unfinished_uploads_directly_under_the_root_path_are_found() {
    for server in every_server() {
        let everywhere = open_server(&server, "");
        for key in ["root/a.zip", "root/deeper/b.zip", "rooted.zip", "c.zip"] {
            everywhere.begin_upload(key).await.expect("begun");
        }
        for (root, expected) in [
            ("root", vec!["root/a.zip"]),
            ("", vec!["c.zip", "rooted.zip"]),
        ] {
            let store = open_server(&server, root);
            let found = store.unfinished_uploads().await.expect("listed");
            let mut keys: Vec<_> = found.into_iter().map(|upload| upload.key).collect();
            keys.sort();
            assert_eq!(keys, expected, "{}", server.name);
        }
    }
}

async fn one_part(upload: &Upload, bytes: &Bytes) -> Vec<StoredPart> {
    vec![upload.send(place(1, 0), bytes.clone()).await.expect("sent")]
}

/// Two of the same name: the later one is refused, and the earlier one stays as it is.
async fn never_overwrites(store: &Store) {
    let (ours, theirs) = (some_bytes(1, 100), some_bytes(2, 90));
    let key = store.key("same.zip");
    let upload = store.begin_upload(&key).await.expect("begun");
    let parts = one_part(&upload, &ours).await;
    store.put_new(&key, theirs.clone()).await.expect("written");
    assert_eq!(fault(upload.complete(&parts).await), Fault::AlreadyThere);
    assert!(whole(store, &key).await == theirs);
    upload.abort().await.expect("taken back");
    assert_eq!(store.unfinished_uploads().await.expect("listed"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_never_overwrites() {
    let folder = tempfile::tempdir().expect("a folder");
    let destination = Destination::Folder(FolderDestination {
        path: folder.path().to_owned(),
    });
    never_overwrites(&storage::open(&destination, None, Patience::Patient).expect("opened")).await;
    never_overwrites(&storage::open_in_memory("").expect("opened")).await;
    // JuiceFS does not look at the condition.
    if let Some(server) = SeaweedFs::shared() {
        never_overwrites(&open_server(&server, "")).await;
    }
}

/// A source that is not the one that we know is not copied.
async fn refuses_another_version(store: &Store) {
    let key = store.key("source.zip");
    store
        .put_new(&key, some_bytes(1, 6 * MIB))
        .await
        .expect("written");
    let upload = store
        .begin_upload(&store.key("copy.zip"))
        .await
        .expect("begun");
    let mut source = CopySource {
        key,
        etag: Some("\"0123456789abcdef0123456789abcdef\"".to_owned()),
        range: 0..5 * MIB as u64,
    };
    assert_eq!(
        fault(upload.copy(place(1, 0), &source).await),
        Fault::Changed
    );
    source.etag = None;
    upload.copy(place(1, 0), &source).await.expect("copied");
    source.key = store.key("missing.zip");
    assert_eq!(
        fault(upload.copy(place(1, 0), &source).await),
        Fault::NoObject
    );
    upload.abort().await.expect("taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_of_the_version_that_was_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let destination = Destination::Folder(FolderDestination {
        path: folder.path().to_owned(),
    });
    let store = storage::open(&destination, None, Patience::Patient).expect("opened");
    refuses_another_version(&store).await;
    refuses_another_version(&storage::open_in_memory("x").expect("opened")).await;
    for server in [SeaweedFs::shared(), JuiceFs::shared()]
        .into_iter()
        .flatten()
    {
        refuses_another_version(&open_server(&server, "x y")).await;
        assert_eq!(object_keys(&server), ["x y/source.zip"]);
    }
}

#[tokio::test]
async fn an_unfinished_upload_is_a_file_that_no_listing_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let destination = Destination::Folder(FolderDestination {
        path: folder.path().to_owned(),
    });
    let store = storage::open(&destination, None, Patience::Patient).expect("opened");
    let uploads = [
        store.begin_upload("a.zip").await.expect("begun"),
        store.begin_upload("a.zip").await.expect("begun"),
    ];
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    assert_eq!(store.list().await.expect("listed"), []);
    assert!(!store.keeps_parts());
    // Both write, each into its own.
    let parts = one_part(&uploads[0], &Bytes::from_static(b"first")).await;
    one_part(&uploads[1], &Bytes::from_static(b"second")).await;
    uploads[0].complete(&parts).await.expect("completed");
    uploads[1].abort().await.expect("aborted");
    assert_eq!(whole(&store, "a.zip").await, "first");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    // Neither an id nor a key leads out of the folder.
    let outside = tempfile::tempdir().expect("a folder");
    let key = outside.path().join("x.zip");
    let key = key.to_str().expect("a test's own file has a UTF-8 path");
    for key in [key, "../x.zip"] {
        assert!(store.begin_upload(key).await.is_err(), "{key}");
    }
    let left = fs::read_dir(outside.path()).expect("a folder").count();
    assert_eq!(left, 0);
    assert_eq!(
        fault(store.take_up_upload("a.zip", "../x")),
        Fault::NoUpload
    );
}

#[tokio::test]
async fn a_folder_that_lost_something_makes_no_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backups");
    let destination = Destination::Folder(FolderDestination { path: path.clone() });
    let store = storage::open(&destination, None, Patience::Patient).expect("opened");
    let upload = store.begin_upload("a.zip").await.expect("begun");
    let mut parts = one_part(&upload, &Bytes::from_static(b"all of it")).await;
    parts[0].bytes += 1;
    assert_eq!(fault(upload.complete(&parts).await), Fault::Damaged);
    assert!(!store.exists("a.zip").await.expect("asked"));
    fs::remove_dir_all(&path).expect("removed");
    let late = upload.send(place(2, 9), Bytes::from_static(b"more")).await;
    assert_eq!(fault(late), Fault::NoUpload);
    assert_eq!(fault(store.begin_upload("b.zip").await), Fault::Folder);
    assert_eq!(fault(store.unfinished_uploads().await), Fault::Folder);
    upload.abort().await.expect("there is nothing to take back");
}
