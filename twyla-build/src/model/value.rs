//! Values other than objects: words and constants, strings, numbers and arrays, with their checks.

use std::collections::HashSet;

use super::format_type::FormatType;
use super::implied;
use super::integer::IntegerType;
use super::reader::SchemaReader;
use super::rules::{self, Check, is_limit};
use super::shape::{Shape, TypeId, ValueType};
use super::types::{Body, Type};
use super::variant::{Choice, Discriminator, Variant};
use super::words::WordList;
use crate::json_type::JsonType;
use crate::number::Number;
use crate::schema::load::size;
use crate::schema::load::{Json, Node};
use crate::schema::names;
use crate::schema::schemas::Loc;

/// The maximum number of words in an enum, for the sake of the compiler. A schema with more words is read as a string.
const MOST_VARIANTS: usize = 1000;

/// Returns the shape of listed integers. It has 64 bits: a narrower type could change when an integer is added to the list.
fn listed(minimum: Option<i128>, maximum: Option<i128>) -> Shape {
    Shape::Integer { type_: IntegerType::within(minimum, None, None), minimum, maximum }
}

impl<'a> SchemaReader<'a> {
    /// Reads `enum` and `const`.
    pub(super) fn values(&mut self, loc: &Loc) -> ValueType {
        let any = || ValueType::plain(Shape::Any);
        let beside: Vec<&str> = self.rules_of(loc).filter(|rule| !matches!(*rule, "enum" | "const" | "type")).collect();
        for keyword in &beside {
            self.leave(loc, keyword, format!("`{keyword}` beside `enum` or `const`"));
        }
        let values: Vec<&Node> = match (self.get(loc, "const"), self.get(loc, "enum")) {
            (Some(only), None) => vec![only],
            (None, Some(values)) => values.items().iter().collect(),
            _ => {
                self.leave(loc, "", "`const` beside `enum`");
                return any();
            }
        };
        let kinds = self.kinds(loc);
        let allowed = |kind: &str| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let mut nullable = false;
        let (mut words, mut integers, mut booleans, mut other) = (Vec::new(), Vec::new(), Vec::new(), false);
        let (mut numbers, mut fractions) = (Vec::new(), false);
        let mut seen = HashSet::new();
        for value in values {
            match &value.json {
                Json::Null if allowed("null") => nullable = true,
                Json::String(word) if allowed("string") && seen.insert(word) => words.push(word.clone()),
                Json::Bool(value) if allowed("boolean") => booleans.push(*value),
                Json::Number(text) if allowed("number") || allowed("integer") => {
                    let number = Number::new(text);
                    let whole = number.whole();
                    integers.extend(whole);
                    if whole.is_some() || allowed("number") {
                        fractions |= whole.is_none();
                        match rules::float(&number) {
                            Some(value) => numbers.push(value),
                            None => other |= whole.is_none(),
                        }
                    }
                }
                Json::Array(_) => other |= allowed("array"),
                Json::Object(_) => other |= allowed("object"),
                // a value whose type `type` excludes is never valid
                _ => {}
            }
        }
        let kinds = [!words.is_empty(), !integers.is_empty() || fractions, !booleans.is_empty(), other];
        let keyword = if self.has(loc, "enum") { "enum" } else { "const" };
        let held = match kinds {
            [true, false, false, false] if words.len() > MOST_VARIANTS => {
                self.leave(loc, keyword, format!("`{keyword}` of more than {MOST_VARIANTS} words"));
                ValueType::plain(Shape::String)
            }
            [true, false, false, false] => {
                let variants = names::variants(&words);
                let id = self.type_with(loc, Body::Enum { words, variants });
                ValueType::plain(Shape::Named(id))
            }
            [false, true, false, false] if fractions && integers.iter().all(|value| value.unsigned_abs() < 1 << 53) => {
                ValueType::checked(Shape::Number, vec![Check::Numbers(numbers)])
            }
            // an integer beyond 64 bits may be rounded to its neighbours
            [false, true, false, false]
                if !fractions && integers.iter().all(|value| value.unsigned_abs() < 1 << 63) =>
            {
                integers.sort_unstable();
                integers.dedup();
                let (minimum, maximum) = (integers.first().copied(), integers.last().copied());
                let shape = listed(minimum, maximum);
                ValueType::checked(shape, vec![Check::Integers(integers)])
            }
            [false, false, true, false] => ValueType::checked(Shape::Boolean, vec![Check::Booleans(booleans)]),
            [false, false, false, false] if nullable => return ValueType::plain(Shape::Null),
            [_, _, _, false]
                if kinds.iter().filter(|kind| **kind).count() > 1
                    && !fractions
                    && words.len() <= MOST_VARIANTS
                    && integers.iter().all(|value| value.unsigned_abs() < 1 << 63) =>
            {
                self.several_values(loc, words, integers, booleans)
            }
            _ => {
                let why = format!("`{keyword}` with values of several types, or with no allowed value");
                self.leave(loc, keyword, why);
                if self.has(loc, "type") {
                    self.leave(loc, "type", format!("`type` beside `{keyword}`"));
                }
                return any();
            }
        };
        if nullable { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    /// Returns a union for listed words, integers and booleans.
    fn several_values(
        &mut self,
        loc: &Loc,
        words: Vec<String>,
        mut integers: Vec<i128>,
        booleans: Vec<bool>,
    ) -> ValueType {
        let mut variants = Vec::new();
        let mut add = |name: &str, type_, held| variants.push(Variant::new(name, vec![Choice::Type(type_)], held));
        if !booleans.is_empty() {
            let held = ValueType::checked(Shape::Boolean, vec![Check::Booleans(booleans)]);
            add("Boolean", JsonType::Boolean, held);
        }
        if !integers.is_empty() {
            integers.sort_unstable();
            integers.dedup();
            let (minimum, maximum) = (integers.first().copied(), integers.last().copied());
            let shape = listed(minimum, maximum);
            add("Integer", JsonType::Number, ValueType::checked(shape, vec![Check::Integers(integers)]));
        }
        if !words.is_empty() {
            let words = self.word_variants(loc, WordList::of(words), &variants);
            variants.extend(words);
        }
        let id = self.type_with(loc, Body::Union { by: Discriminator::JsonType, variants });
        ValueType::plain(Shape::Named(id))
    }

    pub(super) fn string(&mut self, loc: &Loc) -> ValueType {
        let mut checks = Vec::new();
        let format = self.format(loc);
        let real = format.and_then(|(variant, _)| FormatType::of(variant));
        let (shortest, longest) = real.map_or((0, None), FormatType::lengths);
        checks.extend(size(self.get(loc, "minLength")).filter(|limit| *limit > shortest).map(Check::MinLength));
        let most = size(self.get(loc, "maxLength")).filter(is_limit);
        checks.extend(most.filter(|limit| longest.is_none_or(|longest| *limit < longest)).map(Check::MaxLength));
        let written = self.get(loc, "pattern").and_then(Node::str);
        let is_implied = |written: &&str| real.is_some_and(|real| implied::implies(real, written));
        checks.extend(written.filter(|written| !is_implied(written)).map(|written| Check::Pattern(written.to_owned())));
        if let Some((variant, name)) = format {
            match real {
                // with other checks the value stays a string: they are about its text
                Some(real) if checks.is_empty() => return ValueType::plain(Shape::Format(real)),
                _ => checks.push(Check::Format(variant, name.to_owned())),
            }
        }
        ValueType::checked(Shape::String, checks)
    }

    fn number_text(&self, loc: &Loc, keyword: &str) -> Option<&'a str> {
        match self.get(loc, keyword).map(|node| &node.json) {
            Some(Json::Number(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns whether a keyword is true, such as draft 4's `exclusiveMinimum`, which excludes the limit itself.
    fn flag(&self, loc: &Loc, keyword: &str) -> bool {
        matches!(self.get(loc, keyword).map(|node| &node.json), Some(Json::Bool(true)))
    }

    pub(super) fn integer(&mut self, loc: &Loc) -> ValueType {
        let mut bounds = [None, None];
        for (side, inclusive, exclusive) in [(0, "minimum", "exclusiveMinimum"), (1, "maximum", "exclusiveMaximum")] {
            let low = side == 0;
            let inward = if low { 1 } else { -1 };
            let flagged = self.flag(loc, exclusive);
            let limits = [(inclusive, flagged), (exclusive, true)];
            for (keyword, outside) in limits {
                let Some(text) = self.number_text(loc, keyword) else { continue };
                let number = Number::new(text);
                let limit = number.bound(low);
                if limit == if low { i128::MAX } else { i128::MIN } {
                    self.leave(loc, keyword, format!("`{keyword}` beyond 128 bits, which no integer type holds"));
                    continue;
                }
                let limit = if outside && number.is_whole() { limit.saturating_add(inward) } else { limit };
                let tighter = |old: i128| if low { old.max(limit) } else { old.min(limit) };
                bounds[side] = Some(bounds[side].map_or(limit, tighter));
            }
        }
        let [minimum, maximum] = bounds;
        let type_ = IntegerType::within(minimum, maximum, self.get(loc, "format").and_then(Node::str));
        let mut checks = Vec::new();
        let (least, most) = type_.bounds();
        checks.extend(minimum.filter(|limit| *limit > least).map(Check::Minimum));
        checks.extend(maximum.filter(|limit| *limit < most).map(Check::Maximum));
        if let Some(text) = self.number_text(loc, "multipleOf") {
            match Number::new(text).whole() {
                Some(1) => {}
                Some(factor) if factor > 0 => checks.push(Check::MultipleOf(factor)),
                _ => self.leave(loc, "multipleOf", "`multipleOf` a fraction"),
            }
        }
        ValueType::checked(Shape::Integer { type_, minimum, maximum }, checks)
    }

    pub(super) fn number(&mut self, loc: &Loc) -> ValueType {
        let mut checks = Vec::new();
        for (keyword, exclusive, rule, exclusive_rule) in [
            ("minimum", "exclusiveMinimum", "minimum_number", "exclusive_minimum_number"),
            ("maximum", "exclusiveMaximum", "maximum_number", "exclusive_maximum_number"),
        ] {
            let flagged = self.flag(loc, exclusive);
            let limits = [(keyword, if flagged { exclusive_rule } else { rule }), (exclusive, exclusive_rule)];
            for (keyword, rule) in limits {
                let Some(text) = self.number_text(loc, keyword) else { continue };
                let number = Number::new(text);
                match rules::float(&number) {
                    Some(limit) => checks.push(Check::Number(rule, limit)),
                    // every number satisfies the bound
                    None if number.float().is_infinite() && number.is_negative() == rule.contains("minimum") => {}
                    None => {
                        let is_far = number.float().abs() >= rules::ONE_NOTATION;
                        let what = if is_far { "beyond 2^53" } else { "with more digits than an `f64` has" };
                        self.leave(loc, keyword, format!("`{keyword}` {what}"));
                    }
                }
            }
        }
        if self.has(loc, "multipleOf") {
            self.leave(loc, "multipleOf", "`multipleOf` of a number that isn't an integer");
        }
        ValueType::checked(Shape::Number, checks)
    }

    pub(super) fn array(&mut self, loc: &Loc) -> ValueType {
        let mut checks = Vec::new();
        let any = || ValueType::plain(Shape::Any);
        let item = match self.get(loc, "items").map(|node| &node.json) {
            Some(Json::Object(_) | Json::Bool(_)) if !self.has(loc, "prefixItems") => self.held(&loc.step("items")),
            Some(Json::Array(_)) => {
                self.leave(loc, "items", "`items` that differ by index");
                any()
            }
            Some(_) => {
                self.leave(loc, "items", "`items` after `prefixItems`");
                any()
            }
            None => any(),
        };
        for keyword in ["prefixItems", "additionalItems", "contains", "unevaluatedItems"] {
            if self.has(loc, keyword) {
                self.leave(loc, keyword, format!("`{keyword}`"));
            }
        }
        for keyword in ["minContains", "maxContains"] {
            if self.has(loc, "contains") && self.has(loc, keyword) {
                self.leave(loc, keyword, "`contains`");
            }
        }
        checks.extend(size(self.get(loc, "minItems")).filter(|limit| *limit > 0).map(Check::MinItems));
        checks.extend(size(self.get(loc, "maxItems")).filter(is_limit).map(Check::MaxItems));
        if self.flag(loc, "uniqueItems") {
            let enumerable = |id: TypeId| matches!(&self.types[id], Some(Type { body: Body::Enum { .. }, .. }));
            match item.shape {
                Shape::String | Shape::Boolean | Shape::Integer { .. } => checks.push(Check::UniqueItems),
                Shape::Named(id) if enumerable(id) => checks.push(Check::UniqueItems),
                _ => self.leave(loc, "uniqueItems", "`uniqueItems` of other items than strings, integers and booleans"),
            }
        }
        ValueType::checked(Shape::Array(Box::new(item)), checks)
    }
}
