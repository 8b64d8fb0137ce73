//! The Python types of schemas.
//!
//! A type accepts whatever its schema accepts: a keyword that has no type in Python (`if`, `not`) doesn't narrow it, and a
//! class keeps undeclared members if the schema has rules for them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use twyla_build::compare::{ContractKind, Sources};

use super::documents::{Documents, Part, Place};
use super::keywords::{
    UNIONS, common, hint_of, is_object_alone, is_open, name_of_target, only_narrows, properties, words,
};
use super::names::{self, Scope};
use super::types::Type;
use crate::support::contracts::name_of;
use crate::support::json::step;

/// The contracts and the classes of their models.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) contracts: Vec<Contract>,
    pub(super) classes: Vec<Class>,
    /// The names of types that are used in several places. A type comes after the types that it names.
    pub(super) aliases: Vec<(String, Type)>,
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
    /// Any other value, or one of several models.
    Root(Type),
}

/// A field of a model.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) property: String,
    pub(super) python_type: Type,
    pub(super) is_required: bool,
}

/// The separator in the place of a class of one alternative: it follows the schema's place, and precedes the alternative's.
pub(super) const WITHIN: char = '\n';

impl Package {
    pub(super) fn of(sources: &Sources) -> serde_json::Result<Self> {
        let mut shaper = Shaper::new();
        // reserve the names of the contracts' classes first, so that other classes can't take them
        for contract in &sources.contracts {
            let root = (contract.bundle.root().to_owned(), String::new());
            if !shaper.known.contains_key(&root) {
                let name = shaper.scope.take(names::class(&name_of(contract)));
                shaper.roots.insert(root.clone());
                shaper.known.insert(root, name);
            }
        }
        for contract in &sources.contracts {
            let bundle: Value = serde_json::from_str(&contract.bundle.to_string())?;
            let documents = bundle.get("documents").and_then(Value::as_object).cloned().unwrap_or_default();
            let draft = bundle.get("draft").and_then(Value::as_str).unwrap_or_default();
            let kind = match contract.kind {
                ContractKind::Event => "event",
                ContractKind::Context => "context",
                rpc => rpc.way().unwrap_or("other"),
            };
            let is_object = !matches!(contract.kind, ContractKind::Response | ContractKind::Error);
            let class = shaper.root(&Documents::new(&documents, draft), contract.bundle.root(), is_object);
            let name = name_of(contract);
            shaper.package.contracts.push(Contract { name, kind, digest: contract.bundle.digest(), class });
        }
        shaper.package.remove_unused();
        Ok(shaper.package)
    }

    /// Removes classes and aliases that no contract uses, such as classes of alternatives that have no common type.
    fn remove_unused(&mut self) {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> = self.contracts.iter().map(|it| it.class.as_str()).collect();
        let classes: BTreeMap<&str, &Class> = self.classes.iter().map(|it| (it.name.as_str(), it)).collect();
        let aliases: BTreeMap<&str, &Type> = self.aliases.iter().map(|(name, of)| (name.as_str(), of)).collect();
        while let Some(name) = next.pop() {
            if !used.insert(name) {
                continue;
            }
            let mut visit = |name| next.push(name);
            match classes.get(name).map(|class| &class.body) {
                Some(Body::Root(of)) => of.names(&mut visit),
                Some(Body::Object { fields, .. }) => fields.iter().for_each(|it| it.python_type.names(&mut visit)),
                None => {}
            }
            if let Some(of) = aliases.get(name) {
                of.names(&mut visit);
            }
        }
        let used: BTreeSet<String> = used.into_iter().map(str::to_owned).collect();
        self.classes.retain(|it| used.contains(&it.name));
        self.aliases.retain(|(name, _)| used.contains(name));
    }
}

/// A type that is being made.
enum Frame {
    /// A class, whose fields may name types that are defined after it.
    Class,
    /// The target of a reference, with the name of its type if a reference within it leads back to it.
    Referred(Place, Option<String>),
}

/// Schemas that apply to one value.
#[derive(Clone)]
pub(super) struct Object<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Whether the object may have members, or rules for members, that the parts don't declare.
    pub(super) is_open: bool,
}

