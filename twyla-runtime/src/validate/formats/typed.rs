//! The types that are exactly a format: dates and times of `chrono`, UUIDs, IP addresses. Each reads what the format allows.
//!
//! Of a `date-time` these get lost: digits of a fraction beyond the ninth, that `-00:00` says that the offset is unknown (it is read as
//! `+00:00`), and the case of `T` and `Z`. Of a UUID, the case of its digits. Leap seconds and offsets are kept.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use uuid::Uuid;

use crate::json::{Fault, Read, Reader, Write, write_str};
use crate::validate::path::Path;
use crate::validate::rules::{Violations, shown};
use crate::validate::schema::{Look, Seen};
use twyla_formats::{Format, net, time};

/// More nanoseconds than a second has are chrono's leap second.
const SECOND: u32 = 1_000_000_000;

#[inline]
fn read<T>(reader: &mut Reader<'_>, format: Format, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
    let text = reader.string()?;
    parse(&text).ok_or_else(|| refused(&text, format))
}

#[cold]
fn refused(text: &str, format: Format) -> Fault {
    Fault::new("format", format!("{} is no {}", shown(text), format.name()))
}

/// What is written, without its quotes.
fn seen(value: &impl Write) -> Seen<'static> {
    let mut out = Vec::new();
    value.write(&mut out);
    let text = String::from_utf8_lossy(out.get(1..out.len().saturating_sub(1)).unwrap_or_default());
    Seen::Text(Cow::Owned(text.into_owned()))
}

macro_rules! look {
    ($($type:ty),*) => {$(
        impl Look for $type {
            fn look(&self) -> Seen<'_> {
                seen(self)
            }
        }
    )*};
}

look!(NaiveDate, DateTime<FixedOffset>, Uuid, Ipv4Addr, Ipv6Addr);

fn to_date(date: time::Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
}

impl Read for NaiveDate {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read(reader, Format::Date, |text| to_date(time::date(text.as_bytes())?))
    }
}

impl Write for NaiveDate {
    fn write(&self, out: &mut Vec<u8>) {
        match written_date(*self) {
            Some(date) => {
                out.push(b'"');
                out.extend_from_slice(&date);
                out.push(b'"');
            }
            // `Validate` has refused it
            None => write_str(&self.to_string(), out),
        }
    }
}

impl Read for DateTime<FixedOffset> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read(reader, Format::DateTime, |text| {
            let (date, time) = time::date_time(text.as_bytes())?;
            let (second, more) = if time.second == 60 { (59, SECOND) } else { (time.second, 0) };
            let (hour, minute) = (time.hour.into(), time.minute.into());
            let clock = NaiveTime::from_hms_nano_opt(hour, minute, second.into(), time.nanosecond + more)?;
            let offset = FixedOffset::east_opt(i32::from(time.offset) * 60)?;
            let utc = NaiveDateTime::new(to_date(date)?, clock).checked_sub_offset(offset)?;
            Some(Self::from_naive_utc_and_offset(utc, offset))
        })
    }
}

impl Write for DateTime<FixedOffset> {
    fn write(&self, out: &mut Vec<u8>) {
        match Written::of(self) {
            Some(written) => written.push(out),
            // `Validate` has refused it
            None => write_str(&self.naive_utc().to_string(), out),
        }
    }
}

/// A date and a time that RFC 3339 has words for.
struct Written {
    date: [u8; 10],
    clock: [u32; 3],
    nanosecond: u32,
    /// Minutes east of UTC.
    offset: i32,
}

