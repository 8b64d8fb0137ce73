//! Numbers: a fast path for integers and short floats, and an exact one for the rest. No digit is lost silently.

use twyla_contract::text::shortened;

use super::fault::Fault;
use super::reader::Reader;

/// A number literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Literal<'a> {
    /// A non-negative integer literal.
    Unsigned(u64),
    /// A negative integer literal; 0 stands for `-0`.
    Signed(i64),
    /// Any other number: with a fraction or an exponent, or an integer literal of more digits.
    Text(&'a str),
}

/// The exact value of a number if it is an integer.
enum Integral {
    Integer { negative: bool, magnitude: u64 },
    Fraction,
    TooLong { shown: String },
}

/// Every integer up to here is exactly representable as an `f64`.
const EXACT: u64 = 1 << 53;

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl<'a> Reader<'a> {
    /// Reads the next value as a number.
    ///
    /// # Errors
    /// A `type` fault if it is something else.
    #[inline]
    pub(super) fn number(&mut self, wanted: &str) -> Result<Literal<'a>, Fault> {
        self.next_byte();
        let start = self.at;
        let bytes = self.text.as_bytes();
        let negative = self.byte() == b'-';
        let begin = start + usize::from(negative);
        let mut at = begin;
        let mut value = 0u64;
        let mut next;
        loop {
            next = bytes.get(at).copied().unwrap_or(0);
            let digit = next.wrapping_sub(b'0');
            // 19 digits fit in a `u64`
            if digit > 9 || at - begin == 19 {
                break;
            }
            value = value * 10 + u64::from(digit);
            at += 1;
        }
        if at == begin
            || matches!(next, b'0'..=b'9' | b'.' | b'e' | b'E')
            || (at - begin > 1 && bytes.get(begin) == Some(&b'0'))
        {
            return self.literal_number(wanted);
        }
        if !negative {
            self.at = at;
            return Ok(Literal::Unsigned(value));
        }
        match 0i64.checked_sub_unsigned(value) {
            Some(value) => {
                self.at = at;
                Ok(Literal::Signed(value))
            }
            None => self.literal_number(wanted),
        }
    }

    /// Reads the next value as a float if it is short: few digits with a point between them. Otherwise consumes nothing.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn simple_float(&mut self) -> Option<f64> {
        self.next_byte();
        let bytes = self.text.as_bytes();
        let negative = self.byte() == b'-';
        let begin = self.at + usize::from(negative);
        let mut at = begin;
        let mut value = 0u64;
        let mut point = None;
        let mut next;
        loop {
            next = bytes.get(at).copied().unwrap_or(0);
            let digit = next.wrapping_sub(b'0');
            if digit <= 9 {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            } else if next == b'.' && point.is_none() {
                point = Some(at);
            } else {
                break;
            }
            at += 1;
        }
        let point = point?;
        let decimals = at - point - 1;
        let leading_zero = bytes.get(begin) == Some(&b'0') && point - begin > 1;
        // both numbers are exact floats, so their quotient is rounded once and correctly
        if at - begin > 17 || value > EXACT || point == begin || leading_zero || matches!(next, b'e' | b'E') {
            return None;
        }
        let power = POWERS.get(decimals).filter(|_| decimals > 0)?;
        self.at = at;
        let value = value as f64 / power;
        Some(if negative { -value } else { value })
    }

    /// Reads any number literal by the full grammar of JSON.
    #[inline(never)]
    fn literal_number(&mut self, wanted: &str) -> Result<Literal<'a>, Fault> {
        if !matches!(self.byte(), b'0'..=b'9' | b'-') {
            return Err(self.mismatch(wanted));
        }
        let start = self.at;
        let negative = self.byte() == b'-';
        self.at += usize::from(negative);
        let leading_zero = self.byte() == b'0';
        if self.digits() > 1 && leading_zero {
            return Err(self.syntax_fault("invalid number"));
        }
        let mut whole = true;
        if self.at == start + usize::from(negative) {
            return Err(self.expected_fault("a value", "invalid number"));
        }
        if self.byte() == b'.' {
            whole = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.expected_fault("a value", "invalid number"));
            }
        }
        if matches!(self.byte(), b'e' | b'E') {
            whole = false;
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.expected_fault("a value", "invalid number"));
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if whole && text.len() <= 20 {
            if let Ok(value) = text.parse() {
                return Ok(Literal::Unsigned(value));
            }
            if let Ok(value) = text.parse() {
                return Ok(Literal::Signed(value));
            }
        }
        Ok(Literal::Text(text))
    }

    /// Skips digits and returns how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

