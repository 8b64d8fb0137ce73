//! The type of the format `date-time`: a chrono moment and the spelling of its text.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;

use chrono::{Datelike, FixedOffset, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use twyla_formats::{Format, time};

use super::typed::{digits, read, to_date, view, written_date};
use crate::json::{Fault, Read, Reader, Write, write_str};
use crate::path::Path;
use crate::validate::schema::{JsonView, View};
use crate::violation::Violations;

/// The first nanosecond of a leap second, as chrono represents it.
const SECOND: u32 = 1_000_000_000;
/// The number of digits of a fraction that a moment holds.
const DIGITS: usize = 9;

/// A moment with its offset from UTC: the `date-time` of JSON Schema and RFC 3339.
///
/// Dereferences to [`chrono::DateTime`], and is created from one with `into()`. It also keeps the spelling of the text that
/// it was read from, and is written in the same spelling: `Z`, `z`, `+00:00` or `-00:00`, `T` or `t`, and the digits of the
/// fraction, so that `.000` stays. A moment made in Rust is written with `Z` if its offset is zero, and with 0, 3, 6 or 9
/// digits of a fraction, as needed.
///
/// Equality, order and hash depend on the moment alone: `12:00:00Z` equals `13:00:00.000+01:00`.
///
/// # Bounds
/// The years 0 to 9999, offsets of whole minutes, and a leap second only at 23:59:60 UTC: encoding refuses every other
/// moment. The resolution is a nanosecond: further digits of a fraction are kept and written, but don't take part in
/// comparisons. A text with such digits is kept on the heap, so the type is not `Copy`.
///
/// ```
/// use twyla_codec::DateTime;
///
/// let departs: DateTime = "2026-01-02T03:04:05.000Z".parse()?;
/// assert_eq!(departs.to_string(), "2026-01-02T03:04:05.000Z");
/// assert_eq!(departs.timestamp(), 1_767_323_045); // a method of chrono
/// assert!(departs < departs.to_utc() + std::time::Duration::from_secs(1));
/// # Ok::<_, twyla_codec::InvalidDateTime>(())
/// ```
#[derive(Clone)]
pub struct DateTime {
    moment: chrono::DateTime<FixedOffset>,
    form: Form,
}

/// The form in which the moment is written.
#[derive(Clone)]
enum Form {
    Spelled(Spelling),
    /// The text as it was read, because its fraction has more digits than `moment` can represent.
    Text(Box<str>),
}

/// How a `date-time` was written, so that it is written back the same way.
#[derive(Clone, Copy)]
struct Spelling {
    /// The number of digits of the fraction, at most [`DIGITS`]; `None` for as many as the moment needs.
    fraction: Option<u8>,
    zero: ZeroOffset,
    /// Whether the `t` is lower case.
    lower_case: bool,
}

/// The spelling of a zero offset.
#[derive(Clone, Copy)]
enum ZeroOffset {
    /// `Z`
    Letter,
    /// `z`
    LowerCase,
    /// `+00:00`
    Plus,
    /// `-00:00`, which means that the offset is unknown.
    Minus,
}

/// The spelling of a moment made in Rust.
const DEFAULT_SPELLING: Spelling = Spelling { fraction: None, zero: ZeroOffset::Letter, lower_case: false };

impl Form {
    /// Returns the form of a valid `date-time`.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let fraction = match bytes.get(19..) {
            Some([b'.', rest @ ..]) => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => 0,
        };
        let Some(fraction) = u8::try_from(fraction).ok().filter(|digits| usize::from(*digits) <= DIGITS) else {
            return Self::Text(text.into());
        };
        let zero = match bytes {
            [.., b'Z'] => ZeroOffset::Letter,
            [.., b'z'] => ZeroOffset::LowerCase,
            [.., b'-', _, _, b':', _, _] => ZeroOffset::Minus,
            _ => ZeroOffset::Plus,
        };
        Self::Spelled(Spelling { fraction: Some(fraction), zero, lower_case: bytes.get(10) == Some(&b't') })
    }
}

impl DateTime {
    /// Parses a `date-time` and keeps its spelling; `None` if the text is not valid.
    fn of(text: &str) -> Option<Self> {
        let (date, time) = time::date_time(text.as_bytes())?;
        let (second, more) = if time.second == 60 { (59, SECOND) } else { (time.second, 0) };
        let clock =
            NaiveTime::from_hms_nano_opt(time.hour.into(), time.minute.into(), second.into(), time.nanosecond + more)?;
        let offset = FixedOffset::east_opt(i32::from(time.offset) * 60)?;
        let utc = NaiveDateTime::new(to_date(date)?, clock).checked_sub_offset(offset)?;
        let moment = chrono::DateTime::from_naive_utc_and_offset(utc, offset);
        Some(Self { moment, form: Form::of(text) })
    }

