//! Checks of single values, called by generated code.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{Display, Write as _};
use std::hash::Hash;

use serde_json::Value;

use super::formats;
use super::pattern::Outcome;
use crate::excerpt::quoted;
use crate::path::Path;

pub use super::formats::Format;
pub use super::formats::date_time::writable_date_time;
pub use super::formats::typed::writable_date;
pub use super::pattern::Pattern;
pub use crate::violation::Violations;

/// The maximum depth of nested arrays and objects in an event's content. It is below the JSON reader's limit of 127, so that the
/// content can be read within its envelope.
const MAX_DEPTH: usize = 120;
/// Arrays of up to this number of items are compared pairwise, which is cheaper than a set.
const PAIRWISE: usize = 16;

fn plural(count: u64, one: &'static str, more: &'static str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Checks `minLength`, in characters.
#[inline]
pub fn min_length(value: &str, limit: u64, at: &Path<'_>, out: &mut Violations) {
    // the number of characters is between a quarter of the bytes and all of them
    if (value.len() as u64) / 4 < limit && fewer_than(limit, value) {
        too_short(value, limit, at, out);
    }
}

/// Returns whether a text has fewer than `limit` characters. A limit of one, the most frequent, needs no count.
#[inline]
fn fewer_than(limit: u64, value: &str) -> bool {
    if limit == 1 { value.is_empty() } else { (value.chars().count() as u64) < limit }
}

#[cold]
fn too_short(value: &str, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = value.chars().count() as u64;
    let (has, rule) = (plural(count, "character", "characters"), plural(limit, "is", "are"));
    out.push(at, "minLength", format!("{} has {has}, and at least {rule} needed", quoted(value)));
}

/// Checks `maxLength`, in characters.
#[inline]
pub fn max_length(value: &str, limit: u64, at: &Path<'_>, out: &mut Violations) {
    if value.len() as u64 > limit && value.chars().count() as u64 > limit {
        too_long(value, limit, at, out);
    }
}

#[cold]
fn too_long(value: &str, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = value.chars().count() as u64;
    let (has, rule) = (plural(count, "character", "characters"), plural(limit, "is", "are"));
    out.push(at, "maxLength", format!("{} has {has}, and at most {rule} allowed", quoted(value)));
}

/// Checks `pattern`.
#[inline]
pub fn pattern(value: &str, pattern: &Pattern, at: &Path<'_>, out: &mut Violations) {
    match pattern.search(value) {
        Outcome::Match => {}
        outcome => not_matched(outcome, value, pattern, at, out),
    }
}

#[cold]
fn not_matched(outcome: Outcome, value: &str, pattern: &Pattern, at: &Path<'_>, out: &mut Violations) {
    let message = match outcome {
        Outcome::Match => return,
        Outcome::NoMatch => format!("{} doesn't match the pattern {}", quoted(value), pattern.written()),
        Outcome::GivenUp => format!(
            "matching {} against the pattern {} takes too long: too many ways to match were tried",
            quoted(value),
            pattern.written()
        ),
        // impossible after a successful build; refusing is the safe side
        Outcome::Broken => format!("the pattern {} can't be compiled", pattern.written()),
    };
    out.push(at, "pattern", message);
}

/// Checks `format`.
#[inline]
pub fn format(value: &str, format: Format, at: &Path<'_>, out: &mut Violations) {
    if !formats::holds(format, value) {
        not_of_format(value, format, at, out);
    }
}

#[cold]
fn not_of_format(value: &str, format: Format, at: &Path<'_>, out: &mut Violations) {
    out.push(at, "format", format!("{} is not a valid {}", quoted(value), format.name()));
}

/// Checks `minimum` of an integer, and `exclusiveMinimum`, for which `limit` is the next integer.
pub fn minimum(value: impl Into<i128>, limit: i128, at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if value < limit {
        out.push(at, "minimum", format!("{value} is less than {limit}"));
    }
}

/// Checks `maximum` of an integer, and `exclusiveMaximum`, for which `limit` is the integer before.
pub fn maximum(value: impl Into<i128>, limit: i128, at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if value > limit {
        out.push(at, "maximum", format!("{value} is more than {limit}"));
    }
}

/// Checks `multipleOf` of an integer.
pub fn multiple_of(value: impl Into<i128>, factor: i128, at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if factor == 0 || value % factor != 0 {
        out.push(at, "multipleOf", format!("{value} is not a multiple of {factor}"));
    }
}

/// Checks `minimum` of a number.
pub fn minimum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value < limit {
        out.push(at, "minimum", format!("{value} is less than {limit}"));
    }
}

/// Checks `maximum` of a number.
pub fn maximum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value > limit {
        out.push(at, "maximum", format!("{value} is more than {limit}"));
    }
}

