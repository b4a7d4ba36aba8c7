//! From settings to a [`Store`]: the one way in for the window and the terminal.

use super::attempts::Attempts;
use super::deadline::{Patience, Times};
use super::error::{Fault, StorageError};
use super::folder_upload::Folder;
use super::line::Line;
use super::memory_upload::Memory;
use super::s3_upload::Bucket;
use super::signed::Signed;
use super::store::{Kind, Parts, Store};
use super::transport::{Connector, Scheme, http_client};
use super::upload::PartShape;
use crate::model::{
    Addressing, Destination, Endpoint, FolderDestination, S3Destination, Secret, resolve_endpoint,
};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::HttpClient;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ClientOptions, RetryConfig};
use std::sync::{Arc, Mutex};

/// Opens a destination. Makes no request yet, but makes the folder of a folder destination.
pub fn open(
    destination: &Destination,
    secret: Option<&Secret>,
    patience: Patience,
) -> Result<Store, StorageError> {
    match destination {
        Destination::Folder(folder) => open_folder(folder, patience),
        Destination::S3(s3) => open_s3(s3, secret, patience),
    }
}

/// A destination that lives in this process only, for tests.
pub fn open_in_memory(root_path: &str) -> Result<Store, StorageError> {
    let line = Arc::<Line>::default();
    let attempts = Attempts::new(Times::from(Patience::Interactive), Arc::clone(&line));
    let client = Arc::new(InMemory::new());
    let memory = Memory {
        client: Arc::clone(&client),
        line,
        uploads: Mutex::default(),
    };
    Ok(Store::new(Parts {
        client: Arc::<InMemory>::clone(&client),
        first_contact: client,
        job: attempts.clone(),
        quick: attempts,
        kind: Kind::Memory(Arc::new(memory)),
        root: root_of(root_path)?,
        place: "memory:".to_owned(),
        part_shape: PartShape::AtBoundaries,
    }))
}

fn open_folder(folder: &FolderDestination, patience: Patience) -> Result<Store, StorageError> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        StorageError::new(Fault::Folder)
            .about(folder.path.display().to_string())
            .caused_by(error)
    };
    if !folder.path.is_absolute() {
        return Err(
            StorageError::new(Fault::Settings).about("the folder for backups is not chosen")
        );
    }
    std::fs::create_dir_all(&folder.path).map_err(|error| unusable(error.into()))?;
    let client = LocalFileSystem::new_with_prefix(&folder.path)
        .map_err(|error| unusable(error.into()))?
        .with_fsync(true);
    let client = Arc::new(client);
    let attempts = Attempts::new(Times::from(patience), Arc::default());
    let open = Folder {
        path: folder.path.clone(),
        client: Arc::clone(&client),
        attempts: attempts.clone(),
    };
    Ok(Store::new(Parts {
        client: Arc::<LocalFileSystem>::clone(&client),
        first_contact: client,
        job: attempts.clone(),
        quick: attempts,
        kind: Kind::Folder(Arc::new(open)),
        root: Path::default(),
        place: format!("folder:{}", folder.path.display()),
        part_shape: PartShape::AtBoundaries,
    }))
}

fn open_s3(
    settings: &S3Destination,
    secret: Option<&Secret>,
    patience: Patience,
) -> Result<Store, StorageError> {
    let quick = Times::from(Patience::Interactive);
    open_s3_with(settings, secret, Times::from(patience), quick)
}

/// Opens a bucket with the times of a job and those of a first contact.
pub(super) fn open_s3_with(
    settings: &S3Destination,
    secret: Option<&Secret>,
    job: Times,
    quick: Times,
) -> Result<Store, StorageError> {
    let endpoint = resolve_endpoint(settings)
        .map_err(|error| StorageError::new(Fault::Settings).about(error.to_string()))?;
    if settings.access_key_id.trim().is_empty() {
        return Err(StorageError::new(Fault::Settings).about("the access key id is empty"));
    }
    let secret = secret
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| StorageError::new(Fault::SecretMissing))?;
    let scheme = if endpoint.service_url.starts_with("http://") {
        Scheme::AlsoHttp
    } else {
        Scheme::HttpsOnly
    };
    let http = http_client(job.connect, scheme)?;
    let first_contact = http_client(quick.connect, scheme)?;
    let first_contact = s3_client(settings, &endpoint, secret, first_contact)?;
    let client = s3_client(settings, &endpoint, secret, http.clone())?;
    let line = Arc::<Line>::default();
    let (job, quick) = (
        Attempts::new(job, Arc::clone(&line)),
        Attempts::new(quick, line),
    );
    let bucket = Bucket {
        signed: signed(&endpoint, &client, http),
        client: client.clone(),
        job: job.clone(),
        quick: quick.clone(),
    };
    let is_uniform = settings.provider.wants_uniform_parts()
        || endpoint.service_url.ends_with(".r2.cloudflarestorage.com");
    Ok(Store::new(Parts {
        client: Arc::new(client),
        first_contact: Arc::new(first_contact),
        job,
        quick,
        kind: Kind::S3(Arc::new(bucket)),
        root: root_of(&settings.root_path)?,
        place: format!("{}/{}", endpoint.service_url, endpoint.bucket),
        part_shape: if is_uniform {
            PartShape::Uniform
        } else {
            PartShape::AtBoundaries
        },
    }))
}

fn s3_client(
    settings: &S3Destination,
    endpoint: &Endpoint,
    secret: &Secret,
    http: HttpClient,
) -> Result<AmazonS3, StorageError> {
    // We ask again by ourselves, for all kinds of requests in the same way.
    let once = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    // The transport is our own: it decides about times and plain HTTP.
    let options = ClientOptions::new().with_allow_http(true);
    AmazonS3Builder::new()
        .with_endpoint(endpoint.client_url())
        .with_virtual_hosted_style_request(endpoint.addressing == Addressing::VirtualHosted)
        .with_bucket_name(&endpoint.bucket)
        .with_region(&endpoint.region)
        .with_access_key_id(settings.access_key_id.trim())
        .with_secret_access_key(secret.expose())
        .with_retry(once)
        // We delete one object at a time, and gateways differ in how they answer a batch of one.
        .with_disable_bulk_delete(true)
        .with_client_options(options)
        .with_http_connector(Connector(http))
        .build()
        .map_err(|error| StorageError::new(Fault::Settings).caused_by(error))
}

fn signed(endpoint: &Endpoint, client: &AmazonS3, http: HttpClient) -> Signed {
    let bucket_url = match endpoint.addressing {
        Addressing::Path => format!("{}/{}", endpoint.service_url, endpoint.bucket),
        Addressing::VirtualHosted => endpoint.client_url(),
    };
    Signed {
        bucket_url,
        bucket: endpoint.bucket.clone(),
        region: endpoint.region.clone(),
        credentials: Arc::clone(client.credentials()),
        http,
    }
}

fn root_of(root_path: &str) -> Result<Path, StorageError> {
    let trimmed = root_path.trim().trim_matches('/');
    Path::parse(trimmed).map_err(|error| {
        StorageError::new(Fault::Settings)
            .about(format!("“{trimmed}” cannot be a root path"))
            .caused_by(error)
    })
}
