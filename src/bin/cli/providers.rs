//! What is known of providers.

use crate::failure::Failure;
use crate::output::Output;
use serde_json::json;
use zipkeep::model::Provider;

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
