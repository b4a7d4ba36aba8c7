//! The bodies of jobs: futures that own all they need, call the engine and give back an outcome.
//!
//! Nothing here knows the window's state; whatever can wait on a disk runs on a blocking thread.

use crate::apps::{self, Found, Surroundings};
use crate::config::{Config, Places};
use crate::engine::{
    self, BackupRequest, Context, EngineError, LaterChanges, PreviewDepth, RestoreRequest,
    VerifyRequest,
};
use crate::gui::job::{JobError, Outcome, Picked, Program, SecretStatus};
use crate::gui::sums::{Changes, Foreseen};
use crate::model::{Backup, Destination, Secret};
use crate::secrets::{self, Unlocked};
use crate::storage::{self, Patience, Store};
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// A destination and how to sign for it.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Where.
    pub destination: Destination,
    /// Whose secret to look up.
    pub profile: String,
    /// A secret that was typed and may not be kept yet; wins over the kept one.
    pub typed: Option<Secret>,
    /// Where secrets are kept.
    pub places: Places,
}

impl Connection {
    async fn open(self, patience: Patience) -> Result<Store, JobError> {
        let Unlocked {
            destination,
            secret,
        } = self.unlock().await?;
        blocking(move || {
            let store = storage::open(&destination, secret.as_ref(), patience);
            Ok(store.map_err(EngineError::from)?)
        })
        .await
    }

    async fn unlock(self) -> Result<Unlocked, JobError> {
        blocking(move || {
            let (places, destination) = (&self.places, &self.destination);
            let unlocked = secrets::unlock(places, &self.profile, destination, self.typed);
            Ok(unlocked?)
        })
        .await
    }
}

/// Tests a destination.
pub(crate) async fn test(connection: Connection, context: Context) -> Result<Outcome, JobError> {
    let Unlocked {
        destination,
        secret,
    } = connection.unlock().await?;
    let report = engine::test(&destination, secret.as_ref(), &context).await?;
    Ok(Outcome::Tested(report))
}

/// Removes unfinished uploads that are older than a day.
pub(crate) async fn clean_up(
    connection: Connection,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Interactive).await?;
    Ok(Outcome::CleanedUp(
        engine::clean_up(&store, &context).await?,
    ))
}

/// Lists the backups.
pub(crate) async fn list(connection: Connection, context: Context) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Interactive).await?;
    Ok(Outcome::Listed(engine::list(&store, &context).await?))
}

/// Backs up.
pub(crate) async fn backup(
    connection: Connection,
    request: BackupRequest,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Patient).await?;
    let report = engine::backup(&store, request, &context).await?;
    Ok(Outcome::BackedUp(Box::new(report)))
}

/// Looks into a backup.
pub(crate) async fn look(
    connection: Connection,
    backup: Backup,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Interactive).await?;
    let inside = engine::look_inside(&store, &backup, &context).await?;
    Ok(Outcome::Looked(Arc::new(inside)))
}

/// Compares a backup with an older one.
pub(crate) async fn compare(
    connection: Connection,
    (older, newer): (Backup, Backup),
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Interactive).await?;
    let older = engine::look_inside(&store, &older, &context).await?;
    let newer = engine::look_inside(&store, &newer, &context).await?;
    blocking(move || {
        let differences = engine::differences(&older.tree, &newer.tree);
        Ok(Outcome::Compared(Arc::new(Changes::of(differences))))
    })
    .await
}

/// Finds out what a restore would do.
pub(crate) async fn foresee(
    connection: Connection,
    request: RestoreRequest,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Interactive).await?;
    let preview = engine::preview(&store, request, PreviewDepth::Looks, &context).await?;
    Ok(Outcome::Foreseen(Arc::new(Foreseen::of(preview))))
}

/// Brings interrupted restores to an end, and lets go of those older than this.
pub(crate) async fn settle(data_dir: PathBuf, kept: SignedDuration) -> Result<Outcome, JobError> {
    blocking(move || {
        let settled = engine::settle(&data_dir);
        engine::forget_old_restores(&data_dir, kept)?;
        Ok(Outcome::Settled(settled))
    })
    .await
}

/// Undoes a restore.
pub(crate) async fn undo(
    data_dir: PathBuf,
    id: String,
    later: LaterChanges,
) -> Result<Outcome, JobError> {
    blocking(move || Ok(Outcome::Undone(engine::undo(&data_dir, Some(&id), later)?))).await
}

