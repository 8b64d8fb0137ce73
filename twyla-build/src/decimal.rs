//! Decimal numbers of arbitrary precision.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};
use serde_json::Number;

/// The maximum absolute value of a written exponent, and the maximum number of digits before or after the decimal point.
/// Comparisons of numbers beyond it are undecided.
const FURTHEST: i64 = 5_000;

/// The first `f64` beyond an `i64`.
const BEYOND_WORD: f64 = 9_223_372_036_854_775_808.0;

/// `mantissa * 10^exponent`. The mantissa has no trailing zero, unless the number is zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    mantissa: BigInt,
    exponent: i64,
}

impl Decimal {
    /// Parses a JSON number; `None` if the text isn't one, or if its exponent or its number of digits exceeds the limit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let exponent: i64 = exponent.parse().ok().filter(|exponent| (-FURTHEST..=FURTHEST).contains(exponent))?;
        let places = i64::try_from(fraction.len()).ok().filter(|places| *places <= FURTHEST)?;
        if whole.len() > FURTHEST as usize {
            return None;
        }
        Some(Self::new(format!("{whole}{fraction}").parse().ok()?, exponent - places))
    }

    pub(crate) fn new(mut mantissa: BigInt, mut exponent: i64) -> Self {
        if mantissa.sign() == Sign::NoSign {
            return Self { mantissa, exponent: 0 };
        }
        let ten = BigInt::from(10);
        loop {
            let shorter = &mantissa / &ten;
            if &shorter * &ten != mantissa {
                return Self { mantissa, exponent };
            }
            (mantissa, exponent) = (shorter, exponent + 1);
        }
    }
}

