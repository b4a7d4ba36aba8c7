//! A proxy in front of a test server: it knows the steps of S3, counts them, breaks them in chosen
//! ways, and can be as slow and as far away as a real line.
//!
//! Heads go on unchanged, so that signatures, which cover the `Host`, stay good. Nothing here knows
//! zipkeep's own client. HTTP/1.1 only, no TLS.

mod answer;
mod control;
mod exchange;
mod fault;
mod head;
mod ledger;
mod line;
mod message;
mod parts;
mod pump;
mod step;
mod stream;
mod wire;

pub(crate) use control::Proxy;
pub(crate) use fault::{Fault, When};
pub(crate) use ledger::{Moment, Seen, SeenRequest, Tally};
pub(crate) use line::{Line, LineReport};
pub(crate) use step::Step;
