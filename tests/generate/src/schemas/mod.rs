//! Generates schemas with every keyword of a draft, in likely and odd combinations.

mod keywords;

use serde_json::{Map, Value, json};

use crate::DRAFTS;
use crate::random::Random;

const WORDS: &[&str] = &["a", "abc", "card", "cash", "1", "", "é", "a b"];

/// The schema of a seed, in the named draft.
#[must_use]
pub fn schema(draft: &str, seed: u64, index: u64) -> Value {
    let number = DRAFTS.iter().position(|name| *name == draft).unwrap_or_default();
    Schemas::new(number, &[seed, number as u64, index]).root()
}

/// The drafts as comparable numbers.
const DRAFT4: usize = 0;
const DRAFT7: usize = 2;
const DRAFT2019: usize = 3;
const DRAFT2020: usize = 4;

type Keywords = Map<String, Value>;

struct Schemas {
    random: Random,
    draft: usize,
    /// The number of definitions.
    definitions: usize,
    /// References to definitions before this one would be circular.
    after: usize,
    /// Whether the root has a dynamic anchor.
    dynamic: bool,
}

impl Schemas {
    fn new(draft: usize, seed: &[u64]) -> Self {
        let mut random = Random::new(seed);
        let definitions = random.below(4);
        let dynamic = draft >= DRAFT2019 && random.chance(15);
        Self { random, draft, definitions, after: 0, dynamic }
    }

    fn root(&mut self) -> Value {
        let schema = self.schema(3);
        let mut root = match schema {
            Value::Object(root) => root,
            // `true` can't contain definitions
            other => return other,
        };
        let mut definitions = Keywords::new();
        for index in 0..self.definitions {
            self.after = index + 1;
            definitions.insert(format!("d{index}"), self.schema(2));
        }
        if !definitions.is_empty() {
            root.insert(self.container().into(), definitions.into());
        }
        if self.dynamic && self.draft == DRAFT2020 {
            root.insert("$dynamicAnchor".into(), "node".into());
        } else if self.dynamic {
            root.insert("$recursiveAnchor".into(), true.into());
        }
        root.into()
    }

