//! From settings to a [`Store`]: the one way in for the window and the terminal.

use super::attempts::Attempts;
use super::deadline::{Patience, Times};
use super::error::{Fault, StorageError};
use super::folder_upload::Folder;
use super::line::Line;
use super::memory_upload::Memory;
use super::no_overwrite::NoOverwrite;
use super::parts::{PartLimits, PartShape};
use super::s3_upload::Bucket;
use super::signed::Signed;
use super::store::{Kind, Opened, Store};
use super::transport::{Connector, Scheme, http_client};
use super::trust::Trust;

use crate::model::{
    Addressing, Destination, Endpoint, FolderDestination, S3Destination, Secret, odd_key,
    resolve_endpoint,
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
    Ok(Store::new(Opened {
        client,
        job: attempts.clone(),
        quick: attempts,
        kind: Kind::Memory(Arc::new(memory)),
        root: root_of(root_path)?,
        place: "memory:".to_owned(),
        part_shape: PartShape::AtBoundaries,
        part_limits: PartLimits::NONE,
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
    Ok(Store::new(Opened {
        client,
        job: attempts.clone(),
        quick: attempts,
        kind: Kind::Folder(Arc::new(open)),
        root: Path::default(),
        place: format!("folder:{}", folder.path.display()),
        part_shape: PartShape::AtBoundaries,
        part_limits: PartLimits::NONE,
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
    let scheme = scheme_of(&endpoint);
    let trust = Trust::read(settings.ca_certificate.as_deref())?;
    let http = http_client(job.connect, scheme, &trust)?;
    let first_contact = http_client(quick.connect, scheme, &trust)?;
    let client = access(settings, &endpoint, secret, http.clone())?;
    let line = Arc::<Line>::default();
    let (job, quick) = (
        Attempts::new(job, Arc::clone(&line)),
        Attempts::new(quick, line),
    );
    let providers = [settings.provider, endpoint.provider];
    let bucket = Bucket {
        no_overwrite: NoOverwrite::of(&endpoint.provider.preset().conditional_write),
        signed: signed(&endpoint, &client, http),
        first_contact: signed(&endpoint, &client, first_contact),
        client: client.clone(),
        job: job.clone(),
        quick: quick.clone(),
    };
    let is_uniform = providers.iter().any(|it| it.preset().uniform_parts);
    Ok(Store::new(Opened {
        client: Arc::new(client),
        job,
        quick,
        kind: Kind::S3(Arc::new(bucket)),
        root: root_of(&endpoint.root_path)?,
        place: format!("{}/{}", endpoint.service_url, endpoint.bucket),
        part_shape: if is_uniform {
            PartShape::Uniform
        } else {
            PartShape::AtBoundaries
        },
        part_limits: providers
            .map(|it| PartLimits::of(&it.preset().limits))
            .into_iter()
            .fold(PartLimits::NONE, PartLimits::and),
    }))
}

/// Whether the address allows bytes to go over the line in the clear.
pub(super) fn scheme_of(endpoint: &Endpoint) -> Scheme {
    if endpoint.service_url.starts_with("http://") {
        Scheme::AlsoHttp
    } else {
        Scheme::HttpsOnly
    }
}

/// A client with the person's keys; an error where they are not known.
pub(super) fn access(
    settings: &S3Destination,
    endpoint: &Endpoint,
    secret: Option<&Secret>,
    http: HttpClient,
) -> Result<AmazonS3, StorageError> {
    if settings.access_key_id.trim().is_empty() {
        return Err(StorageError::new(Fault::Settings).about("the access key id is empty"));
    }
    let secret = secret
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| StorageError::new(Fault::SecretMissing))?;
    check_credentials(settings.access_key_id.trim(), secret)?;
    // We ask again by ourselves, for all kinds of requests in the same way.
    let once = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    // The transport is our own: it decides about times and plain HTTP.
    let options = ClientOptions::new().with_allow_http(true);
    let mut builder = AmazonS3Builder::new();
    if let Some(token) = secret.expose_session_token() {
        builder = builder.with_token(token);
    }
    builder
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

/// Checks that headers can carry what signs requests: the client takes that for granted.
fn check_credentials(access_key_id: &str, secret: &Secret) -> Result<(), StorageError> {
    match odd_key(access_key_id, secret) {
        Some(name) => Err(StorageError::new(Fault::Settings).about(format!(
            "the {name} holds characters that no key has, such as a line break"
        ))),
        None => Ok(()),
    }
}

/// What signs requests of our own with the keys of `client`.
pub(super) fn signed(endpoint: &Endpoint, client: &AmazonS3, http: HttpClient) -> Signed {
    Signed {
        service_url: endpoint.service_url.clone(),
        bucket_url: endpoint.bucket_url(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;
    use crate::storage::{PartPlace, StoredPart};
    use bytes::Bytes;
    use std::time::{Duration, Instant};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    /// A tenth of what people wait.
    fn short() -> Times {
        Times {
            silence: Duration::from_secs(1),
            attempts: Some(2),
            first_wait: Duration::from_millis(1),
            ..Times::from(Patience::Interactive)
        }
    }

    /// A bucket at a server that does this with every connection.
    async fn bucket<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Store
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        let settings = S3Destination {
            provider: Provider::MINIO,
            endpoint: format!("http://127.0.0.1:{port}"),
            region: "us-east-1".to_owned(),
            bucket: "bucket".to_owned(),
            root_path: String::new(),
            access_key_id: "KEY".to_owned(),
            ..S3Destination::default()
        };
        open_s3_with(&settings, Some(&Secret::new("secret")), short(), short()).expect("opened")
    }

    async fn read_head(stream: &mut TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
    }

    async fn for_ever() {
        std::future::pending::<()>().await;
    }

    #[tokio::test]
    async fn a_part_that_nobody_takes_is_given_up_and_tried_again() {
        let store = bucket(|stream| async move {
            for_ever().await;
            drop(stream);
        });
        let store = store.await;
        let upload = store.take_up_upload("a.zip", "id").expect("taken up");
        let first = PartPlace {
            number: 1,
            offset: 0,
        };
        // More than the system holds for a connection.
        let began = Instant::now();
        let sent = upload.send(first, Bytes::from(vec![0; 64 << 20])).await;
        assert_eq!(sent.expect_err("refused").fault(), Fault::Stalled);
        let line = store.line();
        assert_eq!(line.requests, 2);
        assert!(
            line.sent_bytes > 0 && line.sent_bytes < 128 << 20,
            "{line:?}"
        );
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
    }

    #[tokio::test]
    async fn an_answer_that_stops_in_the_middle_is_given_up() {
        let store = bucket(|mut stream| async move {
            read_head(&mut stream).await;
            let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<Lis";
            stream.write_all(begun).await.expect("written");
            for_ever().await;
        });
        let store = store.await;
        let listed = store.list().await.expect_err("refused");
        assert_eq!(listed.fault(), Fault::Stalled);
        let parts = store.take_up_upload("a.zip", "id").expect("taken up");
        let parts = parts.stored_parts().await.expect_err("refused");
        assert_eq!(parts.fault(), Fault::Stalled);
    }

    /// Of a server that sends and sends, no more is taken than an answer can have.
    #[tokio::test]
    async fn an_answer_that_does_not_end_is_given_up() {
        for status in ["200 OK", "206 Partial Content", "403 Forbidden"] {
            let store = bucket(move |mut stream| async move {
                read_head(&mut stream).await;
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Range: bytes 0-9/20\r\nETag: \"a\"\r\n\
                     Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Length: {}\r\n\r\n",
                    1_u64 << 40
                );
                stream.write_all(head.as_bytes()).await.ok();
                while stream.write_all(&[b'x'; 8 * 1024]).await.is_ok() {}
            });
            let store = store.await;
            let most = 2 * (9 << 20);
            let read = store.read("a.zip", 0..10, None).await.expect_err("refused");
            assert!(store.line().received_bytes < most, "{status}: {read}");
            let begun = store.begin_upload("a.zip").await.expect_err("refused");
            assert!(store.line().received_bytes < 2 * most, "{status}: {begun}");
            let listed = store.list().await.expect_err("refused");
            assert!(store.line().received_bytes < 3 * most, "{status}: {listed}");
        }
    }

    /// As AWS does with keys that may list only what is below a prefix.
    #[tokio::test]
    async fn what_is_missing_is_known_also_where_only_the_list_tells() {
        let store = bucket(|mut stream| async move {
            let method = stream.read_u8().await.expect("a request");
            read_head(&mut stream).await;
            let list = "<ListBucketResult><Contents><Key>there.zip</Key><Size>1</Size>\
                <LastModified>2026-11-22T10:00:00Z</LastModified></Contents></ListBucketResult>";
            let answer = if method == b'H' {
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()
            } else {
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{list}",
                    list.len()
                )
            };
            stream.write_all(answer.as_bytes()).await.expect("written");
        });
        let store = store.await;
        assert!(!store.exists("missing.zip").await.expect("known"));
        let missing = store.delete("missing.zip").await.expect_err("refused");
        assert_eq!(missing.fault(), Fault::NoObject);
        for unknown in ["there.zip", "a folder/missing.zip"] {
            let error = store.exists(unknown).await.expect_err("refused");
            assert_eq!(error.fault(), Fault::Denied, "{unknown}");
        }
    }

    #[tokio::test]
    async fn a_slow_answer_is_waited_for_as_long_as_it_moves() {
        let store = bucket(|mut stream| async move {
            read_head(&mut stream).await;
            let body = b"<ListBucketResult></ListBucketResult>";
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await.expect("written");
            for piece in body.chunks(8) {
                tokio::time::sleep(Duration::from_millis(400)).await;
                stream.write_all(piece).await.expect("written");
            }
        });
        let store = store.await;
        assert_eq!(store.list().await.expect("listed"), []);
        assert_eq!(store.line().requests, 1);
    }

    #[tokio::test]
    async fn a_server_that_joins_parts_in_silence_is_waited_for() {
        let store = bucket(|mut stream| async move {
            read_head(&mut stream).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let made = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(made).await.expect("written");
            for_ever().await;
        });
        let store = store.await;
        let upload = store.take_up_upload("a.zip", "id").expect("taken up");
        let part = StoredPart {
            number: 1,
            bytes: 40 << 20,
            etag: "\"x\"".to_owned(),
        };
        assert_eq!(upload.complete(&[part]).await.expect("completed"), None);
        assert_eq!(store.line().requests, 1);
    }

    #[test]
    fn a_destination_is_named_without_its_secrets() {
        let mut settings = S3Destination {
            provider: Provider::MINIO,
            endpoint: "https://example.com:9000/".to_owned(),
            region: "us-east-1".to_owned(),
            bucket: "bucket".to_owned(),
            root_path: "/some/root/".to_owned(),
            access_key_id: "KEY".to_owned(),
            ..S3Destination::default()
        };
        let identity = |settings: &S3Destination| {
            let secret = Secret::new("secret");
            let store = open_s3_with(settings, Some(&secret), short(), short()).expect("opened");
            store.identity()
        };
        let with_root = identity(&settings);
        assert_eq!(with_root, "https://example.com:9000/bucket/some/root");
        settings.root_path = String::new();
        assert_eq!(identity(&settings), "https://example.com:9000/bucket");
    }

    #[test]
    fn keys_that_no_header_can_carry_are_refused_by_name() {
        let settings = |access_key_id: &str| S3Destination {
            endpoint: "https://example.com".to_owned(),
            bucket: "bucket".to_owned(),
            access_key_id: access_key_id.to_owned(),
            ..S3Destination::default()
        };
        for odd in ["hunter2\nx", "hunter2\u{1}x"] {
            let sound = Secret::new("secret");
            for (id, secret, name) in [
                (odd, sound.clone(), "access key id"),
                ("AK", Secret::new(odd), "secret access key"),
                ("AK", sound.with_session_token(odd), "session token"),
            ] {
                let refused = open_s3_with(&settings(id), Some(&secret), short(), short());
                let Err(refused) = refused else {
                    panic!("{name}: taken");
                };
                assert_eq!(refused.fault(), Fault::Settings);
                let told = format!("{refused} {refused:?}");
                assert!(told.contains(name) && !told.contains("hunter2"), "{told}");
            }
        }
        // Own servers have such passwords, which stand in no header.
        let own = Secret::new("my wörd");
        assert!(open_s3_with(&settings("AK"), Some(&own), short(), short()).is_ok());
    }
}
