//! What the integration tests share: real S3 servers, an independent look into buckets and
//! archives, sample folders and their comparison.
//!
//! Nothing in here goes through zipkeep's own code, so that a mistake there cannot confirm itself.
//! The one exception is [`Server::destination`], which only fills in the program's settings.
//!
//! Every test binary compiles this module for itself and uses a part of it.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses another part of the support"
)]

mod asker;
mod chance;
mod clusters;
mod independent;
mod install;
mod keeper;
mod kinds;
mod proxy;
mod rarer_kinds;
mod s3;
mod servers;
mod snapshot;
mod tools;
mod tree;

pub(crate) use asker::{Answer, Ask, Asker};
pub(crate) use clusters::{Ceph, Swift};
pub(crate) use independent::{
    check_archive, extract_with_7z, extract_with_bsdtar, extract_with_python, extract_with_unzip,
};
pub(crate) use kinds::{JuiceFs, SeaweedFs, every_server};
pub(crate) use proxy::{
    Fault, Line, LineReport, Moment, Proxy, Seen, SeenRequest, Step, Tally, When,
};
pub(crate) use rarer_kinds::{Garage, Moto, Rclone, all_servers_wanted};
pub(crate) use s3::{
    Refused, abort_upload, begin_upload, delete_object, get_object, object_keys, put_object,
    put_objects, put_part, try_object_keys, try_put_object, unfinished_uploads,
};
pub(crate) use servers::{Keys, Server};
pub(crate) use snapshot::{
    Kind, Node, Snapshot, assert_same_contents, assert_same_tree, differences, snapshot,
};
pub(crate) use tools::{printed, skip};
pub(crate) use tree::{noise, odd_tree, plain_tree, write_file};
