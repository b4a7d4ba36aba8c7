//! The use cases.
mod context;
mod error;
mod report;
mod request;

pub use context::Context;
pub use error::EngineError;
pub use report::{
    BackupReport, Check, CheckOutcome, DeleteReport, DownloadReport, RestoreReport, ShowReport,
    TestReport,
};
pub use request::{BackupRequest, RestoreRequest, RestoreTarget};

use crate::model::Backup;
use crate::storage::Store;
/// s
pub async fn backup(
    _store: &Store,
    _request: BackupRequest,
    _context: &Context,
) -> Result<BackupReport, EngineError> {
    todo!()
}
/// s
pub async fn list(_store: &Store, _context: &Context) -> Result<Vec<Backup>, EngineError> {
    todo!()
}
/// s
pub async fn restore(
    _store: &Store,
    _request: RestoreRequest,
    _context: &Context,
) -> Result<RestoreReport, EngineError> {
    todo!()
}
/// s
pub async fn delete(
    _store: &Store,
    _keys: Vec<String>,
    _context: &Context,
) -> Result<DeleteReport, EngineError> {
    todo!()
}
/// s
pub async fn test(_store: &Store, _context: &Context) -> Result<TestReport, EngineError> {
    todo!()
}
/// s
pub async fn show(
    _store: &Store,
    _key: &str,
    _context: &Context,
) -> Result<ShowReport, EngineError> {
    todo!()
}
/// s
pub async fn download(
    _store: &Store,
    _key: &str,
    _file: &std::path::Path,
    _context: &Context,
) -> Result<DownloadReport, EngineError> {
    todo!()
}