    fn container(&self) -> &'static str {
        if self.draft >= DRAFT2019 { "$defs" } else { "definitions" }
    }

    /// A schema for a nested value: all definitions are available again.
    fn below(&mut self, depth: usize) -> Value {
        let after = std::mem::take(&mut self.after);
        let schema = match self.random.below(100) {
            0..5 if self.dynamic && self.draft == DRAFT2020 => json!({ "$dynamicRef": "#node" }),
            0..5 if self.dynamic => json!({ "$recursiveRef": "#" }),
            5..8 => json!({ "$ref": "#" }),
            _ => self.schema(depth.saturating_sub(1)),
        };
        self.after = after;
        schema
    }

    /// A schema for the same value.
    fn schema(&mut self, depth: usize) -> Value {
        if depth == 0 {
            return match self.random.below(10) {
                0 => self.anything(),
                1 => self.constant(),
                2 => self.reference(),
                _ => self.typed(0),
            };
        }
        match self.random.below(100) {
            0..45 => self.typed(depth),
            45..53 => self.odd(depth),
            53..63 => self.untyped(depth),
            63..66 => self.anything(),
            66..72 => self.constant(),
            72..80 => self.reference(),
            80..84 => self.nullable(depth),
            84..88 => self.tagged(depth),
            88..91 => self.several(depth),
            _ => {
                let mut keywords = if self.random.chance(50) { self.typed_keywords(depth) } else { Keywords::new() };
                self.combined(&mut keywords, depth);
                keywords.into()
            }
        }
    }

    fn anything(&mut self) -> Value {
        match self.random.below(4) {
            0 if self.draft > DRAFT4 => false.into(),
            1 if self.draft > DRAFT4 => true.into(),
            _ => json!({}),
        }
    }

    fn constant(&mut self) -> Value {
        let mut keywords = Keywords::new();
        match self.random.below(4) {
            0 if self.draft > DRAFT4 => {
                keywords.insert("const".into(), self.value(2));
            }
            1 => {
                let mut words: Vec<Value> = WORDS.iter().map(|word| (*word).into()).collect();
                words.truncate(1 + self.random.below(WORDS.len() - 1));
                if self.random.chance(50) {
                    keywords.insert("type".into(), "string".into());
                }
                keywords.insert("enum".into(), words.into());
            }
            2 => {
                let of = ["integer", "number", "string", "boolean", "null"];
                keywords.insert("type".into(), (*self.random.pick(&of)).into());
                keywords.insert("enum".into(), json!([1, 2.5, 3.0, "a", true, null, [1], { "a": 1 }]));
            }
            _ => {
                let mut values: Vec<Value> = Vec::new();
                for _ in 0..=self.random.below(4) {
                    let value = self.value(2);
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                keywords.insert("enum".into(), values.into());
            }
        }
        keywords.into()
    }

    /// A reference to an available definition.
    fn reference(&mut self) -> Value {
        if self.after >= self.definitions {
            return self.typed(0);
        }
        let index = self.after + self.random.below(self.definitions - self.after);
        let mut keywords = Keywords::new();
        // from 2019-09 on, keywords beside `$ref` apply
        if self.random.chance(25) {
            keywords = self.typed_keywords(0);
        }
        keywords.insert("$ref".into(), format!("#/{}/d{index}", self.container()).into());
        keywords.into()
    }

    fn typed(&mut self, depth: usize) -> Value {
        self.typed_keywords(depth).into()
    }

    fn typed_keywords(&mut self, depth: usize) -> Keywords {
        let of: &[&str] = if depth == 0 {
            &["string", "integer", "number", "boolean", "string", "integer", "null"]
        } else {
            &["object", "object", "object", "array", "array", "string", "integer", "number"]
        };
        let name = *self.random.pick(of);
        let mut keywords = Keywords::new();
        keywords.insert("type".into(), name.into());
        self.rules(name, &mut keywords, depth);
        if self.random.chance(10) {
            keywords.insert("description".into(), "Something.".into());
        }
        keywords
    }

    /// A type, and keywords of another type.
    fn odd(&mut self, depth: usize) -> Value {
        let mut keywords = self.typed_keywords(depth);
        let other = *self.random.pick(&["object", "array", "string", "number"]);
        self.rules(other, &mut keywords, depth);
        keywords.into()
    }

    /// Keywords of one or two types, without `type`.
    fn untyped(&mut self, depth: usize) -> Value {
        let mut keywords = Keywords::new();
        for _ in 0..=self.random.below(2) {
            let name = *self.random.pick(&["object", "array", "string", "number"]);
            self.rules(name, &mut keywords, depth);
        }
        keywords.into()
    }

    fn nullable(&mut self, depth: usize) -> Value {
        if self.random.chance(50) {
            let mut keywords = self.typed_keywords(depth);
            let name = keywords["type"].clone();
            if name != "null" {
                keywords.insert("type".into(), json!([name, "null"]));
            }
            return keywords.into();
        }
        let keyword = *self.random.pick(&["anyOf", "oneOf"]);
        let mut of = vec![self.schema(depth - 1), json!({ "type": "null" })];
        if self.random.chance(50) {
            of.reverse();
        }
        json!({ keyword: of })
    }

    /// `oneOf` with objects that each have their own constant tag.
    fn tagged(&mut self, depth: usize) -> Value {
        let tag = *self.random.pick(&["kind", "type"]);
        let mut of = Vec::new();
        for word in &["card", "cash", "1st"][..2 + self.random.below(2)] {
            let mut keywords = Keywords::new();
            keywords.insert("type".into(), "object".into());
            self.rules("object", &mut keywords, depth - 1);
            let constant = if self.draft > DRAFT4 { json!({ "const": word }) } else { json!({ "enum": [word] }) };
            let properties = keywords.entry("properties").or_insert_with(|| json!({}));
            properties[tag] = constant;
            let required = keywords.entry("required").or_insert_with(|| json!([]));
            if let Value::Array(required) = required
                && !required.contains(&tag.into())
                && self.random.chance(90)
            {
                required.push(tag.into());
            }
            if keywords["required"] == json!([]) {
                keywords.remove("required");
            }
            of.push(Value::Object(keywords));
        }
        let keyword = if self.random.chance(80) { "oneOf" } else { "anyOf" };
        json!({ keyword: of })
    }

    fn several(&mut self, depth: usize) -> Value {
        let mut keywords = Keywords::new();
        let all = ["object", "array", "string", "number", "integer", "boolean", "null"];
        let first = self.random.below(all.len());
        let second = (first + 1 + self.random.below(all.len() - 1)) % all.len();
        keywords.insert("type".into(), json!([all[first], all[second]]));
        if self.random.chance(60) {
            self.rules(all[first], &mut keywords, depth);
        }
        if self.random.chance(60) {
            self.rules(all[second], &mut keywords, depth);
        }
        keywords.into()
    }

    /// Keywords that combine schemas for the same value.
    fn combined(&mut self, keywords: &mut Keywords, depth: usize) {
        for _ in 0..=self.random.below(2) {
            match self.random.below(5) {
                0 => {
                    let schema = self.schema(depth - 1);
                    keywords.insert("not".into(), schema);
                }
                1 if self.draft >= DRAFT7 => {
                    for (keyword, chance) in [("if", 95), ("then", 75), ("else", 60)] {
                        if self.random.chance(chance) {
                            let schema = self.schema(depth - 1);
                            keywords.insert(keyword.into(), schema);
                        }
                    }
                }
                which => {
                    let keyword = ["allOf", "anyOf", "oneOf"][which % 3];
                    let of: Vec<Value> = (0..=1 + self.random.below(2)).map(|_| self.schema(depth - 1)).collect();
                    keywords.insert(keyword.into(), of.into());
                }
            }
        }
        if self.draft >= DRAFT2019 {
            for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
                if self.random.chance(25) {
                    let schema = if self.random.chance(60) { false.into() } else { self.below(1) };
                    keywords.insert(keyword.into(), schema);
                }
            }
        }
    }

    /// Any value, for constants.
    fn value(&mut self, depth: usize) -> Value {
        match self.random.below(if depth == 0 { 7 } else { 9 }) {
            0 => Value::Null,
            1 => self.random.chance(50).into(),
            2 | 3 => (*self.random.pick(WORDS)).into(),
            4 => self.random.pick(&[json!(0), json!(1), json!(-1), json!(2.5), json!(1.0), json!(1e3)]).clone(),
            5 | 6 => (self.random.below(20) as i64 - 5).into(),
            7 => (0..self.random.below(3)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let mut members = Keywords::new();
                for _ in 0..self.random.below(3) {
                    let (name, value) = (self.name(), self.value(depth - 1));
                    members.insert(name.into(), value);
                }
                members.into()
            }
        }
    }
}
