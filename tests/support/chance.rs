//! Names, keys and ports that differ from test to test.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::TcpListener;

/// Good enough for names and ports of tests, without a crate for it.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A port that is free together with the one 10 000 above it, which `SeaweedFS` takes for itself.
///
/// Both are below the range from which systems take the ports of outgoing connections.
pub(super) fn free_port() -> u16 {
    const LOWEST: u16 = 10_000;
    const COUNT: u64 = 10_000;
    const OFFSET: u16 = 10_000;
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..1_000)
        .map(|_| LOWEST + u16::try_from(random() % COUNT).unwrap_or_default())
        .find(|port| is_free(*port) && is_free(port + OFFSET))
        .expect("some port of ten thousand is free")
}
