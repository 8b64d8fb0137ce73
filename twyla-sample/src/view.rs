//! All schemas that hold for one value: a schema, what it refers to, and what its `allOf` has, as one.

use std::sync::LazyLock;

use jsonschema::{Draft, Registry};
use referencing::Resolver;
use serde_json::{Map, Value};

/// A schema among those that hold for a value.
#[derive(Clone)]
pub struct Part<'a> {
    /// Its keywords.
    pub schema: &'a Map<String, Value>,
    /// The draft that says what they mean.
    pub draft: Draft,
    resolver: Resolver<'a>,
    /// Its own URI, as a validator has it for its keywords; none where it is reached by an anchor.
    uri: Option<String>,
}

/// The schemas that hold for one value.
#[derive(Clone, Default)]
pub struct View<'a> {
    /// Each of them.
    pub parts: Vec<Part<'a>>,
    /// Whether one of them is `false`, so that there is no value.
    pub never: bool,
}

/// A schema that isn't looked at yet: where it stands.
#[derive(Clone)]
pub struct Below<'a> {
    schema: &'a Value,
    draft: Draft,
    resolver: Resolver<'a>,
    uri: Option<String>,
}

/// Schemas within one another by reference and `allOf`.
const DEEPEST: usize = 64;

impl<'a> Below<'a> {
    /// The schema that is a whole resource.
    #[must_use]
    pub fn root(registry: &'a Registry<'a>, uri: &str) -> Option<Self> {
        let base = jsonschema::uri::from_str(uri).ok()?;
        let resolved = registry.resolver(base).lookup(uri).ok()?;
        let (schema, resolver, draft) = resolved.into_inner();
        let uri = Some(resolver.base_uri().as_str().trim_end_matches('#').to_owned());
        Some(Self { schema, draft, resolver, uri: uri.map(|uri| uri + "#") })
    }

    /// The same for a value that has to be an object besides.
    #[must_use]
    pub fn view_of_object(self) -> View<'a> {
        static OBJECT: LazyLock<Map<String, Value>> =
            LazyLock::new(|| Map::from_iter([("type".to_owned(), "object".into())]));
        let part = Part { schema: &OBJECT, draft: self.draft, resolver: self.resolver.clone(), uri: None };
        let mut view = self.view();
        view.parts.push(part);
        view
    }

    /// With all that holds for the same value.
    #[must_use]
    pub fn view(self) -> View<'a> {
        let mut view = View::default();
        view.add(self);
        view
    }

    /// Whether nothing is valid there.
    #[must_use]
    pub fn is_false(&self) -> bool {
        matches!(self.schema, Value::Bool(false))
    }

    /// An identity, to see that a way comes to where it was.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.schema).addr()
    }
}

impl<'a> View<'a> {
    /// Adds a schema to those that hold.
    pub fn add(&mut self, below: Below<'a>) {
        self.add_within(below, 0);
    }

    fn add_within(&mut self, below: Below<'a>, deep: usize) {
        let Below { schema, draft, resolver, uri } = below;
        let schema = match schema {
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
        // a schema with a name of its own is a resource of its own
        let (resolver, uri) = match schema.get("$id").or_else(|| schema.get("id")).and_then(Value::as_str) {
            Some(id) if !id.starts_with('#') => {
                let base = resolver.base_uri();
                match resolver.resolve_uri(&base.borrow(), id) {
                    Ok(own) if own.as_str() != base.as_str() => match resolver.lookup(own.as_str()) {
                        Ok(resolved) => {
                            (resolved.resolver().clone(), Some(format!("{}#", own.as_str().trim_end_matches('#'))))
                        }
                        Err(_) => (resolver, uri),
                    },
                    _ => (resolver, uri),
                }
            }
            _ => (resolver, uri),
        };
        let part = Part { schema, draft, resolver, uri };
        let references = ["$ref", "$dynamicRef", "$recursiveRef"];
        let alone = schema.contains_key("$ref") && matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7);
        let referred: Vec<Below<'a>> =
            references.iter().filter_map(|name| part.refers(schema.get(*name)?.as_str()?)).collect();
        let all: Vec<Below<'a>> = if alone { Vec::new() } else { part.items("allOf") };
        if !alone {
            self.parts.push(part);
        }
        for below in referred.into_iter().chain(all) {
            self.add_within(below, deep + 1);
        }
    }