impl Decimal {
    pub(crate) fn is_positive(&self) -> bool {
        self.mantissa.sign() == Sign::Plus
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// Returns the number as an integer, if it is one.
    pub(crate) fn whole(&self) -> Option<BigInt> {
        self.is_integer().then(|| scaled(self, 0))
    }

    /// Converts to a number of `serde_json`, if that is exact.
    pub(crate) fn number(&self) -> Option<Number> {
        if let Some(whole) = self.whole() {
            if let Ok(value) = u64::try_from(&whole) {
                return Some(value.into());
            }
            if let Ok(value) = i64::try_from(&whole) {
                return Some(value.into());
            }
        }
        let value: f64 = self.to_string().parse().ok()?;
        (Self::of(value)? == *self).then(|| Number::from_f64(value)).flatten()
    }

    /// Returns the shortest decimal that parses as this `f64`: of two that are as short, the one that `serde_json` and
    /// generated code write.
    pub(crate) fn of(value: f64) -> Option<Self> {
        Self::parse(&Number::from_f64(value)?.to_string())
    }

    /// Returns whether an `f64` keeps the number: with the shortest digits or with all digits of a whole number, the `f64` is
    /// the same number.
    pub(crate) fn is_double(&self) -> bool {
        self.nearest().is_some_and(|value| Self::notations(value).contains(self))
    }

    /// Returns whether the number is the decimal that generated code writes for its nearest `f64`: all digits if it is whole and
    /// within 64 bits, otherwise the shortest.
    pub(crate) fn is_written(&self) -> bool {
        self.nearest().is_some_and(|value| {
            let notations = Self::notations(value);
            let written = if value.abs() < BEYOND_WORD { notations.last() } else { notations.first() };
            written == Some(self)
        })
    }

    /// Returns the nearest `f64`, which is infinite if the number is out of range.
    pub(crate) fn nearest(&self) -> Option<f64> {
        self.to_string().parse().ok()
    }

    /// Returns the numbers that are read as an `f64` without a loss: its shortest decimal, and all digits if it is whole.
    pub(crate) fn notations(value: f64) -> Vec<Self> {
        let exact = || Self::parse(&format!("{value:.0}"));
        let exact = if value.is_finite() && value.fract() == 0.0 { exact() } else { None };
        Self::of(value).into_iter().chain(exact).collect()
    }

    /// Returns the largest integer `k` with `k * factor <= self`. The factor must be positive.
    pub(crate) fn floor_by(&self, factor: &Self) -> BigInt {
        let low = self.exponent.min(factor.exponent);
        let (value, factor) = (scaled(self, low), scaled(factor, low));
        let quotient = &value / &factor;
        // division truncates
        if value.sign() == Sign::Minus && &quotient * &factor != value { quotient - 1 } else { quotient }
    }

    /// Returns the smallest integer `k` with `k * factor >= self`. The factor must be positive.
    pub(crate) fn ceil_by(&self, factor: &Self) -> BigInt {
        -(-self).floor_by(factor)
    }

    pub(crate) fn is_multiple_of(&self, factor: &Self) -> bool {
        factor.times(&self.floor_by(factor)) == *self
    }

    pub(crate) fn times(&self, count: &BigInt) -> Self {
        Self::new(&self.mantissa * count, self.exponent)
    }

    /// Returns the product of two numbers.
    pub(crate) fn by(&self, other: &Self) -> Self {
        Self::new(&self.mantissa * &other.mantissa, self.exponent + other.exponent)
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let low = self.exponent.min(other.exponent);
        Self::new(scaled(self, low) + scaled(other, low), low)
    }

    /// Returns the mean of two numbers.
    pub(crate) fn middle(&self, other: &Self) -> Self {
        let sum = self.plus(other);
        Self::new(sum.mantissa * 5, sum.exponent - 1)
    }

    /// Returns the size of the number in arithmetic, in words of 64 bits.
    pub(crate) fn words(&self) -> u64 {
        let exponent = self.exponent.unsigned_abs().saturating_mul(4);
        self.mantissa.bits().saturating_add(exponent) / 64 + 1
    }

    /// Returns the least common multiple of two positive numbers.
    pub(crate) fn common_multiple(&self, other: &Self) -> Self {
        let low = self.exponent.min(other.exponent);
        let (a, b) = (scaled(self, low), scaled(other, low));
        Self::new(&a / divisor(a.clone(), b.clone()) * b, low)
    }

    /// Truncates the number to its first `digits` significant digits.
    pub(crate) fn cut(&self, digits: usize) -> Self {
        let length = self.mantissa.magnitude().to_string().len();
        let Some(more) = length.checked_sub(digits).and_then(|more| u32::try_from(more).ok()) else {
            return self.clone();
        };
        Self::new(&self.mantissa / BigInt::from(10).pow(more), self.exponent + i64::from(more))
    }
}

/// Returns the greatest common divisor of two positive integers.
fn divisor(mut a: BigInt, mut b: BigInt) -> BigInt {
    while b.sign() != Sign::NoSign {
        (a, b) = (b.clone(), a % b);
    }
    a
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::new(value.into(), 0)
    }
}

impl From<BigInt> for Decimal {
    fn from(value: BigInt) -> Self {
        Self::new(value, 0)
    }
}

impl std::ops::Neg for &Decimal {
    type Output = Decimal;

    fn neg(self) -> Decimal {
        Decimal { mantissa: -&self.mantissa, exponent: self.exponent }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let low = self.exponent.min(other.exponent);
        scaled(self, low).cmp(&scaled(other, low))
    }
}

/// Returns the mantissa of the same number with a lower exponent.
fn scaled(decimal: &Decimal, exponent: i64) -> BigInt {
    let up = u32::try_from(decimal.exponent - exponent).unwrap_or(0);
    &decimal.mantissa * BigInt::from(10).pow(up)
}

