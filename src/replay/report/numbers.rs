//! Numbers as the page shows them: three digits, so that columns can be read at a glance. Programs read the JSON.

/// Returns a number with three significant digits, or a dash where there is none.
pub(super) fn amount(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| "–".to_owned(), significant)
}

/// Returns a share of 0 to 1 as a percentage, or a dash. A share that is not whole never reads as 0 or 100 %.
pub(super) fn percent(share: Option<f64>) -> String {
    let Some(percent) = share.map(|share| share * 100.0).filter(|percent| percent.is_finite()) else {
        return "–".to_owned();
    };
    match percent {
        small if small > 0.0 && small < 0.05 => "<0.1 %".to_owned(),
        near if (99.95..100.0).contains(&near) => ">99.9 %".to_owned(),
        other => {
            let text = format!("{other:.1}");
            format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
        }
    }
}

/// Returns an interval as `low to high`, or a dash.
pub(super) fn range(interval: Option<(f64, f64)>, show: fn(Option<f64>) -> String) -> String {
    interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("{} to {}", show(Some(low)), show(Some(high))))
}

/// Returns a whole number with commas between thousands.
pub(super) fn count(number: u64) -> String {
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

/// Returns a length of time in the unit that fits: `60 s`, `30 min`, `2.5 h`, `6.3 d`.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        short if short.abs() < 120.0 => format!("{} s", trimmed(short)),
        short if short.abs() < 7200.0 => format!("{} min", trimmed(short / 60.0)),
        long if long.abs() < 172_800.0 => format!("{} h", trimmed(long / 3600.0)),
        long => format!("{} d", trimmed(long / 86_400.0)),
    }
}

/// Returns a number with at most one digit after the point.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn significant(number: f64) -> String {
    let size = number.abs();
    let digits = match size {
        size if size < 1e-9 => return "0".to_owned(),
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.995 => 2,
        size if size >= 0.0995 => 3,
        size if size >= 0.00995 => 4,
        _ => 5,
    };
    let text = format!("{number:.digits$}");
    match text.split_once('.') {
        // Thousands are told apart.
        None if size >= 10_000.0 => grouped(&text),
        _ => text,
    }
}

fn grouped(whole: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    digits.parse().map_or_else(|_too_large| whole.to_owned(), |number| format!("{sign}{}", count(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.0, 0.012_34, 0.4567, 1.234, 12.34, 123.4, 12_345.6, -0.5].map(|number| amount(Some(number)));
        assert_eq!(shown, ["0", "0.0123", "0.457", "1.23", "12.3", "123", "12,346", "-0.500"]);
        assert_eq!([amount(None), amount(Some(f64::NAN)), percent(None)], ["–", "–", "–"]);
        assert_eq!(
            [0.0, 0.0001, 0.951, 0.9999, 1.0].map(|share| percent(Some(share))),
            ["0 %", "<0.1 %", "95.1 %", ">99.9 %", "100 %"]
        );
        assert_eq!([10.0, 60.0, 300.0, 9000.0, 544_320.0].map(seconds), ["10 s", "60 s", "5 min", "2.5 h", "6.3 d"]);
        assert_eq!(range(Some((1.0, 2.0)), amount), "1.00 to 2.00");
    }
}