impl Literal<'_> {
    /// Returns the value as an `i64`.
    #[inline]
    pub(super) fn signed(self) -> Result<i64, Fault> {
        match self {
            Literal::Unsigned(value) if i64::try_from(value).is_ok() => Ok(value.cast_signed()),
            Literal::Signed(value) => Ok(value),
            other => other.exact_signed(),
        }
    }

    /// Returns the value as a `u64`.
    #[inline]
    pub(super) fn unsigned(self) -> Result<u64, Fault> {
        match self {
            Literal::Unsigned(value) => Ok(value),
            Literal::Signed(0) => Ok(0),
            other => other.exact_unsigned(),
        }
    }

    /// Returns the value as an `f64`. Refuses an integer literal that no `f64` represents exactly or prints as.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn float(self) -> Result<f64, Fault> {
        match self {
            Literal::Unsigned(value) if value <= EXACT => Ok(value as f64),
            Literal::Signed(0) => Ok(-0.0),
            Literal::Signed(value) if value.unsigned_abs() <= EXACT => Ok(value as f64),
            Literal::Unsigned(value) => parse_float(&value.to_string()),
            Literal::Signed(value) => parse_float(&value.to_string()),
            Literal::Text(text) => parse_float(text),
        }
    }

    #[cold]
    fn exact_signed(self) -> Result<i64, Fault> {
        let (negative, magnitude) = match self.exact() {
            Integral::Integer { negative, magnitude } => (negative, magnitude),
            Integral::Fraction => return Err(self.no_integer()),
            Integral::TooLong { shown } => return Err(too_long(&shown)),
        };
        if negative {
            0i64.checked_sub_unsigned(magnitude).ok_or_else(|| too_long(&format!("-{magnitude}")))
        } else {
            i64::try_from(magnitude).map_err(|_| too_long(&magnitude.to_string()))
        }
    }

    #[cold]
    fn exact_unsigned(self) -> Result<u64, Fault> {
        match self.exact() {
            Integral::Integer { negative: false, magnitude } | Integral::Integer { magnitude: magnitude @ 0, .. } => {
                Ok(magnitude)
            }
            Integral::Integer { magnitude, .. } => Err(Fault::new("minimum", format!("-{magnitude} is less than 0"))),
            Integral::Fraction => Err(self.no_integer()),
            Integral::TooLong { shown } if shown.starts_with('-') => {
                Err(Fault::new("minimum", format!("{shown} is less than 0")))
            }
            Integral::TooLong { shown } => Err(too_long(&shown)),
        }
    }

    fn shown(self) -> String {
        match self {
            Literal::Unsigned(value) => value.to_string(),
            Literal::Signed(value) => value.to_string(),
            Literal::Text(text) => shortened(text, 60).into_owned(),
        }
    }

    fn no_integer(self) -> Fault {
        Fault::new("type", format!("is the number `{}`, not an integer", self.shown()))
    }

    fn exact(self) -> Integral {
        let text = match self {
            Literal::Unsigned(magnitude) => return Integral::Integer { negative: false, magnitude },
            Literal::Signed(value) => {
                return Integral::Integer { negative: value < 0, magnitude: value.unsigned_abs() };
            }
            Literal::Text(text) => text,
        };
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        let zeros = digits.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Integral::Integer { negative, magnitude: 0 };
        }
        // an exponent beyond an `i64` exceeds any number of digits that a text can have
        let far = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent = exponent.parse::<i64>().unwrap_or(far).clamp(i64::MIN / 2, i64::MAX / 2);
        let exponent = exponent + i64::try_from(zeros).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        let Ok(exponent) = u32::try_from(exponent) else {
            return if exponent < 0 {
                Integral::Fraction
            } else {
                Integral::TooLong { shown: shortened(text, 60).into_owned() }
            };
        };
        let magnitude = significant.parse::<u64>().ok();
        match magnitude.and_then(|value| 10u64.checked_pow(exponent).and_then(|power| value.checked_mul(power))) {
            Some(magnitude) => Integral::Integer { negative, magnitude },
            None if significant.len() + exponent as usize <= 60 => {
                let sign = if negative { "-" } else { "" };
                Integral::TooLong { shown: format!("{sign}{significant}{}", "0".repeat(exponent as usize)) }
            }
            None => Integral::TooLong { shown: shortened(text, 60).into_owned() },
        }
    }
}

