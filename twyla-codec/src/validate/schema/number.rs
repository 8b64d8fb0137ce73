//! Exact comparison of numbers as decimals, whatever their size.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A number of a value or a schema: a decimal, as JSON writes it.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A number without a fraction.
    Integer(i128),
    /// The shortest decimal that reads as this `f64`: a tenth for `0.1`, 10^30 for `1e30`.
    Float(f64),
    /// A whole `f64` with all its digits, for one beyond an `i128`.
    Exact(f64),
    /// Any other number: a limit or a constant that neither an `i128` nor an `f64` has.
    Decimal {
        /// The digits, without zeros at either end, after a `-` if the number is negative.
        digits: &'static str,
        /// The power of ten to multiply by.
        exponent: i64,
    },
}

use Number::{Decimal, Exact, Float, Integer};

use crate::received::Notation;

/// Below this limit an `f64` that is whole has one decimal.
const ONE_NOTATION: f64 = 9_007_199_254_740_992.0;
/// The first `f64` beyond an `i64`.
const BEYOND_WORD: f64 = 9_223_372_036_854_775_808.0;
/// The first `f64` beyond an `i128`.
const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

impl Number {
    /// Returns the number of an `f64` field, in the notation in which it was received. [`Write`](crate::json::Write) writes a
    /// whole one within 64 bits with all its digits, and any other with the shortest ones.
    #[expect(clippy::cast_possible_truncation, reason = "is whole and within an i64")]
    pub(super) fn of_field(value: f64, notation: Option<Notation>) -> Self {
        match notation {
            None if value.fract() == 0.0 && value.abs() < BEYOND_WORD => Integer((value as i64).into()),
            _ => Self::of_value(value, notation),
        }
    }

    /// Returns the number of a float in a `serde_json::Value`, which is written with the shortest digits.
    pub(super) fn of_value(value: f64, notation: Option<Notation>) -> Self {
        match notation {
            None | Some(Notation::Shortest) => Float(value),
            Some(Notation::All) => Self::digits(value),
        }
    }

    /// Returns the number with all digits of an `f64` that is whole.
    #[expect(clippy::cast_possible_truncation, reason = "is whole and within the bounds")]
    fn digits(value: f64) -> Self {
        match value {
            _ if value.fract() != 0.0 => Float(value),
            _ if (-BEYOND..BEYOND).contains(&value) => Integer(value as i128),
            _ => Exact(value),
        }
    }

    /// Compares two numbers; `None` if one of them is NaN.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Integer(a), Integer(b)) => Some(a.cmp(&b)),
            // the shortest decimals are in the order of their floats
            (Float(a) | Exact(a), Float(b) | Exact(b)) if !a.is_finite() || !b.is_finite() => a.partial_cmp(&b),
            (Float(a), Float(b)) => a.partial_cmp(&b),
            (Integer(a), Float(b)) => compare(a, b),
            (Float(a), Integer(b)) => compare(b, a).map(Ordering::reverse),
            (Float(value) | Exact(value), _) if !value.is_finite() => value.partial_cmp(&0.0),
            (_, Float(value) | Exact(value)) if !value.is_finite() => 0.0_f64.partial_cmp(&value),
            _ => Some(Digits::new(self).compare(&Digits::new(other))),
        }
    }

    pub(super) fn equals(self, other: Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// Returns the number as an integer if it has no fraction and fits in an `i128`.
    pub(super) fn whole(self) -> Option<i128> {
        match self {
            Integer(value) => Some(value),
            #[expect(clippy::cast_possible_truncation, reason = "has no fraction and few digits")]
            Float(value) if value.abs() < ONE_NOTATION => (value.fract() == 0.0).then_some(value as i128),
            Float(value) => {
                let (mantissa, exponent) = decimal(value.abs())?;
                let factor = 10_i128.checked_pow(u32::try_from(exponent).ok()?)?;
                let whole = i128::from(mantissa).checked_mul(factor)?;
                Some(if value < 0.0 { -whole } else { whole })
            }
            Exact(_) | Decimal { .. } => None,
        }
    }

    /// Returns whether the number has no fraction.
    pub(super) fn is_integer(self) -> bool {
        match self {
            Integer(_) => true,
            // the fraction of an infinity is NaN
            Float(value) | Exact(value) => value.fract() == 0.0,
            Decimal { exponent, .. } => exponent >= 0,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Integer(value) => value.fmt(f),
            Float(value) => f.write_str(&written(*value)),
            Exact(value) => write!(f, "{value:.0}"),
            Decimal { digits, exponent } => f.write_str(&shown(digits, *exponent)),
        }
    }
}

