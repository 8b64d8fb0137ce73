//! Numbers: a fast path for integers and short floats, and an exact one for the rest. No digit is lost silently.

use twyla_contract::text::shortened;

use super::fault::Fault;
use super::reader::Reader;
use crate::received::Notation;

/// A number literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Literal<'a> {
    /// A non-negative integer literal.
    Unsigned(u64),
    /// A negative integer literal; 0 stands for `-0`.
    Signed(i64),
    /// Any other number: with a fraction or an exponent, or an integer literal with too many digits for these variants.
    Text(&'a str),
}

/// What writes a number that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// An `f64` writes all digits of a whole number within 64 bits, and otherwise the shortest.
    Field,
    /// A `Value` writes the shortest digits of a float.
    Value,
}

/// The exact value of a number if it is an integer.
enum Integral {
    Integer { negative: bool, magnitude: u64 },
    Fraction,
    TooLong { shown: String },
}

/// Every integer up to here is exactly representable as an `f64`.
const EXACT: u64 = 1 << 53;
/// The same as an `f64`.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;
/// The first `f64` beyond an `i64`.
const BEYOND_WORD: f64 = 9_223_372_036_854_775_808.0;

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl<'a> Reader<'a> {
    /// Reads the next value as a number.
    ///
    /// # Errors
    /// A `type` fault if the value is not a number.
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

    /// Returns the value of a literal as an `f64`, as [`Literal::float`] does, and notes whether a number beyond 2^53 is written
    /// with other digits. If numbers are read exactly, one that would be rounded is refused.
    #[inline]
    pub(super) fn float(&mut self, number: Literal<'a>, written: Written) -> Result<f64, Fault> {
        let value = number.float()?;
        if value.abs() >= EXACT_FLOAT {
            self.note(number, value, written)?;
        }
        Ok(value)
    }

    #[cold]
    fn note(&mut self, number: Literal<'a>, value: f64, written: Written) -> Result<(), Fault> {
        let (shortest, all) = number.digits_of(value);
        let writes_all = written == Written::Field && value.abs() < BEYOND_WORD;
        match (number, shortest, all) {
            (_, true, true) => {}
            (Literal::Text(text), false, false) if self.exactly => {
                return Err(Fault::new("type", format!("{} has more digits than can be kept", shortened(text, 60))));
            }
            (_, false, false) => {}
            _ => self.has_other_notation |= all != writes_all,
        }
        Ok(())
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

    /// Returns the value as an `f64`. Refuses an integer literal unless an `f64` equals it exactly or is printed with
    /// the same digits.
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

    /// Returns which decimal of its `f64` the literal is, if the two differ.
    pub(super) fn notation(self) -> Option<Notation> {
        let value = self.float().ok().filter(|value| value.abs() >= EXACT_FLOAT)?;
        match self.digits_of(value) {
            (true, false) => Some(Notation::Shortest),
            (false, true) => Some(Notation::All),
            _ => None,
        }
    }

    /// Returns whether the literal has the shortest digits that read as an `f64` beyond 2^53, and whether it has all digits.
    fn digits_of(self, value: f64) -> (bool, bool) {
        let digits = match self {
            Literal::Unsigned(value) => significant(&value.to_string()),
            Literal::Signed(value) => significant(&value.to_string()),
            Literal::Text(text) => significant(text),
        };
        let shortest = significant(zmij::Buffer::new().format_finite(value));
        (digits == shortest, digits == significant(&format!("{value:.0}")))
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
        Fault::new("type", format!("expected an integer, found the number `{}`", self.shown()))
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
        return Err(Fault::new(
            "type",
            format!("{} is out of the range of numbers that can be read", shortened(text, 60)),
        ));
    }
    let short = text.len() <= 15;
    if short || text.contains(['.', 'e', 'E']) || format!("{value}") == text || format!("{value:.0}") == text {
        return Ok(value);
    }
    Err(Fault::new("type", format!("{} is an integer with more digits than can be kept", shortened(text, 60))))
}

/// Returns the digits of a number without zeros at either end, and the power of ten of the last one.
fn significant(text: &str) -> (String, i64) {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let power = length(&digits) - length(significant) - length(fraction);
    // the exponent of a finite number that isn't zero fits
    let exponent = exponent.parse::<i64>().unwrap_or(0).saturating_add(power);
    (significant.trim_start_matches('0').to_owned(), exponent)
}
