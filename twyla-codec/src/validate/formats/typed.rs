//! Types that represent a format exactly: dates of `chrono`, UUIDs, IP addresses. Each reads every text of its format.
//!
//! A date is written as it was read, a UUID in lower case, and an address in the canonical form of RFC 5952.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use crate::excerpt::quoted;
use crate::json::{Fault, Read, Reader, Write, write_str};
use crate::path::Path;
use crate::validate::schema::{JsonView, View};
use crate::violation::Violations;
use twyla_formats::{Format, net, time};

#[inline]
pub(super) fn read<T>(
    reader: &mut Reader<'_>,
    format: Format,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Fault> {
    let text = reader.string()?;
    parse(&text).ok_or_else(|| refused(&text, format))
}

#[cold]
fn refused(text: &str, format: Format) -> Fault {
    Fault::new("format", format!("{} is not a valid {}", quoted(text), format.name()))
}

/// Returns the view of a value as a string: its written text without the quotes.
pub(super) fn view(value: &impl Write) -> JsonView<'static> {
    let mut out = Vec::new();
    value.write(&mut out);
    let text = String::from_utf8_lossy(out.get(1..out.len().saturating_sub(1)).unwrap_or_default());
    JsonView::Text(Cow::Owned(text.into_owned()))
}

macro_rules! view {
    ($($type:ty),*) => {$(
        impl View for $type {
            fn view(&self) -> JsonView<'_> {
                view(self)
            }
        }
    )*};
}

view!(NaiveDate, Uuid, Ipv4Addr, Ipv6Addr);

pub(super) fn to_date(date: time::Date) -> Option<NaiveDate> {
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
            // reached only for a value that `Validate` refuses
            None => write_str(&self.to_string(), out),
        }
    }
}

/// Returns the ten characters of a date; `None` if its year doesn't have four digits.
pub(super) fn written_date(date: NaiveDate) -> Option<[u8; 10]> {
    let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9999)?;
    let ([y0, y1], [y2, y3]) = (digits(year / 100), digits(year % 100));
    let ([m0, m1], [d0, d1]) = (digits(date.month()), digits(date.day()));
    Some([y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1])
}

pub(super) fn digits(value: u32) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

/// Checks that a date can be written: a date made by the program may have a year that the format can't express.
pub fn writable_date(value: &NaiveDate, at: &Path<'_>, out: &mut Violations) {
    if written_date(*value).is_none() {
        out.push(at, "format", format!("{value} is not a valid date: only the years 0 to 9999 can be written"));
    }
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
    use super::*;
    use crate::json::from_str;

    fn written(value: &impl Write) -> String {
        let mut out = Vec::new();
        value.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Reads a text and writes it again.
    fn again<T: Read + Write>(text: &str) -> String {
        written(&from_str::<T>(&format!("\"{text}\"")).map_err(Fault::into_violation).unwrap())
    }

    #[test]
    fn keeps_what_a_text_says() {
        assert_eq!(again::<NaiveDate>("0004-02-29"), "\"0004-02-29\"");
        let uuid = again::<Uuid>("2EB8AA08-aa98-11ea-b4aa-73b441d16380");
        assert_eq!(uuid, "\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\"");
        assert_eq!(again::<Ipv4Addr>("127.0.0.1"), "\"127.0.0.1\"");
        assert_eq!(again::<Ipv6Addr>("0:0:0:0:0:FFFF:1.2.3.4"), "\"::ffff:1.2.3.4\"");
    }

    #[test]
    fn reports_an_invalid_value() {
        let fault = from_str::<NaiveDate>("\"2023-02-29\"").unwrap_err().into_violation();
        assert_eq!((fault.keyword, fault.message.as_str()), ("format", "\"2023-02-29\" is not a valid date"));
        assert_eq!(from_str::<NaiveDate>("20230229").unwrap_err().keyword(), "type");
        assert_eq!(from_str::<Uuid>("\"\"").unwrap_err().into_violation().message, "\"\" is not a valid uuid");
    }

    #[test]
    fn says_what_cannot_be_written() {
        let mut out = Violations::new();
        writable_date(&NaiveDate::MAX, &Path::root(), &mut out);
        assert_eq!(out.into_vec().len(), 1);
    }
}