/// Formats a number as JSON, without an exponent if the number stays short.
fn written(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-7..1e21).contains(&size) || !value.is_finite() {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// Formats a decimal as JSON, with an exponent only if it would have many zeros.
fn shown(digits: &str, exponent: i64) -> String {
    let (sign, unsigned) = digits.strip_prefix('-').map_or(("", digits), |unsigned| ("-", unsigned));
    let point = i64::try_from(unsigned.len()).unwrap_or(i64::MAX).saturating_add(exponent);
    match (usize::try_from(exponent), usize::try_from(point)) {
        (Ok(zeros), _) if zeros <= 20 => format!("{digits}{}", "0".repeat(zeros)),
        (Err(_), Ok(point)) if point > 0 => {
            let (whole, fraction) = unsigned.split_at_checked(point).unwrap_or((unsigned, ""));
            format!("{sign}{whole}.{fraction}")
        }
        (Err(_), _) if point > -7 => {
            let zeros = usize::try_from(point.unsigned_abs()).unwrap_or(0);
            format!("{sign}0.{}{unsigned}", "0".repeat(zeros))
        }
        _ => format!("{digits}e{exponent}"),
    }
}

fn compare(whole: i128, value: f64) -> Option<Ordering> {
    if value.is_nan() {
        return None;
    }
    if value.is_infinite() {
        return 0.0_f64.partial_cmp(&value);
    }
    if value.abs() >= ONE_NOTATION {
        return Some(Digits::new(Integer(whole)).compare(&Digits::new(Float(value))));
    }
    #[expect(clippy::cast_possible_truncation, reason = "is within the bounds")]
    let floor = value.floor() as i128;
    // a fraction makes the number larger than its floor
    Some(whole.cmp(&floor).then(if value.floor() < value { Ordering::Less } else { Ordering::Equal }))
}

/// A finite number in digits: `0.DIGITS * 10^point`, and no digits for zero.
struct Digits {
    negative: bool,
    point: i64,
    /// Without zeros at either end.
    digits: Cow<'static, str>,
}

impl Digits {
    fn new(number: Number) -> Self {
        let (negative, digits, exponent): (bool, Cow<'static, str>, i64) = match number {
            Integer(value) => (value < 0, value.unsigned_abs().to_string().into(), 0),
            Float(value) => {
                let (mantissa, exponent) = decimal(value.abs()).unwrap_or_default();
                (value < 0.0, mantissa.to_string().into(), exponent.into())
            }
            Exact(value) => (value < 0.0, format!("{:.0}", value.abs()).into(), 0),
            Decimal { digits, exponent } => match digits.strip_prefix('-') {
                Some(unsigned) => (true, unsigned.into(), exponent),
                None => (false, digits.into(), exponent),
            },
        };
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_add(exponent);
        let digits: Cow<'static, str> = match digits {
            Cow::Borrowed(digits) => digits.trim_end_matches('0').into(),
            Cow::Owned(digits) => digits.trim_end_matches('0').to_owned().into(),
        };
        Self { negative, point, digits }
    }

    /// Returns -1, 0 or 1.
    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_size = || self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits));
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            1 => by_size(),
            _ => by_size().reverse(),
        })
    }
}

