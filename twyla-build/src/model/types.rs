//! The data types of the model.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::{Event, EventName, Kind, Location, Property, Rpc, RpcBody, RpcName};

use super::derived::{Custom, Traits};
use super::shape::{ReplacedType, Shape, Tree, TreeReason, TypeId, ValueType};
use super::variant::{Discriminator, Variant};
use crate::schema::load::{Node, RpcMessage};
use crate::schema::schemas::Loc;

/// The model of a folder: everything that is generated.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) types: Vec<Type>,
    pub(crate) context: TypeId,
    pub(crate) events: Vec<(EventName, TypeId)>,
    pub(crate) rpcs: Vec<Method>,
}

/// An RPC with the types of its messages.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: RpcName,
    /// The module and the name of the RPC's type.
    pub(crate) module: String,
    pub(crate) type_: String,
    pub(crate) docs: String,
    pub(crate) idempotent: bool,
    pub(crate) request: MessageType,
    pub(crate) response: MessageType,
    pub(crate) error: Option<MessageType>,
}

/// A message of an RPC.
#[derive(Debug)]
pub(crate) struct MessageType {
    pub(crate) type_: TypeId,
    pub(crate) place: Location,
    /// The alias in the RPC's module, if the type belongs to another schema.
    pub(crate) alias: Option<String>,
}

impl Method {
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.module, self.type_)
    }

    /// Returns the types of the RPC's messages.
    pub(super) fn types_mut(&mut self) -> impl Iterator<Item = &mut TypeId> {
        [&mut self.request, &mut self.response].into_iter().chain(&mut self.error).map(|message| &mut message.type_)
    }

    /// Returns the RPC's messages, each with its kind.
    pub(crate) fn carries(&self) -> impl Iterator<Item = (RpcMessage, &MessageType)> {
        let error = self.error.as_ref().map(|error| (RpcMessage::Error, error));
        [(RpcMessage::Request, &self.request), (RpcMessage::Response, &self.response)].into_iter().chain(error)
    }
}

/// A generated type.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    /// The schema of the type.
    pub(crate) loc: Loc,
    pub(crate) module: Option<String>,
    pub(crate) name: String,
    pub(crate) place: Location,
    pub(crate) docs: String,
    pub(crate) body: Body,
    /// The rule trees of the whole value.
    pub(crate) trees: Vec<Tree>,
    /// Whether a rule tree reads the type's values.
    pub(crate) looked_at: bool,
    /// The docs of an enum's words, as far as the schema has any.
    pub(crate) word_docs: BTreeMap<String, String>,
    /// The sensitive values in the type: JSON Pointers, in which a step `*` matches any item or member.
    pub(crate) sensitive: Vec<String>,
    /// Whether `Debug` hides the whole value, because it can't hide a sensitive part alone.
    pub(crate) hidden: bool,
    /// The standard traits that the type derives besides `Clone`, `Debug` and `PartialEq`.
    pub(crate) traits: Traits,
    /// The derives and attributes that the build script adds.
    pub(crate) custom: Custom,
    /// The type in the module [`PLAIN`] that holds the rules of this type, if parts of this type are replaced.
    pub(crate) plain: Option<TypeId>,
    /// Whether the type contains a value whose type is replaced.
    pub(crate) is_foreign: bool,
}

/// The hidden module with the generated form of each type that contains a replaced part (`Builder::replace`); it holds that
/// type's rules.
pub(crate) const PLAIN: &str = "__plain";

impl Type {
    /// Returns whether the type only has the rules for a type with replaced parts.
    pub(crate) fn is_plain(&self) -> bool {
        self.module.as_deref() == Some(PLAIN)
    }

    /// Returns the path below the module that includes the contracts.
    pub(crate) fn path(&self) -> String {
        self.module.as_ref().map_or_else(|| self.name.clone(), |module| format!("{module}::{}", self.name))
    }
}

/// The content of a type.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// An object with declared members.
    Struct { fields: Vec<Field>, others: Others },
    /// One of several constant strings.
    Enum { words: Vec<String>, variants: Vec<String> },
    /// One of several values that can be distinguished.
    Union { by: Discriminator, variants: Vec<Variant> },
    /// A newtype: an object whose members all have one type, for an event or a context; or a response that isn't an object.
    Map(ValueType),
}

