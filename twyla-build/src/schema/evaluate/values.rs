//! Evaluates `type`, `enum`, `const` and the rules of numbers and strings.

use std::sync::Arc;

use num_bigint::BigInt;
use serde_json::Value;

use super::equal::equal;
use super::evaluator::{CurrentSchema, Evaluator, Outcome, Position, Recorder, Undecidable};
use super::matcher::Matcher;
use super::received::Received;
use crate::decimal::Decimal;
use crate::schema::evaluate::words;
use crate::schema::format;
use crate::schema::load::{Json, Node, size};

impl Evaluator<'_> {
    pub(super) fn matcher(&self, written: &str) -> Arc<Matcher> {
        let mut patterns = self.cache.patterns.borrow_mut();
        patterns.entry(written.to_owned()).or_insert_with(|| Matcher::shared(written)).clone()
    }

    pub(super) fn matches(&self, written: &str, text: &str) -> Outcome {
        self.matcher(written).is_match(text).ok_or(Undecidable)
    }

    /// Evaluates `type`, `enum`, `const` and the rules of numbers and strings. For a value of the wrong type only `type` is
    /// recorded.
    pub(super) fn single(
        &self,
        value: &Value,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
    ) -> Outcome {
        let mut holds = true;
        // records a broken rule, and returns whether the evaluation can stop
        let mut tell = |keyword: &str, rule: &dyn Fn() -> String| {
            holds = self.tell(out, &schema.at(keyword), keyword, place, rule);
            out.is_done(holds)
        };
        if let Some(node) = schema.get("type") {
            let named = if let Json::Array(items) = &node.json { items.as_slice() } else { std::slice::from_ref(node) };
            let names: Vec<&str> = named.iter().filter_map(Node::str).collect();
            if !names.iter().any(|name| is_of(value, name, self.received)) {
                tell("type", &|| format!("expected {}, found {}", words::types(&names), words::kind(value)));
                return Ok(false);
            }
        }
        if let Some(node) = schema.get("enum")
            && !node.items().iter().any(|item| is(value, item, self.received))
            && tell("enum", &|| {
                let one_of = if node.items().len() == 1 { "" } else { "one of " };
                format!("{} is not {one_of}{}", self.shown(value), words::values(node.items()))
            })
        {
            return Ok(false);
        }
        if let Some(node) = schema.get("const")
            && !is(value, node, self.received)
            && tell("const", &|| format!("{} is not {}", self.shown(value), words::values(std::slice::from_ref(node))))
        {
            return Ok(false);
        }
        match value {
            Value::Number(_) => {
                let number = self.decimal(value).ok_or(Undecidable)?;
                number_rules(&number, schema, &mut tell)?;
            }
            Value::String(text) => self.string_rules(text, schema, &mut tell)?,
            _ => {}
        }
        Ok(holds)
    }

    /// Returns a value for a message, with a number as it was received.
    fn shown(&self, value: &Value) -> String {
        match self.decimal(value).filter(|_| self.is_receiving()) {
            Some(number) => number.to_string(),
            None => words::shown(value),
        }
    }

    fn string_rules(
        &self,
        text: &str,
        schema: &CurrentSchema<'_>,
        tell: &mut ReportRule<'_>,
    ) -> Result<(), Undecidable> {
        let shown = || words::shown(&Value::from(text));
        let count = Decimal::from(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
        for (keyword, low) in [("minLength", true), ("maxLength", false)] {
            let Some(limit) = size_limit(schema, keyword) else { continue };
            if if low { count < limit } else { count > limit }
                && tell(keyword, &|| words::size(&shown(), &count, &limit, low, ["character", "characters"]))
            {
                return Ok(());
            }
        }
        if let Some(written) = schema.get("pattern").and_then(Node::str)
            && !self.matches(written, text)?
            && tell("pattern", &|| format!("{} doesn't match the pattern {written}", shown()))
        {
            return Ok(());
        }
        if let Some(name) = schema.get("format").and_then(Node::str)
            && let Some(variant) = self.schemas.format(schema.draft(), name)
            && !format::holds(variant, text).ok_or(Undecidable)?
        {
            tell("format", &|| format!("{} is not a valid {name}", shown()));
        }
        Ok(())
    }
}

