//! Properties of each shape.

use serde_json::{Map, Value, json};

use super::deck::Shape;
use super::maker::{Draft, Maker};

/// Objects are nested at most this deep.
const MOST_DEPTH: usize = 2;

const QUALIFIERS: [&str; 24] = [
    "billing",
    "cached",
    "current",
    "default",
    "delivery",
    "effective",
    "external",
    "final",
    "first",
    "home",
    "initial",
    "last",
    "local",
    "next",
    "original",
    "parent",
    "previous",
    "primary",
    "public",
    "remote",
    "source",
    "target",
    "total",
    "updated",
];
const NOUNS: [&str; 40] = [
    "account",
    "amount",
    "batch",
    "branch",
    "build",
    "channel",
    "city",
    "code",
    "comment",
    "contact",
    "count",
    "country",
    "customer",
    "device",
    "duration",
    "email",
    "host",
    "invoice",
    "label",
    "language",
    "level",
    "link",
    "message",
    "name",
    "note",
    "number",
    "owner",
    "path",
    "price",
    "quantity",
    "rate",
    "reference",
    "region",
    "state",
    "tax",
    "team",
    "title",
    "user",
    "version",
    "weight",
];
const FOREIGN: [&str; 8] = ["größe", "наименование", "金额", "数量", "prénom", "año", "状态", "ülke"];
const DESCRIPTIONS: [&str; 8] = [
    "See https://docs.example.com/api/orders?page=1#fields for details.",
    "A list such as [a] or [b, c], by position [0].",
    "The <id> of the record, as in <tenant>/<id>.",
    "The generic type Map<String, List<u8>> of the peer.",
    "One of:\n  - `open`\n  - `closed`\n\n    indented code\n\nSee [the page](https://example.com/a_(b)).",
    "Uses ``` fences and unbalanced ` backticks.",
    "@deprecated use `other` instead; see [RFC 3339] & <https://example.com>.",
    "C:\\path\\to *bold* _under_ | table | $x$",
];
const WORDS: [&[&str]; 5] = [
    &["open", "pending", "closed"],
    &["low", "normal", "high", "urgent"],
    &["EUR", "USD", "GBP", "JPY"],
    &["created", "updated", "deleted"],
    &["in_progress", "on-hold", "done", "N/A"],
];

/// A postal address.
pub(super) fn address() -> Value {
    json!({
        "$schema": Draft::Draft202012.uri(),
        "title": "Address",
        "type": "object",
        "required": ["street", "city", "country"],
        "properties": {
            "street": { "type": "string", "minLength": 1 },
            "house_number": { "type": "string" },
            "postal_code": { "type": "string", "maxLength": 12 },
            "city": { "type": "string" },
            "region": { "type": ["string", "null"] },
            "country": { "type": "string", "pattern": "^[A-Z]{2}$" },
            "latitude": { "type": "number", "minimum": -90, "maximum": 90 },
            "longitude": { "type": "number", "minimum": -180, "maximum": 180 }
        }
    })
}

/// An amount with its currency.
pub(super) fn money() -> Value {
    json!({
        "$schema": Draft::Draft202012.uri(),
        "title": "Money",
        "type": "object",
        "required": ["amount", "currency"],
        "properties": {
            "amount": { "type": "integer", "description": "In the smallest unit of the currency." },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" }
        },
        "additionalProperties": false
    })
}

/// What every extended event has.
pub(super) fn audit() -> Value {
    json!({
        "$schema": Draft::Draft202012.uri(),
        "type": "object",
        "required": ["id", "occurred_at"],
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "occurred_at": { "type": "string", "format": "date-time" },
            "actor": { "type": "string" }
        }
    })
}

/// The properties of an object.
pub(super) struct Properties {
    pub(super) all: Map<String, Value>,
    pub(super) required: Vec<Value>,
}

impl Properties {
    /// Returns the object's schema.
    pub(super) fn object(self) -> Value {
        let mut object = json!({ "type": "object", "properties": self.all });
        if !self.required.is_empty() {
            object["required"] = self.required.into();
        }
        object
    }
}

