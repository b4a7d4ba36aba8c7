//! The way to a bucket: its name, its port, TLS, and the clocks at both ends.

use super::sheet::{CheckId, Sheet};
use super::words;
use crate::storage::{Fault, Prober, ProxyTrouble, StorageError};
use jiff::SignedDuration;
use std::net::SocketAddr;

/// A difference of the clocks that is worth a word; providers refuse from 15 minutes on.
const NOTED_SKEW: SignedDuration = SignedDuration::from_mins(5);
const REFUSED_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Whether somebody was reached at the address.
#[derive(Debug)]
pub(super) enum Reached {
    /// Yes; with the region that the bucket is in, where it tells that to anybody.
    Somebody(Option<String>),
    /// Not with this way of naming the bucket: its name in front of the host may be what is wrong.
    Nobody(StorageError),
}

/// Looks along the way, as far as it goes.
pub(super) async fn look(prober: &Prober, sheet: &mut Sheet) -> Reached {
    let addresses = match prober.proxy() {
        Some(proxy) => {
            sheet.skipped(CheckId::Address, words::by_proxy(&proxy));
            sheet.skipped(CheckId::Port, words::by_proxy(&proxy));
            None
        }
        None => match find(prober, sheet).await {
            Ok(addresses) => Some(addresses),
            Err(error) => return Reached::Nobody(error),
        },
    };
    greet(prober, addresses.as_deref(), sheet).await
}

async fn find(prober: &Prober, sheet: &mut Sheet) -> Result<Vec<SocketAddr>, StorageError> {
    let (host, port) = prober.host_and_port();
    let addresses = match prober.look_up().await {
        Ok(addresses) => addresses,
        Err(error) => {
            sheet.failed_with(CheckId::Address, &error, words::NAME_UNKNOWN);
            return Err(error);
        }
    };
    sheet.passed(CheckId::Address, words::resolved(&host, &addresses));
    if let Err(error) = prober.connect(&addresses).await {
        sheet.failed_with(CheckId::Port, &error, words::nothing_listens(port));
        return Err(error);
    }
    sheet.passed(CheckId::Port, format!("Port {port} answers"));
    Ok(addresses)
}

async fn greet(prober: &Prober, addresses: Option<&[SocketAddr]>, sheet: &mut Sheet) -> Reached {
    let is_secure = prober.endpoint().service_url.starts_with("https://");
    let greeting = match prober.greet().await {
        Ok(greeting) => greeting,
        Err(error) => {
            let plainly = match addresses {
                // A certificate that is refused was shown in TLS.
                Some(addresses)
                    if error.fault() == Fault::Tls && !words::names_certificate(&error) =>
                {
                    prober.speaks_plainly(addresses).await
                }
                _ => false,
            };
            match (error.fault(), plainly) {
                (_, true) => sheet.refused(
                    CheckId::Tls,
                    "The server does not offer a secure connection at this port",
                    words::WITHOUT_TLS,
                ),
                (Fault::Tls, false) => {
                    sheet.failed_with(CheckId::Tls, &error, words::tls_hint(&error));
                }
                (Fault::Proxy, false) if error.proxy_trouble() != Some(ProxyTrouble::Refuses) => {
                    sheet.failed(CheckId::Port, &error);
                }
                (Fault::Unreachable | Fault::Proxy, false) if addresses.is_none() => {
                    sheet.failed_with(CheckId::Port, &error, words::PROXY_FAILS);
                    sheet.reword(words::proxy_fails(prober));
                }
                _ if is_secure => sheet.failed(CheckId::Tls, &error),
                _ => sheet.failed_with(CheckId::Port, &error, words::NO_HTTP),
            }
            return Reached::Nobody(error);
        }
    };
    if is_secure {
        sheet.passed(
            CheckId::Tls,
            "The line is secure, and the certificate is valid",
        );
    } else {
        sheet.skipped(
            CheckId::Tls,
            "Not asked for: the address begins with http://",
        );
    }
    match greeting.skew {
        None => sheet.skipped(CheckId::Clock, "The server does not tell its time"),
        Some(skew) if skew.abs() <= NOTED_SKEW => {
            sheet.passed(CheckId::Clock, words::clocks_agree(skew));
        }
        Some(skew) if skew.abs() < REFUSED_SKEW => {
            sheet.warned(CheckId::Clock, words::clocks_differ(skew), words::SET_CLOCK);
        }
        Some(skew) => sheet.refused(CheckId::Clock, words::clocks_differ(skew), words::SET_CLOCK),
    }
    Reached::Somebody(greeting.region)
}
