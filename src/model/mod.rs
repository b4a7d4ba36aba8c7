//! The nouns of zipkeep: plain data, with no I/O, no clock and no async.
//!
//! Everything here can be made in a test with a literal, and every layer above may use it.

mod appearance;
mod backup;
mod backup_name;
mod cherry_studio;
mod compression;
mod credential_source;
mod destination;
mod endpoint;
mod exclude;
mod manifest;
mod policy;
mod profile;
mod progress;
pub mod providers;
mod secret;
mod size;

pub use appearance::Appearance;
pub use backup::{Backup, Contents, Origin, recency};
pub use backup_name::{BackupName, Os, reduce_device, reduce_field};
pub use cherry_studio::{
    CherryStudioBackup, CherryStudioExtent, CherryStudioLayout, CherryStudioName,
};
pub use compression::Compression;
pub use credential_source::{CredentialSource, CredentialSourceError};
pub use destination::{Addressing, Destination, FolderDestination, S3Destination};
pub use endpoint::{
    Account, Endpoint, EndpointError, Understanding, account_of, endpoint_in_variant, keepable,
    keepable_part, normal_form, region_of_host, resolve_endpoint, understand, understood_so_far,
};
pub use exclude::{exclude_in, exclude_seen_from};
pub use manifest::{
    Entry, EntryKind, FORMAT_MAJOR, FORMAT_MINOR, FormatVersion, Gap, MANIFEST_PATH, Manifest,
    OWN_PREFIX, Root, Skipped, Span, Totals, count_missing,
};
pub use policy::{AccessPolicy, Deleting, access_policy};
pub use profile::{Profile, ProfileError, WhenUnchanged};
pub use progress::{Phase, Progress, Reporter, Trouble, Warning};
pub use providers::Provider;
pub use secret::{Secret, odd_key};
pub use size::{bytes_of_text, bytes_text, count_text};
