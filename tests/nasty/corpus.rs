//! Entries that mean harm or are broken, each with what must be said of it.

use crate::zip::{Builder, Member, local_header};

/// An entry that must not be restored, and what its reason must say.
pub(crate) struct Nasty {
    pub(crate) member: Member,
    pub(crate) reason: &'static str,
}

fn nasty(member: Member, reason: &'static str) -> Nasty {
    Nasty { member, reason }
}

/// Names that lead out of the folder or that no disk should have. `outside` is an absolute path.
pub(crate) fn names(outside: &str) -> Vec<Nasty> {
    let mut entries = Vec::new();
    for (name, reason) in [
        ("../up", "outside"),
        ("a/../../up", "outside"),
        ("a/..", "outside"),
        ("..", "outside"),
        (outside, "absolute"),
        ("/", "empty"),
        ("//host/share/x", "absolute"),
        ("./", "empty"),
        ("zero\0byte", "cannot have"),
        (".zipkeep-restore-x/new/1", "restores that are running"),
        ("a/.zipkeep-restore-x", "restores that are running"),
    ] {
        entries.push(nasty(Member::file(name, b"evil"), reason));
    }
    if cfg!(windows) {
        for name in [
            "..\\up",
            "C:\\up",
            "C:up",
            "\\\\host\\share",
            "a/NUL",
            "con.txt",
            "dot.",
        ] {
            entries.push(nasty(Member::file(name, b"evil"), "the"));
        }
    }
    entries
}

/// Links that lead out, also in two steps, and what would be written through one.
pub(crate) fn links() -> Vec<Nasty> {
    vec![
        nasty(Member::link("links/out", "../../outside"), "outside"),
        nasty(Member::link("links/absolute", "/etc"), "outside"),
        nasty(Member::link("links/down and up", "a/../../../x"), "outside"),
        // With the innocent "links/deep/up", which leads to "links".
        nasty(
            Member::link("links/deep/escape", "up/../../outside"),
            "outside",
        ),
        nasty(Member::link("links/empty", ""), "not a path"),
        nasty(Member::link("links/zero", "a\0b"), "not a path"),
        nasty(Member::link("links/long", &"x/".repeat(40_000)), "too long"),
        // With the innocent "links/inside", which leads to a folder.
        nasty(
            Member::file("links/inside/through", b"evil"),
            "below a link",
        ),
        nasty(Member::folder("links/inside/folder/"), "below a link"),
        // In the target there is a link of that name already.
        nasty(Member::file("there/through", b"evil"), "in the way"),
        nasty(Member::folder("there/folder/"), "in the way"),
    ]
}

/// Entries whose bytes are not what their records say.
pub(crate) fn contents() -> Vec<Nasty> {
    let content = b"some content, some content".as_slice();
    let file = |name: &str| Member::file(name, content);
    let deflated = |name: &str| Member::deflated(name, &content.repeat(50));
    let mut broken = deflated("broken/not deflate");
    broken.packed.fill(0xff);
    let mut entries = vec![
        nasty(
            Member {
                crc32: 7,
                ..file("broken/crc")
            },
            "hecksum",
        ),
        nasty(
            Member {
                crc32: 7,
                ..deflated("broken/crc of deflate")
            },
            "hecksum",
        ),
        nasty(
            Member {
                size_bytes: 20,
                ..deflated("broken/longer")
            },
            "larger than",
        ),
        nasty(
            Member {
                size_bytes: 2_000,
                ..deflated("broken/shorter")
            },
            "length",
        ),
        nasty(broken, "damaged"),
        nasty(
            Member {
                flags: 1,
                ..file("broken/encrypted")
            },
            "encrypted",
        ),
        nasty(
            Member {
                flags: 1,
                method: 99,
                ..file("broken/aes")
            },
            "encrypted",
        ),
    ];
    for method in [1, 6, 12, 14, 93, 97, 98, 0xffff] {
        let name = format!("broken/method {method}");
        let member = Member {
            method,
            ..file(&name)
        };
        entries.push(nasty(member, "method"));
    }
    entries.extend(bombs());
    entries
}

/// Entries that say that they unpack to very much.
fn bombs() -> [Nasty; 2] {
    let huge = |name: &str, packed: &[u8]| Member {
        method: 8,
        size_bytes: u32::MAX - 1,
        ..Member::file(name, packed)
    };
    [
        nasty(huge("bomb/impossible", b"small"), "cannot be true"),
        nasty(huge("bomb/huge", &vec![0; 4 << 20]), "hundred times"),
    ]
}

/// Adds entries that share bytes; gives their names and the reason.
pub(crate) fn add_overlapping(builder: &mut Builder) -> Vec<(String, &'static str)> {
    const REASON: &str = "those of another";
    let inner = Member::file("overlap/inner", b"inside of another");
    let header = local_header(&inner);
    let outer_bytes = [&b"before"[..], &header, &inner.packed, b"after"].concat();
    let outer = Member::file("overlap/outer", &outer_bytes);
    let own_header = u32::try_from(local_header(&outer).len()).expect("small");
    let start = builder.add(outer);
    builder.list(inner, start + own_header + 6);
    let shared = builder.add(Member::file("overlap/one", b"shared"));
    builder.list(Member::file("overlap/two", b"shared"), shared);
    for (name, before_end) in [("far away", 1_000), ("farther away", 100)] {
        let member = Member::file(&format!("overlap/{name}"), b"x");
        builder.list(member, u32::MAX - before_end);
    }
    ["outer", "one", "two", "far away", "farther away"]
        .map(|name| (format!("overlap/{name}"), REASON))
        .to_vec()
}

/// Entries that are fine, also where their names look odd on this system; content is their name.
pub(crate) fn good() -> Vec<Member> {
    let mut names = vec![
        "good.txt",
        "a/good",
        "links/folder/x",
        "dots/...",
        "dots/..a",
    ];
    if cfg!(unix) {
        names.extend([
            "..\\up",
            "C:\\up",
            "NUL",
            "a/con.txt",
            "dot.",
            "README",
            "readme",
        ]);
    }
    let files = names
        .into_iter()
        .map(|name| Member::file(name, name.as_bytes()));
    let links = [
        ("links/inside", "folder"),
        ("links/deep/up", ".."),
        ("links/deep/to good", "../../good.txt"),
        ("links/dangling", "nowhere/yet"),
    ];
    let links = links.map(|(name, target)| Member::link(name, target));
    let harmless = vec![0; 3 << 20];
    files
        .chain(links)
        .chain([
            Member::folder("empty folder/"),
            Member::deflated("bomb/harmless", &harmless),
        ])
        .collect()
}
