//! The schemas that each part of a value must satisfy, whatever the other parts of the value are. With them most
//! changes of a part are refused without an evaluation of the whole value.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::evaluated::Evaluated;
use super::evaluator::{CurrentSchema, DEEPEST, Evaluator, Position, Recorder, Subschema};
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

/// The demands on the parts of a value. They identify a part by its address, so the value must not be moved.
pub(crate) struct Demands<'a> {
    evaluator: Evaluator<'a>,
    schemas: HashMap<usize, Vec<Subschema<'a>>>,
}

impl<'a> Evaluator<'a> {
    /// Returns the demands of a schema on the parts of a value; empty if the folder has dynamic references.
    pub(crate) fn demands(&self, value: &Value, loc: &Loc) -> Demands<'a> {
        let mut demands = Demands { evaluator: self.alone(), schemas: HashMap::new() };
        if self.schemas.dynamic.is_empty() {
            demands.add(value, self.below(loc), 0, &mut HashSet::new());
        }
        demands
    }
}

const START: Position<'_> = Position { at: None, scope: None, deep: 0 };

impl<'a> Demands<'a> {
    /// Returns whether the value is known to be invalid if this object in it loses the member `key`.
    pub(crate) fn need_member(&self, object: &Value, key: &str) -> bool {
        let count = object.as_object().map_or(0, |members| members.len().saturating_sub(1));
        self.current(object).any(|schema| {
            let mut names = schema.get("required").map_or(&[][..], Node::items).iter();
            names.any(|name| name.str() == Some(key))
                || self.are_few(count, &schema, ["minProperties", "maxProperties"])
        })
    }

    /// Returns whether the value is known to be invalid if this array in it loses an item.
    pub(crate) fn need_item(&self, array: &Value) -> bool {
        let count = array.as_array().map_or(0, |items| items.len().saturating_sub(1));
        self.current(array).any(|schema| self.are_few(count, &schema, ["minItems", "maxItems"]))
    }

    /// Returns whether the value is known to be invalid with another value in the place of a part. Costs as much as
    /// evaluating the other value.
    pub(crate) fn refuse(&self, part: &Value, other: &Value) -> bool {
        self.at(part).iter().any(|schema| {
            self.evaluator.cache.begin();
            self.evaluator.check(other, schema, START, &mut Recorder::Quick, &mut Evaluated::default()) == Ok(false)
        })
    }