    /// Returns the text of the moment.
    fn text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8_lossy(out.get(1..out.len().saturating_sub(1)).unwrap_or_default()).into_owned()
    }
}

impl Deref for DateTime {
    type Target = chrono::DateTime<FixedOffset>;

    fn deref(&self) -> &Self::Target {
        &self.moment
    }
}

impl<Tz: TimeZone> From<chrono::DateTime<Tz>> for DateTime {
    /// Converts a moment, which is written with `Z` if its offset is zero.
    fn from(moment: chrono::DateTime<Tz>) -> Self {
        Self { moment: moment.fixed_offset(), form: Form::Spelled(DEFAULT_SPELLING) }
    }
}

impl From<DateTime> for chrono::DateTime<FixedOffset> {
    fn from(value: DateTime) -> Self {
        value.moment
    }
}

impl From<DateTime> for chrono::DateTime<Utc> {
    fn from(value: DateTime) -> Self {
        value.moment.to_utc()
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.moment == other.moment
    }
}

impl Eq for DateTime {}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.moment.cmp(&other.moment)
    }
}

impl Hash for DateTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.moment.hash(state);
    }
}

impl<Tz: TimeZone> PartialEq<chrono::DateTime<Tz>> for DateTime {
    fn eq(&self, other: &chrono::DateTime<Tz>) -> bool {
        self.moment == *other
    }
}

impl<Tz: TimeZone> PartialEq<DateTime> for chrono::DateTime<Tz> {
    fn eq(&self, other: &DateTime) -> bool {
        *self == other.moment
    }
}

impl<Tz: TimeZone> PartialOrd<chrono::DateTime<Tz>> for DateTime {
    fn partial_cmp(&self, other: &chrono::DateTime<Tz>) -> Option<Ordering> {
        self.moment.partial_cmp(other)
    }
}

impl<Tz: TimeZone> PartialOrd<DateTime> for chrono::DateTime<Tz> {
    fn partial_cmp(&self, other: &DateTime) -> Option<Ordering> {
        self.partial_cmp(&other.moment)
    }
}

impl fmt::Display for DateTime {
    /// Writes the text of the format, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The error of a text that is not an RFC 3339 `date-time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDateTime;

impl std::error::Error for InvalidDateTime {}

impl fmt::Display for InvalidDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a date-time of RFC 3339, for example 2026-01-02T03:04:05Z")
    }
}

impl FromStr for DateTime {
    type Err = InvalidDateTime;

    /// Parses a `date-time` as in an event: its spelling is kept.
    fn from_str(text: &str) -> Result<Self, InvalidDateTime> {
        Self::of(text).ok_or(InvalidDateTime)
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl View for DateTime {
    fn view(&self) -> JsonView<'_> {
        view(self)
    }
}

impl Read for DateTime {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read(reader, Format::DateTime, Self::of)
    }
}

impl Write for DateTime {
    fn write(&self, out: &mut Vec<u8>) {
        let spelling = match &self.form {
            Form::Spelled(spelling) => *spelling,
            Form::Text(text) => return write_str(text, out),
        };
        match Fields::of(&self.moment) {
            Some(written) => written.push(spelling, out),
            // reached only for a value that `Validate` refuses
            None => write_str(&self.moment.naive_utc().to_string(), out),
        }
    }
}

/// The fields of a date and time that RFC 3339 can express.
struct Fields {
    date: [u8; 10],
    clock: [u32; 3],
    nanosecond: u32,
    /// Minutes east of UTC.
    offset: i32,
}

impl Fields {
    fn of(value: &chrono::DateTime<FixedOffset>) -> Option<Self> {
        let (utc, offset) = (value.naive_utc(), value.offset().local_minus_utc());
        let local = utc.checked_add_offset(*value.offset())?;
        let date = written_date(local.date())?;
        let clock = [local.hour(), local.minute(), local.second()];
        if offset % 60 != 0 {
            return None;
        }
        let offset = offset / 60;
        if local.nanosecond() < SECOND {
            return Some(Self { date, clock, nanosecond: local.nanosecond(), offset });
        }
        let ends_a_day = (utc.hour(), utc.minute(), utc.second()) == (23, 59, 59);
        let [hour, minute, _] = clock;
        ends_a_day.then_some(Self { date, clock: [hour, minute, 60], nanosecond: local.nanosecond() - SECOND, offset })
    }

