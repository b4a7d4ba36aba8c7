//! How long a destination may take: to connect, to stay silent, to be asked again, and in all.
//!
//! `object_store` allows 30 seconds a request by default, its body included: an 8 MiB part would need
//! 2.2 Mbit/s. Here each deadline grows with what is asked for instead, and what ends a dead attempt
//! sooner is that no byte moves.

use std::time::Duration;

/// How long to try before giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A person is watching: a wrong address is told within seconds.
    Interactive,
    /// A long job: outages of up to two minutes are sat out.
    Patient,
}

/// The slowest line that a request is still waited for.
const SLOWEST_BYTES_PER_SEC: u64 = 32 * 1024;
/// The slowest that a server is expected to copy or join bytes of its own, in silence.
const SLOWEST_WORK_BYTES_PER_SEC: u64 = 4 * 1024 * 1024;
/// No answer is waited for longer than this in silence, however much there is to copy.
const LONGEST_WORK: Duration = Duration::from_hours(1);
/// What the system may still hold of a body that it has taken from us.
const MOST_HELD_BYTES: u64 = 1024 * 1024;

/// What one operation asks of the line and of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// Bytes that go out.
    sent: u64,
    /// Bytes that come in.
    received: u64,
    /// Bytes that are worked on at the server without a word to us.
    worked: u64,
}

impl Load {
    /// A question and an answer.
    pub(super) const SMALL: Self = Self {
        sent: 0,
        received: 0,
        worked: 0,
    };

    /// These bytes go out.
    pub(super) const fn sends(sent: u64) -> Self {
        Self {
            sent,
            ..Self::SMALL
        }
    }

    /// These bytes come in.
    pub(super) const fn receives(received: u64) -> Self {
        Self {
            received,
            ..Self::SMALL
        }
    }

    /// The server copies or joins these bytes by itself.
    pub(super) const fn works(worked: u64) -> Self {
        Self {
            worked,
            ..Self::SMALL
        }
    }

    /// Silence that means work at the server, not trouble.
    pub(super) fn silent_work(self) -> Duration {
        let working = Duration::from_secs(self.worked / SLOWEST_WORK_BYTES_PER_SEC);
        working.min(LONGEST_WORK)
    }

    /// Silence after all of a body was taken from us: the system is still at sending it.
    pub(super) fn silent_rest(self) -> Duration {
        Duration::from_secs(self.sent.min(MOST_HELD_BYTES) / SLOWEST_BYTES_PER_SEC)
    }

    /// What the slowest line and server would need.
    fn longest(self) -> Duration {
        let moved_bytes = self.sent.saturating_add(self.received);
        let moving = Duration::from_secs(moved_bytes / SLOWEST_BYTES_PER_SEC);
        moving + self.silent_work()
    }
}

/// The times of one kind of patience.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// To connect.
    pub(super) connect: Duration,
    /// That no byte may move in either direction.
    pub(super) silence: Duration,
    /// Attempts at the same request in all; `None` where only the budget limits them.
    pub(super) attempts: Option<u32>,
    /// Before the second attempt; doubles from there.
    pub(super) first_wait: Duration,
    /// What the doubling ends at.
    pub(super) longest_wait: Duration,
    /// After which no further attempt begins, counted from when something last went on; grows with
    /// what the server has to work on.
    pub(super) budget: Duration,
    /// For one operation with all of its attempts; grows with the load.
    pub(super) whole: Duration,
}

impl From<Patience> for Times {
    fn from(patience: Patience) -> Self {
        match patience {
            Patience::Interactive => Self {
                connect: Duration::from_secs(8),
                silence: Duration::from_secs(10),
                attempts: Some(3),
                first_wait: Duration::from_millis(200),
                longest_wait: Duration::from_secs(1),
                budget: Duration::from_secs(6),
                whole: Duration::from_secs(20),
            },
            Patience::Patient => Self {
                connect: Duration::from_secs(20),
                silence: Duration::from_secs(30),
                attempts: None,
                first_wait: Duration::from_millis(200),
                longest_wait: Duration::from_secs(15),
                budget: Duration::from_mins(2),
                whole: Duration::from_mins(3),
            },
        }
    }
}

impl Times {
    /// Time without any progress after which no further attempt begins.
    pub(super) fn budget(&self, load: Load) -> Duration {
        self.budget + load.silent_work()
    }

    /// Time allowed to one operation, its attempts included.
    pub(super) fn deadline(&self, load: Load) -> Duration {
        self.whole + load.longest() * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_big_copy_may_be_silent_for_longer_than_a_question_but_not_for_ever() {
        assert_eq!(Load::SMALL.silent_work(), Duration::ZERO);
        assert_eq!(
            Load::works(256 << 20).silent_work(),
            Duration::from_secs(64)
        );
        assert_eq!(Load::works(u64::MAX).silent_work(), LONGEST_WORK);
        for moved in [Load::sends(1 << 30), Load::receives(1 << 30)] {
            assert_eq!(moved.silent_work(), Duration::ZERO);
            assert!(moved.silent_rest() <= Duration::from_secs(32));
        }
    }

    #[test]
    fn a_slow_line_has_time_for_a_part() {
        let part = Load::sends(8 << 20);
        let times = Times::from(Patience::Patient);
        assert!(times.deadline(part) >= times.whole + Duration::from_secs(256));
    }
}
