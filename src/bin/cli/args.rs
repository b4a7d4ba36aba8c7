//! The command line as data: what `zipkeep-cli` accepts. Contract with scripts; change with care.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use zipkeep::model::{Compression, CredentialSource, Provider, WhenUnchanged};

/// Back folders up to your own S3-compatible bucket, each backup one plain ZIP, and restore them anywhere.
#[derive(Debug, Parser)]
#[command(name = "zipkeep-cli", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Profile to use instead of the one chosen in the window
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Write JSON Lines to standard output, and nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Show the log while working
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with warnings, 130 cancelled.
Environment: ZIPKEEP_SECRET_ACCESS_KEY gives the secret for one run, ZIPKEEP_SESSION_TOKEN the session
token of temporary keys; HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured;
ZIPKEEP_CONFIG_DIR and ZIPKEEP_DATA_DIR move the settings and the data.";

const VERIFY_EXIT_CODES: &str = "\
Exit codes: 0 the backup is whole, 1 some of it is damaged or it could not be read, 130 cancelled.
What is damaged is named on standard error; with --json in `damaged` of the result.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show and change profiles: where backups are kept and what they hold
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Test the connection, one line a check
    Test(TestArgs),
    /// Back up the profile's folders, or only these
    Backup {
        /// Folders to back up instead of the profile's
        #[arg(value_name = "FOLDER")]
        folders: Vec<PathBuf>,
        /// Make a new backup also when nothing changed
        #[arg(long)]
        force: bool,
        /// Leave nothing of deleted or replaced files in the new backup; earlier ones stay as they are
        #[arg(long)]
        remove_deleted: bool,
        /// Send everything anew instead of copying what earlier backups have, which may be damaged
        #[arg(long, conflicts_with = "remove_deleted")]
        full: bool,
    },
    /// List the backups
    List {
        /// Only those of this computer
        #[arg(long)]
        this_device: bool,
    },
    /// Show what a backup holds, without downloading it
    Show {
        /// File name of the backup, the beginning of one, or "latest"
        backup: String,
        /// Only entries that fit this pattern; * and ? stay within a folder, ** does not
        #[arg(long, value_name = "GLOB")]
        path: Option<String>,
    },
    /// Restore a backup or some of it, to where it came from or to a folder
    Restore(RestoreArgs),
    /// Put back what a restore replaced or removed: the last one, or that of this ID
    Undo(UndoArgs),
    /// Read a backup back and compare every file with what was backed up
    #[command(after_help = VERIFY_EXIT_CODES)]
    Verify {
        /// File name of the backup, the beginning of one, or "latest"
        backup: String,
        /// Read only its end, directory and manifest, not the files' content
        #[arg(long)]
        quick: bool,
    },
    /// Fetch a backup's ZIP as it is
    Download {
        /// File name of the backup, the beginning of one, or "latest"
        backup: String,
        /// File to write; it must not exist
        file: PathBuf,
    },
    /// Delete backups
    Delete {
        /// File names of the backups, beginnings of them, or "latest"
        #[arg(required = true)]
        backups: Vec<String>,
        /// Really delete: this cannot be undone
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Keep what the destination wants otherwise than the profile says: its region, its addressing
    #[arg(long)]
    pub(crate) save: bool,
    /// Remove unfinished uploads that are older than a day
    #[arg(long)]
    pub(crate) clean_up: bool,
}

impl Command {
    /// The name in JSON lines.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Profile(_) => "profile",
            Self::Test(_) => "test",
            Self::Backup { .. } => "backup",
            Self::List { .. } => "list",
            Self::Show { .. } => "show",
            Self::Restore(_) => "restore",
            Self::Undo(_) => "undo",
            Self::Verify { .. } => "verify",
            Self::Download { .. } => "download",
            Self::Delete { .. } => "delete",
        }
    }
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct RestoreArgs {
    /// File name of the backup, the beginning of one, or "latest"
    pub(crate) backup: String,
    /// Folder to restore to, instead of the original places; with --to-app the program's data folder
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Only entries that fit this pattern, and all that is in them; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// What to do where the target has a file already
    #[arg(long, value_enum, value_name = "WAY", default_value_t = ConflictWay::Replace)]
    pub(crate) on_conflict: ConflictWay,
    /// Remove what the target has and the backup has not, but for what the backup left out; with --only,
    /// from the chosen folders
    #[arg(long)]
    pub(crate) mirror: bool,
    /// Restore setuid, setgid and sticky bits too
    #[arg(long)]
    pub(crate) special_bits: bool,
    /// Restore also what another program's ZIP has packed more than a hundredfold, beyond 1 GiB
    #[arg(long)]
    pub(crate) allow_huge: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What a restore has to do with programs.
#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    /// Restore into the data folder of this program, which is found on this computer: its own archive or a
    /// backup of such a folder. See `profile presets`
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) to_app: Option<String>,
    /// Restore also where a program runs on the data that is replaced, which may damage it
    #[arg(long)]
    pub(crate) while_running: bool,
}