    fn push(&self, form: Spelling, out: &mut Vec<u8>) {
        let Self { date, clock: [hour, minute, second], nanosecond, offset } = self;
        let ([h0, h1], [m0, m1], [s0, s1]) = (digits(*hour), digits(*minute), digits(*second));
        out.push(b'"');
        out.extend_from_slice(date);
        out.extend_from_slice(&[if form.lower_case { b't' } else { b'T' }, h0, h1, b':', m0, m1, b':', s0, s1]);
        // milli-, micro- or nanoseconds, as needed
        let needed = match nanosecond {
            0 => 0,
            _ if nanosecond % 1_000 > 0 => DIGITS,
            _ if nanosecond % 1_000_000 > 0 => 6,
            _ => 3,
        };
        let places = form.fraction.map_or(needed, usize::from);
        if places > 0 {
            out.push(b'.');
            let mut rest = *nanosecond;
            let mut fraction = [b'0'; DIGITS];
            for digit in fraction.iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
            out.extend_from_slice(fraction.get(..places).unwrap_or(&fraction));
        }
        let sign = match (offset, form.zero) {
            (0, ZeroOffset::Letter) => return out.extend_from_slice(b"Z\""),
            (0, ZeroOffset::LowerCase) => return out.extend_from_slice(b"z\""),
            (0, ZeroOffset::Plus) | (1.., _) => b'+',
            (0, ZeroOffset::Minus) | (..0, _) => b'-',
        };
        let ([h0, h1], [m0, m1]) = (digits(offset.unsigned_abs() / 60), digits(offset.unsigned_abs() % 60));
        out.extend_from_slice(&[sign, h0, h1, b':', m0, m1, b'"']);
    }
}

