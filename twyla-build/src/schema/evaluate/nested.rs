//! Evaluates the keywords of arrays and objects.

use serde_json::{Map, Value};
use twyla_contract::unknown_field;

use super::equal::twice;
use super::evaluated::Evaluated;
use super::evaluator::{CurrentSchema, Evaluator, Outcome, Position, Recorder, Step, Subschema, ValuePath};
use super::values::size_limit;
use crate::decimal::Decimal;
use crate::schema::draft::Draft;
use crate::schema::evaluate::words;
use crate::schema::load::{Json, Node};

impl Evaluator<'_> {
    pub(super) fn nested(
        &self,
        value: &Value,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
        match value {
            Value::Array(items) => {
                let keywords = ["minItems", "maxItems"];
                let holds = self.sizes(items.len(), schema, place, out, keywords, ["the array", "item", "items"])?;
                if out.is_done(holds) { Ok(false) } else { Ok(self.items(items, schema, place, out, seen)? && holds) }
            }
            Value::Object(members) => {
                let keywords = ["minProperties", "maxProperties"];
                let mut holds = self.required(members, schema, place, out);
                if !out.is_done(holds) {
                    holds &=
                        self.sizes(members.len(), schema, place, out, keywords, ["the object", "member", "members"])?;
                }
                if !out.is_done(holds) {
                    holds &= self.members(members, schema, place, out, seen)?;
                }
                if !out.is_done(holds) {
                    holds &= self.dependencies(value, members, schema, place, out, seen)?;
                }
                Ok(holds)
            }
            _ => Ok(true),
        }
    }

    pub(super) fn sizes(
        &self,
        count: usize,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        keywords: [&'static str; 2],
        [of, one, more]: [&'static str; 3],
    ) -> Outcome {
        for (keyword, low) in keywords.into_iter().zip([true, false]) {
            let Some(limit) = size_limit(schema, keyword) else { continue };
            let count = Decimal::from(i64::try_from(count).unwrap_or(i64::MAX));
            if if low { count < limit } else { count > limit } {
                let rule = || words::size(of, &count, &limit, low, [one, more]);
                return Ok(self.tell(out, &schema.at(keyword), keyword, place, rule));
            }
        }
        Ok(true)
    }

    fn items(
        &self,
        items: &[Value],
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
        let listed = schema.get("items").is_some_and(|node| matches!(node.json, Json::Array(_)));
        let (first, rest) = match schema.get("prefixItems") {
            None if listed => ("items", "additionalItems"),
            _ => ("prefixItems", "items"),
        };
        let count = schema.get(first).map_or(0, |node| node.items().len());
        let mut holds = true;
        for (index, item) in items.iter().enumerate() {
            let at = if index < count {
                schema.below(first).step(&index.to_string())
            } else if schema.get(rest).is_some() {
                schema.below(rest)
            } else {
                break;
            };
            if self.tracks_evaluated() {
                seen.indexes.insert(index);
            }
            holds &= self.item(item, index, &at, place, out)?;
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if schema.get("contains").is_some() {
            let at = schema.below("contains");
            let mut found = 0;
            for (index, item) in items.iter().enumerate() {
                if self.item(item, index, &at, place, &mut Recorder::Quick)? {
                    found += 1;
                    if schema.draft() >= Draft::Draft202012 {
                        seen.indexes.insert(index);
                    }
                }
            }
            let found = Decimal::from(found);
            let min = size_limit(schema, "minContains");
            let least = min.clone().unwrap_or_else(|| Decimal::from(1));
            if found < least {
                let keyword = if min.is_some() { "minContains" } else { "contains" };
                let rule = || words::matching(&found, &least, true);
                holds = self.tell(out, &schema.at(keyword), keyword, place, rule);
            }
            if let Some(max) = size_limit(schema, "maxContains")
                && found > max
            {
                let rule = || words::matching(&found, &max, false);
                holds = self.tell(out, &schema.at("maxContains"), "maxContains", place, rule);
            }
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if schema.get("uniqueItems").is_some_and(|node| matches!(node.json, Json::Bool(true)))
            && let Some(index) = twice(items, self.received)
        {
            let rule = || format!("item {index} equals an earlier item");
            holds = self.tell(out, &schema.at("uniqueItems"), "uniqueItems", place, rule);
        }
        Ok(holds)
    }

    pub(super) fn item(
        &self,
        item: &Value,
        index: usize,
        below: &Subschema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
    ) -> Outcome {
        let at = ValuePath { outer: place.at, step: Step::Index(index) };
        self.check(item, below, Position { at: Some(&at), ..place }, out, &mut Evaluated::default())
    }

    pub(super) fn member(
        &self,
        value: &Value,
        key: &str,
        below: &Subschema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
    ) -> Outcome {
        let at = ValuePath { outer: place.at, step: Step::Key(key) };
        self.check(value, below, Position { at: Some(&at), ..place }, out, &mut Evaluated::default())
    }

    fn required(
        &self,
        members: &Map<String, Value>,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
    ) -> bool {
        let names = schema.get("required").map_or(&[][..], Node::items).iter().filter_map(Node::str);
        let mut holds = true;
        for name in names.filter(|name| !members.contains_key(*name)) {
            holds = self.tell(out, &schema.at("required"), "required", place, || format!("`{name}` is missing"));
            if out.is_done(holds) {
                break;
            }
        }
        holds
    }

    fn members(
        &self,
        members: &Map<String, Value>,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
        let patterns = schema.get("patternProperties").map_or(&[][..], Node::members);
        let mut holds = true;
        for (key, value) in members {
            let mut declared = false;
            if schema.get("properties").is_some_and(|node| node.get(key).is_some()) {
                declared = true;
                holds &= self.member(value, key, &schema.below("properties").step(key), place, out)?;
            }
            for pattern in patterns {
                if out.is_done(holds) {
                    return Ok(false);
                }
                if !self.matches(&pattern.key, key)? {
                    continue;
                }
                declared = true;
                holds &= self.member(value, key, &schema.below("patternProperties").step(&pattern.key), place, out)?;
            }
            if out.is_done(holds) {
                return Ok(false);
            }
            if let Some(node) = schema.get("additionalProperties").filter(|_| !declared) {
                declared = true;
                let at = schema.at("additionalProperties");
                holds &= if let Json::Bool(false) = node.json {
                    self.tell(out, &at, "additionalProperties", place, || unknown_field::undeclared(&words::text(key)))
                } else {
                    self.member(value, key, &schema.below("additionalProperties"), place, out)?
                };
                if out.is_done(holds) {
                    return Ok(false);
                }
            }
            if declared && self.tracks_evaluated() {
                seen.names.insert(key.clone());
            }
            if schema.get("propertyNames").is_some() {
                let name = Value::from(key.as_str());
                let mut inner = None;
                let at = schema.at("propertyNames");
                if !self.alone().check(
                    &name,
                    &schema.below("propertyNames"),
                    place,
                    &mut Recorder::First(&mut inner),
                    &mut Evaluated::default(),
                )? {
                    let why = inner.map(|broken| broken.rule).unwrap_or_default();
                    let rule = || format!("the member name {} is not allowed: {why}", words::text(key));
                    holds = self.tell(out, &at, "propertyNames", place, rule);
                    if out.is_done(holds) {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(holds)
    }

    fn dependencies(
        &self,
        value: &Value,
        members: &Map<String, Value>,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
        let mut holds = true;
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            let listed = schema.get(keyword).map_or(&[][..], Node::members);
            for member in listed.iter().filter(|member| members.contains_key(&member.key)) {
                if let Json::Array(needed) = &member.value.json {
                    for name in needed.iter().filter_map(Node::str).filter(|name| !members.contains_key(*name)) {
                        let rule = || format!("`{name}` is missing; it is required if `{}` is present", member.key);
                        holds = self.tell(out, &schema.at(keyword).step(&member.key), keyword, place, rule);
                    }
                } else {
                    holds &= self.check(value, &schema.below(keyword).step(&member.key), place, out, seen)?;
                }
                if out.is_done(holds) {
                    return Ok(false);
                }
            }
        }
        Ok(holds)
    }
}
