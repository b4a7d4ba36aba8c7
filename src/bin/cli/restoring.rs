//! The commands that write to this computer's folders: restore and undo.

use crate::args::{ConflictWay, RestoreArgs, UndoArgs};
use crate::commands::{Work, exit_of};
use crate::failure::{Exit, Failure};
use crate::presets;
use crate::profiles::absolute;
use crate::wording::{count, duration, harmless, local_time};
use indicatif::DecimalBytes;
use jiff::tz::TimeZone;
use serde_json::json;
use std::io;
use zipkeep::engine::{
    self, ExtraFiles, ForeseenEffect, Forgotten, HugeFiles, LaterChanges, ListedVersion,
    OnConflict, PreviewDepth, RestoreOptions, RestorePreview, RestoreReport, RestoreRequest,
    RestoreTarget, RunningApps, Selection, SpecialBits, UndoReport,
};
use zipkeep::model::{Backup, count_text};
use zipkeep::storage::{Patience, Store};

/// How many files are named on a terminal.
const NAMED: usize = 20;

impl Work {
    pub(crate) async fn restore(&self, args: RestoreArgs) -> Result<Exit, Failure> {
        let store = self.store(Patience::Patient)?;
        let backup = self.find(&store, &args.backup).await?;
        let request = self.request(&args, &backup)?;
        if args.dry_run {
            return self.preview(&store, request).await;
        }
        let report = engine::restore(&store, request, &self.context).await?;
        self.output.warnings("Not restored", &report.refused);
        self.output
            .warnings("To know of this restore", &report.warnings);
        self.output
            .result("restore", &report, |out| write_report(out, &report))?;
        let told = [report.refused.as_slice(), &report.warnings].concat();
        Ok(exit_of(&told))
    }

    fn request(&self, args: &RestoreArgs, backup: &Backup) -> Result<RestoreRequest, Failure> {
        let to = args.to.as_deref().map(absolute).transpose()?;
        let target = match (&args.app.to_app, to) {
            (Some(app), to) => RestoreTarget::AppData {
                app: app.clone(),
                folder: presets::folder_of(presets::named(app)?, to.as_deref())?,
            },
            (None, Some(folder)) => RestoreTarget::Folder(folder),
            (None, None) => self.original_place_of(backup)?,
        };
        Ok(RestoreRequest {
            key: backup.key.clone(),
            listed: ListedVersion::of(backup),
            target,
            selection: if args.only.is_empty() {
                Selection::All
            } else {
                Selection::Matching(args.only.clone())
            },
            keep_out: self.untouched(),
            options: RestoreOptions {
                on_conflict: match args.on_conflict {
                    ConflictWay::Replace => OnConflict::Replace,
                    ConflictWay::KeepNewer => OnConflict::KeepNewer,
                    ConflictWay::Skip => OnConflict::Skip,
                    ConflictWay::KeepBoth => OnConflict::KeepBoth,
                },
                extra_files: if args.mirror {
                    ExtraFiles::Removed
                } else {
                    ExtraFiles::Kept
                },
                special_bits: if args.special_bits {
                    SpecialBits::Restored
                } else {
                    SpecialBits::LeftOut
                },
                running_apps: if args.app.while_running {
                    RunningApps::Overruled
                } else {
                    RunningApps::Respected
                },
                huge_files: if args.allow_huge {
                    HugeFiles::Restored
                } else {
                    HugeFiles::Refused
                },
            },
        })
    }

    /// Paths of another computer mean nothing here, or worse, something else.
    fn original_place_of(&self, backup: &Backup) -> Result<RestoreTarget, Failure> {
        match backup.device.as_deref() {
            Some(device) if device != self.device => Err(Failure::usage(
                format!("{} was made on another computer, {device}", backup.name),
                "Say where its files go: add --to DIR.",
            )),
            _ => Ok(RestoreTarget::Original),
        }
    }

    async fn preview(&self, store: &Store, request: RestoreRequest) -> Result<Exit, Failure> {
        let preview =
            engine::preview(store, request, PreviewDepth::Contents, &self.context).await?;
        self.output
            .warnings("Would not be restored", &preview.refused);
        self.output
            .warnings("To know of this restore", &preview.warnings);
        self.output
            .result("restore", &preview, |out| write_preview(out, &preview))?;
        let told = [preview.refused.as_slice(), &preview.warnings].concat();
        Ok(exit_of(&told))
    }