/// Checks that a moment can be written. A moment made by the program may have a year or an offset in seconds that the
/// format can't express, or a leap second at a time that has none.
pub fn writable_date_time(value: &DateTime, at: &Path<'_>, out: &mut Violations) {
    let utc = value.naive_utc();
    let offset = value.offset().local_minus_utc();
    // the fast path: these years stay in bounds whatever the offset
    let plain = (1..=9998).contains(&utc.year()) && utc.nanosecond() < SECOND && offset % 60 == 0;
    if plain || Fields::of(value).is_some() {
        return;
    }
    let why = if offset % 60 != 0 {
        "an offset must be in whole minutes"
    } else if utc.nanosecond() >= SECOND && (utc.hour(), utc.minute(), utc.second()) != (23, 59, 59) {
        "a leap second must be at 23:59:60 UTC"
    } else {
        "only the years 0 to 9999 can be written"
    };
    out.push(at, "format", format!("{utc} UTC is not a valid date-time: {why}"));
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;
    use crate::json::from_str;

    fn written(value: &DateTime) -> String {
        let mut out = Vec::new();
        value.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn parsed(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_text_comes_back_as_it_was() {
        for text in [
            "2024-05-06T07:08:09Z",
            "2024-05-06T07:08:09z",
            "2024-05-06t07:08:09Z",
            "2024-05-06T07:08:09+00:00",
            "2024-05-06T07:08:09-00:00",
            "2024-05-06T07:08:09+05:30",
            "2024-05-06T07:08:09.0Z",
            "2024-05-06T07:08:09.000Z",
            "2024-05-06T07:08:09.1z",
            "2024-05-06T07:08:09.120000+02:00",
            "2024-05-06T07:08:09.0001Z",
            "2024-05-06T07:08:09.1234567Z",
            "2024-05-06T07:08:09.000000000000Z",
            "2024-05-06T07:08:09.120000000000-00:00",
            "2024-05-06T07:08:09.99999999991Z",
            "2024-02-29t23:59:60.0000000001z",
            &format!("2024-05-06T07:08:09.{}+05:30", "0".repeat(1_000)),
            "2024-02-29T23:59:60Z",
            "1998-12-31t15:59:60.125-08:00",
            "1999-01-01T00:29:60+00:30",
            "0000-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59.999999999-23:59",
        ] {
            let quoted = format!("\"{text}\"");
            let read: DateTime = from_str(&quoted).map_err(Fault::into_violation).unwrap();
            assert_eq!(written(&read), quoted);
            assert_eq!((read.to_string().as_str(), format!("{read:?}").as_str()), (text, text));
            assert_eq!(serde_json::to_string(&serde_json::from_str::<DateTime>(&quoted).unwrap()).unwrap(), quoted);
        }
        assert_eq!("2024-05-06 07:08:09Z".parse::<DateTime>(), Err(InvalidDateTime));
    }

    #[test]
    fn a_moment_made_in_rust_is_written_with_z() {
        let utc = chrono::DateTime::from_timestamp(1_767_323_045, 0).unwrap();
        let later = |nanoseconds| DateTime::from(utc + chrono::TimeDelta::nanoseconds(nanoseconds));
        assert_eq!(DateTime::from(utc).to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(later(120_000_000).to_string(), "2026-01-02T03:04:05.120Z");
        assert_eq!(later(1_000).to_string(), "2026-01-02T03:04:05.000001Z");
        assert_eq!(later(1).to_string(), "2026-01-02T03:04:05.000000001Z");
        let east = FixedOffset::east_opt(7_200).unwrap();
        assert_eq!(DateTime::from(utc.with_timezone(&east)).to_string(), "2026-01-02T05:04:05+02:00");
        assert_eq!(DateTime::from(utc.fixed_offset()).to_string(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn moments_are_equal_however_they_are_spelled() {
        let (one, other) = (parsed("2026-01-02T03:04:05Z"), parsed("2026-01-02t04:04:05.000+01:00"));
        assert_eq!(one, other);
        assert_eq!(HashSet::from([one.clone(), other.clone()]).len(), 1);
        // a moment's resolution is a nanosecond
        assert_eq!(one, parsed("2026-01-02T03:04:05.0000000001Z"));
        assert!(one < parsed("2026-01-02T03:04:05.001Z"));
        let utc: chrono::DateTime<Utc> = other.clone().into();
        assert_eq!(one, utc);
        assert_eq!(utc, one);
        assert!(one >= utc && utc >= one);
        assert_eq!(chrono::DateTime::<FixedOffset>::from(other).offset().local_minus_utc(), 3_600);
        assert!(std::mem::size_of::<DateTime>() <= 32);
    }

    #[test]
    fn says_what_cannot_be_written() {
        let check = |value: chrono::DateTime<FixedOffset>| {
            let (value, mut out) = (DateTime::from(value), Violations::new());
            writable_date_time(&value, &Path::root(), &mut out);
            let _ = written(&value);
            out.into_vec().pop().map(|violation| violation.message)
        };
        let offset = FixedOffset::east_opt(0).unwrap();
        let at = |date: NaiveDate, nanosecond| {
            let clock = NaiveTime::from_hms_nano_opt(12, 0, 59, nanosecond).unwrap();
            chrono::DateTime::from_naive_utc_and_offset(date.and_time(clock), offset)
        };
        let date = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        assert_eq!(check(at(date, 5)), None);
        assert!(check(at(date, SECOND)).unwrap().ends_with("a leap second must be at 23:59:60 UTC"));
        assert!(check(at(NaiveDate::MAX, 0)).unwrap().ends_with("only the years 0 to 9999 can be written"));
        assert!(check(at(NaiveDate::MIN, 0)).is_some());
        let odd = FixedOffset::east_opt(30).unwrap();
        assert!(check(at(date, 5).with_timezone(&odd)).unwrap().ends_with("an offset must be in whole minutes"));
        let most = chrono::DateTime::<Utc>::MAX_UTC.with_timezone(&FixedOffset::east_opt(3600).unwrap());
        assert!(check(most).is_some());
    }

    proptest! {
        /// A moment that can be written is valid and reads as the same moment.
        #[test]
        fn reads_what_it_writes(seconds in -62_200_000_000_i64..253_500_000_000, nanosecond in 0..SECOND, minutes in -1439..1440) {
            let offset = FixedOffset::east_opt(minutes * 60).unwrap();
            let moment = chrono::DateTime::from_timestamp(seconds, nanosecond).unwrap().with_timezone(&offset);
            let value = DateTime::from(moment);
            if Fields::of(&value).is_some() {
                let text = value.to_string();
                prop_assert!(super::super::holds(Format::DateTime, &text), "{}", text);
                prop_assert_eq!(text.parse(), Ok(value.clone()));
                prop_assert_eq!(chrono::DateTime::parse_from_rfc3339(&text).ok(), Some(moment));
            } else {
                prop_assert!(!(0..=9999).contains(&value.year()));
            }
        }

        /// Every text of the format is written as it was read; chrono's own parser judges the moment.
        #[test]
        fn any_text_comes_back_as_it_was(
            day in "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])", t in "[Tt]", clock in "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]",
            fraction in "|\\.[0-9]{1,9}|\\.[0-9]{10,300}|\\.[0-9]{9}0{1,300}", zone in "[Zz]|[+-](00:00|([01][0-9]|2[0-3]):[0-5][0-9])"
        ) {
            let text = format!("{day}{t}{clock}{fraction}{zone}");
            let value = text.parse::<DateTime>().unwrap();
            prop_assert_eq!(value.to_string(), &*text);
            prop_assert_eq!(&chrono::DateTime::parse_from_rfc3339(&text).unwrap(), &*value);
        }
    }
}
