//! A line with a bandwidth and a length, shared by all connections.
//!
//! Each direction is a queue: bytes leave one after the other at the line's speed, whoever sends
//! them, and arrive half a round trip after they left. Where the queue is full, senders wait, so at
//! most about `bytes_per_sec * round_trip + 256 KiB` are under way in a direction. There is no loss
//! and no slow start.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What waits to leave, beyond what half a round trip holds.
const SLACK_BYTES: u64 = 256 << 10;
/// A sender that wakes this much late has not left the line empty: timers are no finer.
const LATENESS: Duration = Duration::from_millis(3);
/// Time that one piece of data takes; shorter shares the line better among connections.
const PIECE: Duration = Duration::from_millis(2);
const SMALLEST_PIECE_BYTES: usize = 1_460;
const LARGEST_PIECE_BYTES: usize = 64 << 10;

/// What a line is like, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// From a request's last byte to the first of its answer, apart from the server's own time; a
    /// new connection costs one more.
    pub(crate) round_trip: Duration,
    /// What all connections share, in each direction.
    pub(crate) bytes_per_sec: u64,
}

/// What went over one direction since the count began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LineReport {
    /// Bytes, heads included.
    pub(crate) bytes: u64,
    /// When the first byte began to leave; `None` where none did.
    pub(crate) first: Option<Instant>,
    /// When the last byte had left.
    pub(crate) last: Option<Instant>,
}

impl LineReport {
    /// From the first byte to the last.
    pub(crate) fn duration(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_duration_since(first),
            _ => Duration::ZERO,
        }
    }

    /// Bytes a second between the first byte and the last.
    pub(crate) fn bytes_per_sec(&self) -> f64 {
        let secs = self.duration().as_secs_f64();
        if secs > 0.0 {
            as_f64(self.bytes) / secs
        } else {
            0.0
        }
    }

    /// How full the line was between the first byte and the last; 1.0 is always busy.
    pub(crate) fn fullness(&self, line: &Line) -> f64 {
        self.bytes_per_sec() / as_f64(line.bytes_per_sec)
    }
}

/// One direction.
#[derive(Debug)]
pub(super) struct Direction {
    line: Option<Line>,
    /// Held by the sender whose turn it is; the mutex hands it on in order of asking.
    turn: tokio::sync::Mutex<()>,
    traffic: Mutex<Traffic>,
}

#[derive(Debug)]
struct Traffic {
    /// When all that was taken so far has left.
    free_at: Instant,
    report: LineReport,
}

impl Direction {
    pub(super) fn new(line: Option<Line>) -> Self {
        Self {
            line,
            turn: tokio::sync::Mutex::new(()),
            traffic: Mutex::new(Traffic {
                free_at: Instant::now(),
                report: NOTHING,
            }),
        }
    }

    /// Takes so many bytes in when there is room, and says when they arrive.
    pub(super) async fn take(&self, bytes: usize) -> Instant {
        let _turn = self.turn.lock().await;
        if let Some(line) = self.line {
            let longest_queue = line.round_trip / 2 + line.time_of(SLACK_BYTES);
            let room_at = self.traffic().free_at.checked_sub(longest_queue);
            if let Some(room_at) = room_at.filter(|at| *at > Instant::now()) {
                tokio::time::sleep_until(room_at.into()).await;
            }
        }
        self.leave(bytes as u64)
    }

    fn leave(&self, bytes: u64) -> Instant {
        let now = Instant::now();
        let mut traffic = self.traffic();
        let (begin, time, way) = match self.line {
            Some(line) => {
                let is_busy = traffic.free_at + LATENESS > now;
                let begin = if is_busy { traffic.free_at } else { now };
                (begin, line.time_of(bytes), line.round_trip / 2)
            }
            None => (now, Duration::ZERO, Duration::ZERO),
        };
        traffic.free_at = begin + time;
        traffic.report.bytes += bytes;
        traffic.report.first.get_or_insert(begin);
        traffic.report.last = Some(traffic.free_at);
        traffic.free_at + way
    }

    pub(super) fn report(&self) -> LineReport {
        self.traffic().report
    }

    pub(super) fn count_anew(&self) {
        self.traffic().report = NOTHING;
    }

    /// The most to take at once.
    pub(super) fn piece_bytes(&self) -> usize {
        let bytes = self.line.map_or(LARGEST_PIECE_BYTES, |line| {
            usize::try_from(line.bytes_in(PIECE)).unwrap_or(usize::MAX)
        });
        bytes.clamp(SMALLEST_PIECE_BYTES, LARGEST_PIECE_BYTES)
    }

    /// What one connection may have under way.
    pub(super) fn window_bytes(&self) -> usize {
        let under_way = self.line.map_or(0, |line| line.bytes_in(line.round_trip));
        usize::try_from(under_way + SLACK_BYTES).unwrap_or(usize::MAX)
    }

    /// How long the greeting of a new connection takes.
    pub(super) fn greeting(&self) -> Duration {
        self.line.map_or(Duration::ZERO, |line| line.round_trip)
    }

    /// Whether the sockets' own buffers would make the line look longer than it is.
    pub(super) fn needs_small_buffers(&self) -> bool {
        self.line.is_some()
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NOTHING: LineReport = LineReport {
    bytes: 0,
    first: None,
    last: None,
};

impl Line {
    /// How long so many bytes keep the line busy.
    pub(crate) fn time_of(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(as_f64(bytes) / as_f64(self.bytes_per_sec.max(1)))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a product of what is not negative; the fraction of a byte does not matter"
    )]
    fn bytes_in(&self, time: Duration) -> u64 {
        (as_f64(self.bytes_per_sec) * time.as_secs_f64()) as u64
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no test sends so many bytes that a fraction of one matters"
)]
fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}
