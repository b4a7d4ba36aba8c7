//! From settings to a [`Store`]: the one way in for the window and the terminal.

use super::deadline::Patience;
use super::error::{Fault, StorageError};
use super::store::{Clients, Store};
use super::upload::PartShape;
use crate::model::{
    Addressing, Destination, Endpoint, FolderDestination, S3Destination, Secret, resolve_endpoint,
};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore};
use std::sync::Arc;

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
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let clients = Clients {
        job: Arc::clone(&store),
        first_contact: store,
    };
    let root = root_of(root_path)?;
    Ok(Store::new(
        clients,
        root,
        Patience::Interactive,
        PartShape::AtBoundaries,
    ))
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
    let store = LocalFileSystem::new_with_prefix(&folder.path)
        .map_err(|error| unusable(error.into()))?
        .with_fsync(true);
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let clients = Clients {
        job: Arc::clone(&store),
        first_contact: store,
    };
    let store = Store::new(clients, Path::default(), patience, PartShape::AtBoundaries);
    Ok(store.in_folder(folder.path.clone()))
}

fn open_s3(
    settings: &S3Destination,
    secret: Option<&Secret>,
    patience: Patience,
) -> Result<Store, StorageError> {
    let endpoint = resolve_endpoint(settings)
        .map_err(|error| StorageError::new(Fault::Settings).about(error.to_string()))?;
    if settings.access_key_id.trim().is_empty() {
        return Err(StorageError::new(Fault::Settings).about("the access key id is empty"));
    }
    let secret = secret
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| StorageError::new(Fault::SecretMissing))?;
    let clients = Clients {
        job: s3_client(settings, &endpoint, secret, patience)?,
        first_contact: s3_client(settings, &endpoint, secret, Patience::Interactive)?,
    };
    let shape = if settings.provider.wants_uniform_parts()
        || endpoint.service_url.ends_with(".r2.cloudflarestorage.com")
    {
        PartShape::Uniform
    } else {
        PartShape::AtBoundaries
    };
    Ok(Store::new(
        clients,
        root_of(&settings.root_path)?,
        patience,
        shape,
    ))
}

fn s3_client(
    settings: &S3Destination,
    endpoint: &Endpoint,
    secret: &Secret,
    patience: Patience,
) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let options = ClientOptions::new()
        // Our own deadline, scaled to the size, stands around every request.
        .with_timeout_disabled()
        .with_connect_timeout(patience.connect_timeout())
        .with_allow_http(endpoint.service_url.starts_with("http://"));
    let store = AmazonS3Builder::new()
        .with_endpoint(endpoint.client_url())
        .with_virtual_hosted_style_request(endpoint.addressing == Addressing::VirtualHosted)
        .with_bucket_name(&endpoint.bucket)
        .with_region(&endpoint.region)
        .with_access_key_id(settings.access_key_id.trim())
        .with_secret_access_key(secret.expose())
        .with_retry(patience.retries())
        // We delete one object at a time, and gateways differ in how they answer a batch of one.
        .with_disable_bulk_delete(true)
        .with_client_options(options)
        .build()
        .map_err(|error| StorageError::new(Fault::Settings).caused_by(error))?;
    Ok(Arc::new(store))
}

fn root_of(root_path: &str) -> Result<Path, StorageError> {
    let trimmed = root_path.trim().trim_matches('/');
    Path::parse(trimmed).map_err(|error| {
        StorageError::new(Fault::Settings)
            .about(format!("“{trimmed}” cannot be a root path"))
            .caused_by(error)
    })
}
