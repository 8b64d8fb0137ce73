//! Dates of waivers: `2026-03-31`.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day of the Gregorian calendar, in UTC.
///
/// ```
/// use twyla_build::lock::Date;
///
/// let day: Date = "2026-02-28".parse()?;
/// assert_eq!(day.plus_days(1).to_string(), "2026-03-01");
/// assert!("2026-02-30".parse::<Date>().is_err());
/// # Ok::<(), twyla_build::lock::NoDate>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The error for a text that isn't a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDate;

impl std::error::Error for NoDate {}

impl fmt::Display for NoDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a day such as 2026-03-31")
    }
}

impl Date {
    /// Returns today by the system clock; 1970-01-01 if the clock is before that.
    #[must_use]
    pub fn today() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self::of_days(i64::try_from(seconds / 86_400).unwrap_or(i64::MAX))
    }

    /// Adds days. The result is at most `9999-12-31`.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self::of_days(self.days().saturating_add(i64::from(days)))
    }

    /// Returns the number of days since 1970-01-01, computed by eras of 400 years that begin in March.
    fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn of_days(days: i64) -> Self {
        const LAST: i64 = 2_932_896;
        let days = days.clamp(0, LAST) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let narrow = |number: i64| u8::try_from(number).unwrap_or(1);
        Self { year: u16::try_from(year).unwrap_or(9999), month: narrow(month), day: narrow(day) }
    }
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        let digits = |from: usize, to: usize| {
            let part = text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok()).ok_or(NoDate)
        };
        if text.len() != 10 || text.as_bytes().get(4) != Some(&b'-') || text.as_bytes().get(7) != Some(&b'-') {
            return Err(NoDate);
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let narrow = |number: u16| u8::try_from(number).map_err(|_| NoDate);
        let date = Self { year, month: narrow(month)?, day: narrow(day)? };
        // a nonexistent day converts back to another one
        if year >= 1970 && (1..=12).contains(&month) && day >= 1 && Self::of_days(date.days()) == date {
            Ok(date)
        } else {
            Err(NoDate)
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_follows_the_one_before() {
        let months = |year: u16| {
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let mut days = 0;
        for year in 1970..=2400 {
            for (month, length) in (1..).zip(months(year)) {
                for day in 1..=length {
                    let date = Date { year, month, day };
                    assert_eq!(date.days(), days, "{date}");
                    assert_eq!(Date::of_days(days), date);
                    assert_eq!(date.to_string().parse(), Ok(date));
                    days += 1;
                }
            }
        }
    }

    #[test]
    fn rejects_invalid_dates() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-1-1",
            "26-01-01",
            "2026/01/01",
            "+026-01-01",
            "2026-01-01 ",
            "1969-12-31",
            "tomorrow",
            "２０26-01-01",
            "2026-01-0é",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NoDate), "{text}");
        }
    }

    #[test]
    fn dates_end_with_the_year_9999() {
        let last: Date = "9999-12-31".parse().unwrap();
        assert_eq!(last.plus_days(1), last);
        assert_eq!("2026-12-31".parse::<Date>().unwrap().plus_days(60).to_string(), "2027-03-01");
    }
}
