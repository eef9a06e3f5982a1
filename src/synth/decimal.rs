//! Decimal numbers whose text and value agree: what is written is exactly what is counted.

use super::chance::whole;

/// 10^0 to 10^22: the powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// `mantissa / 10^scale`, with a scale of at most 22.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: i64,
    scale: usize,
}

impl Decimal {
    /// Zero.
    pub(super) const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// Returns a whole number.
    pub(super) const fn integer(value: i64) -> Self {
        Self { mantissa: value, scale: 0 }
    }

    /// Returns `value` rounded to `scale` digits behind the point, halves away from zero, trailing zeros dropped.
    pub(super) fn fixed(value: f64, scale: usize) -> Self {
        let scale = scale.min(POWERS.len() - 1);
        Self { mantissa: whole(value * POWERS[scale]), scale }.trimmed()
    }

    /// Returns a non-negative `value` rounded to `digits` significant ones.
    pub(super) fn significant(value: f64, digits: usize) -> Self {
        if value <= 0.0 {
            return Self::ZERO;
        }
        let before_point = POWERS.iter().take_while(|power| value >= **power).count();
        let zeros_behind = POWERS.iter().skip(1).take_while(|power| value * **power < 1.0).count();
        let scale = if before_point > 0 { digits.saturating_sub(before_point) } else { digits + zeros_behind };
        Self::fixed(value, scale)
    }

    fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Returns the double nearest to the number, which is what a reader of the text gets: a mantissa below 2^53 and a
    /// power of ten up to 10^22 are exact, and their quotient is rounded once.
    pub(super) fn value(self) -> f64 {
        self.mantissa as f64 / POWERS[self.scale]
    }

    /// Appends the number with a point and without an exponent.
    pub(super) fn push(self, line: &mut Vec<u8>) {
        if self.mantissa < 0 {
            line.push(b'-');
        }
        let mut digits = [0_u8; <u64 as lexical_core::FormattedSize>::FORMATTED_SIZE_DECIMAL];
        let digits = lexical_core::write(self.mantissa.unsigned_abs(), &mut digits);
        if self.scale == 0 {
            line.extend_from_slice(digits);
        } else if digits.len() > self.scale {
            let (before, behind) = digits.split_at(digits.len() - self.scale);
            line.extend_from_slice(before);
            line.push(b'.');
            line.extend_from_slice(behind);
        } else {
            line.extend_from_slice(b"0.");
            line.resize(line.len() + self.scale - digits.len(), b'0');
            line.extend_from_slice(digits);
        }
    }

    /// Appends the number as `%g` of C prints it: below 1e-4 with an exponent.
    pub(super) fn push_general(self, line: &mut Vec<u8>) {
        let mut digits = [0_u8; <u64 as lexical_core::FormattedSize>::FORMATTED_SIZE_DECIMAL];
        let digits = lexical_core::write(self.mantissa.unsigned_abs(), &mut digits);
        let exponent = self.scale + 1 - digits.len().min(self.scale + 1);
        if self.mantissa == 0 || exponent <= 4 {
            return self.push(line);
        }
        if self.mantissa < 0 {
            line.push(b'-');
        }
        line.push(digits[0]);
        if digits.len() > 1 {
            line.push(b'.');
            line.extend_from_slice(&digits[1..]);
        }
        line.extend_from_slice(format!("e-{exponent:02}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(decimal: Decimal) -> String {
        let mut line = Vec::new();
        decimal.push(&mut line);
        String::from_utf8(line).expect("ASCII")
    }

    fn general(decimal: Decimal) -> String {
        let mut line = Vec::new();
        decimal.push_general(&mut line);
        String::from_utf8(line).expect("ASCII")
    }

    #[test]
    fn numbers_are_printed_as_the_traces_print_them() {
        assert_eq!(plain(Decimal::fixed(0.5, 4)), "0.5");
        assert_eq!(plain(Decimal::fixed(-0.00012, 4)), "-0.0001");
        assert_eq!(plain(Decimal::fixed(12.0, 2)), "12");
        assert_eq!(general(Decimal::significant(0.067_871, 4)), "0.06787");
        assert_eq!(general(Decimal::significant(2.8612e-6, 4)), "2.861e-06");
        assert_eq!(general(Decimal::significant(0.000_186_9, 4)), "0.0001869");
        assert_eq!(general(Decimal::significant(5e-5, 4)), "5e-05");
        assert_eq!(general(Decimal::significant(2.4449, 4)), "2.445");
        assert_eq!(general(Decimal::significant(0.0, 4)), "0");
        assert_eq!(plain(Decimal::significant(123_456.7, 4)), "123457");
    }

    #[test]
    fn the_text_reads_as_the_value() {
        let mut chance = super::super::chance::Chance::new(3, super::super::chance::Purpose::Name, 0);
        for _ in 0..5_000 {
            let decimal = Decimal::significant(chance.log_normal(0.01, 4.0), 5);
            for text in [plain(decimal), general(decimal)] {
                let read: f64 = text.parse().expect(&text);
                assert_eq!(read.to_bits(), decimal.value().to_bits(), "{text}");
            }
        }
    }
}
