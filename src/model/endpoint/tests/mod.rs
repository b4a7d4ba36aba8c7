//! Tests of the normaliser: the fields together, what people paste, and what holds for any text.

mod any;
mod fields;
mod pasted;
mod support;

use super::EndpointError;
use support::settings;