/// What happens to undeclared members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Others {
    Ignored,
    Refused,
    /// Undeclared members are kept in a field: a map.
    Kept {
        name: String,
        held: ValueType,
        /// Whether the undeclared members are sensitive.
        hidden: bool,
    },
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) wire: String,
    pub(crate) name: String,
    pub(crate) required: bool,
    /// The default of an optional property.
    pub(crate) default: Option<SchemaDefault>,
    /// The method that returns the value or the default.
    pub(crate) accessor: Option<Accessor>,
    pub(crate) held: ValueType,
    /// The only word that a required property may have: the struct has no field for it.
    pub(crate) constant: Option<String>,
    /// Whether `null` is read as absence.
    pub(crate) null_is_absent: bool,
    /// Whether the field needs a box, because the struct would contain itself otherwise.
    pub(crate) boxed: bool,
    /// Whether the field's value is sensitive.
    pub(crate) hidden: bool,
    pub(crate) docs: FieldDocs,
    pub(crate) place: Location,
}

/// The place of the `default` of a property.
#[derive(Clone, Debug)]
pub(crate) struct SchemaDefault {
    /// The schema with the default: the property's own, or one that it refers to.
    pub(crate) at: Loc,
    /// The schemas that apply to the property's values; empty if they depend on the dynamic scope.
    pub(crate) schemas: Vec<Loc>,
}

/// The method that returns the value of a property or its default.
#[derive(Clone, Debug)]
pub(crate) struct Accessor {
    pub(crate) name: String,
    /// The default; the field's type can read it.
    pub(crate) value: Node,
    /// The default as text.
    pub(crate) text: String,
}

/// The docs of a field.
#[derive(Clone, Debug)]
pub(crate) struct FieldDocs {
    /// The description in the schema: untrusted text.
    pub(crate) said: String,
    /// Further paragraphs, already escaped by [`crate::markdown`].
    pub(crate) notes: Vec<String>,
}

impl std::fmt::Display for FieldDocs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = std::iter::once(&self.said).filter(|said| !said.is_empty());
        for (i, paragraph) in said.chain(&self.notes).enumerate() {
            write!(f, "{}{paragraph}", if i == 0 { "" } else { "\n\n" })?;
        }
        Ok(())
    }
}

impl Field {
    /// Returns whether the field is an `Option` because the property may be absent.
    pub(crate) fn may_be_absent(&self) -> bool {
        !self.required
    }

    /// Returns the type of the values other than null if the property may be absent and may be null: its field is then a
    /// `Nullable` of this type.
    pub(crate) fn nullable(&self) -> Option<&ValueType> {
        match &self.held.shape {
            Shape::Nullable(inner) if !self.required => Some(inner),
            _ => None,
        }
    }
}

impl Body {
    /// Returns the types of the values that a value of this type holds.
    pub(crate) fn holds(&self) -> Vec<&ValueType> {
        match self {
            Self::Struct { fields, others } => {
                let kept = if let Others::Kept { held, .. } = others { Some(held) } else { None };
                let fields = fields.iter().filter(|field| field.constant.is_none());
                fields.map(|field| &field.held).chain(kept).collect()
            }
            Self::Union { variants, .. } => variants.iter().filter_map(|variant| variant.held.as_ref()).collect(),
            Self::Map(held) => vec![held],
            Self::Enum { .. } => Vec::new(),
        }
    }

    /// Returns the types of the held values, mutably.
    pub(super) fn holds_mut(&mut self) -> Vec<&mut ValueType> {
        match self {
            Self::Struct { fields, others } => {
                let kept = if let Others::Kept { held, .. } = others { Some(held) } else { None };
                let fields = fields.iter_mut().filter(|field| field.constant.is_none());
                fields.map(|field| &mut field.held).chain(kept).collect()
            }
            Self::Union { variants, .. } => variants.iter_mut().filter_map(|variant| variant.held.as_mut()).collect(),
            Self::Map(held) => vec![held],
            Self::Enum { .. } => Vec::new(),
        }
    }
}

impl Model {
    /// Returns the types that are reachable from a type, including itself.
    pub(crate) fn reach(&self, id: TypeId) -> BTreeSet<TypeId> {
        reach(&self.types, BTreeSet::from([id]))
    }

    /// Returns the place of each rule of a contract that needs a tree, with the reason.
    pub(crate) fn trees(&self, id: TypeId) -> Vec<&TreeReason> {
        let mut out: Vec<&TreeReason> = Vec::new();
        for id in self.reach(id) {
            let type_ = &self.types[id];
            out.extend(type_.trees.iter().flat_map(|tree| &tree.reasons));
            type_.body.holds().into_iter().for_each(|held| held_reasons(held, &mut out));
        }
        out.sort_by(|a, b| (&a.place, &a.why).cmp(&(&b.place, &b.why)));
        out.dedup();
        out
    }

