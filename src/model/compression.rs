//! `Compression`: how hard to compress.

use serde::{Deserialize, Serialize};

/// How hard to compress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// About twice as fast, about a tenth bigger.
    Fast,
    /// No bigger than what `zip` makes by default.
    #[default]
    Normal,
    /// Smallest, slowly.
    Small,
}

impl Compression {
    /// Every level, in the order in which people choose.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Normal, Self::Small];

    /// The word that people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Fast => "Fast",
            Self::Normal => "Normal",
            Self::Small => "Small",
        }
    }
}
