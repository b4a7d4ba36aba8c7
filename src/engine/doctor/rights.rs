//! Does in small what a backup and a restore do: list, write, read back, let the destination copy, and try
//! to overwrite. What a key may not do is told as such, not as broken.

use super::probe::{Probe, Uploading};
use super::sheet::{CheckId, Sheet};
use super::words;
use crate::engine::copying::CopyNote;
use crate::storage::{CopySource, Fault, PartPlace, StorageError, Upload};
use bytes::Bytes;

/// What the copy came to.
enum Copied {
    Rightly,
    Wrongly,
}

/// What is copied.
struct Sample<'a> {
    key: &'a str,
    etag: Option<String>,
    /// The bytes that the copy should have.
    content: Bytes,
    extent: Extent,
}

/// How much of an object is copied.
#[derive(Clone, Copy)]
enum Extent {
    /// All of it.
    Whole,
    /// What its content begins with.
    Part,
}

/// Tries all of it, as far as it goes.
/// What it learns of copying goes into `note`, where the next backup looks.
pub(super) async fn try_all(probe: &Probe<'_>, note: &CopyNote, sheet: &mut Sheet) {
    match probe.store.list().await {
        Ok(found) => {
            sheet.passed(CheckId::List, words::listed(found.len()));
            let filled = found.iter().filter(|object| object.size_bytes > 0);
            if let Some(smallest) = filled.min_by_key(|object| object.size_bytes) {
                probe.is_there(&smallest.key);
            }
        }
        Err(error) => {
            sheet.failed(CheckId::List, &error);
            return;
        }
    }
    let etag = match put_fresh(probe, &probe.key, &probe.content).await {
        Ok(etag) => etag,
        Err(error) if error.fault() == Fault::Denied => {
            probe.is_not(&probe.key);
            sheet.warned(CheckId::Write, words::MAY_NOT_WRITE, words::READ_ONLY);
            sheet.add_refusal(&error);
            return;
        }
        Err(error) => {
            sheet.failed(CheckId::Write, &error);
            return;
        }
    };
    probe.is_there(&probe.key);
    sheet.passed(CheckId::Write, "A small object was written");
    if read(probe, sheet).await && probe.store.keeps_parts() {
        copy(probe, etag, note, sheet).await;
        overwrite(probe, sheet).await;
    }
}

/// Writes one of the objects of the probe. Nobody else knows its name: where it is there already, it was
/// written, and only the answer got lost.
async fn put_fresh(
    probe: &Probe<'_>,
    key: &str,
    content: &Bytes,
) -> Result<Option<String>, StorageError> {
    probe.will_be(key);
    match probe.put(key, content).await {
        Err(error) if error.fault() == Fault::AlreadyThere => match probe.store.head(key).await {
            Ok(found) if found.size_bytes == content.len() as u64 => Ok(found.etag),
            Err(denied) if denied.fault() == Fault::Denied => Ok(None),
            _ => Err(error),
        },
        result => result,
    }
}

async fn read(probe: &Probe<'_>, sheet: &mut Sheet) -> bool {
    let size = probe.content.len() as u64;
    match probe.store.read(&probe.key, 1..size, None).await {
        Ok(part) if part == probe.content[1..] => {
            sheet.passed(CheckId::Read, "A part of it was read back unchanged");
            true
        }
        Ok(_) => {
            sheet.refused(CheckId::Read, words::STORES_OTHERWISE, words::DO_NOT_TRUST);
            false
        }
        Err(error) if matches!(error.fault(), Fault::NoObject | Fault::Damaged) => {
            sheet.failed_with(CheckId::Read, &error, words::DO_NOT_TRUST);
            let told = match error.fault() {
                Fault::NoObject => words::STORES_NOT,
                _ => words::STORES_OTHERWISE,
            };
            sheet.reword(told.to_owned());
            false
        }
        Err(error) if error.fault() == Fault::Denied => {
            sheet.warned(CheckId::Read, words::MAY_NOT_READ, words::WRITE_ONLY);
            sheet.add_refusal(&error);
            false
        }
        Err(error) => {
            sheet.failed(CheckId::Read, &error);
            false
        }
    }
}

