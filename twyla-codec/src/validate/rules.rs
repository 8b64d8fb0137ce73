//! The value rules that generated code calls: each looks at one value and says what it breaks, in one wording.

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

/// Arrays and objects within each other that a content may have: below the JSON reader's limit of 128, so that what is
/// written can be read inside its envelope.
const DEEPEST: usize = 120;
/// Items of an array that are compared with one another, as a set would cost more.
const MOST_COMPARED: usize = 16;

fn plural(count: u64, one: &'static str, more: &'static str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// `minLength`, in characters.
#[inline]
pub fn min_length(value: &str, limit: u64, at: &Path<'_>, out: &mut Violations) {
    // a string has no more characters than bytes, and at least a quarter as many
    if (value.len() as u64) / 4 < limit && fewer_than(limit, value) {
        too_short(value, limit, at, out);
    }
}

/// Whether a text has fewer characters than so many; one that is needed is what most ask for.
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

/// `maxLength`, in characters.
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

/// `pattern`.
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
            "whether {} matches the pattern {} takes too long to find out: too many ways to match were tried",
            quoted(value),
            pattern.written()
        ),
        // can't be where the build script saw it compile; refusing is the safe side
        Outcome::Broken => format!("the pattern {} can't be compiled here", pattern.written()),
    };
    out.push(at, "pattern", message);
}

/// `format`.
#[inline]
pub fn format(value: &str, format: Format, at: &Path<'_>, out: &mut Violations) {
    if !formats::holds(format, value) {
        not_of_format(value, format, at, out);
    }
}

#[cold]
fn not_of_format(value: &str, format: Format, at: &Path<'_>, out: &mut Violations) {
    out.push(at, "format", format!("{} is no {}", quoted(value), format.name()));
}

/// `minimum`, and `exclusiveMinimum` as the next integer.
pub fn minimum(value: impl Into<i128>, limit: i128, at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if value < limit {
        out.push(at, "minimum", format!("{value} is less than {limit}"));
    }
}

/// `maximum`, and `exclusiveMaximum` as the integer before.
pub fn maximum(value: impl Into<i128>, limit: i128, at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if value > limit {
        out.push(at, "maximum", format!("{value} is more than {limit}"));
    }
}

/// `multipleOf` of an integer.
pub fn multiple_of(value: impl Into<i128>, factor: i128, at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if factor == 0 || value % factor != 0 {
        out.push(at, "multipleOf", format!("{value} is no multiple of {factor}"));
    }
}

/// `minimum` of a number.
pub fn minimum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value < limit {
        out.push(at, "minimum", format!("{value} is less than {limit}"));
    }
}

/// `maximum` of a number.
pub fn maximum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value > limit {
        out.push(at, "maximum", format!("{value} is more than {limit}"));
    }
}

/// `exclusiveMinimum` of a number.
pub fn exclusive_minimum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value <= limit {
        out.push(at, "exclusiveMinimum", format!("{value} is not more than {limit}"));
    }
}

/// `exclusiveMaximum` of a number.
pub fn exclusive_maximum_number(value: f64, limit: f64, at: &Path<'_>, out: &mut Violations) {
    if value >= limit {
        out.push(at, "exclusiveMaximum", format!("{value} is not less than {limit}"));
    }
}

/// JSON has no infinity and no NaN; a program's number may be one.
#[inline]
pub fn finite(value: f64, at: &Path<'_>, out: &mut Violations) {
    if !value.is_finite() {
        out.push(at, "type", format!("{value} can't be written as JSON"));
    }
}

/// `enum` and `const` of integers.
pub fn one_of_integers(value: impl Into<i128>, allowed: &[i128], at: &Path<'_>, out: &mut Violations) {
    let value = value.into();
    if !allowed.contains(&value) {
        let (keyword, allowed) = (enum_or_const(allowed.len()), listed(allowed));
        out.push(at, keyword, format!("{value} is not {allowed}"));
    }
}

/// `enum` and `const` of booleans.
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

/// `minItems`.
pub fn min_items(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count < limit {
        let (has, rule) = (plural(count, "item", "items"), plural(limit, "is", "are"));
        out.push(at, "minItems", format!("has {has}, and at least {rule} needed"));
    }
}

/// `maxItems`.
pub fn max_items(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count > limit {
        let (has, rule) = (plural(count, "item", "items"), plural(limit, "is", "are"));
        out.push(at, "maxItems", format!("has {has}, and at most {rule} allowed"));
    }
}