#[cold]
fn too_long(shown: &str) -> Fault {
    Fault::new("type", format!("{shown} is not an integer that fits in 64 bits"))
}

/// Parses the text of a number as an `f64`.
#[inline(never)]
fn parse_float(text: &str) -> Result<f64, Fault> {
    let value = text.parse::<f64>().unwrap_or(f64::INFINITY);
    if !value.is_finite() {
        return Err(Fault::new("type", format!("{} is beyond the numbers that can be read", shortened(text, 60))));
    }
    let short = text.len() <= 15;
    if short || text.contains(['.', 'e', 'E']) || format!("{value}") == text || format!("{value:.0}") == text {
        return Ok(value);
    }
    Err(Fault::new("type", format!("{} is an integer with more digits than can be kept", shortened(text, 60))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Read, from_str};

    fn read<T: Read>(text: &str) -> Result<T, String> {
        from_str::<T>(text).map_err(|fault| fault.into_violation().message)
    }

    #[test]
    fn integers_may_be_written_with_a_point() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("1.0", 1),
            ("-2e3", -2000),
            ("120e-1", 12),
            ("1.50E1", 15),
            ("0.0e99999999999999999999", 0),
            ("0e-99999999999999999999", 0),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775807.000", i64::MAX),
            ("922337203685477580.7e1", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-9.223372036854775808e18", i64::MIN),
        ] {
            assert_eq!(read::<i64>(text), Ok(value), "{text}");
        }
        assert_eq!(read::<u64>("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(read::<u64>("1844674407370955161.5e+1"), Ok(u64::MAX));
        assert_eq!(read::<u64>("-0.0"), Ok(0));
    }

    #[test]
    fn what_is_no_integer_is_refused_with_its_digits() {
        for (text, said) in [
            ("1.5", "is the number `1.5`, not an integer"),
            ("1e-1", "is the number `1e-1`, not an integer"),
            ("9007199254740992.5", "is the number `9007199254740992.5`, not an integer"),
            ("1e-99999999999999999999", "is the number `1e-99999999999999999999`, not an integer"),
            ("9223372036854775808", "9223372036854775808 is not an integer that fits in 64 bits"),
            ("-9223372036854775809", "-9223372036854775809 is not an integer that fits in 64 bits"),
            ("99999999999999999999", "99999999999999999999 is not an integer that fits in 64 bits"),
            ("1e19", "10000000000000000000 is not an integer that fits in 64 bits"),
            ("1e400", "1e400 is not an integer that fits in 64 bits"),
            ("1e99999999999999999999", "1e99999999999999999999 is not an integer that fits in 64 bits"),
            ("\"1\"", "is the string \"1\", not an integer"),
            ("null", "is null, not an integer"),
        ] {
            assert_eq!(read::<i64>(text).unwrap_err(), said, "{text}");
        }
        for (text, said) in [
            ("-1", "-1 is less than 0"),
            ("-1.0", "-1 is less than 0"),
            ("-1e30", "-1000000000000000000000000000000 is less than 0"),
            ("18446744073709551616", "18446744073709551616 is not an integer that fits in 64 bits"),
            ("1e300", "1e300 is not an integer that fits in 64 bits"),
        ] {
            assert_eq!(read::<u64>(text).unwrap_err(), said, "{text}");
        }
        assert!(read::<i64>(&format!("1{}", "0".repeat(1_000_000))).is_err_and(|said| said.len() < 200));
        assert!(read::<i64>(&format!("0.{}1", "0".repeat(1_000_000))).is_err_and(|said| said.len() < 200));
    }

    #[test]
    fn no_digit_of_an_integer_is_lost() {
        use serde_json::Value;
        for kept in
            ["9007199254740992", "9007199254740994", "1152921504606847000", "100000000000000000000", "1e22", "0.1"]
        {
            assert_eq!(read::<f64>(kept), Ok(kept.parse().unwrap()), "{kept}");
        }
        assert!(read::<Value>("100000000000000000000000").is_ok());
        assert!(read::<Value>("1208925819614629174706176").is_ok());
        assert!(read::<Value>("9007199254740993").is_ok_and(|value| value.as_u64() == Some(9_007_199_254_740_993)));
        for lost in ["9007199254740993", "-9007199254740993", "18446744073709551617"] {
            let said = read::<f64>(lost).unwrap_err();
            assert_eq!(said, format!("{lost} is an integer with more digits than can be kept"));
        }
        assert!(read::<Value>("18446744073709551617").is_err());
        assert!(read::<Value>("-18446744073709551617").is_err());
        for far in ["1e400", "-1e400", &"9".repeat(400)] {
            assert!(read::<Value>(far).is_err_and(|said| said.contains("beyond the numbers")), "{far}");
            assert!(read::<f64>(far).is_err());
        }
        assert!(read::<f64>("-0").is_ok_and(|value| value == 0.0 && value.is_sign_negative()));
        assert!(read::<f64>("-0.0").is_ok_and(|value| value == 0.0 && value.is_sign_negative()));
        assert_eq!(read::<f64>("1e-400"), Ok(0.0));
    }

    #[test]
    fn a_whole_float_is_written_as_an_integer() {
        for (read_from, written) in [
            ("100", "100"),
            ("100.0", "100"),
            ("1e2", "100"),
            ("-7", "-7"),
            ("0", "0"),
            ("-0", "-0.0"),
            ("-0.0", "-0.0"),
            ("1.50", "1.5"),
            ("9007199254740992", "9007199254740992"),
            ("1152921504606846976", "1152921504606846976"),
            ("-1152921504606846976", "-1152921504606846976"),
            ("1152921504606847000", "1152921504606846976"),
            ("-9223372036854775808", "-9.223372036854776e+18"),
            ("1e22", "1e+22"),
            ("1e-7", "1e-7"),
        ] {
            let mut out = Vec::new();
            super::super::Write::write(&read::<f64>(read_from).unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written, "{read_from}");
        }
        // a `Value` tells an integer from a float
        for kept in ["100", "100.0", "1152921504606846976"] {
            let mut out = Vec::new();
            super::super::Write::write(&read::<serde_json::Value>(kept).unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), kept);
        }
    }

    #[test]
    fn floats_with_as_many_digits_as_are_exact_are_the_nearest() {
        for last in 0..2000 {
            for text in
                [format!("90071992547{:05}.{}", 40_000 + last / 10, last % 10), format!("-0.9007199254{last:06}")]
            {
                assert_eq!(read::<f64>(&text), Ok(text.parse().unwrap()), "{text}");
            }
            let text = format!("900719925474{last:03}.{}", last % 10);
            assert_eq!(read::<f64>(&text), Ok(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in [
            "-",
            "+1",
            ".5",
            "1.",
            "1.e1",
            "1e",
            "1e+",
            "01",
            "-01",
            "00",
            "0x1",
            "1_0",
            "-.5",
            "1.5.5",
            "1e1e1",
            "1e1.0",
            "--1",
            "NaN",
            "-Infinity",
            "0.0.",
            "01.5",
            "1.5e",
            "",
        ] {
            assert!(serde_json::from_str::<f64>(wrong).is_err());
            assert!(read::<f64>(wrong).is_err(), "{wrong}");
            assert!(read::<i64>(wrong).is_err(), "{wrong}");
            assert!(read::<u64>(wrong).is_err(), "{wrong}");
            assert!(read::<serde_json::Value>(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn integers_are_as_exact_arithmetic_has_them(mantissa in any::<i64>(), cut in 0u32..19, point in 0usize..25, zeros in 0usize..4, exponent in -8i32..8) {
            // the digits of `mantissa`, with a point and an exponent
            let mantissa = mantissa / 10i64.pow(cut);
            let digits = format!("{:0>26}{}", mantissa.unsigned_abs(), "0".repeat(zeros));
            let (whole, fraction) = digits.split_at(26 - point);
            let whole = whole.trim_start_matches('0');
            let sign = if mantissa < 0 { "-" } else { "" };
            let point_and_fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
            let text = format!("{sign}{}{point_and_fraction}e{exponent}", if whole.is_empty() { "0" } else { whole });
            let fraction_digits = i32::try_from(fraction.len()).unwrap();
            let scale = exponent - fraction_digits + i32::try_from(zeros).unwrap() - i32::try_from(zeros).unwrap();
            let full: i128 = digits.parse::<i128>().unwrap() * if mantissa < 0 { -1 } else { 1 };
            let value = if scale >= 0 {
                Some(full.checked_mul(10i128.pow(scale.unsigned_abs())).unwrap_or(i128::MAX))
            } else {
                let power = 10i128.checked_pow(scale.unsigned_abs()).unwrap();
                (full % power == 0).then_some(full / power)
            };
            prop_assert_eq!(read::<i64>(&text).ok(), value.and_then(|value| i64::try_from(value).ok()), "{}", text);
            prop_assert_eq!(read::<u64>(&text).ok(), value.and_then(|value| u64::try_from(value).ok()), "{}", text);
        }

        #[test]
        fn integer_literals_are_as_the_standard_library_has_them(text in "-?(0|[1-9][0-9]{0,22})") {
            let unsigned = if text == "-0" { Ok(0) } else { text.parse::<u64>() };
            prop_assert_eq!(read::<i64>(&text).ok(), text.parse::<i64>().ok());
            prop_assert_eq!(read::<u64>(&text).ok(), unsigned.ok());
        }

        #[test]
        fn floats_are_the_nearest(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20}|\\.[0-9]{0,3}[05]{0,3}|)([eE][+-]?[0-9]{1,3})?") {
            let serdes = serde_json::from_str::<f64>(&text);
            match read::<f64>(&text) {
                Ok(value) => {
                    prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
                }
                Err(said) if said.contains("more digits") => prop_assert!(!text.contains(['.', 'e', 'E']) && text.len() > 15),
                Err(_) => prop_assert!(serdes.is_err(), "{text}"),
            }
        }

        #[test]
        fn floats_come_back_as_they_were(value in any::<f64>()) {
            let mut out = Vec::new();
            super::super::Write::write(&value, &mut out);
            let is_integer = value.fract() == 0.0 && value.abs() < 9.2e18 && value.to_bits() != (-0.0_f64).to_bits();
            prop_assert!(is_integer || out == serde_json::to_vec(&value).unwrap());
            if value.is_finite() {
                let text = String::from_utf8(out).unwrap();
                prop_assert!(!is_integer || text.parse::<i64>().is_ok(), "{}", text);
                prop_assert_eq!(read::<f64>(&text).unwrap().to_bits(), value.to_bits());
            }
        }
    }
}