impl Written {
    fn of(value: &DateTime<FixedOffset>) -> Option<Self> {
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

    fn push(&self, out: &mut Vec<u8>) {
        let Self { date, clock: [hour, minute, second], nanosecond, offset } = self;
        let ([h0, h1], [m0, m1], [s0, s1]) = (digits(*hour), digits(*minute), digits(*second));
        out.push(b'"');
        out.extend_from_slice(date);
        out.extend_from_slice(&[b'T', h0, h1, b':', m0, m1, b':', s0, s1]);
        // thousands, millions or billions of a second, as they are needed
        if *nanosecond > 0 {
            let [[a, b, c], [d, e, f], [g, h, i]] = [1_000_000, 1_000, 1].map(|unit| thousands(nanosecond / unit));
            let (more, most) = (nanosecond % 1_000_000 > 0, nanosecond % 1_000 > 0);
            let fraction = [b'.', a, b, c, d, e, f, g, h, i];
            out.extend_from_slice(
                fraction
                    .get(
                        ..if most {
                            10
                        } else if more {
                            7
                        } else {
                            4
                        },
                    )
                    .unwrap_or_default(),
            );
        }
        let sign = if *offset < 0 { b'-' } else { b'+' };
        let ([h0, h1], [m0, m1]) = (digits(offset.unsigned_abs() / 60), digits(offset.unsigned_abs() % 60));
        out.extend_from_slice(&[sign, h0, h1, b':', m0, m1, b'"']);
    }
}

/// `None` for years that have no four digits.
fn written_date(date: NaiveDate) -> Option<[u8; 10]> {
    let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9999)?;
    let ([y0, y1], [y2, y3]) = (digits(year / 100), digits(year % 100));
    let ([m0, m1], [d0, d1]) = (digits(date.month()), digits(date.day()));
    Some([y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1])
}

fn digits(value: u32) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

fn thousands(value: u32) -> [u8; 3] {
    let [tens, ones] = digits(value);
    [b'0' + (value / 100 % 10) as u8, tens, ones]
}

/// A date that a program has made may be one that the format has no words for.
pub fn writable_date(value: &NaiveDate, at: &Path<'_>, out: &mut Violations) {
    if written_date(*value).is_none() {
        out.push(at, "format", format!("{value} is no date: only the years 0 to 9999 can be written"));
    }
}

/// The same for a date with a time: also an offset may have seconds, and a leap second be where none can be.
pub fn writable_date_time(value: &DateTime<FixedOffset>, at: &Path<'_>, out: &mut Violations) {
    let utc = value.naive_utc();
    // nearly every one, without asking for its local time: the offset can't lead out of these years
    let plain =
        (1..=9998).contains(&utc.year()) && utc.nanosecond() < SECOND && value.offset().local_minus_utc() % 60 == 0;
    if plain || Written::of(value).is_some() {
        return;
    }
    let why = if value.offset().local_minus_utc() % 60 != 0 {
        "an offset has no seconds"
    } else if utc.nanosecond() >= SECOND && (utc.hour(), utc.minute(), utc.second()) != (23, 59, 59) {
        "a leap second is only at 23:59:60 UTC"
    } else {
        "only the years 0 to 9999 can be written"
    };
    out.push(at, "format", format!("{utc} UTC is no date-time: {why}"));
}

impl Read for Uuid {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read(reader, Format::Uuid, |text| net::uuid(text.as_bytes()).map(Self::from_bytes))
    }
}

impl Write for Uuid {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.hyphenated().encode_lower(&mut Self::encode_buffer()).as_bytes());
        out.push(b'"');
    }
}

impl Read for Ipv4Addr {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read(reader, Format::Ipv4, |text| net::ipv4(text.as_bytes()))
    }
}

impl Write for Ipv4Addr {
    fn write(&self, out: &mut Vec<u8>) {
        // writing to a vector can't fail
        let _ = write!(out, "\"{self}\"");
    }
}

impl Read for Ipv6Addr {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read(reader, Format::Ipv6, net::ipv6)
    }
}