/// Lists the restores that can be undone.
pub(crate) async fn restores(data_dir: PathBuf) -> Result<Outcome, JobError> {
    blocking(move || {
        let restores = engine::restores(&data_dir)?;
        Ok(Outcome::RestoresListed(Arc::new(restores)))
    })
    .await
}

/// Lets go of what is kept of a restore, and lists the others.
pub(crate) async fn forget(data_dir: PathBuf, id: String) -> Result<Outcome, JobError> {
    blocking(move || {
        engine::forget_restore(&data_dir, &id)?;
        let restores = engine::restores(&data_dir)?;
        Ok(Outcome::RestoresListed(Arc::new(restores)))
    })
    .await
}

/// Restores.
pub(crate) async fn restore(
    connection: Connection,
    request: RestoreRequest,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Patient).await?;
    let report = engine::restore(&store, request, &context).await?;
    Ok(Outcome::Restored(report))
}

/// Reads a backup back and compares.
pub(crate) async fn verify(
    connection: Connection,
    request: VerifyRequest,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Patient).await?;
    let depth = request.depth;
    let report = engine::verify(&store, request, &context).await?;
    Ok(Outcome::Verified(depth, report))
}

/// Removes one backup.
pub(crate) async fn delete(
    connection: Connection,
    key: String,
    context: Context,
) -> Result<Outcome, JobError> {
    let store = connection.open(Patience::Interactive).await?;
    let report = engine::delete(&store, vec![key], &context).await?;
    Ok(Outcome::Deleted(report))
}

/// Saves settings, and secrets by profile; an empty secret is forgotten. `base` are the settings as they
/// were last on the disk.
pub(crate) async fn save(
    places: Places,
    mut config: Config,
    base: Config,
    secrets: BTreeMap<String, Secret>,
) -> Result<Outcome, JobError> {
    blocking(move || {
        // The terminal may have changed profiles meanwhile. A file that cannot be read is replaced
        // by settings that can: the window told so at its start.
        let adopted = match Config::load(&places) {
            Ok(on_disk) if places.config_file().exists() => config.adopt(&base, &on_disk),
            _ => Vec::new(),
        };
        // The settings first: a secret without its profile is of no use, the other way round is.
        config.save(&places)?;
        for (profile, secret) in &secrets {
            secrets::keep(&places, profile, secret)?;
        }
        Ok(Outcome::Saved(adopted))
    })
    .await
}

/// Finds out whether the secret of `profile` is kept.
pub(crate) async fn find_secret(places: Places, profile: String) -> Result<Outcome, JobError> {
    blocking(move || {
        Ok(Outcome::SecretFound(
            match secrets::find(&places, &profile)? {
                Some(_) => SecretStatus::Kept,
                None => SecretStatus::Missing,
            },
        ))
    })
    .await
}

/// Looks for the data of programs that are known.
pub(crate) async fn find_programs() -> Result<Outcome, JobError> {
    blocking(|| {
        let here = Surroundings::of_this_user();
        let programs = apps::presets().iter().map(|preset| Program {
            preset,
            found: here
                .as_ref()
                .map_or_else(Found::default, |here| apps::find(preset, here)),
        });
        Ok(Outcome::ProgramsFound(programs.collect()))
    })
    .await
}

/// What a person is to choose in the system's dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A folder.
    Folder,
    /// A file with a certificate.
    Certificate,
}

/// Shows the system's dialog for folders, or for a file.
///
/// Call it on the main thread, where macOS wants dialogs to begin; await what comes back anywhere.
pub(crate) fn pick(
    wanted: Wanted,
    title: &str,
    context: Context,
) -> impl Future<Output = Result<Outcome, JobError>> + use<> {
    let dialog = rfd::AsyncFileDialog::new().set_title(title);
    let dialog = match wanted {
        Wanted::Folder => dialog.pick_folder().boxed(),
        Wanted::Certificate => dialog
            .add_filter("Certificates", &["pem", "crt", "cer"])
            .add_filter("All files", &["*"])
            .pick_file()
            .boxed(),
    };
    let opened = Instant::now();
    async move {
        let folder = tokio::select! {
            folder = dialog => folder,
            () = context.cancelled() => return Err(EngineError::Cancelled.into()),
        };
        Ok(Outcome::FolderPicked(Picked {
            folder: folder.map(|handle| handle.path().to_owned()),
            open_for: opened.elapsed(),
        }))
    }
}

/// Runs what may wait for a disk where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JobError> + Send + 'static,
) -> Result<T, JobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(join) => Err(EngineError::Crashed(join.to_string()).into()),
    }
}
