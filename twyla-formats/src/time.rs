//! Dates, times and durations of RFC 3339, parsed byte by byte, since every event has some.

/// A valid calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year, from 0 to 9999.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

/// A time of day with its offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// The hour, up to 23.
    pub hour: u8,
    /// The minute, up to 59.
    pub minute: u8,
    /// The second, up to 60, which is a leap second.
    pub second: u8,
    /// The fraction of the second, in nanoseconds; digits after the ninth are dropped.
    pub nanosecond: u32,
    /// The offset in minutes east of UTC.
    pub offset: i16,
}

/// Parses a `date-time` of RFC 3339.
#[inline]
pub fn date_time(text: &[u8]) -> Option<(Date, Time)> {
    let (first, rest) = text.split_first_chunk::<10>()?;
    let (b'T' | b't', rest) = rest.split_first()? else { return None };
    Some((date(first)?, time(rest)?))
}

/// Parses a `full-date` of RFC 3339.
#[inline]
pub fn date(text: &[u8]) -> Option<Date> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return None };
    let year = u16::from(two(y0, y1)?) * 100 + u16::from(two(y2, y3)?);
    let (month, day) = (two(m0, m1)?, two(d0, d1)?);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(Date { year, month, day })
}

/// Parses a `full-time` of RFC 3339; a leap second is only valid at 23:59:60 UTC.
#[inline]
pub fn time(text: &[u8]) -> Option<Time> {
    let (&[h0, h1, b':', m0, m1, b':', s0, s1], rest) = text.split_first_chunk::<8>()? else { return None };
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanosecond, zone) = match rest {
        [b'.', digits @ ..] => fraction(digits)?,
        zone => (0, zone),
    };
    let offset = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (two(h0, h1)?, two(m0, m1)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i16::from(hours) * 60 + i16::from(minutes);
            if sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    let in_utc = || (i16::from(hour) * 60 + i16::from(minute) - offset).rem_euclid(24 * 60);
    (second < 60 || in_utc() == 24 * 60 - 1).then_some(Time { hour, minute, second, nanosecond, offset })
}

/// Parses the digits of a fraction of a second; returns nanoseconds, and the rest.
#[inline]
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let (mut nanosecond, mut unit, mut rest) = (0, 100_000_000, text);
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        nanosecond += u32::from(digit - b'0') * unit;
        unit /= 10;
        rest = after;
    }
    (rest.len() < text.len()).then_some((nanosecond, rest))
}

/// Parses two decimal digits.
#[inline]
fn two(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (high.wrapping_sub(b'0'), low.wrapping_sub(b'0'));
    (high < 10 && low < 10).then(|| high * 10 + low)
}

/// Checks a `duration` of RFC 3339, appendix A: units are consecutive, weeks stand alone.
pub fn duration(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"P") else { return false };
    let Some((date, rest)) = units(rest, b"YMD") else { return false };
    match rest {
        [] => date,
        [b'T', time @ ..] => matches!(units(time, b"HMS"), Some((true, []))),
        weeks => !date && matches!(units(weeks, b"W"), Some((true, []))),
    }
}

/// Parses numbers with units in descending order; returns whether any was found, and the rest.
fn units<'a>(mut text: &'a [u8], mut order: &[u8]) -> Option<(bool, &'a [u8])> {
    let mut some = false;
    while !order.is_empty() {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            break;
        }
        let (unit, rest) = text.get(digits..)?.split_first()?;
        let Some(at) = order.iter().position(|known| known == unit) else {
            // the caller parses the number again, with a unit of another kind
            return (!some).then_some((false, text));
        };
        if some && at > 0 {
            return None;
        }
        (some, text, order) = (true, rest, order.get(at + 1..)?);
    }
    Some((some, text))
}