/// Records the broken rule of a keyword. Returns whether the evaluation can stop.
type ReportRule<'t> = dyn FnMut(&str, &dyn Fn() -> String) -> bool + 't;

/// Returns the size that a keyword requires, read as the loader does; `None` if the schema doesn't have the keyword.
pub(super) fn size_limit(schema: &CurrentSchema<'_>, keyword: &str) -> Option<Decimal> {
    size(schema.get(keyword)).map(|size| Decimal::from(BigInt::from(size)))
}

/// Returns the limit that a keyword sets; `None` if the schema doesn't have the keyword.
fn limit(schema: &CurrentSchema<'_>, keyword: &str) -> Result<Option<Decimal>, Undecidable> {
    match schema.get(keyword).map(|node| &node.json) {
        Some(Json::Number(text)) => Decimal::parse(text).map(Some).ok_or(Undecidable),
        _ => Ok(None),
    }
}

/// Evaluates the rules of a number. The value is the decimal that it is written as, and is compared with each limit as the
/// schema writes it: neither is rounded.
fn number_rules(number: &Decimal, schema: &CurrentSchema<'_>, tell: &mut ReportRule<'_>) -> Result<(), Undecidable> {
    let flag = |keyword| schema.get(keyword).is_some_and(|node| matches!(node.json, Json::Bool(true)));
    if let Some(limit) = limit(schema, "minimum")?
        && (*number < limit || flag("exclusiveMinimum") && *number == limit)
        && tell("minimum", &|| format!("{number} is less than {limit}"))
    {
        return Ok(());
    }
    if let Some(limit) = limit(schema, "exclusiveMinimum")?
        && *number <= limit
        && tell("exclusiveMinimum", &|| format!("{number} is not more than {limit}"))
    {
        return Ok(());
    }
    if let Some(limit) = limit(schema, "maximum")?
        && (*number > limit || flag("exclusiveMaximum") && *number == limit)
        && tell("maximum", &|| format!("{number} is more than {limit}"))
    {
        return Ok(());
    }
    if let Some(limit) = limit(schema, "exclusiveMaximum")?
        && *number >= limit
        && tell("exclusiveMaximum", &|| format!("{number} is not less than {limit}"))
    {
        return Ok(());
    }
    if let Some(factor) = limit(schema, "multipleOf")?
        && !(factor.is_positive() && number.is_multiple_of(&factor))
    {
        tell("multipleOf", &|| format!("{number} is not a multiple of {factor}"));
    }
    Ok(())
}

/// Returns whether a value has the named type.
fn is_of(value: &Value, name: &str, received: Option<&Received>) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => Received::decimal(received, value).is_some_and(|number| number.is_integer()),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Returns whether a value equals a value in a schema.
fn is(value: &Value, node: &Node, received: Option<&Received>) -> bool {
    match (value, &node.json) {
        (Value::Number(_), Json::Number(text)) => {
            let value = Received::decimal(received, value);
            value.is_some() && value == Decimal::parse(text)
        }
        (Value::Array(value), Json::Array(items)) => {
            value.len() == items.len() && value.iter().zip(items).all(|(value, item)| is(value, item, received))
        }
        (Value::Object(value), Json::Object(members)) => {
            let member = |(key, value): (&String, &Value)| node.get(key).is_some_and(|node| is(value, node, received));
            value.len() == members.len() && value.iter().all(member)
        }
        (Value::Number(_) | Value::Array(_) | Value::Object(_), _) => false,
        (value, _) => equal(value, &node.value()),
    }
}
