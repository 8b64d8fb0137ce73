//! Converts schemas of `schemars`: formats that only Rust knows become bounds.

use crate::support::json::Json;

/// Returns the bounds of a format of Rust's numbers.
fn bounds(format: &str) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match format {
        "uint8" => &[("minimum", "0"), ("maximum", "255")],
        "uint16" => &[("minimum", "0"), ("maximum", "65535")],
        "uint32" => &[("minimum", "0"), ("maximum", "4294967295")],
        "uint" | "uint64" | "uint128" => &[("minimum", "0")],
        "int8" => &[("minimum", "-128"), ("maximum", "127")],
        "int16" => &[("minimum", "-32768"), ("maximum", "32767")],
        "int32" => &[("minimum", "-2147483648"), ("maximum", "2147483647")],
        "int" | "int64" | "int128" | "float" | "double" => &[],
        _ => return None,
    })
}

/// Replaces formats of Rust's numbers by bounds; returns the number of replaced formats.
pub(super) fn numbers(json: &mut Json) -> usize {
    let mut count = 0;
    json.each_schema(&mut |members| {
        let is_number = members.iter().any(|(name, value)| {
            let number = |it: &Json| matches!(it.str(), Some("integer" | "number"));
            name == "type" && (number(value) || matches!(value, Json::Array(types) if types.iter().any(number)))
        });
        let place = members.iter().position(|(name, value)| name == "format" && value.str().and_then(bounds).is_some());
        let Some(place) = place.filter(|_| is_number) else { return };
        let (_, format) = members.remove(place);
        count += 1;
        for (keyword, limit) in format.str().and_then(bounds).unwrap_or_default() {
            if !members.iter().any(|(name, _)| name == keyword) {
                members.insert(place.min(members.len()), ((*keyword).to_owned(), Json::Number((*limit).to_owned())));
            }
        }
    });
    count
}
