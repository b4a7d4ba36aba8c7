//! Sizes and counts as people read them.

const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];

/// A size as people read it, in powers of a thousand.
pub fn bytes_text(count: u64) -> String {
    let unit = unit_of(count);
    format!("{} {}", in_unit(count, unit), UNITS[unit])
}

/// "1.2 of 3.4 GB", both in the unit of the whole.
pub fn bytes_of_text(done: u64, total: u64) -> String {
    let unit = unit_of(total);
    format!(
        "{} of {} {}",
        in_unit(done.min(total), unit),
        in_unit(total, unit),
        UNITS[unit]
    )
}

/// A count with commas between the thousands: "12,345".
pub fn count_text(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn unit_of(count: u64) -> usize {
    let (mut unit, mut rest) = (0, count);
    // 999,950 would be told as "1000.0 kB".
    while rest >= 1000 || (unit > 0 && scaled(count, unit) >= 999.95) {
        rest /= 1000;
        unit += 1;
    }
    unit.min(UNITS.len() - 1)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "one decimal place is shown of it"
)]
fn scaled(count: u64, unit: usize) -> f64 {
    count as f64 / 1000_f64.powi(i32::try_from(unit).unwrap_or(0))
}

fn in_unit(count: u64, unit: usize) -> String {
    if unit == 0 {
        return count.to_string();
    }
    let value = scaled(count, unit);
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_commas_between_the_thousands() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count_text(count), text);
        }
    }

    #[test]
    fn sizes_have_three_or_so_digits() {
        for (count, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (123_456, "123 kB"),
            (999_949, "1000 kB"),
            (999_960, "1.0 MB"),
            (3_400_000_000, "3.4 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes_text(count), text, "{count}");
        }
        assert_eq!(bytes_of_text(1_200_000_000, 3_400_000_000), "1.2 of 3.4 GB");
    }
}
