//! `Provider`: a name for a row of the table, as settings keep it.

use super::preset::Preset;
use super::table::presets;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A storage provider.
///
/// Settings of a newer version may name one that is not known here: it is kept as it is, and what is
/// usual for S3-compatible stores goes for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Provider(&'static str);

impl Provider {
    /// Amazon S3.
    pub const AWS: Self = Self("aws");
    /// Cloudflare R2.
    pub const R2: Self = Self("r2");
    /// Alibaba Cloud OSS.
    pub const OSS: Self = Self("oss");
    /// Tencent Cloud COS.
    pub const COS: Self = Self("cos");
    /// The MinIO server.
    pub const MINIO: Self = Self("minio");
    /// Any other store that speaks the S3 protocol.
    pub const OTHER: Self = Self("s3");

    /// Every provider that is known, in the order in which people choose.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        presets().iter().map(|preset| Self(&preset.id))
    }

    /// The provider of this id, if it is known.
    pub fn known(id: &str) -> Option<Self> {
        Self::all().find(|provider| provider.0 == id)
    }

    /// What settings and the terminal call it.
    pub const fn id(self) -> &'static str {
        self.0
    }

    /// The name that people know it by; the id where it is not known.
    pub fn title(self) -> &'static str {
        self.row().map_or(self.0, |preset| &preset.title)
    }

    /// Its rules; the cautious ones where it is not known.
    pub fn preset(self) -> &'static Preset {
        let all = presets();
        self.row().unwrap_or(&all[all.len() - 1])
    }

    fn row(self) -> Option<&'static Preset> {
        presets().iter().find(|preset| preset.id == self.0)
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::OTHER
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.0)
    }
}

impl Serialize for Provider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Ok(Self::known(&id).unwrap_or_else(|| Self(kept(id))))
    }
}

/// Keeps an unknown id for as long as the program runs, once: settings hold few, and a copy of the id is
/// what lets a provider be handed around like a number.
fn kept(id: String) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut ids = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(id) = ids.get(id.as_str()) {
        return id;
    }
    let id: &'static str = id.leak();
    ids.insert(id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_code_are_in_the_table() {
        for provider in [
            Provider::AWS,
            Provider::R2,
            Provider::OSS,
            Provider::COS,
            Provider::MINIO,
            Provider::OTHER,
        ] {
            assert_eq!(Provider::known(provider.id()), Some(provider));
            assert_eq!(provider.preset().id, provider.id());
        }
        assert_eq!(Provider::known("nobody"), None);
    }

    #[test]
    fn settings_hold_the_id_also_of_one_that_is_not_known() {
        for id in ["aws", "s3", "from-the-future"] {
            let text = format!("\"{id}\"");
            let read: Provider = serde_json::from_str(&text).expect("read");
            assert_eq!(serde_json::to_string(&read).expect("written"), text);
            let again: Provider = serde_json::from_str(&text).expect("read");
            assert_eq!(read, again);
        }
        let unknown: Provider = serde_json::from_str("\"from-the-future\"").expect("read");
        assert_eq!(unknown.title(), "from-the-future");
        assert_eq!(unknown.preset(), Provider::OTHER.preset());
    }
}
