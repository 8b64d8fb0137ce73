//! Numbers as schemas write them: exact, of any size and with any number of digits.

/// A decimal number: its digits without zeros at either end, and an exponent.
#[derive(Debug)]
pub(crate) struct Number<'a> {
    negative: bool,
    digits: String,
    exponent: i64,
    text: &'a str,
}

impl<'a> Number<'a> {
    /// Parses a JSON number.
    pub(crate) fn new(text: &'a str) -> Self {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
        let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // with a larger exponent the number is zero or infinite as an `f64` anyway
        let far = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
        let exponent: i64 = exponent.parse().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4);
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let zeros = all.len() - digits.len();
        let exponent = exponent + i64::try_from(zeros).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        Self { negative, digits: digits.trim_start_matches('0').to_owned(), exponent, text }
    }

    /// Returns whether the number has no fraction.
    pub(crate) fn is_whole(&self) -> bool {
        self.digits.is_empty() || self.exponent >= 0
    }

    /// Returns whether the number is above zero.
    pub(crate) fn is_positive(&self) -> bool {
        !self.negative && !self.digits.is_empty()
    }

    /// Returns whether the number is below zero.
    pub(crate) fn is_negative(&self) -> bool {
        self.negative && !self.digits.is_empty()
    }

    /// Returns the number as an integer; `None` if it has a fraction or more than 128 bits.
    pub(crate) fn whole(&self) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let factor = 10_i128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        let whole = self.digits.parse::<i128>().ok()?.checked_mul(factor)?;
        Some(if self.negative { -whole } else { whole })
    }

    /// Rounds the number up or down to an integer, clamped to `i128::MIN` and `i128::MAX`.
    pub(crate) fn bound(&self, up: bool) -> i128 {
        let beyond = if self.negative { i128::MIN } else { i128::MAX };
        if self.is_whole() {
            return self.whole().unwrap_or(beyond);
        }
        // the digits before the point; a small number has none
        let digits = i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_add(self.exponent);
        let before = usize::try_from(digits).ok().filter(|digits| *digits > 0);
        let Ok(whole) = before.and_then(|digits| self.digits.get(..digits)).unwrap_or("0").parse::<i128>() else {
            return beyond;
        };
        match (self.negative, up) {
            (false, true) => whole.saturating_add(1),
            (false, false) => whole,
            (true, true) => -whole,
            (true, false) => (-whole).saturating_sub(1),
        }
    }

    /// Returns the nearest `f64`, infinite if it is out of range.
    pub(crate) fn float(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }

    /// Returns whether an `f64` can represent it: the value is finite and, if the text is an integer, keeps all digits.
    pub(crate) fn is_float(&self) -> bool {
        let value = self.float();
        let same = |text: String| Number::new(&text).digits == self.digits;
        let is_integer = !self.text.contains(['.', 'e', 'E']);
        value.is_finite() && (!is_integer || same(format!("{value}")) || same(format!("{value:.0}")))
    }

    /// Returns whether an `i64`, a `u64` or an `f64` can represent the number after reading.
    pub(crate) fn is_readable(&self) -> bool {
        let fits = |whole| i64::try_from(whole).is_ok() || u64::try_from(whole).is_ok();
        self.is_float() || self.whole().is_some_and(fits)
    }

    /// Returns the `f64` whose shortest decimal is this number, as `serde_json` and generated code write it.
    pub(crate) fn shortest(&self) -> Option<f64> {
        let value = self.float();
        let written = serde_json::Number::from_f64(value)?.to_string();
        self.equals(&Number::new(&written)).then_some(value)
    }

    fn equals(&self, other: &Number<'_>) -> bool {
        let both_zero = self.digits.is_empty() && other.digits.is_empty();
        let same = || (self.negative, &self.digits, self.exponent) == (other.negative, &other.digits, other.exponent);
        both_zero || same()
    }

    /// Returns the digits, after a `-` if the number is negative, and the power of ten to multiply by.
    pub(crate) fn digits(&self) -> (String, i64) {
        (format!("{}{}", if self.negative { "-" } else { "" }, self.digits), self.exponent)
    }

    /// Returns whether generated code computes multiples of the number exactly. A number that isn't positive has none.
    pub(crate) fn is_exact_factor(&self) -> bool {
        !self.is_positive() || self.parts().is_some()
    }

    /// Returns the digits as an integer without the sign, and the power of ten to multiply by. `None` for zero, or if one
    /// of them doesn't fit its type.
    pub(crate) fn parts(&self) -> Option<(u128, i32)> {
        Some((self.digits.parse().ok()?, i32::try_from(self.exponent).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_integers_are_exact() {
        for (text, down, up) in [
            ("0", 0, 0),
            ("-0.0", 0, 0),
            ("1.5", 1, 2),
            ("-1.5", -2, -1),
            ("0.001", 0, 1),
            ("-1e-9999999999999999999999", -1, 0),
            ("123.0e-1", 12, 13),
            ("9223372036854775807.0", i64::MAX.into(), i64::MAX.into()),
            ("9007199254740993.5", 9_007_199_254_740_993, 9_007_199_254_740_994),
            ("18446744073709551616", 1 << 64, 1 << 64),
            ("-9223372036854776000", -9_223_372_036_854_776_000, -9_223_372_036_854_776_000),
            ("1e30", 10_i128.pow(30), 10_i128.pow(30)),
            ("1e400", i128::MAX, i128::MAX),
            ("-1e400", i128::MIN, i128::MIN),
            ("1e9999999999999999999999", i128::MAX, i128::MAX),
        ] {
            let number = Number::new(text);
            assert_eq!((number.bound(false), number.bound(true)), (down, up), "{text}");
        }
        let long = format!("{}.5", "9".repeat(100));
        assert_eq!(Number::new(&long).bound(true), i128::MAX);
    }

    #[test]
    fn a_number_is_readable_if_no_digit_is_lost() {
        for kept in ["1", "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e22", "0.1", "-0.0"]
        {
            assert!(Number::new(kept).is_readable(), "{kept}");
        }
        for lost in ["18446744073709551617", "123456789012345678901234567890", "-9223372036854775809", "1e400"] {
            assert!(!Number::new(lost).is_readable(), "{lost}");
        }
    }

    #[test]
    fn the_shortest_decimal_of_a_float_is_the_one_that_is_written() {
        for (text, value) in [
            ("0.1", Some(0.1)),
            ("-1.50e1", Some(-15.0)),
            ("-0", Some(0.0)),
            ("18446744073709552000", Some(18_446_744_073_709_551_616.0)),
            ("18446744073709551616", None),
            ("0.1000000000000000000001", None),
            ("1e400", None),
            ("1e-400", None),
            // the float is between both
            ("194487247509151.62", Some(194_487_247_509_151.62)),
            ("194487247509151.63", None),
        ] {
            assert_eq!(Number::new(text).shortest(), value, "{text}");
        }
    }
}
