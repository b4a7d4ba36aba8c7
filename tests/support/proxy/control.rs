//! The proxy as tests hold it.

use super::exchange;
use super::fault::{Fault, Rule, When};
use super::ledger::{Ledger, Moment, Seen};
use super::line::{Direction, Line, LineReport};
use super::step::Step;
use crate::support::Server;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};

/// With a line, a socket's own buffer is no longer than this (the system may double it).
const SMALL_BUFFER_BYTES: u32 = 32 << 10;
const BACKLOG: u32 = 1_024;

/// A running proxy in front of a server. It ends when dropped, and with it every connection.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Taken out on drop.
    runtime: Option<Runtime>,
    through: Server,
    shared: Arc<Shared>,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) server: SocketAddr,
    pub(super) ledger: Ledger,
    pub(super) up: Arc<Direction>,
    pub(super) down: Arc<Direction>,
    rules: Mutex<Vec<Rule>>,
    /// Whether the parts of an upload must be of one size.
    wants_equal_parts: AtomicBool,
}

impl Proxy {
    /// A proxy as fast as this computer.
    pub(crate) fn in_front_of(server: &Server) -> Self {
        Self::start(server, None)
    }

    /// A proxy at the end of a line.
    pub(crate) fn behind_line(server: &Server, line: Line) -> Self {
        Self::start(server, Some(line))
    }

    /// The same server, bucket and keys, reached through the proxy.
    pub(crate) fn server(&self) -> Server {
        self.through.clone()
    }

    /// Breaks requests of these steps from now on. Of several rules, the oldest that hits wins.
    pub(crate) fn break_steps(&self, steps: &[Step], fault: Fault, when: When) {
        let rule = Rule::new(steps, fault, when);
        self.rules().push(rule);
    }

    /// Breaks nothing from now on; what is broken already stays so.
    pub(crate) fn heal(&self) {
        self.rules().clear();
    }

    /// From now on no upload is completed whose parts but the last are not of one size, as at
    /// Cloudflare R2. All parts of an upload must have come through this proxy.
    pub(crate) fn refuse_unequal_parts(&self) {
        let wants = &self.shared.wants_equal_parts;
        wants.store(true, Ordering::Relaxed);
    }

    /// What was asked so far.
    pub(crate) fn seen(&self) -> Seen {
        self.shared.ledger.seen()
    }

    /// Does `act` when this request of a step, counted from 1, comes to this moment. The request
    /// waits until it is done, so a program can be killed at exactly this point.
    pub(crate) fn at(
        &self,
        step: Step,
        number: u64,
        moment: Moment,
        act: impl FnOnce() + Send + 'static,
    ) {
        self.shared.ledger.at(step, number, moment, Box::new(act));
    }

    /// Waits on this thread until this many requests of a step came to this moment; `false` where
    /// they did not in time.
    #[must_use]
    pub(crate) fn wait_for(
        &self,
        step: Step,
        number: u64,
        moment: Moment,
        within: Duration,
    ) -> bool {
        self.shared.ledger.wait_for(step, number, moment, within)
    }

    /// What the client sent over the line.
    pub(crate) fn line_report(&self) -> LineReport {
        self.shared.up.report()
    }

    /// What the client was sent over the line.
    pub(crate) fn line_report_down(&self) -> LineReport {
        self.shared.down.report()
    }

    /// Forgets what was seen and counts from 1 again, on the line too. Rules stay.
    pub(crate) fn count_anew(&self) {
        self.shared.ledger.count_anew();
        self.shared.up.count_anew();
        self.shared.down.count_anew();
    }

    fn start(server: &Server, line: Option<Line>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("test-proxy")
            .enable_all()
            .build()
            .expect("a runtime for the proxy");
        let address = server.endpoint_url.trim_start_matches("http://");
        let shared = Arc::new(Shared {
            server: address.parse().expect("a test server has an IP and a port"),
            ledger: Ledger::default(),
            up: Arc::new(Direction::new(line)),
            down: Arc::new(Direction::new(line)),
            rules: Mutex::new(Vec::new()),
            wants_equal_parts: AtomicBool::new(false),
        });
        let listener = {
            let _context = runtime.enter();
            listen(&shared).expect("some port is free")
        };
        let address = listener.local_addr().expect("a listener has an address");
        let mut through = server.clone();
        through.endpoint_url = format!("http://{address}");
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Self {
            runtime: Some(runtime),
            through,
            shared,
        }
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.shared
            .rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Within a test's own runtime, waiting for this one would panic.
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    /// Shows a request to every rule, so that each counts, and gives the first fault that hits.
    pub(super) fn fault_for(&self, step: Step, part_number: Option<u32>) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let hits: Vec<_> = rules
            .iter_mut()
            .map(|rule| rule.look_at(step, part_number))
            .collect();
        hits.into_iter().flatten().next()
    }

    pub(super) fn wants_equal_parts(&self) -> bool {
        self.wants_equal_parts.load(Ordering::Relaxed)
    }

    /// A socket towards the server or the clients.
    pub(super) fn socket(&self) -> std::io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        if self.up.needs_small_buffers() {
            // Else megabytes would leave the sender at once and wait here, outside the line.
            socket.set_recv_buffer_size(SMALL_BUFFER_BYTES)?;
        }
        Ok(socket)
    }
}

fn listen(shared: &Shared) -> std::io::Result<TcpListener> {
    let socket = shared.socket()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // Too many open files pass by; the next one is accepted.
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(exchange::serve(client, Arc::clone(&shared)));
        } else {
            tokio::task::yield_now().await;
        }
    }
}
