//! The journal: what an upload that has not ended consists of, so that a later run can go on with it
//! after a crash, a power cut or a closed lid.
//!
//! It is only appended to, and on the disk before anything counts on it. A part is noted once the
//! destination has confirmed it, with the tag that it gave and the state in which the part ends.

use crate::engine::backup::index::{ArchiveId, IndexEntry, read_frame, write_frame};
use crate::engine::backup::parts::{OpenFile, PartEnd};
use crate::engine::backup::prefix::Prefix;
use crate::model::Span;
use crate::storage::{PartPlace, StoredPart};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// What an upload is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) destination: String,
    pub(super) key: String,
    pub(super) upload_id: String,
    /// When the backup began, in seconds since 1970; it stands in the key.
    pub(super) created_secs: i64,
    pub(super) generation: u32,
    /// The archive that is continued, and what of it is copied.
    pub(super) base: Option<(ArchiveId, Prefix)>,
    pub(super) uniform_bytes: u64,
    /// The folders whose data it may hold, as the system writes their paths.
    pub(super) folders: Vec<OsString>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Note {
    /// An upload of this key is about to be begun.
    Intent {
        key: String,
    },
    Start(Box<Start>),
    Copied(StoredPart),
    Sent(StoredPart, u64, PartEnd),
    /// A later run of these folders goes on after this part; what was noted of later ones is void.
    TakenUp(u32, Vec<OsString>),
}

/// A journal that is written.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

/// What an interrupted run left.
#[derive(Debug)]
pub(super) enum Left {
    /// Uploads of this key may have been begun; nothing is known of them.
    Intent {
        key: String,
    },
    Upload(Box<Unfinished>),
}

/// What a journal tells of an upload that was interrupted.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) start: Start,
    copied: BTreeMap<u32, StoredPart>,
    sent: BTreeMap<u32, Sent>,
    /// Those that a later run did not go on with and has not replaced.
    passed_over: BTreeMap<u32, Sent>,
}

/// A part that the destination has after one that it has not. Whether it can be used shows only once
/// the same bytes come again.
#[derive(Debug)]
pub(super) struct SparePart {
    pub(super) part: StoredPart,
    pub(super) offset: u64,
    /// Of its bytes.
    pub(super) blake3: [u8; 32],
}

#[derive(Debug)]
struct Sent {
    part: StoredPart,
    offset: u64,
    /// Without its entries.
    end: PartEnd,
    /// Where in the journal its note stands.
    noted_at: u64,
}

/// What can be gone on with.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Parts that need not be sent again, copies included.
    pub(super) parts: Vec<StoredPart>,
    /// Where in the journal the notes stand that hold the entries in them, in the order of the parts;
    /// [`Journal::each_entry`] reads them.
    pub(super) entries_at: Vec<u64>,
    pub(super) open: Option<OpenFile>,
    pub(super) spans: Vec<Span>,
    /// Where the next part stands.
    pub(super) next: Option<PartPlace>,
    /// Bytes that were sent, not copied.
    pub(super) sent_bytes: u64,
    /// What the destination has of what comes after.
    pub(super) spare: Vec<SparePart>,
}

/// An upload that is older is not gone on with: providers and people clean up.
const MOST_DAYS: i64 = 7;

impl Journal {
    /// Begins one at `path` for an upload that is about to be begun; an earlier one must have been
    /// dealt with.
    pub(super) fn begin(path: &Path, key: &str) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Beside it, where the next run clears away what a kill left.
        let scratch = path.with_extension("scratch");
        fs::create_dir_all(&scratch)?;
        let mut new_file = tempfile::NamedTempFile::new_in(scratch)?;
        let intent = Note::Intent {
            key: key.to_owned(),
        };
        new_file.write_all(&sealed(&intent)?)?;
        new_file.as_file().sync_all()?;
        let file = new_file.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Goes on with the journal of an interrupted run, after its part of this number.
    pub(super) fn take_up(path: &Path, after: u32, folders: Vec<OsString>) -> io::Result<Self> {
        // What a crash left half written at its end must not stand in the way.
        let whole_bytes = Self::read_notes(path)?.1;
        let file = File::options().write(true).open(path)?;
        file.set_len(whole_bytes)?;
        drop(file);
        let file = File::options().append(true).open(path)?;
        let mut journal = Self {
            file,
            path: path.to_owned(),
        };
        journal.note(&Note::TakenUp(after, folders))?;
        Ok(journal)
    }

