//! Verifying: every byte of what lives in an archive is read back and compared, and what is damaged
//! is named.
//!
//! `job` is the use case. `ending` reads the end of the archive: `directory` and manifest, vouched for
//! by the seal; `lists` compares directory and lists; `pass` reads everything else once, in order, and
//! checks entries and spans; `suspects` names bytes that changed without changing a content;
//! `foreign` does what can be done for archives of other programs.

mod directory;
mod ending;
mod findings;
mod foreign;
mod job;
mod lists;
mod pass;
mod repacked;
mod source;
mod suspects;

pub use job::verify;
