//! Servers of several processes, which a wider run starts (`ZIPKEEP_SERVERS=all`): scripts of the support
//! start and watch their parts.

use super::chance::free_port;
use super::install::{Package, find_program, install};
use super::servers::{Keys, Prepared, Server, start};
use super::tools;
use std::path::Path;
use std::process::Command;

/// `OpenStack` Swift behind its own S3 front: takes 1,000 parts, and no other number than these.
pub(crate) struct Swift;

/// Ceph behind its own S3 front, the object gateway.
pub(crate) struct Ceph;

impl Swift {
    const PACKAGE: Package = Package {
        requirement: "swift==2.38.0",
        program: "swift-proxy-server",
    };

    /// A server for one test alone.
    pub(crate) fn start() -> Option<Server> {
        start("OpenStack Swift", install(&Self::PACKAGE), Self::prepare)
    }

    fn prepare(program: &Path, _folder: &Path, port: u16, admin: &Keys, _: &Keys) -> Prepared {
        // A user of Swift is one of an account.
        let access_key_id = format!("account:{}", admin.access_key_id);
        let mut server = script(&program.with_file_name("python"), "swift_cluster.py");
        server.args([&port.to_string(), &access_key_id, &admin.secret_access_key]);
        for _storage_server in ["account", "container", "object"] {
            server.arg(free_port().to_string());
        }
        Prepared {
            access_key_id: Some(access_key_id),
            ..Prepared::new(server)
        }
    }
}

impl Ceph {
    /// A server for one test alone. Its packages belong to the system, which no test changes.
    pub(crate) fn start() -> Option<Server> {
        let hint = "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common";
        start("Ceph", find_program("radosgw", hint), Self::prepare)
    }

    fn prepare(_program: &Path, _folder: &Path, port: u16, admin: &Keys, _: &Keys) -> Prepared {
        let mut server = script(Path::new(tools::PYTHON), "ceph_cluster.py");
        server
            .args([port, free_port()].map(|port| port.to_string()))
            .args([&admin.access_key_id, &admin.secret_access_key]);
        Prepared::new(server)
    }
}

/// A script of the support, which leaves no compiled copies beside itself.
fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(tools::script(name));
    command
}