    /// The values that a keyword has.
    pub fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.parts.iter().filter_map(move |part| part.schema.get(keyword))
    }

    /// The greatest of a keyword's numbers.
    #[must_use]
    pub fn most(&self, keyword: &str) -> Option<f64> {
        self.all(keyword).filter_map(Value::as_f64).max_by(f64::total_cmp)
    }

    /// The least of a keyword's numbers.
    #[must_use]
    pub fn least(&self, keyword: &str) -> Option<f64> {
        self.all(keyword).filter_map(Value::as_f64).min_by(f64::total_cmp)
    }

    /// The types that are left, in the order of the first schema that names some; none where none does.
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

    /// The names that an object must have.
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

    /// What holds for a member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let mut view = Self::default();
        self.parts.iter().flat_map(|part| part.member(name)).for_each(|below| view.add(below));
        view
    }

    /// What holds for an item of an array.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        let mut view = Self::default();
        self.parts.iter().filter_map(|part| part.item(index)).for_each(|below| view.add(below));
        view
    }
}

impl<'a> Part<'a> {
    /// An identity, to see that a way comes to where it was.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.schema).addr()
    }

    /// Where a keyword of it stands.
    #[must_use]
    pub fn uri(&self, keyword: &str) -> Option<String> {
        self.uri.as_ref().map(|uri| format!("{uri}/{}", escaped(keyword)))
    }

    fn at(&self, schema: &'a Value, steps: &[&str]) -> Below<'a> {
        let uri =
            self.uri.as_ref().map(|uri| steps.iter().fold(uri.clone(), |uri, step| format!("{uri}/{}", escaped(step))));
        Below { schema, draft: self.draft, resolver: self.resolver.clone(), uri }
    }

    /// Where a reference leads.
    fn refers(&self, reference: &str) -> Option<Below<'a>> {
        let (schema, resolver, draft) = self.resolver.lookup(reference).ok()?.into_inner();
        let fragment = reference.split_once('#').map_or("", |(_, fragment)| fragment);
        let base = resolver.base_uri();
        let base = base.as_str().trim_end_matches('#');
        let uri = (fragment.is_empty() || fragment.starts_with('/')).then(|| format!("{base}#{fragment}"));
        Some(Below { schema, draft, resolver, uri })
    }

    /// The schema that a keyword has.
    #[must_use]
    pub fn one(&self, keyword: &str) -> Option<Below<'a>> {
        let schema = self.schema.get(keyword)?;
        (schema.is_object() || schema.is_boolean()).then(|| self.at(schema, &[keyword]))
    }

    /// The schemas in a keyword's array.
    #[must_use]
    pub fn items(&self, keyword: &str) -> Vec<Below<'a>> {
        let items = self.schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        items.enumerate().map(|(i, schema)| self.at(schema, &[keyword, &i.to_string()])).collect()
    }

    /// The schemas in a keyword's object.
    pub fn named(&self, keyword: &'static str) -> impl Iterator<Item = (&'a str, Below<'a>)> {
        let named = self.schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        named.map(move |(name, schema)| (name.as_str(), self.at(schema, &[keyword, name])))
    }

    /// What holds for a member of that name.
    fn member(&self, name: &str) -> Vec<Below<'a>> {
        let own = self.schema.get("properties").and_then(|properties| properties.get(name));
        let own = own.map(|schema| self.at(schema, &["properties", name]));
        let pattern = self.named("patternProperties").filter(|(pattern, _)| crate::text::matches(pattern, name));
        let mut found: Vec<Below<'a>> = own.into_iter().chain(pattern.map(|(_, below)| below)).collect();
        if found.is_empty() {
            found.extend(self.one("additionalProperties").or_else(|| self.one("unevaluatedProperties")));
        }
        found
    }

    /// What holds for the item of that number.
    fn item(&self, index: usize) -> Option<Below<'a>> {
        let tuple = if self.schema.get("items").is_some_and(Value::is_array) { "items" } else { "prefixItems" };
        let rest = if tuple == "items" { "additionalItems" } else { "items" };
        let prefix = self.items(tuple);
        match prefix.get(index) {
            Some(below) => Some(below.clone()),
            None => self.one(rest).or_else(|| self.one("unevaluatedItems")),
        }
    }
}

fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}