    /// Notes that the upload has begun.
    pub(super) fn started(&mut self, start: &Start) -> io::Result<()> {
        self.note(&Note::Start(Box::new(start.clone())))
    }

    pub(super) fn copied(&mut self, part: &StoredPart) -> io::Result<()> {
        self.note(&Note::Copied(part.clone()))
    }

    pub(super) fn sent(&mut self, part: &StoredPart, offset: u64, end: PartEnd) -> io::Result<()> {
        self.note(&Note::Sent(part.clone(), offset, end))
    }

    fn note(&mut self, note: &Note) -> io::Result<()> {
        self.file.write_all(&sealed(note)?)?;
        self.file.sync_data()
    }

    /// Removes it: the upload has ended, well or badly.
    pub(super) fn remove(&self) {
        Self::forget(&self.path);
    }

    /// Removes a journal that nobody goes on with.
    pub(super) fn forget(path: &Path) {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the journal of an upload could not be removed");
            }
            _ => {}
        }
    }

    /// Reads what an interrupted run left; `None` where it left nothing that can be used.
    pub(super) fn read(path: &Path) -> Option<Left> {
        let (notes, _) = match Self::read_notes(path) {
            Ok(notes) => notes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the journal of an upload cannot be read");
                }
                return None;
            }
        };
        Left::of(notes)
    }

    /// Reads the entries that the notes at these places hold, one part after the other.
    pub(super) fn each_entry(
        path: &Path,
        notes_at: &[u64],
        take: &mut dyn FnMut(IndexEntry) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut file = BufReader::new(File::open(path)?);
        let mut frame = Vec::new();
        for at in notes_at {
            file.seek(SeekFrom::Start(*at))?;
            let Some(Note::Sent(_, _, PartEnd::Known(end))) = read_note(&mut file, &mut frame)
            else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            for entry in end.entries {
                take(entry)?;
            }
        }
        Ok(())
    }

    /// All whole notes without their entries, each with where it stands, and where the last of them ends.
    fn read_notes(path: &Path) -> io::Result<(Vec<(u64, Note)>, u64)> {
        let mut file = BufReader::new(File::open(path)?);
        let mut notes = Vec::new();
        let mut frame = Vec::new();
        let mut whole_bytes = 0;
        while let Some(mut note) = read_note(&mut file, &mut frame) {
            if let Note::Sent(_, _, PartEnd::Known(end)) = &mut note {
                end.entries = Vec::new();
            }
            notes.push((whole_bytes, note));
            whole_bytes += (4 + frame.len() + SEAL_BYTES) as u64;
        }
        Ok((notes, whole_bytes))
    }
}

/// Reads the next note. One that is cut short or makes no sense is what a crash left: it is the end.
fn read_note(file: &mut impl Read, frame: &mut Vec<u8>) -> Option<Note> {
    let note = read_frame(file, frame).ok()??;
    let mut seal = [0; SEAL_BYTES];
    file.read_exact(&mut seal).ok()?;
    (seal == seal_of(frame)).then_some(note)
}

const SEAL_BYTES: usize = 8;

/// After a power cut a file may be as long as it should be and yet hold zeros: a note counts only with
/// the beginning of its own hash after it.
fn seal_of(frame: &[u8]) -> [u8; SEAL_BYTES] {
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&blake3::hash(frame).as_bytes()[..SEAL_BYTES]);
    seal
}

fn sealed(note: &Note) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, note)?;
    let seal = seal_of(&bytes[4..]);
    bytes.extend_from_slice(&seal);
    Ok(bytes)
}

/// Makes a rename last.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

