//! The rules that look at one value.

use std::rc::Rc;

use serde_json::Value;

use super::{Evaluator, Held, Out, Place, Schema, Unknown, equal};
use crate::compare::decimal::Decimal;
use crate::compare::words;
use crate::format;
use crate::load::{Json, Node};
use crate::pattern::{self, Translated};

/// A pattern as a crate matches it.
#[derive(Debug)]
pub(in crate::compare) enum Matcher {
    Plain(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
    /// It can't be matched here.
    Neither,
}

impl Matcher {
    pub(in crate::compare) fn new(written: &str) -> Self {
        if pattern::check(written).is_err() {
            return Self::Neither;
        }
        match pattern::translate(written) {
            Some(Translated::Plain(pattern)) => regex::Regex::new(&pattern).map_or(Self::Neither, Self::Plain),
            Some(Translated::Backtracking(pattern)) => {
                fancy_regex::Regex::new(&pattern).map_or(Self::Neither, |it| Self::Backtracking(Box::new(it)))
            }
            None => Self::Neither,
        }
    }

    /// Whether a text has a match; none where nobody knows.
    pub(in crate::compare) fn is_match(&self, text: &str) -> Option<bool> {
        match self {
            Self::Plain(pattern) => Some(pattern.is_match(text)),
            Self::Backtracking(pattern) => pattern.is_match(text).ok(),
            Self::Neither => None,
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn matcher(&self, written: &str) -> Rc<Matcher> {
        let mut patterns = self.kept.patterns.borrow_mut();
        patterns.entry(written.to_owned()).or_insert_with(|| Rc::new(Matcher::new(written))).clone()
    }

    pub(super) fn matches(&self, written: &str, text: &str) -> Held {
        self.matcher(written).is_match(text).ok_or(Unknown)
    }

    /// `type`, `enum`, `const`, and the rules of numbers and strings.
    pub(super) fn single(&self, value: &Value, schema: &Schema<'_>, place: Place<'_>, out: &mut Out<'_>) -> Held {
        let mut tell =
            |keyword: &str, rule: &dyn Fn() -> String| Ok(self.tell(out, &schema.at(keyword), keyword, place, rule));
        if let Some(node) = schema.get("type") {
            let named = if let Json::Array(items) = &node.json { items.as_slice() } else { std::slice::from_ref(node) };
            let names: Vec<&str> = named.iter().filter_map(Node::str).collect();
            if !names.iter().any(|name| is_of(value, name)) {
                return tell("type", &|| format!("is {}, not {}", words::kind(value), words::types(&names)));
            }
        }
        if let Some(node) = schema.get("enum")
            && !node.items().iter().any(|item| is(value, item))
        {
            return tell("enum", &|| format!("{} is not one of {}", words::shown(value), words::values(node.items())));
        }
        if let Some(node) = schema.get("const")
            && !is(value, node)
        {
            let only = std::slice::from_ref(node);
            return tell("const", &|| format!("{} is not {}", words::shown(value), words::values(only)));
        }
        match value {
            Value::Number(number) => {
                let number = Decimal::parse(&number.to_string()).ok_or(Unknown)?;
                let Some((keyword, rule)) = number_rule(&number, schema)? else { return Ok(true) };
                tell(keyword, &|| rule.clone())
            }
            Value::String(text) => {
                let Some((keyword, rule)) = self.string_rule(text, schema)? else { return Ok(true) };
                tell(keyword, &|| rule.clone())
            }
            _ => Ok(true),
        }
    }

    fn string_rule(&self, text: &str, schema: &Schema<'_>) -> Result<Option<(&'static str, String)>, Unknown> {
        let shown = || words::shown(&Value::from(text));
        let count = Decimal::from(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
        for (keyword, low) in [("minLength", true), ("maxLength", false)] {
            let Some(limit) = limit(schema, keyword)? else { continue };
            if if low { count < limit } else { count > limit } {
                return Ok(Some((keyword, words::size(&shown(), &count, &limit, low, ["character", "characters"]))));
            }
        }
        if let Some(written) = schema.get("pattern").and_then(Node::str)
            && !self.matches(written, text)?
        {
            return Ok(Some(("pattern", format!("{} doesn't match the pattern {written}", shown()))));
        }
        if let Some(name) = schema.get("format").and_then(Node::str)
            && let Some(variant) = self.schemas.format(self.schemas.draft(schema.loc), name)
            && !format::holds(variant, text).ok_or(Unknown)?
        {
            return Ok(Some(("format", format!("{} is no {name}", shown()))));
        }
        Ok(None)
    }
}

/// A limit that is a number.
pub(super) fn limit(schema: &Schema<'_>, keyword: &str) -> Result<Option<Decimal>, Unknown> {
    match schema.get(keyword).map(|node| &node.json) {
        Some(Json::Number(text)) => Decimal::parse(text).map(Some).ok_or(Unknown),
        _ => Ok(None),
    }
}

fn number_rule(number: &Decimal, schema: &Schema<'_>) -> Result<Option<(&'static str, String)>, Unknown> {
    let flag = |keyword| schema.get(keyword).is_some_and(|node| matches!(node.json, Json::Bool(true)));
    if let Some(limit) = limit(schema, "minimum")?
        && (*number < limit || flag("exclusiveMinimum") && *number == limit)
    {
        return Ok(Some(("minimum", format!("{number} is less than {limit}"))));
    }
    if let Some(limit) = limit(schema, "exclusiveMinimum")?
        && *number <= limit
    {
        return Ok(Some(("exclusiveMinimum", format!("{number} is not more than {limit}"))));
    }
    if let Some(limit) = limit(schema, "maximum")?
        && (*number > limit || flag("exclusiveMaximum") && *number == limit)
    {
        return Ok(Some(("maximum", format!("{number} is more than {limit}"))));
    }
    if let Some(limit) = limit(schema, "exclusiveMaximum")?
        && *number >= limit
    {
        return Ok(Some(("exclusiveMaximum", format!("{number} is not less than {limit}"))));
    }
    if let Some(factor) = limit(schema, "multipleOf")?
        && !(factor.is_positive() && number.is_multiple_of(&factor))
    {
        return Ok(Some(("multipleOf", format!("{number} is no multiple of {factor}"))));
    }
    Ok(None)
}

/// Whether a value is of the type with that name.
fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => {
            let number = value.as_number().and_then(|number| Decimal::parse(&number.to_string()));
            number.is_some_and(|number| number.is_integer())
        }
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Whether a value is the one in a schema.
fn is(value: &Value, node: &Node) -> bool {
    match (value, &node.json) {
        (Value::Number(value), Json::Number(text)) => {
            let value = Decimal::parse(&value.to_string());
            value.is_some() && value == Decimal::parse(text)
        }
        (Value::Array(value), Json::Array(items)) => {
            value.len() == items.len() && value.iter().zip(items).all(|(value, item)| is(value, item))
        }
        (Value::Object(value), Json::Object(members)) => {
            let member = |(key, value): (&String, &Value)| node.get(key).is_some_and(|node| is(value, node));
            value.len() == members.len() && value.iter().all(member)
        }
        (Value::Number(_) | Value::Array(_) | Value::Object(_), _) => false,
        (value, _) => equal(value, &node.value()),
    }
}
