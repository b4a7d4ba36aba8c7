//! The table of providers, read once from `assets/providers.toml`.

use super::preset::Preset;
use serde::Deserialize;
use std::sync::LazyLock;

/// Every provider that is known, in the order in which people choose; the last is for all others.
pub(super) fn presets() -> &'static [Preset] {
    &BUILT_IN
}

// The text is part of the program; that it can be read is tested.
static BUILT_IN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let read = read(include_str!("../../../assets/providers.toml"));
    read.expect("the table of providers is sound")
});

fn read(text: &str) -> Result<Vec<Preset>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        provider: Vec<Preset>,
    }
    Ok(toml::from_str::<File>(text)?.provider)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::providers::preset::{PolicyLanguage, RegionRule};
    use std::collections::BTreeSet;
    use url::Url;

    #[test]
    fn every_provider_has_its_own_id_and_title() {
        for name in [|it: &Preset| it.id.clone(), |it: &Preset| it.title.clone()] {
            let names: BTreeSet<String> = presets().iter().map(name).collect();
            assert_eq!(names.len(), presets().len(), "{names:?}");
        }
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        assert!(presets().iter().all(|it| it.id.chars().all(is_plain)));
        assert_eq!(presets().last().map(|it| it.id.as_str()), Some("s3"));
    }

    #[test]
    fn ids_that_settings_may_hold_are_all_there() {
        let ids: Vec<&str> = presets().iter().map(|it| it.id.as_str()).collect();
        let kept = [
            "aws",
            "r2",
            "oss",
            "cos",
            "minio",
            "s3",
            "b2",
            "wasabi",
            "spaces",
            "hetzner",
            "scaleway",
            "obs",
            "tos",
            "qiniu",
            "garage",
            "seaweedfs",
            "ceph",
        ];
        for id in kept {
            assert!(ids.contains(&id), "{id}");
        }
        assert!(!ids.contains(&"folder"), "that is not a provider");
    }

    #[test]
    fn addresses_and_links_can_be_opened() {
        for it in presets() {
            let templates = it
                .endpoint
                .iter()
                .chain(it.variants.iter().map(|variant| &variant.endpoint));
            for template in templates {
                let filled = template
                    .replace("{region}", "a-1")
                    .replace("{account}", "abc");
                let url = Url::parse(&filled).expect("an address");
                assert_eq!(url.scheme(), "https", "{template}");
                assert!(!filled.contains(['{', '}']), "{template}");
                assert_eq!(url.path(), "/", "{template}");
            }
            assert!(Url::parse(&it.endpoint_example).is_ok(), "{}", it.id);
            if let Some(url) = &it.keys.url {
                assert_eq!(Url::parse(url).expect("a link").scheme(), "https");
            }
            assert!(it.keys.hint.ends_with('.'), "{}: {}", it.id, it.keys.hint);
        }
    }

    #[test]
    fn patterns_hold_only_names_that_are_filled() {
        let known = ["region", "account", "bucket", "prefix", "variant"];
        for it in presets() {
            let hosts = [
                &it.hosts,
                &it.internal_hosts,
                &it.global_hosts,
                &it.other_hosts,
                &it.web_hosts,
                &it.consoles,
            ];
            for pattern in hosts.into_iter().flatten() {
                for name in pattern.split('{').skip(1) {
                    let name = name.split('}').next().unwrap_or_default();
                    assert!(known.contains(&name), "{}: {pattern}", it.id);
                }
            }
            if !it.other_hosts.is_empty() {
                assert!(it.endpoint.is_some(), "{}: what would they mean?", it.id);
            }
        }
    }

    #[test]
    fn regions_are_there_where_they_are_asked_for() {
        for it in presets() {
            let ids: BTreeSet<&str> = it.regions.iter().map(|region| region.id.as_str()).collect();
            assert_eq!(ids.len(), it.regions.len(), "{}: each once", it.id);
            assert_eq!(it.is_of_region(), it.regions.len() > 1, "{}", it.id);
            let needs_default = matches!(it.region_rule, RegionRule::Fixed | RegionRule::Default);
            assert!(!needs_default || !it.region_default.is_empty(), "{}", it.id);
            assert!(!it.region_example().is_empty(), "{}", it.id);
        }
    }

    #[test]
    fn limits_and_policies_are_sound() {
        for it in presets() {
            let limits = it.limits;
            assert!((1_000..=10_000).contains(&limits.parts), "{}", it.id);
            assert!(limits.min_part_bytes <= 5 << 20, "{}", it.id);
            assert!(limits.max_part_bytes >= 5_000_000_000, "{}", it.id);
            let has_token = it.token.contains("{bucket}");
            assert_eq!(it.policy == PolicyLanguage::None, has_token, "{}", it.id);
            let permission = it.token.contains("{permission}");
            assert_eq!(permission, !it.token_permission.is_empty(), "{}", it.id);
            let folder = it.token.contains("{folder}");
            assert_eq!(folder, it.token_folder.contains("{prefix}"), "{}", it.id);
        }
    }
}
