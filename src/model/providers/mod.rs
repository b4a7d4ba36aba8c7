//! Storage providers and their rules, as data: `assets/providers.toml`, which explains each field.

mod preset;
mod provider;
mod table;

pub use preset::{
    AddressingRule, BucketNames, ConditionalWrite, Keys, Limits, PolicyLanguage, Preset, Region,
    RegionRule, Variant,
};
pub use provider::Provider;
