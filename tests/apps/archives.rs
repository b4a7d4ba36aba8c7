//! Little archives as each generation of Cherry Studio lays them out.

use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A ZIP with these entries; a name with `/` at its end is a folder.
pub(crate) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, options).expect("added");
        } else {
            zip.start_file(*name, options).expect("begun");
            zip.write_all(content).expect("written");
        }
    }
    zip.finish().expect("finished").into_inner()
}

/// Of 1.5 to 1.8: everything but files is one JSON text, here one of several MB that is cut nowhere.
pub(crate) fn first_generation() -> Vec<u8> {
    let chats = "talk ".repeat(1_000_000);
    let data = format!(
        r#"{{"time":1735693323000,"version":5,"localStorage":{{"persist:cherry-studio":"{chats}"}},"indexedDB":{{}}}}"#
    );
    archive(&[
        ("data.json", data.as_bytes()),
        ("Data/", b""),
        ("Data/Files/a.png", b"a picture"),
        ("Notes/outside.md", b"a note kept elsewhere"),
    ])
}

/// Of 1.9.
pub(crate) fn second_generation() -> Vec<u8> {
    archive(&[
        (
            "metadata.json",
            br#"{"version":6,"timestamp":1767229323000,"appName":"Cherry Studio","appVersion":"1.9.3","platform":"darwin","arch":"arm64"}"#,
        ),
        ("IndexedDB/", b""),
        ("IndexedDB/file__0.indexeddb.leveldb/CURRENT", b"MANIFEST-000007\n"),
        ("IndexedDB/file__0.indexeddb.leveldb/MANIFEST-000007", b"new manifest"),
        ("IndexedDB/file__0.indexeddb.leveldb/000008.log", b"new log"),
        ("Local Storage/leveldb/CURRENT", b"MANIFEST-000001\n"),
        ("Local Storage/leveldb/MANIFEST-000001", b"new settings"),
        ("Data/Files/a.png", b"a picture"),
        ("Data/agents.db", b"new agents"),
    ])
}

/// Of 2.0 and 2.1, with everything.
pub(crate) fn third_generation() -> Vec<u8> {
    archive(&[
        (
            "metadata.json",
            THIRD_METADATA.replace("SLIM", "true").as_bytes(),
        ),
        ("cache.json", br#"{"window":"new"}"#),
        (
            "IndexedDB/file__0.indexeddb.leveldb/CURRENT",
            b"MANIFEST-000007\n",
        ),
        (
            "IndexedDB/file__0.indexeddb.leveldb/MANIFEST-000007",
            b"new manifest",
        ),
        ("Local Storage/leveldb/CURRENT", b"MANIFEST-000001\n"),
        ("Local Storage/leveldb/MANIFEST-000001", b"new settings"),
        ("Data/cherrystudio.sqlite", b"new database"),
        ("Data/Files/a.png", b"a picture"),
    ])
}

/// Of 2.0 and 2.1, “lightweight”.
pub(crate) fn third_generation_slim() -> Vec<u8> {
    archive(&[
        (
            "metadata.json",
            THIRD_METADATA.replace("SLIM", "false").as_bytes(),
        ),
        ("cache.json", br#"{"window":"new"}"#),
        ("Data/cherrystudio.sqlite", b"new database"),
    ])
}

const THIRD_METADATA: &str = r#"{"version":7,"timestamp":1780275723000,"appName":"Cherry Studio","appVersion":"2.0.9","platform":"win32","arch":"x64","resources":{"database":false,"cache":true,"indexedDB":SLIM,"localStorage":SLIM,"appClaude":false,"data":true}}"#;

/// Of what comes after 2.1.
pub(crate) fn fourth_generation() -> Vec<u8> {
    archive(&[
        (
            "manifest.json",
            br#"{"backupFormatVersion":1,"createdAt":"2026-08-01T10:02:03.000Z","preset":"full","domains":["A","B"],"producerAppVersion":"2.2.0"}"#,
        ),
        ("backup.sqlite", b"a database"),
        ("resources/files/a.png", b"a picture"),
    ])
}

/// The same archive with one wrong byte in the content of a file.
pub(crate) fn damaged_at(mut archive: Vec<u8>, name: &str) -> Vec<u8> {
    let found = archive
        .windows(name.len())
        .position(|bytes| bytes == name.as_bytes());
    // The name in the local header is the first; the length of what follows it stands right before it.
    let begin = found.expect("it is there");
    let extra_bytes = usize::from(u16::from_le_bytes([archive[begin - 2], archive[begin - 1]]));
    archive[begin + name.len() + extra_bytes + 2] ^= 0x55;
    archive
}
