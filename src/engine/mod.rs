//! The use cases: one function each, called alike by the window and the terminal.
//!
//! Each takes an open [`Store`](crate::storage::Store), a request and a [`Context`], and gives a
//! report or an [`EngineError`]. Nothing here prints, draws or knows who asked.

mod backup;
mod catalog;
mod context;
mod delete;
mod download;
mod error;
mod files;
mod list;
mod lock;
mod meter;
mod moves;
mod place;
mod plan;
mod range_reader;
mod report;
mod request;
mod restore;
mod show;
mod stage;
mod stop;
mod test;
mod verify;
mod watch;

pub use backup::backup;
#[cfg(feature = "bench")]
pub use backup::bench;
pub use context::Context;
pub use delete::delete;
pub use download::download;
pub use error::{EngineError, Leftover, causes};
pub use list::{find, list};
pub use report::{
    BackupReport, Check, CheckOutcome, DeleteReport, DownloadReport, Evidence, FullBecause,
    RestoreReport, ShowReport, ShownEntry, TestReport, VerifyReport,
};
pub use request::{
    BackupOptions, BackupRequest, DeletedData, Earlier, RestoreRequest, RestoreTarget, VerifyDepth,
    VerifyRequest,
};
pub use restore::restore;
pub use show::show;
pub use stop::{StopReason, StopSwitch};
pub use test::test;
pub use verify::verify;
