//! Which bucket and region a host names.

use super::rules::Rules;

/// What a host says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// In the host, as in virtual-hosted style.
    pub(super) bucket: Option<String>,
    pub(super) region: Option<String>,
    /// The row of [`Rules::hosts`]; none for this computer's own names.
    pub(super) pattern: Option<&'static str>,
}

impl Address {
    /// `None` for the hosts of strangers.
    pub(super) fn of(host: &str, rules: &Rules) -> Option<Self> {
        let own = rules.hosts.iter().find_map(|pattern| fit(host, pattern));
        let is_here = host.parse::<std::net::IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost");
        // A server that was not told its domain takes any host for its own, and the bucket from the path.
        let bare = is_here.then_some(Self {
            bucket: None,
            region: None,
            pattern: None,
        });
        own.or(bare)
    }

    /// Whether the provider's own name was used, and not this computer's.
    pub(super) fn is_public(&self) -> bool {
        self.pattern.is_some()
    }
}

fn fit(host: &str, pattern: &'static str) -> Option<Address> {
    let labels: Vec<_> = host.split('.').collect();
    let wanted: Vec<_> = pattern.split('.').collect();
    let bucket_labels = labels.len().checked_sub(wanted.len())?;
    let mut region = None;
    for (label, wanted) in labels[bucket_labels..].iter().zip(wanted) {
        if let Some((before, after)) = wanted.split_once("{region}") {
            let inner = label.strip_prefix(before)?.strip_suffix(after)?;
            region = Some(inner.to_owned());
        } else if *label != wanted {
            return None;
        }
    }
    let bucket = labels[..bucket_labels].join(".");
    Some(Address {
        bucket: (!bucket.is_empty()).then_some(bucket),
        region,
        pattern: Some(pattern),
    })
}
