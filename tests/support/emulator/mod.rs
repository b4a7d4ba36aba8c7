//! Storage providers played in this process: AWS S3, Cloudflare R2, Alibaba Cloud OSS, Tencent COS and
//! `MinIO`, each as strict as the real one is known to be.
//!
//! What differs between them is data: one [`Rules`] each in `providers`, what they refuse in their own
//! words. [`Conduct`] is what can be wrong with one server: its clock, its keys, its certificate.
//! One port takes everything: plain requests, TLS, and as a forward proxy requests for any host, so that
//! the real program can be run with the providers' real addresses ([`Computer`]).
//!
//! Nothing in here goes through zipkeep's own code or its S3 client. Signatures are checked, bodies
//! compared with their digests, and what is not known is refused. HTTP/1.1, header signatures only.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses another part of the emulator"
)]

mod address;
mod answer;
mod batch;
mod certificates;
mod chunked;
mod computer;
mod conditions;
mod conduct;
mod connection;
mod digest;
mod errors;
mod ledger;
mod listing;
mod multipart;
mod objects;
mod part_copy;
mod payload;
mod problem;
mod providers;
mod request;
mod rules;
mod server;
mod service;
mod signature;
mod store;
mod target;
mod wire;

pub(crate) use computer::{Computer, Line, Typed};
pub(crate) use conduct::{
    Access, Certificate, Conduct, Held, Key, Page, PartCopy, Public, Ranges, Speaks, Word,
    WrongRegion,
};
pub(crate) use digest::{base64, hex, hmac_sha256, md5, sha256};
pub(crate) use ledger::{Kind, Seen};
pub(crate) use problem::{Problem, Refusal};
pub(crate) use providers::{AWS, COS, EVERY, MINIO, OSS, R2, R2_ACCOUNT};
pub(crate) use rules::{
    BatchDelete, ChecksumHeaders, Conditional, ErrorShape, PartSizes, PathStyle, Regions, Rules,
};
pub(crate) use server::Emulator;