/// Checks `exclusiveMinimum` of a number.
pub fn exclusive_minimum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value <= limit {
        out.push(at, "exclusiveMinimum", format!("{value} is not more than {limit}"));
    }
}

/// Checks `exclusiveMaximum` of a number.
pub fn exclusive_maximum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value >= limit {
        out.push(at, "exclusiveMaximum", format!("{value} is not less than {limit}"));
    }
}

/// Checks that a number is finite: JSON has no infinity and no NaN.
#[inline]
pub fn finite(value: f64, at: &Path<'_>, out: &mut Violations) {
    if !value.is_finite() {
        out.push(at, "type", format!("{value} can't be written as JSON"));
    }
}

/// Checks `enum` and `const` of integers.
pub fn one_of_integers(value: impl Into<i128>, allowed: &[i128], at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if !allowed.contains(&value) {
        let (keyword, allowed) = (enum_or_const(allowed.len()), listed(allowed));
        out.push(at, keyword, format!("{value} is not {allowed}"));
    }
}

/// Checks `enum` and `const` of numbers that are not all integers.
pub fn one_of_numbers(value: f64, allowed: &[f64], at: &Path<'_>, out: &mut Violations) {
    if !allowed.contains(&value) {
        out.push(at, enum_or_const(allowed.len()), format!("{value} is not {}", listed(allowed)));
    }
}

/// Checks `enum` and `const` of booleans.
pub fn one_of_booleans(value: bool, allowed: &[bool], at: &Path<'_>, out: &mut Violations) {
    if !allowed.contains(&value) {
        out.push(at, enum_or_const(allowed.len()), format!("{value} is not {}", listed(allowed)));
    }
}

fn enum_or_const(count: usize) -> &'static str {
    if count == 1 { "const" } else { "enum" }
}

fn listed(values: &[impl Display]) -> String {
    let mut out = String::from(if values.len() == 1 { "" } else { "one of " });
    for (i, value) in values.iter().take(8).enumerate() {
        let _ = write!(out, "{}{value}", if i == 0 { "" } else { ", " });
    }
    if values.len() > 8 {
        let _ = write!(out, " and {} more", values.len() - 8);
    }
    out
}

