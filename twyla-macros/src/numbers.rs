//! Numbers in attributes: counts, and durations as `"250ms"`, `"2s"`, `"5m"`.

use syn::LitInt;
use syn::parse::ParseStream;

use crate::catalogue::handler as text;

/// Parses a duration, `100ms`, `1s`, `5m`, `2h` or `1d`; returns milliseconds.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    // no longer than the longest stay in a retry queue
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|millis| *millis <= 30 * 86_400_000)
}

/// Parses a count, 1 or more. The error of anything else names `most` as the largest.
pub(crate) fn count(input: ParseStream<'_>, key: &str, most: u16) -> syn::Result<u16> {
    let written: LitInt = input.parse()?;
    match written.base10_parse() {
        Ok(count @ 1..) => Ok(count),
        _ => Err(text::bad_count(key, &written.to_string(), most).at(written.span())),
    }
}
