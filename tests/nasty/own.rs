//! The same of archives that say they are ours: a manifest is only what somebody wrote into a bucket.

use crate::Place;
use crate::corpus::{Nasty, contents, names};
use crate::zip::{Builder, Member};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What the manifest says of an entry, and where it begins.
fn line(member: &Member, offset: u32) -> Value {
    let name = String::from_utf8_lossy(&member.name).into_owned();
    let kind = match member.unix_mode & 0o170_000 {
        0o040_000 => "directory",
        0o120_000 => "symlink",
        _ => "file",
    };
    json!({
        "path": name.strip_suffix('/').unwrap_or(&name),
        "kind": kind,
        "size_bytes": member.size_bytes,
        "modified_ns": 1_700_000_000_000_000_000_u64,
        "mode": 0o644,
        "header_offset": offset,
    })
}

/// Finishes an archive whose manifest says these lines.
fn finish(mut builder: Builder, lines: &[Value]) -> Vec<u8> {
    let mut list = String::new();
    for line in lines {
        writeln!(list, "{line}").expect("written");
    }
    builder.add(Member::file(".zipkeep/entries.jsonl", list.as_bytes()));
    let manifest = json!({
        "format": {"major": 1, "minor": 0},
        "program": "zipkeep 1",
        "profile": "p",
        "device": "pc",
        "os": "linux",
        "created": "2026-11-22T00:00:00Z",
        "roots": [{"label": "docs", "path": "/docs"}],
        "totals": {"files": 1, "directories": 0, "symlinks": 0, "bytes": 1},
        "entry_lists": [".zipkeep/entries.jsonl"],
    });
    let manifest = manifest.to_string();
    builder.add(Member::file(".zipkeep/manifest.json", manifest.as_bytes()));
    builder.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("written");
        text
    })
}

#[test]
fn of_an_archive_that_says_it_is_ours_all_that_is_nasty_is_refused_too() {
    let place = Place::new();
    let mut builder = Builder::default();
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    let nasty = names(&place.outside()).into_iter().chain(contents());
    for Nasty { member, reason } in nasty {
        let name = String::from_utf8_lossy(&member.name).into_owned();
        // It says itself how big it is, so that only the disk is asked whether it has room.
        // And a name with a `/` at its end is that of a folder, which the lists name without.
        if name == "bomb/huge" || name.ends_with('/') {
            continue;
        }
        // Ours are read by what is known of them, in which other words are said of their length.
        let reason = match name.as_str() {
            "broken/longer" => "its length is not what the archive says",
            _ => reason,
        };
        expected.push((name, reason));
        let offset = builder.add(member.clone());
        lines.push(line(&member, offset));
    }
    let good = Member::file("docs/good", b"good");
    let offset = builder.add(good.clone());
    lines.push(line(&good, offset));
    place
        .restore(&finish(builder, &lines), &[])
        .check(&expected);
    place.check_good(&[good]);
}

#[test]
fn what_manifest_and_directory_do_not_agree_on_is_refused() {
    let place = Place::new();
    let mut builder = Builder::default();
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    for (name, field, value, reason) in [
        (
            "docs/raw up",
            "raw_path",
            json!(hex(b"docs/../../up")),
            "outside",
        ),
        (
            "docs/raw absolute",
            "raw_path",
            json!(hex(b"/etc/passwd")),
            "absolute",
        ),
        (
            "docs/raw zero",
            "raw_path",
            json!(hex(b"docs/a\0b")),
            "cannot have",
        ),
        ("docs/raw odd", "raw_path", json!("6"), "damaged"),
        (
            "docs/hash",
            "blake3",
            json!("00".repeat(32)),
            "not what was backed up",
        ),
        ("docs/odd hash", "blake3", json!("zz"), "damaged"),
        ("docs/size", "size_bytes", json!(3), "differently"),
        ("docs/kind", "kind", json!("symlink"), "differently"),
        (
            "docs/elsewhere",
            "header_offset",
            json!(1),
            "manifest does not know",
        ),
    ] {
        let member = Member::file(name, b"content");
        let offset = builder.add(member.clone());
        let mut line = line(&member, offset);
        line[field] = value;
        lines.push(line);
        expected.push((name.to_owned(), reason));
    }
    builder.add(Member::file("docs/unknown", b"smuggled in"));
    expected.push(("docs/unknown".to_owned(), "manifest does not know"));
    let good = Member::file("docs/good", b"good");
    let offset = builder.add(good.clone());
    lines.push(line(&good, offset));
    place
        .restore(&finish(builder, &lines), &[])
        .check(&expected);
    place.check_good(&[good]);
}

/// A link of a backup may lead anywhere, as it did on the disk; but nothing is written through it.
#[cfg(unix)]
#[test]
fn links_of_ours_come_back_as_they_were_and_nothing_goes_through_them() {
    let place = Place::new();
    let mut builder = Builder::default();
    let outside = place.path("outside");
    let link = Member::link("docs/link", outside.to_str().expect("UTF-8"));
    let through = Member::file("docs/link/passwd", b"evil");
    let mut lines = Vec::new();
    for member in [&link, &through] {
        let offset = builder.add(member.clone());
        lines.push(line(member, offset));
    }
    let archive = finish(builder, &lines);
    for _ in 0..2 {
        // The second time the link is there already.
        let told = place.restore(&archive, &[]);
        told.check(&[("docs/link/passwd".to_owned(), "below a link")]);
        place.check_good(std::slice::from_ref(&link));
    }
    // Now only what would go through it.
    let mut builder = Builder::default();
    let offset = builder.add(through.clone());
    let archive = finish(builder, &[line(&through, offset)]);
    let told = place.restore(&archive, &[]);
    told.check(&[("docs/link/passwd".to_owned(), "in the way")]);
}
