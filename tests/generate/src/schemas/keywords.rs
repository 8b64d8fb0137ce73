//! The keywords of one type, and names of properties.

use serde_json::{Value, json};

use super::{DRAFT4, DRAFT7, DRAFT2019, DRAFT2020, Keywords, Schemas};
use crate::random::Random;

/// Property names: plain ones, and ones that aren't Rust identifiers.
const NAMES: &[&str] = &["a", "b", "c", "id", "kind", "note", "type", "x-y", "ünï", "1st"];
/// ECMA-262 patterns; `instances` has texts for each.
const PATTERNS: &[&str] = &[
    "^a",
    "b$",
    r"^\d+$",
    r"\d",
    r"^[a-c]{1,3}$",
    r"^\w+$",
    r"^\S*$",
    "^(?=a).*c",
    "a|b",
    "^.{2}$",
    "é",
    "^$",
    r"^\D*$",
];

impl Schemas {
    /// Adds keywords of a type.
    pub(super) fn rules(&mut self, name: &str, keywords: &mut Keywords, depth: usize) {
        match name {
            "object" => self.object(keywords, depth),
            "array" => self.array(keywords, depth),
            "string" => self.string(keywords),
            "integer" | "number" => self.number(name == "integer", keywords),
            _ => {}
        }
    }

