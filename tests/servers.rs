//! Tests of the test support itself: a support that sees nothing would let every test pass.

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use support::{
    JuiceFs, Kind, SeaweedFs, Server, abort_upload, assert_same_contents, assert_same_tree,
    begin_upload, check_archive, delete_object, differences, every_server, extract_with_7z,
    extract_with_bsdtar, extract_with_unzip, get_object, object_keys, odd_tree, plain_tree,
    put_object, put_part, snapshot, try_object_keys, try_put_object, unfinished_uploads,
};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[test]
fn objects_come_and_go() {
    for server in every_server() {
        let name = server.name;
        assert!(object_keys(&server).is_empty(), "{name}");
        put_object(&server, "folder/ü + %\nx.zip", b"content");
        assert_eq!(object_keys(&server), ["folder/ü + %\nx.zip"], "{name}");

        let file = tempfile::NamedTempFile::new().unwrap();
        get_object(&server, "folder/ü + %\nx.zip", file.path());
        assert_eq!(fs::read(file.path()).unwrap(), b"content", "{name}");
        delete_object(&server, "folder/ü + %\nx.zip");
        assert!(object_keys(&server).is_empty(), "{name}");
    }
}

#[test]
fn an_upload_left_open_is_found_until_it_is_aborted() {
    for server in every_server() {
        let name = server.name;
        let upload_id = begin_upload(&server, "root/left open.zip");
        put_part(&server, "root/left open.zip", &upload_id, 1, b"part");
        assert_eq!(
            unfinished_uploads(&server),
            ["root/left open.zip"],
            "{name}"
        );
        assert!(object_keys(&server).is_empty(), "{name}");
        assert!(
            unfinished_uploads(&server.with_fresh_bucket()).is_empty(),
            "{name}"
        );

        abort_upload(&server, "root/left open.zip", &upload_id);
        assert!(unfinished_uploads(&server).is_empty(), "{name}");
    }
}

#[test]
fn wrong_keys_and_a_wrong_bucket_are_refused() {
    for server in every_server() {
        let answer = |server: &Server| try_object_keys(server).unwrap_err().to_string();
        let mut wrong = server.clone();
        wrong.secret_access_key.push('x');
        assert!(
            answer(&wrong).starts_with("403 SignatureDoesNotMatch"),
            "{}",
            answer(&wrong)
        );
        wrong.clone_from(&server);
        wrong.access_key_id.push('X');
        assert!(
            answer(&wrong).starts_with("403 InvalidAccessKeyId"),
            "{}",
            answer(&wrong)
        );
        wrong.clone_from(&server);
        wrong.bucket.push_str("-missing");
        assert!(
            answer(&wrong).starts_with("404 NoSuchBucket"),
            "{}",
            answer(&wrong)
        );
        let refused = try_put_object(&wrong, "key", b"x").unwrap_err().to_string();
        assert!(refused.starts_with("404 NoSuchBucket"), "{refused}");
    }
}

#[test]
fn a_reader_may_read_but_not_write() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    put_object(&server, "key", b"content");
    let reader = server.as_reader().expect("SeaweedFS has users");
    assert_eq!(object_keys(&reader), ["key"]);
    let refused = try_put_object(&reader, "other", b"x")
        .unwrap_err()
        .to_string();
    assert!(refused.starts_with("403 AccessDenied"), "{refused}");
}

#[test]
fn a_wrong_region_is_refused_by_the_strict_server() {
    let Some(mut server) = JuiceFs::shared() else {
        return;
    };
    server.region = "eu-west-1".to_owned();
    let refused = try_object_keys(&server).unwrap_err().to_string();
    assert!(
        refused.starts_with("400 AuthorizationHeaderMalformed"),
        "{refused}"
    );
}

#[test]
fn a_stopped_server_does_not_answer() {
    let Some(server) = JuiceFs::start() else {
        return;
    };
    server.stop();
    let refused = try_object_keys(&server).unwrap_err().to_string();
    assert!(refused.starts_with("no answer"), "{refused}");
}

