//! How fast a job is: a smoothed rate from samples of bytes done. Pure, without a clock.

/// The time over which the rate forgets; long enough that a slow file does not make it jump.
const MEMORY_SECS: f64 = 4.0;
/// Samples closer together than this are noise.
const SHORTEST_SAMPLE_SECS: f64 = 0.2;
/// No rate is told before this: the first moments are connecting and buffers filling.
const FIRST_RATE_SECS: f64 = 1.0;

/// A smoothed rate of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rate {
    last: Option<Sample>,
    began_secs: f64,
    bytes_per_sec: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    at_secs: f64,
    bytes: u64,
}

impl Rate {
    /// Takes in that `bytes` were done in all at `at_secs`, on any clock that only goes forward.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits"
    )]
    pub(crate) fn sample(&mut self, at_secs: f64, bytes: u64) {
        let Some(last) = self.last else {
            self.last = Some(Sample { at_secs, bytes });
            self.began_secs = at_secs;
            return;
        };
        let took_secs = at_secs - last.at_secs;
        if took_secs < SHORTEST_SAMPLE_SECS {
            return;
        }
        let now_rate = bytes.saturating_sub(last.bytes) as f64 / took_secs;
        let weight = 1.0 - (-took_secs / MEMORY_SECS).exp();
        self.bytes_per_sec = Some(match self.bytes_per_sec {
            Some(old) => old + weight * (now_rate - old),
            None => now_rate,
        });
        self.last = Some(Sample { at_secs, bytes });
    }

    /// Bytes a second, once that can be told.
    pub(crate) fn bytes_per_sec(&self) -> Option<f64> {
        let last = self.last?;
        (last.at_secs - self.began_secs >= FIRST_RATE_SECS)
            .then_some(self.bytes_per_sec)
            .flatten()
    }

    /// Seconds until `remaining_bytes` are done, once that can be told.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a guess needs no more than 52 bits"
    )]
    pub(crate) fn seconds_left(&self, remaining_bytes: u64) -> Option<f64> {
        let rate = self.bytes_per_sec()?;
        // Under a kilobyte a second the guess would be days and wrong.
        (rate >= 1000.0).then(|| remaining_bytes as f64 / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_job_is_told_exactly() {
        let mut rate = Rate::default();
        for tenth in 0_u32..100 {
            rate.sample(f64::from(tenth) / 10.0, u64::from(tenth) * 1_000_000);
        }
        let found = rate.bytes_per_sec().expect("known after ten seconds");
        assert!((found - 10_000_000.0).abs() < 1.0, "{found}");
        let left = rate.seconds_left(50_000_000).expect("known");
        assert!((left - 5.0).abs() < 0.001, "{left}");
    }

    #[test]
    fn nothing_is_told_at_first_and_nothing_absurd_when_it_stalls() {
        let mut rate = Rate::default();
        rate.sample(0.0, 0);
        rate.sample(0.5, 9_000_000);
        assert_eq!(rate.bytes_per_sec(), None);
        for second in 1..200 {
            rate.sample(f64::from(second), 9_000_000);
        }
        assert_eq!(rate.seconds_left(1_000_000_000), None);
    }

    #[test]
    fn one_slow_moment_does_not_halve_it() {
        let mut rate = Rate::default();
        for tenth in 0_u32..50 {
            rate.sample(f64::from(tenth) / 10.0, u64::from(tenth) * 1_000_000);
        }
        rate.sample(5.2, 49_000_000);
        assert!(rate.bytes_per_sec().expect("known") > 8_000_000.0);
    }
}
