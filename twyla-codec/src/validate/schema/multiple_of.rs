//! `multipleOf` in decimal arithmetic; `rules` checks integers with an integer factor.

use std::fmt;

use super::number::Number::{self, Decimal, Exact, Float, Integer};
use super::number::decimal;

/// A factor in decimal: `mantissa * 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// The decimal digits, as an integer.
    pub mantissa: u128,
    /// The power of ten.
    pub exponent: i32,
}

impl Number {
    /// Returns whether the number is a multiple of the factor, in decimal arithmetic.
    pub(super) fn is_multiple_of(self, factor: Factor) -> bool {
        let (mantissa, exponent) = match self {
            Integer(value) => (value.unsigned_abs(), 0),
            Float(value) => match decimal(value.abs()) {
                Some((mantissa, exponent)) => (u128::from(mantissa), exponent),
                None => return false,
            },
            Exact(value) => return factor.divides(value),
            // only limits and constants are such numbers
            Decimal { .. } => return false,
        };
        if mantissa == 0 {
            return factor.mantissa != 0;
        }
        let shift = exponent.saturating_sub(factor.exponent);
        match u32::try_from(shift) {
            Ok(up) => times(mantissa, power_of(10, up, factor.mantissa), factor.mantissa) == Some(0),
            Err(_) => {
                // if the product overflows, the factor is larger than the value
                let scaled = 10_u128.checked_pow(shift.unsigned_abs()).and_then(|ten| factor.mantissa.checked_mul(ten));
                scaled.is_some_and(|scaled| mantissa.checked_rem(scaled) == Some(0))
            }
        }
    }
}

impl Factor {
    /// Returns whether a whole `f64` beyond an `i128`, with all its digits, is a multiple.
    fn divides(self, value: f64) -> bool {
        // `fraction * 2^power`
        let bits = value.to_bits();
        let fraction = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
        let power = ((bits >> 52) & 0x7ff).saturating_sub(1075);
        let Ok(power) = u32::try_from(power) else { return false };
        let Ok(tens) = u32::try_from(self.exponent) else {
            // `value * 10^-exponent` is a multiple of the mantissa
            let tens = power_of(10, self.exponent.unsigned_abs(), self.mantissa);
            let value = times(fraction, power_of(2, power, self.mantissa), self.mantissa);
            return value.and_then(|value| times(value, tens, self.mantissa)) == Some(0);
        };
        // 2 and 5 are taken out of the factor, one after the other
        let fives = 5_u128.checked_pow(tens).filter(|fives| fraction.checked_rem(*fives) == Some(0));
        let (Some(fives), Some(twos)) = (fives, power.checked_sub(tens)) else { return false };
        times(fraction / fives, power_of(2, twos, self.mantissa), self.mantissa) == Some(0)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.to_string();
        match self.exponent {
            0 => f.write_str(&digits),
            up @ 1..=20 => write!(f, "{digits}{}", "0".repeat(up.unsigned_abs() as usize)),
            down @ -20..0 => {
                let places = down.unsigned_abs() as usize;
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(f, "{whole}.{fraction}")
            }
            far => write!(f, "{digits}e{far}"),
        }
    }
}

/// Returns `base^exponent` modulo `modulus`.
fn power_of(base: u128, mut exponent: u32, modulus: u128) -> u128 {
    let (mut power, mut square) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = times(power, square, modulus).unwrap_or_default();
        }
        square = times(square, square, modulus).unwrap_or_default();
        exponent >>= 1;
    }
    power
}

/// Returns `a * b` modulo `modulus`; `None` if `modulus` is zero.
fn times(a: u128, b: u128, modulus: u128) -> Option<u128> {
    let (mut a, mut b) = (a.checked_rem(modulus)?, b.checked_rem(modulus)?);
    if let Some(product) = a.checked_mul(b) {
        return product.checked_rem(modulus);
    }
    let sum = |x: u128, y: u128| if x >= modulus - y { x - (modulus - y) } else { x + y };
    let mut product = 0;
    while b > 0 {
        if b & 1 == 1 {
            product = sum(product, a);
        }
        a = sum(a, a);
        b >>= 1;
    }
    Some(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_decimal() {
        let multiple = |value: Number, mantissa, exponent| value.is_multiple_of(Factor { mantissa, exponent });
        assert!(multiple(Float(0.0075), 1, -4));
        assert!(!multiple(Float(0.00751), 1, -4));
        assert!(multiple(Float(4.35), 1, -2));
        assert!(multiple(Float(1.1), 11, -1));
        assert!(multiple(Float(-4.5), 15, -1));
        assert!(multiple(Integer(0), 15, -1));
        assert!(!multiple(Integer(35), 15, -1));
        assert!(multiple(Integer(300), 1, 2));
        assert!(!multiple(Integer(350), 1, 2));
        assert!(multiple(Float(1e308), 5, -1));
        assert!(!multiple(Float(1e308), 123_456_789, -9));
        assert!(multiple(Float(1e308), 1 << 100, 0));
        assert!(!multiple(Float(1e308), 3_u128.pow(80), 0));
        assert!(multiple(Integer(12_391_239_123), 1, -8));
        assert!(!multiple(Float(1e-300), 1, 300));
        assert!(!multiple(Float(f64::INFINITY), 1, 0));
        assert!(!multiple(Integer(1), 0, 0));
        // 2^200, with all its digits
        let power = Exact(2_f64.powi(200));
        assert!(
            multiple(power, 1 << 127, 0) && multiple(power, 1, 0) && multiple(power, 5, -1) && multiple(power, 2, -9)
        );
        assert!(!multiple(power, 3, 0) && !multiple(power, 1, 1) && !multiple(power, 3, -9));
        assert!(multiple(Exact(5.0 * 2_f64.powi(200)), 1, 1) && !multiple(Exact(5.0 * 2_f64.powi(200)), 1, 2));
        assert!(multiple(Exact(-75.0 * 2_f64.powi(200)), 3, 2));
    }

    #[test]
    fn shows_factors_without_an_exponent_if_that_is_short() {
        let shown = |mantissa, exponent| Factor { mantissa, exponent }.to_string();
        assert_eq!(shown(15, -1), "1.5");
        assert_eq!(shown(1, -4), "0.0001");
        assert_eq!(shown(1, 2), "100");
        assert_eq!(shown(1, 200), "1e200");
    }
}
