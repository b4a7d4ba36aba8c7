//! What the doctor says: sentences for a layperson, each with what to do next. No decisions.

use super::sheet::Leftovers;
use crate::model::{Addressing, Endpoint, bytes_text, count_text};
use crate::storage::{Fault, Prober, StorageError};
use jiff::SignedDuration;
use std::fmt;
use std::net::SocketAddr;

pub(super) const NAME_UNKNOWN: &str = "Check the endpoint's spelling, copy it once more from the provider's page, and check the internet connection.";
pub(super) const PROXY_FAILS: &str = "Check the endpoint's spelling and the internet connection. This computer is set to use that proxy (HTTP_PROXY, HTTPS_PROXY): whoever runs it can say why it does not get through.";
pub(super) const WANTS_TLS: &str = "The server wants a secure connection at this port";
pub(super) const KEYS_UNSURE: &str = "The server does not say whether the keys are right";
pub(super) const BUCKET_UNSURE: &str = "The server does not say whether the bucket is there";
pub(super) const NO_HTTP: &str = "Check that the port is that of the S3 service. If the server wants a secure connection, write https:// in front of the address.";
pub(super) const WITHOUT_TLS: &str = "If the server is on your own network, write http:// in front of the address and switch on “Allow plain http”, which then appears below it (or `zipkeep-cli profile edit NAME --allow-plain-http`); over the internet, have TLS set up at the server first.";
pub(super) const WITH_TLS: &str =
    "Write https:// instead of http:// at the beginning of the endpoint, then test again.";
pub(super) const SET_CLOCK: &str = "Switch on “Set time automatically” in this computer's settings, or set its date, time and time zone.";
pub(super) const TAKE_WHAT_WAS_LEARNT: &str = "Press “Correct the settings”, or run `zipkeep-cli test --save`: the settings are then as they have to be.";
pub(super) const KEYS_FIT: &str = "The access key id and the secret belong together";
pub(super) const NO_BUCKET: &str = "Check the bucket's spelling and its region on the provider's page, or make the bucket there first.";
pub(super) const ELSEWHERE: &str = "Open the bucket's page at the provider, and set the region and the endpoint that it shows there.";
pub(super) const MAY_NOT_LIST: &str = "Allow the key to list this bucket on the provider's page: “Copy access policy” in the settings, or `zipkeep-cli profile policy NAME`, gives the permissions that it needs. If it has them, paste the secret again: some servers (Garage) answer a wrong one like this.";
pub(super) const MAY_NOT_WRITE: &str = "These keys may only read";
pub(super) const READ_ONLY: &str = "They are good for restoring. For backing up, allow the key to write on the provider's page: “Copy access policy” in the settings, or `zipkeep-cli profile policy NAME`, gives the permissions that it needs.";
pub(super) const MAY_NOT_READ: &str = "These keys may write, but not read";
pub(super) const WRITE_ONLY: &str = "Backups could be neither checked nor restored with them. Allow the key to read on the provider's page: “Copy access policy” in the settings, or `zipkeep-cli profile policy NAME`, gives the permissions that it needs.";
pub(super) const NO_DELETE: &str = "That protects the backups, also from whoever takes over this computer. Old backups are then to be deleted on the provider's page, with other keys.";
pub(super) const DELETES_NOT_HINT: &str = "Old backups would go on taking up space. Whoever runs the server can say why it keeps what was deleted; a gateway or a rule of the bucket may be the cause.";
pub(super) const STORES_NOT: &str =
    "The server says that it wrote the object, but does not have it";
pub(super) const STORES_OTHERWISE: &str = "What was read back is not what was written";
pub(super) const DO_NOT_TRUST: &str = "Do not back up there until that is mended: a gateway, a proxy or a security program in between may be the cause. Then test again.";
pub(super) const COPIES: &str =
    "The server copies by itself: after the first backup only changes are sent";
pub(super) const COPIES_WRONGLY: &str = "The server says that it copies, but does not";
pub(super) const SENDS_ALL: &str = "Backups work, but each one sends everything instead of only what changed. A newer version of the server may be able to copy; test again after an update.";
const MAY_NOT_COPY: &str = "Backups work, but each one sends everything. Allow the key to read and write on the provider's page: “Copy access policy” in the settings, or `zipkeep-cli profile policy NAME`, gives the permissions that it needs.";
const COPY_FAILED: &str =
    "Backups work, but may have to send everything instead of only what changed. Test again later.";
pub(super) const NO_CONDITION: &str =
    "It does not refuse to overwrite; zipkeep never uses a name twice";
pub(super) const NO_CONDITION_HINT: &str =
    "Backups work all the same: zipkeep never uses a name twice.";
pub(super) const STRANGERS_LIST: &str =
    "Anybody on the internet can see the names of the backups in this bucket";