impl Left {
    fn of(notes: Vec<(u64, Note)>) -> Option<Self> {
        let mut notes = notes.into_iter();
        let Some((_, Note::Intent { key })) = notes.next() else {
            return None;
        };
        match notes.next() {
            Some((_, Note::Start(start))) => {
                Unfinished::of(*start, notes).map(|left| Self::Upload(Box::new(left)))
            }
            _ => Some(Self::Intent { key }),
        }
    }
}

impl Sent {
    fn spare(self) -> Option<SparePart> {
        let PartEnd::Known(end) = self.end else {
            return None;
        };
        Some(SparePart {
            part: self.part,
            offset: self.offset,
            blake3: end.span_blake3,
        })
    }
}

impl Unfinished {
    fn of(start: Start, notes: impl Iterator<Item = (u64, Note)>) -> Option<Self> {
        let mut unfinished = Self {
            start,
            copied: BTreeMap::new(),
            sent: BTreeMap::new(),
            passed_over: BTreeMap::new(),
        };
        for (noted_at, note) in notes {
            match note {
                Note::Intent { .. } | Note::Start(_) => return None,
                Note::Copied(part) => {
                    unfinished.copied.insert(part.number, part);
                }
                Note::Sent(part, offset, end) => {
                    let sent = Sent {
                        part,
                        offset,
                        end,
                        noted_at,
                    };
                    unfinished.passed_over.remove(&sent.part.number);
                    unfinished.sent.insert(sent.part.number, sent);
                }
                Note::TakenUp(after, folders) => {
                    unfinished.start.folders.extend(folders);
                    let later = unfinished.sent.split_off(&after.saturating_add(1));
                    unfinished.passed_over.extend(later);
                }
            }
        }
        Some(unfinished)
    }

