//! Use case: what an archive of another program says of itself. Only its end and some KiB of one small
//! entry are fetched, or of the beginning of a large one.

use crate::archive::{ArchiveReader, ListedEntry};
use crate::engine::context::Context;
use crate::engine::error::EngineError;
use crate::engine::meter::Meter;
use crate::engine::range_reader::{RangeReader, Shared, open};
use crate::engine::watch::{Counting, LineWatch};
use crate::model::{
    CherryStudioBackup, CherryStudioExtent, CherryStudioLayout, CherryStudioName, EntryKind, Phase,
};
use crate::storage::Store;
use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;
use std::io::Read as _;
use std::sync::Arc;

/// Content that is looked at: what tells of an archive stands at its beginning.
const HEAD_BYTES: u64 = 64 * 1024;
/// Bytes of the archive that are fetched for it, with its header.
const FETCHED_BYTES: u64 = 128 * 1024;

/// Tells what the archive of this key says of itself, where Cherry Studio made it.
pub async fn describe(
    store: &Store,
    key: &str,
    context: &Context,
) -> Result<Option<CherryStudioBackup>, EngineError> {
    let meter = Arc::new(Meter::new(context));
    let _watch = LineWatch::begin(store, &meter, Counting::Nothing);
    meter.begin(Phase::Connecting);
    let object = context.or_cancelled(store.head(key)).await?;
    let name = key.rsplit('/').next().unwrap_or(key).to_owned();
    let reader = RangeReader::new(store, object, context, &meter);
    let look = move || {
        let shared = reader.shared();
        let (mut archive, failure) = open(reader)?;
        let entries = archive.entries()?;
        let described = cherry_studio(&mut archive, &entries, &name, &shared);
        match failure.take() {
            Some(reason) => Err(reason),
            None => Ok(described),
        }
    };
    tokio::task::spawn_blocking(look)
        .await
        .map_err(|crash| EngineError::Crashed(crash.to_string()))?
}

/// Which layout the names of an archive are those of, and which entry tells more; by names alone, an
/// archive of version 2 looks like one of version 1.
pub(super) fn layout_of(entries: &[ListedEntry]) -> Option<(CherryStudioLayout, &ListedEntry)> {
    let find = |name: &str| {
        let is_it = |entry: &&ListedEntry| entry.name == name && entry.kind == EntryKind::File;
        entries.iter().find(is_it)
    };
    if let Some(entry) = find("metadata.json") {
        return Some((CherryStudioLayout::FoldersV1, entry));
    }
    if let (Some(entry), Some(_)) = (find("manifest.json"), find("backup.sqlite")) {
        return Some((CherryStudioLayout::Portable, entry));
    }
    find("data.json").map(|entry| (CherryStudioLayout::DataJson, entry))
}

/// Describes an opened archive, if Cherry Studio made it. What cannot be read stays untold.
pub(super) fn cherry_studio(
    archive: &mut ArchiveReader<RangeReader>,
    entries: &[ListedEntry],
    name: &str,
    shared: &Shared,
) -> Option<CherryStudioBackup> {
    let (layout, telling) = layout_of(entries)?;
    let fields = head_of(archive, telling, shared);
    let named = CherryStudioName::parse(name);
    if named.is_none() && !is_its_own(layout, &fields) {
        return None;
    }
    let holds = |top: &str| {
        let mut files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        files.any(|entry| entry.name.starts_with(top))
    };
    let text = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
    let number = |name: &str| fields.get(name)?.as_u64();
    let of_millis = |name: &str| Timestamp::from_millisecond(fields.get(name)?.as_i64()?).ok();
    let of_text = |name: &str| fields.get(name)?.as_str()?.parse().ok();
    let made = |name: &str| of_millis(name).or_else(|| of_text(name));
    let (device, made_local) = named.map(|named| (named.device, named.made_local)).unzip();
    let mut described = CherryStudioBackup {
        layout,
        format_version: number("version"),
        app_version: text("appVersion"),
        platform: text("platform"),
        arch: text("arch"),
        made: made("timestamp"),
        made_local: made_local.flatten(),
        device: device.flatten(),
        extent: extent(holds("Data/")),
    };
    match layout {
        CherryStudioLayout::DataJson => described.made = made("time"),
        CherryStudioLayout::FoldersV1 | CherryStudioLayout::FoldersV2 => {
            if described.format_version.is_some_and(|version| version >= 7) {
                described.layout = CherryStudioLayout::FoldersV2;
                described.extent = extent(holds("IndexedDB/") || holds("Local Storage/"));
            }
        }
        CherryStudioLayout::Portable => {
            described.format_version = number("backupFormatVersion");
            described.app_version = text("producerAppVersion").or_else(|| text("producerVersion"));
            described.platform = text("producerPlatform").or_else(|| text("platform"));
            described.made = made("createdAt");
            described.extent = extent(text("preset").as_deref() != Some("lite"));
        }
    }
    Some(described)
}