    pub(super) fn name(&mut self) -> &'static str {
        self.random.pick::<&str>(NAMES)
    }

    fn names(&mut self, least: usize) -> Vec<Value> {
        let mut names: Vec<Value> = Vec::new();
        for _ in 0..least + self.random.below(3) {
            let name = Value::from(self.name());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn object(&mut self, keywords: &mut Keywords, depth: usize) {
        let mut properties = Keywords::new();
        if self.random.chance(80) {
            for _ in 0..=self.random.below(4) {
                let name = self.name();
                let schema = self.below(depth);
                properties.insert(name.into(), schema);
            }
        }
        if self.random.chance(60) {
            let mut required: Vec<Value> = properties.keys().map(|name| name.as_str().into()).collect();
            required.retain(|_| self.random.chance(50));
            if self.random.chance(10) || required.is_empty() {
                let other = Value::from(self.name());
                if !required.contains(&other) {
                    required.push(other);
                }
            }
            keywords.insert("required".into(), required.into());
        }
        if !properties.is_empty() {
            keywords.insert("properties".into(), properties.into());
        }
        if self.random.chance(40) {
            let schema = if self.random.chance(50) { false.into() } else { self.below(depth) };
            keywords.insert("additionalProperties".into(), schema);
        }
        if self.random.chance(15) {
            let pattern = *self.random.pick(&["^a", "^x-", r"^\d", "t", "."]);
            let schema = self.below(depth);
            keywords.insert("patternProperties".into(), json!({ pattern: schema }));
        }
        if self.random.chance(12) {
            keywords.insert("minProperties".into(), self.random.below(4).into());
        }
        if self.random.chance(12) {
            keywords.insert("maxProperties".into(), (1 + self.random.below(4)).into());
        }
        if self.draft > DRAFT4 && self.random.chance(8) {
            let mut names = Keywords::new();
            self.string(&mut names);
            keywords.insert("propertyNames".into(), names.into());
        }
        if self.random.chance(12) {
            self.dependencies(keywords, depth);
        }
        if self.draft >= DRAFT2019 && self.random.chance(8) {
            let schema = if self.random.chance(60) { false.into() } else { self.below(depth) };
            keywords.insert("unevaluatedProperties".into(), schema);
        }
        // a valid default, because the builder reports others
        if self.random.chance(5) {
            keywords.insert("title".into(), "A thing".into());
        }
    }

    fn dependencies(&mut self, keywords: &mut Keywords, depth: usize) {
        let name = self.name();
        if self.random.chance(50) {
            let keyword = if self.draft >= DRAFT2019 { "dependentRequired" } else { "dependencies" };
            let names = self.names(1);
            keywords.insert(keyword.into(), json!({ name: names }));
        } else {
            let keyword = if self.draft >= DRAFT2019 { "dependentSchemas" } else { "dependencies" };
            let mut schema = self.schema(depth.saturating_sub(1));
            if self.draft == DRAFT4 && !schema.is_object() {
                schema = json!({});
            }
            keywords.insert(keyword.into(), json!({ name: schema }));
        }
    }

    fn array(&mut self, keywords: &mut Keywords, depth: usize) {
        let tuple = self.random.chance(25);
        let several: Vec<Value> = (0..=self.random.below(2)).map(|_| self.below(depth)).collect();
        let rest = if self.random.chance(30) { Value::Bool(self.random.chance(30)) } else { self.below(depth) };
        match (tuple, self.draft >= DRAFT2020) {
            (true, true) => {
                keywords.insert("prefixItems".into(), several.into());
                if self.random.chance(50) {
                    keywords.insert("items".into(), rest);
                }
            }
            (true, false) => {
                keywords.insert("items".into(), several.into());
                if self.random.chance(50) {
                    keywords.insert("additionalItems".into(), rest);
                }
            }
            (false, _) if self.random.chance(85) => {
                let items = several.into_iter().next().unwrap_or_default();
                keywords.insert("items".into(), items);
            }
            _ => {}
        }
        if self.random.chance(20) {
            keywords.insert("minItems".into(), self.random.below(3).into());
        }
        if self.random.chance(20) {
            keywords.insert("maxItems".into(), (1 + self.random.below(3)).into());
        }
        if self.random.chance(15) {
            keywords.insert("uniqueItems".into(), self.random.chance(85).into());
        }
        if self.draft > DRAFT4 && self.random.chance(15) {
            let schema = self.below(depth);
            keywords.insert("contains".into(), schema);
        }
        if self.draft >= DRAFT2019 {
            for keyword in ["minContains", "maxContains"] {
                if self.random.chance(10) {
                    keywords.insert(keyword.into(), self.random.below(3).into());
                }
            }
            if self.random.chance(8) {
                let schema = if self.random.chance(60) { false.into() } else { self.below(depth) };
                keywords.insert("unevaluatedItems".into(), schema);
            }
        }
    }

    fn string(&mut self, keywords: &mut Keywords) {
        if self.random.chance(25) {
            keywords.insert("minLength".into(), self.random.below(4).into());
        }
        if self.random.chance(25) {
            keywords.insert("maxLength".into(), (1 + self.random.below(4)).into());
        }
        if self.random.chance(25) {
            keywords.insert("pattern".into(), (*self.random.pick(PATTERNS)).into());
        }
        if self.random.chance(20) {
            let formats: &[&str] = match self.draft {
                DRAFT4 => &["date-time", "email", "hostname", "ipv4", "ipv6", "uri"],
                1 => &["date-time", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "json-pointer"],
                DRAFT7 => &["date-time", "date", "time", "email", "hostname", "ipv4", "ipv6", "uri", "iri", "regex"],
                _ => &["date-time", "date", "time", "duration", "email", "ipv4", "ipv6", "uri", "uuid", "json-pointer"],
            };
            keywords.insert("format".into(), (*self.random.pick(formats)).into());
        }
    }

    fn number(&mut self, integer: bool, keywords: &mut Keywords) {
        let integers = [json!(-3), json!(0), json!(1), json!(2), json!(10), json!(1000), json!(-1)];
        let others =
            [json!(0.5), json!(-2.5), json!(0.1), json!(1e3), json!(3.0), json!(1.5), json!(9_007_199_254_740_993_i64)];
        let bound = |random: &mut Random| {
            let from: &[Value] = if random.chance(if integer { 80 } else { 50 }) { &integers } else { &others };
            random.pick(from).clone()
        };
        for (keyword, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if self.random.chance(25) {
                keywords.insert(keyword.into(), bound(&mut self.random));
                if self.draft == DRAFT4 && self.random.chance(40) {
                    keywords.insert(exclusive.into(), self.random.chance(80).into());
                }
            }
            if self.draft > DRAFT4 && self.random.chance(12) {
                keywords.insert(exclusive.into(), bound(&mut self.random));
            }
        }
        if self.random.chance(20) {
            let of = [json!(2), json!(3), json!(0.5), json!(0.1), json!(0.01), json!(1.5), json!(1.0)];
            keywords.insert("multipleOf".into(), self.random.pick(&of).clone());
        }
    }
}