    fn are_few(&self, count: usize, schema: &CurrentSchema<'_>, keywords: [&'static str; 2]) -> bool {
        self.evaluator.sizes(count, schema, START, &mut Recorder::Quick, keywords, [""; 3]) == Ok(false)
    }

    fn at(&self, part: &Value) -> &[Subschema<'a>] {
        self.schemas.get(&std::ptr::from_ref(part).addr()).map_or(&[], Vec::as_slice)
    }

    fn current(&self, part: &Value) -> impl Iterator<Item = CurrentSchema<'_>> {
        self.at(part).iter().filter_map(|schema| {
            let current = self.evaluator.current(&schema.loc, schema.node?);
            (!self.stands_alone(&current)).then_some(current)
        })
    }

    fn stands_alone(&self, schema: &CurrentSchema<'_>) -> bool {
        schema.draft().ref_stands_alone() && self.evaluator.schemas.refs.contains_key(schema.loc)
    }

    /// Adds a schema that a part must satisfy, and the schemas that it applies to the part and to parts within it.
    fn add(&mut self, part: &Value, at: Subschema<'a>, deep: usize, seen: &mut HashSet<(usize, usize)>) {
        let Some(node) = at.node else { return };
        let address = std::ptr::from_ref(part).addr();
        if deep > DEEPEST || !seen.insert((address, std::ptr::from_ref(node).addr())) {
            return;
        }
        let evaluator = self.evaluator;
        let schema = evaluator.current(&at.loc, node);
        if let Some(target) = evaluator.schemas.refs.get(&at.loc).filter(|_| node.get("$ref").is_some()) {
            self.add(part, evaluator.below(target), deep + 1, seen);
        }
        if !self.stands_alone(&schema) && node.is_object() {
            for index in 0..schema.get("allOf").map_or(0, |all| all.items().len()) {
                self.add(part, at.step("allOf").step(&index.to_string()), deep + 1, seen);
            }
            match part {
                Value::Object(members) => {
                    let properties = schema.get("properties");
                    for (key, value) in members {
                        if properties.is_some_and(|properties| properties.get(key).is_some()) {
                            self.add(value, at.step("properties").step(key), deep + 1, seen);
                        }
                    }
                }
                Value::Array(items) if !schema.get("items").is_some_and(|node| matches!(node.json, Json::Array(_))) => {
                    let first = schema.get("prefixItems").map_or(0, |node| node.items().len());
                    for item in items.iter().skip(first).filter(|_| schema.get("items").is_some()) {
                        self.add(item, at.step("items"), deep + 1, seen);
                    }
                }
                _ => {}
            }
        }
        self.schemas.entry(address).or_default().push(at);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use twyla_generate::random::Random;
    use twyla_generate::{DRAFTS, instances, schemas};

    use super::*;
    use crate::Draft;
    use crate::schema::draft::Dialects;
    use crate::schema::evaluate::Cache;
    use crate::schema::load::{self, File, FileRole};
    use crate::schema::register;
    use crate::schema::schemas::Schemas;

    fn resolved(text: &str, draft: Draft) -> Option<Schemas> {
        let mut problems = Vec::new();
        let root = load::parse("a.json", text.as_bytes().to_vec(), &mut problems)?;
        let file = File { role: FileRole::Shared, shown: "a.json".into(), path: "a.json".into(), root, unread: false };
        let schemas = register::schemas(vec![file], draft, Dialects::default(), &mut problems);
        problems.is_empty().then_some(schemas)
    }

    /// Calls `check` with each part of a value and its pointer.
    fn each(value: &Value, pointer: &str, check: &mut dyn FnMut(&Value, &str)) {
        check(value, pointer);
        match value {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| each(item, &format!("{pointer}/{index}"), check))
            }
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                each(value, &load::step(pointer, key), check);
            }),
            _ => {}
        }
    }

    #[test]
    fn values_that_demands_refuse_are_invalid() {
        let drafts = [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];
        let mut refused = 0;
        for (name, draft) in DRAFTS.into_iter().zip(drafts) {
            for index in 0..250 {
                let schema = schemas::schema(name, 3, index);
                let Some(schemas) = resolved(&schema.to_string(), draft) else { continue };
                let cache = Cache::new(&schemas);
                let (evaluator, root) = (Evaluator::new(&schemas, &cache), Loc::root(0));
                let mut random = Random::new(&[5, index]);
                for text in instances::near(name, &schema, &mut random, 12) {
                    let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
                    let demands = evaluator.demands(&value, &root);
                    each(&value, "", &mut |part, pointer| {
                        let mut others = Vec::new();
                        match part {
                            Value::Object(members) => {
                                for key in members.keys().filter(|key| demands.need_member(part, key)) {
                                    let mut fewer = members.clone();
                                    fewer.remove(key);
                                    others.push(Value::Object(fewer));
                                }
                            }
                            Value::Array(items) if demands.need_item(part) => {
                                others.extend((0..items.len()).map(|index| {
                                    let mut fewer = items.clone();
                                    fewer.remove(index);
                                    Value::Array(fewer)
                                }));
                            }
                            _ => {}
                        }
                        let more = [json!(null), json!(true), json!(0), json!(-1), json!(""), json!({}), json!([])];
                        others.extend(more.into_iter().filter(|other| demands.refuse(part, other)));
                        for other in others {
                            let mut changed = value.clone();
                            if let Some(part) = changed.pointer_mut(pointer) {
                                *part = other;
                            }
                            refused += 1;
                            let valid = evaluator.is_valid(&changed, &root);
                            assert_ne!(valid, Ok(true), "{changed} instead of {value} under {schema}");
                        }
                    });
                }
            }
        }
        assert!(refused > 1_000, "{refused}");
    }
}
