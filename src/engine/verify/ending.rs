//! `Ending`: the end of an archive of ours, read and compared with its seal: the manifest, the
//! directory, the end records.

use super::directory::Directory;
use super::findings::{Findings, THE_DIRECTORY, THE_END, THE_MANIFEST};
use super::repacked::is_packed_the_same;
use super::source::Source;
use crate::archive::{
    ArchiveError, EntryRecord, Flaw, HeaderFit, Inspector, Seal, TAIL_BYTES, Tail, parse_manifest,
    records,
};
use crate::engine::error::EngineError;
use crate::model::{BackupName, MANIFEST_PATH, Manifest};

/// The end of an archive of ours.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) directory: Directory,
    /// `None` where it cannot be read.
    pub(super) manifest: Option<Manifest>,
    /// Where entries end and the manifest begins.
    pub(super) entries_end: u64,
}

/// The end of any archive, not compared with anything.
#[derive(Debug)]
pub(super) struct RawEnding {
    tail: Tail,
    directory: Vec<u8>,
    /// What follows the directory.
    rest: Vec<u8>,
}

/// Whose archive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Ours,
    Foreign,
}

/// The longest that a manifest may be, for each entry and besides.
const MANIFEST_BYTES_PER_ENTRY: u64 = 16 * 1024;
const MANIFEST_BYTES_BESIDES: u64 = 64 * 1024 * 1024;

impl RawEnding {
    /// Finds directory and end; `None`, with a finding, where there is nothing to be found.
    pub(super) fn find(
        source: &mut Source,
        archive_bytes: u64,
        findings: &mut Findings,
    ) -> Result<Option<Self>, EngineError> {
        let last = archive_bytes.saturating_sub(TAIL_BYTES)..archive_bytes;
        let last = source.all(last)?;
        let tail = match Tail::find(&last, archive_bytes) {
            Ok(tail) => tail,
            Err(error) => {
                findings.add(THE_END, format!("nothing else could be looked at: {error}"));
                return Ok(None);
            }
        };
        let directory_end = tail.directory_offset + tail.directory_bytes;
        let directory = source.all(tail.directory_offset..directory_end)?;
        // The rest is at hand unless the end says nonsense.
        let rest_bytes = usize::try_from(archive_bytes - directory_end).ok();
        let rest = rest_bytes.and_then(|bytes| last.get(last.len().checked_sub(bytes)?..));
        let Some(rest) = rest else {
            let reason = "nothing else could be looked at: the directory is not where it says";
            findings.add(THE_END, reason);
            return Ok(None);
        };
        Ok(Some(Self {
            tail,
            directory,
            rest: rest.to_vec(),
        }))
    }

    /// Tells whose archive it is by three signs, so that damage to one does not hide it.
    pub(super) fn maker(&self, key: &str) -> Maker {
        let name = key.rsplit('/').next().unwrap_or(key);
        let is_ours = BackupName::parse(name).is_some()
            || Seal::read(&self.rest).is_some()
            || records(&self.directory)
                .map_while(Result::ok)
                .any(|record| record.name() == Some(MANIFEST_PATH));
        if is_ours { Maker::Ours } else { Maker::Foreign }
    }

    /// Whether every record can be told from the next, as in any archive that is whole.
    pub(super) fn has_all_records(&self) -> bool {
        let whole = records(&self.directory).map_while(Result::ok);
        let (count, bytes) = whole.fold((0_u64, 0), |(count, bytes), record| {
            (count + 1, bytes + record.bytes())
        });
        count == self.tail.entries && bytes == self.directory.len()
    }
}

impl Ending {
    /// Reads the end of an archive of ours. The only error but those of the destination is that a newer
    /// version made it.
    pub(super) fn read(
        source: &mut Source,
        raw: RawEnding,
        findings: &mut Findings,
    ) -> Result<Self, EngineError> {
        let RawEnding {
            tail,
            directory,
            rest,
        } = raw;
        let mut directory = Directory::read(directory, &tail, findings);
        let mut hasher = blake3::Hasher::new();
        let mut manifest = None;
        let mut entries_end = tail.directory_offset;
        let record = directory.manifest.take();
        match &record {
            Some(record)
                if record.header_offset.checked_add(record.extent_bytes())
                    == Some(tail.directory_offset) =>
            {
                entries_end = record.header_offset;
                let most_bytes =
                    MANIFEST_BYTES_BESIDES + tail.entries.saturating_mul(MANIFEST_BYTES_PER_ENTRY);
                match read_manifest(source, record, most_bytes, &mut hasher)? {
                    Ok(read) => manifest = Some(read),
                    Err(reason) => findings.add(THE_MANIFEST, reason),
                }
            }
            Some(_) => findings.add(THE_MANIFEST, "it is not where the directory says"),
            None => findings.add(THE_MANIFEST, "the directory does not have it"),
        }
        hasher.update(directory.bytes());
        if !has_seal(&tail, &rest, hasher, findings)
            && findings.is_empty()
            && let Some(record) = record
        {
            let is_sure = is_packed_the_same(source, record)?;
            let place = if is_sure { THE_DIRECTORY } else { THE_MANIFEST };
            let reason = "it is not as it was written: its hash is not what the seal says";
            findings.add(place, reason);
        }
        directory.check_places(entries_end, findings);
        Ok(Self {
            directory,
            manifest,
            entries_end,
        })
    }
}

/// Reads the manifest, or tells why it cannot be read.
fn read_manifest(
    source: &mut Source,
    record: &EntryRecord,
    most_bytes: u64,
    hasher: &mut blake3::Hasher,
) -> Result<Result<Manifest, String>, EngineError> {
    let mut text = Vec::new();
    let most_bytes = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    let mut inspector = Inspector::default();
    inspector.begin(record.clone());
    let extent = record.header_offset..record.header_offset + record.extent_bytes();
    source.each(extent, &mut |bytes| {
        hasher.update(bytes);
        inspector.feed(bytes, &mut |content| {
            let room = most_bytes.saturating_sub(text.len()).min(content.len());
            text.extend_from_slice(&content[..room]);
        });
    })?;
    let verdict = inspector.end();
    match verdict.flaw {
        Some(flaw) => Ok(Err(flaw.reason().to_owned())),
        // It is made anew for every backup.
        None if verdict.header != HeaderFit::Same => Ok(Err(Flaw::Header.reason().to_owned())),
        None => manifest_of(&text),
    }
}

/// Whether the seal vouches for what `hasher` has seen, manifest and directory, and for the end. What
/// is wrong with the end itself is found damage.
fn has_seal(tail: &Tail, rest: &[u8], mut hasher: blake3::Hasher, findings: &mut Findings) -> bool {
    let Some(seal) = Seal::read(rest) else {
        findings.add(THE_END, "its seal is damaged or missing");
        return false;
    };
    let end = &rest[..rest.len() - Seal::TEXT_BYTES];
    hasher.update(end);
    if !tail.is_followed_by(end) {
        findings.add(THE_END, "it is not as it was written");
        return false;
    }
    seal.fits(&hasher)
}

fn manifest_of(text: &[u8]) -> Result<Result<Manifest, String>, EngineError> {
    match parse_manifest(text) {
        Ok(manifest) => Ok(Ok(manifest)),
        Err(error @ ArchiveError::NewerFormat { .. }) => Err(error.into()),
        Err(ArchiveError::Manifest(error)) => Ok(Err(format!("it cannot be read: {error}"))),
        Err(error) => Ok(Err(format!("it cannot be read: {error}"))),
    }
}
