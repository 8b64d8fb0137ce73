//! The contracts as types: what shape each value has in Rust, what else is checked of it, and what neither can tell.

mod object;
mod read;
mod rules;
mod value;

use std::collections::BTreeSet;

use twyla_contract::{Event, EventName, Kind, Place, Property};

pub(crate) use read::read;
pub(crate) use rules::Check;

/// A type by its index in the model.
pub(crate) type TypeId = usize;

/// All that is generated.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) types: Vec<Type>,
    pub(crate) context: TypeId,
    pub(crate) events: Vec<(EventName, TypeId)>,
}

/// A generated type.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) module: Option<String>,
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) docs: String,
    /// The file that it begins in, by index.
    pub(crate) file: usize,
    pub(crate) body: Body,
    pub(crate) reasons: Vec<Reason>,
}

impl Type {
    /// The path below the module that includes the contracts.
    pub(crate) fn path(&self) -> String {
        self.module.as_ref().map_or_else(|| self.name.clone(), |module| format!("{module}::{}", self.name))
    }
}

/// Why a typed value can't tell whether its contract holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) place: Place,
    pub(crate) why: String,
}

/// What a type is made of.
#[derive(Debug)]
pub(crate) enum Body {
    Struct {
        fields: Vec<Field>,
        closed: bool,
    },
    Enum {
        words: Vec<String>,
        variants: Vec<String>,
    },
    /// An object whose members are all of one kind, where an event or a context has to be a type of its own.
    Map(Held),
}

/// A property as a field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) wire: String,
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) held: Held,
    pub(crate) docs: String,
    pub(crate) place: Place,
}

/// A value: its shape, and what is checked of it beyond.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) shape: Shape,
    pub(crate) checks: Vec<Check>,
}

impl Held {
    pub(crate) fn plain(shape: Shape) -> Self {
        Self { shape, checks: Vec::new() }
    }
}

/// A schema without its value rules.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Any,
    Null,
    Boolean,
    /// `u64` where no negative number is allowed, else `i64`.
    Integer {
        unsigned: bool,
        minimum: Option<i128>,
        maximum: Option<i128>,
    },
    Number,
    String,
    /// A struct, or an enum of words.
    Named(TypeId),
    Array(Box<Held>),
    Map(Box<Held>),
    Nullable(Box<Held>),
}

impl Shape {
    /// The types that this shape has in it.
    pub(crate) fn uses(&self, out: &mut BTreeSet<TypeId>) {
        match self {
            Self::Named(id) => {
                out.insert(*id);
            }
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.uses(out),
            _ => {}
        }
    }
}

impl Model {
    /// The types that a type leads to, itself included.
    pub(crate) fn reach(&self, id: TypeId) -> BTreeSet<TypeId> {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let mut next = BTreeSet::new();
            match &self.types[id].body {
                Body::Struct { fields, .. } => fields.iter().for_each(|field| field.held.shape.uses(&mut next)),
                Body::Map(held) => held.shape.uses(&mut next),
                Body::Enum { .. } => {}
            }
            open.extend(next.into_iter().filter(|id| seen.insert(*id)));
        }
        seen
    }

    /// Why a contract goes through `jsonschema`; nothing where its type and its checks tell all.
    pub(crate) fn residue(&self, id: TypeId) -> Vec<&Reason> {
        let mut out: Vec<&Reason> = Vec::new();
        for reason in self.reach(id).into_iter().flat_map(|id| &self.types[id].reasons) {
            if !out.contains(&reason) {
                out.push(reason);
            }
        }
        out.sort_by(|a, b| a.place.cmp(&b.place));
        out
    }

    /// The event as the macros know it.
    pub(crate) fn event(&self, name: &EventName, id: TypeId) -> Event {
        let type_ = &self.types[id];
        let (fields, open) = match &type_.body {
            Body::Struct { fields, closed } => (fields.as_slice(), !closed),
            Body::Map(_) | Body::Enum { .. } => (&[][..], true),
        };
        let property = |field: &Field| Property {
            wire: field.wire.clone(),
            field: field.name.clone(),
            required: field.required,
            kind: self.kind(&field.held),
            rust_type: self.rust_type(&field.held.shape),
            place: field.place.clone(),
        };
        Event {
            name: name.clone(),
            place: type_.place.clone(),
            rust_path: type_.path(),
            properties: fields.iter().map(property).collect(),
            open,
        }
    }

    fn kind(&self, held: &Held) -> Kind {
        let boxed = |held: &Held| Box::new(self.kind(held));
        match &held.shape {
            Shape::Any => Kind::Any,
            Shape::Null => Kind::Null,
            Shape::Boolean => Kind::Boolean,
            Shape::Integer { minimum, maximum, .. } => Kind::Integer { minimum: *minimum, maximum: *maximum },
            Shape::Number => Kind::Number,
            Shape::String => Kind::String,
            Shape::Named(id) => match &self.types[*id].body {
                Body::Enum { words, .. } => Kind::Enum(words.clone()),
                Body::Struct { .. } => Kind::Object { rust_path: self.types[*id].path() },
                Body::Map(_) => Kind::Other { rust_path: self.types[*id].path() },
            },
            Shape::Array(item) => Kind::Array(boxed(item)),
            Shape::Map(value) => Kind::Map(boxed(value)),
            Shape::Nullable(value) => Kind::Nullable(boxed(value)),
        }
    }

    /// The type as people write it, generated types relative to the module that includes the contracts.
    pub(crate) fn rust_type(&self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "serde_json::Value".into(),
            Shape::Null => "()".into(),
            Shape::Boolean => "bool".into(),
            Shape::Integer { unsigned, .. } => if *unsigned { "u64" } else { "i64" }.into(),
            Shape::Number => "f64".into(),
            Shape::String => "String".into(),
            Shape::Named(id) => self.types[*id].path(),
            Shape::Array(item) => format!("Vec<{}>", self.rust_type(&item.shape)),
            Shape::Map(value) if value.shape == Shape::Any => "serde_json::Map<String, serde_json::Value>".into(),
            Shape::Map(value) => format!("BTreeMap<String, {}>", self.rust_type(&value.shape)),
            Shape::Nullable(value) => format!("Option<{}>", self.rust_type(&value.shape)),
        }
    }
}
