//! Real S3 servers on loopback, each with keys of its own and a fresh bucket.

use super::chance::{free_port, random};
use super::install::Installed;
use super::keeper::Keeper;
use super::s3;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zipkeep::model::{Destination, Provider, S3Destination, Secret};

/// The region that every test server is in.
pub(super) const REGION: &str = "us-east-1";
/// Ceph takes 10 s on an idle machine.
const READY_WITHIN: Duration = Duration::from_mins(2);
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
            provider: Provider::MINIO,
            endpoint: self.endpoint_url.clone(),
            region: self.region.clone(),
            bucket: self.bucket.clone(),
            root_path: root_path.to_owned(),
            access_key_id: self.access_key_id.clone(),
            ..S3Destination::default()
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
pub(super) struct Prepared {
    pub(super) server: Command,
    /// Where the server makes its own of the one that it was given.
    pub(super) access_key_id: Option<String>,
    pub(super) reader: Option<Keys>,
}

impl Prepared {
    /// A server with one user, who has the keys that it was given.
    pub(super) fn new(server: Command) -> Self {
        Self {
            server,
            access_key_id: None,
            reader: None,
        }
    }
}

pub(super) type Prepare = fn(&Path, &Path, u16, &Keys, &Keys) -> Prepared;

/// Starts a server; `None` where it cannot be had.
pub(super) fn start(
    name: &'static str,
    installed: Option<Installed>,
    prepare: Prepare,
) -> Option<Server> {
    let installed = installed?;
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
        access_key_id: prepared.access_key_id.unwrap_or(admin.access_key_id),
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

/// In the form that Garage insists on; the others take any.
fn random_keys() -> Keys {
    let secret: String = (0..4).map(|_| format!("{:016x}", random())).collect();
    Keys {
        access_key_id: format!("GK{:016x}{}", random(), &secret[..8]),
        secret_access_key: secret,
    }
}
