//! The formats that are held in place: dates and times of RFC 3339, UUIDs, and IP addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format that needs no more than a look at the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `date-time`
    DateTime,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `uuid`
    Uuid,
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
}

impl Format {
    /// The name in a schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DateTime => "date-time",
            Self::Date => "date",
            Self::Time => "time",
            Self::Uuid => "uuid",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

pub(super) fn holds(format: Format, value: &str) -> bool {
    match format {
        Format::DateTime => value
            .find(['T', 't'])
            .is_some_and(|at| date(&value.as_bytes()[..at]) && time(&value.as_bytes()[at + 1..]).is_some()),
        Format::Date => date(value.as_bytes()),
        Format::Time => time(value.as_bytes()).is_some(),
        Format::Uuid => uuid(value.as_bytes()),
        Format::Ipv4 => value.parse::<Ipv4Addr>().is_ok(),
        Format::Ipv6 => value.parse::<Ipv6Addr>().is_ok(),
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

/// `full-date` of RFC 3339.
fn date(text: &[u8]) -> bool {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return false };
    let (Some(year), Some(month), Some(day)) = (number(&[y0, y1, y2, y3]), number(&[m0, m1]), number(&[d0, d1])) else {
        return false;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `full-time` of RFC 3339; a leap second only where it is 23:59:60 in UTC.
fn time(text: &[u8]) -> Option<()> {
    let (&[h0, h1, b':', m0, m1, b':', s0, s1], rest) = text.split_first_chunk::<8>()? else { return None };
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[m0, m1])?, number(&[s0, s1])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            &fraction[digits..]
        }
        rest => rest,
    };
    let offset = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (number(&[h0, h1])?, number(&[m0, m1])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours * 60 + minutes);
            if sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    let in_utc = (i64::from(hour * 60 + minute) - offset).rem_euclid(24 * 60);
    (second < 60 || in_utc == 24 * 60 - 1).then_some(())
}

/// RFC 9562's text form: 8-4-4-4-12 hexadecimal digits.
fn uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        for good in [
            "2024-02-29T23:59:60Z",
            "1998-12-31T15:59:60.123-08:00",
            "1999-01-01t00:59:60+01:00",
            "2000-02-29T00:00:00.0z",
        ] {
            assert!(holds(Format::DateTime, good), "{good}");
        }
        for bad in [
            "2023-02-29T00:00:00Z",
            "2024-01-01T22:59:60Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:0٠Z",
            "",
            "T",
        ] {
            assert!(!holds(Format::DateTime, bad), "{bad}");
        }
    }

    #[test]
    fn identifiers_and_addresses() {
        assert!(holds(Format::Uuid, "2EB8AA08-aa98-11ea-b4aa-73b441d16380"));
        assert!(!holds(Format::Uuid, "2eb8aa08aa9811eab4aa73b441d16380"));
        assert!(holds(Format::Ipv4, "127.0.0.1") && !holds(Format::Ipv4, "127.0.0.01"));
        assert!(holds(Format::Ipv6, "::1") && !holds(Format::Ipv6, "fe80::1%eth0"));
    }
}