    pub(crate) fn undo(&self, args: &UndoArgs) -> Result<Exit, Failure> {
        let data_dir = &self.places.data_dir;
        if args.list {
            return self.list_restores();
        }
        if let (true, Some(id)) = (args.forget, &args.id) {
            let forgotten = engine::forget_restore(data_dir, id)?;
            let result = json!({"forgotten": id, "when": forgotten});
            self.output.result("undo", &result, |out| {
                let when = match forgotten {
                    Forgotten::Now => "is gone",
                    Forgotten::OnceConnected => {
                        "goes as soon as zipkeep is started with its disk connected"
                    }
                };
                writeln!(
                    out,
                    "What was kept of {id} {when}; it cannot be undone any more."
                )
            })?;
            return Ok(Exit::Done);
        }
        let later = if args.force {
            LaterChanges::SetAside
        } else {
            LaterChanges::Respected
        };
        let report = engine::undo(data_dir, args.id.as_deref(), later)?;
        self.output
            .result("undo", &report, |out| write_undone(out, &report))?;
        Ok(Exit::Done)
    }

    fn list_restores(&self) -> Result<Exit, Failure> {
        let restores = engine::restores(&self.places.data_dir)?;
        self.output
            .result("undo", &json!({"restores": restores}), |out| {
                if restores.is_empty() {
                    writeln!(out, "There is no restore that could be undone.")?;
                }
                for restore in &restores {
                    let when = local_time(restore.created, &TimeZone::system());
                    let size = DecimalBytes(restore.kept_bytes).to_string();
                    let to = harmless(&restore.to.join(", "));
                    writeln!(out, "{}  {when}  {size:>10}  {to}", restore.id)?;
                    writeln!(out, "  from {}", harmless(&restore.backup))?;
                    if let Some(undone) = restore.undone {
                        let when = local_time(undone, &TimeZone::system());
                        writeln!(out, "  undone {when}; what was changed before is kept in")?;
                        for folder in &restore.set_aside {
                            writeln!(out, "    {}", harmless(folder))?;
                        }
                    }
                }
                Ok(())
            })?;
        Ok(Exit::Done)
    }
}

fn write_report(out: &mut dyn io::Write, report: &RestoreReport) -> io::Result<()> {
    writeln!(
        out,
        "Restored {} ({}) in {} to:",
        count(report.files, "file"),
        DecimalBytes(report.bytes_written),
        duration(report.duration_secs)
    )?;
    for folder in &report.to {
        writeln!(out, "  {}", harmless(folder))?;
    }
    if report.unchanged > 0 {
        let files = count(report.unchanged, "file");
        writeln!(out, "{files} there already, with the same content.")?;
    }
    if report.removed > 0 {
        let removed = count(report.removed, "thing");
        writeln!(out, "{removed} removed that the backup does not have.")?;
    }
    if let Some(reason) = &report.no_undo {
        writeln!(out, "It cannot be undone: {reason}")?;
    }
    if let Some(id) = &report.undo {
        writeln!(out, "To take it back: zipkeep-cli undo {id}")?;
    }
    Ok(())
}

fn write_preview(out: &mut dyn io::Write, preview: &RestorePreview) -> io::Result<()> {
    for file in &preview.files {
        let word = match file.effect {
            ForeseenEffect::New => "new",
            ForeseenEffect::Replaced => "replaced",
            ForeseenEffect::Removed => "removed",
            ForeseenEffect::Kept => "kept",
            ForeseenEffect::Unchanged => continue,
        };
        writeln!(out, "{word:9} {}", file.path.escape_debug())?;
    }
    let number = |effect| count(preview.count(effect), "file");
    writeln!(
        out,
        "Would restore {} ({}): {} new, {} replaced, {} kept, {} removed, {} there already.",
        harmless(&preview.backup),
        DecimalBytes(preview.bytes),
        number(ForeseenEffect::New),
        preview.count(ForeseenEffect::Replaced),
        preview.count(ForeseenEffect::Kept),
        preview.count(ForeseenEffect::Removed),
        preview.count(ForeseenEffect::Unchanged),
    )?;
    for room in &preview.rooms {
        if let Some(free_bytes) = room.free_bytes {
            let (needed, free) = (DecimalBytes(room.needed_bytes), DecimalBytes(free_bytes));
            writeln!(
                out,
                "{}: {needed} needed, {free} free.",
                harmless(&room.folder.display().to_string())
            )?;
        }
    }
    writeln!(out, "Nothing was changed.")
}

fn write_undone(out: &mut dyn io::Write, report: &UndoReport) -> io::Result<()> {
    writeln!(
        out,
        "Undone: everything is as it was before {} was restored to:",
        harmless(&report.backup)
    )?;
    for folder in &report.to {
        writeln!(out, "  {}", harmless(folder))?;
    }
    if let Some(folder) = &report.set_aside {
        let folder = harmless(folder);
        writeln!(out, "What was changed since is kept in {folder}")?;
        for file in report.set_aside_files.iter().take(NAMED) {
            writeln!(out, "  {}", file.escape_debug())?;
        }
        let more = report.set_aside_files.len().saturating_sub(NAMED);
        if more > 0 {
            writeln!(out, "  … and {} more", count_text(more as u64))?;
        }
    }
    Ok(())
}
