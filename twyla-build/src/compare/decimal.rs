//! Decimal numbers without the loss of a digit.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};

/// The limit of a number's exponent, either way: what is further is no number that two schemas need compared.
const FURTHEST: i64 = 5_000;

/// `mantissa * 10^exponent`; the mantissa of all but zero has no zero at its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    mantissa: BigInt,
    exponent: i64,
}

impl Decimal {
    /// A JSON number; none where it is none, or too far from one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let exponent: i64 = exponent.parse().ok().filter(|exponent: &i64| exponent.abs() <= FURTHEST)?;
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

/// The mantissa for a lower exponent.
fn scaled(decimal: &Decimal, exponent: i64) -> BigInt {
    let up = u32::try_from(decimal.exponent - exponent).unwrap_or(0);
    &decimal.mantissa * BigInt::from(10).pow(up)
}

impl fmt::Display for Decimal {
    /// A JSON number: plain where that is short, and no whole one with more digits than a schema's may have (64 bits), so
    /// that what is written can be read.
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
        assert!(Decimal::parse("1e999999999").is_none());
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert!(number("9007199254740993") > number("9007199254740992.5"));
        assert!(number("-1e300") < number("1e-300"));
        assert!(number("0.1") < number("0.1000000000000000000001"));
        assert_eq!(number("10.0"), number("1e1"));
    }
}