#[test]
fn listings_go_on_past_the_first_page() {
    for mut server in every_server() {
        let names: Vec<_> = (0..5).map(|number| format!("key {number}")).collect();
        for name in &names {
            put_object(&server, name, b"x");
            begin_upload(&server, name);
        }
        server.keys_per_page = 2;
        assert_eq!(object_keys(&server), names, "{}", server.name);
        assert_eq!(unfinished_uploads(&server), names, "{}", server.name);
    }
}

#[test]
fn snapshots_tell_what_differs() {
    let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    odd_tree(left.path());
    odd_tree(right.path());
    assert_same_tree(left.path(), right.path());
    assert!(snapshot(left.path()).len() > 40);

    support::write_file(right.path(), "readme.txt", b"Hello\n");
    support::write_file(right.path(), "new.txt", b"");
    fs::remove_file(right.path().join("empty.txt")).unwrap();
    let lines = differences(&snapshot(left.path()), &snapshot(right.path()));
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(lines[0], "empty.txt: only left");
    assert_eq!(lines[1], "new.txt: only right");
    assert!(lines[2].starts_with("readme.txt: hash "), "{lines:#?}");
}

#[test]
fn every_program_extracts_a_sound_archive() {
    let folder = tempfile::tempdir().unwrap();
    let (source, archive) = (
        folder.path().join("source"),
        folder.path().join("sound.zip"),
    );
    plain_tree(&source);
    write_zip(&archive, &source, CompressionMethod::Deflated).unwrap();
    let names = check_archive(&archive);
    assert!(
        names.contains(&"photos/2024/beach.jpg".to_owned()),
        "{names:?}"
    );

    for (name, extract) in [
        ("unzip", extract_with_unzip as fn(&_, &_) -> bool),
        ("7z", extract_with_7z),
        ("bsdtar", extract_with_bsdtar),
    ] {
        let into = folder.path().join(name);
        fs::create_dir(&into).unwrap();
        if extract(&archive, &into) {
            assert_same_contents(&source, &into);
        }
    }
}

#[test]
fn odd_names_and_links_are_no_fault_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let (source, archive) = (folder.path().join("source"), folder.path().join("odd.zip"));
    odd_tree(&source);
    write_zip(&archive, &source, CompressionMethod::Deflated).unwrap();
    let names = check_archive(&archive);
    assert!(names.len() > 40, "{names:?}");
}

#[test]
#[should_panic(expected = "does not accept the archive")]
fn a_damaged_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (source, archive) = (
        folder.path().join("source"),
        folder.path().join("damaged.zip"),
    );
    support::write_file(&source, "a.txt", b"needle in a stored entry");
    write_zip(&archive, &source, CompressionMethod::Stored).unwrap();
    let mut bytes = fs::read(&archive).unwrap();
    let at = bytes
        .windows(6)
        .position(|window| window == b"needle")
        .unwrap();
    bytes[at] ^= 1;
    fs::write(&archive, bytes).unwrap();
    check_archive(&archive);
}

/// An archive made by the `zip` crate, as an example of a sound one.
fn write_zip(archive: &Path, source: &Path, method: CompressionMethod) -> ZipResult<()> {
    let mut writer = ZipWriter::new(fs::File::create(archive)?);
    let options = SimpleFileOptions::default().compression_method(method);
    for (path, node) in snapshot(source) {
        let Ok(name) = String::from_utf8(path) else {
            continue; // A ZIP has no plain place for it; zipkeep's own way is tested elsewhere.
        };
        match (node.kind, node.target) {
            (Kind::Folder, _) => writer.add_directory(name, options)?,
            (_, Some(target)) => {
                writer.add_symlink(name, String::from_utf8_lossy(&target), options)?;
            }
            _ => {
                writer.start_file(&name, options)?;
                writer.write_all(&fs::read(source.join(&name))?)?;
            }
        }
    }
    writer.finish()?;
    Ok(())
}