/// Returns the digits and the power of ten of the shortest decimal that reads as this number: the original text, if it
/// was short enough.
pub(super) fn decimal(value: f64) -> Option<(u64, i32)> {
    if !value.is_finite() {
        return None;
    }
    // of two decimals that are as short, the standard library writes another one
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // a whole number is written with a zero after its point
    let fraction = fraction.trim_end_matches('0');
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    Some((mantissa, exponent - i32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: Number, b: Number) -> Ordering {
        let order = a.compare(b).unwrap();
        assert_eq!(b.compare(a), Some(order.reverse()));
        order
    }

    #[test]
    fn compares_exactly_across_kinds() {
        assert_eq!(order(Integer(1), Float(1.0)), Ordering::Equal);
        assert_eq!(order(Integer(1), Float(1.5)), Ordering::Less);
        assert_eq!(order(Integer(-1), Float(-1.5)), Ordering::Greater);
        assert_eq!(order(Integer(0), Float(-1e-300)), Ordering::Greater);
        assert_eq!(order(Integer(0), Float(-0.0)), Ordering::Equal);
        // the nearest f64 is 2^53
        assert_eq!(order(Integer(9_007_199_254_740_993), Float(9_007_199_254_740_992.0)), Ordering::Greater);
        assert_eq!(order(Integer(u64::MAX.into()), Float(18_446_744_073_709_551_616.0)), Ordering::Less);
        assert_eq!(order(Integer(i128::MAX), Float(1e300)), Ordering::Less);
        assert_eq!(order(Integer(i128::MIN), Float(-1e300)), Ordering::Greater);
        assert_eq!(order(Integer(10_i128.pow(30)), Float(1e30)), Ordering::Equal);
        assert_eq!(Integer(1).compare(Float(f64::NAN)), None);
        assert_eq!(order(Integer(i128::MAX), Float(f64::INFINITY)), Ordering::Less);
    }

    #[test]
    fn a_float_is_the_shortest_decimal_that_reads_as_it() {
        // 18446744073709552000
        let power = Float(18_446_744_073_709_551_616.0);
        assert_eq!(order(Integer(1 << 64), power), Ordering::Less);
        assert_eq!(order(Integer(18_446_744_073_709_552_000), power), Ordering::Equal);
        assert_eq!(order(Exact(18_446_744_073_709_551_616.0), Integer(1 << 64)), Ordering::Equal);
        // -1.7014118346046923e38, and i128::MIN is -1.701411834604692317…e38
        assert_eq!(order(Integer(i128::MIN), Float(-BEYOND)), Ordering::Less);
        assert_eq!(order(Exact(2.0 * BEYOND), Float(2.0 * BEYOND)), Ordering::Less);
        assert_eq!(order(Exact(f64::MAX), Integer(i128::MAX)), Ordering::Greater);
    }

    #[test]
    fn decimals_are_compared_digit_by_digit() {
        let tenth = Decimal { digits: "1000000000000000000001", exponent: -22 };
        assert_eq!(order(tenth, Float(0.1)), Ordering::Greater);
        assert_eq!(order(tenth, Float(0.100_000_000_000_000_02)), Ordering::Less);
        assert_eq!(order(tenth, Integer(0)), Ordering::Greater);
        assert_eq!(order(tenth, Integer(1)), Ordering::Less);
        let far = Decimal { digits: "-1", exponent: 400 };
        assert_eq!(order(far, Float(f64::MIN)), Ordering::Less);
        assert_eq!(order(far, Integer(i128::MIN)), Ordering::Less);
        assert_eq!(order(far, tenth), Ordering::Less);
        assert_eq!(order(far, Decimal { digits: "-12", exponent: 399 }), Ordering::Greater);
        let close = Decimal { digits: "1", exponent: -400 };
        assert_eq!(order(close, Float(5e-324)), Ordering::Less);
        assert_eq!(order(close, Float(-0.0)), Ordering::Greater);
        assert_eq!(close.compare(Float(f64::NAN)), None);
        assert_eq!(order(close, Float(f64::NEG_INFINITY)), Ordering::Greater);
    }

    #[test]
    fn a_field_and_a_value_have_the_numbers_that_are_written_for_them() {
        let power = 1_152_921_504_606_846_976.0;
        let same = |a: Number, b: i128| assert_eq!(a.compare(Integer(b)), Some(Ordering::Equal), "{a:?}");
        same(Number::of_field(power, None), 1_152_921_504_606_846_976);
        same(Number::of_value(power, None), 1_152_921_504_606_847_000);
        same(Number::of_field(16.0 * power, None), 18_446_744_073_709_552_000);
        for number in [Number::of_field, Number::of_value] {
            same(number(power, Some(Notation::Shortest)), 1_152_921_504_606_847_000);
            same(number(power, Some(Notation::All)), 1_152_921_504_606_846_976);
            same(number(16.0 * power, Some(Notation::All)), 1 << 64);
            same(number(-7.0, Some(Notation::All)), -7);
            for value in [0.1, -2.5, 1e-300] {
                assert!(number(value, Some(Notation::All)).equals(Float(value)), "{value}");
            }
        }
    }

    #[test]
    fn the_written_number_is_the_text_that_is_sent() {
        use crate::json::Write;
        let floats = [0.1, 1.0, 1e22, 1e23, 5e-324, f64::MAX, 9_007_199_254_740_994.0, 9_223_372_036_854_774_784.0];
        let powers = (0..1024).map(|power| 2_f64.powi(power));
        let thirds = (0..1000).map(|index| f64::from(index).exp() / 3.0);
        for value in floats.into_iter().chain(powers).chain(thirds).filter(|value| value.is_finite()) {
            for value in [value, -value] {
                let of = |write: &dyn Fn(&mut Vec<u8>)| {
                    let mut out = Vec::new();
                    write(&mut out);
                    String::from_utf8(out).unwrap()
                };
                for (number, text) in [
                    (Number::of_field(value, None), of(&|out| value.write(out))),
                    (Number::of_value(value, None), of(&|out| serde_json::Value::from(value).write(out))),
                ] {
                    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                    let exponent = exponent.parse::<i64>().unwrap() - i64::try_from(fraction.len()).unwrap();
                    let digits = format!("{whole}{fraction}");
                    let unsigned = digits.trim_start_matches(['-', '0']);
                    let sign = if text.starts_with('-') { "-" } else { "" };
                    let digits: &'static str = format!("{sign}{unsigned}").leak();
                    assert!(number.equals(Decimal { digits, exponent }), "{value:e}: {text}, {number:?}");
                }
            }
        }
    }

    #[test]
    fn shows_numbers_as_written() {
        assert_eq!(Float(1e300).to_string(), "1e300");
        assert_eq!(Float(0.25).to_string(), "0.25");
        for (digits, exponent, text) in [
            ("12", -1, "1.2"),
            ("-12", -3, "-0.012"),
            ("12", -10, "12e-10"),
            ("-1", 400, "-1e400"),
            ("12", 2, "1200"),
            ("5", -1, "0.5"),
        ] {
            assert_eq!(Decimal { digits, exponent }.to_string(), text);
        }
    }
}
