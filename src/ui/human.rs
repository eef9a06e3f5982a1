//! Numbers as people read them. Programs get plain numbers instead: `-o json` or `-o csv`.

use std::time::Duration;

/// Returns a size with three digits and a binary unit: `0 B`, `1023 B`, `1.00 KiB`, `384 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.5 would round to 1024 of the smaller unit.
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", three_digits(value), UNITS[unit])
}

/// Returns a whole number with commas between thousands: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a number with three digits and a decimal prefix: `12.3`, `1.20 k`, `45.6 M`.
pub fn amount(number: f64) -> String {
    const PREFIXES: [&str; 5] = ["", " k", " M", " G", " T"];
    let mut value = number;
    let mut prefix = 0;
    while value.abs() >= 999.5 && prefix + 1 < PREFIXES.len() {
        value /= 1000.0;
        prefix += 1;
    }
    format!("{}{}", three_digits(value), PREFIXES[prefix])
}

/// Returns a number with three significant digits and no prefix: `0.0312`, `1.20`, `12.3`, `4568`.
pub fn significant(number: f64) -> String {
    if number.abs() >= 0.995 || number.abs() < 1e-9 {
        return three_digits(number);
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -9 and 0")]
    let magnitude = number.abs().log10().floor() as i32;
    let digits = usize::try_from(2 - magnitude).unwrap_or(2);
    format!("{number:.digits$}")
}

/// Returns a share of 0 to 1 as a percentage: `97.1 %`, `100 %`; a share that is not whole never reads as 0 or 100 %.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        return "<0.1 %".to_owned();
    }
    if (99.95..100.0).contains(&percent) {
        return ">99.9 %".to_owned();
    }
    let text = format!("{percent:.1}");
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// Returns a length of time: `0.12 s`, `59.0 s`, `2 min 05 s`, `3 h 12 min`, `8 d 2 h`.
pub fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 59.95 {
        return format!("{} s", three_digits(seconds));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "finite and >= 0; saturates")]
    let whole = seconds.round() as u64;
    match whole {
        0..3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3_600..86_400 => format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// Returns how many of something there were per second, or nothing for no time.
pub fn rate(number: f64, elapsed: Duration) -> Option<f64> {
    let seconds = elapsed.as_secs_f64();
    (seconds > 0.0).then(|| number / seconds)
}

/// Returns `one` or `many` with the number: `1 workload`, `1,204 workloads`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (402_653_184, "384 MiB"),
            (1_048_575, "1.00 MiB"),
            (1 << 40, "1.00 TiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn counts_and_amounts_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 12.34, 999.4, 999.6, 45_600_000.0].map(amount), ["0.00", "12.3", "999", "1.00 k", "45.6 M"]);
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(2000, "row", "rows"), "2,000 rows");
    }

    #[test]
    fn small_numbers_keep_three_digits() {
        let shown = [0.0, 0.031_249, 0.000_123_4, 0.999, 1.2, 12.34, 4567.8, -0.5].map(significant);
        assert_eq!(shown, ["0.00", "0.0312", "0.000123", "1.00", "1.20", "12.3", "4568", "-0.500"]);
    }

    #[test]
    fn a_share_reads_as_none_or_all_only_if_it_is() {
        let shown = [0.0, 0.0001, 0.05, 0.9712, 0.9999, 1.0, -0.1].map(share);
        assert_eq!(shown, ["0 %", "<0.1 %", "5 %", "97.1 %", ">99.9 %", "100 %", "-10 %"]);
    }

    #[test]
    fn times_use_the_unit_that_fits() {
        for (number, text) in [
            (0.123, "0.12 s"),
            (59.0, "59.0 s"),
            (59.96, "1 min 00 s"),
            (125.0, "2 min 05 s"),
            (3599.7, "1 h 00 min"),
            (11_520.0, "3 h 12 min"),
            (698_400.0, "8 d 2 h"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(seconds(number), text);
        }
        assert_eq!(rate(10.0, Duration::from_secs(2)), Some(5.0));
        assert_eq!(rate(10.0, Duration::ZERO), None);
    }
}
