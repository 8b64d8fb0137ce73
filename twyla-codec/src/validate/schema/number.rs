//! Exact comparison of integers and floats.

use std::cmp::Ordering;
use std::fmt;

/// A number of a value or a schema.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A number without a fraction.
    Integer(i128),
    /// A number with a fraction, or beyond an `i128`.
    Float(f64),
}

use Number::{Float, Integer};

/// The first `f64` beyond an `i128`.
const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

impl Number {
    /// Compares two numbers; `None` if one of them is NaN.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Integer(a), Integer(b)) => Some(a.cmp(&b)),
            (Float(a), Float(b)) => a.partial_cmp(&b),
            (Integer(a), Float(b)) => compare(a, b),
            (Float(a), Integer(b)) => compare(b, a).map(Ordering::reverse),
        }
    }

    pub(super) fn equals(self, other: Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// Returns the value as an integer if it has no fraction and fits in an `i128`.
    pub(super) fn whole(self) -> Option<i128> {
        match self {
            Integer(value) => Some(value),
            #[expect(clippy::cast_possible_truncation, reason = "has no fraction and fits")]
            Float(value) if value.fract() == 0.0 && (-BEYOND..BEYOND).contains(&value) => Some(value as i128),
            Float(_) => None,
        }
    }

    /// Returns the integer that the number's shortest decimal denotes: 10^30 for `1e30`, although the nearest `f64` is
    /// another integer.
    pub(super) fn whole_as_written(self) -> Option<i128> {
        match self {
            Integer(value) => Some(value),
            Float(value) => {
                let (mantissa, exponent) = decimal(value.abs())?;
                let factor = 10_i128.checked_pow(u32::try_from(exponent).ok()?)?;
                let whole = i128::from(mantissa).checked_mul(factor)?;
                Some(if value < 0.0 { -whole } else { whole })
            }
        }
    }

    /// Returns whether the number has no fraction.
    pub(super) fn is_integer(self) -> bool {
        match self {
            Integer(_) => true,
            // the fraction of an infinity is NaN
            Float(value) => value.fract() == 0.0,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Integer(value) => value.fmt(f),
            Float(value) => f.write_str(&written(*value)),
        }
    }
}

/// Formats a number as JSON, without an exponent if the number stays short.
pub(super) fn written(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-7..1e21).contains(&size) || !value.is_finite() {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

fn compare(whole: i128, value: f64) -> Option<Ordering> {
    if value.is_nan() {
        return None;
    }
    if value >= BEYOND {
        return Some(Ordering::Less);
    }
    if value < -BEYOND {
        return Some(Ordering::Greater);
    }
    let large = whole.unsigned_abs() > u128::from(u64::MAX);
    if large && Float(value).whole_as_written() == Some(whole) {
        return Some(Ordering::Equal);
    }
    #[expect(clippy::cast_possible_truncation, reason = "is within the bounds")]
    let floor = value.floor() as i128;
    // a fraction makes the number larger than its floor
    Some(whole.cmp(&floor).then(if value.floor() < value { Ordering::Less } else { Ordering::Equal }))
}

/// Returns the digits and the power of ten of the shortest decimal that reads as this number: the original text, if it
/// was short enough.
pub(super) fn decimal(value: f64) -> Option<(u64, i32)> {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
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
        // the nearest f64 is 2^53
        assert_eq!(order(Integer(9_007_199_254_740_993), Float(9_007_199_254_740_992.0)), Ordering::Greater);
        assert_eq!(order(Integer(u64::MAX.into()), Float(18_446_744_073_709_551_616.0)), Ordering::Less);
        assert_eq!(order(Integer(i128::MAX), Float(1e300)), Ordering::Less);
        assert_eq!(order(Integer(i128::MIN), Float(-1e300)), Ordering::Greater);
        assert_eq!(order(Integer(i128::MIN), Float(-BEYOND)), Ordering::Equal);
        assert_eq!(order(Integer(10_i128.pow(30)), Float(1e30)), Ordering::Equal);
        assert_eq!(order(Integer((1 << 64) + 1), Float(18_446_744_073_709_551_616.0)), Ordering::Greater);
        assert_eq!(Integer(1).compare(Float(f64::NAN)), None);
    }

    #[test]
    fn shows_numbers_as_written() {
        assert_eq!(Float(1e300).to_string(), "1e300");
        assert_eq!(Float(0.25).to_string(), "0.25");
    }
}
