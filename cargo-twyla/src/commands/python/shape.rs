//! The Python types of schemas.
//!
//! A type accepts whatever its schema accepts: a keyword that has no type in Python (`anyOf`, `if`, `not`) doesn't narrow it, and a
//! class keeps undeclared members if the schema says something of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use twyla_build::compare::{ContractKind, Sources};

use super::names::{self, Scope};
use crate::support::contracts::name_of;
use crate::support::json::step;
use crate::support::schemas::beside;
use crate::support::uri;

/// The contracts and the classes of their models.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) contracts: Vec<Contract>,
    pub(super) classes: Vec<Class>,
}

/// A contract with its class.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) digest: String,
    pub(super) class: String,
}

/// A model.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) name: String,
    /// The place of the schema: `events/bot/reply.json#/properties/mood`.
    pub(super) place: String,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    /// An object; `open`: whether undeclared members are kept.
    Object { fields: Vec<Field>, open: bool },
    /// Any other value, by its type.
    Root(String),
}

/// A field of a model.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) property: String,
    pub(super) python_type: String,
    pub(super) is_required: bool,
}

/// The keywords that apply schemas to the same value: what they say of its members isn't in the class.
const IN_PLACE: [&str; 13] = [
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "not",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedProperties",
    "patternProperties",
];

impl Package {
    pub(super) fn of(sources: &Sources) -> serde_json::Result<Self> {
        let mut shaper = Shaper { scope: Scope::of_module(), known: BTreeMap::new(), package: Self::default() };
        // the classes of contracts have the names that their contracts have, whatever else there is
        for contract in &sources.contracts {
            let root = (contract.bundle.root().to_owned(), String::new());
            if !shaper.known.contains_key(&root) {
                let name = shaper.scope.take(names::class(&name_of(contract)));
                shaper.known.insert(root, name);
            }
        }
        for contract in &sources.contracts {
            let bundle: Value = serde_json::from_str(&contract.bundle.to_string())?;
            let documents = bundle.get("documents").and_then(Value::as_object).cloned().unwrap_or_default();
            let draft = bundle.get("draft").and_then(Value::as_str).unwrap_or_default().to_owned();
            let root = contract.bundle.root();
            let kind = match contract.kind {
                ContractKind::Event => "event",
                ContractKind::Context => "context",
                rpc => rpc.way().unwrap_or("other"),
            };
            let is_object = !matches!(contract.kind, ContractKind::Response | ContractKind::Error);
            let class = shaper.root(&Documents { documents: &documents, draft: &draft }, root, is_object);
            let name = name_of(contract);
            shaper.package.contracts.push(Contract { name, kind, digest: contract.bundle.digest(), class });
        }
        Ok(shaper.package)
    }
}

/// The documents of a bundle.
struct Documents<'a> {
    documents: &'a Map<String, Value>,
    draft: &'a str,
}

/// A place in a document: its name, and a JSON Pointer.
type Place = (String, String);

struct Shaper {
    scope: Scope,
    /// The classes by their schemas' places.
    known: BTreeMap<Place, String>,
    package: Package,
}

impl Shaper {
    /// Returns the class of a contract.
    fn root(&mut self, documents: &Documents<'_>, root: &str, is_object: bool) -> String {
        let place = (root.to_owned(), String::new());
        let name = self.known.get(&place).cloned().unwrap_or_default();
        if self.package.classes.iter().any(|class| class.name == name) {
            return name;
        }
        let schema = documents.documents.get(root).unwrap_or(&Value::Null);
        let has_object = is_object || schema.get("type").and_then(Value::as_str) == Some("object");
        let refers = schema.get("$ref").is_some();
        if has_object && !refers {
            self.class(documents, &place, &name, schema);
        } else if has_object {
            // the members are those of another schema
            let open = Body::Object { fields: Vec::new(), open: true };
            self.package.classes.push(Class { name: name.clone(), place: shown(&place), body: open });
        } else {
            let python_type = self.python_type(documents, &place, schema, &name);
            self.package.classes.push(Class {
                name: name.clone(),
                place: shown(&place),
                body: Body::Root(python_type),
            });
        }
        name
    }

    /// Adds the class of an object.
    fn class(&mut self, documents: &Documents<'_>, place: &Place, name: &str, schema: &Value) {
        let index = self.package.classes.len();
        let body = Body::Object { fields: Vec::new(), open: false };
        self.package.classes.push(Class { name: name.to_owned(), place: shown(place), body });
        let properties = schema.get("properties").and_then(Value::as_object);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut scope = Scope::default();
        let mut fields = Vec::new();
        for (property, value) in properties.into_iter().flatten() {
            let inner = (place.0.clone(), format!("{}/properties{}", place.1, step(property)));
            let hint = format!("{name} {property}");
            let python_type = self.python_type(documents, &inner, value, &hint);
            let is_required = required.contains(&&**property);
            fields.push((property.clone(), python_type, is_required));
        }
        let declares = schema.get("additionalProperties").is_some_and(|it| *it != Value::Bool(false));
        let open = declares || properties.is_none() || IN_PLACE.iter().any(|keyword| schema.get(keyword).is_some());
        let classes = self.scope.clone();
        let field = |(property, python_type, is_required): (String, String, bool)| Field {
            name: scope.field(&property, &classes),
            property,
            python_type,
            is_required,
        };
        let fields = fields.into_iter().map(field).collect();
        if let Some(class) = self.package.classes.get_mut(index) {
            class.body = Body::Object { fields, open };
        }
    }