fn extent(is_full: bool) -> CherryStudioExtent {
    if is_full {
        CherryStudioExtent::Full
    } else {
        CherryStudioExtent::Slim
    }
}

/// Whether what an archive says can be nobody else's, though its name is not Cherry Studio's.
fn is_its_own(layout: CherryStudioLayout, fields: &Map<String, Value>) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    match layout {
        CherryStudioLayout::DataJson => {
            let has_number = |name| fields.get(name).is_some_and(Value::is_u64);
            has_number("time") && has_number("version")
        }
        CherryStudioLayout::FoldersV1 | CherryStudioLayout::FoldersV2 => {
            fields.get("appName").and_then(Value::as_str) == Some("Cherry Studio")
        }
        CherryStudioLayout::Portable => has(&["backupFormatVersion", "preset"]),
    }
}

/// The first fields of a JSON object, as far as a bounded piece of it goes.
fn head_of(
    archive: &mut ArchiveReader<RangeReader>,
    entry: &ListedEntry,
    shared: &Shared,
) -> Map<String, Value> {
    let _near = entry.extent.clone().map(|extent| {
        let end = extent.end.min(extent.start + FETCHED_BYTES);
        shared.read_in_order(extent.start..end)
    });
    let mut head = Vec::new();
    match archive.content(entry.index, &entry.name) {
        Ok(content) => {
            // What was read before a failure still tells something.
            content.take(HEAD_BYTES).read_to_end(&mut head).ok();
        }
        Err(error) => tracing::warn!(%error, name = entry.name, "it cannot be read"),
    }
    first_fields(&head)
}

/// The fields of a JSON object that are whole in `head`, which may end anywhere.
fn first_fields(head: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut json = serde_json::Deserializer::from_slice(head);
    // It breaks off where the head ends.
    Fields(&mut fields).deserialize(&mut json).ok();
    fields
}

/// Takes fields in as they come, so that those before the end of a text that is cut stay.
struct Fields<'a>(&'a mut Map<String, Value>);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut last: Option<(String, Value)> = None;
        loop {
            // A number at the very end may have been longer: a value counts once something follows it.
            let next: Option<String> = object.next_key()?;
            self.0.extend(last.take());
            let Some(name) = next else {
                return Ok(());
            };
            last = Some((name, object.next_value()?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_cut_is_read() {
        let whole =
            br#"{"time":1700000000000,"version":5,"localStorage":{"a":"b"},"indexedDB":{}}"#;
        for cut in 0..=whole.len() {
            let fields = first_fields(&whole[..cut]);
            let time = fields.get("time").map(Value::as_u64);
            let expected = (cut >= 31).then_some(Some(1_700_000_000_000));
            assert_eq!(time, expected, "{cut}");
        }
        let fields = first_fields(&whole[..50]);
        assert_eq!(fields.get("version").and_then(Value::as_u64), Some(5));
        assert!(first_fields(b"[1]").is_empty() && first_fields(b"\xff{").is_empty());
    }
}