pub(super) const STRANGERS_READ: &str = "Anybody who knows their names can download your backups";
pub(super) const STRANGERS_DO_BOTH: &str =
    "Anybody on the internet can see and download your backups";
pub(super) const STRANGERS_LIST_NOT: &str = "Strangers cannot list it; whether they can read was not tried, because nothing is there to read";
pub(super) const ASK_AGAIN: &str =
    "Test again later: a request without keys was neither answered nor refused.";
pub(super) const CLOSE_IT: &str = "Make the bucket private on the provider's page: switch off public access, set its permission (ACL) to “private”, and remove bucket policies that allow everybody (“*”). Then test again.";
pub(super) const CLEAN_UP: &str = "They take up paid storage. Press “Clean up”, or run `zipkeep-cli test --clean-up`, to remove those that are older than a day.";

/// `error` is what a request without keys came to.
pub(super) fn strangers_unsure(error: &StorageError) -> String {
    format!("It could not be found out whether strangers have access to the bucket. {error}")
}

/// What the settings were understood to mean.
pub(super) fn understood(prober: &Prober) -> String {
    let endpoint = prober.endpoint();
    format!("Bucket “{}” at {}", endpoint.bucket, endpoint.service_url)
}

pub(super) fn by_proxy(proxy: &str) -> String {
    format!("Left to the proxy {proxy}, which this computer uses")
}

pub(super) fn proxy_fails(prober: &Prober) -> String {
    let (host, _) = prober.host_and_port();
    let proxy = prober.proxy().unwrap_or_default();
    format!("The proxy {proxy}, which this computer uses, does not reach {host}")
}

pub(super) fn resolved(host: &str, addresses: &[SocketAddr]) -> String {
    match addresses.first() {
        Some(first) if first.ip().to_string() != host.trim_matches(['[', ']']) => {
            format!("{host} is {}", first.ip())
        }
        _ => format!("{host} needs no looking up"),
    }
}

pub(super) fn nothing_listens(port: u16) -> &'static str {
    match port {
        80 | 443 => {
            "Check the endpoint, the internet connection, and whether a firewall is in the way."
        }
        _ => {
            "Check the port number, whether the server is running, and whether a firewall is in the way."
        }
    }
}

/// Whether a certificate is what is wrong.
pub(super) fn names_certificate(error: &StorageError) -> bool {
    error.to_string().contains("certificate")
}

pub(super) fn tls_hint(error: &StorageError) -> &'static str {
    let told = error.to_string();
    if told.contains("vouches") {
        "If it is your own server, choose its CA certificate under “Advanced” in the settings, or give it with `zipkeep-cli profile edit NAME --ca-certificate FILE`. Otherwise somebody may be listening in: do not go on."
    } else if told.contains("another name") {
        "Check the endpoint: its name must be the one that the certificate is for."
    } else if told.contains("expired") {
        "Check this computer's date. If it is right, whoever runs the server has to renew its certificate."
    } else {
        error.hint()
    }
}

pub(super) fn clocks_agree(skew: SignedDuration) -> String {
    match skew.abs().as_secs() {
        0..=2 => "This computer's clock is right".to_owned(),
        secs => format!("This computer's clock is right within {secs} seconds"),
    }
}

pub(super) fn clocks_differ(skew: SignedDuration) -> String {
    let direction = if skew.is_negative() {
        "behind"
    } else {
        "ahead"
    };
    // To the nearest: while it is asked, a second passes.
    let minutes = (skew.abs().as_secs() + 30) / 60;
    let time = if minutes < 120 {
        format!("{minutes} minutes")
    } else {
        format!("{} hours", minutes / 60)
    };
    format!(
        "This computer's clock is {time} {direction}; providers refuse requests from 15 minutes on"
    )
}

pub(super) fn style(addressing: Addressing) -> &'static str {
    match addressing {
        Addressing::Path => "The bucket is named in the path of the address",
        Addressing::VirtualHosted => "The bucket is named at the front of the address",
    }
}

/// `addressing` is the one that works.
pub(super) fn other_style(addressing: Addressing, was_reached: bool) -> String {
    let wants = match addressing {
        Addressing::Path => "in the path of the address, not at its front",
        Addressing::VirtualHosted => "at the front of the address, not in its path",
    };
    let who = if was_reached {
        "The provider"
    } else {
        "This server"
    };
    format!("{who} wants the bucket's name {wants}")
}

/// What to do where another way of naming the bucket is wanted and could not be found.
pub(super) fn style_hint(endpoint: &Endpoint, error: &StorageError) -> String {
    if endpoint.has_name() {
        let hint = error.own_hint().unwrap_or(
            "Copy the endpoint once more from the bucket's page at the provider, and clear everything else from its field.",
        );
        hint.to_owned()
    } else {
        let example = &endpoint.provider.preset().endpoint_example;
        format!(
            "A bucket's name cannot stand in front of a bare number: enter the provider's endpoint, which is a name such as {example}."
        )
    }
}