/// Reports a number of items or members beyond a limit.
#[cold]
#[inline(never)]
fn miscounted(
    keyword: &'static str,
    (count, [holder, one, many]): (u64, [&'static str; 3]),
    limit: u64,
    at: &Path<'_>,
    out: &mut Violations,
) {
    let (bound, needed) = if count < limit { ("at least", "needed") } else { ("at most", "allowed") };
    let (has, rule) = (plural(count, one, many), plural(limit, "is", "are"));
    out.push(at, keyword, format!("the {holder} has {has}, and {bound} {rule} {needed}"));
}

/// Checks `minItems`.
pub fn min_items(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count < limit {
        miscounted("minItems", (count, ["array", "item", "items"]), limit, at, out);
    }
}

/// Checks `maxItems`.
pub fn max_items(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count > limit {
        miscounted("maxItems", (count, ["array", "item", "items"]), limit, at, out);
    }
}

/// Checks `uniqueItems` of strings, integers, booleans and string enums.
pub fn unique_items<T: Eq + Hash>(items: &[T], at: &Path<'_>, out: &mut Violations) {
    let twice = if items.len() <= PAIRWISE {
        (1..items.len()).find(|index| items.get(..*index).zip(items.get(*index)).is_some_and(|(a, b)| a.contains(b)))
    } else {
        let mut seen = HashSet::with_capacity(items.len());
        items.iter().position(|item| !seen.insert(item))
    };
    if let Some(index) = twice {
        out.push(at, "uniqueItems", format!("item {index} equals an earlier item"));
    }
}

/// Checks `minProperties` of a map.
pub fn min_properties(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count < limit {
        miscounted("minProperties", (count, ["object", "member", "members"]), limit, at, out);
    }
}

/// Checks `maxProperties` of a map.
pub fn max_properties(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count > limit {
        miscounted("maxProperties", (count, ["object", "member", "members"]), limit, at, out);
    }
}

/// A map of members.
pub trait HasMember {
    /// Returns whether the map has a member of that name.
    fn has(&self, name: &str) -> bool;
}

impl<T> HasMember for BTreeMap<String, T> {
    fn has(&self, name: &str) -> bool {
        self.contains_key(name)
    }
}

impl HasMember for serde_json::Map<String, Value> {
    fn has(&self, name: &str) -> bool {
        self.contains_key(name)
    }
}

/// Checks that the map of undeclared members has no declared name.
pub fn undeclared(members: &impl HasMember, declared: &[&str], at: &Path<'_>, out: &mut Violations) {
    for name in declared.iter().filter(|name| members.has(name)) {
        out.push(
            at,
            "json",
            format!("the member {} appears twice: as a field, and in the map of undeclared members", quoted(name)),
        );
    }
}

/// Checks `required` of a map.
pub fn required(members: &impl HasMember, name: &str, at: &Path<'_>, out: &mut Violations) {
    if !members.has(name) {
        out.push(at, "required", format!("`{name}` is missing"));
    }
}

/// Checks the depth of a value that may contain others: a program may nest values deeper than the JSON reader allows.
#[inline]
pub fn shallow(at: &Path<'_>, out: &mut Violations) -> bool {
    if at.depth() > MAX_DEPTH {
        if !out.is_full() {
            out.push(at, "json", format!("the value is nested deeper than {MAX_DEPTH} levels"));
        }
        return false;
    }
    true
}

/// Checks the depth of a value of any kind.
pub fn shallow_value(value: &Value, at: &Path<'_>, out: &mut Violations) {
    let is_shallow = MAX_DEPTH.checked_sub(at.depth()).is_some_and(|room| fits(value, room));
    if !is_shallow {
        out.push(at, "json", format!("the value is nested deeper than {MAX_DEPTH} levels"));
    }
}

/// Returns whether a value nests at most `room` levels; looks no deeper than that.
fn fits(value: &Value, room: usize) -> bool {
    let has_items = |value: &Value| matches!(value, Value::Array(_) | Value::Object(_));
    let fit = |item: &Value| !has_items(item) || fits(item, room - 1);
    match value {
        Value::Array(items) => items.is_empty() || (room > 0 && items.iter().all(fit)),
        Value::Object(members) => members.is_empty() || (room > 0 && members.values().all(fit)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(check: impl FnOnce(&Path<'_>, &mut Violations)) -> Vec<String> {
        let mut out = Violations::new();
        check(&Path::root(), &mut out);
        out.into_vec().into_iter().map(|violation| format!("{}: {}", violation.keyword, violation.message)).collect()
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert!(broken(|at, out| min_length("äöü", 3, at, out)).is_empty());
        assert!(broken(|at, out| max_length("äöü😀", 4, at, out)).is_empty());
        assert_eq!(
            broken(|at, out| max_length("äöü😀!", 4, at, out)),
            ["maxLength: \"äöü😀!\" has 5 characters, and at most 4 are allowed"]
        );
        assert_eq!(
            broken(|at, out| min_length("", 1, at, out)),
            ["minLength: \"\" has 0 characters, and at least 1 is needed"]
        );
    }

    #[test]
    fn compares_whole_numbers() {
        assert!(broken(|at, out| maximum(u64::MAX, i128::from(u64::MAX), at, out)).is_empty());
        assert_eq!(broken(|at, out| minimum(-1_i64, 0, at, out)), ["minimum: -1 is less than 0"]);
        assert_eq!(broken(|at, out| multiple_of(7_i64, 2, at, out)), ["multipleOf: 7 is not a multiple of 2"]);
        assert_eq!(broken(|at, out| one_of_integers(7_i64, &[1, 2], at, out)), ["enum: 7 is not one of 1, 2"]);
        assert_eq!(broken(|at, out| one_of_numbers(7.5, &[0.5], at, out)), ["const: 7.5 is not 0.5"]);
        assert_eq!(broken(|at, out| one_of_numbers(-0.0, &[0.0, 1.5], at, out)), [""; 0]);
        assert_eq!(broken(|at, out| finite(f64::NAN, at, out)), ["type: NaN can't be written as JSON"]);
    }

    #[test]
    fn finds_what_is_there_twice_in_short_and_long_arrays() {
        for count in [0, 1, 2, PAIRWISE, PAIRWISE + 1, 1000] {
            let mut items: Vec<usize> = (0..count).collect();
            assert_eq!(broken(|at, out| unique_items(&items, at, out)), [""; 0]);
            items.push(count / 2);
            let expected = format!("uniqueItems: item {count} equals an earlier item");
            let violations = broken(|at, out| unique_items(&items, at, out));
            assert_eq!(violations, if count == 0 { vec![] } else { vec![expected] });
        }
    }

    #[test]
    fn refuses_values_nested_too_deep() {
        let mut deep = Value::Null;
        for _ in 0..200 {
            deep = Value::Array(vec![deep]);
        }
        assert_eq!(
            broken(|at, out| shallow_value(&deep, at, out)),
            ["json: the value is nested deeper than 120 levels"]
        );
        let within = |around: usize, innermost: Value| {
            let value = (0..around).fold(innermost, |value, _| serde_json::json!([0, value]));
            broken(|at, out| shallow_value(&value, at, out)).is_empty()
        };
        assert!(within(120, Value::Null) && within(120, serde_json::json!({})));
        assert!(!within(121, Value::Null) && !within(120, serde_json::json!({"a": 1})));
    }
}
