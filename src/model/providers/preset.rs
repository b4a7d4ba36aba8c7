//! `Preset`: what is known of one provider. `assets/providers.toml` explains each field.

use serde::{Deserialize, Serialize};

/// What is known of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What settings and the terminal call it.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Template of the address, with `{region}` or `{account}`; none where only the person knows the host.
    pub endpoint: Option<String>,
    /// What an address looks like.
    pub endpoint_example: String,
    /// Where people find the account of the template.
    #[serde(default)]
    pub account_hint: String,
    /// Other templates.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// Whether a region has to be known.
    pub region_rule: RegionRule,
    /// Region to sign for where none is known; may be empty.
    #[serde(default)]
    pub region_default: String,
    /// Regions to choose from; there may be others.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// What people also write before a region's id.
    #[serde(default)]
    pub region_prefix: String,
    /// How the bucket is named in a request.
    pub addressing: AddressingRule,
    /// Whether all parts of a multipart upload but the last must have one size.
    #[serde(default)]
    pub uniform_parts: bool,
    /// How an object is written only if it is not there yet.
    pub conditional_write: ConditionalWrite,
    /// Limits of an upload.
    pub limits: Limits,
    /// Where keys are made.
    pub keys: Keys,
    /// What names of buckets look like, where that is special.
    #[serde(default)]
    pub bucket: BucketNames,
    /// The language of its access policies.
    pub policy: PolicyLanguage,
    /// Without a language: what key to make, with `{bucket}`, `{folder}` and `{permission}`.
    #[serde(default)]
    pub token: String,
    /// What stands for `{folder}` where there is a root path, with `{prefix}`.
    #[serde(default)]
    pub token_folder: String,
    /// What stands for `{permission}`.
    #[serde(default)]
    pub token_permission: String,
    /// What stands for `{permission}` of a key that does not delete; empty where it is the same.
    #[serde(default)]
    pub token_permission_no_delete: String,
    /// What else to know of a key that does not delete.
    #[serde(default)]
    pub token_no_delete: String,
    /// What the service's hosts look like, without the bucket.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Likewise, of the provider's own network.
    #[serde(default)]
    pub internal_hosts: Vec<String>,
    /// Likewise, of every region at once.
    #[serde(default)]
    pub global_hosts: Vec<String>,
    /// Hosts that people paste and that mean the one of the template.
    #[serde(default)]
    pub other_hosts: Vec<String>,
    /// Hosts that tell of no endpoint.
    #[serde(default)]
    pub web_hosts: Vec<String>,
    /// Hosts of kinds of storage that are not used here.
    #[serde(default)]
    pub unused_hosts: Vec<UnusedHost>,
    /// Pages of the provider's console.
    #[serde(default)]
    pub consoles: Vec<String>,
    /// Where the console of a person's own server listens.
    pub console_port: Option<u16>,
    /// Where the service of such a server listens.
    pub service_port: Option<u16>,
    /// Schemes as in `s3://bucket/folder`.
    #[serde(default)]
    pub uri_schemes: Vec<String>,
}

/// Another template of a provider's address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What console pages call it.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Template of the address.
    pub endpoint: String,
    /// It is for regions that begin so; without this it is for people to choose.
    pub regions: Option<String>,
}

/// A host of a kind of storage that is not used here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnusedHost {
    /// Its pattern.
    pub host: String,
    /// What it is, with its article.
    pub what: String,
}

/// A region to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(String, String)")]
pub struct Region {
    /// As the provider names it in addresses.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// Whether a region has to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionRule {
    /// No server looks at it.
    None,
    /// Servers check it.
    Required,
    /// The host spells it; an own host needs none.
    InHost,
    /// There is only the default.
    Fixed,
    /// It is the default unless the server was set up otherwise.
    Default,
}

/// How a provider wants the bucket to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressingRule {
    /// In the host; path style is refused.
    VirtualOnly,
    /// In the host of the provider; elsewhere, and with a dot in its name, in the path.
    PrefersVirtual,
    /// In the path.
    PrefersPath,
}

/// How an object is written only if it is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ConditionalWrite {
    /// `If-None-Match: *`.
    IfNoneMatch,
    /// A header of this name, with the value `true`.
    OwnHeader(String),
    /// Nothing is promised.
    Unknown,
}

/// Limits of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Parts of one upload at most.
    pub parts: u32,
    /// Least size of a part but the last.
    pub min_part_bytes: u64,
    /// Greatest size of a part.
    pub max_part_bytes: u64,
}

/// Where keys are made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The page; none where it is the person's own server.
    pub url: Option<String>,
    /// Where to find it there, a sentence.
    pub hint: String,
}

/// What names of buckets look like, where that is special.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BucketNames {
    /// One of them; empty where any will do.
    pub example: String,
    /// What to know of them, a sentence.
    pub hint: String,
    /// Whether each ends in a hyphen and a number.
    pub ends_in_number: bool,
}

/// In which language a provider's access policies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyLanguage {
    /// AWS IAM, which many servers read too.
    Aws,
    /// Alibaba Cloud RAM.
    Ram,
    /// Tencent Cloud CAM.
    Cam,
    /// None that we write.
    None,
}

impl Preset {
    /// The template for this region: that of the variant which is for such regions, else the usual one.
    pub fn template(&self, region: &str) -> Option<&str> {
        let is_for = |variant: &&Variant| {
            let regions = variant.regions.as_deref();
            regions.is_some_and(|begin| region.starts_with(begin))
        };
        let variant = self.variants.iter().find(is_for);
        variant.map_or(self.endpoint.as_deref(), |variant| Some(&variant.endpoint))
    }

    /// Whether the address follows from a region alone.
    pub fn is_of_region(&self) -> bool {
        self.endpoint
            .as_deref()
            .is_some_and(|it| it.contains("{region}"))
    }

    /// Whether the address follows from an account.
    pub fn is_of_account(&self) -> bool {
        self.endpoint
            .as_deref()
            .is_some_and(|it| it.contains("{account}"))
    }

    /// Variants that people choose from; the usual one is not among them.
    pub fn choices(&self) -> impl Iterator<Item = &Variant> {
        self.variants
            .iter()
            .filter(|variant| variant.regions.is_none())
    }

    /// A region without what people also write before it.
    pub fn bare_region<'a>(&self, region: &'a str) -> &'a str {
        region.strip_prefix(&self.region_prefix).unwrap_or(region)
    }

    /// The region to show in an empty field.
    pub fn region_example(&self) -> &str {
        if self.region_default.is_empty() {
            self.regions.first().map_or("", |region| &region.id)
        } else {
            &self.region_default
        }
    }
}

impl From<(String, String)> for Region {
    fn from((id, name): (String, String)) -> Self {
        Self { id, name }
    }
}

impl From<String> for ConditionalWrite {
    fn from(text: String) -> Self {
        match text.as_str() {
            "if-none-match" => Self::IfNoneMatch,
            "none" => Self::Unknown,
            _ => Self::OwnHeader(text),
        }
    }
}
