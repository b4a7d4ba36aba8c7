//! The use cases: one function each, called alike by the window and the terminal.
//!
//! Each takes an open [`Store`](crate::storage::Store), a request and a [`Context`], and gives a
//! report or an [`EngineError`]. Nothing here prints, draws or knows who asked.

mod backup;
mod catalog;
mod context;
mod copying;
mod delete;
mod describe;
mod doctor;
mod download;
mod error;
mod excludes;
mod files;
mod hex;
mod in_use;
mod inside;
mod list;
mod lock;
mod meter;
mod range_reader;
mod report;
mod request;
mod restore;
mod show;
mod stop;
mod verify;
mod watch;

pub use backup::backup;
#[cfg(feature = "bench")]
pub use backup::bench;
pub use context::Context;
pub use delete::delete;
pub use describe::describe;
pub use doctor::{
    Check, CheckId, CheckOutcome, CleanedUp, Learnt, Leftovers, TestReport, clean_up, test,
};
pub use download::download;
pub use error::{EngineError, Leftover, causes};
pub use inside::{
    Difference, DifferenceKind, Inside, Maker, NodeId, Tree, differences, look_inside,
};
pub use list::{find, list};
pub use report::{
    BackupReport, DeleteReport, DownloadReport, Ended, Evidence, Foreseen, ForeseenEffect,
    Forgotten, FullBecause, KeptRestore, RestorePreview, RestoreReport, Room, SettleReport,
    Settled, ShowReport, ShownEntry, UndoReport, VerifyReport,
};
pub use request::{
    BackupOptions, BackupRequest, DeletedData, Earlier, ExtraFiles, HugeFiles, ListedVersion,
    OnConflict, PreviewDepth, RestoreOptions, RestoreRequest, RestoreTarget, RunningApps,
    Selection, SpecialBits, VerifyDepth, VerifyRequest,
};
pub use restore::{
    LaterChanges, forget_old_restores, forget_restore, preview, proposed_place, restore, restores,
    settle, undo,
};
pub use show::show;
pub use stop::{StopReason, StopSwitch};
pub use verify::verify;
