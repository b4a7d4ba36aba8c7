//! Times as ZIP keeps them: DOS local time (APPNOTE 4.4.6) and the extended timestamp (0x5455).

use jiff::{Timestamp, civil, tz::TimeZone};

/// A DOS date and time: two seconds of resolution, 1980 to 2107, in local time by convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DosTime {
    pub(super) date: u16,
    pub(super) time: u16,
}

impl DosTime {
    /// The first moment that DOS knows.
    const EARLIEST: Self = Self {
        date: (1 << 5) | 1,
        time: 0,
    };

    /// The DOS time of a moment, in UTC, so that the same file gives the same bytes everywhere.
    ///
    /// Programs that know the extended timestamp, which is all that matter, ignore it.
    pub(super) fn of(modified_ns: i64) -> Self {
        let Ok(moment) = Timestamp::from_nanosecond(i128::from(modified_ns)) else {
            return Self::EARLIEST;
        };
        let civil = moment.to_zoned(TimeZone::UTC).datetime();
        let bits = |value: i8| u16::try_from(value).unwrap_or(0);
        match u16::try_from(civil.year() - 1980) {
            Ok(year @ 0..=127) => Self {
                date: (year << 9) | (bits(civil.month()) << 5) | bits(civil.day()),
                time: (bits(civil.hour()) << 11)
                    | (bits(civil.minute()) << 5)
                    | (bits(civil.second()) / 2),
            },
            _ => Self::EARLIEST,
        }
    }

    /// A moment, in nanoseconds, whose DOS time this is; `None` where it is no date at all.
    ///
    /// The earliest stands for everything that DOS does not know, and so does what it gives.
    pub(super) fn moment_ns(self) -> Option<i64> {
        if self == Self::EARLIEST {
            return Some(i64::MIN);
        }
        let part = |bits: u16, shift: u32, mask: u16| i8::try_from(bits >> shift & mask).ok();
        let civil = civil::DateTime::new(
            1980 + i16::try_from(self.date >> 9).ok()?,
            part(self.date, 5, 15)?,
            part(self.date, 0, 31)?,
            part(self.time, 11, 31)?,
            part(self.time, 5, 63)?,
            part(self.time, 0, 31)?.checked_mul(2)?,
            0,
        );
        let moment = civil.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        i64::try_from(moment.as_nanosecond()).ok()
    }
}

/// Whole seconds since 1970 for the extended timestamp; `None` outside its 32 bits.
pub(super) fn unix_seconds(modified_ns: i64) -> Option<i32> {
    i32::try_from(modified_ns.div_euclid(1_000_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_times_follow_appnote() {
        // 2026-11-22 08:09:10 UTC
        let time = DosTime::of(1_795_334_950 * 1_000_000_000);
        assert_eq!(
            (time.date >> 9, time.date >> 5 & 15, time.date & 31),
            (46, 11, 22)
        );
        assert_eq!(
            (time.time >> 11, time.time >> 5 & 63, (time.time & 31) * 2),
            (8, 9, 10)
        );
        for outside in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(DosTime::of(outside), DosTime::EARLIEST, "{outside}");
        }
        for known in [time, DosTime::EARLIEST] {
            let moment_ns = known.moment_ns().expect("a date");
            assert_eq!(DosTime::of(moment_ns), known);
        }
        for time in 0..=u16::MAX {
            let (date, time) = (time.rotate_left(7), time);
            let _: Option<i64> = DosTime { date, time }.moment_ns();
        }
    }
}
