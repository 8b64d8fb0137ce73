//! The data types of the model.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::{Event, EventName, Kind, Location, Property, Rpc, RpcBody, RpcName};

use super::derived::{Custom, Traits};
use super::integer::IntegerType;
use super::rules::Check;
use crate::number::Number;
use crate::schema::load::{Node, RpcMessage};
use crate::schema::schemas::Loc;

/// A type by its index in the model.
pub(crate) type TypeId = usize;

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

    /// Returns its messages.
    pub(crate) fn carries(&self) -> impl Iterator<Item = (RpcMessage, &MessageType)> {
        let error = self.error.as_ref().map(|error| (RpcMessage::Error, error));
        [(RpcMessage::Request, &self.request), (RpcMessage::Response, &self.response)].into_iter().chain(error)
    }
}

/// A generated type.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    /// Its schema.
    pub(crate) loc: Loc,
    pub(crate) module: Option<String>,
    pub(crate) name: String,
    pub(crate) place: Location,
    pub(crate) docs: String,
    pub(crate) body: Body,
    /// The rule trees of the whole value.
    pub(crate) trees: Vec<Tree>,
    /// Whether a rule tree reads its values.
    pub(crate) looked_at: bool,
    /// The docs of an enum's words, as far as the schema has any.
    pub(crate) word_docs: BTreeMap<String, String>,
    /// The sensitive values in it: JSON Pointers, in which a step `*` matches any item or member.
    pub(crate) sensitive: Vec<String>,
    /// The standard traits that it derives besides `Clone`, `Debug` and `PartialEq`.
    pub(crate) traits: Traits,
    /// What the build script adds.
    pub(crate) custom: Custom,
    /// For a type with parts that replace generated ones: the type that its schema has.
    pub(crate) plain: Option<TypeId>,
    /// Whether it contains values of replacing types.
    pub(crate) is_foreign: bool,
}

/// The module of the types that schemas have where others replace parts of them.
pub(crate) const PLAIN: &str = "__plain";

impl Type {
    /// Whether it only holds the rules for a type with replaced parts.
    pub(crate) fn is_plain(&self) -> bool {
        self.module.as_deref() == Some(PLAIN)
    }

    /// Returns the path below the module that includes the contracts.
    pub(crate) fn path(&self) -> String {
        self.module.as_ref().map_or_else(|| self.name.clone(), |module| format!("{module}::{}", self.name))
    }
}

/// Rules of a schema that a type and its checks can't express: evaluated as a tree over the typed value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) loc: Loc,
    /// The keywords that the tree evaluates; empty for the whole schema.
    pub(crate) keywords: BTreeSet<String>,
    pub(crate) reasons: Vec<TreeReason>,
}

/// Why a rule needs a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeReason {
    pub(crate) place: Location,
    pub(crate) why: String,
}

/// The content of a type.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Struct {
        fields: Vec<Field>,
        others: Others,
    },
    Enum {
        words: Vec<String>,
        variants: Vec<String>,
    },
    /// One of several values that can be distinguished.
    Union {
        by: Discriminator,
        variants: Vec<Variant>,
    },
    /// A newtype: an object whose members all have one type, for an event or a context; or a response that isn't an object.
    Map(ValueType),
}

/// What happens to undeclared members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Others {
    Ignored,
    Refused,
    /// They are kept in a field: a map.
    Kept {
        name: String,
        held: ValueType,
        /// Whether they are sensitive.
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
    /// Whether `null` is read as absence.
    pub(crate) null_is_absent: bool,
    /// Whether it needs a box, because the type contains itself.
    pub(crate) boxed: bool,
    /// Whether its value is sensitive.
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
    /// Whether the field is an `Option` because the property may be absent.
    pub(crate) fn may_be_absent(&self) -> bool {
        !self.required
    }

    /// The values other than null of a property that may be absent and may be null: the field is a `Nullable` of these.
    pub(crate) fn nullable(&self) -> Option<&ValueType> {
        match &self.held.shape {
            Shape::Nullable(inner) if !self.required => Some(inner),
            _ => None,
        }
    }
}

/// What the variants of a union differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Discriminator {
    /// The JSON type of the value.
    JsonType,
    /// The value of this member of the object.
    Member(String),
    /// A member that no other variant has.
    OwnMember,
    /// A member that the variant requires and no other declares. If an object has several such members, the `oneOf` of this
    /// schema chooses.
    RequiredMember(Loc),
}

/// A variant of a union, with what tells it apart from the others.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// Without any, it is the variant of all values that no other variant is for.
    pub(crate) choices: Vec<Choice>,
    /// The schema that allows all its values, among the alternatives of the union; none if it has no schema of its own.
    pub(crate) schema: Option<Loc>,
    pub(crate) held: ValueType,
    pub(crate) boxed: bool,
}

/// What chooses a variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    /// The JSON type, of the value or of the member.
    Type(JsonType),
    /// This value of the member.
    Boolean(bool),
    Integer(i64),
    Word(String),
    /// The presence of this member.
    Has(String),
}

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JsonType {
    Null,
    Boolean,
    Number,
    String,
    Object,
    Array,
}