async fn copy(probe: &Probe<'_>, etag: Option<String>, note: &CopyNote, sheet: &mut Sheet) {
    let small = Sample {
        key: &probe.key,
        etag,
        content: probe.content.clone(),
        extent: Extent::Whole,
    };
    let mut copied = try_copy(probe, &small).await;
    // Garage copies nothing of an object that is smaller than the least part, and backups never ask for that.
    if let Err(error) = &copied
        && error.fault() == Fault::Unsupported
        && error.refusal().status == Some(400)
    {
        copied = copy_of_much(probe).await;
    }
    match copied {
        Ok(Copied::Rightly) => {
            note.forget();
            sheet.passed(CheckId::Copy, words::COPIES);
        }
        Ok(Copied::Wrongly) => {
            note.write(words::COPIES_WRONGLY);
            sheet.warned(CheckId::Copy, words::COPIES_WRONGLY, words::SENDS_ALL);
        }
        Err(error) => {
            if error.fault() == Fault::Unsupported {
                note.write(&error.to_string());
            }
            let (told, hint) = words::copies_not(&error);
            sheet.warned(CheckId::Copy, told, hint);
            sheet.add_refusal(&error);
        }
    }
}

/// Has a part of an object copied that is as large as the least that backups have copied.
async fn copy_of_much(probe: &Probe<'_>) -> Result<Copied, StorageError> {
    let content = probe.large_content();
    let large = Sample {
        key: &probe.large_key,
        etag: put_fresh(probe, &probe.large_key, &content).await?,
        content: content.slice(..content.len() - 1),
        extent: Extent::Part,
    };
    try_copy(probe, &large).await
}

async fn try_copy(probe: &Probe<'_>, sample: &Sample<'_>) -> Result<Copied, StorageError> {
    probe.will_be(&probe.copy_key);
    probe.uploads(Uploading::Somewhere);
    let (store, key) = (probe.store.clone(), probe.copy_key.clone());
    let begin = async move { store.begin_upload(&key).await };
    let upload = probe.to_its_end(&probe.copy_key, begin).await?;
    probe.uploads(Uploading::As(upload.clone()));
    let made = make_copy(probe, &upload, sample).await;
    if made.is_err() {
        upload.abort().await.ok();
    }
    probe.uploads(Uploading::Nothing);
    made
}

async fn make_copy(
    probe: &Probe<'_>,
    upload: &Upload,
    sample: &Sample<'_>,
) -> Result<Copied, StorageError> {
    let size = sample.content.len() as u64;
    let source = CopySource {
        key: sample.key.to_owned(),
        etag: sample.etag.clone(),
        range: 0..size,
    };
    let first = PartPlace {
        number: 1,
        offset: 0,
    };
    let (own, extent) = (upload.clone(), sample.extent);
    let copy = async move {
        match extent {
            Extent::Whole => own.copy_whole(first, &source).await,
            Extent::Part => own.copy(first, &source).await,
        }
    };
    let part = probe.to_its_end(&probe.copy_key, copy).await?;
    let own = upload.clone();
    let complete = async move { own.complete(&[part]).await };
    // An upload that is gone may have been completed, and only the answer got lost.
    let lost = match probe.to_its_end(&probe.copy_key, complete).await {
        Err(error) if matches!(error.fault(), Fault::NoUpload | Fault::AlreadyThere) => Some(error),
        completed => {
            completed?;
            None
        }
    };
    // Some gateways say yes and store nothing.
    let found = match (probe.store.head(&probe.copy_key).await, lost) {
        (Err(error), Some(lost)) if error.fault() == Fault::NoObject => return Err(lost),
        (found, _) => found?,
    };
    if found.size_bytes != size {
        return Ok(Copied::Wrongly);
    }
    let read = probe.store.read(&probe.copy_key, 0..size, None).await?;
    Ok(if read == sample.content {
        Copied::Rightly
    } else {
        Copied::Wrongly
    })
}

async fn overwrite(probe: &Probe<'_>, sheet: &mut Sheet) {
    match probe.put(&probe.key, &probe.content).await {
        Err(error) if error.fault() == Fault::AlreadyThere => {
            sheet.passed(CheckId::Condition, "It refuses to overwrite what is there");
        }
        Ok(_) => sheet.passed(CheckId::Condition, words::NO_CONDITION),
        Err(error) => {
            sheet.warned(
                CheckId::Condition,
                error.to_string(),
                words::NO_CONDITION_HINT,
            );
            sheet.add_refusal(&error);
        }
    }
}