impl fmt::Display for Decimal {
    /// Writes a JSON number, without an exponent if that is short. An integer beyond 64 bits gets an exponent, because
    /// schemas can't contain its digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.magnitude().to_string();
        let sign = if self.mantissa.sign() == Sign::Minus { "-" } else { "" };
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        match self.exponent {
            up if up >= 0 && length.saturating_add(up) <= 20 => {
                let whole = format!("{sign}{digits}{}", "0".repeat(up.unsigned_abs() as usize));
                let fits = whole.parse::<i64>().is_ok() || whole.parse::<u64>().is_ok();
                if fits { f.write_str(&whole) } else { write!(f, "{sign}{digits}e{up}") }
            }
            down @ -20..0 => {
                let places = down.unsigned_abs() as usize;
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(f, "{sign}{whole}.{fraction}")
            }
            far => write!(f, "{sign}{digits}e{far}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_written_one_way() {
        for (written, plain) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("1.0", "1"),
            ("1e2", "100"),
            ("-120e-1", "-12"),
            ("0.1", "0.1"),
            ("1.50E-3", "0.0015"),
            ("9007199254740993", "9007199254740993"),
            ("1e300", "1e300"),
            ("18446744073709551615", "18446744073709551615"),
            ("-26692057978448790000.0", "-2669205797844879e4"),
            ("12345678901234567890123.0", "12345678901234567890123e0"),
            ("-1.5e-30", "-15e-31"),
        ] {
            assert_eq!(Decimal::parse(written).unwrap().to_string(), plain, "{written}");
        }
        for far in ["1e999999999", "1e-9223372036854775808", "0e-9223372036854775808", "1e9223372036854775807"] {
            assert!(Decimal::parse(far).is_none(), "{far}");
        }
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert!(number("9007199254740993") > number("9007199254740992.5"));
        assert!(number("-1e300") < number("1e-300"));
        assert!(number("0.1") < number("0.1000000000000000000001"));
        assert_eq!(number("10.0"), number("1e1"));
    }

    #[test]
    fn multiples_are_those_of_what_is_written() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        for (value, factor, whole) in [
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("-4.5", "1.5", true),
            ("1e308", "0.123456789", false),
            ("0", "7", true),
            ("1e300", "1e-300", true),
        ] {
            assert_eq!(number(value).is_multiple_of(&number(factor)), whole, "{value} by {factor}");
        }
        assert_eq!(number("-7").floor_by(&number("2")), BigInt::from(-4));
        assert_eq!(number("-7").ceil_by(&number("2")), BigInt::from(-3));
        assert_eq!(number("7").floor_by(&number("0.2")), BigInt::from(35));
        assert_eq!(number("0.6").common_multiple(&number("0.4")), number("1.2"));
        assert_eq!(number("3").middle(&number("4")), number("3.5"));
        assert_eq!(number("-12345").cut(2), number("-12000"));
    }

    #[test]
    fn knows_what_a_double_holds() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        for held in ["0.1", "1e300", "9007199254740992", "9007199254740994", "1152921504606847000", "-1.5"] {
            assert!(number(held).is_double(), "{held}");
        }
        for lost in ["9007199254740993", "18446744073709551615", "0.10000000000000000001", "1e400"] {
            assert!(!number(lost).is_double(), "{lost}");
        }
        for notations in [
            ["1152921504606846976", "1152921504606847000"],
            ["18446744073709552000", "18446744073709551616"],
            ["-9223372036854776000", "-9223372036854775808"],
        ] {
            assert!(notations.iter().all(|text| number(text).is_double()), "{notations:?}");
        }
        for written in ["0.1", "-3", "1152921504606846976", "18446744073709552000", "-9223372036854776000"] {
            assert!(number(written).is_written(), "{written}");
        }
        for other in ["1152921504606847000", "18446744073709551616", "9007199254740993"] {
            assert!(!number(other).is_written(), "{other}");
        }
        assert_eq!(number("18446744073709551615").number().unwrap().to_string(), "18446744073709551615");
        assert_eq!(number("1e300").number().unwrap().as_f64(), Some(1e300));
        assert!(number("0.10000000000000000001").number().is_none());
        assert!(number("18446744073709551617").number().is_none());
    }
}
