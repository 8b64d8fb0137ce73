//! The numbers that `f64` values have, as bounds of a search: between two of them there is no value.

use crate::decimal::Decimal;

/// Returns the numbers that are read as the `f64` values around a number without a loss.
pub(super) fn around(number: &Decimal) -> impl Iterator<Item = Decimal> {
    let values = number.nearest().into_iter().flat_map(|value| [value.next_down(), value, value.next_up()]);
    values.filter(|value| value.is_finite()).flat_map(Decimal::notations)
}

/// Returns the least number from a limit on (`up`), or the greatest up to it, that is read as an `f64` without a loss; `None` if
/// there is none.
pub(super) fn nearest(limit: &Decimal, exclusive: bool, up: bool) -> Option<Decimal> {
    // the nearest `f64` may be on the other side of the limit
    let within = around(limit)
        .filter(|number| number == limit && !exclusive || if up { number > limit } else { number < limit });
    if up { within.min() } else { within.max() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_become_the_nearest_numbers_of_doubles() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        let greatest = format!("{:.0}", f64::MAX);
        let least = format!("-{greatest}");
        for (limit, exclusive, below, above) in [
            ("0.1", false, Some("0.1"), Some("0.1")),
            ("0.1", true, Some("0.09999999999999999"), Some("0.10000000000000002")),
            ("0.1000000000000000000001", false, Some("0.1"), Some("0.10000000000000002")),
            ("9007199254740993", false, Some("9007199254740992"), Some("9007199254740994")),
            ("18446744073709551615", false, Some("18446744073709550000"), Some("18446744073709551616")),
            ("18446744073709551616", true, Some("18446744073709550000"), Some("18446744073709552000")),
            ("1e400", false, Some(greatest.as_str()), None),
            ("-1e400", true, None, Some(least.as_str())),
            ("0", false, Some("0"), Some("0")),
            ("0", true, Some("-5e-324"), Some("5e-324")),
            ("1e-400", false, Some("0"), Some("5e-324")),
        ] {
            let found = |up| nearest(&number(limit), exclusive, up);
            assert_eq!((found(false), found(true)), (below.map(number), above.map(number)), "{limit} {exclusive}");
        }
        let read = |limit: &str, up| nearest(&number(limit), true, up);
        assert_eq!(read("18446744073709551615", true), Some(number("18446744073709551616")));
        assert_eq!(read("18446744073709551616", true), Some(number("18446744073709552000")));
        assert_eq!(read("1152921504606847000", false), Some(number("1152921504606846976")));
    }
}