    /// Whether it is too old to go on with.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        let begun = Timestamp::from_second(self.start.created_secs);
        let until = begun.and_then(|begun| begun.checked_add((24 * MOST_DAYS).hours()));
        until.is_err() || until.is_ok_and(|until| until < now)
    }

    /// What can be gone on with, of what the destination says it has: the parts that both sides know
    /// alike, sent ones as an unbroken run and then as spare parts.
    pub(super) fn progress(self, stored: &[StoredPart]) -> Progress {
        let stored: BTreeMap<u32, &StoredPart> =
            stored.iter().map(|part| (part.number, part)).collect();
        let is_there = |part: &StoredPart| stored.get(&part.number) == Some(&part);
        let mut progress = Progress::default();
        let copies = self
            .start
            .base
            .as_ref()
            .map_or(0, |(_, prefix)| prefix.copies());
        progress
            .parts
            .extend(self.copied.into_values().filter(|part| is_there(part)));
        let mut sent_parts = self.sent;
        for number in copies + 1.. {
            let is_usable = sent_parts
                .get(&number)
                .is_some_and(|sent| matches!(sent.end, PartEnd::Known(_)) && is_there(&sent.part));
            let Some(sent) = sent_parts.remove(&number).filter(|_| is_usable) else {
                break;
            };
            let PartEnd::Known(end) = sent.end else {
                break;
            };
            let carried = if number == copies + 1 {
                let prefix = self.start.base.as_ref().map(|(_, prefix)| prefix);
                prefix.map_or(0, Prefix::carried_bytes)
            } else {
                0
            };
            progress.spans.push(Span {
                offset: sent.offset + carried,
                bytes: sent.part.bytes - carried.min(sent.part.bytes),
                blake3: blake3::Hash::from_bytes(end.span_blake3)
                    .to_hex()
                    .to_string(),
            });
            progress.next = Some(PartPlace {
                number: number + 1,
                offset: sent.offset + sent.part.bytes,
            });
            progress.sent_bytes += sent.part.bytes;
            progress.entries_at.push(sent.noted_at);
            progress.open = end.open;
            progress.parts.push(sent.part);
        }
        // The first part may begin with carried bytes, which its hash does not cover.
        let later = sent_parts
            .into_values()
            .chain(self.passed_over.into_values());
        let later = later.filter(|sent| sent.part.number > copies + 1 && is_there(&sent.part));
        progress.spare.extend(later.filter_map(Sent::spare));
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backup::parts::KnownEnd;
    use proptest::prelude::*;

    const PARTS: u32 = 4;

    fn start() -> Start {
        Start {
            destination: "somewhere".to_owned(),
            key: "p.20261122T080910Z.pc.linux.zip".to_owned(),
            upload_id: "an upload".to_owned(),
            created_secs: 1_795_334_950,
            generation: 0,
            base: None,
            uniform_bytes: 0,
            folders: vec!["/home/one".into()],
        }
    }

    fn part(number: u32) -> StoredPart {
        StoredPart {
            number,
            bytes: 1_000 + u64::from(number),
            etag: format!("tag {number}"),
        }
    }

    fn end(number: u32) -> PartEnd {
        PartEnd::Known(Box::new(KnownEnd {
            span_blake3: [u8::try_from(number).expect("small"); 32],
            entries: Vec::new(),
            open: None,
        }))
    }

    fn entry(name: &str) -> IndexEntry {
        IndexEntry::of_empty_file(name, 0)
    }

    /// What a journal tells of an upload that had begun.
    fn unfinished(path: &Path) -> Option<Unfinished> {
        match Journal::read(path)? {
            Left::Upload(unfinished) => Some(*unfinished),
            Left::Intent { key } => {
                assert_eq!(key, start().key);
                None
            }
        }
    }

    /// A journal of some parts, and where its start and each of its further notes end.
    fn written(path: &Path) -> Vec<u64> {
        let length = || fs::metadata(path).expect("there").len();
        let start = start();
        let mut journal = Journal::begin(path, &start.key).expect("begun");
        journal.started(&start).expect("noted");
        let mut ends = vec![length()];
        for number in 1..=PARTS {
            let noted = journal.sent(&part(number), u64::from(number) * 5_000, end(number));
            noted.expect("noted");
            ends.push(length());
        }
        ends
    }

    fn stored() -> Vec<StoredPart> {
        (1..=PARTS + 1).map(part).collect()
    }

    #[test]
    fn a_journal_cut_at_any_length_tells_of_the_whole_notes_before_the_cut_and_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.journal");
        let ends = written(&path);
        let whole = fs::read(&path).expect("read");
        for length in 0..=whole.len() {
            // What the file system makes of a power cut: nothing, or zeros, in place of the rest.
            for fill in [0, whole.len() - length, 5_000] {
                let mut cut = whole[..length].to_vec();
                cut.resize(length + fill, 0);
                fs::write(&path, &cut).expect("written");
                let notes = ends.iter().filter(|end| **end <= length as u64).count();
                // Zeros may well be what stood there.
                let is_as_it_was = cut.starts_with(&whole);
                let left = unfinished(&path);
                let Some(parts) = notes.checked_sub(1).or(is_as_it_was.then_some(4)) else {
                    assert!(left.is_none(), "{length} {fill}");
                    continue;
                };
                let left = left.unwrap_or_else(|| panic!("{length} {fill}"));
                assert_eq!(left.start, start());
                let progress = left.progress(&stored());
                let found = u32::try_from(progress.parts.len()).expect("small");
                assert!(found as usize == parts || is_as_it_was, "{length} {fill}");
                assert_eq!(progress.parts, stored()[..found as usize]);
                // And the next run writes after them.
                let mut journal = Journal::take_up(&path, found, Vec::new()).expect("taken up");
                journal
                    .sent(&part(found + 1), 7, end(found + 1))
                    .expect("noted");
                let again = unfinished(&path).expect("read").progress(&stored());
                assert_eq!(again.parts, stored()[..=found as usize], "{length} {fill}");
            }
        }
    }

    #[test]
    fn notes_of_parts_after_the_one_that_was_gone_on_with_are_void() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.journal");
        written(&path);
        Journal::take_up(&path, 2, vec!["/home/two".into()]).expect("taken up");
        let unfinished = unfinished(&path).expect("read");
        assert_eq!(unfinished.start.folders, ["/home/one", "/home/two"]);
        let progress = unfinished.progress(&stored());
        assert_eq!(progress.parts, stored()[..2]);
    }

    #[cfg(unix)]
    #[test]
    fn a_big_file_is_gone_on_with_also_where_its_path_is_not_utf_8() {
        use crate::archive::ArchiveWriter;
        use crate::engine::backup::scan::FileState;
        use std::os::unix::ffi::OsStringExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.journal");
        let mut journal = Journal::begin(&path, &start().key).expect("begun");
        journal.started(&start()).expect("noted");
        let mut writer = ArchiveWriter::new(Vec::new());
        let meta = entry("big").record.meta;
        let open = OpenFile {
            entry: writer.begin(meta, 9_000_000).expect("begun"),
            path: OsString::from_vec(b"/photos \xe9/big".to_vec()),
            state: FileState::of(&fs::metadata(&path).expect("there")),
            begun: None,
        };
        let mut end = end(1);
        if let PartEnd::Known(end) = &mut end {
            end.open = Some(open.clone());
        }
        journal.sent(&part(1), 7, end).expect("noted");
        let progress = unfinished(&path).expect("read").progress(&stored());
        assert_eq!(progress.open, Some(open));
    }

    #[test]
    fn only_the_entries_of_parts_that_are_gone_on_with_are_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.journal");
        let mut journal = Journal::begin(&path, &start().key).expect("begun");
        journal.started(&start()).expect("noted");
        let send = |journal: &mut Journal, number: u32, names: &[&str]| {
            let mut end = end(number);
            if let PartEnd::Known(end) = &mut end {
                end.entries = names.iter().map(|name| entry(name)).collect();
            }
            journal.sent(&part(number), 7, end).expect("noted");
        };
        // Parts end in any order.
        send(&mut journal, 2, &["c"]);
        send(&mut journal, 1, &["a", "b"]);
        send(&mut journal, 3, &["void"]);
        let mut journal = Journal::take_up(&path, 2, Vec::new()).expect("taken up");
        send(&mut journal, 3, &["d", "e"]);
        send(&mut journal, 4, &["of a part that is not there"]);
        let progress = unfinished(&path).expect("read").progress(&stored()[..3]);
        let mut names = Vec::new();
        let mut take = |entry: IndexEntry| {
            names.push(entry.record.meta.name);
            Ok(())
        };
        Journal::each_entry(&path, &progress.entries_at, &mut take).expect("read");
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn parts_after_a_gap_are_spare_until_they_are_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.journal");
        written(&path);
        let spare = |there: &[StoredPart]| -> Vec<u32> {
            let progress = unfinished(&path).expect("read").progress(there);
            let spare = progress.spare.iter();
            spare.map(|spare| spare.part.number).collect()
        };
        assert_eq!(spare(&stored()), [0; 0], "all of them are in the run");
        let mut without_second = stored();
        without_second.remove(1);
        assert_eq!(spare(&without_second), [3, 4]);
        // A run that goes on after the first replaces the third and is interrupted, too.
        let mut journal = Journal::take_up(&path, 1, Vec::new()).expect("taken up");
        assert_eq!(spare(&without_second), [3, 4]);
        let mut third = part(3);
        third.etag = "another".to_owned();
        let offset = 3 * 5_000;
        journal.sent(&third, offset, end(3)).expect("noted");
        assert_eq!(
            spare(&without_second),
            [4],
            "the old third is there no more"
        );
        let mut replaced = without_second.clone();
        replaced[1] = third;
        assert_eq!(spare(&replaced), [3, 4]);
    }

    #[test]
    fn a_part_that_the_destination_has_otherwise_ends_what_can_be_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.journal");
        written(&path);
        let mut other = stored();
        other[2].etag = "another".to_owned();
        let progress = unfinished(&path).expect("read").progress(&other);
        assert_eq!(progress.parts, stored()[..2]);
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_makes_another_part(at in any::<prop::sample::Index>(), change in 1_u8..) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("p.journal");
            written(&path);
            let mut bytes = fs::read(&path).expect("read");
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            fs::write(&path, bytes).expect("written");
            if let Some(left) = unfinished(&path) {
                prop_assert_eq!(&left.start, &start());
                let progress = left.progress(&stored());
                prop_assert!(stored().starts_with(&progress.parts));
            }
        }
    }
}