impl Maker<'_> {
    /// A property name that the object doesn't have yet.
    pub(super) fn name(&mut self, taken: &Map<String, Value>) -> String {
        loop {
            let noun = *self.random.pick(&NOUNS);
            let qualified = self.random.chance(60);
            let name = if qualified { format!("{}_{noun}", self.random.pick(&QUALIFIERS)) } else { noun.to_owned() };
            if !taken.contains_key(&name) {
                return name;
            }
        }
    }

    /// Properties of the shapes that are next.
    pub(super) fn properties(&mut self, count: usize) -> Properties {
        let mut properties = Properties { all: Map::new(), required: Vec::new() };
        for _ in 0..count {
            let shape = self.shapes.deal();
            self.add(&mut properties, shape);
        }
        properties
    }

    /// Properties of one type each.
    pub(super) fn ordinary_properties(&mut self, count: usize) -> Properties {
        let mut properties = Properties { all: Map::new(), required: Vec::new() };
        for _ in 0..count {
            self.add(&mut properties, Shape::Ordinary);
        }
        properties
    }

    fn add(&mut self, properties: &mut Properties, shape: Shape) {
        let mut name = self.name(&properties.all);
        if shape == Shape::ForeignName {
            name = (*self.random.pick(&FOREIGN)).to_owned();
        }
        let schema = self.property(shape);
        // what is both optional and nullable is the shape
        if shape != Shape::Nullable && self.random.chance(55) {
            properties.required.push(name.clone().into());
        }
        properties.all.insert(name, schema);
    }

    fn property(&mut self, shape: Shape) -> Value {
        match shape {
            Shape::Ordinary | Shape::ForeignName => self.ordinary(),
            Shape::Types => self.types(),
            Shape::Branches => self.branches(),
            Shape::RequiredMember => self.required_members(),
            Shape::HiddenTag => self.hidden_tag(),
            Shape::Tagged => {
                let keyword = *self.random.pick(&["oneOf", "anyOf"]);
                json!({ keyword: self.tagged("kind", &["card", "transfer", "cash"]) })
            }
            Shape::DocumentedWords => self.documented_words(),
            Shape::Narrowed => self.narrowed(),
            Shape::Implied => {
                let format = if self.draft == Draft::Draft202012 { "uuid" } else { "date-time" };
                let format = *self.random.pick(&["date-time", format]);
                json!({ "type": "string", "minLength": 1, "format": format })
            }
            Shape::Nullable => self.nullable(),
            Shape::Constant => {
                let value: Value = if self.random.chance(70) { self.random.below(9).into() } else { true.into() };
                self.constant(value)
            }
            Shape::BareMap => json!({ "type": "object", "description": "Set by the sender." }),
            Shape::TypedMap => json!({ "type": "object", "additionalProperties": self.ordinary() }),
            Shape::Free => json!({}),
            Shape::Description => {
                let mut schema = self.ordinary();
                schema["description"] = (*self.random.pick(&DESCRIPTIONS)).into();
                schema
            }
            Shape::LongPath => {
                let inner = self.ordinary_properties(2).object();
                json!({
                    "type": "object",
                    "properties": { "subscription_renewal_configuration": {
                        "type": "object",
                        "properties": { "automatic_payment_retry_policy_settings": {
                            "type": "array",
                            "items": inner
                        } }
                    } }
                })
            }
            Shape::Not => json!({
                "type": "object",
                "properties": { "mode": { "type": "string", "not": self.constant("none") } },
                "required": ["mode"],
                "additionalProperties": false
            }),
        }
    }

    /// A property of one type.
    fn ordinary(&mut self) -> Value {
        match self.random.below(if self.depth < MOST_DEPTH { 100 } else { 84 }) {
            0..28 => json!({ "type": "string" }),
            28..34 => json!({ "type": "string", "minLength": 1, "maxLength": 120 }),
            34..38 => json!({ "type": "string", "format": "uri" }),
            38..50 => json!({ "type": "integer", "minimum": 0 }),
            50..53 => json!({ "type": "integer" }),
            53..60 => json!({ "type": "boolean" }),
            60..65 => json!({ "type": "number" }),
            65..72 => json!({ "type": "string", "enum": self.random.pick(&WORDS) }),
            72..79 => json!({ "type": "string", "format": "date-time" }),
            79..84 => json!({ "type": "array", "items": { "type": "string" } }),
            84..88 => json!({ "$ref": "../../shared/address.json" }),
            88..92 => json!({ "$ref": "../../shared/money.json" }),
            kind => {
                self.depth += 1;
                let count = 2 + self.random.below(4);
                let object = self.properties(count).object();
                self.depth -= 1;
                if kind < 97 { object } else { json!({ "type": "array", "items": object }) }
            }
        }
    }

    fn types(&mut self) -> Value {
        match self.random.below(8) {
            0 | 1 => json!({ "type": ["string", "integer"] }),
            2 => json!({ "type": ["string", "number"] }),
            3 => json!({ "type": ["integer", "string", "null"] }),
            4 => json!({ "type": ["string", "boolean"] }),
            5 => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
            6 => {
                let mut object = self.ordinary_properties(2).object();
                object["type"] = json!(["string", "object"]);
                object
            }
            _ => json!({ "type": ["string", "number", "boolean"] }),
        }
    }

    fn branches(&mut self) -> Value {
        let keyword = *self.random.pick(&["oneOf", "anyOf"]);
        let object = self.ordinary_properties(3).object();
        let all = match self.random.below(6) {
            0 => json!([{ "type": "string" }, object]),
            1 => {
                let one = self.define("recipient", object);
                json!([one.clone(), { "type": "array", "items": one }])
            }
            2 => json!([{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }]),
            3 => json!([{ "type": "integer", "minimum": 0 }, { "type": "string", "format": "date-time" }]),
            4 => json!([{ "type": "string", "enum": ["auto", "off"] }, { "type": "integer", "minimum": 1 }]),
            _ => json!([{ "type": "boolean" }, object, { "type": "null" }]),
        };
        json!({ keyword: all })
    }

    /// Objects that each require a member of their own; most of them refuse other members.
    pub(super) fn required_members(&mut self) -> Value {
        let closed = self.random.chance(60);
        let branches =
            [("email", "verified"), ("phone", "country_code"), ("webhook", "secret")].map(|(own, optional)| {
                let mut branch = json!({
                    "type": "object",
                    "properties": { own: { "type": "string" }, optional: self.ordinary() },
                    "required": [own]
                });
                if closed {
                    branch["additionalProperties"] = false.into();
                }
                branch
            });
        json!({ "oneOf": branches })
    }

    /// Objects with a constant tag.
    pub(super) fn tagged(&mut self, tag: &str, words: &[&str]) -> Value {
        let one = |maker: &mut Self, word: &&str| {
            let count = 1 + maker.random.below(3);
            let mut properties = maker.ordinary_properties(count);
            properties.all.insert(tag.to_owned(), maker.constant(*word));
            properties.required.push(tag.into());
            properties.object()
        };
        words.iter().map(|word| one(self, word)).collect()
    }

    fn hidden_tag(&mut self) -> Value {
        let Value::Array(objects) = self.tagged("linktype", &["path", "relation", "end"]) else { return json!({}) };
        let draft = self.draft;
        let names = ["linkPath", "linkRelation", "linkEnd"];
        let branches = names.iter().zip(objects).map(|(name, object)| {
            let target = self.define(name, object);
            if draft == Draft::Draft202012 && self.random.chance(70) {
                json!({ "type": "object", "$ref": target["$ref"] })
            } else {
                json!({ "allOf": [target] })
            }
        });
        let branches: Vec<Value> = branches.collect();
        json!({ "type": "array", "items": { "anyOf": branches } })
    }

    fn documented_words(&mut self) -> Value {
        let word = |maker: &Self, word: &str, description: &str| {
            let mut one = maker.constant(word);
            one["description"] = description.into();
            one["type"] = "string".into();
            one
        };
        let schema = json!({ "description": "How it is shipped.", "oneOf": [
            word(self, "standard", "Within five days."),
            word(self, "express", "Within a day."),
            word(self, "pickup", "The customer collects it."),
        ] });
        if self.random.chance(60) { self.define("Shipping", schema) } else { schema }
    }

    fn narrowed(&mut self) -> Value {
        let base = json!({ "$ref": "../../shared/address.json" });
        let country = self.constant("DE");
        match self.random.below(3) {
            0 => json!({ "allOf": [base, { "properties": { "country": country } }] }),
            1 => json!({ "allOf": [base, { "required": ["postal_code"] }] }),
            _ => {
                json!({ "allOf": [base, { "type": "object", "properties": { "postal_code": { "type": "string", "pattern": "^\\d{5}$" } }, "required": ["postal_code"] }] })
            }
        }
    }

    fn nullable(&mut self) -> Value {
        match self.random.below(20) {
            0..9 => json!({ "type": ["string", "null"] }),
            9..12 => json!({ "type": ["integer", "null"] }),
            12..14 => json!({ "type": ["string", "null"], "format": "date-time" }),
            14 => json!({ "type": ["boolean", "null"] }),
            15 => json!({ "type": ["string", "null"], "enum": ["low", "high", null] }),
            16 => json!({ "oneOf": [{ "$ref": "../../shared/money.json" }, { "type": "null" }] }),
            17 => json!({ "anyOf": [{ "type": "null" }, { "$ref": "../../shared/address.json" }] }),
            18 => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
            _ => {
                let mut object = self.ordinary_properties(3).object();
                object["type"] = json!(["object", "null"]);
                object
            }
        }
    }
}