/// `uniqueItems` of strings, integers, booleans and words of an enum.
pub fn unique_items<T: Eq + Hash>(items: &[T], at: &Path<'_>, out: &mut Violations) {
    let twice = if items.len() <= MOST_COMPARED {
        (1..items.len()).find(|index| items.get(..*index).zip(items.get(*index)).is_some_and(|(a, b)| a.contains(b)))
    } else {
        let mut seen = HashSet::with_capacity(items.len());
        items.iter().position(|item| !seen.insert(item))
    };
    if let Some(index) = twice {
        out.push(at, "uniqueItems", format!("item {index} is there twice"));
    }
}

/// `minProperties` of a map.
pub fn min_properties(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count < limit {
        let (has, rule) = (plural(count, "member", "members"), plural(limit, "is", "are"));
        out.push(at, "minProperties", format!("has {has}, and at least {rule} needed"));
    }
}

/// `maxProperties` of a map.
pub fn max_properties(count: usize, limit: u64, at: &Path<'_>, out: &mut Violations) {
    let count = count as u64;
    if count > limit {
        let (has, rule) = (plural(count, "member", "members"), plural(limit, "is", "are"));
        out.push(at, "maxProperties", format!("has {has}, and at most {rule} allowed"));
    }
}

/// A map that can tell whether it has a member.
pub trait Members {
    /// Whether it has one of that name.
    fn has(&self, name: &str) -> bool;
}

impl<T> Members for BTreeMap<String, T> {
    fn has(&self, name: &str) -> bool {
        self.contains_key(name)
    }
}

impl Members for serde_json::Map<String, Value> {
    fn has(&self, name: &str) -> bool {
        self.contains_key(name)
    }
}

/// The members that no field is for are none of those that have one: an object has no key twice.
pub fn undeclared(members: &impl Members, declared: &[&str], at: &Path<'_>, out: &mut Violations) {
    for name in declared.iter().filter(|name| members.has(name)) {
        out.push(at, "json", format!("has the member {} twice: as a field, and among the others", quoted(name)));
    }
}

/// `required` of a map.
pub fn required(members: &impl Members, name: &str, at: &Path<'_>, out: &mut Violations) {
    if !members.has(name) {
        out.push(at, "required", format!("`{name}` is missing"));
    }
}

/// Whether a value may have further values in it; a program may nest them deeper than JSON is read.
#[inline]
pub fn shallow(at: &Path<'_>, out: &mut Violations) -> bool {
    if at.depth() > DEEPEST {
        if !out.is_full() {
            out.push(at, "json", format!("is nested deeper than {DEEPEST}"));
        }
        return false;
    }
    true
}

/// The same for a value of any kind.
pub fn shallow_value(value: &Value, at: &Path<'_>, out: &mut Violations) {
    let is_shallow = DEEPEST.checked_sub(at.depth()).is_some_and(|room| fits(value, room));
    if !is_shallow {
        out.push(at, "json", format!("is nested deeper than {DEEPEST}"));
    }
}

/// Whether no more arrays and objects than these are around any value in it; it looks no deeper than that.
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
        assert_eq!(broken(|at, out| multiple_of(7_i64, 2, at, out)), ["multipleOf: 7 is no multiple of 2"]);
        assert_eq!(broken(|at, out| one_of_integers(7_i64, &[1, 2], at, out)), ["enum: 7 is not one of 1, 2"]);
        assert_eq!(broken(|at, out| finite(f64::NAN, at, out)), ["type: NaN can't be written as JSON"]);
    }

    #[test]
    fn finds_what_is_there_twice_in_short_and_long_arrays() {
        for count in [0, 1, 2, MOST_COMPARED, MOST_COMPARED + 1, 1000] {
            let mut items: Vec<usize> = (0..count).collect();
            assert_eq!(broken(|at, out| unique_items(&items, at, out)), [""; 0]);
            items.push(count / 2);
            let expected = format!("uniqueItems: item {count} is there twice");
            let told = broken(|at, out| unique_items(&items, at, out));
            assert_eq!(told, if count == 0 { vec![] } else { vec![expected] });
        }
    }

    #[test]
    fn refuses_values_nested_too_deep() {
        let mut deep = Value::Null;
        for _ in 0..200 {
            deep = Value::Array(vec![deep]);
        }
        assert_eq!(broken(|at, out| shallow_value(&deep, at, out)), ["json: is nested deeper than 120"]);
        let within = |around: usize, innermost: Value| {
            let value = (0..around).fold(innermost, |value, _| serde_json::json!([0, value]));
            broken(|at, out| shallow_value(&value, at, out)).is_empty()
        };
        assert!(within(120, Value::Null) && within(120, serde_json::json!({})));
        assert!(!within(121, Value::Null) && !within(120, serde_json::json!({"a": 1})));
    }
}
