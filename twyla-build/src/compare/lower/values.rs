//! Formulas of constants and of the keywords about a single value.

use std::rc::Rc;

use super::{Lowering, SchemaView};
use crate::compare::document::BEYOND_ALL;
use crate::compare::formula::{Atom, Lit, Name};
use crate::decimal::Decimal;
use crate::json_type::{JsonType, JsonTypes};
use crate::number::Number;
use crate::schema::load::{Json, Node, size};
use crate::schema::path::SchemaPath;

impl Lowering<'_> {
    pub(super) fn values(&mut self, schema: &SchemaView<'_>, parts: &mut Vec<Lit>) {
        if let Some(node) = schema.get("type") {
            let lit = self.types(node);
            parts.push(lit);
        }
        if let Some(node) = schema.get("enum") {
            let lit = self.choices(schema, "enum", node.items());
            parts.push(lit);
        }
        if let Some(node) = schema.get("const") {
            let lit = self.choices(schema, "const", std::slice::from_ref(node));
            parts.push(lit);
        }
        for (keyword, exclusive, low) in [("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)]
        {
            // in draft 4 the exclusive bound is a flag
            let flag = schema.is_true(exclusive);
            for (keyword, exclusive) in [(keyword, flag), (exclusive, true)] {
                let Some(Json::Number(text)) = schema.get(keyword).map(|node| &node.json) else { continue };
                let lit = match Decimal::parse(text) {
                    Some(limit) if low => self.formulas.atom(Atom::AtLeast { limit, exclusive }),
                    Some(limit) => self.formulas.atom(Atom::AtMost { limit, exclusive }),
                    None => {
                        let bound = if exclusive { "exclusive bound" } else { "bound" };
                        self.far(schema, keyword, bound, text)
                    }
                };
                parts.push(lit);
            }
        }
        if let Some(Json::Number(text)) = schema.get("multipleOf").map(|node| &node.json) {
            let lit = match Decimal::parse(text).filter(Decimal::is_positive) {
                // earlier releases generated code with a rounded factor, or with none
                Some(factor)
                    if !Number::new(text).is_exact_factor() || Decimal::parse(BEYOND_ALL).as_ref() == Some(&factor) =>
                {
                    let reason = "multiples of the number can't be computed exactly";
                    self.undecided(schema, "multipleOf", "factor", text, reason)
                }
                Some(factor) => self.formulas.atom(Atom::MultipleOf(factor)),
                None => self.far(schema, "multipleOf", "factor", text),
            };
            parts.push(lit);
        }
        for (keyword, atom) in [
            ("minLength", Atom::MinLength as fn(u64) -> Atom),
            ("maxLength", Atom::MaxLength),
            ("minItems", Atom::MinItems),
            ("maxItems", Atom::MaxItems),
            ("minProperties", Atom::MinMembers),
            ("maxProperties", Atom::MaxMembers),
        ] {
            if let Some(limit) = size(schema.get(keyword)) {
                parts.push(self.formulas.atom(atom(limit)));
            }
        }
        if let Some(written) = schema.get("pattern").and_then(Node::str) {
            let pattern = self.tables.pattern(written, || SchemaPath::of(self.schemas, &schema.at("pattern")));
            parts.push(self.formulas.atom(Atom::Pattern(pattern)));
        }
        if let Some(name) = schema.get("format").and_then(Node::str)
            && let Some(variant) = self.schemas.format(schema.draft, name)
        {
            let format = self.tables.format(variant, name, || SchemaPath::of(self.schemas, &schema.at("format")));
            parts.push(self.formulas.atom(Atom::Format(format)));
        }
        if schema.is_true("uniqueItems") {
            parts.push(self.formulas.atom(Atom::Unique));
        }
    }

    /// Returns the opaque formula of a number whose exponent is beyond the limit.
    fn far(&mut self, schema: &SchemaView<'_>, keyword: &str, role: &str, text: &str) -> Lit {
        self.undecided(schema, keyword, role, text, "the exponent of the number is too large to compare")
    }

    /// Returns the opaque formula of a number. `role` is the part that the number has in the keyword.
    fn undecided(&mut self, schema: &SchemaView<'_>, keyword: &str, role: &str, text: &str, reason: &str) -> Lit {
        let lit = self.opaque(schema.loc, keyword, reason.to_owned(), format!("{keyword}, {role}: {text}"));
        self.only(JsonType::Number, lit)
    }

    /// Returns the formula: the value is this number, whose exponent is beyond the limit.
    fn far_number(&mut self, schema: &SchemaView<'_>, keyword: &str, text: &str) -> Lit {
        let type_ = self.formulas.types(JsonTypes::of(JsonType::Number));
        let one = self.far(schema, keyword, "value", text);
        self.formulas.all([type_, one])
    }

    fn types(&mut self, node: &Node) -> Lit {
        let names = match &node.json {
            Json::Array(items) => items.iter().filter_map(Node::str).collect(),
            _ => Vec::from_iter(node.str()),
        };
        let (mut types, mut integer) = (JsonTypes::NONE, false);
        for name in names {
            let type_ = match name {
                "null" => JsonType::Null,
                "boolean" => JsonType::Boolean,
                "number" => JsonType::Number,
                "string" => JsonType::String,
                "array" => JsonType::Array,
                "object" => JsonType::Object,
                _ => {
                    integer |= name == "integer";
                    continue;
                }
            };
            types = types.or(JsonTypes::of(type_));
        }
        if !integer || types.has(JsonType::Number) {
            return self.formulas.types(types);
        }
        // a multiple of 1, or a value of another type
        let types = self.formulas.types(types.or(JsonTypes::of(JsonType::Number)));
        let whole = self.formulas.atom(Atom::MultipleOf(Decimal::from(1)));
        self.formulas.all([types, whole])
    }

    /// Returns the formula: the value is one of these.
    fn choices(&mut self, schema: &SchemaView<'_>, keyword: &str, values: &[Node]) -> Lit {
        let mut types = JsonTypes::NONE;
        let (mut words, mut numbers, mut booleans) = (Vec::<Name>::new(), Vec::new(), Vec::new());
        let mut any = Vec::new();
        for value in values {
            match &value.json {
                Json::Null => types = types.or(JsonTypes::of(JsonType::Null)),
                Json::Bool(value) => booleans.push(*value),
                Json::String(text) => words.push(self.formulas.name(text)),
                Json::Number(text) => match Decimal::parse(text) {
                    Some(number) => numbers.push(number),
                    None => any.push(self.far_number(schema, keyword, text)),
                },
                Json::Array(_) | Json::Object(_) => {
                    let lit = self.constant(schema, keyword, value);
                    any.push(lit);
                }
            }
        }
        if booleans.contains(&true) && booleans.contains(&false) {
            types = types.or(JsonTypes::of(JsonType::Boolean));
        } else if let Some(only) = booleans.first() {
            any.push(self.boolean(*only));
        }
        if !words.is_empty() {
            words.sort_unstable();
            words.dedup();
            any.push(self.words(words.into()));
        }
        if !numbers.is_empty() {
            numbers.sort_unstable();
            numbers.dedup();
            any.push(self.numbers(numbers.into()));
        }
        any.push(self.formulas.types(types));
        self.formulas.any(any)
    }

    fn boolean(&mut self, value: bool) -> Lit {
        let type_ = self.formulas.types(JsonTypes::of(JsonType::Boolean));
        let is = self.formulas.atom(Atom::Is(value));
        self.formulas.all([type_, is])
    }

    fn words(&mut self, words: Rc<[Name]>) -> Lit {
        let type_ = self.formulas.types(JsonTypes::of(JsonType::String));
        let one = self.formulas.atom(Atom::StringIn(words));
        self.formulas.all([type_, one])
    }

    fn numbers(&mut self, numbers: Rc<[Decimal]>) -> Lit {
        let type_ = self.formulas.types(JsonTypes::of(JsonType::Number));
        let one = self.formulas.atom(Atom::NumberIn(numbers));
        self.formulas.all([type_, one])
    }

    /// Returns the formula: the value equals `value`, part by part.
    fn constant(&mut self, schema: &SchemaView<'_>, keyword: &str, value: &Node) -> Lit {
        match &value.json {
            Json::Null => self.formulas.types(JsonTypes::of(JsonType::Null)),
            Json::Bool(value) => self.boolean(*value),
            Json::String(text) => {
                let word = self.formulas.name(text);
                self.words([word].into())
            }
            Json::Number(text) => match Decimal::parse(text) {
                Some(number) => self.numbers([number].into()),
                None => self.far_number(schema, keyword, text),
            },
            Json::Array(items) => {
                let count = items.len() as u64;
                let mut parts = vec![
                    self.formulas.types(JsonTypes::of(JsonType::Array)),
                    self.formulas.atom(Atom::MinItems(count)),
                    self.formulas.atom(Atom::MaxItems(count)),
                ];
                for (index, item) in (0..).zip(items) {
                    let lit = self.constant(schema, keyword, item);
                    parts.push(self.formulas.atom(Atom::Item { index, lit }));
                }
                self.formulas.all(parts)
            }
            Json::Object(members) => {
                let mut parts = vec![
                    self.formulas.types(JsonTypes::of(JsonType::Object)),
                    self.formulas.atom(Atom::MaxMembers(members.len() as u64)),
                ];
                for member in members.iter() {
                    let lit = self.constant(schema, keyword, &member.value);
                    let name = self.formulas.name(&member.key);
                    parts.push(self.formulas.atom(Atom::Required(name.clone())));
                    parts.push(self.formulas.atom(Atom::Member { name, lit }));
                }
                self.formulas.all(parts)
            }
        }
    }
}
