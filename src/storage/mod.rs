//! The only code that names `object_store`.
mod error;
pub use error::{Fault, StorageError};

/// How long to try before giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A person is watching: a wrong address is told within seconds.
    Interactive,
    /// A long job: short outages are sat out.
    Patient,
}

/// An open destination.
#[derive(Debug, Clone)]
pub struct Store {}

/// Opens a destination. Makes no request yet.
pub fn open(
    _destination: &crate::model::Destination,
    _secret: Option<&crate::model::Secret>,
    _patience: Patience,
) -> Result<Store, StorageError> {
    todo!()
}