impl JsonType {
    /// All of them, in the order of a union's variants.
    pub(crate) const ALL: [Self; 6] =
        [Self::Null, Self::Boolean, Self::Number, Self::String, Self::Object, Self::Array];

    /// Returns the type of a value.
    pub(crate) fn of(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(_) => Self::Boolean,
            serde_json::Value::Number(_) => Self::Number,
            serde_json::Value::String(_) => Self::String,
            serde_json::Value::Array(_) => Self::Array,
            serde_json::Value::Object(_) => Self::Object,
        }
    }

    /// Returns its name, which is also that of the codec's variants.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Boolean => "Boolean",
            Self::Number => "Number",
            Self::String => "String",
            Self::Array => "Array",
            Self::Object => "Object",
        }
    }

    /// Returns its name with an article.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl std::fmt::Display for Choice {
    /// The choice as messages and docs have it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type(type_) => f.write_str(type_.with_article()),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Word(word) => write!(f, "{}", serde_json::Value::from(word.as_str())),
            Self::Has(name) => f.write_str(name),
        }
    }
}

impl Variant {
    /// Returns its choices as words; none if one is something else.
    pub(crate) fn words(&self) -> Option<Vec<&str>> {
        self.choices.iter().map(Choice::word).collect()
    }

    /// Returns the variants that a value may have: one at most, unless rules choose.
    pub(crate) fn of<'a>(variants: &'a [Self], by: &Discriminator, value: &serde_json::Value) -> Vec<&'a Self> {
        let is_chosen = |variant: &&Self| variant.choices.iter().any(|choice| choice.is_made(by, value));
        let chosen = variants.iter().filter(is_chosen);
        let chosen: Vec<&Self> = match by {
            Discriminator::RequiredMember(_) => chosen.collect(),
            _ => chosen.take(1).collect(),
        };
        let rest = || variants.iter().find(|variant| variant.choices.is_empty() && value.is_object());
        if chosen.is_empty() { rest().into_iter().collect() } else { chosen }
    }

    /// Returns its choices as messages name them.
    pub(crate) fn wanted(&self) -> Vec<String> {
        let integer = matches!(self.held.shape.unreplaced(), Shape::Integer { .. });
        let text = |choice: &Choice| match choice {
            Choice::Type(JsonType::Number) if integer => "an integer".to_owned(),
            choice => choice.to_string(),
        };
        self.choices.iter().map(text).collect()
    }
}

impl Choice {
    fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    fn is_made(&self, by: &Discriminator, value: &serde_json::Value) -> bool {
        let value = match (by, self) {
            (_, Self::Has(name)) => return value.get(name).is_some(),
            (Discriminator::Member(name), _) => match value.get(name) {
                Some(value) => value,
                None => return false,
            },
            _ => value,
        };
        match self {
            Self::Type(type_) => JsonType::of(value) == *type_,
            Self::Boolean(known) => value.as_bool() == Some(*known),
            Self::Integer(known) => {
                value.as_number().and_then(|number| Number::new(&number.to_string()).whole()) == Some((*known).into())
            }
            Self::Word(known) => value.as_str() == Some(known),
            Self::Has(_) => false,
        }
    }
}

/// The type of a value: its shape, its checks and its rule trees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueType {
    pub(crate) shape: Shape,
    pub(crate) checks: Vec<Check>,
    pub(crate) trees: Vec<Tree>,
}

impl ValueType {
    pub(crate) fn plain(shape: Shape) -> Self {
        Self::checked(shape, Vec::new())
    }

    pub(crate) fn checked(shape: Shape, checks: Vec<Check>) -> Self {
        Self { shape, checks, trees: Vec::new() }
    }
}

/// The shape of a value: its type in Rust.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Any,
    Null,
    Boolean,
    Integer {
        type_: IntegerType,
        minimum: Option<i128>,
        maximum: Option<i128>,
    },
    Number,
    String,
    /// A string whose format has a type in Rust.
    Format(FormatType),
    /// A struct, an enum of words or a union.
    Named(TypeId),
    Array(Box<ValueType>),
    Map(Box<ValueType>),
    Nullable(Box<ValueType>),
    /// A type that a build script puts in the place of the generated one.
    Replaced(ReplacedType),
}

/// A type in the place of a generated one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReplacedType {
    /// Its absolute path in Rust.
    pub(crate) path: String,
    /// Its type parameters.
    pub(crate) parameters: Vec<ValueType>,
    /// The type that the schema has.
    pub(crate) held: Box<ValueType>,
}

/// A Rust type for a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatType {
    Date,
    DateTime,
    Uuid,
    Ipv4,
    Ipv6,
}

impl FormatType {
    /// Returns the type of a variant of the runtime's `Format`.
    pub(crate) fn of(variant: &str) -> Option<Self> {
        [Self::Date, Self::DateTime, Self::Uuid, Self::Ipv4, Self::Ipv6]
            .into_iter()
            .find(|real| real.variant() == variant)
    }

