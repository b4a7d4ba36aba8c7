//! What is known of providers: their list, and the access policy that a key needs at one of them.

use crate::failure::Failure;
use crate::output::Output;
use serde_json::{Value, json};
use zipkeep::model::{AccessPolicy, Deleting, Destination, Profile, Provider, access_policy};

/// Lists the providers and what is known of each.
pub(crate) fn list(output: Output) -> Result<(), Failure> {
    let all = Provider::all().map(|provider| {
        let preset = provider.preset();
        json!({
            "id": preset.id,
            "title": preset.title,
            "endpoint": preset.endpoint,
            "endpoint_example": preset.endpoint_example,
            "region_default": preset.region_default,
            "regions": preset.regions,
            "keys_url": preset.keys.url,
            "keys_hint": preset.keys.hint,
        })
    });
    let json = json!({"providers": all.collect::<Vec<_>>()});
    output.result("profile", &json, |out| {
        for provider in Provider::all() {
            let preset = provider.preset();
            writeln!(out, "{}  {}", preset.id, preset.title)?;
            let endpoint = preset.endpoint.as_ref();
            let endpoint = endpoint.unwrap_or(&preset.endpoint_example);
            writeln!(out, "  address  {endpoint}")?;
            let regions = preset.regions.iter().map(|region| region.id.as_str());
            let regions = regions.collect::<Vec<_>>().join(", ");
            if !regions.is_empty() {
                writeln!(out, "  regions  {regions}")?;
            }
            let url = preset.keys.url.as_deref().unwrap_or("");
            let separator = if url.is_empty() { "" } else { "  " };
            writeln!(out, "  keys     {url}{separator}{}", preset.keys.hint)?;
        }
        Ok(())
    })
}

/// Writes the access policy for a profile's destination.
pub(crate) fn policy(profile: &Profile, deleting: Deleting, output: Output) -> Result<(), Failure> {
    let Destination::S3(settings) = &profile.destination else {
        return Err(Failure::usage(
            "this profile keeps its backups in a folder, which needs no key",
            "Name a profile that keeps them in a bucket.",
        ));
    };
    let policy = access_policy(settings, deleting).map_err(|error| {
        Failure::usage(
            error.to_string(),
            "Complete the destination: `profile edit NAME …`.",
        )
    })?;
    let json = match &policy {
        // It was written a moment ago.
        AccessPolicy::Document(text) => {
            let document = serde_json::from_str(text).unwrap_or(Value::Null);
            json!({"policy": document, "words": null})
        }
        AccessPolicy::Words(words) => json!({"policy": null, "words": words}),
    };
    output.result("profile", &json, |out| writeln!(out, "{}", policy.text()))
}
