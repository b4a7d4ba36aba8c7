//! Addresses that are made of an account: which account, and which variant of the provider.

use super::pattern::{Named, match_host};
use super::read::read;
use super::said::Service;
use crate::model::S3Destination;
use crate::model::providers::Variant;

/// An account of a provider, as its address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub id: String,
    /// The variant of the address; none for the usual one.
    pub variant: Option<&'static Variant>,
}

/// The account whose address the endpoint is, for providers whose addresses are made of one.
pub fn account_of(settings: &S3Destination) -> Option<Account> {
    let read = read(&settings.endpoint, settings.provider).ok()?;
    let preset = read.provider.unwrap_or(settings.provider).preset();
    let Some(Service::At(origin)) = read.service else {
        return None;
    };
    let id_in = |template: &str| {
        let pattern = template.strip_prefix("https://")?;
        let mut named = Named::default();
        let (before, _) = match_host(pattern, &origin.host, &mut named)?;
        before.is_empty().then_some(named.account).flatten()
    };
    // The usual template fits the others' addresses too, with another account.
    let of_variant = preset.choices().find_map(|variant| {
        let id = id_in(&variant.endpoint)?;
        Some(Account {
            id,
            variant: Some(variant),
        })
    });
    of_variant.or_else(|| {
        let id = id_in(preset.endpoint.as_deref()?)?;
        Some(Account { id, variant: None })
    })
}

/// The endpoint of the same account in another variant; `None` without an account.
pub fn endpoint_in_variant(settings: &S3Destination, variant: Option<&Variant>) -> Option<String> {
    let account = account_of(settings)?;
    let preset = settings.provider.preset();
    let template = match variant {
        Some(variant) => &variant.endpoint,
        None => preset.endpoint.as_ref()?,
    };
    Some(template.replace("{account}", &account.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;

    #[test]
    fn an_account_moves_from_one_variant_to_another() {
        let mut settings = S3Destination {
            provider: Provider::R2,
            endpoint: "https://acc.r2.cloudflarestorage.com/photos".to_owned(),
            ..S3Destination::default()
        };
        let eu = Provider::R2.preset().choices().next();
        let account = account_of(&settings).expect("an account");
        assert_eq!((account.id.as_str(), account.variant), ("acc", None));
        let moved = endpoint_in_variant(&settings, eu).expect("an address");
        assert_eq!(moved, "https://acc.eu.r2.cloudflarestorage.com");
        settings.endpoint = moved;
        assert_eq!(account_of(&settings).expect("an account").variant, eu);
        let back = endpoint_in_variant(&settings, None);
        assert_eq!(
            back.as_deref(),
            Some("https://acc.r2.cloudflarestorage.com")
        );
    }

    #[test]
    fn other_addresses_have_no_account() {
        for endpoint in [
            "",
            "https://s3.eu-west-1.amazonaws.com",
            "nas.local",
            "ht tp",
        ] {
            let settings = S3Destination {
                provider: Provider::R2,
                endpoint: endpoint.to_owned(),
                ..S3Destination::default()
            };
            assert_eq!(account_of(&settings), None, "{endpoint}");
        }
    }
}