/// What to do where the target has a file already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConflictWay {
    /// The restored file takes its place
    Replace,
    /// The file that was changed last stays
    KeepNewer,
    /// The target's file stays
    Skip,
    /// Both stay, the restored one under another name
    KeepBoth,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// ID of the restore, as the list shows it
    pub(crate) id: Option<String>,
    /// List the restores that can be undone
    #[arg(long, conflicts_with_all = ["id", "force", "forget"])]
    pub(crate) list: bool,
    /// Undo also where files changed since: they are set aside and kept
    #[arg(long)]
    pub(crate) force: bool,
    /// Let go of what is kept for undoing, instead of undoing
    #[arg(long, conflicts_with = "force", requires = "id")]
    pub(crate) forget: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles
    List,
    /// Show the profile (that of --profile, or the one in use)
    Show,
    /// Add a profile
    Add {
        /// Name: letters, digits, "-" and "_"
        name: String,
        #[command(flatten)]
        settings: ProfileSettings,
    },
    /// Change a profile: only what is given
    Edit {
        /// Name of the profile
        name: String,
        #[command(flatten)]
        settings: ProfileSettings,
    },
    /// Forget a profile and its secret; its backups stay
    Remove {
        /// Name of the profile
        name: String,
    },
    /// List the programs whose data folders --preset knows, and where they are on this computer
    Presets,
    /// List the providers that --provider knows, their regions, and where keys are made
    Providers,
    /// Write the access policy that a key for this profile needs, and nothing beyond it
    Policy {
        /// Name of the profile
        name: String,
        /// Without the right to delete backups
        #[arg(long)]
        no_delete: bool,
    },
    /// Write a profile to standard output, without its secret
    Export {
        /// Name of the profile
        name: String,
    },
    /// Add a profile that was exported
    Import {
        /// File that `export` wrote
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ProfileSettings {
    /// Who keeps the backups; see `profile providers`
    #[arg(long, value_parser = ProviderArg::parser())]
    pub(crate) provider: Option<ProviderArg>,
    /// Address of the service; may carry the bucket
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Region, as the provider names it
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Bucket
    #[arg(long)]
    pub(crate) bucket: Option<String>,
    /// Folder within the bucket; with --provider folder the folder itself
    #[arg(long, value_name = "PATH")]
    pub(crate) root: Option<String>,
    /// Whether the endpoint of another computer may begin with http://, so that others could read what is sent
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) allow_plain_http: Option<bool>,
    /// Access key id
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Where the keys come from: "keys" (kept here), "environment" (`AWS_ACCESS_KEY_ID` and the like) or
    /// "aws-profile:NAME" (a profile of ~/.aws)
    #[arg(long, value_name = "SOURCE")]
    pub(crate) credentials: Option<CredentialSource>,
    /// PEM file of the authority that vouches for an own server's certificate; "" forgets it
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_certificate: Option<OsString>,
    /// Read the secret access key from standard input
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// Folder to back up; give it once for each folder
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Vec<PathBuf>,
    /// Leave out what fits this pattern, written as in .gitignore; may be given several times. One that
    /// begins with the whole path of a folder reaches only what is in that folder
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Also back up this program's data, and leave its caches out; see `profile presets`. Together with
    /// the --source that is its data folder, only that one
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) preset: Vec<String>,
    /// How hard to compress: fast is quicker and a tenth bigger, small is smallest and slow
    #[arg(long, value_enum)]
    pub(crate) compression: Option<CompressionArg>,
    /// What to do when nothing changed since the last backup
    #[arg(long, value_enum)]
    pub(crate) when_unchanged: Option<WhenUnchangedArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompressionArg {
    Fast,
    Normal,
    Small,
}

impl From<CompressionArg> for Compression {
    fn from(argument: CompressionArg) -> Self {
        match argument {
            CompressionArg::Fast => Self::Fast,
            CompressionArg::Normal => Self::Normal,
            CompressionArg::Small => Self::Small,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenUnchangedArg {
    /// Make no new backup
    Skip,
    /// Make a new backup all the same
    BackUp,
}

impl From<WhenUnchangedArg> for WhenUnchanged {
    fn from(argument: WhenUnchangedArg) -> Self {
        match argument {
            WhenUnchangedArg::Skip => Self::Skip,
            WhenUnchangedArg::BackUp => Self::BackUp,
        }
    }
}

/// Who keeps the backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProviderArg {
    /// A folder of this computer.
    Folder,
    /// A provider of buckets.
    Bucket(Provider),
}

impl ProviderArg {
    /// What the option takes: every provider that is known, then the folder.
    fn parser() -> impl TypedValueParser<Value = Self> {
        let known = Provider::all().map(|it| PossibleValue::new(it.id()).help(it.title()));
        let folder = PossibleValue::new("folder").help("A folder of this computer");
        let values = known.chain([folder]).collect::<Vec<_>>();
        PossibleValuesParser::new(values)
            .map(|id| Provider::known(&id).map_or(Self::Folder, Self::Bucket))
    }

    /// The provider; `None` for a folder of this computer.
    pub(crate) fn provider(self) -> Option<Provider> {
        match self {
            Self::Folder => None,
            Self::Bucket(provider) => Some(provider),
        }
    }
}