impl<'a> Object<'a> {
    pub(super) fn new(documents: &Documents<'a>, parts: Vec<Part<'a>>) -> Self {
        let leads_nowhere = |part: &Part<'a>| {
            part.schema.get("$ref").is_some() && documents.target_of(&part.place, part.schema).is_none()
        };
        let is_open = parts.iter().any(leads_nowhere);
        Self { parts, is_open }
    }
}

pub(super) struct Shaper {
    scope: Scope,
    /// The name of each class, by the place of its schema.
    known: BTreeMap<Place, String>,
    /// The contracts' places.
    roots: BTreeSet<Place>,
    /// The places of the classes whose body is made or being made.
    built: BTreeSet<Place>,
    /// The types of schemas that references lead to.
    referred: BTreeMap<Place, Type>,
    frames: Vec<Frame>,
    pub(super) package: Package,
}

impl Shaper {
    fn new() -> Self {
        Self {
            scope: Scope::of_module(),
            known: BTreeMap::new(),
            roots: BTreeSet::new(),
            built: BTreeSet::new(),
            referred: BTreeMap::new(),
            frames: Vec::new(),
            package: Package::default(),
        }
    }

    /// Returns the class of a contract.
    fn root(&mut self, documents: &Documents<'_>, root: &str, is_object: bool) -> String {
        let place = (root.to_owned(), String::new());
        let name = self.known.get(&place).cloned().unwrap_or_default();
        if self.built.contains(&place) {
            return name;
        }
        let schema = documents.schema(&place).unwrap_or(&Value::Null);
        let object = Object::new(documents, documents.parts(&place, schema));
        let is_object = is_object || object.parts.iter().any(|part| is_object_alone(part.schema));
        let python_type = self.of_parts(documents, &place, object, &name, is_object);
        if self.built.insert(place.clone()) {
            let body = match python_type {
                choice if choice.is_choice() || !is_object => Body::Root(choice),
                // an object without declared members
                _ => Body::Object { fields: Vec::new(), open: true },
            };
            self.package.classes.push(Class { name: name.clone(), place: shown(&place), body });
        }
        name
    }

    /// Adds the class of an object, unless it exists, and returns it as a type.
    fn class(&mut self, documents: &Documents<'_>, place: &Place, object: &Object<'_>, hint: &str) -> Type {
        let name = match self.known.get(place) {
            Some(known) => known.clone(),
            None => self.scope.take(names::class(hint)),
        };
        self.known.insert(place.clone(), name.clone());
        if self.built.insert(place.clone()) {
            let index = self.package.classes.len();
            let body = Body::Object { fields: Vec::new(), open: false };
            self.package.classes.push(Class { name: name.clone(), place: shown(place), body });
            self.frames.push(Frame::Class);
            let body = self.body(documents, place, object, &name);
            self.frames.pop();
            if let Some(class) = self.package.classes.get_mut(index) {
                class.body = body;
            }
        }
        Type::Named(name)
    }

    fn body(&mut self, documents: &Documents<'_>, place: &Place, object: &Object<'_>, name: &str) -> Body {
        let mut declared: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
        let mut required: BTreeSet<&str> = BTreeSet::new();
        for part in &object.parts {
            for (property, schema) in properties(part.schema) {
                let inner = (part.place.0.clone(), format!("{}/properties{}", part.place.1, step(property)));
                declared.entry(property).or_default().push(Part { place: inner, schema });
            }
            required.extend(words(part.schema, "required"));
        }
        let mut scope = Scope::default();
        let mut fields = Vec::new();
        for (property, declared) in &declared {
            let hint = format!("{name} {property}");
            let python_type = match declared.as_slice() {
                [only] => self.python_type(documents, only, &hint),
                several => {
                    let parts = several.iter().flat_map(|it| documents.parts(&it.place, it.schema)).collect();
                    let place = (place.0.clone(), format!("{}/properties{}", place.1, step(property)));
                    self.of_parts(documents, &place, Object::new(documents, parts), &hint, false)
                }
            };
            let is_required = required.contains(property);
            fields.push((*property, python_type, is_required));
        }
        let classes = self.scope.clone();
        let field = |(property, python_type, is_required): (&str, Type, bool)| Field {
            name: scope.field(property, &classes),
            property: property.to_owned(),
            python_type,
            is_required,
        };
        let is_empty = fields.is_empty() && object.parts.iter().all(|part| part.schema.get("properties").is_none());
        let fields = fields.into_iter().map(field).collect();
        let open = is_empty || object.is_open || object.parts.iter().any(|part| is_open(part.schema));
        Body::Object { fields, open }
    }