    /// Returns the event's entry in the index that the macros read.
    pub(crate) fn event(&self, name: &EventName, id: TypeId) -> Event {
        let type_ = &self.types[id];
        let (fields, open) = match &type_.body {
            Body::Struct { fields, others } => (fields.as_slice(), *others != Others::Refused),
            Body::Map(_) | Body::Enum { .. } | Body::Union { .. } => (&[][..], true),
        };
        let property = |field: &Field| Property {
            wire: field.wire.clone(),
            field: field.name.clone(),
            required: field.required,
            kind: field.constant.clone().map_or_else(|| self.kind(&field.held), |word| Kind::Enum(vec![word])),
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

    /// Returns the RPC's entry in the index that the macros read.
    pub(crate) fn rpc(&self, method: &Method) -> Rpc {
        let body = |carried: &MessageType| RpcBody {
            place: carried.place.clone(),
            rust_path: self.types[carried.type_].path(),
        };
        Rpc {
            name: method.name.clone(),
            rust_path: method.path(),
            idempotent: method.idempotent,
            request: body(&method.request),
            response: body(&method.response),
            error: method.error.as_ref().map(body),
        }
    }

    fn kind(&self, held: &ValueType) -> Kind {
        let boxed = |held: &ValueType| Box::new(self.kind(held));
        match &held.shape {
            Shape::Any => Kind::Any,
            Shape::Null => Kind::Null,
            Shape::Boolean => Kind::Boolean,
            Shape::Integer { minimum, maximum, .. } => Kind::Integer { minimum: *minimum, maximum: *maximum },
            Shape::Number => Kind::Number,
            Shape::String => Kind::String,
            Shape::Format(real) => Kind::Format(real.format().into()),
            Shape::Named(id) => match &self.types[*id].body {
                Body::Enum { words, .. } => Kind::Enum(words.clone()),
                Body::Struct { .. } => Kind::Object { rust_path: self.types[*id].path() },
                Body::Map(_) | Body::Union { .. } => Kind::Other { rust_path: self.types[*id].path() },
            },
            Shape::Array(item) => Kind::Array(boxed(item)),
            Shape::Map(value) => Kind::Map(boxed(value)),
            Shape::Nullable(value) => Kind::Nullable(boxed(value)),
            Shape::Replaced(replaced) => self.kind(&replaced.held),
        }
    }

    /// Returns the Rust type of a shape as text; paths of generated types begin below the module that includes the
    /// contracts.
    pub(crate) fn rust_type(&self, shape: &Shape) -> String {
        rust_type(&self.types, shape)
    }
}

/// Returns the Rust type of a shape as text; paths of generated types begin below the module that includes the contracts.
pub(super) fn rust_type(types: &[Type], shape: &Shape) -> String {
    let inner = |held: &ValueType| rust_type(types, &held.shape);
    match shape {
        Shape::Any => "::serde_json::Value".into(),
        Shape::Null => "()".into(),
        Shape::Boolean => "bool".into(),
        Shape::Integer { type_, .. } => type_.name().into(),
        Shape::Number => "f64".into(),
        Shape::String => "String".into(),
        Shape::Format(real) => real.path().into(),
        Shape::Named(id) => types[*id].path(),
        Shape::Array(item) => format!("Vec<{}>", inner(item)),
        Shape::Map(value) if value.shape == Shape::Any => "::serde_json::Map<String, ::serde_json::Value>".into(),
        Shape::Map(value) => format!("BTreeMap<String, {}>", inner(value)),
        Shape::Nullable(value) => format!("Option<{}>", inner(value)),
        Shape::Replaced(replaced) if replaced.parameters.is_empty() => replaced.path.clone(),
        Shape::Replaced(replaced) => {
            format!("{}<{}>", replaced.path, replaced.parameters.iter().map(inner).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns the types that are reachable from these types, including themselves.
pub(super) fn reach(types: &[Type], from: BTreeSet<TypeId>) -> BTreeSet<TypeId> {
    let mut open: Vec<TypeId> = from.iter().copied().collect();
    let mut seen = from;
    while let Some(id) = open.pop() {
        let mut next = BTreeSet::new();
        types[id].body.holds().into_iter().for_each(|held| held.shape.uses(&mut next));
        open.extend(next.into_iter().filter(|id| seen.insert(*id)));
    }
    seen
}

fn held_reasons<'a>(held: &'a ValueType, out: &mut Vec<&'a TreeReason>) {
    out.extend(held.trees.iter().flat_map(|tree| &tree.reasons));
    if let Shape::Array(held) | Shape::Map(held) | Shape::Nullable(held) | Shape::Replaced(ReplacedType { held, .. }) =
        &held.shape
    {
        held_reasons(held, out);
    }
}
