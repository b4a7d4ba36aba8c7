//! `Emulator`: one provider on a port of loopback, for as long as the value lives.

use super::certificates::{Authority, tls};
use super::conduct::{Access, Conduct, Key};
use super::connection::{Shared, lock};
use super::digest::{hex, sha256};
use super::errors::next_id;
use super::ledger::{Kind, Ledger, Seen};
use super::rules::Rules;
use super::store::{Bucket, Object, Store, Upload, etag};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A provider that runs in this process.
#[derive(Debug)]
pub(crate) struct Emulator {
    runtime: Option<Runtime>,
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Holds the authority's certificate.
    folder: tempfile::TempDir,
}

impl Emulator {
    /// Starts a provider with its one empty bucket and a key that may do everything.
    pub(crate) fn start(rules: &Rules) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let authority = Arc::new(Authority::new());
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), &authority.pem).expect("written");
        let conduct = Arc::new(Mutex::new(Conduct::new(rules.home_region)));
        let buckets = [(rules.bucket.to_owned(), Bucket::default())];
        let shared = Arc::new(Shared {
            rules: *rules,
            tls: tls(&authority, &conduct),
            conduct,
            keys: Mutex::default(),
            store: Mutex::new(Store::from(buckets)),
            ledger: Ledger::default(),
            passed: Mutex::default(),
            released: Condvar::new(),
            is_over: AtomicBool::new(false),
        });
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("test-emulator")
            .build()
            .expect("a runtime for the emulator");
        let (handle, accepting) = (runtime.handle().clone(), Arc::clone(&shared));
        runtime.spawn_blocking(move || {
            for client in listener.incoming().flatten() {
                if accepting.is_over.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&accepting);
                // A client that is cut off says so itself.
                handle.spawn_blocking(move || shared.serve(client).ok());
            }
        });
        let emulator = Self {
            runtime: Some(runtime),
            address,
            shared,
            folder,
        };
        emulator.add_key(Access::Everything);
        emulator
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    /// Host and port, for clients that go past the provider's own names, and for proxies' settings.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bucket that is there from the beginning.
    pub(crate) fn bucket(&self) -> &'static str {
        self.shared.rules.bucket
    }

    /// The key that may do everything.
    pub(crate) fn key(&self) -> Key {
        lock(&self.shared.keys)[0].clone()
    }

    /// Makes another key.
    pub(crate) fn add_key(&self, access: Access) -> Key {
        let name = hex(&sha256(next_id().as_bytes()));
        self.know_key(Key {
            id: format!("AKIA{}", name[..16].to_ascii_uppercase()),
            secret: name[24..].to_owned(),
            access,
            session_token: None,
            is_expired: false,
        })
    }

    /// Takes in a key that a test made.
    pub(crate) fn know_key(&self, key: Key) -> Key {
        lock(&self.shared.keys).push(key.clone());
        key
    }

    /// Changes how the server behaves from now on.
    pub(crate) fn conduct(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut lock(&self.shared.conduct));
        self.shared.released.notify_all();
    }

    /// Lets so many requests of a kind through and keeps later ones waiting.
    pub(crate) fn hold(&self, kind: Kind, after: usize) {
        *lock(&self.shared.passed) = 0;
        self.conduct(|conduct| conduct.hold_after = Some((kind, after)));
    }

    /// Ends [`Self::hold`]. What waited is dropped without an answer.
    pub(crate) fn release(&self) {
        self.conduct(|conduct| conduct.hold_after = None);
    }

    /// The certificate of the authority that signs this server's own, as PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Puts an object into the bucket, asking nobody.
    pub(crate) fn put_object(&self, key: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        let object = Object {
            etag: etag(&bytes, &self.shared.rules),
            bytes,
            modified: Timestamp::now(),
            headers: Vec::new(),
        };
        self.with_bucket(|bucket| bucket.objects.insert(key.to_owned(), object));
    }

    pub(crate) fn object(&self, key: &str) -> Option<Bytes> {
        self.with_bucket(|bucket| Some(bucket.objects.get(key)?.bytes.clone()))
    }

    pub(crate) fn object_keys(&self) -> Vec<String> {
        self.with_bucket(|bucket| bucket.objects.keys().cloned().collect())
    }

    /// Keys of the uploads that were begun and neither completed nor aborted.
    pub(crate) fn unfinished_uploads(&self) -> Vec<String> {
        self.with_bucket(|bucket| bucket.uploads.keys().map(|(key, _)| key.clone()).collect())
    }

    /// Leaves an upload that somebody began so long ago and never ended.
    pub(crate) fn leave_upload(&self, key: &str, age: SignedDuration) {
        let upload = Upload {
            begun: Timestamp::now() - age,
            ..Upload::default()
        };
        let name = (key.to_owned(), next_id());
        self.with_bucket(|bucket| bucket.uploads.insert(name, upload));
    }

    fn with_bucket<T>(&self, work: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut store = lock(&self.shared.store);
        work(store.get_mut(self.bucket()).expect("it stays"))
    }

    /// Every request that was answered.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.ledger.seen()
    }

    /// How many requests of a kind were answered.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let seen = self.seen();
        seen.iter().filter(|seen| seen.kind == kind).count()
    }

    pub(crate) fn forget_seen(&self) {
        self.shared.ledger.clear();
    }

    /// Waits until so many requests of a kind succeeded.
    pub(crate) fn wait_for(&self, kind: Kind, count: usize, within: Duration) -> bool {
        self.shared.ledger.wait_for(kind, count, within)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.release();
        // Wakes the one who accepts.
        TcpStream::connect(self.address).ok();
        if let Some(runtime) = self.runtime.take() {
            // Within a test's own runtime, waiting for this one would panic.
            runtime.shutdown_background();
        }
    }
}
