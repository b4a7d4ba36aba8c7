//! Writes ZIP archives that say whatever a test wants, record by record (APPNOTE 6.3.10).

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const DEFLATE: u16 = 8;
const FILE: u32 = 0o100_644;
const FOLDER: u32 = 0o040_755;
const LINK: u32 = 0o120_777;

/// One entry, as its records describe it.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    /// The bytes that stand in the archive.
    pub(crate) packed: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc32: u32,
    pub(crate) size_bytes: u32,
    pub(crate) compressed_bytes: u32,
    pub(crate) unix_mode: u32,
    /// Where the directory says that it begins, where that is not the truth.
    pub(crate) offset: Option<u32>,
}

impl Member {
    fn new(name: &[u8], content: &[u8], unix_mode: u32) -> Self {
        Self {
            name: name.to_vec(),
            packed: content.to_vec(),
            method: 0,
            flags: 1 << 11,
            crc32: crc32fast::hash(content),
            size_bytes: small(content.len()),
            compressed_bytes: small(content.len()),
            unix_mode,
            offset: None,
        }
    }

    pub(crate) fn file(name: &str, content: &[u8]) -> Self {
        Self::new(name.as_bytes(), content, FILE)
    }

    pub(crate) fn folder(name: &str) -> Self {
        Self::new(name.as_bytes(), b"", FOLDER)
    }

    pub(crate) fn link(name: &str, target: &str) -> Self {
        Self::new(name.as_bytes(), target.as_bytes(), LINK)
    }

    /// A file that is compressed.
    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        use std::io::Write as _;
        let level = flate2::Compression::best();
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(content).expect("packed");
        let packed = encoder.finish().expect("packed");
        Self {
            method: DEFLATE,
            compressed_bytes: small(packed.len()),
            packed,
            ..Self::file(name, content)
        }
    }
}

/// An archive that is being written.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
    members: Vec<(Member, u32)>,
}

impl Builder {
    /// Adds an entry and gives where it begins.
    pub(crate) fn add(&mut self, member: Member) -> u32 {
        let offset = small(self.bytes.len());
        self.bytes.extend(local_header(&member));
        self.bytes.extend(&member.packed);
        self.list(member, offset);
        offset
    }

    /// Adds a record to the directory whose entry is said to begin there.
    pub(crate) fn list(&mut self, member: Member, offset: u32) {
        self.members.push((member, offset));
    }

    /// All bytes, with the directory.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let start = self.bytes.len();
        for (member, offset) in &self.members {
            let record = central_record(member, member.offset.unwrap_or(*offset));
            self.bytes.extend(record);
        }
        let directory_bytes = small(self.bytes.len() - start);
        let count = u16::try_from(self.members.len()).expect("few");
        push32(&mut self.bytes, &[END]);
        push16(&mut self.bytes, &[0, 0, count, count]);
        push32(&mut self.bytes, &[directory_bytes, small(start)]);
        push16(&mut self.bytes, &[0]);
        self.bytes
    }
}

pub(crate) fn local_header(member: &Member) -> Vec<u8> {
    let mut out = Vec::new();
    push32(&mut out, &[LOCAL]);
    push16(&mut out, &[20, member.flags, member.method, 0, 0x5a21]);
    push32(
        &mut out,
        &[member.crc32, member.compressed_bytes, member.size_bytes],
    );
    push16(&mut out, &[name_bytes(member), 0]);
    out.extend(&member.name);
    out
}

fn central_record(member: &Member, offset: u32) -> Vec<u8> {
    /// Version 2.0, of Unix.
    const MADE_BY_UNIX: u16 = 0x0314;
    let mut out = Vec::new();
    push32(&mut out, &[CENTRAL]);
    push16(
        &mut out,
        &[MADE_BY_UNIX, 20, member.flags, member.method, 0, 0x5a21],
    );
    push32(
        &mut out,
        &[member.crc32, member.compressed_bytes, member.size_bytes],
    );
    push16(&mut out, &[name_bytes(member), 0, 0, 0, 0]);
    push32(&mut out, &[member.unix_mode << 16, offset]);
    out.extend(&member.name);
    out
}

fn name_bytes(member: &Member) -> u16 {
    u16::try_from(member.name.len()).expect("short")
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("small")
}

fn push16(out: &mut Vec<u8>, numbers: &[u16]) {
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn push32(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}
