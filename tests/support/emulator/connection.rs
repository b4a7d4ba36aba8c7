//! Connections: plain, in TLS, or through to somewhere as at a proxy; and what happens on them.

use super::address::Address;
use super::answer::Answer;
use super::conduct::{Conduct, Held, Key, PartCopy, Speaks};
use super::errors::{add_headers, next_id, shaped};
use super::ledger::{Kind, Ledger, Seen};
use super::request::{Request, without_port};
use super::rules::Rules;
use super::service::Scene;
use super::store::Store;
use super::target::Target;
use super::wire::{self, Asked};
use jiff::{SignedDuration, Timestamp};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a TLS connection begins.
const TLS_GREETING: u8 = 0x16;

/// How a connection was greeted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Plain,
    Tls,
}

/// What all connections of one server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Rules,
    pub(super) conduct: Arc<Mutex<Conduct>>,
    pub(super) keys: Mutex<Vec<Key>>,
    pub(super) store: Mutex<Store>,
    pub(super) ledger: Ledger,
    pub(super) tls: Arc<ServerConfig>,
    /// Requests of the kind that is held back.
    pub(super) passed: Mutex<usize>,
    pub(super) released: Condvar,
    pub(super) is_over: AtomicBool,
}

impl Shared {
    /// Serves a connection to its end.
    pub(super) fn serve(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut first = [0];
        if client.peek(&mut first)? == 0 {
            return Ok(());
        }
        if first[0] == TLS_GREETING {
            return self.serve_tls(client);
        }
        let mut stream = BufReader::new(client);
        let Some(host) = self.talk(&mut stream, Wire::Plain)? else {
            return Ok(());
        };
        let client = stream.get_mut();
        // Proxies cannot connect to what they do not find.
        if Address::of(without_port(&host), &self.rules).is_none() {
            return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        }
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        self.serve(stream.into_inner())
    }

    fn serve_tls(&self, mut client: TcpStream) -> io::Result<()> {
        if lock(&self.conduct).speaks == Speaks::HttpOnly {
            // What a plain server makes of a greeting in TLS.
            return client.write_all(
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(connection, client));
        self.talk(&mut stream, Wire::Tls).map(drop)
    }

    /// Answers requests until the client is gone; gives the host to which it wants to be connected.
    fn talk<S: Read + io::Write>(
        &self,
        stream: &mut BufReader<S>,
        wire: Wire,
    ) -> io::Result<Option<String>> {
        loop {
            let request = match wire::read(stream)? {
                Asked::Nothing => return Ok(None),
                Asked::Tunnel(host) => return Ok(Some(host)),
                Asked::Request(request) => request,
            };
            if wire == Wire::Plain && lock(&self.conduct).speaks == Speaks::TlsOnly {
                let head = "HTTP/1.0 400 Bad Request\r\n\r\n";
                let body = "Client sent an HTTP request to an HTTPS server.\n";
                stream
                    .get_mut()
                    .write_all(format!("{head}{body}").as_bytes())?;
                return Ok(None);
            }
            let Some(answer) = self.answer(&request) else {
                return Ok(None);
            };
            wire::write(stream.get_mut(), &answer, &request.method)?;
        }
    }

    /// `None` where a request that was held back is dropped.
    fn answer(&self, request: &Request) -> Option<Answer> {
        let Some(target) = Target::of(request, &self.rules) else {
            return Some(Answer::new(502));
        };
        if self.is_held(target.kind, Held::Undone) {
            return None;
        }
        self.is_held(target.kind, Held::Late);
        let conduct = self.conduct_for(target.kind);
        if let Some(page) = conduct.page {
            let mut answer = Answer::new(page.status).with("content-type", "text/html");
            if let Some(location) = page.location {
                answer = answer.with("location", location.replace("{host}", &request.host));
            }
            answer.body = page.body.into();
            return Some(answer);
        }
        let keys = lock(&self.keys).clone();
        let now = Timestamp::now() + SignedDuration::from_secs(conduct.clock_offset_secs);
        let scene = Scene {
            rules: &self.rules,
            conduct: &conduct,
            keys: &keys,
            now,
        };
        let outcome = scene.answer(request, &target, &mut lock(&self.store));
        if self.is_held(target.kind, Held::Unanswered) {
            return None;
        }
        let code = outcome.as_ref().err().map(|refused| refused.code);
        let id = next_id();
        let mut answer = outcome
            .unwrap_or_else(|refused| shaped(&refused, request, &target.bucket, &self.rules, &id));
        add_headers(&mut answer, &self.rules, &id, now);
        let headers = request.headers.iter();
        self.ledger.note(Seen {
            kind: target.kind,
            method: request.method.clone(),
            host: request.host.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body_bytes: request.body.len(),
            status: answer.status,
            code,
        });
        Some(answer)
    }

    /// How this request is met; what happens only once, does not happen to the next.
    fn conduct_for(&self, kind: Kind) -> Conduct {
        let mut conduct = lock(&self.conduct);
        let own = conduct.clone();
        if kind == Kind::CopyPart && own.part_copy == PartCopy::ErrorInSuccess {
            conduct.part_copy = PartCopy::Honest;
        }
        own
    }

    /// Waits while requests of this kind are held back at this moment; true if this one was among them.
    fn is_held(&self, kind: Kind, moment: Held) -> bool {
        let holding = || {
            let conduct = lock(&self.conduct);
            let own = conduct.hold_after.filter(|(held, _)| *held == kind);
            own.filter(|_| conduct.held == moment)
        };
        let Some((_, after)) = holding() else {
            return false;
        };
        let mut passed = lock(&self.passed);
        *passed += 1;
        let is_held = *passed > after;
        while is_held && holding().is_some() {
            let waited = self
                .released
                .wait_timeout(passed, Duration::from_millis(100));
            passed = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        is_held
    }
}

/// A test that panicked elsewhere must not hide what this one saw.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
