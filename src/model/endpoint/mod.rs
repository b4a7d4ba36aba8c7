//! From what a person pasted to an address: scheme, host, style, region, bucket and root path.
//!
//! People paste what a provider's page shows: with the bucket in the host or in the path, without a
//! scheme, with a slash at the end, or the address of the page itself. All of it means one address, and
//! the window says what was understood. Nothing here asks anybody; the hosts of providers are data.

mod address;
mod bucket;
mod clean;
mod console;
mod error;
mod hosts;
mod keepable;
mod looks;
mod normal;
mod parse;
mod pattern;
mod query;
mod read;
mod region;
mod resolve;
mod said;
mod scheme;
mod so_far;
mod summary;
#[cfg(test)]
mod tests;
mod variant;
mod web_address;

pub use address::{Endpoint, Understanding};
pub use error::EndpointError;
pub use hosts::region_of_host;
pub use keepable::{keepable, keepable_part};
pub use normal::normal_form;
pub use resolve::{resolve_endpoint, understand};
pub use so_far::understood_so_far;
pub use variant::{Account, account_of, endpoint_in_variant};
