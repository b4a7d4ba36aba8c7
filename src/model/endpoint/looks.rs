//! What stands in the endpoint's field and seems to be something else.

use super::error::EndpointError;
use crate::model::Provider;

/// Refuses a clean text without a scheme that seems to be a region or an access key id.
pub(super) fn check_looks(text: &str) -> Result<(), EndpointError> {
    if seems_key_id(text) {
        return Err(EndpointError::EndpointIsKeyId);
    }
    if seems_region(text) {
        return Err(EndpointError::EndpointIsRegion(text.to_owned()));
    }
    Ok(())
}

/// Key ids of AWS, Alibaba Cloud and Tencent Cloud.
fn seems_key_id(text: &str) -> bool {
    let begins = ["AKIA", "ASIA", "LTAI", "AKID"];
    text.len() >= 12
        && begins.iter().any(|begin| text.starts_with(begin))
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn seems_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    let is_like_aws = match words.split_last() {
        Some((number, words)) if words.len() >= 2 => {
            words[0].len() == 2
                && words.iter().all(is_word)
                && !number.is_empty()
                && number.chars().all(|c| c.is_ascii_digit())
        }
        _ => false,
    };
    let is_listed = Provider::all().any(|provider| {
        let preset = provider.preset();
        let bare = preset.bare_region(text);
        // The only region of a provider is a word that a server may be called by.
        preset.is_of_region() && preset.regions.iter().any(|region| region.id == bare)
    });
    is_like_aws || is_listed
}