    /// The variant in the runtime.
    pub(super) fn variant(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Uuid => "Uuid",
            Self::Ipv4 => "Ipv4",
            Self::Ipv6 => "Ipv6",
        }
    }

    /// The format's name.
    pub(super) fn format(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Uuid => "uuid",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// The lengths of its texts: the least, and the most if there is one. A text is written in its canonical form.
    pub(super) fn lengths(self) -> (u64, Option<u64>) {
        match self {
            Self::Date => (10, Some(10)),
            // `2024-01-01T00:00:00Z`; a fraction may have any number of digits
            Self::DateTime => (20, None),
            Self::Uuid => (36, Some(36)),
            Self::Ipv4 => (7, Some(15)),
            // `::`, and eight groups of which the last two are an IPv4 address
            Self::Ipv6 => (2, Some(45)),
        }
    }

    /// The type as people write it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Date => "::chrono::NaiveDate",
            Self::DateTime => "::twyla_runtime::DateTime",
            Self::Uuid => "::uuid::Uuid",
            Self::Ipv4 => "::std::net::Ipv4Addr",
            Self::Ipv6 => "::std::net::Ipv6Addr",
        }
    }
}

impl Shape {
    /// How many types without a name are in one another here.
    pub(crate) fn nested(&self) -> usize {
        let (mut shape, mut depth) = (self, 0);
        while let Self::Array(held)
        | Self::Map(held)
        | Self::Nullable(held)
        | Self::Replaced(ReplacedType { held, .. }) = shape
        {
            (shape, depth) = (&held.shape, depth + 1);
        }
        depth
    }

    /// Returns whether the shape has no untyped part. Doesn't look into named types.
    pub(crate) fn is_typed(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.is_typed(),
            // it may show what the generated type hides
            Self::Replaced(_) => false,
            _ => true,
        }
    }

    /// The types that this shape has in it.
    pub(crate) fn uses(&self, out: &mut BTreeSet<TypeId>) {
        match self {
            Self::Named(id) => {
                out.insert(*id);
            }
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.uses(out),
            Self::Replaced(replaced) => {
                replaced.held.shape.uses(out);
                replaced.parameters.iter().for_each(|parameter| parameter.shape.uses(out));
            }
            _ => {}
        }
    }

    /// Replaces each type by the one that `lead` gives for it.
    pub(super) fn redirect(&mut self, lead: &impl Fn(TypeId) -> TypeId) {
        match self {
            Self::Named(id) => *id = lead(*id),
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.redirect(lead),
            Self::Replaced(replaced) => {
                replaced.held.shape.redirect(lead);
                replaced.parameters.iter_mut().for_each(|parameter| parameter.shape.redirect(lead));
            }
            _ => {}
        }
    }

    /// Returns the shape that the schema has, whatever type replaces it.
    pub(crate) fn unreplaced(&self) -> &Self {
        let mut shape = self;
        while let Self::Replaced(replaced) = shape {
            shape = &replaced.held.shape;
        }
        shape
    }

    /// Whether the value is, or contains as items or members without a type of their own, a value of a replacing type.
    pub(crate) fn is_replaced(&self) -> bool {
        match self {
            Self::Replaced(_) => true,
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.is_replaced(),
            _ => false,
        }
    }
}

impl Body {
    /// The values that a value of this type holds.
    pub(crate) fn holds(&self) -> Vec<&ValueType> {
        match self {
            Self::Struct { fields, others } => {
                let kept = if let Others::Kept { held, .. } = others { Some(held) } else { None };
                fields.iter().map(|field| &field.held).chain(kept).collect()
            }
            Self::Union { variants, .. } => variants.iter().map(|variant| &variant.held).collect(),
            Self::Map(held) => vec![held],
            Self::Enum { .. } => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub(super) fn holds_mut(&mut self) -> Vec<&mut ValueType> {
        match self {
            Self::Struct { fields, others } => {
                let kept = if let Others::Kept { held, .. } = others { Some(held) } else { None };
                fields.iter_mut().map(|field| &mut field.held).chain(kept).collect()
            }
            Self::Union { variants, .. } => variants.iter_mut().map(|variant| &mut variant.held).collect(),
            Self::Map(held) => vec![held],
            Self::Enum { .. } => Vec::new(),
        }
    }
}

impl Model {
    /// The types that a type leads to, itself included.
    pub(crate) fn reach(&self, id: TypeId) -> BTreeSet<TypeId> {
        reach(&self.types, BTreeSet::from([id]))
    }

    /// What of a contract is held by rule trees, and why.
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

    /// The event as the macros know it.
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

    /// The RPC as the macros know it.
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

    /// The type as people write it, generated types relative to the module that includes the contracts.
    pub(crate) fn rust_type(&self, shape: &Shape) -> String {
        rust_type(&self.types, shape)
    }
}

/// The type as people write it, generated types relative to the module that includes the contracts.
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

/// The types that these lead to, themselves included.
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
