//! Numbers: integers by hand, the rest with care. None loses a digit silently.

use super::fault::Fault;
use super::reader::Reader;
use crate::validate::rules::shortened;

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number<'a> {
    /// An integer literal.
    Unsigned(u64),
    /// An integer literal with a minus; 0 is `-0`.
    Signed(i64),
    /// Any other number: with a fraction or an exponent, or an integer literal that is longer.
    Text(&'a str),
}

/// The value of a number, as far as it is an integer.
enum Exact {
    Integer { negative: bool, magnitude: u64 },
    Fraction,
    TooLong { shown: String },
}

/// Integers up to here are floats, too.
const EXACT: u64 = 1 << 53;

impl<'a> Reader<'a> {
    /// Reads the next value as a number; a `type` fault where it is none.
    #[inline]
    pub(super) fn number(&mut self, wanted: &str) -> Result<Number<'a>, Fault> {
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
            // 19 digits fit
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
            return Ok(Number::Unsigned(value));
        }
        match 0i64.checked_sub_unsigned(value) {
            Some(value) => {
                self.at = at;
                Ok(Number::Signed(value))
            }
            None => self.literal_number(wanted),
        }
    }

    /// The same with care, after JSON's grammar.
    #[inline(never)]
    fn literal_number(&mut self, wanted: &str) -> Result<Number<'a>, Fault> {
        if !matches!(self.byte(), b'0'..=b'9' | b'-') {
            return Err(self.mismatch(wanted));
        }
        let start = self.at;
        let negative = self.byte() == b'-';
        self.at += usize::from(negative);
        let leading_zero = self.byte() == b'0';
        if self.digits() > 1 && leading_zero {
            return Err(self.broken("invalid number"));
        }
        let mut whole = true;
        if self.at == start + usize::from(negative) {
            return Err(self.wanted("a value", "invalid number"));
        }
        if self.byte() == b'.' {
            whole = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.wanted("a value", "invalid number"));
            }
        }
        if matches!(self.byte(), b'e' | b'E') {
            whole = false;
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.wanted("a value", "invalid number"));
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if whole && text.len() <= 20 {
            if let Ok(value) = text.parse() {
                return Ok(Number::Unsigned(value));
            }
            if let Ok(value) = text.parse() {
                return Ok(Number::Signed(value));
            }
        }
        Ok(Number::Text(text))
    }

    /// Steps over digits: how many they were.
    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

impl Number<'_> {
    /// As an `i64`.
    #[inline]
    pub(super) fn signed(self) -> Result<i64, Fault> {
        match self {
            Number::Unsigned(value) if i64::try_from(value).is_ok() => Ok(value.cast_signed()),
            Number::Signed(value) => Ok(value),
            other => other.exact_signed(),
        }
    }

    /// As a `u64`.
    #[inline]
    pub(super) fn unsigned(self) -> Result<u64, Fault> {
        match self {
            Number::Unsigned(value) => Ok(value),
            Number::Signed(0) => Ok(0),
            other => other.exact_unsigned(),
        }
    }

    /// As a float. An integer literal that it would not hold is refused: one that no `f64` is, or is written as.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn float(self) -> Result<f64, Fault> {
        match self {
            Number::Unsigned(value) if value <= EXACT => Ok(value as f64),
            Number::Signed(0) => Ok(-0.0),
            Number::Signed(value) if value.unsigned_abs() <= EXACT => Ok(value as f64),
            Number::Unsigned(value) => held(&value.to_string()),
            Number::Signed(value) => held(&value.to_string()),
            Number::Text(text) => held(text),
        }
    }

    #[cold]
    fn exact_signed(self) -> Result<i64, Fault> {
        match self.exact() {
            Exact::Integer { negative: true, magnitude } => 0i64.checked_sub_unsigned(magnitude),
            Exact::Integer { negative: false, magnitude } => i64::try_from(magnitude).ok(),
            Exact::Fraction => return Err(self.no_integer()),
            Exact::TooLong { shown } => return Err(too_long(&shown)),
        }
        .ok_or_else(|| too_long(&self.shown()))
    }

    #[cold]
    fn exact_unsigned(self) -> Result<u64, Fault> {
        match self.exact() {
            Exact::Integer { negative: false, magnitude } | Exact::Integer { magnitude: magnitude @ 0, .. } => {
                Ok(magnitude)
            }
            Exact::Integer { .. } => Err(Fault::new("minimum", format!("{} is less than 0", self.shown()))),
            Exact::Fraction => Err(self.no_integer()),
            Exact::TooLong { shown } if shown.starts_with('-') => {
                Err(Fault::new("minimum", format!("{shown} is less than 0")))
            }
            Exact::TooLong { shown } => Err(too_long(&shown)),
        }
    }

    fn shown(self) -> String {
        match self {
            Number::Unsigned(value) => value.to_string(),
            Number::Signed(value) => value.to_string(),
            Number::Text(text) => shortened(text, 60),
        }
    }

    fn no_integer(self) -> Fault {
        Fault::new("type", format!("is the number `{}`, not an integer", self.shown()))
    }

    fn exact(self) -> Exact {
        let text = match self {
            Number::Unsigned(magnitude) => return Exact::Integer { negative: false, magnitude },
            Number::Signed(value) => {
                return Exact::Integer { negative: value < 0, magnitude: value.unsigned_abs() };
            }
            Number::Text(text) => text,
        };
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        let zeros = digits.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Exact::Integer { negative, magnitude: 0 };
        }
        // an exponent that no i64 holds is far beyond all digits that a text can have
        let far = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent = exponent.parse::<i64>().unwrap_or(far).clamp(i64::MIN / 2, i64::MAX / 2);
        let exponent = exponent + i64::try_from(zeros).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        let Ok(exponent) = u32::try_from(exponent) else {
            return if exponent < 0 { Exact::Fraction } else { Exact::TooLong { shown: shortened(text, 60) } };
        };
        let magnitude = significant.parse::<u64>().ok();
        match magnitude.and_then(|value| 10u64.checked_pow(exponent).and_then(|power| value.checked_mul(power))) {
            Some(magnitude) => Exact::Integer { negative, magnitude },
            None if significant.len() + exponent as usize <= 60 => {
                let sign = if negative { "-" } else { "" };
                Exact::TooLong { shown: format!("{sign}{significant}{}", "0".repeat(exponent as usize)) }
            }
            None => Exact::TooLong { shown: shortened(text, 60) },
        }
    }
}

#[cold]
fn too_long(shown: &str) -> Fault {
    Fault::new("type", format!("{shown} is no integer that fits in 64 bits"))
}

/// The float of a number's text.
#[inline(never)]
fn held(text: &str) -> Result<f64, Fault> {
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