/// The bucket is there, and not at this endpoint.
pub(super) fn elsewhere(endpoint: &Endpoint) -> String {
    format!(
        "The bucket “{}” is there, but in another region than “{}”",
        endpoint.bucket, endpoint.region
    )
}

pub(super) fn region(endpoint: &Endpoint) -> String {
    format!("Signed for the region “{}”", endpoint.region)
}

/// `wrong` is that of the settings.
pub(super) fn other_region(region: &str, wrong: &str) -> String {
    format!("The region of this bucket is “{region}”, not “{wrong}”")
}

pub(super) fn bucket(endpoint: &Endpoint) -> String {
    format!("The bucket “{}” is there", endpoint.bucket)
}

pub(super) fn may_not_list(error: &StorageError) -> String {
    let code = error
        .code()
        .map_or(String::new(), |code| format!(" ({code})"));
    format!("These keys may not list what is in the bucket{code}")
}

/// Advice for a bucket that is not there, with those that are.
pub(super) fn other_buckets(wanted: &str, found: &[String]) -> Option<String> {
    const SHOWN: usize = 8;
    if found.is_empty() {
        return None;
    }
    let mut names: Vec<&str> = found.iter().map(String::as_str).collect();
    // The likely ones first: COS buckets are often written without the number at their end.
    names.sort_by_key(|name| {
        let is_like = name.starts_with(wanted) || wanted.starts_with(name);
        (!is_like, *name)
    });
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("“{name}”"))
        .collect();
    let more = if names.len() > SHOWN {
        " and others"
    } else {
        ""
    };
    Some(format!(
        "These keys can see the buckets {}{more}. If one of them is meant, enter its name; otherwise make the bucket on the provider's page first.",
        shown.join(", ")
    ))
}

pub(super) fn listed(count: usize) -> String {
    match count {
        0 => "Connected, nothing is there yet".to_owned(),
        1 => "Connected, one object is there".to_owned(),
        _ => format!("Connected, {} objects are there", count_text(count as u64)),
    }
}

/// That the destination did not copy, and what to do about it.
pub(super) fn copies_not(error: &StorageError) -> (String, &'static str) {
    match error.fault() {
        Fault::Unsupported => (
            "The server cannot copy what is there already".to_owned(),
            SENDS_ALL,
        ),
        Fault::Denied => (
            "These keys may not copy what is there already".to_owned(),
            MAY_NOT_COPY,
        ),
        _ => (
            format!("Copying at the server failed. {error}"),
            COPY_FAILED,
        ),
    }
}

/// "one, two and three".
fn listed_in_words(names: &[String]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// “one”, “two” and “three”.
pub(super) fn quoted_in_words(keys: &[impl fmt::Display]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("“{key}”")).collect();
    listed_in_words(&names)
}

/// `kept` are the keys of the test's own objects that are still seen.
pub(super) fn deletes_not(kept: &[&str]) -> String {
    let are = if kept.len() == 1 { "is" } else { "are" };
    format!(
        "The server says that it deletes, but does not; {} {are} still there",
        quoted_in_words(kept)
    )
}

/// `kept` are the keys of the test's own objects that could not be deleted.
pub(super) fn not_deleted(error: &StorageError, kept: &[&str]) -> String {
    format!("{error}; {} may still be there", quoted_in_words(kept))
}

/// `kept` are the keys of the test's own objects, which have `bytes` together; 0 where these are few.
pub(super) fn may_not_delete(kept: &[&str], bytes: u64) -> String {
    let amount = match bytes {
        0 => "a few bytes".to_owned(),
        bytes => bytes_text(bytes),
    };
    let (names, stay) = (
        quoted_in_words(kept),
        if kept.len() == 1 { "stays" } else { "stay" },
    );
    format!("These keys may not delete; {names}, {amount}, {stay} there")
}

pub(super) fn unfinished(leftovers: &Leftovers) -> String {
    let count = match leftovers.uploads {
        0 => return "No unfinished uploads".to_owned(),
        1 => "One unfinished upload".to_owned(),
        count => format!("{} unfinished uploads", count_text(count)),
    };
    let size = match leftovers.bytes {
        Some(bytes) => format!(", {}", bytes_text(bytes)),
        None => String::new(),
    };
    let age = match (leftovers.old_uploads, leftovers.uploads) {
        (0, 1) => ", which may still be on its way".to_owned(),
        (0, _) => ", which may still be on their way".to_owned(),
        (old, all) if old == all => ", begun more than a day ago".to_owned(),
        (old, _) => format!(", {} of them begun more than a day ago", count_text(old)),
    };
    format!("{count}{size}{age}")
}