    /// Returns the type of a schema.
    pub(super) fn python_type(&mut self, documents: &Documents<'_>, part: &Part<'_>, hint: &str) -> Type {
        let Part { place, schema } = part;
        if documents.only_refers(place, schema).is_some() {
            return documents.target_of(place, schema).map_or(Type::Any, |target| self.referred(documents, &target));
        }
        let object = Object::new(documents, documents.parts(place, schema));
        self.of_parts(documents, place, object, hint, false)
    }

    /// Returns the type of a value that all parts apply to. If it is an object, its class is the one for `place`.
    fn of_parts(
        &mut self,
        documents: &Documents<'_>,
        place: &Place,
        mut object: Object<'_>,
        hint: &str,
        is_object: bool,
    ) -> Type {
        let literals = object.parts.iter().find_map(|part| {
            let values = part.schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
            let constant = part.schema.get("const").filter(|_| !documents.is_draft_4(&part.place));
            literal(values.or(constant.map(std::slice::from_ref))?)
        });
        if let Some(literals) = literals.filter(|_| !is_object) {
            return literals;
        }
        let is_object = is_object || object.parts.iter().any(|part| is_object_alone(part.schema));
        let unions: Vec<(Part<'_>, &str, &Vec<Value>)> = object
            .parts
            .iter()
            .flat_map(|part| UNIONS.map(|keyword| (part, keyword)))
            .filter_map(|(part, keyword)| Some((part.clone(), keyword, part.schema.get(keyword)?.as_array()?)))
            .collect();
        for (index, (part, keyword, branches)) in unions.iter().enumerate() {
            let whole = Object { is_open: object.is_open || unions.len() > 1, parts: object.parts.clone() };
            let at = (part.place.0.clone(), format!("{}/{keyword}", part.place.1));
            let choice = self.choice(documents, place, &whole, (&at, branches), hint, is_object);
            if choice != Type::Any {
                return choice;
            }
            // the alternatives may declare members that are not known here
            object.is_open |= index < unions.len();
        }
        let mut types: Option<Vec<&str>> = is_object.then(|| vec!["object"]);
        for part in &object.parts {
            let named: Vec<&str> = match part.schema.get("type") {
                Some(Value::String(only)) => vec![only],
                Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            types = Some(match types {
                None => named,
                Some(types) => types.iter().filter_map(|one| common(one, &named)).collect(),
            });
        }
        let Some(types) = types else { return Type::Any };
        let mut python_types = Vec::new();
        for name in types {
            python_types.push(match name {
                "string" => Type::named("str"),
                "integer" => Type::named("Integer"),
                "number" => Type::named("Number"),
                "boolean" => Type::named("Boolean"),
                "null" => Type::None,
                "array" => self.list(documents, &object, hint),
                "object" => self.object(documents, place, &object, hint),
                _ => Type::Any,
            });
        }
        Type::union(python_types)
    }

    fn list(&mut self, documents: &Documents<'_>, object: &Object<'_>, hint: &str) -> Type {
        let items = object.parts.iter().find_map(|part| match part.schema.get("items") {
            Some(items @ Value::Object(_)) if part.schema.get("prefixItems").is_none() => Some((part, items)),
            _ => None,
        });
        let Some((part, items)) = items else { return Type::List(Box::new(Type::Any)) };
        let inner = Part { place: (part.place.0.clone(), format!("{}/items", part.place.1)), schema: items };
        Type::List(Box::new(self.python_type(documents, &inner, &format!("{hint} item"))))
    }

    pub(super) fn object(&mut self, documents: &Documents<'_>, place: &Place, object: &Object<'_>, hint: &str) -> Type {
        let declaring: Vec<&Part<'_>> =
            object.parts.iter().filter(|part| !properties(part.schema).is_empty()).collect();
        if declaring.is_empty() {
            let part = object.parts.iter().find(|part| part.schema.get("additionalProperties").is_some());
            let is_map = object.parts.iter().all(|part| part.schema.get("patternProperties").is_none());
            return Type::Dict(Box::new(match part.map(|part| (part, part.schema.get("additionalProperties"))) {
                Some((part, Some(values @ Value::Object(_)))) if is_map => {
                    let place = (part.place.0.clone(), format!("{}/additionalProperties", part.place.1));
                    self.python_type(documents, &Part { place, schema: values }, &format!("{hint} value"))
                }
                _ => Type::Any,
            }));
        }
        // one schema declares everything, and the others only narrow what it declares
        let is_whole = |one: &&Part<'_>| {
            object.parts.iter().filter(|other| other.place != one.place).all(|other| {
                !is_open(other.schema)
                    && properties(other.schema).iter().all(|(name, schema)| {
                        properties(one.schema).iter().any(|(it, _)| it == name) && only_narrows(schema)
                    })
            })
        };
        match declaring.iter().find(|one| is_whole(one)) {
            Some(one) if !object.is_open && !self.roots.contains(place) => {
                let whole = Object { parts: vec![(*one).clone()], is_open: false };
                self.class(documents, &one.place, &whole, &hint_of(documents, one, place, hint))
            }
            _ => self.class(documents, place, object, hint),
        }
    }

    /// Returns the type of the schema that a reference leads to.
    fn referred(&mut self, documents: &Documents<'_>, target: &Place) -> Type {
        let Some(schema) = documents.schema(target) else { return Type::Any };
        if let Some(known) = self.referred.get(target) {
            return known.clone();
        }
        // a class may refer to itself, even while it is being made
        let parts = documents.parts(target, schema);
        let is_class = parts.iter().any(|part| is_object_alone(part.schema))
            && !parts.iter().any(|part| UNIONS.iter().any(|it| part.schema.get(it).is_some()));
        if let Some(known) = self.known.get(target).filter(|_| is_class && self.built.contains(target)) {
            return Type::Named(known.clone());
        }
        let within = self.frames.iter().position(|it| matches!(it, Frame::Referred(place, _) if place == target));
        if let Some(index) = within {
            // only a field of a class may name a type that is defined later
            if !matches!(self.frames.last(), Some(Frame::Class)) {
                return Type::Any;
            }
            if let Some(Frame::Referred(_, Some(name))) = self.frames.get(index) {
                return Type::Named(name.clone());
            }
            let name = self.scope.take(names::class(&name_of_target(target)));
            if let Some(Frame::Referred(_, free)) = self.frames.get_mut(index) {
                *free = Some(name.clone());
            }
            return Type::Named(name);
        }
        self.frames.push(Frame::Referred(target.clone(), None));
        let part = Part { place: target.clone(), schema };
        let hint = name_of_target(target);
        let python_type = self.python_type(documents, &part, &hint);
        let name = match self.frames.pop() {
            Some(Frame::Referred(_, name)) => name,
            _ => None,
        };
        let name = name.or_else(|| python_type.is_choice().then(|| self.scope.take(names::class(&hint))));
        let python_type = match name {
            Some(name) => {
                self.package.aliases.push((name.clone(), python_type));
                Type::Named(name)
            }
            None => python_type,
        };
        self.referred.insert(target.clone(), python_type.clone());
        python_type
    }
}

/// Returns strings and nulls as a `Literal`; `None` if there are other values. A `Literal` of numbers would also allow values
/// that the schema refuses, because `1 == 1.0` in Python.
fn literal(values: &[Value]) -> Option<Type> {
    let literals: Option<Vec<String>> = values
        .iter()
        .map(|value| match value {
            Value::Null => Some("None".to_owned()),
            Value::String(text) => Some(python_string(text)),
            _ => None,
        })
        .collect();
    literals.filter(|it| !it.is_empty()).map(Type::Literal)
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

pub(super) fn shown((document, pointer): &Place) -> String {
    if let Some((_, within)) = pointer.rsplit_once(WITHIN) {
        return within.to_owned();
    }
    if pointer.is_empty() { document.clone() } else { format!("{document}#{pointer}") }
}