    /// Returns the type of a schema.
    fn python_type(&mut self, documents: &Documents<'_>, place: &Place, schema: &Value, hint: &str) -> String {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.referred(documents, place, reference);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array)
            && let Some(literal) = literal(values)
        {
            return literal;
        }
        if let Some(value) = schema.get("const")
            && !is_draft_4(documents, place)
            && let Some(literal) = literal(std::slice::from_ref(value))
        {
            return literal;
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => return "Any".to_owned(),
        };
        let mut named: Vec<String> = Vec::new();
        for name in types {
            let one = match name {
                "string" => "str".to_owned(),
                "integer" => "Integer".to_owned(),
                "number" => "Number".to_owned(),
                "boolean" => "bool".to_owned(),
                "null" => "None".to_owned(),
                "array" => self.list(documents, place, schema, hint),
                "object" => self.object(documents, place, schema, hint),
                _ => return "Any".to_owned(),
            };
            if !named.contains(&one) {
                named.push(one);
            }
        }
        // `None` last, as people write it
        named.sort_by_key(|name| name == "None");
        if named.is_empty() { "Any".to_owned() } else { named.join(" | ") }
    }

    fn list(&mut self, documents: &Documents<'_>, place: &Place, schema: &Value, hint: &str) -> String {
        match schema.get("items") {
            Some(items @ Value::Object(_)) if schema.get("prefixItems").is_none() => {
                let inner = (place.0.clone(), format!("{}/items", place.1));
                format!("list[{}]", self.python_type(documents, &inner, items, &format!("{hint} item")))
            }
            _ => "list[Any]".to_owned(),
        }
    }

    fn object(&mut self, documents: &Documents<'_>, place: &Place, schema: &Value, hint: &str) -> String {
        let has_members = schema.get("properties").and_then(Value::as_object).is_some_and(|it| !it.is_empty());
        if has_members {
            if let Some(known) = self.known.get(place) {
                return known.clone();
            }
            let name = self.scope.take(names::class(hint));
            self.known.insert(place.clone(), name.clone());
            self.class(documents, place, &name, schema);
            return name;
        }
        let is_map = schema.get("patternProperties").is_none();
        match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) if is_map => {
                let inner = (place.0.clone(), format!("{}/additionalProperties", place.1));
                format!("dict[str, {}]", self.python_type(documents, &inner, values, &format!("{hint} value")))
            }
            _ => "dict[str, Any]".to_owned(),
        }
    }

    /// Returns the type of the schema that a reference leads to.
    fn referred(&mut self, documents: &Documents<'_>, place: &Place, reference: &str) -> String {
        let Some(target) = target(documents, &place.0, reference) else { return "Any".to_owned() };
        let Some(schema) = documents.documents.get(&target.0).and_then(|it| it.pointer(&target.1)) else {
            return "Any".to_owned();
        };
        if let Some(known) = self.known.get(&target) {
            let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
            // a contract's class is an object, and the schema alone may be more
            return if is_object { known.clone() } else { "Any".to_owned() };
        }
        // a reference that leads to itself has no type
        if schema.get("$ref").is_some() {
            return "Any".to_owned();
        }
        let last = target.1.rsplit('/').next().filter(|last| !last.is_empty());
        let file = target.0.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let hint = last.unwrap_or(file).to_owned();
        let has_members = schema.get("properties").and_then(Value::as_object).is_some_and(|it| !it.is_empty());
        let nests = schema.get("items").is_some() || schema.get("additionalProperties").is_some_and(Value::is_object);
        let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
        // only a class can hold itself, and a list beside it is read before the class
        if nests && !(has_members && (is_object || schema.get("items").is_none())) {
            return if schema.get("type").and_then(Value::as_str) == Some("array") { "list[Any]" } else { "Any" }
                .to_owned();
        }
        self.python_type(documents, &target, schema, &hint)
    }
}

/// Returns the place that a reference leads to; `None` if identifiers decide on that.
fn target(documents: &Documents<'_>, from: &str, reference: &str) -> Option<Place> {
    let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let document = match file {
        "" => from.to_owned(),
        file if file.contains(':') => return None,
        file => beside(from, &uri::decoded(file))?,
    };
    let has_identifiers =
        [from, &document].into_iter().any(|it| documents.documents.get(it).is_none_or(has_identifier));
    let pointer = uri::decoded(fragment);
    (!has_identifiers && (pointer.is_empty() || pointer.starts_with('/'))).then_some((document, pointer))
}

/// Whether a schema has an identifier, which changes where references lead.
fn has_identifier(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            let is_id = |name: &str| members.get(name).is_some_and(Value::is_string);
            is_id("$id") || is_id("id") || members.values().any(has_identifier)
        }
        Value::Array(items) => items.iter().any(has_identifier),
        _ => false,
    }
}

fn is_draft_4(documents: &Documents<'_>, place: &Place) -> bool {
    let named = documents.documents.get(&place.0).and_then(|it| it.get("$schema")).and_then(Value::as_str);
    named.map_or(documents.draft == "4", |named| named.contains("draft-04"))
}

/// Returns strings and nulls as a `Literal`, and `None` if there are other values: `1 == 1.0` in Python, so that a `Literal` of numbers
/// would also allow what the schema refuses.
fn literal(values: &[Value]) -> Option<String> {
    let literals: Option<Vec<String>> = values
        .iter()
        .map(|value| match value {
            Value::Null => Some("None".to_owned()),
            Value::String(text) => Some(python_string(text)),
            _ => None,
        })
        .collect();
    literals.filter(|it| !it.is_empty()).map(|it| format!("Literal[{}]", it.join(", ")))
}

/// Writes a string literal of Python.
pub(super) fn python_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c => out.push_str(&match u32::from(c) {
                code @ 0..=0xff => format!("\\x{code:02x}"),
                code @ 0x100..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        }
    }
    out.push('"');
    out
}

fn shown((document, pointer): &Place) -> String {
    if pointer.is_empty() { document.clone() } else { format!("{document}#{pointer}") }
}