impl Write for Ipv6Addr {
    fn write(&self, out: &mut Vec<u8>) {
        let _ = write!(out, "\"{self}\"");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::from_str;

    fn written(value: &impl Write) -> String {
        let mut out = Vec::new();
        value.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// What is read from a text, written again.
    fn again<T: Read + Write>(text: &str) -> String {
        written(&from_str::<T>(&format!("\"{text}\"")).map_err(Fault::into_violation).unwrap())
    }

    #[test]
    fn keeps_what_a_moment_says() {
        for (text, expected) in [
            ("2024-02-29T23:59:60Z", "2024-02-29T23:59:60+00:00"),
            ("1998-12-31t15:59:60.125-08:00", "1998-12-31T15:59:60.125-08:00"),
            ("1999-01-01T00:29:60+00:30", "1999-01-01T00:29:60+00:30"),
            ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00+23:59"),
            ("9999-12-31T23:59:59.999999999-23:59", "9999-12-31T23:59:59.999999999-23:59"),
            ("2024-05-06T07:08:09.1z", "2024-05-06T07:08:09.100+00:00"),
            ("2024-05-06T07:08:09.0001Z", "2024-05-06T07:08:09.000100+00:00"),
            ("2024-05-06T07:08:09.9999999999Z", "2024-05-06T07:08:09.999999999+00:00"),
            ("2024-05-06T07:08:09-00:00", "2024-05-06T07:08:09+00:00"),
        ] {
            assert_eq!(again::<DateTime<FixedOffset>>(text), format!("\"{expected}\""));
        }
        assert_eq!(again::<NaiveDate>("0004-02-29"), "\"0004-02-29\"");
        let uuid = again::<Uuid>("2EB8AA08-aa98-11ea-b4aa-73b441d16380");
        assert_eq!(uuid, "\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\"");
        assert_eq!(again::<Ipv4Addr>("127.0.0.1"), "\"127.0.0.1\"");
        assert_eq!(again::<Ipv6Addr>("0:0:0:0:0:FFFF:1.2.3.4"), "\"::ffff:1.2.3.4\"");
    }

    #[test]
    fn says_what_is_no_such_value() {
        let fault = from_str::<NaiveDate>("\"2023-02-29\"").unwrap_err().into_violation();
        assert_eq!((fault.keyword, fault.message.as_str()), ("format", "\"2023-02-29\" is no date"));
        assert_eq!(from_str::<NaiveDate>("20230229").unwrap_err().keyword(), "type");
        assert_eq!(from_str::<Uuid>("\"\"").unwrap_err().into_violation().message, "\"\" is no uuid");
    }

    #[test]
    fn says_what_cannot_be_written() {
        let check = |value: DateTime<FixedOffset>| {
            let mut out = Violations::new();
            writable_date_time(&value, &Path::root(), &mut out);
            let _ = written(&value);
            out.into_vec().pop().map(|violation| violation.message)
        };
        let offset = FixedOffset::east_opt(0).unwrap();
        let at = |date: NaiveDate, nanosecond| {
            let clock = NaiveTime::from_hms_nano_opt(12, 0, 59, nanosecond).unwrap();
            DateTime::from_naive_utc_and_offset(date.and_time(clock), offset)
        };
        let date = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        assert_eq!(check(at(date, 5)), None);
        assert!(check(at(date, SECOND)).unwrap().ends_with("a leap second is only at 23:59:60 UTC"));
        assert!(check(at(NaiveDate::MAX, 0)).unwrap().ends_with("only the years 0 to 9999 can be written"));
        assert!(check(at(NaiveDate::MIN, 0)).is_some());
        let odd = FixedOffset::east_opt(30).unwrap();
        assert!(check(at(date, 5).with_timezone(&odd)).unwrap().ends_with("an offset has no seconds"));
        assert!(check(DateTime::<chrono::Utc>::MAX_UTC.with_timezone(&FixedOffset::east_opt(3600).unwrap())).is_some());
        let mut out = Violations::new();
        writable_date(&NaiveDate::MAX, &Path::root(), &mut out);
        assert_eq!(out.into_vec().len(), 1);
    }

    proptest! {
        /// What can be written is read again as the same, and is of the format.
        #[test]
        fn reads_what_it_writes(seconds in -62_200_000_000_i64..253_500_000_000, nanosecond in 0..SECOND, minutes in -1439..1440) {
            let offset = FixedOffset::east_opt(minutes * 60).unwrap();
            let value = DateTime::from_timestamp(seconds, nanosecond).unwrap().with_timezone(&offset);
            if let Some(text) = Written::of(&value).map(|_| written(&value)) {
                prop_assert!(super::super::holds(Format::DateTime, text.trim_matches('"')), "{}", text);
                prop_assert_eq!(from_str::<DateTime<FixedOffset>>(&text).ok(), Some(value));
                prop_assert_eq!(DateTime::parse_from_rfc3339(text.trim_matches('"')).ok(), Some(value));
            } else {
                prop_assert!(!(0..=9999).contains(&value.year()));
            }
        }
    }
}
