//! Views: all schemas that apply to one value (a schema, its references and its `allOf`) as one.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use twyla_build::Draft;
use twyla_build::compare::{Schema, SchemaPath};

/// One of the schemas that apply to a value.
#[derive(Clone)]
pub struct Part<'a> {
    /// The keywords of the schema.
    pub schema: &'a Map<String, Value>,
    /// The place of the schema; `None` for a schema that isn't in a document.
    at: Option<Schema<'a>>,
}

/// The schemas that apply to one value.
#[derive(Clone, Default)]
pub struct View<'a> {
    /// The schemas.
    pub parts: Vec<Part<'a>>,
    /// Whether one of the schemas is `false`, so that no value is valid.
    pub never: bool,
}

/// A subschema that isn't expanded yet.
#[derive(Clone)]
pub struct Subschema<'a>(Schema<'a>);

/// The maximum depth of nested references and `allOf`.
const DEEPEST: usize = 64;

impl<'a> Subschema<'a> {
    pub(crate) fn new(schema: Schema<'a>) -> Self {
        Self(schema)
    }

    /// Returns the view, for a value that must also be an object.
    #[must_use]
    pub fn view_of_object(self) -> View<'a> {
        static OBJECT: LazyLock<Map<String, Value>> =
            LazyLock::new(|| Map::from_iter([("type".to_owned(), "object".into())]));
        let part = Part { schema: &OBJECT, at: None };
        let mut view = self.view();
        view.parts.push(part);
        view
    }

    /// Expands the subschema with everything that applies to the same value.
    #[must_use]
    pub fn view(self) -> View<'a> {
        let mut view = View::default();
        view.add(self);
        view
    }

    /// Returns whether the subschema is `false`, so that no value is valid.
    #[must_use]
    pub fn is_false(&self) -> bool {
        matches!(self.0.value(), Value::Bool(false))
    }

    /// Returns an identity to detect cycles.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.0.value()).addr()
    }
}

impl<'a> View<'a> {
    /// Adds a subschema with everything that applies to the same value.
    pub fn add(&mut self, below: Subschema<'a>) {
        self.add_within(below, 0);
    }

    fn add_within(&mut self, below: Subschema<'a>, deep: usize) {
        let Subschema(at) = below;
        let schema = match at.value() {
            Value::Object(schema) => schema,
            Value::Bool(false) => {
                self.never = true;
                return;
            }
            _ => return,
        };
        if deep > DEEPEST || self.parts.iter().any(|part| std::ptr::eq(part.schema, schema)) {
            return;
        }
        let referred = [at.reference(), at.dynamic_reference()];
        let alone = schema.contains_key("$ref") && at.draft() <= Draft::Draft7;
        let part = Part { schema, at: Some(at) };
        let all: Vec<Subschema<'a>> = if alone { Vec::new() } else { part.items("allOf") };
        if !alone {
            self.parts.push(part);
        }
        for below in referred.into_iter().flatten().map(Subschema).chain(all) {
            self.add_within(below, deep + 1);
        }
    }

    /// Returns all values of a keyword.
    pub fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.parts.iter().filter_map(move |part| part.schema.get(keyword))
    }

    /// Returns the maximum of a keyword's numbers.
    #[must_use]
    pub fn most(&self, keyword: &str) -> Option<f64> {
        self.all(keyword).filter_map(Value::as_f64).max_by(f64::total_cmp)
    }

    /// Returns the minimum of a keyword's numbers.
    #[must_use]
    pub fn least(&self, keyword: &str) -> Option<f64> {
        self.all(keyword).filter_map(Value::as_f64).min_by(f64::total_cmp)
    }

    /// Returns the allowed types, in the order of the first schema that names some; `None` if none does.
    #[must_use]
    pub fn types(&self) -> Option<Vec<String>> {
        let mut left: Option<Vec<String>> = None;
        for types in self.all("type") {
            let named: Vec<String> = match types {
                Value::String(one) => vec![one.clone()],
                Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => continue,
            };
            left = Some(match left {
                None => named,
                Some(left) => {
                    let both = left
                        .iter()
                        .filter(|it| named.contains(it) || *it == "integer" && named.iter().any(|n| n == "number"));
                    let narrower = named
                        .iter()
                        .filter(|it| *it == "integer" && left.iter().any(|n| n == "number") && !left.contains(it));
                    both.chain(narrower).cloned().collect()
                }
            });
        }
        left
    }

    /// Returns the names of required members.
    #[must_use]
    pub fn required(&self) -> Vec<&'a str> {
        let names = self.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        let mut required = Vec::new();
        for name in names {
            if !required.contains(&name) {
                required.push(name);
            }
        }
        required
    }

    /// Returns the view of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let mut view = Self::default();
        self.parts.iter().flat_map(|part| part.member(name)).for_each(|below| view.add(below));
        view
    }

    /// Returns the view of an item.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        let mut view = Self::default();
        self.parts.iter().filter_map(|part| part.item(index)).for_each(|below| view.add(below));
        view
    }
}

impl<'a> Part<'a> {
    /// Returns an identity to detect cycles.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.schema).addr()
    }

    /// Returns the schema's path in its document.
    #[must_use]
    pub fn path(&self) -> Option<&SchemaPath> {
        self.at.as_ref().map(Schema::path)
    }

    /// Returns the path of one of the schema's keywords.
    #[must_use]
    pub fn path_of(&self, keyword: &str) -> Option<SchemaPath> {
        self.below(&[keyword]).map(|Subschema(at)| at.path().clone())
    }

    /// Returns the subschema at a relative path.
    fn below(&self, steps: &[&str]) -> Option<Subschema<'a>> {
        self.at.as_ref()?.at(steps).map(Subschema)
    }

    /// Returns the subschema of a keyword.
    #[must_use]
    pub fn one(&self, keyword: &str) -> Option<Subschema<'a>> {
        let schema = self.schema.get(keyword)?;
        if schema.is_object() || schema.is_boolean() { self.below(&[keyword]) } else { None }
    }

    /// Returns the subschemas in a keyword's array.
    #[must_use]
    pub fn items(&self, keyword: &str) -> Vec<Subschema<'a>> {
        let items = self.schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        items.enumerate().filter_map(|(i, _)| self.below(&[keyword, &i.to_string()])).collect()
    }

    /// Returns the subschemas in a keyword's object.
    pub fn named(&self, keyword: &'static str) -> impl Iterator<Item = (&'a str, Subschema<'a>)> {
        let named = self.schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        named.filter_map(move |(name, _)| Some((name.as_str(), self.below(&[keyword, name])?)))
    }

    /// Returns the subschemas that apply to a member.
    fn member(&self, name: &str) -> Vec<Subschema<'a>> {
        let own = self.below(&["properties", name]);
        let pattern = self.named("patternProperties").filter(|(pattern, _)| crate::pattern::matches(pattern, name));
        let mut found: Vec<Subschema<'a>> = own.into_iter().chain(pattern.map(|(_, below)| below)).collect();
        if found.is_empty() {
            found.extend(self.one("additionalProperties").or_else(|| self.one("unevaluatedProperties")));
        }
        found
    }

    /// Returns the subschema that applies to an item.
    fn item(&self, index: usize) -> Option<Subschema<'a>> {
        let tuple = if self.schema.get("items").is_some_and(Value::is_array) { "items" } else { "prefixItems" };
        let rest = if tuple == "items" { "additionalItems" } else { "items" };
        let prefix = self.items(tuple);
        match prefix.get(index) {
            Some(below) => Some(below.clone()),
            None => self.one(rest).or_else(|| self.one("unevaluatedItems")),
        }
    }
}
